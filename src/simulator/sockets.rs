//! The two listeners, and the handle by which a program drives the simulator.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Error;
use super::bounds::CONNECTIONS;
use super::endpoints::{Browser, Soap};
use super::faults::Fault;
use super::front::{self, Front, Schedule, TlsFault};
use super::kit::Kit;
use super::node::{Addresses, Equipment, Node};
use super::paths::{CONTROL_PATH, LOGOUT_PATH, RESOLVE_PATH, SSO_PATH};
use super::recording::{Recorder, Replay};
use super::registry;
use super::rollover::Rollover;
use super::roster::Roster;
use super::settings::{MutualTls, Service, Settings};
use super::state::MessageKind;
use crate::base::clock::SharedClock;
use crate::server::listener::{Limits, Shutdown, serve};

/// A simulator whose addresses are taken, so that they are known before it runs.
#[derive(Debug)]
pub struct Simulator {
    node: Arc<Node>,
    pages: TcpListener,
    soap: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
}

impl Simulator {
    /// Takes the addresses, and makes or reads keys and certificates.
    ///
    /// # Errors
    /// When an address is not loopback or cannot be had, or keys cannot be made, read or kept.
    pub fn bind(settings: Settings, clock: SharedClock) -> Result<Self, Error> {
        let hosts = settings.soap_hosts();
        let names = settings.names(&hosts);
        let now = clock.now();
        let directory = settings.directory.clone();
        let kit = match &directory {
            Some(directory) => Kit::load_or_make(directory, names, now)?,
            None => Kit::make(names, now)?,
        };
        Self::bind_in(settings, Arc::new(kit), directory, clock)
    }

    /// Takes the addresses; keys and certificates are given, and `directory` is not looked at.
    ///
    /// # Errors
    /// When an address is not loopback or cannot be had, or a certificate cannot be used.
    pub fn bind_with(settings: Settings, kit: Arc<Kit>, clock: SharedClock) -> Result<Self, Error> {
        Self::bind_in(settings, kit, None, clock)
    }

    /// The directory is where changed keys go.
    fn bind_in(
        settings: Settings,
        kit: Arc<Kit>,
        directory: Option<PathBuf>,
        clock: SharedClock,
    ) -> Result<Self, Error> {
        let equipment = equip(&settings, &clock)?;
        let front = Arc::clone(&equipment.front);
        let hosts = settings.soap_hosts();
        let wrong = kit.wrong_tls(settings.names(&hosts), clock.now())?;
        let tls = front::server(&kit, &wrong, settings.mutual_tls, &front)?;
        let mut services = match &settings.services_file {
            Some(path) => registry::read(path, &kit).map_err(Error::Sheet)?,
            None => Vec::new(),
        };
        let issuer = settings.node_issuer;
        let is_host = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
        if issuer.is_empty() || !issuer.chars().all(is_host) {
            return Err(Error::NodeIssuer(issuer));
        }
        let (pages, pages_address) = listen(settings.pages, settings.allow_remote)?;
        let (soap, soap_address) = listen(settings.soap, settings.allow_remote)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let origin = |public: Option<String>, scheme: &str, address: SocketAddr| {
            let origin = public.unwrap_or_else(|| format!("{scheme}://{address}"));
            origin.trim_end_matches('/').to_owned()
        };
        let pages_origin = origin(settings.public_pages_origin, "http", pages_address);
        let soap_origin = origin(settings.public_soap_origin, scheme, soap_address);
        let addresses = Addresses {
            sso: format!("{pages_origin}{SSO_PATH}"),
            resolve: format!("{soap_origin}{RESOLVE_PATH}"),
            logout: format!("{soap_origin}{LOGOUT_PATH}"),
            pages_origin,
        };
        let node = Node::new(issuer, addresses, Rollover::new(kit, directory), equipment, clock);
        services.extend(settings.services);
        for service in services {
            node.register(service)?;
        }
        Ok(Self { node: Arc::new(node), pages, soap, tls })
    }

    /// Returns the origin of the pages, such as `http://127.0.0.1:8080`.
    #[must_use]
    pub fn pages_origin(&self) -> &str {
        &self.node.addresses.pages_origin
    }

    /// Returns the address for `AuthnRequest`.
    #[must_use]
    pub fn sso_url(&self) -> &str {
        &self.node.addresses.sso
    }

    /// Returns the address for `ArtifactResolve`.
    #[must_use]
    pub fn resolve_url(&self) -> &str {
        &self.node.addresses.resolve
    }

    /// Returns the address for `LogoutRequest`.
    #[must_use]
    pub fn logout_url(&self) -> &str {
        &self.node.addresses.logout
    }

    /// Returns what the addresses of the control API begin with.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("{}{CONTROL_PATH}", self.pages_origin())
    }

    /// Returns the issuer of the simulated node.
    #[must_use]
    pub fn node_issuer(&self) -> &str {
        &self.node.issuer
    }

    /// Returns the keys and certificates.
    #[must_use]
    pub fn kit(&self) -> Arc<Kit> {
        self.node.keys.kit()
    }

    /// Returns a handle that works while the simulator runs.
    #[must_use]
    pub fn control(&self) -> Control {
        Control(Arc::clone(&self.node))
    }

    /// Serves until told to stop.
    ///
    /// # Errors
    /// When the sockets cannot be handed to the runtime.
    pub async fn run(self, stop: Shutdown) -> std::io::Result<()> {
        let pages = tokio::net::TcpListener::from_std(self.pages)?;
        let soap = tokio::net::TcpListener::from_std(self.soap)?;
        // Connections come by a relay, which can have them fail.
        let inner = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let inner_address = inner.local_addr()?;
        let front = Arc::clone(&self.node.equipment.front);
        let browser = Arc::new(Browser::new(Arc::clone(&self.node)));
        let services = Arc::new(Soap::new(self.node));
        let limits = Limits {
            connections: CONNECTIONS,
            // A fault may hold a connection for a minute; the end does not wait for that.
            drain_timeout: Duration::from_secs(1),
            ..Limits::default()
        };
        tokio::join!(
            serve(pages, None, browser, limits, stop.clone()),
            front::run(front, soap, inner_address, stop.clone()),
            serve(inner, self.tls, services, limits, stop),
        );
        Ok(())
    }
}

/// Drives a running simulator from the same program; others use the control API.
#[derive(Debug, Clone)]
pub struct Control(Arc<Node>);

impl Control {
    /// Registers a service provider, in place of one with the same issuer.
    ///
    /// # Errors
    /// When a certificate cannot be used, or there are too many service providers.
    pub fn register(&self, service: Service) -> Result<(), Error> {
        self.0.register(service)
    }

    /// Sets the faults of the next login.
    pub fn next(&self, faults: &[Fault]) {
        self.0.state().next = faults.to_vec();
    }

    /// Sets the faults of every login from now on.
    pub fn always(&self, faults: &[Fault]) {
        self.0.state().always = faults.to_vec();
    }

    /// Sets what is wrong with TLS of the SOAP listener from now on; open connections end.
    ///
    /// # Errors
    /// When it speaks no TLS.
    pub fn tls(&self, fault: Option<TlsFault>) -> Result<(), Error> {
        self.0.set_tls(fault)
    }

    /// Begins a schedule of the endpoint for artifacts, or ends the one that is.
    pub fn schedule(&self, schedule: Option<Schedule>) {
        self.0.equipment.front.set_schedule(schedule);
    }

    /// From now on the node answers an artifact as often as it is asked, or once again.
    pub fn repeat_answers(&self, wanted: bool) {
        self.0.state().repeats = wanted;
    }

    /// Returns the node itself, for what drives more than faults.
    pub(super) fn node(&self) -> Arc<Node> {
        Arc::clone(&self.0)
    }

    /// Returns the last `AuthnRequest` that came in, as XML.
    #[must_use]
    pub fn last_authn_request(&self) -> Option<String> {
        self.last(MessageKind::AuthnRequest)
    }

    /// Returns the last `ArtifactResolve` that came in, as XML.
    #[must_use]
    pub fn last_artifact_resolve(&self) -> Option<String> {
        self.last(MessageKind::ArtifactResolve)
    }

    fn last(&self, kind: MessageKind) -> Option<String> {
        let state = self.0.state();
        let mut received = state.received.iter().rev();
        received.find(|received| received.kind == kind).map(|received| received.xml.clone())
    }

    /// Returns the codes of what was wrong with the last message that came in; `None` when none
    /// came in yet.
    #[must_use]
    pub fn last_findings(&self) -> Option<Vec<&'static str>> {
        let state = self.0.state();
        let last = state.received.back()?;
        Some(last.findings.iter().map(super::check::Finding::code).collect())
    }
}

fn listen(address: SocketAddr, allow_remote: bool) -> Result<(TcpListener, SocketAddr), Error> {
    if !allow_remote && !address.ip().is_loopback() {
        return Err(Error::NotLoopback(address));
    }
    let bind = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bind().map_err(|source| Error::Bind { address, source })
}

/// Opens the files that the simulator works with.
fn equip(settings: &Settings, clock: &SharedClock) -> Result<Equipment, Error> {
    let roster = Roster::open(settings.persons.clone()).map_err(Error::Sheet)?;
    let replay = match &settings.replay {
        Some(folder) => Replay::open(folder).map_err(Error::Sheet)?,
        None => Replay::default(),
    };
    let recorder = match settings.record.clone() {
        Some(folder) => Some(
            Recorder::open(folder.clone()).map_err(|source| Error::Record { folder, source })?,
        ),
        None => None,
    };
    let front = Front::new(Arc::clone(clock), settings.tls_fault, settings.schedule.clone());
    let speaks_tls = settings.mutual_tls != MutualTls::Off;
    if !speaks_tls && settings.tls_fault.is_some() {
        return Err(Error::NoTls);
    }
    let is_watched = settings.is_watched;
    Ok(Equipment { roster, recorder, replay, front: Arc::new(front), speaks_tls, is_watched })
}
