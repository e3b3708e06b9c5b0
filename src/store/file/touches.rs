//! New times of records that are not on the disk yet.
//!
//! They are answered at once, written together with whatever is written next, and seen by readers
//! meanwhile. What could not be written waits for the next attempt.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::{Key, Record, Touch};

/// The times, by record.
#[derive(Default)]
pub(super) struct Touches {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Pending,
    /// Under the pen; still to be seen, because a reader may see what was before.
    writing: Pending,
}

/// The latest times of each record.
pub(super) type Pending = HashMap<Key, Touch>;

/// What became of touches that were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    /// They are the first that wait: the writer has to be told.
    First,
    /// Others wait already, so the writer knows.
    More,
    /// Too many wait, and none of these was added.
    Full,
}

impl Touches {
    /// Adds touches, all or none of them.
    pub(super) fn add(&self, touches: Vec<Touch>) -> Added {
        let mut state = self.lock();
        if state.waiting.len() + touches.len() > MAXIMUM {
            return Added::Full;
        }
        let is_first = state.waiting.is_empty() && !touches.is_empty();
        for touch in touches {
            merge(&mut state.waiting, touch);
        }
        if is_first { Added::First } else { Added::More }
    }

    /// Hands over what waits, to be written. [`Self::written`] or [`Self::failed`] follows.
    pub(super) fn begin(&self) -> Vec<Touch> {
        let mut state = self.lock();
        state.writing = std::mem::take(&mut state.waiting);
        state.writing.values().copied().collect()
    }

    /// Forgets what is on the disk now.
    pub(super) fn written(&self) {
        self.lock().writing.clear();
    }

    /// Keeps what was not written.
    pub(super) fn failed(&self) {
        let mut state = self.lock();
        for (_, touch) in std::mem::take(&mut state.writing) {
            merge(&mut state.waiting, touch);
        }
    }

    /// Returns what is not on the disk yet of one record.
    pub(super) fn of(&self, key: Key) -> Pending {
        let state = self.lock();
        let mut found = Pending::new();
        for touch in [state.writing.get(&key), state.waiting.get(&key)].into_iter().flatten() {
            merge(&mut found, *touch);
        }
        found
    }

    /// Returns all that is not on the disk yet.
    pub(super) fn all(&self) -> Pending {
        let state = self.lock();
        let mut found = state.writing.clone();
        for touch in state.waiting.values() {
            merge(&mut found, *touch);
        }
        found
    }

    /// Says whether all is on the disk.
    pub(super) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.waiting.is_empty() && state.writing.is_empty()
    }

    /// Says whether some are under the pen.
    #[cfg(test)]
    pub(super) fn are_being_written(&self) -> bool {
        !self.lock().writing.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets the times of a touch, which only go forward; says whether anything changed.
pub(super) fn apply(record: &mut Record, touch: &Touch) -> bool {
    let changes = touch.alive > record.alive || touch.expires > record.expires;
    record.alive = record.alive.max(touch.alive);
    record.expires = record.expires.max(touch.expires);
    changes
}

fn merge(pending: &mut Pending, touch: Touch) {
    match pending.entry(touch.key) {
        Entry::Vacant(entry) => {
            entry.insert(touch);
        }
        Entry::Occupied(mut entry) => {
            let known = entry.get_mut();
            known.alive = known.alive.max(touch.alive);
            known.expires = known.expires.max(touch.expires);
        }
    }
}

/// How many touches may wait: those of a minute of a large portal while the disk is away.
const MAXIMUM: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::super::super::{Kind, contract};
    use super::*;

    fn touch(number: u64, seconds: u64) -> Touch {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        let time = contract::after(crate::base::clock::Time::UNIX_EPOCH, seconds);
        let key = Key { kind: Kind::Session, digest };
        Touch { key, alive: time.as_millisecond(), expires: time }
    }

    #[test]
    fn touches_are_seen_until_they_are_written() {
        let touches = Touches::default();
        assert_eq!(touches.add(vec![touch(1, 5)]), Added::First);
        assert_eq!(touches.add(vec![touch(1, 3), touch(2, 3)]), Added::More);
        let key = touch(1, 0).key;
        assert_eq!(touches.of(key)[&key], touch(1, 5), "only forwards");
        assert_eq!(touches.begin().len(), 2);
        assert_eq!(touches.add(vec![touch(1, 9)]), Added::First);
        assert_eq!(touches.of(key)[&key], touch(1, 9));
        assert_eq!(touches.all().len(), 2);
        touches.written();
        assert_eq!(touches.all().len(), 1);
    }

    #[test]
    fn touches_that_failed_wait_again() {
        let touches = Touches::default();
        assert_eq!(touches.add(Vec::new()), Added::More, "nobody has to be told of nothing");
        touches.add(vec![touch(1, 5)]);
        touches.begin();
        touches.failed();
        assert_eq!(touches.begin(), [touch(1, 5)]);
    }

    #[test]
    fn touches_do_not_pile_up_without_end() {
        let touches = Touches::default();
        let many = (0..MAXIMUM as u64).map(|number| touch(number, 1)).collect();
        assert_eq!(touches.add(many), Added::First);
        assert_eq!(touches.add(vec![touch(u64::MAX, 1)]), Added::Full);
    }
}
