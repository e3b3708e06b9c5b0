//! The hosts at which citizens can be signed in: the registered one, and others.
//!
//! 1. The registered host is that of `portal.public_url`. The node sends citizens back there and
//!    nowhere else, so every login takes place there; tokens name it as their issuer, whatever host
//!    a request came to.
//! 2. Another portal has a host of its own, with cookies of its own. Its citizens come by a
//!    crossing ([`crate::flow::handoff`]).
//! 3. A host that routes name and that is neither is for the public: no citizen is signed in there.

use crate::gateway::settings::{OtherPortal, Settings};

/// What a host of the configuration is to logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'s> {
    /// The registered one, at which every login takes place.
    Registered,
    /// The host of another portal, which sessions are handed off to.
    Other(&'s OtherPortal),
    /// One where no citizen is signed in.
    Public,
}

impl Settings {
    /// Says what a host is.
    #[must_use]
    pub fn standing(&self, host: &str) -> Standing<'_> {
        if self.is_registered(host) {
            return Standing::Registered;
        }
        self.other(host).map_or(Standing::Public, Standing::Other)
    }

    /// Returns the other portal that has a host.
    #[must_use]
    pub fn other(&self, host: &str) -> Option<&OtherPortal> {
        self.others.iter().find(|other| other.host == host)
    }

    /// Returns the origin of the pages of a host, as browsers know it.
    #[must_use]
    pub fn origin_of(&self, host: &str) -> &str {
        self.other(host).map_or(&self.origin, |other| &other.origin)
    }

    /// Returns the origin of the pages of a host, where the configuration says it: not for a host
    /// of routes alone, of which no port is known.
    #[must_use]
    pub fn known_origin(&self, host: &str) -> Option<&str> {
        match self.standing(host) {
            Standing::Public => None,
            Standing::Registered | Standing::Other(_) => Some(self.origin_of(host)),
        }
    }

    fn is_registered(&self, host: &str) -> bool {
        let authority = self.origin.split_once("://").map_or("", |(_, authority)| authority);
        let is_port = |rest: &str| {
            let port = rest.strip_prefix(':');
            port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let rest = authority.strip_prefix(host).filter(|_| !host.is_empty());
        rest.is_some_and(|rest| rest.is_empty() || is_port(rest))
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::request::cookie::Cookies;

    pub(in crate::gateway) fn settings(origin: &str) -> Settings {
        Settings {
            portal_name: "Urząd".to_owned(),
            appearance: crate::pages::Appearance::default(),
            returns: crate::gateway::settings::Returns::default(),
            language_place: "/.brama/language".to_owned(),
            origin: origin.to_owned(),
            others: vec![OtherPortal {
                host: "b.test".to_owned(),
                origin: "https://b.test:8443".to_owned(),
            }],
            prefix: "/.brama/".to_owned(),
            acs_path: "/.brama/acs".to_owned(),
            test_environment: None,
            cookies: Cookies::SECURE,
            edge: crate::gateway::settings::Edge::default(),
            maintenance: crate::gateway::settings::Maintenance::default(),
            limits: crate::gateway::limits::Settings::default(),
            outage: None,
            portal_cookies: Vec::new(),
            well_known: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::settings;
    use super::*;

    #[test]
    fn a_host_is_known_whole() {
        for origin in ["https://a.example", "https://a.example:8443"] {
            let settings = settings(origin);
            assert_eq!(settings.standing("a.example"), Standing::Registered);
            assert_eq!(settings.origin_of("a.example"), origin);
            assert!(matches!(settings.standing("b.test"), Standing::Other(_)));
            assert_eq!(settings.origin_of("b.test"), "https://b.test:8443");
            for other in
                ["", "a", "a.example.", "x.a.example", "a.example.evil", "b.tes", "xb.test"]
            {
                assert_eq!(settings.standing(other), Standing::Public, "{other}");
            }
        }
        assert_eq!(settings("http://[::1]:80").standing("[::1]"), Standing::Registered);
        assert_eq!(settings("http://[::1]:80").standing("["), Standing::Public);
    }
}
