//! Remembers what was used, so that it cannot be used again, on whatever replica.
//!
//! Nothing is forgotten early. When there is no room, nothing new can be proven to be unused, and
//! logins are refused until entries expire.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::clock::Time;
use crate::store::{Key, Kind, Record, RecordStore, Unavailable};

/// Why something may not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
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
    pub async fn is_unused(&self, fingerprint: [u8; 32], now: Time) -> Result<(), Refused> {
        match self.0.get(key(fingerprint), now).await? {
            None => Ok(()),
            Some(_) => Err(Refused::Used),
        }
    }

    /// Notes the use of a thing, which must be the first one before `until`.
    ///
    /// # Errors
    /// When it was used before, or cannot be remembered.
    pub async fn first_use(
        &self,
        fingerprint: [u8; 32],
        until: Time,
        now: Time,
    ) -> Result<(), Refused> {
        let record = Record {
            sealed: Bytes::new(),
            label: Bytes::new(),
            owner: None,
            alive: 0,
            expires: until,
        };
        if self.0.put_new(key(fingerprint), record, now).await? {
            Ok(())
        } else {
            Err(Refused::Used)
        }
    }
}

fn key(fingerprint: [u8; 32]) -> Key {
    Key { kind: Kind::Used, digest: fingerprint }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    fn at(second: i64) -> Time {
        Time::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn refuses_a_second_use_until_it_expires() {
        let guard = ReplayGuard::new(Arc::new(Memory::new(10)));
        assert_eq!(guard.first_use([1; 32], at(10), at(0)).await, Ok(()));
        assert_eq!(guard.first_use([1; 32], at(10), at(9)).await, Err(Refused::Used));
        assert_eq!(guard.is_unused([1; 32], at(9)).await, Err(Refused::Used));
        assert_eq!(guard.is_unused([2; 32], at(9)).await, Ok(()));
        assert_eq!(guard.first_use([2; 32], at(10), at(9)).await, Ok(()));
        assert_eq!(guard.first_use([1; 32], at(20), at(10)).await, Ok(()));
    }

    #[tokio::test]
    async fn refuses_rather_than_forget_when_it_is_full() {
        let guard = ReplayGuard::new(Arc::new(Memory::new(2)));
        for number in [1, 2] {
            guard.first_use([number; 32], at(10), at(0)).await.unwrap();
        }
        let full = guard.first_use([3; 32], at(10), at(9)).await;
        assert!(matches!(full, Err(Refused::Store(_))), "{full:?}");
        assert_eq!(guard.first_use([1; 32], at(10), at(9)).await, Err(Refused::Used));
        assert_eq!(guard.first_use([3; 32], at(20), at(10)).await, Ok(()));
    }
}
