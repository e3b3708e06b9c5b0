//! `brama print-config`: what a proxy in front needs, for the configuration at hand.
//!
//! 1. [`sketch`] reads from the configuration what such a proxy has to know: hosts, where to ask,
//!    where our own places are, and under which names an identity is told.
//! 2. Each kind of proxy has a file that writes it down in that proxy's words. What is printed can
//!    be used as it is, and the tests run the real proxies with it.
//! 3. Whatever a client could say in our place is taken away by a line of what is printed. Where a
//!    proxy cannot, the text says so.

mod apache;
mod caddy;
mod endpoint;
mod envoy;
mod haproxy;
mod kubernetes;
mod names;
mod nginx;
mod site;
mod sketch;
mod traefik;
mod trial;
mod yaml;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use self::envoy::Asks;
use self::sketch::{Error, Sketch};
use self::trial::Trial;
use crate::app::Settings;
use crate::cli::configuration::load;
use crate::cli::output::{complain, print};
use crate::companion::front::Front;

/// Exit status for wrong usage, as clap has it.
const USAGE: u8 = 2;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The proxy in front.
    #[arg(value_name = "PROXY")]
    proxy: Proxy,
    /// The configuration file of the gateway.
    #[arg(long, short, value_name = "FILE", default_value = crate::cli::configuration::PLACE)]
    config: PathBuf,
    /// Where the proxy finds the portal, as host and port.
    #[arg(long, value_name = "ADDRESS", default_value = "portal.internal:8080")]
    portal: String,
    /// Where the proxy finds the gateway's listener for citizens. Default: as the configuration
    /// has it.
    #[arg(long, value_name = "ADDRESS")]
    gateway: Option<String>,
    /// Where the proxy asks. Default: as `[[companion]]` has it.
    #[arg(long, value_name = "ADDRESS")]
    ask: Option<String>,
    /// Prints nothing, but asks through a proxy that runs, at this address, for what is tricky, and
    /// says which rule its configuration breaks. Exit status 1 when one is broken.
    #[arg(long, value_name = "URL")]
    test: Option<String>,
    /// Stands in the place of the portal during the test, to see what reaches it: the proxy must
    /// lead there.
    #[arg(long, value_name = "ADDRESS", requires = "test")]
    as_portal: Option<SocketAddr>,
    /// File with the session of a tester, as the browser's `Cookie` field has it. Only for a proxy
    /// that is told by https, or on this machine.
    #[arg(long, value_name = "FILE", requires = "test")]
    cookie_file: Option<PathBuf>,
    /// PEM file with the authority of the proxy's certificate. Default: those of the system.
    #[arg(long, value_name = "FILE", requires = "test")]
    ca: Option<PathBuf>,
    /// Prints the action in Lua that the configuration for `haproxy` calls.
    #[arg(long)]
    lua: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Proxy {
    /// nginx, Angie, OpenResty.
    Nginx,
    /// Traefik: the static configuration, and a file for its file provider.
    Traefik,
    /// Caddy: sites of a Caddyfile.
    Caddy,
    /// Envoy: `ext_authz` over HTTP.
    Envoy,
    /// Envoy: `ext_authz` over gRPC.
    EnvoyGrpc,
    /// `HAProxy`, with an action in Lua.
    Haproxy,
    /// Apache httpd, which asks nobody: it stands before the gateway.
    Apache,
    /// The Gateway API of Kubernetes: the filter `ExternalAuth`.
    GatewayApi,
    /// Envoy Gateway: `SecurityPolicy`.
    EnvoyGateway,
    /// Istio: `AuthorizationPolicy`.
    Istio,
    /// ingress-nginx: `auth-url`.
    IngressNginx,
}

impl Proxy {
    /// Returns as what it asks, when it does.
    fn front(self) -> Option<Front> {
        match self {
            Self::Nginx => Some(Front::Nginx),
            Self::Traefik => Some(Front::Traefik),
            Self::Caddy => Some(Front::Caddy),
            Self::Envoy | Self::GatewayApi | Self::EnvoyGateway | Self::Istio => Some(Front::Envoy),
            Self::EnvoyGrpc => Some(Front::EnvoyGrpc),
            Self::IngressNginx => Some(Front::IngressNginx),
            Self::Haproxy => Some(Front::Haproxy),
            Self::Apache => None,
        }
    }

    fn text(self, sketch: &Sketch) -> Result<String, Error> {
        match self {
            Self::Nginx => Ok(nginx::text(sketch)),
            Self::Traefik => traefik::text(sketch),
            Self::Caddy => Ok(caddy::text(sketch)),
            Self::Envoy => Ok(envoy::text(sketch, Asks::OverHttp)),
            Self::EnvoyGrpc => Ok(envoy::text(sketch, Asks::OverGrpc)),
            Self::Haproxy => Ok(haproxy::text(sketch)),
            Self::Apache => Ok(apache::text(sketch)),
            Self::GatewayApi => Ok(kubernetes::gateway_api::text(sketch)),
            Self::EnvoyGateway => Ok(kubernetes::envoy_gateway::text(sketch)),
            Self::Istio => Ok(kubernetes::istio::text(sketch)),
            Self::IngressNginx => Ok(kubernetes::ingress_nginx::text(sketch)),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let wrong = |message: String| {
        complain(format_args!("brama print-config: {message}"));
        ExitCode::from(USAGE)
    };
    if arguments.lua {
        return match arguments.proxy {
            Proxy::Haproxy => {
                print(haproxy::LUA);
                ExitCode::SUCCESS
            }
            _ => wrong("--lua is for haproxy".to_owned()),
        };
    }
    let settings = match load(&arguments.config) {
        (Some(settings), _) => settings,
        (None, problems) => return wrong(format!("the configuration is wrong\n{problems}")),
    };
    if let Some(url) = &arguments.test {
        return match test(arguments, url, &settings) {
            Ok(0) => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(message) => wrong(message),
        };
    }
    let given = sketch::Given {
        portal: &arguments.portal,
        gateway: arguments.gateway.as_deref(),
        ask: arguments.ask.as_deref(),
    };
    let sketch = match arguments.proxy.front() {
        Some(front) => match Sketch::of(&settings, front, given) {
            Ok(sketch) => sketch,
            Err(error) => return wrong(error.to_string()),
        },
        None => Sketch::before(&settings, given),
    };
    for warning in sketch.warnings() {
        complain(format_args!("warning: {warning}"));
    }
    match arguments.proxy.text(&sketch) {
        Ok(text) => print(text),
        Err(error) => return wrong(error.to_string()),
    }
    ExitCode::SUCCESS
}

/// Tests a proxy that runs, and returns how many rules it breaks.
fn test(arguments: &Arguments, url: &str, settings: &Settings) -> Result<usize, String> {
    let read = |path: &PathBuf| {
        fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
    };
    let authorities = arguments.ca.as_ref().map(read).transpose()?;
    let cookie = arguments.cookie_file.as_ref().map(read).transpose()?;
    let cookie = cookie.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    let trial = Trial {
        settings,
        url,
        as_portal: arguments.as_portal,
        cookie: cookie.as_deref(),
        authorities: authorities.as_deref(),
    };
    trial.run().map(|tally| tally.broken)
}
