//! Whether the place answers, as far as this process has seen.
//!
//! 1. It is away from the first question that it does not answer until it has taken something in. So
//!    one that is full is away for the log and for readiness, because nobody can sign in, although
//!    everything in it can be read.
//! 2. The grace counts from the first reading that failed, and is over for nobody while reading works.
//! 3. The log says once that it is away and once that it is back, however often it hesitates between.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use tracing::{info, warn};

use crate::base::clock::Time;
use crate::store::Unavailable;

/// What was seen of the place.
#[derive(Debug, Default)]
pub(super) struct Presence {
    is_away: AtomicBool,
    /// Since when nothing can be read, in milliseconds since the epoch; zero while something can.
    unread_since: AtomicI64,
}

impl Presence {
    /// Tells whether it was away when it was asked last.
    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// Tells whether nothing could be read when that was tried last.
    pub(super) fn is_unread(&self) -> bool {
        self.unread_since.load(Ordering::Relaxed) != 0
    }

    /// Tells whether nothing could be read for no longer than that.
    pub(super) fn has_grace(&self, grace: Duration, now: Time) -> bool {
        let since = now.as_millisecond() - self.unread_since.load(Ordering::Relaxed);
        u128::try_from(since.max(0)).is_ok_and(|since| since < grace.as_millis())
    }

    /// Notes what came of reading, or of taking away, for which a full place has room.
    pub(super) fn read<T>(
        &self,
        answer: Result<T, Unavailable>,
        now: Time,
    ) -> Result<T, Unavailable> {
        match &answer {
            Ok(_) => self.unread_since.store(0, Ordering::Relaxed),
            Err(reason) => {
                let (moment, how) = (now.as_millisecond().max(1), Ordering::Relaxed);
                // Whoever was first has noted it.
                let _ = self.unread_since.compare_exchange(0, moment, how, how);
                self.leaves(reason);
            }
        }
        answer
    }

    /// Notes what came of giving the place something to keep.
    pub(super) fn wrote<T>(&self, answer: Result<T, Unavailable>) -> Result<T, Unavailable> {
        match &answer {
            Ok(_) => {
                self.unread_since.store(0, Ordering::Relaxed);
                if self.is_away.swap(false, Ordering::Relaxed) {
                    info!("session store is back");
                }
            }
            Err(reason) => self.leaves(reason),
        }
        answer
    }

    fn leaves(&self, reason: &Unavailable) {
        if !self.is_away.swap(true, Ordering::Relaxed) {
            warn!(%reason, "session store is away: sessions that are near go on for the grace, nobody can sign in");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(300);

    fn fails<T>() -> Result<T, Unavailable> {
        Err(Unavailable("it is away".to_owned()))
    }

    #[test]
    fn a_place_that_is_full_is_away_until_it_takes_something_in() {
        let (presence, now) = (Presence::default(), Time::UNIX_EPOCH);
        let _ = presence.wrote(fails::<()>());
        assert!(presence.is_away() && !presence.is_unread());
        // That it can be read says nothing about what it takes in.
        let _ = presence.read(Ok(()), now);
        assert!(presence.is_away());
        let _ = presence.wrote(Ok(()));
        assert!(!presence.is_away());
    }

    #[test]
    fn the_grace_counts_from_the_first_reading_that_failed() {
        let (presence, begin) = (Presence::default(), Time::UNIX_EPOCH);
        let at = |seconds| crate::base::clock::later(begin, Duration::from_secs(seconds));
        let _ = presence.wrote(fails::<()>());
        let _ = presence.read(fails::<()>(), at(1000));
        let _ = presence.read(fails::<()>(), at(1200));
        assert!(presence.is_unread() && presence.has_grace(GRACE, at(1299)));
        assert!(!presence.has_grace(GRACE, at(1300)));
        // An answer in between begins it anew.
        let _ = presence.read(Ok(()), at(1300));
        let _ = presence.read(fails::<()>(), at(1400));
        assert!(presence.has_grace(GRACE, at(1699)));
    }
}
