//! Ends that a store still has to be told, because it could not write when they came.
//!
//! A store that no other process uses (a file) need not take an end in for it to hold: this process
//! lets no browser in with it any more, and has the store forget the session as soon as it writes again. Until
//! then a restart would forget the end, which is told to whoever signs out, and to operators. Where
//! replicas share a store this cannot be: the others would not know.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::SessionKey;
use crate::base::clock::Time;

/// Sessions that have ended, and when they would have anyway.
#[derive(Debug, Default)]
pub(super) struct Owed {
    ends: Mutex<HashMap<SessionKey, Time>>,
    /// How many there are: nearly always none.
    count: AtomicUsize,
    /// Another process has the store by now, and is told of no end any more.
    is_left: AtomicBool,
}

/// What became of an end that was to be noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    /// It is noted.
    First,
    /// It was noted before, by another caller.
    Before,
    /// It cannot hold in memory alone: there are too many, or the store is left to another process.
    NotTaken,
}

impl Owed {
    /// Notes an end, for one caller.
    pub(super) fn note(&self, key: SessionKey, until: Time) -> Noted {
        let mut ends = self.lock();
        if ends.contains_key(&key) {
            return Noted::Before;
        }
        if ends.len() >= MOST || self.is_left.load(Ordering::Acquire) {
            return Noted::NotTaken;
        }
        ends.insert(key, until);
        self.count.store(ends.len(), Ordering::Release);
        Noted::First
    }

    /// Notes no further end, since the store is not this process's any more; says whether it was
    /// until now.
    pub(super) fn leave(&self) -> bool {
        let _ends = self.lock();
        !self.is_left.swap(true, Ordering::AcqRel)
    }

    /// Tells whether a session has ended, and the store does not know.
    pub(super) fn has(&self, key: SessionKey) -> bool {
        self.count() > 0 && self.lock().contains_key(&key)
    }

    /// Returns how many there are.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Forgets one that the store knows now; says whether it was noted.
    pub(super) fn settle(&self, key: SessionKey) -> bool {
        if self.count() == 0 {
            return false;
        }
        let mut ends = self.lock();
        let was_noted = ends.remove(&key).is_some();
        self.count.store(ends.len(), Ordering::Release);
        was_noted
    }

    /// Returns some that the store has to be told of, without those that are over by now.
    pub(super) fn unsettled(&self, now: Time) -> Vec<SessionKey> {
        let mut ends = self.lock();
        ends.retain(|_, until| now < *until);
        self.count.store(ends.len(), Ordering::Release);
        ends.keys().take(AT_ONCE).copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionKey, Time>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many ends there may be; a sign-out beyond them is put off until the store writes again.
const MOST: usize = 100_000;
/// How many the store is told of in one go, side by side.
const AT_ONCE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_owed_until_it_is_settled_or_would_have_come_anyway() {
        let (owed, at) = (Owed::default(), |second| Time::from_second(second).unwrap());
        let [one, two, other] = [1, 2, 3].map(|byte| SessionKey::from_bytes([byte; 32]));
        assert_eq!([owed.note(one, at(10)), owed.note(two, at(20))], [Noted::First; 2]);
        assert_eq!(owed.note(one, at(10)), Noted::Before);
        assert!(owed.has(one) && owed.has(two) && !owed.has(other));
        assert!(owed.settle(one) && !owed.settle(one) && !owed.has(one));
        assert_eq!(owed.unsettled(at(19)), [two]);
        assert_eq!(owed.unsettled(at(20)), []);
        assert_eq!(owed.count(), 0);
        // Once another process has the store, an end here would hold nowhere.
        assert!(owed.leave() && !owed.leave());
        assert_eq!(owed.note(other, at(30)), Noted::NotTaken);
        assert!(!owed.has(other));
    }

    #[test]
    fn there_are_as_many_as_there_may_be_and_the_store_is_told_of_some_at_once() {
        let (owed, end) = (Owed::default(), Time::from_second(10).unwrap());
        let key = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            SessionKey::from_bytes(bytes)
        };
        assert_eq!(owed.unsettled(Time::MIN), []);
        assert!((0..MOST).all(|number| owed.note(key(number), end) == Noted::First));
        assert_eq!(owed.note(key(MOST), end), Noted::NotTaken);
        assert_eq!(owed.note(key(0), end), Noted::Before);
        assert_eq!(owed.count(), MOST);
        assert_eq!(owed.unsettled(Time::MIN).len(), AT_ONCE);
        // Whoever is told of makes room.
        assert!(owed.settle(key(0)));
        assert_eq!(owed.note(key(MOST), end), Noted::First);
    }
}
