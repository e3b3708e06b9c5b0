//! Where the operations listener is asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Returns where a listener is asked from the same machine: one at every address, on loopback.
#[must_use]
pub fn reachable(mut listens: SocketAddr) -> SocketAddr {
    if listens.ip().is_unspecified() {
        listens.set_ip(match listens.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_at_every_address_is_asked_on_loopback() {
        for (listens, asked) in [
            ("0.0.0.0:9480", "127.0.0.1:9480"),
            ("[::]:9480", "[::1]:9480"),
            ("10.1.2.3:9480", "10.1.2.3:9480"),
            ("[fd00::1]:9480", "[fd00::1]:9480"),
        ] {
            assert_eq!(reachable(listens.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
