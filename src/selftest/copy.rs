//! A copy of the real configuration that touches nothing of the real gateway: no node, no store, no
//! state folder, no address that others reach. What was replaced is said, with the reason.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::app::Settings;
use crate::base::clock::Time;
use crate::base::foreign::Foreign;
use crate::base::{private, random};
use crate::config::file::{self, Acme};
use crate::config::{Loaded, Problems, resolve};
use crate::report::Text;
use crate::simulator::kit::{Kit, Role};

/// Files that stand in for those that cannot be read; gone when this goes.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

/// The copy.
pub(super) struct Copy {
    pub(super) settings: Settings,
    pub(super) remarks: Vec<Text>,
    /// Whether our own keys are the real ones.
    pub(super) keys: Keys,
    _folder: Folder,
}

/// Whether our own keys are those of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) is_real_signature: bool,
    pub(super) is_real_decryption: bool,
}

impl Folder {
    fn make() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("brama-selftest-{}", random::handle()));
        private::make_folder(&path)?;
        Ok(Self(path))
    }

    fn write(&self, name: &str, text: &str) -> std::io::Result<PathBuf> {
        let path = self.0.join(name);
        private::write(&path, text.as_bytes())?;
        // Paths of a configuration count from its folder, unless they are absolute.
        std::path::absolute(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in a folder for temporary files is keys of a simulator, and no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{0}")]
    Problems(Problems),
    #[error("files cannot be written to the folder for temporary files: {0}")]
    Folder(#[from] std::io::Error),
}

/// Makes the copy.
///
/// # Errors
/// When the configuration has errors of its own, or no files can be written.
pub(super) fn make(mut loaded: Loaded, kit: &Kit, now: Time) -> Result<Copy, Error> {
    if loaded.problems.has_errors() {
        return Err(Error::Problems(loaded.problems));
    }
    let folder = Folder::make()?;
    let mut copy = Copying { loaded: &mut loaded, kit, folder: &folder, remarks: Vec::new() };
    let keys = copy.own_keys()?;
    copy.node()?;
    copy.storage();
    copy.listeners();
    copy.others();
    let remarks = copy.remarks;
    match resolve(loaded, now) {
        (Some(settings), _) => Ok(Copy { settings, remarks, keys, _folder: folder }),
        (None, problems) => Err(Error::Problems(problems)),
    }
}

struct Copying<'c> {
    loaded: &'c mut Loaded,
    kit: &'c Kit,
    folder: &'c Folder,
    remarks: Vec<Text>,
}

impl Copying<'_> {
    fn can_read(&self, path: &Path) -> bool {
        File::open(self.loaded.resolve(path)).is_ok()
    }

    fn can_read_all<'p>(&self, paths: impl IntoIterator<Item = &'p PathBuf>) -> bool {
        paths.into_iter().all(|path| self.can_read(path))
    }

    fn say(&mut self, pl: impl Into<String>, en: impl Into<String>) {
        self.remarks.push(Text::new(pl.into(), en.into()));
    }

    /// Our keys stay if they can be read: then this proves the very files.
    fn own_keys(&mut self) -> Result<Keys, Error> {
        let service = self.loaded.file.service.clone();
        let signature = [&service.signing_certificate, &service.signing_key, &service.signing_p12]
            .into_iter()
            .chain([&service.signing_p12_password_file]);
        let is_real_signature = self.can_read_all(signature.flatten());
        let of_p12 = service.decryption_p12.iter();
        let of_p12 = of_p12.flat_map(|p12| [&p12.file, &p12.password_file]).flatten();
        let is_real_decryption = self.can_read_all(service.decryption_keys.iter().chain(of_p12));
        if !is_real_signature {
            let pair = self.kit.pair(Role::ServiceSignature);
            let certificate = self.folder.write("signing.pem", &pair.certificate_pem())?;
            let key = self.folder.write("signing.key", pair.key_pem().expose())?;
            let service = &mut self.loaded.file.service;
            service.signing_certificate = Some(certificate);
            service.signing_key = Some(key);
            (service.signing_p12, service.signing_p12_password_file) = (None, None);
            self.say(
                "Klucza podpisu usługi nie można odczytać, więc zastąpił go klucz na czas próby; pliki \
                 klucza i certyfikatu podpisu nie zostały sprawdzone.",
                "The service's signing key cannot be read, so a key for this examination stood in for \
                 it; the files of the signing key and certificate were not proved.",
            );
        }
        if !is_real_decryption {
            let pair = self.kit.pair(Role::ServiceEncryption);
            let key = self.folder.write("decryption.key", pair.key_pem().expose())?;
            let service = &mut self.loaded.file.service;
            (service.decryption_keys, service.decryption_p12) = (vec![key], Vec::new());
            self.say(
                "Klucza deszyfrującego usługi nie można odczytać, więc zastąpił go klucz na czas próby; \
                 plik tego klucza nie został sprawdzony.",
                "The service's decryption key cannot be read, so a key for this examination stood in \
                 for it; the file of that key was not proved.",
            );
        }
        Ok(Keys { is_real_signature, is_real_decryption })
    }

    /// What the real node is known by is looked at where it can be read, and not used: the simulator
    /// takes its place once everything is resolved.
    fn node(&mut self) -> Result<(), Error> {
        let node = self.loaded.file.node.clone();
        if !self.can_read_all(&node.certificates) || node.certificates.is_empty() {
            let certificate = placeholder().map_err(std::io::Error::other)?;
            let path = self.folder.write("node.pem", &certificate)?;
            self.loaded.file.node.certificates = vec![path];
            self.say(
                "Certyfikatu węzła nie można odczytać; jego plik nie został sprawdzony.",
                "The node's certificate cannot be read; its file was not proved.",
            );
        }
        let client = [&node.client_certificate, &node.client_key, &node.client_p12]
            .into_iter()
            .chain([&node.client_p12_password_file]);
        let can_read_client = self.can_read_all(client.flatten());
        if !can_read_client {
            self.say(
                "Klucza klienta TLS do węzła nie można odczytać; jego pliki nie zostały sprawdzone.",
                "The key of the TLS client towards the node cannot be read; its files were not proved.",
            );
        }
        let can_read_authority = self.can_read_all(&node.extra_ca_file);
        let node = &mut self.loaded.file.node;
        if !can_read_client {
            (node.client_certificate, node.client_key) = (None, None);
            (node.client_p12, node.client_p12_password_file) = (None, None);
        }
        if !can_read_authority {
            (node.extra_ca_file, node.system_roots) = (None, true);
        }
        if node.outage {
            node.outage = false;
            self.say(
                "Przerwa w działaniu węzła (node.outage) była ogłoszona; na czas próby ją wyłączono.",
                "An outage of the node (node.outage) was announced; it was off for the examination.",
            );
        }
        let landing = &mut self.loaded.file.pages.landing;
        if landing.enabled {
            landing.enabled = false;
            self.say(
                "Strona przed logowaniem (pages.landing) była włączona; na czas próby ją wyłączono.",
                "The page before the node (pages.landing) was on; it was off for the examination.",
            );
        }
        Ok(())
    }

    fn storage(&mut self) {
        if self.loaded.file.store.kind != file::StoreKind::Memory {
            self.say(
                "Sesje były przechowywane w pamięci, a nie w skonfigurowanym magazynie, aby go nie \
                 naruszyć.",
                "Sessions were kept in memory and not in the configured store, so that it is not \
                 touched.",
            );
        }
        self.loaded.file.store = file::Store::default();
        if self.loaded.file.portal.state_directory.take().is_some() {
            self.say(
                "Nie użyto katalogu stanu (portal.state_directory); klucze podpisu tożsamości powstały na \
                 czas próby.",
                "The state folder (portal.state_directory) was not used; the keys that sign identities \
                 were made for the examination.",
            );
        }
        let identity = self.loaded.file.identity.clone();
        let of_p12 = identity.signing_p12.iter();
        let of_p12 = of_p12.flat_map(|p12| [&p12.file, &p12.password_file]).flatten();
        let can_read = self.can_read_all(identity.signing_key_files.iter().chain(of_p12));
        if !can_read {
            self.loaded.file.identity.signing_key_files.clear();
            self.loaded.file.identity.signing_p12.clear();
            self.say(
                "Własnych kluczy podpisu tożsamości nie można odczytać; zastąpiły je klucze na czas próby.",
                "The keys of your own that sign identities cannot be read; keys for the examination \
                 stood in for them.",
            );
        }
        if !self.can_read_all(&identity.pairwise_secret_file) {
            self.loaded.file.identity.pairwise_secret_file = None;
            self.say(
                "Tajemnicy pseudonimów nie można odczytać; zastąpiła ją tajemnica na czas próby.",
                "The secret of the pseudonyms cannot be read; one for the examination stood in for it.",
            );
        }
    }

    fn listeners(&mut self) {
        let listen = self.loaded.file.listen.clone();
        let more =
            listen.certificates.iter().flat_map(|one| [&one.certificate, &one.key]).flatten();
        let files = [&listen.certificate, &listen.key].into_iter().flatten().chain(more);
        let has_own = listen.certificate.is_some() || !listen.certificates.is_empty();
        let can_read = self.can_read_all(files) && has_own;
        let listen = &mut self.loaded.file.listen;
        let ordered = listen.acme.directory.is_some();
        listen.acme = Acme::default();
        if listen.https.is_some() && !can_read {
            listen.https = None;
            listen.http = listen.http.or(Some(ANY));
            (listen.certificate, listen.key, listen.ocsp_staple) = (None, None, None);
            listen.certificates.clear();
            listen.hsts = None;
            let (pl, en) = if ordered {
                (
                    "Certyfikat portalu jest zamawiany automatycznie (ACME), więc",
                    "The portal's certificate is ordered by itself (ACME), so",
                )
            } else {
                (
                    "Certyfikatu lub klucza TLS portalu nie można odczytać, więc",
                    "The portal's TLS certificate or key cannot be read, so",
                )
            };
            self.say(
                format!("{pl} próba odbyła się bez TLS, jak za serwerem pośredniczącym."),
                format!("{en} the examination was made without TLS, as behind a proxy."),
            );
        }
        let listen = &mut self.loaded.file.listen;
        if listen.unix.take().is_some() && listen.http.is_none() && listen.https.is_none() {
            listen.http = Some(ANY);
        }
    }

    fn others(&mut self) {
        let file = &mut self.loaded.file;
        file.operations.admin_token_file = None;
        file.operations.operators = Vec::new();
        let operations = &mut file.operations;
        (operations.certificate, operations.key) = (None, None);
        operations.client_ca_file = None;
        (file.log, file.audit) = (file::Log::default(), file::Audit::default());
        let is_closed = std::mem::take(&mut file.portal.maintenance);
        let closed: Vec<_> = file
            .routes
            .iter_mut()
            .filter_map(|route| {
                std::mem::take(&mut route.maintenance)
                    .then(|| Foreign::new(&route.path).to_string())
            })
            .collect();
        if is_closed || !closed.is_empty() {
            let which = closed.join(", ");
            self.say(
                format!(
                    "Tryb prac (maintenance) był włączony; na czas próby go wyłączono. {which}"
                ),
                format!("Maintenance was switched on; it was off for the examination. {which}"),
            );
        }
        let upstreams = self.loaded.file.upstreams.clone();
        for (number, upstream) in upstreams.iter().enumerate() {
            let files =
                [&upstream.tls_ca_file, &upstream.tls_client_certificate, &upstream.tls_client_key];
            if !self.can_read_all(files.into_iter().flatten()) {
                let upstream = &mut self.loaded.file.upstreams[number];
                upstream.tls_ca_file = None;
                (upstream.tls_client_certificate, upstream.tls_client_key) = (None, None);
                let name = Foreign::new(upstream.name.as_deref().unwrap_or_default()).to_string();
                self.say(
                    format!(
                        "Plików TLS do portalu „{name}” nie można odczytać; nie zostały sprawdzone."
                    ),
                    format!(
                        "The files of TLS towards \"{name}\" cannot be read; they were not proved."
                    ),
                );
            }
        }
    }
}

/// A certificate that nobody has the key of: what is pinned until the simulator is.
fn placeholder() -> Result<String, rcgen::Error> {
    let mut params = rcgen::CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(rcgen::DnType::CommonName, "brama selftest");
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    Ok(params.self_signed(&rcgen::KeyPair::generate()?)?.pem())
}

/// Nothing is bound there: the socket is replaced by one that is bound on loopback.
const ANY: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
