//! How the access log is written: its form, its target, and how much it tells of a client.

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
