//! What a proxy in front has to know of the configuration.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use http::HeaderName;
use http::header::COOKIE;

use super::names::cleared;
use super::site::{self, Site, is_permitted};
use crate::app::Settings;
use crate::companion::front::Front;
use crate::server::listener::Socket;

/// Addresses that are given by hand, for instance because the proxy sees another network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'g> {
    pub(super) portal: &'g str,
    pub(super) gateway: Option<&'g str>,
    pub(super) ask: Option<&'g str>,
}

/// What a proxy in front has to know.
#[derive(Debug)]
pub(super) struct Sketch {
    /// Hosts for which it asks, each with the port at which citizens come and whether that is TLS.
    pub(super) sites: Vec<Site>,
    /// Where it asks: `unix:/PATH`, or host and port.
    pub(super) ask: String,
    /// Whether it asks by TLS.
    pub(super) asks_by_tls: bool,
    /// The path under which it asks.
    pub(super) path: &'static str,
    /// Where our own places and what it may not hand on are: `unix:/PATH`, or host and port.
    pub(super) gateway: String,
    /// Whether that listener speaks TLS.
    pub(super) gateway_by_tls: bool,
    /// Where the portal is.
    pub(super) portal: String,
    /// The most bytes of a body.
    pub(super) max_body: u64,
    /// Fields of an answer that say who it is.
    pub(super) told: Vec<HeaderName>,
    /// Names under which a client could tell an identity, to a portal that believes them; none of
    /// those that are told.
    pub(super) cleared: Vec<String>,
    warnings: Vec<String>,
}

/// Why nothing can be printed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// No listener for that kind of proxy.
    #[error(
        "the configuration has no listener at which {0} could ask; add\n\n[[companion]]\n\
         proxy = \"{0}\"\nlisten = \"127.0.0.1:9080\""
    )]
    NoListener(&'static str),
    /// Nothing that the proxy would hand on.
    #[error(
        "no route is for a proxy in front: add a [[route]] with audience and without upstream, \
         redirect and respond"
    )]
    NoRoute,
    /// An address that this kind of proxy cannot go to.
    #[error("{proxy} reaches no unix socket: {instead}")]
    Unix {
        /// The proxy.
        proxy: &'static str,
        /// What to do.
        instead: &'static str,
    },
}

impl Sketch {
    /// Reads it from the settings, for a proxy that asks.
    ///
    /// # Errors
    /// When there is no listener for that proxy, or nothing to ask about.
    pub(super) fn of(settings: &Settings, front: Front, given: Given<'_>) -> Result<Self, Error> {
        let companions = settings.listen.companions.iter();
        let companion = companions.into_iter().find(|one| one.front == front);
        let companion = companion.ok_or(Error::NoListener(front.name()))?;
        let sites = site::of(settings, is_permitted);
        if sites.is_empty() {
            return Err(Error::NoRoute);
        }
        Ok(Self {
            ask: given.ask.map_or_else(|| address(&companion.socket), str::to_owned),
            asks_by_tls: companion.tls.is_some(),
            path: front.path(),
            ..Self::in_front(settings, sites, given)
        })
    }

    /// Reads it from the settings, for a proxy that asks nobody and hands all to the gateway.
    pub(super) fn before(settings: &Settings, given: Given<'_>) -> Self {
        let mut sketch = Self::in_front(settings, site::of(settings, |_| true), given);
        if settings.routes.iter().any(|route| is_permitted(&route.action)) {
            let warning = "this proxy does not ask: routes with audience and without upstream are \
                           closed behind it; give them an upstream";
            sketch.warnings.push(warning.to_owned());
        }
        sketch
    }

    fn in_front(settings: &Settings, sites: Vec<Site>, given: Given<'_>) -> Self {
        let mut told = Vec::new();
        for route in settings.routes.iter().filter(|route| is_permitted(&route.action)) {
            let names = route.release.forms.iter().flat_map(|form| form.names());
            for name in names {
                if !told.contains(&name) {
                    told.push(name);
                }
            }
        }
        let listen = &settings.listen;
        let plain = listen.unix.as_ref().or(listen.http.as_ref());
        let by_tls = listen.https.as_ref().map(|https| &https.socket);
        let gateway = plain.or(by_tls).map(address).unwrap_or_default();
        let mut warnings = Vec::new();
        if listen.trusted_proxies.is_empty() && listen.unix.is_none() {
            warnings.push(
                "listen.trusted_proxies is empty: name the proxy there, or every citizen who is \
                 sent to the gateway has the proxy's address and scheme"
                    .to_owned(),
            );
        }
        Self {
            sites,
            ask: String::new(),
            asks_by_tls: false,
            path: "",
            gateway: given.gateway.map_or(gateway, str::to_owned),
            gateway_by_tls: plain.is_none(),
            portal: given.portal.to_owned(),
            max_body: settings.listen.limits.body_bytes,
            cleared: cleared(settings, &told),
            told,
            warnings,
        }
    }

    /// Returns the sites by the port at which citizens come, and whether that is TLS.
    pub(super) fn ports(&self) -> BTreeMap<(u16, bool), Vec<&Site>> {
        let mut ports: BTreeMap<_, Vec<&Site>> = BTreeMap::new();
        for site in &self.sites {
            ports.entry((site.port, site.is_tls)).or_default().push(site);
        }
        ports
    }

    /// Returns the fields of an answer that take the place of what the client sent: those that say
    /// who it is, and its cookies without ours. The question needs the client's own cookies, so
    /// they are not taken away before it.
    pub(super) fn copied(&self) -> impl Iterator<Item = &HeaderName> {
        self.told.iter().chain([&COOKIE])
    }

    /// Returns what the operator should know.
    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// The address of a socket as a client on the same machine has it.
fn address(socket: &Socket) -> String {
    match socket {
        Socket::Address(address) if address.ip().is_unspecified() => {
            let mut address = *address;
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
            address.to_string()
        }
        other => other.to_string(),
    }
}
