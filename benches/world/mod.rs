//! What the benchmarks of logins and sessions need: keys, an answer of the node, and what it is
//! expected to say.

#![allow(dead_code, reason = "no benchmark needs all of it")]

use std::sync::Arc;
use std::time::Duration;

use brama::base::clock::{Clock, SystemClock, Time};
use brama::identity::assurance::Assurance;
use brama::identity::attribute::Attribute;
use brama::identity::claims::PairwiseSecret;
use brama::saml::authn_request::{ServiceKind, Template};
use brama::saml::expected::{Expected, Wrapping};
use brama::session::Settings;
use brama::session::sessions::Sessions;
use brama::simulator::answer::{self, Login};
use brama::simulator::kit::{Kit, Names, Role};
use brama::xml::keys::DecryptionKey;
use brama::xml::signature::TrustedCertificates;
use brama::xml::signer::Signer;

pub(crate) const NODE: &str = "node.example";
pub(crate) const SERVICE: &str = "https://sp.example";
pub(crate) const ACS: &str = "https://portal.example/acs";

pub(crate) struct World {
    pub(crate) kit: Kit,
    pub(crate) signer: Signer,
    pub(crate) template: Template,
    pub(crate) trusted: TrustedCertificates,
    pub(crate) keys: Vec<DecryptionKey>,
    pub(crate) expected: Expected,
    pub(crate) answer: Vec<u8>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) settings: Settings,
    pub(crate) now: Time,
}

impl World {
    pub(crate) fn new() -> Self {
        let now = SystemClock.now();
        let hosts = ["localhost".to_owned()];
        let kit = Kit::make(Names { node: NODE, service: SERVICE, hosts: &hosts }, now).unwrap();
        let recipient = kit.pair(Role::ServiceEncryption).certificate().clone();
        let login = Login::example(NODE, SERVICE, &recipient);
        let answer = answer::build(&login, &kit, &[], now).unwrap();
        let node = kit.pair(Role::NodeSigning).certificate().clone();
        let key = DecryptionKey::try_from(kit.pair(Role::ServiceEncryption).key()).unwrap();
        let settings = Settings {
            idle: Duration::from_secs(900),
            absolute: Duration::from_secs(28_800),
            maximum: 1_000_000,
            maximum_per_person: 0,
            grace: Duration::from_secs(300),
        };
        Self {
            signer: kit.pair(Role::ServiceSignature).signer().unwrap(),
            template: Template {
                issuer: SERVICE.to_owned(),
                provider_name: "Urząd".to_owned(),
                kind: ServiceKind::Public,
                destination: "https://node.example/login/SingleSignOnService".to_owned(),
                acs: ACS.to_owned(),
                required: Attribute::ALL.to_vec(),
                optional: vec![],
                force_authn: true,
            },
            trusted: TrustedCertificates::pin(vec![node]).unwrap(),
            keys: vec![key],
            expected: Expected {
                node: Some(NODE.to_owned()),
                service: Some(SERVICE.to_owned()),
                acs: Some(ACS.to_owned()),
                request_id: Some("ID-request".to_owned()),
                resolve_id: Some("ID-resolve".to_owned()),
                assurance: Some(Assurance::Low),
                fresh_since: None,
                required: Attribute::ALL.to_vec(),
                skew: Duration::from_secs(60),
                maximum_bytes: 256 * 1024,
                wrapping: Wrapping::Soap,
            },
            answer,
            kit,
            sessions: Sessions::in_memory(
                settings.clone(),
                PairwiseSecret::generate(),
                Arc::default(),
            ),
            settings,
            now,
        }
    }
}
