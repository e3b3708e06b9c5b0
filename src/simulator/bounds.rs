//! How much the simulator keeps, and a map that forgets its oldest entries.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// The longest request body that is read.
pub const BODY_BYTES: usize = 256 * 1024;
/// How many people may stand before the choice of a person.
pub const TRANSACTIONS: usize = 1_000;
/// How many artifacts may wait to be resolved.
pub const ARTIFACTS: usize = 1_000;
/// How many sessions the simulated node remembers.
pub const SESSIONS: usize = 1_000;
/// How many received messages are kept for people to look at.
pub const REQUESTS: usize = 100;
/// How many service providers may be registered.
pub const SERVICES: usize = 100;
/// How many faults one login may have.
pub const FAULTS: usize = 20;
/// How many connections may be open at each listener.
pub const CONNECTIONS: usize = 1_000;
/// How long an artifact can be resolved.
pub const ARTIFACT_LIFE: Duration = Duration::from_secs(60);
/// How old a message may be.
pub const MESSAGE_AGE: Duration = Duration::from_secs(300);
/// How far the clocks may differ.
pub const SKEW: Duration = Duration::from_secs(60);
/// SAML bindings 3.5.3: the longest `RelayState`.
pub const RELAY_STATE_BYTES: usize = 80;
/// The shortest `ID`: 128 random bits need more, but nothing shorter can hold them.
pub const ID_CHARACTERS: usize = 16;
/// How long the fault `hangs` holds a connection.
pub const HANG: Duration = Duration::from_secs(60);
/// Where an answer ends after all that has no end (the fault `endless`).
pub const ENDLESS: usize = 1 << 30;
/// How much of it is sent at once.
pub const PIECE: usize = 64 * 1024;
/// How long the quirk `slow` waits.
pub const SLOW: Duration = Duration::from_secs(2);
/// How long an answer is under the fault `too-large`.
pub const TOO_LARGE: usize = 1 << 20;

/// The longest file of persons, service providers or a recorded login.
pub const SHEET_BYTES: u64 = 4 << 20;
/// How many entries such a file may have.
pub const SHEET_ENTRIES: usize = 1_000;
/// How many logins are kept for people to look at.
pub const LOGINS: usize = 50;
/// How many messages of one login are kept.
pub const LOGIN_MESSAGES: usize = 10;
/// How much of one message of a login is kept.
pub const LOGIN_MESSAGE_BYTES: usize = 256 * 1024;
/// How many recorded logins a folder may have.
pub const RECORDS: usize = 1_000;
/// How many steps a schedule may have.
pub const SCHEDULE_STEPS: usize = 100;
/// The longest time of a schedule or of a slow handshake.
pub const LONGEST_STEP: Duration = Duration::from_secs(24 * 60 * 60);

/// A map of bounded size: a new entry drives out the oldest.
#[derive(Debug)]
pub(super) struct Bounded<V> {
    limit: usize,
    entries: HashMap<String, V>,
    order: VecDeque<String>,
}

impl<V> Bounded<V> {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, entries: HashMap::new(), order: VecDeque::new() }
    }

    /// Adds an entry, in place of one of the same key.
    pub(super) fn insert(&mut self, key: String, value: V) {
        self.take(&key);
        if self.entries.len() == self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.entries.insert(key, value);
    }

    pub(super) fn find(&self, key: &str) -> Option<&V> {
        self.entries.get(key)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<V> {
        let value = self.entries.remove(key)?;
        self.order.retain(|kept| kept != key);
        Some(value)
    }

    /// Returns the entries, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &V)> {
        self.order.iter().filter_map(|key| self.entries.get_key_value(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_the_oldest_and_keeps_no_trace_of_what_was_taken() {
        let mut map = Bounded::new(3);
        for number in 0..100 {
            map.insert(format!("kept {number}"), number);
            map.insert(format!("taken {number}"), number);
            assert_eq!(map.take(&format!("taken {number}")), Some(number));
        }
        assert_eq!(map.iter().map(|(_, &v)| v).collect::<Vec<_>>(), [98, 99]);
        assert_eq!(map.find("kept 97"), None);
        map.insert("kept 98".to_owned(), 0);
        assert_eq!(map.iter().map(|(_, &v)| v).collect::<Vec<_>>(), [99, 0]);
        assert_eq!(map.order.len(), map.entries.len());
    }
}
