//! Remembers what was used, so that it cannot be used again, on whatever replica.
//!
//! A use may be noted although the store does not answer, as when a server is replaced. So each is
//! noted with a mark of its own, and asked for until there is an answer (`super::insist`): what has
//! our mark is our use, and no second one.
//!
//! Nothing is forgotten early. When there is no room, nothing new can be proven to be unused, and
//! logins are refused until entries expire.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use super::insist::{Deadline, insist};
use crate::base::clock::Time;
use crate::base::random;
use crate::store::{Key, Kind, Record, RecordStore, Unavailable};

/// Why something may not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It was used before.
    #[error("used before")]
    Used,
    /// It cannot be remembered, or not be told.
    #[error("{0}")]
    Store(#[from] Unavailable),
}

/// Remembers artifacts and assertions that were used, in the store.
pub struct ReplayGuard(Arc<dyn RecordStore>);

impl ReplayGuard {
    /// Makes a guard that remembers in a store.
    #[must_use]
    pub fn new(store: Arc<dyn RecordStore>) -> Self {
        Self(store)
    }

    /// Tells whether a thing was used, without noting anything.
    ///
    /// # Errors
    /// When it was used before, or cannot be told.
    pub async fn is_unused(&self, fingerprint: [u8; 32], now: Time) -> Result<(), Error> {
        match self.0.get(key(fingerprint), now).await? {
            None => Ok(()),
            Some(_) => Err(Error::Used),
        }
    }

    /// Notes the use of a thing, which must be the first one before `until`. A store that does not
    /// answer is asked again before the deadline.
    ///
    /// # Errors
    /// When it was used before, or cannot be remembered.
    pub async fn first_use(
        &self,
        fingerprint: [u8; 32],
        until: Time,
        now: Time,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let (key, mark) = (key(fingerprint), Bytes::copy_from_slice(&random::bytes::<16>()));
        let record = Record {
            sealed: Bytes::new(),
            label: mark.clone(),
            owner: None,
            alive: 0,
            expires: until,
        };
        let is_first = AtomicBool::new(true);
        let is_noted = insist(deadline, || {
            let (record, mark, is_first) = (record.clone(), &mark, &is_first);
            async move {
                let is_again = !is_first.swap(false, Ordering::Relaxed);
                if self.0.put_new(key, record, now).await? {
                    return Ok(true);
                }
                Ok(is_again
                    && self.0.get(key, now).await?.is_some_and(|found| found.label == *mark))
            }
        });
        if is_noted.await? { Ok(()) } else { Err(Error::Used) }
    }
}

fn key(fingerprint: [u8; 32]) -> Key {
    Key { kind: Kind::Used, digest: fingerprint }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::flow::insist::PATIENCE;
    use crate::flow::losing::{Line, Losing};
    use crate::store::memory::Memory;

    fn at(second: i64) -> Time {
        Time::from_second(second).unwrap()
    }

    fn soon() -> Deadline {
        Deadline::after(PATIENCE)
    }

    #[tokio::test]
    async fn refuses_a_second_use_until_it_expires() {
        let guard = ReplayGuard::new(Arc::new(Memory::new(10)));
        assert_eq!(guard.first_use([1; 32], at(10), at(0), soon()).await, Ok(()));
        assert_eq!(guard.first_use([1; 32], at(10), at(9), soon()).await, Err(Error::Used));
        assert_eq!(guard.is_unused([1; 32], at(9)).await, Err(Error::Used));
        assert_eq!(guard.is_unused([2; 32], at(9)).await, Ok(()));
        assert_eq!(guard.first_use([2; 32], at(10), at(9), soon()).await, Ok(()));
        assert_eq!(guard.first_use([1; 32], at(20), at(10), soon()).await, Ok(()));
    }

    #[tokio::test]
    async fn refuses_rather_than_forget_when_it_is_full() {
        let guard = ReplayGuard::new(Arc::new(Memory::new(2)));
        for number in [1, 2] {
            guard.first_use([number; 32], at(10), at(0), soon()).await.unwrap();
        }
        let full = guard.first_use([3; 32], at(10), at(9), soon()).await;
        assert!(matches!(full, Err(Error::Store(_))), "{full:?}");
        assert_eq!(guard.first_use([1; 32], at(10), at(9), soon()).await, Err(Error::Used));
        assert_eq!(guard.first_use([3; 32], at(20), at(10), soon()).await, Ok(()));
    }

    /// Has a thing used while the line to the store is so for a second, and is good afterwards.
    async fn used_while(guard: &ReplayGuard, store: &Losing, line: Line) -> Result<(), Error> {
        store.becomes(line);
        let (used, ()) = tokio::join!(guard.first_use([1; 32], at(10), at(0), soon()), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            store.becomes(Line::Good);
        });
        used
    }

    #[tokio::test(start_paused = true)]
    async fn a_use_whose_answer_was_lost_is_ours_and_the_only_one() {
        for line in [Line::Deaf, Line::Cut] {
            let store = Losing::new();
            let guard = ReplayGuard::new(store.clone());
            assert_eq!(used_while(&guard, &store, line).await, Ok(()), "{line:?}");
            let again = guard.first_use([1; 32], at(10), at(0), soon()).await;
            assert_eq!(again, Err(Error::Used), "{line:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_use_by_another_is_not_taken_for_ours_when_the_answer_was_lost() {
        for line in [Line::Deaf, Line::Cut] {
            let store = Losing::new();
            let other = ReplayGuard::new(store.clone());
            other.first_use([1; 32], at(10), at(0), soon()).await.unwrap();
            let guard = ReplayGuard::new(store.clone());
            let used = used_while(&guard, &store, line).await;
            assert_eq!(used, Err(Error::Used), "{line:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_whose_answers_were_lost_one_is_the_first() {
        for line in [Line::Deaf, Line::Cut] {
            let store = Losing::new();
            let (one, other) = (ReplayGuard::new(store.clone()), ReplayGuard::new(store.clone()));
            let uses =
                tokio::join!(used_while(&one, &store, line), used_while(&other, &store, line));
            let firsts = [&uses.0, &uses.1].iter().filter(|used| used.is_ok()).count();
            assert_eq!(firsts, 1, "{line:?} {uses:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_stays_away_proves_nothing_to_be_unused() {
        let store = Losing::new();
        store.becomes(Line::Cut);
        let used = ReplayGuard::new(store).first_use([1; 32], at(10), at(0), soon()).await;
        assert!(matches!(used, Err(Error::Store(_))), "{used:?}");
    }
}
