//! How a browser finds servers, whom it trusts, and how much it takes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

/// The settings of a browser.
#[derive(Clone, Debug)]
pub struct Settings {
    /// TLS towards servers: whom it trusts. Without, `https` addresses cannot be opened.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Hosts that are found elsewhere than their names say. The first that fits counts.
    pub reach: Vec<Reach>,
    /// Only these are reached: nothing is looked up by name, and no other address connected to.
    pub is_confined: bool,
    /// The `User-Agent`.
    pub user_agent: HeaderValue,
    /// The `Accept-Language`.
    pub accept_language: HeaderValue,
    /// What it bears.
    pub bounds: Bounds,
}

/// Where a host is found, as `curl --resolve` and `--connect-to` say it.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The host as addresses have it.
    pub host: String,
    /// The port as addresses have it, or the default of their scheme.
    pub port: u16,
    /// Where it listens.
    pub address: SocketAddr,
    /// How it is spoken to.
    pub way: Way,
}

/// How a server is spoken to that is found elsewhere.
#[derive(Clone, Debug)]
pub enum Way {
    /// As the scheme of the address says.
    AsAddressed,
    /// Without TLS, whatever the address says: as a proxy in front does that took TLS off, with the
    /// headers that such a proxy adds.
    Behind(Vec<(HeaderName, HeaderValue)>),
}

/// How much a browser bears.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long one answer may take, with its body.
    pub patience: Duration,
    /// The most bytes of a body.
    pub body: usize,
    /// The most redirects in a row.
    pub redirects: usize,
    /// The most requests in all.
    pub steps: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(30),
            body: 2 * 1024 * 1024,
            redirects: 20,
            steps: 1000,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tls: None,
            reach: Vec::new(),
            is_confined: false,
            user_agent: HeaderValue::from_static(concat!(
                "Mozilla/5.0 (compatible; brama/",
                env!("CARGO_PKG_VERSION"),
                ")"
            )),
            accept_language: HeaderValue::from_static("pl,en;q=0.5"),
            bounds: Bounds::default(),
        }
    }
}

impl Settings {
    /// Finds where an address leads, if that was said.
    pub(super) fn reach(&self, url: &Url) -> Option<&Reach> {
        let (host, port) = (url.host_str()?, url.port_or_known_default()?);
        self.reach.iter().find(|reach| reach.host == host && reach.port == port)
    }
}
