//! Python's `cryptography` opens what we seal, and we open what it seals: a thousand each way,
//! shared secrets with leading zeros and every algorithm among them.

use std::fs;
use std::process::Command;

use brama::simulator::kit::Role;
use brama::xml::decryption::{Parties, decrypt};
use brama::xml::encryption::{Content, Envelope, KeyWrap, encrypt};
use brama::xml::keys::DecryptionKey;
use brama::xml::scan::Limits;
use brama::xml::tree::Document;
use brama::xml::writer::Writer;
use serde_json::{Value, json};

use crate::messages::{NODE, SERVICE, kit};
use crate::tools::{python, run, said, script};

const COUNT: usize = 1000;
const PREFIXES: &str = "xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\" \
     xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" \
     xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" \
     xmlns:xenc11=\"http://www.w3.org/2009/xmlenc11#\" \
     xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\"";

#[test]
fn python_opens_what_we_seal() {
    let Some(python) = python() else { return };
    let kit = kit();
    let recipient = kit.pair(Role::ServiceEncryption);
    let wraps = [KeyWrap::Aes256, KeyWrap::Aes192, KeyWrap::Aes128];
    let contents = [Content::Aes256, Content::Aes128DeclaredAs256, Content::Aes128];
    let (mut lines, mut plains) = (String::new(), Vec::new());
    for n in 0..COUNT {
        let plain = format!("<a n=\"{n}\">Zażółć gęślą jaźń {}</a>", "x".repeat(n % 700));
        let envelope = Envelope {
            key_wrap: wraps[n % 3],
            content: contents[(n / 3) % 3],
            // The search for one takes some 256 agreements.
            leading_zero: n % 100 == 0,
            ..Envelope::new(recipient.certificate().public_key(), NODE, SERVICE)
        };
        let mut writer = Writer::new();
        encrypt(&mut writer, plain.as_bytes(), &envelope).unwrap();
        let alone = writer.finish().replacen(
            "<saml2:EncryptedAssertion",
            &format!("<saml2:EncryptedAssertion {PREFIXES}"),
            1,
        );
        lines.push_str(&json!({ "encrypted": alone }).to_string());
        lines.push('\n');
        plains.push(plain);
    }
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    fs::write(&key, recipient.key_pem().expose()).unwrap();
    let mut command = Command::new(python);
    command.arg(script("encryption.py")).arg("decrypt").arg("--key").arg(&key);
    let output = run(&mut command, lines.as_bytes());
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let opened: Vec<String> = text.lines().map(|line| field(line, "plain")).collect();
    assert_eq!(opened, plains);
}

#[test]
fn we_open_what_python_seals() {
    let Some(python) = python() else { return };
    let kit = kit();
    let recipient = kit.pair(Role::ServiceEncryption);
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("certificate.pem");
    fs::write(&certificate, recipient.certificate_pem()).unwrap();
    let mut command = Command::new(python);
    command.arg(script("encryption.py")).arg("encrypt");
    command.arg("--certificate-or-public-key").arg(&certificate);
    command.args(["--node-issuer", NODE, "--service-issuer", SERVICE, "--mixed"]);
    command.args(["--count", &COUNT.to_string(), "--leading-zero-z", "10"]);
    let output = run(&mut command, b"");
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let keys = [DecryptionKey::try_from(recipient.key()).unwrap()];
    let mut opened = 0;
    for line in text.lines() {
        let encrypted = field(line, "encrypted");
        let parties = Parties { node: Some(NODE), service: Some(SERVICE) };
        let plain = open(&encrypted, &keys, parties).unwrap_or_else(|| panic!("{encrypted}"));
        assert_eq!(plain, field(line, "plain"));
        // The twin refusal: it was sealed for this service provider and for no other.
        let other = Parties { node: Some(NODE), service: Some("https://other.example") };
        assert!(open(&encrypted, &keys, other).is_none());
        opened += 1;
    }
    assert_eq!(opened, COUNT);
}

fn open(xml: &str, keys: &[DecryptionKey], parties: Parties<'_>) -> Option<String> {
    let document = Document::parse(xml.as_bytes(), &Limits::message(1 << 18)).unwrap();
    let plain = decrypt(document.root(), keys, parties).ok()?;
    Some(String::from_utf8(plain.to_vec()).unwrap())
}

fn field(line: &str, name: &str) -> String {
    let value: Value = serde_json::from_str(line).unwrap();
    value[name].as_str().unwrap().to_owned()
}
