//! Routes: which place belongs to which upstream, and who may go there.
//!
//! 1. A route has a host and a path prefix that ends at a segment: `/tax` covers `/tax` and
//!    `/tax/x`, not `/taxi`. Hosts are compared whole.
//! 2. The longest prefix wins, whatever the method: the routes with that host and prefix are one
//!    place, and no other route has a say there. So a wide rule never opens with `POST` what a
//!    narrow one was written for with `GET`.
//! 3. Within a place a route that names the method wins over one for all methods. When no route of
//!    the place is for the method, the request is refused.
//! 4. Two routes of a place that are for the same method, with neither more specific, are a mistake
//!    in the configuration and never get here.
//! 5. What no route covers is denied.

use std::sync::Arc;

use http::Method;

use super::action::{Action, Forward};
use super::header_rules::Rules;
use super::methods::Methods;
use super::protocols::Protocols;
use super::requirement::Requirement;
use super::rewrite::Rewrite;
use crate::identity::assurance::Assurance;
use crate::identity::claims::{PersonalClaim, Release};

/// Who may go somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everybody, and nobody's identity is passed on.
    Public,
    /// Everybody; the identity of whoever is signed in is passed on.
    Optional,
    /// Whoever is signed in and is as the rule asks.
    Required(Requirement),
}

impl Access {
    /// Whoever is signed in with at least this level.
    #[must_use]
    pub fn level(assurance: Assurance) -> Self {
        Self::Required(Requirement::level(assurance))
    }
}

/// One route.
#[derive(Debug, Clone)]
pub struct Route {
    /// The host in lower case.
    pub host: String,
    /// The path prefix, `/` or without a slash at its end.
    pub path: String,
    /// The methods that it is for.
    pub methods: Methods,
    /// Who may go there.
    pub access: Access,
    /// What happens to a request that may pass.
    pub action: Action,
    /// How the path changes on the way.
    pub rewrite: Rewrite,
    /// Changes to the headers of requests that go on.
    pub request_headers: Rules,
    /// Changes to the headers of answers of the upstream, and of redirects and fixed answers.
    pub response_headers: Rules,
    /// Whether it is closed for work.
    pub maintenance: bool,
    /// What its connections may change to.
    pub upgrade: Protocols,
    /// Whether its streams go on when the session that they were opened in has ended.
    pub outlives_session: bool,
    /// What the upstream is told about the citizen.
    pub release: Release,
    /// The number of this release among all, for the tokens that are kept.
    pub release_number: usize,
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
            request_headers: Rules::default(),
            response_headers: Rules::default(),
            maintenance: false,
            upgrade: Protocols::default(),
            outlives_session: false,
            release,
            release_number,
        }
    }
}

/// The routes of one host and path prefix: for one method, one of them decides.
#[derive(Debug, Clone)]
pub struct Place {
    path: String,
    /// Those that name methods first.
    routes: Vec<Arc<Route>>,
}

impl Place {
    /// Finds the route for a method.
    #[must_use]
    pub fn route(&self, method: &Method) -> Option<&Arc<Route>> {
        self.routes.iter().find(|route| route.methods.has(method))
    }

    /// Returns the methods that its routes name.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.routes.iter().flat_map(|route| route.methods.named())
    }

    /// Returns its routes.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.iter()
    }

    /// Returns its path prefix.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// All routes.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Hosts in the order of their names, each with its places, longest prefix first. There are few,
    /// and nobody outside chooses them, so they are searched and not hashed.
    hosts: Vec<(String, Vec<Place>)>,
    releases: usize,
}

impl Policy {
    /// Puts routes in order.
    #[must_use]
    pub fn new(routes: Vec<Route>) -> Self {
        let mut policy = Self::default();
        for mut route in routes {
            if route.path.len() > 1 {
                route.path.truncate(route.path.trim_end_matches('/').len().max(1));
            }
            policy.releases = policy.releases.max(route.release_number + 1);
            policy.add(route);
        }
        for place in policy.hosts.iter_mut().flat_map(|(_, places)| places) {
            place.routes.sort_by_key(|route| !route.methods.is_named());
        }
        for (_, places) in &mut policy.hosts {
            places.sort_by_key(|place| std::cmp::Reverse(place.path.len()));
        }
        policy
    }

    fn add(&mut self, route: Route) {
        let at = self.position(&route.host).unwrap_or_else(|at| {
            self.hosts.insert(at, (route.host.clone(), Vec::new()));
            at
        });
        let places = &mut self.hosts[at].1;
        match places.iter_mut().find(|place| place.path == route.path) {
            Some(place) => place.routes.push(Arc::new(route)),
            None => {
                let path = route.path.clone();
                places.push(Place { path, routes: vec![Arc::new(route)] });
            }
        }
    }

    fn position(&self, host: &str) -> Result<usize, usize> {
        self.hosts.binary_search_by(|known| known.0.as_str().cmp(host))
    }

    /// Finds the place that a path belongs to.
    #[must_use]
    pub fn find(&self, host: &str, path: &str) -> Option<&Place> {
        let at = self.position(host).ok()?;
        self.hosts[at].1.iter().find(|place| covers(&place.path, path))
    }

    /// Returns the places that are in reach of whoever does something with all that is below a path.
    pub fn below(&self, host: &str, path: &str) -> impl Iterator<Item = &Place> {
        let places = self.position(host).map_or(&[][..], |at| &self.hosts[at].1);
        let path = if path == "/" { path } else { path.trim_end_matches('/') };
        let is_below = |place: &&Place| place.path != path && covers(path, &place.path);
        // Not borrowed from the path, which may be gone before them.
        places.iter().filter(is_below).collect::<Vec<_>>().into_iter()
    }

    /// Tells whether the portal is known under that host.
    #[must_use]
    pub fn has_host(&self, host: &str) -> bool {
        self.position(host).is_ok()
    }

    /// Returns every route: by host, the most specific first.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        let places = self.hosts.iter().flat_map(|(_, places)| places);
        places.flat_map(|place| &place.routes)
    }

    /// Tells whether any route of a host is told that about a citizen.
    #[must_use]
    pub fn releases_claim(&self, host: &str, claim: PersonalClaim) -> bool {
        let places = self.position(host).map_or(&[][..], |at| &self.hosts[at].1);
        let mut routes = places.iter().flat_map(|place| &place.routes);
        routes.any(|route| route.release.claims.contains(&claim))
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
