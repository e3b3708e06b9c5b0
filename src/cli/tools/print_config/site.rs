//! The hosts that citizens come to, and where each of their paths goes.

use crate::app::Settings;
use crate::gate::action::Action;
use crate::gateway::endpoints::jwks::{WELL_KNOWN_ISSUER, WELL_KNOWN_KEYS};

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

    /// Returns its beginnings and where each goes; the longer one says more, and comes later.
    pub(super) fn prefixes(&self) -> Vec<(&str, Way)> {
        let places = self.places().into_iter().rev().filter(|place| !place.is_exact);
        places.map(|place| (place.path, place.way)).collect()
    }

    /// Returns the host with the port at which citizens come, when a browser writes it.
    pub(super) fn authority(&self) -> String {
        self.with_port(&self.host)
    }

    /// Puts the port at which citizens come behind a host, as a browser writes it.
    pub(super) fn with_port(&self, host: &str) -> String {
        match (self.is_tls, self.port) {
            (true, 443) | (false, 80) => host.to_owned(),
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// Returns how citizens come.
    pub(super) fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }
}

/// Tells whether a path is another or lies below it.
fn is_in(path: &str, other: &str) -> bool {
    let other = other.trim_end_matches('/');
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(super) fn is_permitted(action: &Action) -> bool {
    matches!(action, Action::Permit)
}

/// Returns the hosts that have a route of that kind.
pub(super) fn of(settings: &Settings, is_kind: impl Fn(&Action) -> bool) -> Vec<Site> {
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
            ours_exactly.extend([WELL_KNOWN_KEYS, WELL_KNOWN_ISSUER].map(str::to_owned));
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
}
