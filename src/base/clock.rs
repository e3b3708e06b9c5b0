//! The one place that asks what time it is.
//!
//! Everything else takes a [`Time`] or a [`Clock`], so that a test can say what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A point in time, in UTC.
pub type Time = jiff::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns the present time.
    fn now(&self) -> Time;
}

/// A clock that can be shared between tasks.
pub type SharedClock = Arc<dyn Clock>;

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Time {
        Time::now()
    }
}

/// Returns the present time as HTTP writes it (RFC 9110 5.6.7). For what a listener says of itself;
/// whatever decides something takes a [`Clock`].
#[must_use]
pub fn http_date() -> String {
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    // Fails for years before 1 and after 9999 only.
    printer.timestamp_to_rfc9110_string(&SystemClock.now()).unwrap_or_default()
}

/// A clock that stands still until it is moved: for tests, and for `explain --at`.
#[derive(Debug)]
pub struct ManualClock {
    milliseconds: AtomicI64,
}

impl ManualClock {
    /// Makes a clock that stands at `time`.
    #[must_use]
    pub fn at(time: Time) -> Self {
        Self { milliseconds: AtomicI64::new(time.as_millisecond()) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.milliseconds.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time::from_millisecond(self.milliseconds.load(Ordering::SeqCst)).unwrap_or(Time::MAX)
    }
}

/// Adds a duration, stopping at the end of time instead of failing.
#[must_use]
pub fn later(time: Time, by: Duration) -> Time {
    time.saturating_add(by).unwrap_or(Time::MAX)
}

/// Subtracts a duration, stopping at the beginning of time instead of failing.
#[must_use]
pub fn earlier(time: Time, by: Duration) -> Time {
    time.saturating_sub(by).unwrap_or(Time::MIN)
}
