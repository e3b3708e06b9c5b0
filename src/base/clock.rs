//! The one place that asks what time it is.
//!
//! Everything else takes a [`Time`] or a [`Clock`], so that a test can say what time it is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::tz::TimeZone;

/// A point in time, in UTC.
pub type Time = jiff::Timestamp;

/// Says what time it is: [`SystemClock`] in a gateway, a clock that stands still in tests.
pub trait Clock: Send + Sync {
    /// Returns the present time.
    fn now(&self) -> Time;

    /// Returns how often the clock of the machine jumped, where somebody looks.
    fn jumps(&self) -> u64 {
        0
    }
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

/// Returns a time as citizens in Poland read it, with its distance from UTC, in which logs are.
#[must_use]
pub fn for_people(time: Time) -> String {
    time.to_zoned_datetime(WARSAW.clone()).strftime("%Y-%m-%d %H:%M:%S (UTC%:z)").to_string()
}

/// Returns a time as operators read it beside logs and messages of the node: in UTC, to the
/// millisecond.
#[must_use]
pub fn for_operators(time: Time) -> String {
    format!("{} UTC", time.strftime("%Y-%m-%d %H:%M:%S%.3f"))
}

/// The time of Warsaw, as POSIX writes it (IEEE Std 1003.1, TZ): no data of zones is needed for it.
pub static WARSAW: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a rule of POSIX"));

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

/// Returns the time that is so many seconds after the epoch, or the first or last one that there is: a
/// certificate without an end says 9999-12-31 (RFC 5280, 4.1.2.5), which is a day too late for us.
#[must_use]
pub fn at_second(seconds: i64) -> Time {
    let nearest = if seconds < 0 { Time::MIN } else { Time::MAX };
    Time::from_second(seconds).unwrap_or(nearest)
}

/// Subtracts a duration, stopping at the beginning of time instead of failing.
#[must_use]
pub fn earlier(time: Time, by: Duration) -> Time {
    time.saturating_sub(by).unwrap_or(Time::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_without_an_end_has_the_last_time_that_there_is() {
        assert_eq!(at_second(253_402_300_799), Time::MAX);
        assert_eq!(at_second(i64::MIN), Time::MIN);
        assert_eq!(at_second(1_900_000_000).as_second(), 1_900_000_000);
    }

    #[test]
    fn operators_read_universal_time_and_say_so() {
        for (time, expected) in [
            ("2031-07-15T22:30:05Z", "2031-07-15 22:30:05.000 UTC"),
            ("2031-01-15T08:00:00.019999999Z", "2031-01-15 08:00:00.019 UTC"),
            ("2031-01-15T08:00:00+01:00", "2031-01-15 07:00:00.000 UTC"),
        ] {
            assert_eq!(for_operators(time.parse().unwrap()), expected);
        }
    }

    #[test]
    fn people_read_the_time_of_poland_in_summer_and_in_winter() {
        for (time, expected) in [
            ("2031-01-15T08:00:00Z", "2031-01-15 09:00:00 (UTC+01:00)"),
            ("2031-07-15T22:30:05Z", "2031-07-16 00:30:05 (UTC+02:00)"),
            ("2031-03-30T00:59:59Z", "2031-03-30 01:59:59 (UTC+01:00)"),
            ("2031-03-30T01:00:00Z", "2031-03-30 03:00:00 (UTC+02:00)"),
            ("2031-10-26T01:00:00Z", "2031-10-26 02:00:00 (UTC+01:00)"),
        ] {
            assert_eq!(for_people(time.parse().unwrap()), expected);
        }
    }
}
