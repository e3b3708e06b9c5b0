//! Gateway, simulator and portal, put together from a configuration file as an integrator would.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use brama::app::{App, Command, Settings};
use brama::base::clock::{Clock, ManualClock, SharedClock, SystemClock, Time};
use brama::config;
use brama::flow::Flows;
use brama::observe::access;
use brama::server::listener::{self, Limits, ShutdownHandle, Socket};
use brama::session::label::Why;
use brama::simulator::faults::Fault;
use brama::simulator::{self, Control, MutualTls, Simulator};
use http::StatusCode;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::browser::{Answer, Browser};
use super::portal::{Portal, Seen};

pub(crate) const ISSUER: &str = "https://sp.example.gov.pl";
pub(crate) const PROVIDER_NAME: &str = "Urząd Testowy";
pub(crate) const NODE: &str = "node.example.gov.pl";

/// The routes of a world that says nothing else.
const ROUTES: &str = "\
         [[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n\
         [[route]]\npath = \"/public\"\nupstream = \"portal\"\naccess = \"public\"\n\
         [[route]]\npath = \"/tax\"\nupstream = \"portal\"\naudience = \"tax\"\n\
         claims = [\"given_name\", \"family_name\", \"birthdate\", \"pesel\"]\n\
         [[route]]\npath = \"/health\"\nupstream = \"portal\"\naudience = \"health\"\n\
         assurance = \"high\"\nclaims = [\"given_name\"]\n";

/// A world to be. Starts with [`Builder::start`].
pub(crate) struct Builder {
    configuration: String,
    portal_lines: String,
    node_lines: Vec<(&'static str, &'static str)>,
    routes: String,
    /// The portals, when they have hosts of their own; the first is the registered one.
    hosts: Vec<String>,
    adjust: Box<dyn FnOnce(&mut Settings) + Send>,
}

/// Everything, running.
pub(crate) struct World {
    pub(crate) origin: String,
    portals: Vec<String>,
    gateway_address: SocketAddr,
    pub(crate) operations: String,
    pub(crate) clock: Arc<ManualClock>,
    control: Control,
    portal: Arc<Portal>,
    flows: Arc<Flows>,
    commands: mpsc::Sender<Command>,
    stopper: Option<ShutdownHandle>,
    gateway: Option<JoinHandle<()>>,
    _simulator_stopper: ShutdownHandle,
    folder: TempDir,
}

/// Starts to describe a world.
pub(crate) fn world() -> Builder {
    Builder {
        configuration: String::new(),
        portal_lines: String::new(),
        node_lines: Vec::new(),
        routes: ROUTES.to_owned(),
        hosts: Vec::new(),
        adjust: Box::new(|settings| settings.log.access = access::Settings::off()),
    }
}

impl Builder {
    /// Adds to the configuration file.
    pub(crate) fn with(mut self, toml: &str) -> Self {
        self.configuration.push_str(toml);
        self
    }

    /// Adds lines to the configuration's `[portal]` section.
    pub(crate) fn with_portal(mut self, lines: &str) -> Self {
        self.portal_lines.push_str(lines);
        self
    }

    /// Serves portals on hosts of their own, behind something that takes TLS off; the node knows
    /// the first.
    pub(crate) fn with_hosts(mut self, origins: &[&str]) -> Self {
        self.hosts = origins.iter().copied().map(str::to_owned).collect();
        self
    }

    /// Takes these routes in place of the usual ones.
    pub(crate) fn with_routes(mut self, toml: &str) -> Self {
        toml.clone_into(&mut self.routes);
        self
    }

    /// Replaces a line of the configuration's `[node]` section; an empty text takes it out.
    pub(crate) fn with_node(mut self, key: &'static str, line: &'static str) -> Self {
        self.node_lines.push((key, line));
        self
    }

    /// Changes the settings after they were read. The access log, which is off otherwise, is as
    /// the configuration has it.
    pub(crate) fn with_settings(
        mut self,
        adjust: impl FnOnce(&mut Settings) + Send + 'static,
    ) -> Self {
        self.adjust = Box::new(adjust);
        self
    }

    pub(crate) async fn start(self) -> World {
        let folder = tempfile::tempdir().unwrap();
        // TLS is verified by the real time, so the clock begins there.
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let shared: SharedClock = clock.clone();
        let loopback = || Socket::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let (gateway_socket, operations_socket, portal_socket) =
            (loopback(), loopback(), loopback());
        let gateway_address = gateway_socket.address().unwrap();
        let origin = format!("http://localhost:{}", gateway_address.port());
        let origin = self.hosts.first().cloned().unwrap_or(origin);

        let simulator = simulator(folder.path(), &origin, &shared);
        let control = simulator.control();
        let portal = Arc::new(Portal::default());
        let portal_address = portal_socket.address().unwrap();
        let text = configuration(&simulator, &origin, portal_address.port(), &self);
        let path = folder.path().join(FILE);
        fs::write(&path, text).unwrap();

        let mut settings = read(&path, clock.now());
        settings.listen.http = Some(gateway_socket);
        settings.listen.operations = operations_socket;
        (self.adjust)(&mut settings);

        let portals = self.hosts;
        let (stopper, stop) = listener::shutdown();
        let app = Box::pin(App::bind(settings, shared)).await.unwrap();
        let operations = format!("http://{}", app.operations_address().unwrap());
        let flows = app.flows();
        let (commands, told) = mpsc::channel(1);
        let gateway = tokio::spawn(app.run_with(stop, told));
        let (simulator_stopper, simulator_stop) = listener::shutdown();
        tokio::spawn(simulator.run(simulator_stop.clone()));
        let listener = portal_socket.into_listener().await.unwrap();
        let limits = Limits::default();
        tokio::spawn(listener::serve(listener, None, portal.clone(), limits, simulator_stop));
        waits_for_startup(&operations).await;
        World {
            origin,
            portals,
            gateway_address,
            operations,
            clock,
            control,
            portal,
            flows,
            commands,
            stopper: Some(stopper),
            gateway: Some(gateway),
            _simulator_stopper: simulator_stopper,
            folder,
        }
    }
}

/// Waits as an orchestrator does, since the workers may be slower than the first question.
async fn waits_for_startup(operations: &str) {
    let started = async {
        while Browser::new(operations).open("/startupz").await.status != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), started).await.expect("a gateway that starts");
}

impl World {
    /// Adds to the configuration file and has the gateway serve by it from now on, as SIGHUP does.
    pub(crate) async fn reload_with(&self, edit: impl FnOnce(String) -> String) {
        let path = self.folder.path().join(FILE);
        fs::write(&path, edit(fs::read_to_string(&path).unwrap())).unwrap();
        let settings = read(&path, self.clock.now());
        let (tell, told) = oneshot::channel();
        self.commands.send(Command::Apply(Box::new(settings), tell)).await.ok().unwrap();
        told.await.unwrap().unwrap();
    }

    /// Ends every session, as an operator would.
    pub(crate) async fn end_all_sessions(&self) -> usize {
        let sessions = &self.flows.sessions;
        let listed = sessions.list(None, None, 1000, self.clock.now()).await.unwrap().sessions;
        for seen in &listed {
            assert!(sessions.end(seen.key, Why::Operator, self.clock.now()).await.unwrap());
        }
        listed.len()
    }

    /// How many handles of logins the gateway remembers: of those that came to an end, whichever.
    pub(crate) async fn logins_remembered(&self) -> usize {
        self.flows.outcomes.count().await.unwrap()
    }

    /// How many artifacts the node was asked for.
    pub(crate) fn exchanges_with_the_node(&self) -> u64 {
        self.flows.node.exchanges().resolve.by_result().map(|(_, seen)| seen.count()).sum()
    }

    /// The metrics of the gateway.
    pub(crate) async fn metrics(&self) -> String {
        self.operations("/metrics").await.text
    }

    /// Asks the operations listener.
    pub(crate) async fn operations(&self, path: &str) -> Answer {
        Browser::new(&self.operations).open(path).await
    }

    /// How many wishes to be signed in at other hosts are kept, and how many bytes they count for.
    pub(crate) fn wishes_kept(&self) -> (usize, usize) {
        self.flows.handoff_requests.kept()
    }

    /// Waits until the gateway asks the node something.
    pub(crate) async fn asks_the_node(&self) {
        let asks = async {
            while self.flows.node.under_way() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), asks).await.expect("the node is asked");
    }

    /// The configuration file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    /// Where the gateway listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.gateway_address
    }

    /// Sends the gateway what is a request, or none, as it is written. Returns all that comes until
    /// the connection ends.
    pub(crate) async fn send(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.gateway_address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A browser without any cookie.
    pub(crate) fn browser(&self) -> Browser {
        if self.portals.is_empty() {
            return Browser::new(&self.origin);
        }
        Browser::of_portals(&self.portals, self.gateway_address)
    }

    /// The next login at the node goes wrong in this way.
    pub(crate) fn next_fault(&self, fault: Fault) {
        self.control.next(&[fault]);
    }

    /// From now on everything at the node goes wrong in this way.
    pub(crate) fn always_fault(&self, fault: Fault) {
        self.control.always(&[fault]);
    }

    /// What the simulator found wrong with the last message that it received.
    pub(crate) fn findings(&self) -> Vec<&'static str> {
        self.control.last_findings().unwrap_or_default()
    }

    /// The last request for a login that reached the node, as XML.
    pub(crate) fn last_authn_request(&self) -> String {
        self.control.last_authn_request().expect("a login was begun")
    }

    /// What reached the portal.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.portal.seen()
    }

    /// Forgets what reached the portal.
    pub(crate) fn forget_seen(&self) {
        self.portal.forget();
    }

    /// The last request that reached the portal.
    pub(crate) fn last_seen(&self) -> Seen {
        self.seen().pop().expect("something reached the portal")
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Tells the gateway to stop, as SIGTERM does.
    pub(crate) fn tell_to_stop(&mut self) {
        self.stopper.take().expect("told once").stop();
    }

    /// Waits until the gateway has stopped.
    pub(crate) async fn stopped(&mut self) {
        self.gateway.take().unwrap().await.unwrap();
    }
}

/// The configuration file.
const FILE: &str = "brama.toml";

fn read(path: &Path, now: Time) -> Settings {
    let loaded = config::load(path, std::iter::empty()).unwrap_or_else(|e| panic!("{e}"));
    let (settings, problems) = config::resolve(loaded, now);
    settings.unwrap_or_else(|| panic!("{problems}"))
}

fn simulator(folder: &Path, origin: &str, clock: &SharedClock) -> Simulator {
    let settings = simulator::Settings {
        mutual_tls: MutualTls::Required,
        node_issuer: NODE.to_owned(),
        service_issuer: ISSUER.to_owned(),
        directory: Some(folder.to_owned()),
        ..simulator::Settings::default()
    };
    let simulator = Simulator::bind(settings, clock.clone()).unwrap();
    let acs = vec![format!("{origin}/.brama/acs")];
    let service = simulator.kit().service(ISSUER, acs, Some(PROVIDER_NAME.to_owned()));
    simulator.control().register(service).unwrap();
    simulator
}

fn configuration(simulator: &Simulator, origin: &str, portal: u16, builder: &Builder) -> String {
    let (sso, resolve, logout) =
        (simulator.sso_url(), simulator.resolve_url(), simulator.logout_url());
    let mut node = vec![
        ("environment", "environment = \"custom\"".to_owned()),
        ("issuer", format!("issuer = \"{NODE}\"")),
        ("sso_url", format!("sso_url = \"{sso}\"")),
        ("resolve_url", format!("resolve_url = \"{resolve}\"")),
        ("logout_url", format!("logout_url = \"{logout}\"")),
        ("certificates", "certificates = [\"node-signing.crt.pem\"]".to_owned()),
        ("extra_ca_file", "extra_ca_file = \"ca.crt.pem\"".to_owned()),
        ("client_certificate", "client_certificate = \"service-tls-client.crt.pem\"".to_owned()),
        ("client_key", "client_key = \"service-tls-client.key.pem\"".to_owned()),
        ("timeout", "timeout = \"3s\"".to_owned()),
        ("system_roots", "system_roots = false".to_owned()),
        ("max_concurrent", "max_concurrent = 8".to_owned()),
        ("max_waiting", String::new()),
        ("waiting_timeout", String::new()),
        ("outage", "outage = false".to_owned()),
    ];
    for (key, line) in &builder.node_lines {
        let found = node.iter_mut().find(|(name, _)| name == key).expect("a line to replace");
        (*line).clone_into(&mut found.1);
    }
    let node: String = node.iter().map(|(_, line)| format!("{line}\n")).collect();
    let (more, routes) = (&builder.configuration, &builder.routes);
    let others = builder.hosts.get(1..).unwrap_or_default();
    let more_portal = format!("other_urls = {others:?}\n{}", builder.portal_lines);
    format!(
        "[portal]\nname = \"Portal Testowy\"\npublic_url = \"{origin}\"\n\
         state_directory = \"state\"\n{more_portal}\
         [listen]\nhttp = \"127.0.0.1:0\"\n\
         [node]\n{node}\
         [service]\nissuer = \"{ISSUER}\"\nprovider_name = \"{PROVIDER_NAME}\"\n\
         signing_certificate = \"service-sig.crt.pem\"\nsigning_key = \"service-sig.key.pem\"\n\
         decryption_keys = [\"service-enc.key.pem\"]\n\
         [[upstream]]\nname = \"portal\"\nurl = \"http://127.0.0.1:{portal}\"\n\
         response_timeout = \"5s\"\n\
         {routes}\n\
         {more}\n"
    )
}
