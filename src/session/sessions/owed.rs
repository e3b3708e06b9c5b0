//! Ends that a store still has to be told, because it could not write when they came.
//!
//! A store that no other process uses (a file) need not take an end in for it to hold: this process
//! lets nobody in any more, and has the store forget the session as soon as it writes again. Until
//! then a restart would forget the end, which is told to whoever signs out, and to operators. Where
//! replicas share a store this cannot be: the others would not know.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::SessionKey;
use crate::base::clock::Time;

/// Sessions that have ended, and when they would have anyway.
#[derive(Debug, Default)]
pub(super) struct Owed {
    ends: Mutex<HashMap<SessionKey, Time>>,
    /// How many there are: nearly always none.
    count: AtomicUsize,
}

impl Owed {
    /// Notes an end; says whether there is room for it.
    pub(super) fn note(&self, key: SessionKey, until: Time) -> bool {
        let mut ends = self.lock();
        if ends.len() >= MOST {
            return false;
        }
        ends.insert(key, until);
        self.count.store(ends.len(), Ordering::Release);
        true
    }

    /// Tells whether a session has ended, and the store does not know.
    pub(super) fn has(&self, key: SessionKey) -> bool {
        self.count() > 0 && self.lock().contains_key(&key)
    }

    /// Returns how many there are.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Forgets one that the store knows now.
    pub(super) fn settle(&self, key: SessionKey) {
        let mut ends = self.lock();
        ends.remove(&key);
        self.count.store(ends.len(), Ordering::Release);
    }

    /// Returns some of them, without those that are over by now.
    pub(super) fn some(&self, now: Time) -> Vec<SessionKey> {
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
/// How many the store is told of in one go.
const AT_ONCE: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_owed_until_it_is_settled_or_would_have_come_anyway() {
        let (owed, at) = (Owed::default(), |second| Time::from_second(second).unwrap());
        let [one, two, other] = [1, 2, 3].map(|byte| SessionKey::from_bytes([byte; 32]));
        assert!(owed.note(one, at(10)) && owed.note(two, at(20)));
        assert!(owed.has(one) && owed.has(two) && !owed.has(other));
        owed.settle(one);
        assert!(!owed.has(one));
        assert_eq!(owed.some(at(19)), [two]);
        assert_eq!(owed.some(at(20)), []);
        assert_eq!(owed.count(), 0);
    }
}
