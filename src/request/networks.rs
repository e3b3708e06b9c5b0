//! Lists of networks: proxies that are believed, clients that may pass. How they are written is
//! told by `config::file::Network`.

use std::net::IpAddr;

use ipnet::IpNet;

/// Networks. The empty list, which is the default, has no address in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Makes a list; the order does not matter.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether an address is in one of them. An IPv4 address written as IPv6 is the same.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        !self.0.is_empty() && {
            let address = address.to_canonical();
            self.0.iter().any(|network| network.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_a_network_or_not() {
        let networks = ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"].map(|text| text.parse().unwrap());
        let networks = Networks::new(networks.to_vec());
        assert!(!networks.is_empty() && Networks::default().is_empty());
        for (address, is_in) in [
            ("10.255.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("192.0.2.7", true),
            ("fd12::1", true),
            ("11.0.0.1", false),
            ("192.0.2.8", false),
            ("2001:db8::1", false),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(networks.contains(address), is_in, "{address}");
            assert!(!Networks::default().contains(address));
        }
    }
}
