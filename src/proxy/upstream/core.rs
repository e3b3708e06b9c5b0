//! What the servers of a group have in common.

use std::time::Instant;

use tokio::sync::{Notify, watch};

use super::standing::{Moment, Rules};

/// What the servers of a group have in common.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) name: String,
    pub(super) rules: Rules,
    began: Instant,
    changes: watch::Sender<u64>,
    /// A request could not connect: the names may mean other addresses by now.
    pub(super) resolve_now: Notify,
}

impl Core {
    pub(super) fn new(name: String, rules: Rules, began: Instant) -> Self {
        let (changes, resolve_now) = (watch::Sender::new(0), Notify::new());
        Self { name, rules, began, changes, resolve_now }
    }

    /// Returns what tells of changes: servers that came, left, went down or came back.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Returns a point in time as the standing of servers counts it.
    #[inline]
    pub(super) fn moment(&self, now: Instant) -> Moment {
        let passed = now.saturating_duration_since(self.began);
        passed.as_secs() * 1000 + u64::from(passed.subsec_millis()) + 1
    }

    /// Tells its followers that something about the servers is different.
    pub(super) fn changed(&self) {
        self.changes.send_modify(|version| *version = version.wrapping_add(1));
    }
}
