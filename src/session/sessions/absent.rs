//! What is known not to be in the store, so that it is not asked for the same again, for a moment.

use std::time::Duration;

use moka::sync::Cache;

use crate::base::clock::{Time, later};
use crate::store::Key;

/// What was just asked for and is not in the store: in which round, and until when that is good.
pub(super) struct Absent(Cache<Key, (u64, Time)>);

impl Absent {
    pub(super) fn new() -> Self {
        let known = Cache::builder()
            .max_capacity(ABSENT)
            // Only for tidiness: how long it is good is decided by our own clock.
            .time_to_live(10 * ABSENT_LIFE)
            .build();
        Self(known)
    }

    /// Notes that the store, asked in a round, has nothing there.
    pub(super) fn note(&self, key: Key, round: u64, now: Time) {
        self.0.insert(key, (round, later(now, ABSENT_LIFE)));
    }

    /// Forgets it, because there is something now.
    pub(super) fn forget(&self, key: Key) {
        self.0.invalidate(&key);
    }

    /// Tells whether the store said so a moment ago, in this very round.
    pub(super) fn is_known(&self, key: Key, round: u64, now: Time) -> bool {
        self.0.get(&key).is_some_and(|(noted, until)| noted == round && now < until)
    }
}

/// Of how many records a process remembers that they are not in the store, and how long.
const ABSENT: u64 = 10_000;
pub(super) const ABSENT_LIFE: Duration = Duration::from_secs(30);
