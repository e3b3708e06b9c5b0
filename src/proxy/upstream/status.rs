//! What a group can tell about itself, for metrics and for people.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::group::Group;
use super::server::{Server, ServerId};
use super::standing::{Access, FULL};

/// A group at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its name in the configuration.
    pub name: String,
    /// How many requests are under way.
    pub requests: usize,
    /// How many wait for their turn.
    pub pending: usize,
    /// How many found the queue full, how many waited for nothing, and how many were more than the
    /// share of their client.
    pub refused: [u64; 3],
    /// How many attempts there were after a first one.
    pub retries: u64,
    /// Its servers, and those that left while they have requests.
    pub servers: Vec<ServerStatus>,
}

/// A server at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStatus {
    /// What tells it apart.
    pub id: ServerId,
    /// Address with port, or the path of a socket file.
    pub address: String,
    /// What requests and health checks made of it.
    pub state: State,
    /// How many requests it has.
    pub in_flight: u32,
    /// How many requests it failed in a row.
    pub fails: u32,
    /// How many it ever failed.
    pub failures: u64,
    /// How often it was put out for them.
    pub ejections: u64,
}

/// How a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Well: it gets its full share of the requests.
    Up,
    /// Well, and in its slow start.
    Starting,
    /// Out, because requests failed.
    Ejected,
    /// Out, because health checks failed.
    Down,
    /// Left the group, and still has requests.
    Draining,
}

impl State {
    /// Every state; the metric has a row for each.
    pub const ALL: [Self; 5] =
        [Self::Up, Self::Starting, Self::Ejected, Self::Down, Self::Draining];

    /// Returns its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Starting => "starting",
            Self::Ejected => "ejected",
            Self::Down => "down",
            Self::Draining => "draining",
        }
    }
}

impl Group {
    /// Tells how the group is.
    #[must_use]
    pub fn status(&self, now: Instant) -> Status {
        let set = self.set();
        let moment = || self.core.moment(now);
        let state = |server: &Server| match server.standing.access(moment) {
            Access::Down => State::Down,
            Access::Ejected | Access::TrialDue => State::Ejected,
            Access::Open if server.standing.share(moment, &self.core.rules) < FULL => {
                State::Starting
            }
            Access::Open => State::Up,
        };
        let here = set.entries.iter().map(|entry| tell(&entry.server, state(&entry.server)));
        let leaving = set.leaving.iter().filter_map(|(_, server)| server.upgrade());
        let leaving = leaving.map(|server| tell(&server, State::Draining));
        Status {
            name: self.core.name.clone(),
            requests: self.gate.requests(),
            pending: self.gate.pending(),
            refused: self.gate.refused(),
            retries: self.retries.value(),
            servers: here.chain(leaving).collect(),
        }
    }
}

fn tell(server: &Server, state: State) -> ServerStatus {
    ServerStatus {
        id: server.id,
        address: server.endpoint.to_string(),
        state,
        in_flight: server.in_flight.0.load(Ordering::Relaxed),
        fails: server.standing.fails(),
        failures: server.failures.load(Ordering::Relaxed),
        ejections: server.ejections.value(),
    }
}
