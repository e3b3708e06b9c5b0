//! The public keys, where a backend looks for them.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};

use crate::base::body::{self, Body};
use crate::cli::output::{complain, fail, serve};
use crate::server::listener::{self, Limits, Peer, Service, Socket};
use crate::wire::incoming::Incoming;

/// Where a gateway publishes its keys, and we ours.
pub(super) const KEYS_PATH: &str = "/.brama/jwks.json";
/// Where the keys of the attacker are found that some vectors point at.
pub(super) const ATTACKER_PATH: &str = "/attacker/jwks.json";

/// A port of loopback that is ours.
#[derive(Debug)]
pub(super) struct Bound {
    socket: Socket,
    port: u16,
}

/// The sets of keys (RFC 7517) that are served, as JSON.
#[derive(Debug)]
pub(super) struct KeySets {
    pub(super) published: String,
    /// With vectors only.
    pub(super) of_attacker: Option<String>,
}

impl Bound {
    pub(super) fn bind(port: u16) -> Result<Self, String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let named = |error: std::io::Error| {
            format!("port {port} cannot be used: {error}; give another one with --serve")
        };
        let socket = Socket::bind(address).map_err(named)?;
        let port = socket.address().map_err(named)?.port();
        Ok(Self { socket, port })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Serves the sets until the process is told to stop.
    pub(super) fn serve(self, sets: KeySets) -> ExitCode {
        complain(format_args!("keys are at http://localhost:{}{KEYS_PATH}", self.port));
        serve(async move |stop| match self.socket.into_listener().await {
            Ok(listener) => {
                let sets = Arc::new(sets);
                listener::serve(listener, None, sets, Limits::default(), stop).await;
                ExitCode::SUCCESS
            }
            Err(error) => fail(format_args!("port {}: {error}", self.port)),
        })
    }
}

impl Service for KeySets {
    type Said = Response<Body>;

    async fn call(&self, parts: Box<Parts>, _: Incoming, _peer: &Peer) -> Response<Body> {
        let set = match parts.uri.path() {
            KEYS_PATH => Some(&self.published),
            ATTACKER_PATH if self.of_attacker.is_some() => {
                complain("a backend fetches keys from where the token says: it believes anybody");
                self.of_attacker.as_ref()
            }
            _ => None,
        };
        let Some(set) = set else {
            let mut response = Response::new(body::full(format!("keys are at {KEYS_PATH}\n")));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        };
        let mut response = Response::new(body::full(set.clone()));
        let kind = HeaderValue::from_static("application/jwk-set+json");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }
}
