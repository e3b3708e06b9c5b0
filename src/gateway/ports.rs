//! The ports that a client may have come to.
//!
//! A client writes into `Host` what it likes, and a portal makes links of it. The name is one of a
//! route. A port is told to upstreams only where one of our listeners has it, or the address of the
//! portal on that host (`portal.public_url`, `portal.other_urls`): a listener may be reached
//! through another port. In place of any other port stands that of the portal's address there, or
//! none.

use crate::gateway::settings::Settings;
use crate::request::host::Host;

/// The ports of our listeners.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ports(pub Vec<u16>);

impl Ports {
    /// Returns a host that a client named, with a port at which we are reached.
    #[must_use]
    pub fn reached(&self, settings: &Settings, host: Host, is_tls: bool) -> Host {
        match host.port() {
            None => host,
            Some(port) if self.0.contains(&port) => host,
            Some(_) => known(settings, host, is_tls),
        }
    }
}

/// Returns a host with the port of its portal's address.
fn known(settings: &Settings, host: Host, is_tls: bool) -> Host {
    let origin = settings.known_origin(host.name());
    let authority = origin.and_then(|origin| Some(origin.split_once("://")?.1));
    let authority = authority.unwrap_or(host.name());
    Host::parse(authority.as_bytes(), is_tls).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::portals::testing::settings;

    #[test]
    fn a_host_has_a_port_of_ours_or_that_of_its_portal_or_none() {
        let (settings, ports) = (settings("https://a.example"), Ports(vec![8080]));
        for (named, expected) in [
            ("a.example", "a.example"),
            ("a.example:8080", "a.example:8080"),
            ("a.example:9", "a.example"),
            ("b.test", "b.test"),
            ("b.test:9", "b.test:8443"),
            ("b.test:8443", "b.test:8443"),
            ("c.example:8080", "c.example:8080"),
            ("c.example:8443", "c.example"),
            ("[::1]:9", "[::1]"),
        ] {
            let host = Host::parse(named.as_bytes(), true).unwrap();
            assert_eq!(ports.reached(&settings, host, true).authority(), expected, "{named}");
        }
    }
}
