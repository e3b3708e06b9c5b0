//! `brama demo`: gateway, simulator and portal in one process, on loopback, without any file.
//!
//! The gateway's pages are on `localhost` and the simulator's on `127.0.0.1`: different sites, so
//! cookies behave between them as they do between a portal and the real node.

mod own;
mod portal;
mod portal_alone;
mod settings;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use self::own::{Own, OwnPortal};
use self::portal::{AUDIENCE, Portal};
pub(super) use self::portal_alone::{Arguments as PortalArguments, run as run_portal};
use self::settings::Addresses;
use crate::app::App;
use crate::base::clock::{SharedClock, SystemClock};
use crate::cli::output::{fail, print, serve};
use crate::config::file::{self, HumanDuration};
use crate::observe;
use crate::proxy::upstream::ServerAddress;
use crate::server::listener::{self, Limits, Shutdown, Socket};
use crate::session;
use crate::simulator::{self, MutualTls, Simulator};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The port of the gateway. Simulator, portal and operations take the ports after it; 0 takes
    /// any free ones.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// What to log: "info" shows every event, "warn" only refusals.
    #[arg(long, default_value = "warn", value_parser = observe::Level::new)]
    log: observe::Level,
    /// When a session ends in which nothing happens: "1m" shows soon what a citizen sees then.
    #[arg(long, default_value_t = file::Session::default().idle)]
    idle: HumanDuration,
    /// When a session ends at the latest.
    #[arg(long, default_value_t = file::Session::default().absolute)]
    absolute: HumanDuration,
    /// How many sessions one person may have at once; 0 for any number.
    #[arg(long, default_value_t = 0)]
    sessions_per_person: usize,
    #[command(flatten)]
    own: OwnPortal,
}

impl Arguments {
    fn sessions(&self) -> session::Settings {
        session::Settings {
            maximum_per_person: self.sessions_per_person,
            grace: file::Session::default().grace.get(),
            idle: self.idle.get(),
            absolute: self.absolute.get(),
            maximum: 10_000,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    if let Err(error) = observe::start(false, &arguments.log) {
        return fail(error);
    }
    let (port, sessions, own) = (arguments.port, arguments.sessions(), arguments.own.wanted());
    serve(move |stop| async move {
        match Box::pin(start(port, sessions, own, stop)).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(error),
        }
    })
}

/// Why the demo cannot start.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("port {port} cannot be used: {source}; give another one with --port")]
    Port { port: u16, source: std::io::Error },
    #[error("simulator cannot start: {0}")]
    Simulator(#[from] simulator::Error),
    #[error("simulator cannot serve: {0}")]
    Sockets(#[source] std::io::Error),
    #[error("gateway cannot start: {0}")]
    Gateway(#[from] crate::app::Error),
    #[error("demo cannot be put together: {0}")]
    Settings(#[from] settings::Error),
}

async fn start(
    port: u16,
    sessions: session::Settings,
    own: Option<Own>,
    stop: Shutdown,
) -> Result<(), Error> {
    let clock: SharedClock = Arc::new(SystemClock);

    // 1. Sockets first, so that each part knows the addresses of the others.
    let socket = |offset: u16| bind(if port == 0 { 0 } else { port.saturating_add(offset) });
    let (gateway, operations) = (socket(0)?, socket(4)?);
    let portal = if own.is_none() { Some(socket(3)?) } else { None };
    let address = |socket: &Socket| socket.address().map_or(0, |address| address.port());
    let gateway_port = address(&gateway);
    let portal_address = match (&own, &portal) {
        (Some(own), _) => own.address.clone(),
        (None, portal) => {
            let port = portal.as_ref().map_or(0, address);
            ServerAddress::Socket(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        }
    };
    let origin = format!("http://localhost:{gateway_port}");

    // 2. The simulator of the node, which knows the gateway as its service provider.
    let simulator_port = |offset: u16| {
        if port == 0 { 0 } else { port.saturating_add(offset) }
    };
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let settings = simulator::Settings {
        pages: loopback(simulator_port(1)),
        soap: loopback(simulator_port(2)),
        mutual_tls: MutualTls::Required,
        service_issuer: settings::ISSUER.to_owned(),
        ..simulator::Settings::default()
    };
    let simulator = Simulator::bind(settings, Arc::clone(&clock))?;
    let acs = format!("{origin}/.brama/acs");
    let service = simulator.kit().service(
        settings::ISSUER,
        vec![acs],
        Some(settings::PROVIDER_NAME.to_owned()),
    );
    simulator.control().register(service)?;

    // 3. The gateway, which trusts the simulator only because its settings say so.
    let (names, told) = (own.as_ref().map(|own| own.names.clone()), portal_address.to_string());
    let addresses = Addresses { origin: &origin, portal: portal_address, own, gateway, operations };
    let settings = settings::gateway(&simulator, addresses, sessions)?;
    let app = Box::pin(App::bind(settings, Arc::clone(&clock))).await?;

    // 4. The portal, which trusts the gateway's published keys and nothing else.
    let keys = format!("{origin}/.brama/jwks.json");
    let keys = keys.parse().map_err(|_| settings::Error::Address(keys))?;
    let listener = match portal {
        Some(portal) => {
            let port = address(&portal);
            Some(portal.into_listener().await.map_err(|source| Error::Port { port, source })?)
        }
        None => None,
    };
    let portal = async {
        if let Some(listener) = listener {
            let portal = Arc::new(Portal::new(origin.clone(), keys));
            listener::serve(listener, None, portal, Limits::default(), stop.clone()).await;
        }
    };

    introduce(&origin, simulator.pages_origin(), (names.as_deref(), &told), &app);
    let running = (app.run(stop.clone()), simulator.run(stop.clone()));
    let ((), simulator, ()) = tokio::join!(running.0, running.1, portal);
    simulator.map_err(Error::Sockets)
}

fn bind(port: u16) -> Result<Socket, Error> {
    Socket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .map_err(|source| Error::Port { port, source })
}

fn introduce(origin: &str, simulator: &str, (names, portal): (Option<&str>, &str), app: &App) {
    if let Some(names) = names {
        print(format_args!(
            "\
Brama demo: your portal at {portal}, the gateway in front of it, and a simulator of the national node.
Everything is on this machine, people are invented, and nothing is kept.

  Open in a browser      {origin}/
  Simulator of the node  {simulator}/
  Your portal is told    {names}
  Keys of the tokens     {origin}/.brama/jwks.json   (issuer {origin}, audience {AUDIENCE})

Ctrl-C ends it."
        ));
        return;
    }
    let operations = app.operations_address().map_or(String::new(), |a| a.to_string());
    print(format_args!(
        "\
Brama demo: a portal, the gateway in front of it, and a simulator of the national node.
Everything is on this machine, people are invented, and nothing is kept.

  Open in a browser      {origin}/
  Simulator of the node  {simulator}/
  Portal by itself       http://{portal}/   (believes nobody without a signature)
  Health                 http://{operations}/readyz

Try with curl:
  curl -i {origin}/account                                  # a program gets 401 and JSON
  curl -i -H 'Accept: text/html' {origin}/account           # a browser gets the way to the node
  curl -i -H 'X_Brama_Assertion: forged' {origin}/public    # an imitated identity is refused
  curl -s {origin}/.brama/jwks.json                         # the keys a backend checks with
  curl -s {simulator}/control/requests                      # what the node received, with faults

Ctrl-C ends it."
    ));
}
