//! A clock that is ahead of the machine's by as much as it was moved: sessions end and forms expire
//! without anybody waiting. TLS goes on by the machine's own.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::base::clock::{Clock, SystemClock, Time};

/// The clock of the gateway that is examined, and of the node that is simulated.
#[derive(Debug, Default)]
pub(super) struct MovedClock {
    milliseconds: AtomicI64,
}

impl MovedClock {
    /// Moves it forward.
    pub(super) fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.milliseconds.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Time {
        let ahead = jiff::SignedDuration::from_millis(self.milliseconds.load(Ordering::SeqCst));
        SystemClock.now().saturating_add(ahead).unwrap_or(Time::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_ahead_by_as_much_as_it_was_moved() {
        let clock = MovedClock::default();
        let before = clock.now();
        clock.advance(Duration::from_secs(3600));
        let ahead = clock.now().duration_since(before).as_secs();
        assert!((3600..3660).contains(&ahead), "{ahead}");
    }
}
