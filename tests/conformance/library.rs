//! libxmlsec1, called in this process, verifies what we sign.

use brama::xml::keys::pem;
use libxml::parser::Parser;
use libxml::tree::Node;
use xmlsec::{XmlSecDocumentExt, XmlSecKey, XmlSecKeyFormat, XmlSecSignatureContext};

use crate::messages;

fn verify(xml: &str, certificate_pem: &str) -> Vec<bool> {
    let document = Parser::default().parse_string(xml).unwrap();
    document.specify_idattr("//*[@ID]", "ID", None).unwrap();
    let mut signatures = Vec::new();
    find(&document.get_root_element().unwrap(), &mut signatures);
    signatures
        .iter()
        .map(|signature| {
            let mut context = XmlSecSignatureContext::new();
            let certificate = certificate_pem.as_bytes();
            let key = XmlSecKey::from_memory(certificate, XmlSecKeyFormat::CertPem, None).unwrap();
            context.insert_key(key);
            context.verify_node(signature).unwrap_or(false)
        })
        .collect()
}

fn find(node: &Node, signatures: &mut Vec<Node>) {
    if node.get_name() == "Signature" {
        signatures.push(node.clone());
    }
    for child in node.get_child_elements() {
        find(&child, signatures);
    }
}

#[test]
fn every_message_that_we_sign_verifies_with_libxmlsec1() {
    for message in messages::all() {
        let certificate = pem("CERTIFICATE", message.certificate.der());
        let verdicts = verify(&message.xml, &certificate);
        assert_eq!(verdicts, vec![true; message.signatures], "{}", message.name);
    }
}

#[test]
fn libxmlsec1_refuses_what_was_changed() {
    let message = messages::all().pop().unwrap();
    let certificate = pem("CERTIFICATE", message.certificate.der());
    let changed = message.xml.replace("ID-request", "ID-Request");
    assert_eq!(verify(&changed, &certificate), [false, false]);
}
