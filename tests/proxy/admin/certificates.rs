//! Operators who show a certificate, over TLS.

use std::fs;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};

use super::{ANNA, plan};
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Plan};

/// An authority, and what it issues.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Writes a certificate for an e-mail address, with its key.
    fn issue(&self, gateway: &Gateway, file: &str, name: &str) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = vec![SanType::Rfc822Name(name.try_into().unwrap())];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
        fs::write(gateway.file(file), pem).unwrap();
    }
}

fn secured(authority: &Authority) -> Plan {
    let key = KeyPair::generate().unwrap();
    let listener = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let listener = listener.self_signed(&key).unwrap();
    plan()
        .file("operations.pem", &listener.pem())
        .file("operations.key", &key.serialize_pem())
        .file("operators-ca.pem", &authority.pem)
        .environment("BRAMA__OPERATIONS__CERTIFICATE", "operations.pem")
        .environment("BRAMA__OPERATIONS__KEY", "operations.key")
        .environment("BRAMA__OPERATIONS__CLIENT_CA_FILE", "operators-ca.pem")
        .environment("BRAMA__OPERATIONS__OPERATORS__1__CERTIFICATE_NAME", "jan@office.test")
}

/// Asks by curl; returns the status, 000 where there was none.
fn curl(gateway: &Gateway, path: &str, words: &[&str]) -> String {
    let url = format!("https://localhost:{}{path}", gateway.operations.port());
    let mut command = Command::new("curl");
    command.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]);
    command.arg("--cacert").arg(gateway.file("operations.pem")).args(words).arg(url);
    String::from_utf8(command.current_dir(gateway.file("")).output().unwrap().stdout).unwrap()
}

#[test]
fn an_operator_shows_a_certificate_and_nobody_elses_counts() {
    if !tools::has(&[Tool::Curl]) {
        return;
    }
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let gateway = secured(&ours).log("level = \"info\"").launch();
    ours.issue(&gateway, "jan.pem", "jan@office.test");
    ours.issue(&gateway, "maria.pem", "maria@office.test");
    theirs.issue(&gateway, "foreign.pem", "jan@office.test");
    super::until(|| curl(&gateway, "/readyz", &[]) == "200");
    let end = ["--json", "{\"all\":true}"];
    let anna = format!("Authorization: Bearer {ANNA}");
    for (path, words, expected) in [
        ("/healthz", &[][..], "200"),
        ("/keys", &[], "401"),
        ("/keys", &["--cert", "jan.pem"], "200"),
        ("/status", &["--cert", "jan.pem"], "200"),
        ("/keys", &["--cert", "maria.pem"], "401"),
        ("/keys", &["--cert", "foreign.pem"], "000"),
        ("/healthz", &["--cert", "foreign.pem"], "000"),
        ("/keys", &["--header", &anna], "200"),
        ("/sessions/end", &[&["--cert", "jan.pem"][..], &end].concat(), "200"),
        // The token counts, where both are shown.
        ("/sessions/end", &[&["--cert", "jan.pem", "--header", &anna][..], &end].concat(), "403"),
        // A page of another site, in the browser of who has the certificate.
        (
            "/sessions/end",
            &[&["--cert", "jan.pem", "--header", "Origin: https://evil.example"][..], &end]
                .concat(),
            "403",
        ),
        (
            "/sessions/end",
            &["--cert", "jan.pem", "--header", "Content-Type: text/plain", "--data", end[1]],
            "415",
        ),
    ] {
        assert_eq!(curl(&gateway, path, words), expected, "{path} {words:?}");
    }
    // Our commands take the certificate of the configuration, and no other.
    let (done, said) = gateway.command("keys", &["list"], "");
    assert!(done, "{said}");
    let (done, said) = gateway.command("healthcheck", &[], "");
    assert!(done, "{said}");
    let other = KeyPair::generate().unwrap();
    let other = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&other);
    let kept = fs::read(gateway.file("operations.pem")).unwrap();
    fs::write(gateway.file("operations.pem"), other.unwrap().pem()).unwrap();
    let (done, said) = gateway.command("healthcheck", &[], "");
    assert!(!done && said.contains("certificate"), "{said}");
    fs::write(gateway.file("operations.pem"), kept).unwrap();
    gateway.has_said(&["operator ended sessions", "\"jan\""]);
}
