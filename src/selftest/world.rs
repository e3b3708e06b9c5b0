//! Gateway, simulated node and what stands in for portals, in one process on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use tokio::task::JoinHandle;
use url::Url;

use super::clock::MovedClock;
use super::copy::{self, Copy, Keys};
use super::facts::Facts;
use super::registered::{self, Encryption};
use super::served;
use super::stand_in::{Notes, StandIn};
use crate::app::{App, Settings};
use crate::base::clock::{Clock, SharedClock};
use crate::base::foreign::Foreign;
use crate::browser;
use crate::browser::settings::{Reach, Way};
use crate::config::{Loaded, Problems};
use crate::gate::action::{Action, Forward};
use crate::observe::access;
use crate::proxy::upstream::{self, ServerAddress};
use crate::report::Text;
use crate::request::networks::Networks;
use crate::server::listener::{self, Limits, ShutdownHandle, Socket};
use crate::server::tls::{self, Identity};
use crate::simulator::kit::{Kit, Role};
use crate::simulator::{self, Control, Service, Simulator};
use crate::xml::signature::TrustedCertificates;

/// What is examined, running.
pub(super) struct World {
    pub(super) facts: Facts,
    pub(super) clock: Arc<MovedClock>,
    pub(super) control: Control,
    pub(super) notes: Notes,
    pub(super) browser: Arc<browser::Settings>,
    pub(super) keys: Keys,
    pub(super) encryption: Option<Encryption>,
    pub(super) remarks: Vec<Text>,
    /// The registration that surely fits.
    service: Service,
    stoppers: Vec<ShutdownHandle>,
    running: Vec<JoinHandle<()>>,
}

/// Why the examination cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// The configuration has errors, which `brama check` tells as well.
    #[error("the configuration has errors, so there is nothing to examine yet:\n{0}")]
    Configuration(Problems),
    /// Nothing can be written to the folder for temporary files.
    #[error("files cannot be written to the folder for temporary files")]
    Folder(#[source] std::io::Error),
    /// No address of loopback can be had.
    #[error("no port can be had on loopback")]
    Socket(#[source] std::io::Error),
    /// A key or certificate of ours cannot be told to the simulator.
    #[error("{0}")]
    Key(String),
    /// The simulator does not start.
    #[error("the simulator cannot start")]
    Simulator(#[from] simulator::Error),
    /// The gateway does not start.
    #[error("the gateway cannot start")]
    Gateway(#[from] crate::app::Error),
    /// TLS towards the simulator, or of the browser.
    #[error("TLS of the examination cannot be set up")]
    Tls(#[from] tls::Error),
    /// TLS of the browser.
    #[error("TLS of the examination cannot be set up")]
    Rustls(#[from] rustls::Error),
}

impl From<copy::Error> for Unready {
    fn from(error: copy::Error) -> Self {
        match error {
            copy::Error::Problems(problems) => Self::Configuration(problems),
            copy::Error::Folder(error) => Self::Folder(error),
        }
    }
}

impl World {
    /// Starts everything, with the portals that are configured or with what stands in for them.
    ///
    /// # Errors
    /// When the configuration has errors, or a part does not start.
    pub(super) async fn start(
        loaded: Loaded,
        certificate: Option<&std::path::Path>,
        with_portal: bool,
    ) -> Result<Self, Unready> {
        let clock = Arc::new(MovedClock::default());
        let shared: SharedClock = clock.clone();
        // 1. The node, which has the name of the real one, and keys of its own.
        let file = &loaded.file;
        let issuer = file.service.issuer.clone().unwrap_or_else(|| "service".to_owned());
        let node_issuer = node_issuer(&loaded);
        let named = simulator::Settings {
            node_issuer,
            service_issuer: issuer,
            // What our own keys sign is for nobody else on this machine.
            is_watched: false,
            ..simulator::Settings::default()
        };
        let hosts = named.soap_hosts();
        let kit = Kit::make(named.names(&hosts), clock.now()).map_err(simulator::Error::from)?;
        let kit = Arc::new(kit);
        let simulator = Simulator::bind_with(named, Arc::clone(&kit), Arc::clone(&shared))?;

        // 2. The copy of the configuration, and what the operator has of us.
        let found = registered::encryption(&loaded, certificate);
        let Copy { mut settings, mut remarks, keys, .. } = copy::make(loaded, &kit, clock.now())?;
        let encryption = match (keys.is_real_decryption, found) {
            (false, _) => {
                remarks.extend(certificate.map(|_| said_of_certificate()));
                None
            }
            (true, Ok(found)) => Some(found),
            (true, Err(error)) => return Err(Unready::Key(Foreign::new(&error).to_string())),
        };
        let service = service(&settings, &kit, encryption.as_ref());
        simulator.control().register(service.clone())?;

        // 3. Sockets of our own, and the node and the portals in their places.
        replace_node(&mut settings, &simulator)?;
        let notes = Notes::default();
        let stand_ins = stand_in(&mut settings, &notes, with_portal).map_err(Unready::Socket)?;
        remarks.extend(said_of_portals(with_portal));
        let address = listen(&mut settings).map_err(Unready::Socket)?;
        let facts = Facts::of(&settings, with_portal);
        let browser = browser_settings(&mut settings, &facts, address, simulator.pages_origin())?;
        let control = simulator.control();

        // 4. All of it runs.
        let app = Box::pin(App::bind(settings, shared)).await?;
        let (stopper, stop) = listener::shutdown();
        let (simulator_stopper, simulator_stop) = listener::shutdown();
        let mut running = vec![tokio::spawn(app.run(stop))];
        for (socket, portal) in stand_ins {
            let listener = socket.into_listener().await.map_err(Unready::Socket)?;
            let stop = simulator_stop.clone();
            let limits = Limits { drain_timeout: SOON, ..Limits::default() };
            running.push(tokio::spawn(async move {
                listener::serve(listener, None, Arc::new(portal), limits, stop).await;
            }));
        }
        running.push(tokio::spawn(async move { drop(simulator.run(simulator_stop).await) }));
        let (browser, stoppers) = (Arc::new(browser), vec![stopper, simulator_stopper]);
        Ok(Self {
            facts,
            clock,
            control,
            notes,
            browser,
            keys,
            encryption,
            remarks,
            service,
            stoppers,
            running,
        })
    }

    /// Registers another certificate to encrypt to, as the operator would; `None` is the fitting one
    /// again.
    pub(super) fn encrypt_to(&self, found: Option<&crate::xml::keys::Certificate>) -> bool {
        let mut service = self.service.clone();
        if let Some(found) = found {
            service.encryption = found.clone();
        }
        self.control.register(service).is_ok()
    }

    /// Ends everything.
    pub(super) async fn stop(self) {
        for stopper in self.stoppers {
            stopper.stop();
        }
        for running in self.running {
            let _ = running.await;
        }
    }
}

/// The name of the real node, so that the configuration's own is proved.
fn node_issuer(loaded: &Loaded) -> String {
    let node = &loaded.file.node;
    let preset = crate::config::presets::preset(node.environment);
    let issuer = node.issuer.clone().or_else(|| preset.map(|preset| preset.host.to_owned()));
    let is_host = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    issuer
        .filter(|issuer| !issuer.is_empty() && issuer.chars().all(is_host))
        .unwrap_or_else(|| simulator::Settings::default().node_issuer)
}

/// We as the operator knows us.
fn service(settings: &Settings, kit: &Kit, encryption: Option<&Encryption>) -> Service {
    let template = &settings.flows.template;
    let fitting = encryption.map(|encryption| encryption.fitting.clone());
    Service {
        issuer: template.issuer.clone(),
        acs: vec![template.acs.clone()],
        provider_name: Some(template.provider_name.clone()),
        signing: vec![settings.flows.signer.certificate().clone()],
        encryption: fitting
            .unwrap_or_else(|| kit.pair(Role::ServiceEncryption).certificate().clone()),
    }
}

/// Nothing of this process can reach the real node from here on.
fn replace_node(settings: &mut Settings, simulator: &Simulator) -> Result<(), Unready> {
    let kit = simulator.kit();
    let parse =
        |text: &str| text.parse().map_err(|_| Unready::Key(format!("{text} is no address")));
    let flows = &mut settings.flows;
    flows.template.destination = simulator.sso_url().to_owned();
    flows.sso_url = simulator.sso_url().to_owned();
    flows.node_issuer = simulator.node_issuer().to_owned();
    let pinned = vec![kit.pair(Role::NodeSigning).certificate().clone()];
    flows.trusted =
        TrustedCertificates::pin(pinned).map_err(|error| Unready::Key(error.to_string()))?;
    settings.node.resolve_url = parse(simulator.resolve_url())?;
    if flows.logout_url.is_some() {
        flows.logout_url = Some(simulator.logout_url().to_owned());
        settings.node.logout_url = Some(parse(simulator.logout_url())?);
    }
    settings.node.client_certificate = None;
    settings.node.timeout = settings.node.timeout.min(NODE_TIMEOUT);
    let authority = CertificateDer::from(kit.pair(Role::Authority).certificate().der().to_vec());
    let client = kit.pair(Role::ServiceTlsClient);
    let (certificate, key) = (client.certificate_pem(), client.key_pem());
    let identity = Identity { certificate: certificate.as_bytes(), key: key.expose().as_bytes() };
    settings.node_tls = tls::client(tls::root_store(&[authority])?, Some(identity))?;
    Ok(())
}

/// Puts a stand-in in the place of each upstream, unless the real ones are asked; and one behind
/// routes whose requests a proxy in front hands on, since there is none here.
fn stand_in(
    settings: &mut Settings,
    notes: &Notes,
    with_portal: bool,
) -> std::io::Result<Vec<(Socket, StandIn)>> {
    let real = settings.upstreams.len();
    let is_permit = |action: &Action| matches!(action, Action::Permit);
    if settings.routes.iter().any(|route| is_permit(&route.action)) {
        settings.upstreams.push(upstream::Settings::new("companion", Vec::new()));
        for route in settings.routes.iter_mut().filter(|route| is_permit(&route.action)) {
            route.action = Action::Forward(Forward::to(real));
        }
    }
    let mut stand_ins = Vec::new();
    let first = if with_portal { real } else { 0 };
    for upstream in &mut settings.upstreams[first..] {
        let socket = Socket::bind(LOOPBACK)?;
        let address = ServerAddress::Socket(socket.address()?);
        *upstream = upstream::Settings::new(upstream.name.clone(), vec![address.into()]);
        let portal = StandIn { upstream: upstream.name.clone(), notes: notes.clone() };
        stand_ins.push((socket, portal));
    }
    Ok(stand_ins)
}

/// Binds ports of loopback in the place of all that others reach.
fn listen(settings: &mut Settings) -> std::io::Result<SocketAddr> {
    let socket = Socket::bind(LOOPBACK)?;
    let address = socket.address()?;
    let listen = &mut settings.listen;
    match &mut listen.https {
        Some(https) => (https.socket, listen.http) = (socket, None),
        None => listen.http = Some(socket),
    }
    (listen.unix, listen.redirect) = (None, None);
    listen.companions.clear();
    listen.operations = Socket::bind(LOOPBACK)?;
    listen.proxy_protocol_from.clear();
    (listen.workers, listen.limits.drain_delay) = (1, Duration::ZERO);
    listen.limits.drain_timeout = SOON;
    settings.log.access = access::Settings::off();
    Ok(address)
}

/// How the browser finds the gateway and the node, and nothing else.
fn browser_settings(
    settings: &mut Settings,
    facts: &Facts,
    gateway: SocketAddr,
    node: &str,
) -> Result<browser::Settings, Unready> {
    let has_tls = settings.listen.https.is_some();
    let is_behind = !settings.listen.trusted_proxies.is_empty();
    let mut reach = Vec::new();
    for origin in facts.origins() {
        let way = if has_tls || origin.scheme() == "http" && !is_behind {
            Way::AsAddressed
        } else {
            Way::Behind(forwarded(settings, origin))
        };
        reach.push(found_at(origin, gateway, way));
    }
    if !has_tls && is_behind {
        let loopback = SocketAddr::ip(&gateway).into();
        settings.listen.trusted_proxies.push(loopback);
        settings.gateway.edge.trusted = Networks::new(settings.listen.trusted_proxies.clone());
    }
    if let Ok(node) = Url::parse(node)
        && let Some(address) = node.socket_addrs(|| None).ok().and_then(|all| all.first().copied())
    {
        reach.push(found_at(&node, address, Way::AsAddressed));
    }
    let tls = has_tls.then(served::client).transpose()?.map(Arc::new);
    Ok(browser::Settings { tls, reach, is_confined: true, ..browser::Settings::default() })
}

fn found_at(url: &Url, address: SocketAddr, way: Way) -> Reach {
    let host = url.host_str().unwrap_or_default().to_owned();
    Reach { host, port: url.port_or_known_default().unwrap_or_default(), address, way }
}

/// What a proxy in front that is trusted says, as far as it is believed.
fn forwarded(settings: &Settings, origin: &Url) -> Vec<(HeaderName, HeaderValue)> {
    let believed = settings.listen.trusted_for;
    if settings.listen.trusted_proxies.is_empty() {
        return Vec::new();
    }
    let scheme = HeaderValue::try_from(origin.scheme()).ok();
    let host = HeaderValue::try_from(origin.authority()).ok();
    let address = Some(HeaderValue::from_static(CLIENT));
    [
        (believed.scheme, "x-forwarded-proto", scheme),
        (believed.host, "x-forwarded-host", host),
        (believed.address, "x-forwarded-for", address),
    ]
    .into_iter()
    .filter(|(is_believed, ..)| *is_believed)
    .filter_map(|(_, name, value)| Some((HeaderName::from_static(name), value?)))
    .collect()
}

fn said_of_certificate() -> Text {
    Text::new(
        "Wskazany certyfikat klucza deszyfrującego nie został sprawdzony, bo samego klucza nie można \
         odczytać.",
        "The certificate that was named for the decryption key was not proved, since the key itself \
         cannot be read.",
    )
}

fn said_of_portals(with_portal: bool) -> Vec<Text> {
    let node = Text::new(
        "Rolę Węzła Krajowego pełnił symulator z własnymi kluczami; rzeczywisty węzeł nie otrzymał \
         żadnego żądania.",
        "A simulator with keys of its own stood in for the national node; the real node received no \
         request.",
    );
    let portal = if with_portal {
        Text::new(
            "Żądania trafiały do rzeczywistych portali; oceniano tylko to, że odpowiedzi nadeszły, a nie ich \
             treść.",
            "Requests went to the real portals; their answers were not judged beyond that they came.",
        )
    } else {
        Text::new(
            "Zamiast portali działały proste serwery, które zapisywały, co do nich dotarło; \
             rzeczywiste portale nie otrzymały żadnego żądania.",
            "Small servers stood in for the portals and wrote down what reached them; the real portals \
             received no request.",
        )
    };
    let rest = Text::new(
        "Badana Brama działała na osobnych portach tego komputera; Brama, która na nim pracuje, jej \
         sesje i pliki pozostały nienaruszone. Upływ czasu był symulowany, a czas oczekiwania na węzeł skrócony do \
         najwyżej 3 s.",
        "The gateway ran on ports of its own on this machine; a running gateway, its sessions and files \
         were not touched. The passing of time was simulated, and the wait for the node was cut to 3 s \
         at the most.",
    );
    vec![node, portal, rest]
}

/// An address of the documentation (RFC 5737) for the citizen behind a proxy.
const CLIENT: &str = "192.0.2.10";
/// How long the simulated node is waited for: longer than its slowest right answer takes.
const NODE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the end of a listener may take.
const SOON: Duration = Duration::from_secs(1);
const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
