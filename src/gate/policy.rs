//! Routes: which place belongs to which upstream, and who may go there.
//!
//! 1. A route has a host and a path prefix that ends at a segment: `/tax` covers `/tax` and
//!    `/tax/x`, not `/taxi`.
//! 2. The longest prefix wins. Two routes of the same host and prefix are a mistake in the
//!    configuration and never get here.
//! 3. What no route covers is denied.

use std::sync::Arc;

use super::action::{Action, Forward};
use super::header_rules::Rules;
use super::rewrite::Rewrite;
use crate::identity::assurance::Assurance;
use crate::identity::claims::{PersonalClaim, Release};

/// Who may go somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, and nobody's identity is passed on.
    Public,
    /// Everybody; the identity of whoever is signed in is passed on.
    Optional,
    /// Whoever is signed in with at least this level.
    Required(Assurance),
}

/// One route.
#[derive(Debug, Clone)]
pub struct Route {
    /// The host in lower case.
    pub host: String,
    /// The path prefix, `/` or without a slash at its end.
    pub path: String,
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
            access,
            action: Action::Forward(Forward::to(upstream)),
            rewrite: Rewrite::default(),
            request_headers: Rules::default(),
            response_headers: Rules::default(),
            maintenance: false,
            release,
            release_number,
        }
    }
}

/// All routes.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Hosts in the order of their names, each with its routes, longest prefix first. There are few,
    /// and nobody outside chooses them, so they are searched and not hashed.
    hosts: Vec<(String, Vec<Arc<Route>>)>,
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
            match policy.position(&route.host) {
                Ok(at) => policy.hosts[at].1.push(Arc::new(route)),
                Err(at) => policy.hosts.insert(at, (route.host.clone(), vec![Arc::new(route)])),
            }
        }
        for (_, routes) in &mut policy.hosts {
            routes.sort_by_key(|route| std::cmp::Reverse(route.path.len()));
        }
        policy
    }

    fn position(&self, host: &str) -> Result<usize, usize> {
        self.hosts.binary_search_by(|known| known.0.as_str().cmp(host))
    }

    /// Finds the route of a place.
    #[must_use]
    pub fn find(&self, host: &str, path: &str) -> Option<&Arc<Route>> {
        let at = self.position(host).ok()?;
        self.hosts[at].1.iter().find(|route| covers(&route.path, path))
    }

    /// Tells whether the portal is known under that host.
    #[must_use]
    pub fn has_host(&self, host: &str) -> bool {
        self.position(host).is_ok()
    }

    /// Tells whether any route is told that about a citizen.
    #[must_use]
    pub fn releases_claim(&self, claim: PersonalClaim) -> bool {
        self.hosts
            .iter()
            .flat_map(|host| &host.1)
            .any(|route| route.release.claims.contains(&claim))
    }

    /// Returns how many different releases there are.
    #[must_use]
    pub fn releases(&self) -> usize {
        self.releases
    }
}

fn covers(prefix: &str, path: &str) -> bool {
    prefix == "/"
        || path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
