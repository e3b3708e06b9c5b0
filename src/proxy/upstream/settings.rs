//! What is told about one upstream.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use rustls::pki_types::ServerName;

/// One upstream. Two that are equal are interchangeable, so a group can outlive a reload.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Its name in the configuration.
    pub name: String,
    /// Its servers, one at least.
    pub servers: Vec<ServerSettings>,
    /// How its servers are verified; without, they are spoken to in the clear.
    pub tls: Option<Tls>,
    /// Which HTTP it is spoken to.
    pub protocol: Protocol,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How many connections wait for further requests, and how long.
    pub pool: Pool,
    /// How many requests it gets.
    pub limits: Limits,
    /// What is learnt from requests that fail.
    pub passive: Passive,
    /// How its servers are asked how they are, if at all.
    pub health: Option<HealthCheck>,
    /// How long a server that is new or came back gets less than its share; zero is not at all.
    pub slow_start: Duration,
    /// After what time names are resolved again.
    pub dns_refresh: Duration,
}

impl Settings {
    /// Makes an upstream that is spoken to in the clear and is otherwise as by default.
    #[must_use]
    pub fn new(name: impl Into<String>, servers: Vec<ServerSettings>) -> Self {
        Self {
            name: name.into(),
            servers,
            tls: None,
            protocol: Protocol::Http1,
            timeouts: Timeouts::default(),
            pool: Pool::default(),
            limits: Limits::default(),
            passive: Passive::default(),
            health: None,
            slow_start: Duration::ZERO,
            dns_refresh: Duration::from_secs(30),
        }
    }
}

/// One server as it is configured. Behind a name there may be several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// The name with a port, the address or the socket file.
    pub address: ServerAddress,
    /// Its share of the requests against that of the others, from 1 to [`MAX_WEIGHT`].
    pub weight: u16,
}

impl From<ServerAddress> for ServerSettings {
    fn from(address: ServerAddress) -> Self {
        Self { address, weight: 1 }
    }
}

/// The most that a weight can be.
pub const MAX_WEIGHT: u16 = 1000;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerAddress {
    /// Behind a name that is resolved, again and again.
    Name {
        /// The name, which is resolved again from time to time.
        host: String,
        /// The port of TCP.
        port: u16,
    },
    /// At an address of IP with a port.
    Socket(SocketAddr),
    /// At a socket in the file system.
    Unix(PathBuf),
}

impl ServerAddress {
    /// Returns what a request of our own says as `Host`.
    #[must_use]
    pub fn authority(&self) -> String {
        match self {
            Self::Name { .. } | Self::Socket(_) => self.to_string(),
            Self::Unix(_) => "localhost".to_owned(),
        }
    }

    /// Returns the name that a certificate must be for, unless another is set.
    #[must_use]
    pub fn tls_name(&self) -> Option<ServerName<'static>> {
        match self {
            Self::Name { host, .. } => ServerName::try_from(host.clone()).ok(),
            Self::Socket(address) => Some(ServerName::IpAddress(address.ip().into())),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { host, port } => write!(f, "{host}:{port}"),
            Self::Socket(address) => write!(f, "{address}"),
            Self::Unix(path) => write_unix(path, f),
        }
    }
}

pub(super) fn write_unix(path: &Path, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "unix:{}", path.display())
}

/// How the servers of an upstream are verified, and what they are shown.
#[derive(Debug, Clone)]
pub struct Tls {
    /// For connections. Its ALPN says what [`Settings::protocol`] says.
    pub config: Arc<rustls::ClientConfig>,
    /// The name that the certificate must be for, in place of the server's own.
    pub server_name: Option<ServerName<'static>>,
    /// A digest of all that `config` was made from: what tells two of them apart.
    pub made_from: [u8; 32],
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.made_from == other.made_from && self.server_name == other.server_name
    }
}

/// Which HTTP an upstream is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, also in TLS.
    Http1,
    /// HTTP/2: agreed on in TLS, and without TLS taken for granted.
    Http2,
    /// HTTP/2 if the server agrees to it in TLS, otherwise HTTP/1.1.
    Auto,
}

impl Protocol {
    /// Returns what is offered in TLS, the preferred first.
    #[must_use]
    pub fn alpn(self) -> Vec<Vec<u8>> {
        match self {
            Self::Http1 => vec![b"http/1.1".to_vec()],
            Self::Http2 => vec![b"h2".to_vec()],
            Self::Auto => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection, TLS included.
    pub connect: Duration,
    /// From the end of the request until the header of the answer.
    pub response: Duration,
    /// Between two pieces of a body, either way.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            response: Duration::from_secs(60),
            idle: Duration::from_secs(60),
        }
    }
}

/// Which connections are kept for the next request: of each server, by each worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// How long an idle connection is kept.
    pub keep_alive: Duration,
    /// How many idle connections are kept.
    pub max_idle: usize,
}

impl Default for Pool {
    fn default() -> Self {
        Self { keep_alive: Duration::from_secs(30), max_idle: 64 }
    }
}

/// How many requests an upstream gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many are under way.
    pub max_requests: usize,
    /// How many more wait for their turn.
    pub max_pending: usize,
    /// How long those wait before they are refused.
    pub pending_timeout: Duration,
    /// How many of those under way one client may have; zero is what suits `max_requests`.
    pub max_requests_per_client: usize,
}

impl Limits {
    /// Returns how many requests one client may have under way: an eighth of all, but enough for
    /// whatever a browser asks for at once.
    #[must_use]
    pub fn share(&self) -> usize {
        match self.max_requests_per_client {
            0 => (self.max_requests / 8).max(128),
            said => said,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_requests: 4096,
            max_pending: 1024,
            pending_timeout: Duration::from_secs(5),
            max_requests_per_client: 0,
        }
    }
}

/// What is learnt from requests that fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passive {
    /// So many failures in a row put a server out; zero is never.
    pub max_fails: u32,
    /// For so long at first; and the failures must lie as close together.
    pub fail_timeout: Duration,
}

impl Default for Passive {
    fn default() -> Self {
        Self { max_fails: 3, fail_timeout: Duration::from_secs(10) }
    }
}

/// How servers are asked how they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// What is asked for: a path, and maybe a query.
    pub path: String,
    /// The `Host`; without, it is the server's own address.
    pub host: Option<HeaderValue>,
    /// The time between two questions.
    pub interval: Duration,
    /// How long an answer may take, connection included.
    pub timeout: Duration,
    /// So many good answers in a row bring a server back.
    pub healthy: u32,
    /// So many bad ones in a row take it out.
    pub unhealthy: u32,
    /// The good answers; when empty, every 2xx.
    pub statuses: Vec<StatusCode>,
}

impl HealthCheck {
    /// Tells whether a server that answers so is well.
    #[must_use]
    pub fn accepts(&self, status: StatusCode) -> bool {
        if self.statuses.is_empty() { status.is_success() } else { self.statuses.contains(&status) }
    }
}
