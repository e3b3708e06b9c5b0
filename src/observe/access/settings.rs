//! How the access log is written: its form, its target, and how much it tells of a client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::observe::writer::Target;

/// How the access log is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What a line looks like.
    pub format: Format,
    /// Where the lines go.
    pub target: Target,
    /// How much of an address is written.
    pub addresses: Addresses,
    /// Whether the query is written too.
    pub query: bool,
}

impl Settings {
    /// The settings of a log that writes nothing.
    #[must_use]
    pub fn off() -> Self {
        Self {
            format: Format::Off,
            target: Target::Stdout,
            addresses: Addresses::Masked,
            query: false,
        }
    }
}

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// There is no access log.
    Off,
    /// For people at a terminal.
    Text,
    /// One JSON object a line.
    Json,
    /// The combined format of web servers.
    Combined,
}

/// How much of an address is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// The whole address.
    Full,
    /// Without the last 8 bits of IPv4 and the last 80 of IPv6, which tell one household from
    /// another.
    Masked,
    /// No address at all.
    Off,
}

impl Addresses {
    /// Returns as much of an address as is written; an IPv4 address is one, in whatever form it came.
    #[must_use]
    pub fn shown(self, address: IpAddr) -> Option<IpAddr> {
        match self {
            Self::Full => Some(address.to_canonical()),
            Self::Masked => Some(masked(address)),
            Self::Off => None,
        }
    }
}

/// Returns an address without the part that tells one household from another. An IPv4 address is
/// masked as one, in whatever form it came.
#[must_use]
pub fn masked(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
        }
    }
}
