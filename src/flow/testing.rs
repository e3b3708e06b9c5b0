//! Flows for tests: the node is simulated, and what a browser does there is done in its place.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::begin::Begun;
use super::finish::Attempt;
use super::history::Pen;
use super::losing::Losing;
use super::node::{self, NodeClient};
use super::pending::{Origin, PendingLogin};
use super::return_to::ReturnTo;
use super::room::Rooms;
use super::{Flows, OtherPerson, Settings};
use crate::base::clock::{Clock as _, ManualClock, SystemClock};
use crate::base::network::Network;
use crate::gate::requirement::AuthnRequirement;
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::identity::claims::PairwiseSecret;
use crate::saml::artifact::Artifact;
use crate::saml::authn_request::{ServiceKind, Template};
use crate::server::listener::{ShutdownHandle, shutdown};
use crate::server::tls;
use crate::session::sessions::{Sessions, Sharing};
use crate::session::testing;
use crate::simulator::kit::{Kit, Names, Role};
use crate::simulator::{self, Control, MutualTls, Simulator};
use crate::store::seal::Sealer;
use crate::xml::keys::DecryptionKey;
use crate::xml::signature::TrustedCertificates;

const NODE: &str = "node.test";
const SERVICE: &str = "https://portal.test";
const ACS: &str = "https://portal.test/.brama/acs";

/// Flows with a node and a store that can be away.
pub(super) struct World {
    pub(super) flows: Arc<Flows>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) store: Arc<Losing>,
    pub(super) control: Control,
    sso: String,
    pages: String,
    _stopper: ShutdownHandle,
}

impl World {
    /// Begins with a simulated node.
    pub(super) fn begin() -> Self {
        Self::with(|_| {})
    }

    /// Begins after these changes of what a login needs to know.
    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        // TLS goes by the time of the machine.
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let names = Names { node: NODE, service: SERVICE, hosts: &[] };
        let kit = Arc::new(Kit::make(names, clock.now()).unwrap());
        let node = simulator::Settings {
            mutual_tls: MutualTls::Off,
            node_issuer: NODE.to_owned(),
            services: vec![kit.service(SERVICE, vec![ACS.to_owned()], None)],
            ..simulator::Settings::default()
        };
        let simulator = Simulator::bind_with(node, Arc::clone(&kit), clock.clone()).unwrap();
        let (stopper, stop) = shutdown();
        let (store, sealer) = (Losing::new(), Sealer::default());
        let sessions = testing::settings();
        let owners = PairwiseSecret::generate();
        let mut settings = settings(&kit, &simulator);
        change(&mut settings);
        let flows = Flows::new(
            settings,
            sessions.clone(),
            client(&kit, &simulator),
            Sessions::kept_in(
                store.clone(),
                Sharing::Alone,
                sealer.clone(),
                sessions,
                owners,
                Arc::default(),
            ),
            (store.clone(), sealer),
            clock.clone(),
        );
        let world = Self {
            flows: Arc::new(flows),
            clock,
            store,
            control: simulator.control(),
            sso: simulator.sso_url().to_owned(),
            pages: simulator.pages_origin().to_owned(),
            _stopper: stopper,
        };
        tokio::spawn(simulator.run(stop));
        world
    }

    /// Begins a login.
    pub(super) async fn login(&self) -> Begun {
        let requirement = AuthnRequirement { assurance: Assurance::Low, max_age: None };
        self.flows.begin(ReturnTo::front_page(), requirement, Origin::Own).await.unwrap()
    }

    /// Identifies at the node as a person; returns the artifact that comes of it.
    pub(super) async fn identify(&self, begun: &Begun, person: &str) -> Artifact {
        let (request, state) = (&*begun.saml_request, begun.relay_state.as_str());
        let page = post(&self.sso, &[("SAMLRequest", request), ("RelayState", state)]).await;
        let handle = between(&page, "name=\"transaction\" value=\"", "\"");
        let choose = format!("{}/login/choose", self.pages);
        let page = post(&choose, &[("transaction", handle), ("person", person)]).await;
        Artifact::parse(between(&page, "name=\"SAMLart\" value=\"", "\"")).unwrap()
    }

    /// Returns what the browser remembers of a login.
    pub(super) fn remembered(&self, begun: &Begun) -> PendingLogin {
        let text = begun.remembered.expose();
        PendingLogin::open(text, &self.flows.sealer, &begun.relay_state).unwrap()
    }
}

/// Returns what a browser brings that has all that it needs.
pub(super) fn attempt<'b>(
    begun: &'b Begun,
    ticket: &'b str,
    remembered: &'b PendingLogin,
) -> Attempt<'b> {
    Attempt {
        relay_state: &begun.relay_state,
        ticket: Some(ticket),
        begun: Some(remembered),
        earlier: None,
        network: network(),
        pen: &NO_PEN,
    }
}

/// Writes nothing.
static NO_PEN: Pen = Pen::none();

pub(super) fn network() -> Network {
    Network::of(std::net::Ipv4Addr::LOCALHOST.into(), 32, 56)
}

fn settings(kit: &Kit, simulator: &Simulator) -> Settings {
    let node = kit.pair(Role::NodeSigning).certificate().clone();
    let key = kit.pair(Role::ServiceEncryption).key();
    Settings {
        template: Template {
            issuer: SERVICE.to_owned(),
            provider_name: "Portal".to_owned(),
            kind: ServiceKind::Public,
            destination: simulator.sso_url().to_owned(),
            acs: ACS.to_owned(),
            required: Attribute::ALL.to_vec(),
            optional: Vec::new(),
            force_authn: false,
        },
        sso_url: simulator.sso_url().to_owned(),
        logout_url: Some(simulator.logout_url().to_owned()),
        node_issuer: NODE.to_owned(),
        signer: kit.pair(Role::ServiceSignature).signer().unwrap(),
        decryption_keys: vec![DecryptionKey::try_from(key).unwrap()],
        trusted: TrustedCertificates::pin(vec![node]).unwrap(),
        assurance: Assurance::Substantial,
        skew: Duration::from_secs(60),
        maximum_answer: 256 * 1024,
        login_timeout: Duration::from_secs(600),
        maximum_pending: 100,
        keep_forms: 0,
        other_person: OtherPerson::Refuse,
        rooms: Rooms::default(),
        keep_histories: Duration::from_secs(3600),
    }
}

fn client(kit: &Kit, simulator: &Simulator) -> NodeClient {
    let authority = kit.pair(Role::Authority).certificate_pem();
    let roots = tls::root_store(&tls::read_chain(authority.as_bytes()).unwrap()).unwrap();
    let settings = node::Settings {
        resolve_url: simulator.resolve_url().parse().unwrap(),
        logout_url: Some(simulator.logout_url().parse().unwrap()),
        timeout: Duration::from_secs(10),
        maximum_concurrent: 4,
        maximum_waiting: 0,
        waiting_timeout: Duration::from_secs(1),
        maximum_answer: 256 * 1024,
        client_certificate: None,
    };
    NodeClient::new(settings, tls::client(roots, None).unwrap())
}

pub(crate) async fn post(url: &str, fields: &[(&str, &str)]) -> String {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    let request = http::Request::post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form.finish())))
        .unwrap();
    let page = client.request(request).await.unwrap().into_body().collect().await.unwrap();
    String::from_utf8(page.to_bytes().to_vec()).unwrap()
}

pub(crate) fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("{start} in {text}"));
    rest.split_once(end).unwrap().0
}
