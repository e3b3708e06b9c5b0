//! Real handshakes, in memory: what a client gets, and what becomes of changed files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, ServerConfig,
    ServerConnection,
};

use super::*;
use crate::base::shutdown::shutdown;
use crate::server::tls::{self, Options, Version};

/// A folder with pairs, each named after its files.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn files(&self, name: &str) -> Files {
        let path = |end: &str| self.0.path().join(format!("{name}.{end}"));
        Files {
            certificate: path("pem"),
            key: path("key"),
            ocsp_staple: None,
            may_be_missing: false,
            source: "listen.certificate".to_owned(),
        }
    }

    /// Makes a pair and returns its certificate.
    fn make(&self, name: &str, hosts: &[&str], rsa: bool) -> Vec<u8> {
        let hosts: Vec<_> = hosts.iter().map(|&host| host.to_owned()).collect();
        let algorithm = if rsa { &PKCS_RSA_SHA256 } else { &PKCS_ECDSA_P256_SHA256 };
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = CertificateParams::new(hosts).unwrap().self_signed(&key).unwrap();
        let files = self.files(name);
        put(&files.certificate, certificate.pem().as_bytes());
        put(&files.key, key.serialize_pem().as_bytes());
        certificate.der().to_vec()
    }

    fn open(&self, names: &[&str]) -> Arc<Certificates> {
        let files = names.iter().map(|name| self.files(name)).collect();
        Arc::new(Certificates::open(files).unwrap())
    }
}

/// Replaces a file as a careful program does.
fn put(path: &Path, bytes: &[u8]) {
    let new = path.with_extension("new");
    fs::write(&new, bytes).unwrap();
    fs::rename(new, path).unwrap();
}

/// Believes every server, and remembers what it showed.
#[derive(Debug)]
struct Witness {
    schemes: Vec<SignatureScheme>,
    seen: Mutex<Vec<(Vec<u8>, Vec<u8>)>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.seen.lock().unwrap().push((leaf.to_vec(), ocsp.to_vec()));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

const BOTH: [SignatureScheme; 2] =
    [SignatureScheme::RSA_PSS_SHA256, SignatureScheme::ECDSA_NISTP256_SHA256];
const RSA: [SignatureScheme; 2] =
    [SignatureScheme::RSA_PSS_SHA256, SignatureScheme::RSA_PKCS1_SHA256];

/// A client that comes again and again.
struct Client {
    config: Arc<ClientConfig>,
    witness: Arc<Witness>,
}

impl Client {
    fn new(schemes: &[SignatureScheme], change: impl FnOnce(&mut ClientConfig)) -> Self {
        let witness = Witness { schemes: schemes.to_vec(), seen: Mutex::default() };
        let witness = Arc::new(witness);
        let verifier: Arc<Witness> = Arc::clone(&witness);
        let mut config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        change(&mut config);
        Self { config: Arc::new(config), witness }
    }

    fn connect(
        &self,
        server: &Arc<ServerConfig>,
        host: &str,
    ) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let mut client = ClientConnection::new(Arc::clone(&self.config), name)?;
        let mut server = ServerConnection::new(Arc::clone(server))?;
        let mut bytes = Vec::new();
        while client.wants_write() || server.wants_write() {
            while client.wants_write() {
                client.write_tls(&mut bytes).unwrap();
            }
            server.read_tls(&mut bytes.as_slice()).unwrap();
            let refused = server.process_new_packets();
            bytes.clear();
            while server.wants_write() {
                server.write_tls(&mut bytes).unwrap();
            }
            client.read_tls(&mut bytes.as_slice()).unwrap();
            let answer = client.process_new_packets();
            refused.and(answer)?;
            bytes.clear();
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        Ok((client, server))
    }

    fn last_seen(&self) -> (Vec<u8>, Vec<u8>) {
        self.witness.seen.lock().unwrap().last().unwrap().clone()
    }
}

fn server(certificates: &Arc<Certificates>) -> Arc<ServerConfig> {
    tls::server_config(certificates, Options::default()).unwrap()
}

/// The certificate that a client gets when it asks for a host.
fn given(certificates: &Arc<Certificates>, schemes: &[SignatureScheme], host: &str) -> Vec<u8> {
    let client = Client::new(schemes, |_| {});
    client.connect(&server(certificates), host).unwrap();
    client.last_seen().0
}

#[test]
fn a_client_gets_the_certificate_for_the_host_that_it_names() {
    let folder = Folder::new();
    let first = folder.make("first", &["first.example"], false);
    let wild = folder.make("wild", &["*.gov.example", "gov.example"], false);
    let exact = folder.make("exact", &["tax.GOV.example"], false);
    let certificates = folder.open(&["first", "wild", "exact"]);
    for (host, expected) in [
        ("first.example", &first),
        ("gov.example", &wild),
        ("a.gov.example", &wild),
        ("A.Gov.Example", &wild),
        ("tax.gov.example", &exact),
        ("a.tax.gov.example", &first),
        ("a.b.gov.example", &first),
        ("other.example", &first),
        ("example", &first),
        ("192.0.2.1", &first),
    ] {
        assert_eq!(&given(&certificates, &BOTH, host), expected, "{host}");
    }
    let silent = Client::new(&BOTH, |config| config.enable_sni = false);
    silent.connect(&server(&certificates), "tax.gov.example").unwrap();
    assert_eq!(silent.last_seen().0, first, "a client that names nobody gets the first");
    assert!(certificates.covers("x.gov.example.") && !certificates.covers("x.example"));
}

#[test]
fn of_two_kinds_a_client_gets_the_cheaper_one_that_it_understands() {
    let folder = Folder::new();
    let rsa = folder.make("rsa", &["a.example", "b.example"], true);
    let ecdsa = folder.make("ecdsa", &["a.example"], false);
    let certificates = folder.open(&["rsa", "ecdsa"]);
    for (host, schemes, expected) in [
        ("a.example", &BOTH[..], &ecdsa),
        ("a.example", &RSA[..], &rsa),
        ("b.example", &BOTH[..], &rsa),
        // A host of no pair: the first pair, or its twin.
        ("other.example", &BOTH[..], &ecdsa),
        ("other.example", &RSA[..], &rsa),
    ] {
        assert_eq!(&given(&certificates, schemes, host), expected, "{host}");
    }
    let alone = folder.open(&["ecdsa"]);
    assert!(Client::new(&RSA, |_| {}).connect(&server(&alone), "a.example").is_err());
}

#[test]
fn a_changed_pair_is_used_and_an_unchanged_one_is_not_read() {
    let folder = Folder::new();
    let old = folder.make("a", &["a.example"], false);
    let other = folder.make("b", &["b.example"], false);
    let certificates = folder.open(&["a", "b"]);
    let events = certificates.reload();
    assert!(events.iter().all(|event| matches!(event.outcome, Outcome::Unchanged)), "{events:?}");

    let new = folder.make("a", &["a.example", "new.example"], false);
    assert_eq!(given(&certificates, &BOTH, "a.example"), old, "nobody looked yet");
    let events = certificates.reload();
    assert!(matches!(events[0].outcome, Outcome::Reloaded { .. }), "{events:?}");
    assert!(matches!(events[1].outcome, Outcome::Unchanged), "{events:?}");
    assert_eq!(given(&certificates, &BOTH, "a.example"), new);
    assert_eq!(given(&certificates, &BOTH, "new.example"), new);
    assert_eq!(given(&certificates, &BOTH, "b.example"), other);
    assert_eq!(certificates.status()[0].names, ["a.example", "new.example"]);
    assert_eq!(certificates.counts(), Counts { reloaded: 1, refused: 0 });

    // The same bytes in a new file are nothing new.
    put(&folder.files("a").key, &fs::read(folder.files("a").key).unwrap());
    assert!(matches!(certificates.reload()[0].outcome, Outcome::Unchanged));
}

#[test]
fn a_bad_pair_is_told_once_and_the_last_good_one_stays() {
    let folder = Folder::new();
    let old = folder.make("a", &["a.example"], false);
    folder.make("stranger", &["a.example"], false);
    let certificates = folder.open(&["a"]);
    let Files { certificate, key, .. } = folder.files("a");
    let stranger = fs::read(folder.files("stranger").certificate).unwrap();
    let good = fs::read(&certificate).unwrap();

    for (bytes, told) in [
        (&b"rubbish"[..], "holds no certificate in PEM form"),
        (&stranger, "a.key: is not the key of"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "is malformed"),
        (&vec![b'#'; 1024 * 1024 + 1], "larger than 1 MiB"),
    ] {
        put(&certificate, bytes);
        let events = certificates.reload();
        let Outcome::Kept { why } = &events[0].outcome else { panic!("{events:?}") };
        assert!(why.to_string().contains(told), "{why}");
        assert!(matches!(certificates.reload()[0].outcome, Outcome::Unchanged), "told once");
        assert_eq!(given(&certificates, &BOTH, "a.example"), old);
    }
    fs::remove_file(&certificate).unwrap();
    assert!(matches!(certificates.reload()[0].outcome, Outcome::Kept { .. }));
    put(&key, b"rubbish");
    assert!(matches!(certificates.reload()[0].outcome, Outcome::Kept { .. }));
    assert_eq!(given(&certificates, &BOTH, "a.example"), old);
    assert_eq!(certificates.counts(), Counts { reloaded: 0, refused: 6 });

    // A renewal that writes the key first and the certificate later ends well.
    let new = folder.make("next", &["a.example"], false);
    put(&certificate, &good);
    put(&key, &fs::read(folder.files("next").key).unwrap());
    assert!(matches!(certificates.reload()[0].outcome, Outcome::Kept { .. }));
    put(&certificate, &fs::read(folder.files("next").certificate).unwrap());
    assert!(matches!(certificates.reload()[0].outcome, Outcome::Reloaded { .. }));
    assert_eq!(given(&certificates, &BOTH, "a.example"), new);
}

#[test]
fn a_folder_that_is_swapped_behind_a_link_is_noticed() {
    let folder = Folder::new();
    let root = folder.0.path();
    let mut expected = Vec::new();
    for version in ["one", "two"] {
        fs::create_dir(root.join(version)).unwrap();
        expected.push(folder.make(&format!("{version}/tls"), &["a.example"], false));
    }
    symlink("one", root.join("..data")).unwrap();
    for name in ["tls.pem", "tls.key"] {
        symlink(Path::new("..data").join(name), root.join(name)).unwrap();
    }
    let certificates = folder.open(&["tls"]);
    assert_eq!(given(&certificates, &BOTH, "a.example"), expected[0]);
    symlink("two", root.join("..data_tmp")).unwrap();
    fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    assert!(matches!(certificates.reload()[0].outcome, Outcome::Reloaded { .. }));
    assert_eq!(given(&certificates, &BOTH, "a.example"), expected[1]);
}

#[test]
fn nothing_starts_with_a_bad_pair_and_each_is_told_with_its_file() {
    let folder = Folder::new();
    for name in ["good", "a", "b", "c", "d"] {
        folder.make(name, &["a.example"], false);
    }
    fs::remove_file(folder.files("a").certificate).unwrap();
    put(&folder.files("b").key, b"rubbish");
    fs::copy(folder.files("good").key, folder.files("c").key).unwrap();
    let staple = folder.0.path().join("d.ocsp");
    fs::write(&staple, b"-----BEGIN RUBBISH-----").unwrap();
    let mut files: Vec<_> = ["good", "a", "b", "c", "d"].map(|name| folder.files(name)).into();
    files[4].ocsp_staple = Some(staple);
    let errors = Certificates::open(files).unwrap_err();
    let parts: Vec<_> = errors.iter().map(|(number, error)| (*number, error.part())).collect();
    let expected = [(1, Part::Certificate), (2, Part::Key), (3, Part::Key), (4, Part::OcspStaple)];
    assert_eq!(parts, expected, "{errors:?}");
}

#[test]
fn the_staple_is_delivered_and_changes_with_its_file() {
    let folder = Folder::new();
    folder.make("a", &["a.example"], false);
    let path = folder.0.path().join("a.ocsp");
    // OCSPResponse { responseStatus successful, responseBytes ... }: clients here do not check it.
    let staple = |tag: u8| [0x30, 0x07, 0x0a, 0x01, 0x00, 0xa0, 0x02, tag, 0x00];
    let first = staple(0x05);
    put(&path, &first);
    let mut files = folder.files("a");
    files.ocsp_staple = Some(path.clone());
    let certificates = Arc::new(Certificates::open(vec![files]).unwrap());
    let client = Client::new(&BOTH, |config| {
        config.resumption = rustls::client::Resumption::disabled();
    });
    client.connect(&server(&certificates), "a.example").unwrap();
    assert_eq!(client.last_seen().1, first);

    let second = staple(0x30);
    put(&path, &second);
    assert!(matches!(certificates.reload()[0].outcome, Outcome::Reloaded { .. }));
    client.connect(&server(&certificates), "a.example").unwrap();
    assert_eq!(client.last_seen().1, second);

    // "tryLater" is an answer, but none to staple.
    put(&path, &[0x30, 0x03, 0x0a, 0x01, 0x03]);
    assert!(matches!(certificates.reload()[0].outcome, Outcome::Kept { .. }));
    client.connect(&server(&certificates), "a.example").unwrap();
    assert_eq!(client.last_seen().1, second);
}

#[test]
fn a_client_that_comes_again_resumes_without_a_signature() {
    let folder = Folder::new();
    folder.make("a", &["a.example", "b.example"], false);
    let certificates = folder.open(&["a"]);
    let server = server(&certificates);
    let (tls12, tls13) = (&rustls::version::TLS12, &rustls::version::TLS13);
    for version in [tls12, tls13] {
        let mut client = Client::new(&BOTH, |_| {});
        let mut config = ClientConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Witness>::clone(&client.witness))
            .with_no_client_auth();
        config.enable_early_data = true;
        client.config = Arc::new(config);
        let kind = |host| client.connect(&server, host).unwrap().0.handshake_kind();
        assert_ne!(kind("a.example"), Some(HandshakeKind::Resumed));
        assert_eq!(kind("a.example"), Some(HandshakeKind::Resumed), "{version:?}");
        // Another host is another session.
        assert_ne!(kind("b.example"), Some(HandshakeKind::Resumed));
    }
}

#[test]
fn a_client_that_is_known_by_a_certificate_shows_it_each_time() {
    let folder = Folder::new();
    folder.make("a", &["a.example"], false);
    let certificates = folder.open(&["a"]);
    let key = KeyPair::generate().unwrap();
    let known = CertificateParams::new(vec!["operator".to_owned()]).unwrap();
    let known = known.self_signed(&key).unwrap();
    let authorities = known.pem();
    let of_some = tls::server_config_for_some_known_clients;
    let of_all = tls::server_config_for_known_clients;
    let options = Options::default();
    for server in [
        of_some(&certificates, options, authorities.as_bytes()).unwrap(),
        of_all(&certificates, options, authorities.as_bytes()).unwrap(),
    ] {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let mut client = Client::new(&BOTH, |_| {});
            let config = ClientConfig::builder_with_provider(tls::provider())
                .with_protocol_versions(&[version])
                .unwrap()
                .dangerous()
                .with_custom_certificate_verifier(Arc::<Witness>::clone(&client.witness))
                .with_client_auth_cert(
                    vec![known.der().clone()],
                    key.serialize_der().try_into().unwrap(),
                );
            client.config = Arc::new(config.unwrap());
            for _ in 0..3 {
                let (client, server) = client.connect(&server, "a.example").unwrap();
                assert_ne!(client.handshake_kind(), Some(HandshakeKind::Resumed), "{version:?}");
                assert_eq!(server.peer_certificates().map(<[_]>::len), Some(1));
            }
        }
    }
}

#[test]
fn early_data_is_never_offered() {
    let folder = Folder::new();
    folder.make("a", &["a.example"], false);
    let server = server(&folder.open(&["a"]));
    let client = Client::new(&BOTH, |config| config.enable_early_data = true);
    client.connect(&server, "a.example").unwrap();
    let name = ServerName::try_from("a.example").unwrap();
    let mut again = ClientConnection::new(Arc::clone(&client.config), name).unwrap();
    assert!(again.early_data().is_none());
}

#[test]
fn versions_and_protocols_are_as_the_options_say() {
    let folder = Folder::new();
    folder.make("a", &["a.example"], false);
    let certificates = folder.open(&["a"]);
    let protocol = |http2, offered: &[&str]| {
        let options = Options { http2, ..Options::default() };
        let server = tls::server_config(&certificates, options).unwrap();
        let client = Client::new(&BOTH, |config| {
            config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        });
        let chosen = client.connect(&server, "a.example").map(|(_, server)| {
            server.alpn_protocol().map(|name| String::from_utf8(name.to_vec()).unwrap())
        });
        chosen.ok()
    };
    assert_eq!(protocol(true, &["http/1.1", "h2"]), Some(Some("h2".to_owned())));
    assert_eq!(protocol(false, &["h2", "http/1.1"]), Some(Some("http/1.1".to_owned())));
    assert_eq!(protocol(true, &[]), Some(None));
    assert_eq!(protocol(true, &["spdy/3"]), None);

    let old = ClientConfig::builder_with_provider(tls::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap();
    let mut client = Client::new(&BOTH, |_| {});
    let witness = Arc::<Witness>::clone(&client.witness);
    let old = old.dangerous().with_custom_certificate_verifier(witness).with_no_client_auth();
    client.config = Arc::new(old);
    for (minimum, accepted) in [(Version::Tls12, true), (Version::Tls13, false)] {
        let options = Options { minimum, ..Options::default() };
        let server = tls::server_config(&certificates, options).unwrap();
        assert_eq!(client.connect(&server, "a.example").is_ok(), accepted, "{minimum:?}");
    }
}

#[tokio::test]
async fn the_watch_sees_a_change_and_ends_when_it_is_told() {
    let folder = Folder::new();
    folder.make("a", &["a.example"], false);
    let certificates = folder.open(&["a"]);
    let (stopper, told) = shutdown();
    let period = Duration::from_millis(1);
    let clock = Arc::new(crate::base::clock::SystemClock);
    let events = (Arc::default(), clock as _);
    let watch = tokio::spawn(watch(("citizens", Arc::clone(&certificates)), period, events, told));
    let new = folder.make("a", &["a.example"], false);
    let seen = async {
        while given(&certificates, &BOTH, "a.example") != new {
            tokio::time::sleep(period).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), seen).await.unwrap();
    stopper.stop();
    tokio::time::timeout(Duration::from_secs(10), watch).await.unwrap().unwrap();
}
