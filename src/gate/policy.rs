//! Routes: which location belongs to which upstream, and which clients may go there.
//!
//! 1. A route has a host and a path prefix that ends at a segment: `/tax` covers `/tax` and
//!    `/tax/x`, not `/taxi`. Hosts are compared whole.
//! 2. The longest prefix wins, whatever the method: the routes with that host and prefix are one
//!    location, and no other route has a say there. So a wide rule never opens with `POST` what a
//!    narrow one was written for with `GET`.
//! 3. Within a location a route that names the method wins over one for all methods. When no route
//!    of the location is for the method, the request is refused.
//! 4. Two routes of a location that are for the same method, with neither more specific, are a
//!    mistake in the configuration and never get here.
//! 5. What no route covers is denied.
//! 6. An upstream may ignore case ([`Forward::ignores_case`]). Locations whose requests go on to it
//!    are compared without case, and so are those on the same host that answer by themselves.
//!    Places of other upstreams are not, because their upstream tells the cases apart.
//! 7. A request that would go on to an upstream that ignores case is denied when a location with a
//!    longer path would cover it if case, or one letter that is another in a wider sense, were
//!    ignored: to that upstream it is a request for that location, and no route leads there.
//!
//! [`Forward::ignores_case`]: super::action::Forward::ignores_case

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderName, Method};

use super::action::{Action, Forward};
use super::case;
use super::header_rules::Rules;
use super::leniency::Leniency;
use super::methods::Methods;
use super::origins::Origins;
use super::protocols::Protocols;
use super::requirement::Requirement;
use super::rewrite::Rewrite;
use crate::identity::assurance::Assurance;
use crate::identity::claims::PersonalClaim;
use crate::identity::forms::Form;
use crate::identity::forms::signature::{MessageSignature, SigningKey};
use crate::identity::headers::{IdentityHeader, ToldNames, identity_header};
use crate::identity::release::Release;
use crate::identity::signing_key::Algorithm;

/// What a client needs to go somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Nothing; no identity is passed on.
    Public,
    /// Nothing; the identity of a citizen who is signed in is passed on.
    Optional,
    /// A citizen who is signed in and is as the rule asks.
    Required(Requirement),
}

impl Access {
    /// Asks for a citizen who is signed in with at least this level.
    #[must_use]
    pub fn level(assurance: Assurance) -> Self {
        Self::Required(Requirement::level(assurance))
    }

    /// Tells whether every client that may go here may go there too.
    #[must_use]
    pub fn asks_as_much_as(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Public | Self::Optional) => true,
            (Self::Required(one), Self::Required(other)) => one.asks_as_much_as(other),
            (Self::Public | Self::Optional, Self::Required(_)) => false,
        }
    }
}

/// One `[[route]]` of the configuration, resolved.
#[derive(Debug, Clone)]
pub struct Route {
    /// The host in lower case.
    pub host: String,
    /// The path prefix, `/` or without a slash at its end.
    pub path: String,
    /// The methods that it is for.
    pub methods: Methods,
    /// What a client needs to go there.
    pub access: Access,
    /// What happens to a request that may pass.
    pub action: Action,
    /// How the path changes on the way.
    pub rewrite: Rewrite,
    /// Spellings of paths that it takes although they are read in more than one way. All routes of
    /// a location have the same.
    pub leniency: Leniency,
    /// Scheme, host and port of its pages, where the configuration says them.
    pub origin: Option<String>,
    /// Whether addresses in answers become the public ones.
    pub rewrite_responses: bool,
    /// Changes to the headers of requests that go on.
    pub request_headers: Rules,
    /// Changes to the headers of answers of the upstream, and of redirects and fixed answers.
    pub response_headers: Rules,
    /// Whether it is closed for work.
    pub maintenance: bool,
    /// What its connections may change to.
    pub upgrade: Protocols,
    /// Other sites whose pages may have its connections change.
    pub upgrade_origins: Origins,
    /// Whether a preflight for a request of its methods passes, with or without a session.
    pub cors_preflight: bool,
    /// Whether its streams go on when the session that they were opened in has ended.
    pub outlives_session: bool,
    /// What the upstream is told about the citizen.
    pub release: Release,
    /// The number of this release among all, for the tokens that are kept.
    pub release_number: usize,
    /// How its requests are signed, when they are.
    pub signature: Option<MessageSignature>,
}

impl Route {
    /// Makes a route that goes on to an upstream and changes nothing on the way.
    #[must_use]
    pub fn to_upstream(
        (host, path): (&str, &str),
        access: Access,
        upstream: usize,
        (release_number, release): (usize, Release),
    ) -> Self {
        Self {
            host: host.to_owned(),
            path: path.to_owned(),
            methods: Methods::ALL,
            access,
            action: Action::Forward(Forward::to(upstream)),
            rewrite: Rewrite::default(),
            leniency: Leniency::default(),
            origin: None,
            rewrite_responses: true,
            request_headers: Rules::default(),
            response_headers: Rules::default(),
            maintenance: false,
            upgrade: Protocols::default(),
            upgrade_origins: Origins::default(),
            cors_preflight: false,
            outlives_session: false,
            release,
            release_number,
            signature: None,
        }
    }

    /// Returns of which algorithms it needs keys: for its tokens, and for its requests.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        let signature = self.signature.as_ref().and_then(|how| match how.key {
            SigningKey::Ring(algorithm) => Some(algorithm.of_tokens()),
            SigningKey::Shared { .. } => None,
        });
        [self.release.algorithm].into_iter().chain(signature)
    }

    /// Returns the names of the fields that tell the upstream an identity, or may be taken to.
    fn told_names(&self) -> Vec<HeaderName> {
        self.release.forms.iter().flat_map(Form::taken).collect()
    }
}

/// The routes of one host and path prefix: for one method, one of them decides.
#[derive(Debug, Clone)]
pub struct Location {
    path: String,
    /// Those that name methods first.
    routes: Vec<Arc<Route>>,
    reading: Reading,
    /// The path without case, narrowly and widely.
    folded: [String; 2],
}

/// How the path of a location is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// With case: no upstream of it, or beside it on the host, ignores case.
    Exact,
    /// Without case: it answers by itself, beside an upstream that ignores it.
    Folded,
    /// Without case: its upstream ignores it.
    Ignored,
}

/// How a route covers a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// The path is the prefix or lies below it, at a segment.
    Covers,
    /// It would, if case were ignored.
    OtherCase,
    /// It does not, in any case.
    Elsewhere,
}

impl Location {
    fn new(route: Route) -> Self {
        let path = route.path.clone();
        let folded = [case::narrow(&path).into_owned(), case::wide(&path).into_owned()];
        Self { path, routes: vec![Arc::new(route)], reading: Reading::Exact, folded }
    }

    /// Finds out how its path is compared, on a host that has an upstream that ignores case.
    fn read(&mut self) {
        let mut forwards = self.routes.iter().filter_map(|route| match &route.action {
            Action::Forward(forward) => Some(forward.ignores_case),
            Action::Permit => Some(false),
            Action::Redirect(_) | Action::Respond(_) => None,
        });
        self.reading = match forwards.next() {
            None => Reading::Folded,
            Some(first) if first || forwards.any(|ignores| ignores) => Reading::Ignored,
            Some(_) => Reading::Exact,
        };
    }

    /// Finds the route for a method.
    #[must_use]
    pub fn route(&self, method: &Method) -> Option<&Arc<Route>> {
        self.routes.iter().find(|route| route.methods.has(method))
    }

    fn covers(&self, path: &str, [narrow, _]: [&str; 2]) -> bool {
        match self.reading {
            Reading::Exact => covers(&self.path, path),
            Reading::Folded | Reading::Ignored => covers(&self.folded[0], narrow),
        }
    }

    /// Returns the methods that its routes name.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.routes.iter().flat_map(|route| route.methods.named())
    }

    /// Returns the routes of this location; those that name methods come first.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.iter()
    }

    /// Returns its path prefix.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the spellings of paths that all of its routes take.
    #[must_use]
    pub fn leniency(&self) -> Leniency {
        let each = self.routes.iter().map(|route| route.leniency);
        each.reduce(Leniency::and).unwrap_or_default()
    }
}

/// All routes of the configuration, by host and path.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Hosts in the order of their names, each with its locations, longest prefix first. There are
    /// few, and clients do not choose them, so they are searched and not hashed.
    hosts: Vec<Host>,
    releases: usize,
    told_names: Arc<ToldNames>,
    signs: bool,
}

/// The locations of a host.
#[derive(Debug, Clone)]
struct Host {
    name: String,
    locations: Vec<Location>,
    /// Whether requests go on to an upstream that ignores case.
    ignores_case: bool,
    /// Whether a route takes spellings that are read in more than one way.
    is_lenient: bool,
}

impl Host {
    fn find(&self, path: &str) -> Option<&Location> {
        if !self.ignores_case {
            return self.locations.iter().find(|location| covers(&location.path, path));
        }
        let folded = [&*case::narrow(path), &*case::wide(path)];
        let found = self.locations.iter().find(|location| location.covers(path, folded))?;
        let [_, wide] = &found.folded;
        let may_be_of = |other: &&Location| {
            let [_, other] = &other.folded;
            other.len() > wide.len() && covers(other, folded[1])
        };
        let is_of_another = found.reading == Reading::Ignored
            && self.locations.iter().any(|other| may_be_of(&other));
        (!is_of_another).then_some(found)
    }

    fn coverage(&self, location: &str, path: &str) -> Coverage {
        let Some(location) = self.locations.iter().find(|known| known.path == location) else {
            return Coverage::Elsewhere;
        };
        if !self.ignores_case {
            let is_covered = covers(&location.path, path);
            return if is_covered { Coverage::Covers } else { Coverage::Elsewhere };
        }
        let folded = [&*case::narrow(path), &*case::wide(path)];
        if location.covers(path, folded) {
            Coverage::Covers
        } else if covers(&location.folded[1], folded[1]) {
            Coverage::OtherCase
        } else {
            Coverage::Elsewhere
        }
    }
}

impl Policy {
    /// Puts routes in order.
    #[must_use]
    pub fn new(routes: Vec<Route>) -> Self {
        let mut policy = Self::default();
        // Of our own and of `Authorization` everybody knows, or the route itself.
        let mut told: Vec<_> = routes.iter().flat_map(Route::told_names).collect();
        told.retain(|name| {
            *name != AUTHORIZATION && identity_header(name.as_str()) == IdentityHeader::Foreign
        });
        policy.told_names = Arc::new(ToldNames::new(&told));
        policy.signs = routes.iter().any(|route| route.signature.is_some());
        for mut route in routes {
            if route.path.len() > 1 {
                route.path.truncate(route.path.trim_end_matches('/').len().max(1));
            }
            policy.releases = policy.releases.max(route.release_number + 1);
            policy.add(route);
        }
        for host in &mut policy.hosts {
            for location in &mut host.locations {
                location.routes.sort_by_key(|route| !route.methods.is_named());
                if host.ignores_case {
                    location.read();
                }
            }
            // All that cover a path are beginnings of it, however they are compared.
            host.locations.sort_by_key(|location| {
                let length =
                    if host.ignores_case { location.folded[0].len() } else { location.path.len() };
                std::cmp::Reverse(length)
            });
        }
        policy
    }

    fn add(&mut self, route: Route) {
        let at = self.position(&route.host).unwrap_or_else(|at| {
            let name = route.host.clone();
            let locations = Vec::new();
            self.hosts.insert(at, Host { name, locations, ignores_case: false, is_lenient: false });
            at
        });
        let host = &mut self.hosts[at];
        host.ignores_case |=
            matches!(&route.action, Action::Forward(forward) if forward.ignores_case);
        host.is_lenient |= !route.leniency.is_none();
        match host.locations.iter_mut().find(|location| location.path == route.path) {
            Some(location) => location.routes.push(Arc::new(route)),
            None => host.locations.push(Location::new(route)),
        }
    }

    fn position(&self, host: &str) -> Result<usize, usize> {
        self.hosts.binary_search_by(|known| known.name.as_str().cmp(host))
    }

    /// Finds the location that a path belongs to.
    #[must_use]
    pub fn find(&self, host: &str, path: &str) -> Option<&Location> {
        self.hosts[self.position(host).ok()?].find(path)
    }

    /// Returns the locations of a host.
    #[must_use]
    pub fn locations(&self, host: &str) -> &[Location] {
        self.position(host).map_or(&[], |at| &self.hosts[at].locations)
    }

    /// Tells how a route covers a path of its host.
    #[must_use]
    pub fn coverage(&self, route: &Route, path: &str) -> Coverage {
        let host = self.position(&route.host).map(|at| &self.hosts[at]);
        host.map_or(Coverage::Elsewhere, |host| host.coverage(&route.path, path))
    }

    /// Returns the locations that are in reach of a client that does something with all that is
    /// below a path.
    pub fn below(&self, host: &str, path: &str) -> impl Iterator<Item = &Location> {
        let locations = self.locations(host);
        let path = if path == "/" { path } else { path.trim_end_matches('/') };
        let is_below = |location: &&Location| location.path != path && covers(path, &location.path);
        // Not borrowed from the path, which may be gone before them.
        locations.iter().filter(is_below).collect::<Vec<_>>().into_iter()
    }

    /// Tells whether the portal is known under that host.
    #[must_use]
    pub fn has_host(&self, host: &str) -> bool {
        self.position(host).is_ok()
    }

    /// Tells whether a route of a host takes spellings that are read in more than one way.
    #[must_use]
    pub fn is_lenient(&self, host: &str) -> bool {
        self.position(host).is_ok_and(|at| self.hosts[at].is_lenient)
    }

    /// Returns every route: by host, the most specific first.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        let locations = self.hosts.iter().flat_map(|host| &host.locations);
        locations.flat_map(|location| &location.routes)
    }

    /// Tells whether any route of a host is told that about a citizen.
    #[must_use]
    pub fn releases_claim(&self, host: &str, claim: PersonalClaim) -> bool {
        let locations = self.locations(host);
        let mut routes = locations.iter().flat_map(|location| &location.routes);
        routes.any(|route| route.release.claims.contains(&claim))
    }

    /// Returns the names of the operator's choice under which some route tells an identity.
    #[must_use]
    pub fn told_names(&self) -> &Arc<ToldNames> {
        &self.told_names
    }

    /// Tells whether the requests of some route are signed.
    #[must_use]
    pub fn signs(&self) -> bool {
        self.signs
    }

    /// Returns how many different releases there are.
    #[must_use]
    pub fn releases(&self) -> usize {
        self.releases
    }
}

/// Tells whether a path begins with a prefix that ends at a segment.
#[must_use]
pub fn covers(prefix: &str, path: &str) -> bool {
    prefix == "/"
        || path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
