//! The `xmlsec1` tool verifies what we sign, and we verify what it signs.

use std::fs;
use std::process::{Command, Output};

use brama::xml::keys::pem;
use brama::xml::scan::Limits;
use brama::xml::signature::{ReferenceStyle, TrustedCertificates, verify};
use brama::xml::signer::Signer;
use brama::xml::tree::Document;
use brama::xml::writer::Writer;

use crate::messages;
use crate::tools::{said, xmlsec1};

const NAMES: [&str; 5] =
    ["AuthnRequest", "ArtifactResolve", "LogoutRequest", "ArtifactResponse", "Response"];

fn with_ids(command: &mut Command) -> &mut Command {
    for name in NAMES {
        command.arg("--id-attr:ID").arg(format!("urn:oasis:names:tc:SAML:2.0:protocol:{name}"));
    }
    command
}

/// Verifies the n-th signature of a message, counted from one.
fn judge(xml: &str, certificate_pem: &str, signature: usize) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let (message, certificate) = (folder.path().join("m.xml"), folder.path().join("c.pem"));
    fs::write(&message, xml).unwrap();
    fs::write(&certificate, certificate_pem).unwrap();
    let mut command = Command::new("xmlsec1");
    command.arg("--verify").arg("--pubkey-cert-pem").arg(&certificate);
    // Only the key that is given, never the one that the message brings along.
    command.arg("--enabled-key-data").arg("key-name");
    command.arg("--node-xpath").arg(format!("(//*[local-name()='Signature'])[{signature}]"));
    with_ids(&mut command).arg(&message).output().unwrap()
}

#[test]
fn every_message_that_we_sign_verifies_with_xmlsec1() {
    if xmlsec1().is_none() {
        return;
    }
    for message in messages::all() {
        let certificate = pem("CERTIFICATE", message.certificate.der());
        for signature in 1..=message.signatures {
            let output = judge(&message.xml, &certificate, signature);
            assert!(output.status.success(), "{}: {}", message.name, said(&output));
        }
    }
}

#[test]
fn xmlsec1_refuses_what_was_changed_and_what_another_key_signed() {
    if xmlsec1().is_none() {
        return;
    }
    let all = messages::all();
    let (first, other) = (&all[0], &all[3]);
    let certificate = pem("CERTIFICATE", first.certificate.der());
    let changed = first.xml.replace("private", "public_");
    assert_ne!(changed, first.xml);
    assert!(!judge(&changed, &certificate, 1).status.success());
    let foreign = pem("CERTIFICATE", other.certificate.der());
    assert!(!judge(&first.xml, &foreign, 1).status.success());
}

#[test]
fn every_message_that_xmlsec1_signs_in_our_profile_verifies_with_us() {
    if xmlsec1().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (kind, key, certificate) in messages::signers() {
        let [key_file, certificate_file, template_file] =
            ["k.pem", "c.pem", "t.xml"].map(|name| folder.path().join(name));
        fs::write(&key_file, key.pem().expose()).unwrap();
        fs::write(&certificate_file, pem("CERTIFICATE", certificate.der())).unwrap();
        let signer = Signer::new(&key, certificate.clone()).unwrap();
        let trusted = TrustedCertificates::pin(vec![certificate]).unwrap();
        for name in NAMES {
            fs::write(&template_file, template(name, &signer)).unwrap();
            let mut command = Command::new("xmlsec1");
            let key = format!("{},{}", key_file.display(), certificate_file.display());
            command.arg("--sign").arg("--privkey-pem").arg(key);
            let output = with_ids(&mut command).arg(&template_file).output().unwrap();
            assert!(output.status.success(), "{kind} {name}: {}", said(&output));
            let signed = String::from_utf8(output.stdout).unwrap();
            verify_ours(&signed, &trusted).unwrap_or_else(|error| panic!("{kind} {name}: {error}"));

            // The tool writes other letters as references, so a plain value is changed.
            let changed = signed.replace("z=\"1\"", "z=\"3\"");
            assert_ne!(changed, signed);
            assert!(verify_ours(&changed, &trusted).is_err(), "{kind} {name}");
        }
    }
}

fn verify_ours(xml: &str, trusted: &TrustedCertificates) -> Result<(), String> {
    let document = Document::parse(xml.as_bytes(), &Limits::message(1 << 18))
        .map_err(|error| error.to_string())?;
    verify(&document, &[document.root()], trusted, ReferenceStyle::ById)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// A message with an empty signature of our profile, for the tool to fill in.
fn template(name: &str, signer: &Signer) -> String {
    let mut writer = Writer::new();
    let attributes = [
        ("xmlns:saml2p", "urn:oasis:names:tc:SAML:2.0:protocol"),
        ("xmlns:saml2", "urn:oasis:names:tc:SAML:2.0:assertion"),
        ("xmlns:xenc", "http://www.w3.org/2001/04/xmlenc#"),
        ("ID", "ID-1"),
        ("Note", "a\"b\u{9}c\nd"),
    ];
    writer.element(&format!("saml2p:{name}"), &attributes, |w| {
        w.text_element("saml2:Issuer", &[], "Żółw & <spółka>");
        signer.write_template(w, "ID-1");
        w.element("plain", &[("xmlns", "urn:other"), ("z", "1"), ("a", "2")], |w| {
            w.text_element("saml2:x", &[], "\u{1f422}\r");
        });
    });
    writer.finish()
}
