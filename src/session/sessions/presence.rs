//! Whether the store answers, as far as this process has seen.
//!
//! 1. It is away from the first question that it does not answer until it has taken something in.
//!    So one that is full is away for the log and for readiness, because no citizen can sign in,
//!    although everything in it can be read.
//! 2. The grace counts from the first reading that failed, and is over for no session while reading
//!    works.
//! 3. The log says once that it is away and once that it is back, however often it hesitates
//!    between.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tracing::{info, warn};

use crate::base::clock::Time;
use crate::store::Unavailable;

/// What was seen of the store.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// Since when it is away, in milliseconds since the epoch; zero while it is not.
    away_since: AtomicI64,
    /// Since when nothing can be read, in milliseconds since the epoch; zero while something can.
    unread_since: AtomicI64,
}

impl Presence {
    /// Tells whether it was away when it was asked last.
    pub(super) fn is_away(&self) -> bool {
        self.away_since.load(Ordering::Relaxed) != 0
    }

    /// Returns how long it has been away; zero when it is not.
    pub(super) fn away_for(&self, now: Time) -> Duration {
        match self.away_since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => passed(since, now),
        }
    }

    /// Tells whether nothing could be read when that was tried last.
    pub(super) fn is_unread(&self) -> bool {
        self.unread_since.load(Ordering::Relaxed) != 0
    }

    /// Returns since when nothing can be read, in milliseconds since the epoch; zero while
    /// something can.
    pub(super) fn unread_since(&self) -> i64 {
        self.unread_since.load(Ordering::Relaxed)
    }

    /// Notes what came of reading, or of taking away, for which a full store has room.
    pub(super) fn read<T>(
        &self,
        answer: Result<T, Unavailable>,
        now: Time,
    ) -> Result<T, Unavailable> {
        match &answer {
            Ok(_) => self.unread_since.store(0, Ordering::Relaxed),
            Err(reason) => {
                begin(&self.unread_since, now);
                self.leaves(reason, now);
            }
        }
        answer
    }

    /// Notes what came of giving the store something to keep.
    pub(super) fn wrote<T>(
        &self,
        answer: Result<T, Unavailable>,
        now: Time,
    ) -> Result<T, Unavailable> {
        match &answer {
            Ok(_) => {
                self.unread_since.store(0, Ordering::Relaxed);
                if self.away_since.swap(0, Ordering::Relaxed) != 0 {
                    info!("session store is back");
                }
            }
            Err(reason) => self.leaves(reason, now),
        }
        answer
    }

    fn leaves(&self, reason: &Unavailable, now: Time) {
        if begin(&self.away_since, now) {
            warn!(%reason, "session store is away: sessions that are near go on for the grace, nobody can sign in");
        }
    }
}

/// Notes since when something is so, and says whether it was not noted before.
fn begin(since: &AtomicI64, now: Time) -> bool {
    let (moment, how) = (now.as_millisecond().max(1), Ordering::Relaxed);
    since.compare_exchange(0, moment, how, how).is_ok()
}

/// How much time has passed since a moment in milliseconds since the epoch.
pub(super) fn passed(since: i64, now: Time) -> Duration {
    Duration::from_millis(u64::try_from(now.as_millisecond().saturating_sub(since)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails<T>() -> Result<T, Unavailable> {
        Err(Unavailable("it is away".to_owned()))
    }

    #[test]
    fn a_store_that_is_full_is_away_until_it_takes_something_in() {
        let (presence, begin) = (Presence::default(), Time::UNIX_EPOCH);
        let at = |seconds| crate::base::clock::later(begin, Duration::from_secs(seconds));
        let _ = presence.wrote(fails::<()>(), at(10));
        assert!(presence.is_away() && !presence.is_unread());
        // That it can be read says nothing about what it takes in.
        let _ = presence.read(Ok(()), at(20));
        assert!(presence.is_away());
        let _ = presence.wrote(fails::<()>(), at(20));
        assert_eq!(presence.away_for(at(25)), Duration::from_secs(15));
        let _ = presence.wrote(Ok(()), at(30));
        assert!(!presence.is_away());
        assert_eq!(presence.away_for(at(35)), Duration::ZERO);
    }

    #[test]
    fn it_is_unread_since_the_first_reading_that_failed() {
        let (presence, begin) = (Presence::default(), Time::UNIX_EPOCH);
        let at = |seconds| crate::base::clock::later(begin, Duration::from_secs(seconds));
        let _ = presence.wrote(fails::<()>(), at(900));
        let _ = presence.read(fails::<()>(), at(1000));
        let _ = presence.read(fails::<()>(), at(1200));
        assert!(presence.is_unread());
        assert_eq!(passed(presence.unread_since(), at(1299)), Duration::from_secs(299));
        // An answer in between begins it anew.
        let _ = presence.read(Ok(()), at(1300));
        assert!(!presence.is_unread() && presence.is_away());
        let _ = presence.read(fails::<()>(), at(1400));
        assert_eq!(passed(presence.unread_since(), at(1400)), Duration::ZERO);
        // What takes something in can be read too.
        let _ = presence.wrote(Ok(()), at(1500));
        assert!(!presence.is_unread() && !presence.is_away());
    }
}
