//! Every message that the program signs, with each kind of key.

use brama::base::clock::Time;
use brama::base::encoding::base64;
use brama::identity::assurance::Assurance;
use brama::identity::attribute::Attribute;
use brama::saml::artifact::{self, Artifact};
use brama::saml::authn_request::{ServiceKind, Template};
use brama::saml::logout::{self, NodeSession};
use brama::simulator::answer::{self, Login};
use brama::simulator::kit::{Kit, Names, Role};
use brama::xml::keys::{Certificate, PrivateKey};
use brama::xml::signer::Signer;

pub(crate) const NODE: &str = "node.example";
pub(crate) const SERVICE: &str = "https://sp.example";

/// A signed message: its name, its text, and who signed it.
pub(crate) struct Message {
    pub(crate) name: String,
    pub(crate) xml: String,
    pub(crate) certificate: Certificate,
    /// How many signatures it has.
    pub(crate) signatures: usize,
}

pub(crate) fn now() -> Time {
    "2031-03-04T10:20:30Z".parse().unwrap()
}

pub(crate) fn kit() -> Kit {
    let hosts = ["localhost".to_owned()];
    Kit::make(Names { node: NODE, service: SERVICE, hosts: &hosts }, now()).unwrap()
}

/// A key of each kind that we sign with.
pub(crate) fn signers() -> Vec<(&'static str, PrivateKey, Certificate)> {
    [
        ("P-256", &rcgen::PKCS_ECDSA_P256_SHA256),
        ("P-384", &rcgen::PKCS_ECDSA_P384_SHA384),
        ("RSA", &rcgen::PKCS_RSA_SHA256),
    ]
    .into_iter()
    .map(|(name, algorithm)| {
        let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let key = PrivateKey::from_der(pair.serialized_der()).unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&pair).unwrap();
        (name, key, Certificate::from_der(certificate.der()).unwrap())
    })
    .collect()
}

/// Everything that we send, and everything that the simulator sends.
pub(crate) fn all() -> Vec<Message> {
    let mut messages = Vec::new();
    for (kind, key, certificate) in signers() {
        let signer = Signer::new(&key, certificate.clone()).unwrap();
        for (name, xml) in ours(&signer) {
            let name = format!("{name} with {kind}");
            messages.push(Message { name, xml, certificate: certificate.clone(), signatures: 1 });
        }
    }
    let kit = kit();
    let certificate = kit.pair(Role::NodeSigning).certificate().clone();
    let xml = String::from_utf8(node_answer(&kit)).unwrap();
    messages.push(Message { name: "ArtifactResponse".to_owned(), xml, certificate, signatures: 2 });
    messages
}

/// An answer of the simulated node that signs somebody in.
pub(crate) fn node_answer(kit: &Kit) -> Vec<u8> {
    let recipient = kit.pair(Role::ServiceEncryption).certificate().clone();
    let login = Login::example(NODE, SERVICE, &recipient);
    answer::build(&login, kit, &[], now()).unwrap()
}

fn ours(signer: &Signer) -> [(&'static str, String); 3] {
    let template = Template {
        issuer: SERVICE.to_owned(),
        provider_name: "Urząd & \"Spółka\" <Żółw>".to_owned(),
        kind: ServiceKind::Private,
        destination: "https://node.example/login/SingleSignOnService?a=1&b=2".to_owned(),
        acs: "https://portal.example/acs".to_owned(),
        required: Attribute::ALL[..3].to_vec(),
        optional: Attribute::ALL[3..].to_vec(),
        force_authn: false,
    };
    let artifact = Artifact::parse(&base64(&[4; 44])).unwrap();
    let session = NodeSession { name_id: "żółw & <x>", session_index: "_ID-1" };
    let to = "https://node.example/logout";
    [
        ("AuthnRequest", template.sign("ID-1", now(), Assurance::High, signer).unwrap()),
        ("ArtifactResolve", artifact::resolve(&artifact, "ID-2", now(), SERVICE, signer).unwrap()),
        ("LogoutRequest", logout::request(&session, "ID-3", now(), SERVICE, to, signer).unwrap()),
    ]
}
