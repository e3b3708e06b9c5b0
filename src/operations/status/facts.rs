//! What a gateway knows of itself at a moment.

use super::durations::Spreads;
use crate::base::clock::Time;

/// Knows how the gateway is.
pub trait Source: Send + Sync + 'static {
    /// Says how it is now.
    fn facts(&self) -> Facts;

    /// Says what was counted until now.
    fn totals(&self) -> Totals;
}

/// How a gateway is.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When that was.
    pub now: Time,
    /// The name of the portal.
    pub portal: String,
    /// The name of the test environment; none in production.
    pub environment: Option<String>,
    /// The version of the program.
    pub version: &'static str,
    /// When the process began.
    pub began: Time,
    /// When the configuration in use was taken.
    pub configured: Time,
    /// Whether the last configuration that was read is in use.
    pub is_configuration_in_use: bool,
    /// Whether it stops.
    pub is_leaving: bool,
    /// How many sessions are near, and how many may be.
    pub sessions: (u64, u64),
    /// How many connections are open, and how many may be.
    pub connections: (u64, u64),
    /// How many exchanges with the node are under way, and how many may be.
    pub exchanges: (u64, u64),
    /// Where records are kept.
    pub store: Store,
    /// Whether the keys of identities are kept where they should be.
    pub are_keys_kept: bool,
    /// Whether records of the audit log can be written, or there is none.
    pub is_audit_well: bool,
    /// The alarms that go on, as metrics name them.
    pub alarms: Vec<&'static str>,
    /// Certificates.
    pub certificates: Vec<Certificate>,
    /// Groups of servers behind.
    pub upstreams: Vec<Upstream>,
    /// What was counted until now.
    pub totals: Totals,
}

/// The place where records are kept.
#[derive(Debug, Clone)]
pub struct Store {
    /// `memory`, `file` or `redis`.
    pub name: &'static str,
    /// Whether it answered when it was asked last.
    pub is_up: bool,
    /// Whether it is heard what other replicas tell.
    pub hears: bool,
    /// How many gateways share it; nothing when that is not known.
    pub replicas: Option<u64>,
}

/// A certificate.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// What it is for, as metrics name it: `citizens`, `signing`, `node` and so on.
    pub used_for: &'static str,
    /// Whose it is.
    pub name: String,
    /// When it ends.
    pub not_after: Time,
}

/// A group of servers.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Its name in the configuration.
    pub name: String,
    /// How many requests wait for a server.
    pub pending: usize,
    /// Its servers.
    pub servers: Vec<Server>,
}

/// A server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Address with port, or the path of a socket file.
    pub address: String,
    /// Its state, as metrics name it.
    pub state: &'static str,
    /// Whether it gets requests.
    pub is_well: bool,
    /// How many requests it has.
    pub requests: u32,
}

/// What was counted since the process began. Each only grows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Logins that began.
    pub begun: u64,
    /// Logins that ended in a session.
    pub signed_in: u64,
    /// Refusals, by reason code.
    pub refused: Vec<(&'static str, u64)>,
    /// Exchanges with the node that went well, and that did not.
    pub exchanges: (u64, u64),
    /// How long things took.
    pub durations: Spreads,
}
