//! Remembers what was used, so that it cannot be used again.
//!
//! Bounded: when it is full, nothing new can be proven to be unused, and logins are refused until
//! entries expire. Nothing is forgotten early.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::base::clock::{Time, later};

/// The entries that are kept at the most: some 100 bytes each.
const MAXIMUM: usize = 1_000_000;

/// Why something may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was used before.
    #[error("used before")]
    Used,
    /// There is no room to remember it.
    #[error("replay guard is full")]
    Full,
}

/// The guard.
#[derive(Debug)]
pub struct ReplayGuard {
    used: Mutex<Used>,
    maximum: usize,
}

#[derive(Debug, Default)]
struct Used {
    until: HashMap<[u8; 32], Time>,
    /// When to look for expired entries again: at twice the size that was left last time.
    sweep_at: usize,
    /// When that was done last.
    swept: Option<Time>,
}

impl Default for ReplayGuard {
    fn default() -> Self {
        Self::with_maximum(MAXIMUM)
    }
}

impl ReplayGuard {
    /// Makes a guard that remembers so many things.
    #[must_use]
    pub fn with_maximum(maximum: usize) -> Self {
        Self { used: Mutex::default(), maximum }
    }

    /// Tells whether a thing was used, without noting anything.
    ///
    /// # Errors
    /// When it was used before.
    pub fn is_unused(&self, fingerprint: [u8; 32], now: Time) -> Result<(), Refused> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match used.until.get(&fingerprint) {
            Some(&until) if now < until => Err(Refused::Used),
            _ => Ok(()),
        }
    }

    /// Notes the use of a thing, which must be the first one before `until`.
    ///
    /// # Errors
    /// When it was used before, or cannot be remembered.
    pub fn first_use(&self, fingerprint: [u8; 32], until: Time, now: Time) -> Result<(), Refused> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.until.get(&fingerprint).is_some_and(|&until| now < until) {
            return Err(Refused::Used);
        }
        let due = used.until.len() >= used.sweep_at.max(1024).min(self.maximum);
        // At most once a second: a full guard is not searched through for every request.
        if due && used.swept.is_none_or(|swept| now >= later(swept, Duration::from_secs(1))) {
            used.until.retain(|_, until| now < *until);
            used.sweep_at = used.until.len() * 2;
            used.swept = Some(now);
        }
        if used.until.len() >= self.maximum {
            return Err(Refused::Full);
        }
        used.until.insert(fingerprint, until);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time::from_second(second).unwrap()
    }

    #[test]
    fn refuses_a_second_use_until_it_expires() {
        let guard = ReplayGuard::default();
        assert_eq!(guard.first_use([1; 32], at(10), at(0)), Ok(()));
        assert_eq!(guard.first_use([1; 32], at(10), at(9)), Err(Refused::Used));
        assert_eq!(guard.first_use([2; 32], at(10), at(9)), Ok(()));
        assert_eq!(guard.first_use([1; 32], at(20), at(10)), Ok(()));
    }

    #[test]
    fn refuses_rather_than_forget_when_it_is_full() {
        let guard = ReplayGuard::with_maximum(2);
        for n in 0..2 {
            assert_eq!(guard.first_use([n; 32], at(10), at(0)), Ok(()));
        }
        assert_eq!(guard.first_use([9; 32], at(10), at(0)), Err(Refused::Full));
        assert_eq!(guard.first_use([9; 32], at(20), at(11)), Ok(()));
    }

    #[test]
    fn stays_small_while_entries_expire() {
        let guard = ReplayGuard::default();
        for n in 0..20_000_i64 {
            let mut fingerprint = [0; 32];
            fingerprint[..8].copy_from_slice(&n.to_be_bytes());
            guard.first_use(fingerprint, at(n + 10), at(n)).unwrap();
        }
        assert!(guard.used.lock().unwrap().until.len() <= 1024);
    }
}
