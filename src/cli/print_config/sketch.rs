//! What a proxy in front has to know of the configuration.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use http::HeaderName;
use http::header::COOKIE;

use crate::app::Settings;
use crate::companion::front::Front;
use crate::gate::action::Action;
use crate::identity::forms::headers::Preset;
use crate::identity::headers::{ASSERTION, ENCRYPTED_ASSERTION};
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

/// A host that citizens come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_tls: bool,
    /// Beginnings of paths that go to the gateway without a question: our own places, and routes
    /// with an upstream.
    pub(super) ours: Vec<String>,
    /// Single paths that do.
    pub(super) ours_exactly: Vec<String>,
    /// Beginnings of paths about which it asks.
    pub(super) asked: Vec<String>,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To the gateway, without a question.
    Gateway,
    /// To the portal, when the gateway says that it may.
    Portal,
}

/// A part of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'s> {
    /// A beginning, in whole segments; or a single path.
    pub(super) path: &'s str,
    pub(super) is_exact: bool,
    pub(super) way: Way,
}

impl Site {
    /// Returns its parts: the first one that a path is in says where it goes, as the longest route
    /// does in the gateway. The last one is everything.
    pub(super) fn places(&self) -> Vec<Place<'_>> {
        let is_whole = |path: &str| path.trim_matches('/').is_empty();
        let is_ours = self.ours.iter().any(|path| is_whole(path));
        let rest = if is_ours { Way::Gateway } else { Way::Portal };
        let single = self.ours_exactly.iter().map(|path| (path, true, Way::Gateway));
        let ours = self.ours.iter().map(|path| (path, false, Way::Gateway));
        // What is asked about needs a place of its own where it lies in one of ours.
        let asked = self.asked.iter().filter(|path| self.ours.iter().any(|ours| is_in(path, ours)));
        let asked = asked.map(|path| (path, false, Way::Portal));
        let mut places: Vec<_> = single
            .chain(ours)
            .chain(asked)
            .filter(|(path, ..)| !is_whole(path))
            .map(|(path, is_exact, way)| Place { path, is_exact, way })
            .collect();
        places
            .sort_by_key(|place| std::cmp::Reverse((place.is_exact, place.path.len(), place.path)));
        // Of several routes for one path, by method, the gateway knows which.
        places.dedup_by_key(|place| (place.path, place.is_exact));
        places.push(Place { path: "/", is_exact: false, way: rest });
        places
    }
}

/// Tells whether a path is another or lies below it.
fn is_in(path: &str, other: &str) -> bool {
    let other = other.trim_end_matches('/');
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// An address, as it is given to a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint<'e> {
    /// A socket of the file system.
    Unix(&'e str),
    /// A host, without brackets, and a port.
    Port(&'e str, u16),
}

impl<'e> Endpoint<'e> {
    /// Reads one. Without a port it is 80.
    pub(super) fn read(address: &'e str) -> Self {
        if let Some(path) = address.strip_prefix("unix:") {
            return Self::Unix(path);
        }
        let parts = address.rsplit_once(':').map(|(host, port)| (host, port.parse()));
        let (host, port) = match parts {
            Some((host, Ok(port))) => (host, port),
            _ => (address, 80),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        Self::Port(bare.unwrap_or(host), port)
    }
}

impl Site {
    /// Returns its beginnings and where each goes; the longer one says more, and comes later.
    pub(super) fn prefixes(&self) -> Vec<(&str, Way)> {
        let places = self.places().into_iter().rev().filter(|place| !place.is_exact);
        places.map(|place| (place.path, place.way)).collect()
    }

    /// Returns the host with the port at which citizens come, when a browser writes it.
    pub(super) fn authority(&self) -> String {
        match (self.is_tls, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }

    /// Returns how citizens come.
    pub(super) fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }
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
        let sites = sites(settings, is_permitted);
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
        let mut sketch = Self::in_front(settings, sites(settings, |_| true), given);
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

fn is_permitted(action: &Action) -> bool {
    matches!(action, Action::Permit)
}

/// Returns the hosts that have a route of that kind.
fn sites(settings: &Settings, is_kind: impl Fn(&Action) -> bool) -> Vec<Site> {
    let mut sites: Vec<Site> = Vec::new();
    for route in settings.routes.iter().filter(|route| is_kind(&route.action)) {
        if sites.iter().any(|site| site.host == route.host) {
            continue;
        }
        let origin = settings.gateway.known_origin(&route.host);
        let origin = origin.unwrap_or(&settings.gateway.origin);
        let is_tls = origin.starts_with("https://");
        let port = url::Url::parse(origin).ok().and_then(|url| url.port_or_known_default());
        let others = settings.routes.iter().filter(|other| other.host == route.host);
        let (asked, elsewhere): (Vec<_>, Vec<_>) =
            others.partition(|other| is_permitted(&other.action));
        let mut asked: Vec<_> = asked.into_iter().map(|other| other.path.clone()).collect();
        asked.dedup();
        let mut ours = vec![settings.gateway.prefix.clone()];
        ours.extend(elsewhere.into_iter().map(|other| other.path.clone()));
        ours.dedup();
        let mut ours_exactly = vec![settings.gateway.acs_path.clone()];
        if settings.gateway.well_known {
            ours_exactly.extend(
                ["/.well-known/jwks.json", "/.well-known/openid-configuration"].map(str::to_owned),
            );
        }
        ours_exactly.retain(|path| !path.starts_with(&*settings.gateway.prefix));
        sites.push(Site {
            host: route.host.clone(),
            port: port.unwrap_or(443),
            is_tls,
            ours,
            ours_exactly,
            asked,
        });
    }
    sites
}

/// Names under which clients could tell an identity to a portal that believes them, beside ours.
const FOREIGN: [&str; 13] = [
    "remote-user",
    "remote-name",
    "remote-email",
    "remote-groups",
    "x-remote-user",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-access-token",
    "x-auth-request-user",
    "x-auth-request-email",
    "x-auth-request-groups",
];

/// Names under which a client could name another request than it makes. A proxy that sets one of
/// them for the question, or for the portal, does so after it was taken away.
pub(super) const OTHER_REQUEST: [&str; 12] = [
    "Forwarded",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Scheme",
    "X-Forwarded-Prefix",
    "X-Original-URI",
    "X-Original-URL",
    "X-Original-Host",
    "X-Original-Method",
    "X-Rewrite-URL",
    "X-Scheme",
    "X-Request-Id",
];

/// More of them, where the proxy writes none of its own.
pub(super) const OTHER_WAY: [&str; 3] = ["X-Forwarded-Port", "X-Forwarded-Server", "X-Real-IP"];

fn cleared(settings: &Settings, told: &[HeaderName]) -> Vec<String> {
    let ours = Preset::Brama.fields().iter().map(|(name, _)| HeaderName::from_static(name));
    let ours = [ASSERTION, ENCRYPTED_ASSERTION].into_iter().chain(ours);
    let foreign = FOREIGN.into_iter().map(HeaderName::from_static);
    let forms = settings.routes.iter().flat_map(|route| &route.release.forms);
    let mut names: Vec<String> = Vec::new();
    for name in ours.chain(forms.flat_map(|form| form.taken())).chain(foreign) {
        let shown = shown(&name);
        if !told.contains(&name) && !names.contains(&shown) {
            names.push(shown);
        }
    }
    names
}

/// A name as people write it.
pub(super) fn shown(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn site(asked: &[&str], ours: &[&str]) -> Site {
        let owned = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
        Site {
            host: "portal.example".to_owned(),
            port: 443,
            is_tls: true,
            ours: owned(ours),
            ours_exactly: Vec::new(),
            asked: owned(asked),
        }
    }

    #[test]
    fn the_longer_path_says_who_answers() {
        let site = site(&["/", "/old/new"], &["/.brama/", "/old"]);
        let places = site.places();
        let of = |path: &str| {
            let mut found = places.iter().filter(|place| path.starts_with(place.path));
            found.next().map(|place| place.way)
        };
        assert_eq!(of("/tax"), Some(Way::Portal));
        assert_eq!(of("/old/x"), Some(Way::Gateway));
        assert_eq!(of("/old/new/x"), Some(Way::Portal));
        assert_eq!(of("/.brama/login"), Some(Way::Gateway));
    }

    #[test]
    fn what_nothing_is_said_of_is_asked_about() {
        let some = site(&["/tax"], &["/.brama/"]);
        let rest = Place { path: "/", is_exact: false, way: Way::Portal };
        assert_eq!(some.places().last(), Some(&rest));
        // And a path that both have is asked about by nobody.
        let both = site(&["/", "/tax"], &["/tax"]);
        assert_eq!(both.places()[0], Place { path: "/tax", is_exact: false, way: Way::Gateway });
    }

    #[test]
    fn reads_addresses_as_they_are_given() {
        for (address, endpoint) in [
            ("127.0.0.1:9080", Endpoint::Port("127.0.0.1", 9080)),
            ("[::1]:9080", Endpoint::Port("::1", 9080)),
            ("portal.internal", Endpoint::Port("portal.internal", 80)),
            ("portal.internal:8080", Endpoint::Port("portal.internal", 8080)),
            ("unix:/run/brama.sock", Endpoint::Unix("/run/brama.sock")),
        ] {
            assert_eq!(Endpoint::read(address), endpoint);
        }
    }
}
