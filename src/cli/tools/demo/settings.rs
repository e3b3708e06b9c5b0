//! The settings of the demo's gateway, made from what the simulator hands out.

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;
use rustls::pki_types::CertificateDer;

use super::own::Own;
use super::portal::{APPLICATION, AUDIENCE, DECLARATION, PAYMENT, PROFILE};
use crate::app::inventory::{Dated, Use};
use crate::app::settings::{Fixed, Listen, Log};
use crate::app::{Settings, watch};
use crate::config::file::{File, HumanSize};
use crate::gate::action::{Action, Redirect};
use crate::gate::policy::{Access, Route};
use crate::gate::requirement::{Attribute as Quality, Requirement};
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::identity::claims::PersonalClaim;
use crate::identity::forms::signature::{MessageSignature, RingAlgorithm, SigningKey};
use crate::identity::release::Release;
use crate::identity::ways::Ways;
use crate::observe::{self, access};
use crate::proxy::upstream::{self, ServerAddress};
use crate::request::cookie::Cookies;
use crate::saml::authn_request::{ServiceKind, Template};
use crate::server::listener::{Limits, Socket};
use crate::server::tls::{self, Identity};
use crate::simulator::Simulator;
use crate::simulator::kit::{Kit, Role};
use crate::simulator::people::Way;
use crate::xml::keys::{self, DecryptionKey};
use crate::xml::signature::TrustedCertificates;
use crate::{flow, gateway, session};

/// What the demo's gateway calls itself towards the node.
pub(super) const ISSUER: &str = "portal.brama.localhost";
/// The name that was "agreed with the operator".
pub(super) const PROVIDER_NAME: &str = "Urząd Gminy Przykładowo";

/// All that can be told of a citizen.
const EVERYTHING: [PersonalClaim; 4] = [
    PersonalClaim::GivenName,
    PersonalClaim::FamilyName,
    PersonalClaim::Birthdate,
    PersonalClaim::Pesel,
];
/// How long the signature of a request is valid.
const SIGNED_FOR: Duration = Duration::from_secs(60);

/// The addresses of the demo's parts; all are on loopback.
pub(super) struct Addresses<'a> {
    pub(super) origin: &'a str,
    /// Of the small portal, or of one of the developer's own.
    pub(super) portal: ServerAddress,
    pub(super) own: Option<Own>,
    pub(super) gateway: Socket,
    pub(super) operations: Socket,
}

/// Why the settings cannot be made: a mistake of ours.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{0} is no address")]
    Address(String),
    #[error("a key of the simulator cannot be used: {0}")]
    Key(#[from] keys::Error),
    #[error("TLS towards the simulator: {0}")]
    Tls(#[from] tls::Error),
}

pub(super) fn gateway(
    simulator: &Simulator,
    addresses: Addresses<'_>,
    sessions: session::Settings,
) -> Result<Settings, Error> {
    let kit = simulator.kit();
    let parse = |text: &str| text.parse().map_err(|_| Error::Address(text.to_owned()));
    let prefix = "/.brama/".to_owned();
    let acs_path = format!("{prefix}acs");
    let file = File::default();
    let maximum_answer = size(file.node.max_answer);

    let authority = CertificateDer::from(kit.pair(Role::Authority).certificate().der().to_vec());
    let client = kit.pair(Role::ServiceTlsClient);
    let (certificate, key) = (client.certificate_pem(), client.key_pem());
    let identity = Identity { certificate: certificate.as_bytes(), key: key.expose().as_bytes() };
    let node_tls = tls::client(tls::root_store(&[authority])?, Some(identity))?;

    Ok(Settings {
        gateway: gateway::Settings {
            portal_name: PROVIDER_NAME.to_owned(),
            appearance: crate::pages::Appearance::default(),
            returns: gateway::settings::Returns::default(),
            language_place: "/.brama/language".to_owned(),
            origin: addresses.origin.to_owned(),
            others: Vec::new(),
            prefix,
            acs_path: acs_path.clone(),
            test_environment: Some("demo – symulator, nie login.gov.pl".to_owned()),
            cookies: Cookies::PLAIN,
            edge: gateway::settings::Edge::default(),
            maintenance: gateway::settings::Maintenance::default(),
            limits: gateway::limits::Settings::default(),
            outage: None,
            portal_cookies: Vec::new(),
            well_known: false,
        },
        listen: Listen {
            limits: Limits { drain_timeout: Duration::from_secs(2), ..Limits::default() },
            ..Listen::plain(addresses.gateway, addresses.operations)
        },
        flows: flows(simulator, &file, (addresses.origin, &acs_path))?,
        node: flow::node::Settings {
            resolve_url: parse(simulator.resolve_url())?,
            logout_url: Some(parse(simulator.logout_url())?),
            timeout: file.node.timeout.get(),
            maximum_waiting: file.node.max_waiting,
            waiting_timeout: file.node.waiting_timeout.get(),
            maximum_concurrent: file.node.max_concurrent,
            maximum_answer,
            client_certificate: None,
        },
        node_tls,
        session: sessions,
        routes: routes(addresses.origin, addresses.own.as_ref())?,
        upstreams: vec![upstream::Settings::new(AUDIENCE, vec![addresses.portal.into()])],
        token_lifetime: file.identity.token_lifetime.get(),
        ways: Ways::default(),
        key_rotation: file.identity.key_rotation.get(),
        signing_keys: Vec::new(),
        pairwise_secret: None,
        operators: Vec::new(),
        store: Default::default(),
        state_directory: None,
        traces: observe::traces::Settings::default(),
        log: Log {
            json: false,
            level: observe::Level::new("warn").expect("a level"),
            access: access::Settings::off(),
        },
        audit: None,
        watch: watch::Settings { certificates: certificates(&kit), ..Default::default() },
        fixed: Fixed::default(),
    })
}

/// Returns what is in use, by the keys that would name it. None comes from a file.
fn certificates(kit: &Kit) -> Vec<Dated> {
    let uses = [
        (Use::Signing, Role::ServiceSignature, "service.signing_certificate"),
        (Use::Client, Role::ServiceTlsClient, "node.client_certificate"),
        (Use::Node, Role::NodeSigning, "node.certificates[0]"),
        (Use::NodeCa, Role::Authority, "node.extra_ca_file"),
    ];
    let dated = |(used_for, role, key)| {
        Dated::new(used_for, key, PathBuf::new(), kit.pair(role).certificate())
    };
    uses.map(dated).to_vec()
}

fn flows(
    simulator: &Simulator,
    file: &File,
    (origin, acs_path): (&str, &str),
) -> Result<flow::Settings, Error> {
    let kit = simulator.kit();
    let node_certificate = kit.pair(Role::NodeSigning).certificate().clone();
    let encryption = DecryptionKey::try_from(kit.pair(Role::ServiceEncryption).key())?;
    Ok(flow::Settings {
        template: Template {
            issuer: ISSUER.to_owned(),
            provider_name: PROVIDER_NAME.to_owned(),
            kind: ServiceKind::Public,
            destination: simulator.sso_url().to_owned(),
            acs: format!("{origin}{acs_path}"),
            required: Attribute::ALL.to_vec(),
            optional: Vec::new(),
            force_authn: true,
        },
        sso_url: simulator.sso_url().to_owned(),
        logout_url: Some(simulator.logout_url().to_owned()),
        node_issuer: simulator.node_issuer().to_owned(),
        signer: kit.pair(Role::ServiceSignature).signer()?,
        decryption_keys: vec![encryption],
        trusted: TrustedCertificates::pin(vec![node_certificate])?,
        assurance: Assurance::Substantial,
        skew: file.service.clock_skew.get(),
        maximum_answer: size(file.node.max_answer),
        login_timeout: file.session.login_timeout.get(),
        maximum_pending: 10_000,
        keep_forms: size(file.session.keep_forms),
        other_person: flow::OtherPerson::Refuse,
        rooms: flow::room::Rooms::default(),
        keep_histories: Duration::from_secs(3600),
    })
}

fn size(size: HumanSize) -> usize {
    usize::try_from(size.bytes()).unwrap_or(usize::MAX)
}

/// The demo's routes. The portal is on `localhost`, and so are its cookies; a browser that comes by
/// the number of the same machine is sent there.
fn routes(origin: &str, own: Option<&Own>) -> Result<Vec<Route>, Error> {
    let mut routes = own.map_or_else(portal_routes, |own| vec![own_route(own)]);
    let release = Release::by_assertion(AUDIENCE, Vec::new());
    let number = routes.len();
    let by_number = Route::to_upstream(("127.0.0.1", "/"), Access::Public, 0, (number, release));
    let target = format!("{origin}{{path}}?{{query}}");
    let redirect = Redirect::parse(307, &target).map_err(|_| Error::Address(target))?;
    routes.push(Route { action: Action::Redirect(redirect), ..by_number });
    Ok(routes)
}

/// The one route to a portal of the developer's own.
fn own_route(own: &Own) -> Route {
    let (claims, forms) = (EVERYTHING.to_vec(), own.forms.clone());
    let release = Release { claims, forms, ..Release::by_assertion(AUDIENCE, Vec::new()) };
    let mut route = Route::to_upstream(("localhost", "/"), own.access.clone(), 0, (0, release));
    let signature = MessageSignature {
        key: SigningKey::Ring(RingAlgorithm::EcdsaP256Sha256),
        lifetime: SIGNED_FOR,
        audience: HeaderValue::from_static(AUDIENCE),
    };
    route.signature = own.is_signed.then_some(signature);
    route
}

fn portal_routes() -> Vec<Route> {
    use PersonalClaim::{Birthdate, FamilyName, GivenName};
    let everything = EVERYTHING.to_vec();
    let login = Requirement::level(Assurance::Substantial);
    let recent = Requirement { max_age: Some(Duration::from_secs(180)), ..login.clone() };
    let adults = Requirement { attributes: vec![Quality::Adult, Quality::Pesel], ..login.clone() };
    let by_profile =
        Requirement { authorities: vec![Way::TrustedProfile.authority().to_owned()], ..login };
    [
        ("/", Access::Optional, vec![GivenName, FamilyName]),
        ("/public", Access::Public, vec![]),
        ("/account", Access::level(Assurance::Substantial), everything.clone()),
        (APPLICATION, Access::level(Assurance::Substantial), everything.clone()),
        ("/certificate", Access::level(Assurance::High), everything.clone()),
        (PAYMENT, Access::Required(recent), everything.clone()),
        (DECLARATION, Access::Required(adults), everything.clone()),
        (PROFILE, Access::Required(by_profile), everything),
        ("/api", Access::level(Assurance::Substantial), vec![GivenName, FamilyName, Birthdate]),
    ]
    .into_iter()
    .enumerate()
    .map(|(release_number, (path, access, claims))| {
        let release = Release::by_assertion(AUDIENCE, claims);
        Route::to_upstream(("localhost", path), access, 0, (release_number, release))
    })
    .collect()
}
