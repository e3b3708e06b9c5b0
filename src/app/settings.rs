//! The settings of the whole program: one part per module, none of which can be wrong.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::gate::policy::Route;
use crate::identity::claims::PairwiseSecret;
use crate::observe::access;
use crate::server::listener::Socket;
use crate::{flow, http, proxy, server, session};

/// Everything that a gateway is told.
pub struct Settings {
    /// What the doors know of the portal.
    pub http: http::Settings,
    /// Where it listens.
    pub listen: Listen,
    /// What a login needs.
    pub flows: flow::Settings,
    /// Where the node is.
    pub node: flow::node::Settings,
    /// How the node's TLS is verified, and our client certificate.
    pub node_tls: rustls::ClientConfig,
    /// How long sessions last.
    pub session: session::Settings,
    /// Who may go where.
    pub routes: Vec<Route>,
    /// The portals behind.
    pub upstreams: Vec<proxy::Settings>,
    /// How their TLS is verified.
    pub upstream_tls: rustls::ClientConfig,
    /// How long a signed identity lives.
    pub token_lifetime: Duration,
    /// How long a key signs identities.
    pub key_rotation: Duration,
    /// The secret behind the pseudonyms, when it is given.
    pub pairwise_secret: Option<PairwiseSecret>,
    /// Where keys are kept between runs.
    pub state_directory: Option<PathBuf>,
    /// How it logs.
    pub log: Log,
}

/// Where the gateway listens.
pub struct Listen {
    /// Plain HTTP.
    pub http: Option<Socket>,
    /// TLS.
    pub https: Option<(Socket, Arc<rustls::ServerConfig>)>,
    /// Health and readiness.
    pub operations: Socket,
    /// The bounds of all listeners.
    pub limits: server::listener::Limits,
}

/// How the program logs.
#[derive(Debug, Clone)]
pub struct Log {
    /// One JSON object a line instead of text for people.
    pub json: bool,
    /// A filter, such as `info` or `brama=debug`.
    pub level: String,
    /// How each request is noted.
    pub access: access::Settings,
}
