//! Lists of networks in the configuration: whose word is taken, who may pass.

use std::net::IpAddr;

use ipnet::IpNet;

/// Networks. The empty list, which is the default, has no address in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// Something in a list is neither a network nor an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is neither a network such as \"10.0.0.0/8\" nor an address")]
pub struct NotANetwork(
    /// Its place in the list.
    pub usize,
);

impl Networks {
    /// Makes a list.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Reads a list; an address stands for itself alone.
    ///
    /// # Errors
    /// When one of them is none.
    pub fn parse(texts: &[String]) -> Result<Self, NotANetwork> {
        let one = |(index, text): (usize, &String)| {
            let network =
                text.parse().or_else(|_| text.parse().map(|address: IpAddr| address.into()));
            network.map_err(|_| NotANetwork(index))
        };
        texts.iter().enumerate().map(one).collect::<Result<_, _>>().map(Self)
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
        let texts = ["10.0.0.0/8", "192.0.2.7", "fd00::/8"].map(str::to_owned);
        let networks = Networks::parse(&texts).unwrap();
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
        for text in ["", "10.0.0.0/33", "10.0.0", "all", "10.0.0.1:80"] {
            let texts = ["::1".to_owned(), text.to_owned()];
            assert_eq!(Networks::parse(&texts), Err(NotANetwork(1)), "{text}");
        }
    }
}
