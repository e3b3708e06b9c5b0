//! The network of a client, which is what shares one line to us; and its address, written.

use std::io::{self, Write};
use std::net::IpAddr;

use ipnet::IpNet;

/// A network, by its first address. All that is counted or shared out among clients is by network:
/// one client can have as many addresses as its line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(IpAddr);

impl Network {
    /// Returns the network of a client, whose prefix has that length. An IPv4 address written as
    /// IPv6 is the same; a length that the address does not have makes it a network of its own.
    #[must_use]
    pub fn of(client: IpAddr, ipv4_prefix: u8, ipv6_prefix: u8) -> Self {
        let client = client.to_canonical();
        let prefix = match client {
            IpAddr::V4(_) => ipv4_prefix,
            IpAddr::V6(_) => ipv6_prefix,
        };
        Self(IpNet::new(client, prefix).map_or(client, |network| network.trunc().addr()))
    }

    /// Returns the first address of the network.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.0
    }
}

/// Writes an address. The machinery of `fmt` would cost a connection over IPv4, or a line of the access log,
/// more than the rest of what is written of it.
///
/// # Errors
/// When `out` cannot take it.
pub fn write_address(out: &mut impl Write, address: IpAddr) -> io::Result<()> {
    let IpAddr::V4(address) = address else { return write!(out, "{address}") };
    let [first, rest @ ..] = address.octets();
    out.write_all(itoa::Buffer::new().format(first).as_bytes())?;
    for octet in rest {
        out.write_all(b".")?;
        out.write_all(itoa::Buffer::new().format(octet).as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_the_same_prefix_are_one_network() {
        for (one, other, is_same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8:0:100::1", "2001:db8:0:1ff::2", true),
            ("2001:db8:0:100::1", "2001:db8:0:200::1", false),
        ] {
            let [a, b] = [one, other].map(|text| Network::of(text.parse().unwrap(), 32, 56));
            assert_eq!(a == b, is_same, "{one} and {other}");
        }
        let wrong = Network::of("192.0.2.1".parse().unwrap(), 99, 56);
        assert_eq!(wrong.address(), "192.0.2.1".parse::<IpAddr>().unwrap());
    }
}
