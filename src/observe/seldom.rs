//! What is worth a line in the log, and not one for each time that it happens.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::base::clock::Time;

/// Lets one line through in a time, whatever the number of workers.
#[derive(Debug)]
pub struct Seldom {
    every: Duration,
    /// Seconds since 1970 at which the next line may come.
    next: AtomicI64,
}

impl Seldom {
    /// Lets a line through at once, and the next one so long after it.
    #[must_use]
    pub const fn every(every: Duration) -> Self {
        Self { every, next: AtomicI64::new(i64::MIN) }
    }

    /// Tells whether a line may be written now; it is counted as written then.
    pub fn is_due(&self, now: Time) -> bool {
        let (now, next) = (now.as_second(), self.next.load(Ordering::Relaxed));
        let after = now.saturating_add_unsigned(self.every.as_secs());
        now >= next
            && self.next.compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_comes_in_a_time_and_the_next_after_it() {
        let seldom = Seldom::every(Duration::from_secs(60));
        let at = |second: i64| Time::from_second(1_000_000 + second).unwrap();
        let due = [0, 0, 1, 59, 60, 60, 100, 119, 120, 500].map(|second| seldom.is_due(at(second)));
        assert_eq!(due, [true, false, false, false, true, false, false, false, true, true]);
    }
}
