//! By how much the node's clock differs from ours, as far as exchanges show. Nothing is judged by it:
//! who could move it could move what is believed.
//!
//! 1. What says a time was written between the moment at which the request went and that at which the
//!    answer was there. So the difference is known to lie between two bounds, which are as far from
//!    each other as the exchange took, and the resolution of what was said.
//! 2. `Date` (RFC 9110 6.6.1) has whole seconds, and is of whatever answered: nobody signed it.
//!    `IssueInstant` (SAML core 3.2.2) is in the signed answer, and only taken from one that was
//!    verified.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::base::clock::Time;

/// What said the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// `Date` of the HTTP answer.
    Date,
    /// `IssueInstant` of the signed message.
    Message,
}

impl Witness {
    /// Every witness; the metric has a row for each.
    pub const ALL: [Self; 2] = [Self::Date, Self::Message];

    /// Returns its name in metrics and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Message => "message",
        }
    }
}

/// A difference, as it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// The node's clock less ours, in milliseconds: the middle between the bounds.
    pub offset: i64,
    /// How far both bounds are from that, in milliseconds.
    pub error: u64,
    /// When it was measured.
    pub at: Time,
}

/// An exchange: when the request went, and when what said the time was there, by our clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchanged {
    /// When the request began to go out.
    pub sent: Time,
    /// When the answer was there.
    pub received: Time,
}

impl Exchanged {
    /// Measures by a time that was said meanwhile, cut off to a resolution. None when our clock went
    /// back, or the exchange took so long that nothing is known.
    fn measure(self, said: Time, resolution: Duration) -> Option<Measured> {
        let (sent, received) = (self.sent.as_millisecond(), self.received.as_millisecond());
        let said = said.as_millisecond();
        let resolution = i64::try_from(resolution.as_millis()).ok()?;
        if received < sent {
            return None;
        }
        let least = said.checked_sub(received)?;
        let most = said.checked_add(resolution)?.checked_sub(sent)?;
        let error = u64::try_from(most.checked_sub(least)?).ok()?.div_ceil(2);
        Some(Measured { offset: least.midpoint(most), error, at: self.received })
    }
}

/// What was measured last, by each witness. Kept when the configuration changes.
#[derive(Debug, Default)]
pub struct NodeClock([Mutex<Option<Measured>>; Witness::ALL.len()]);

impl NodeClock {
    /// Takes in what `Date` said, when it is a date of HTTP.
    pub fn note_date(&self, exchanged: Exchanged, date: &[u8]) {
        let parser = jiff::fmt::rfc2822::DateTimeParser::new();
        // RFC 9110 5.6.7: it says GMT, as one of the zones of old that RFC 5322 4.3 has.
        let said = parser.parse_timestamp(date).ok();
        let measured = said.and_then(|said| exchanged.measure(said, SECOND));
        self.note(Witness::Date, measured);
    }

    /// Takes in when a verified message says that it was issued.
    pub fn note_message(&self, exchanged: Exchanged, issued: Time) {
        // A time without a fraction may have been cut off.
        let is_whole = issued.subsec_nanosecond() == 0;
        let resolution = if is_whole { SECOND } else { Duration::from_millis(1) };
        self.note(Witness::Message, exchanged.measure(issued, resolution));
    }

    fn note(&self, witness: Witness, measured: Option<Measured>) {
        if measured.is_some() {
            *self.0[witness as usize].lock().unwrap_or_else(PoisonError::into_inner) = measured;
        }
    }

    /// Returns what was measured last.
    #[must_use]
    pub fn last(&self, witness: Witness) -> Option<Measured> {
        *self.0[witness as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The resolution of a date of HTTP.
const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn exchanged(sent: &str, received: &str) -> Exchanged {
        let day = |time: &str| format!("2031-03-04T{time}Z").parse().unwrap();
        Exchanged { sent: day(sent), received: day(received) }
    }

    #[test]
    fn the_true_difference_is_always_within_the_bounds() {
        // The node is off by so many milliseconds and answers somewhere within the exchange.
        let sent: Time = "2031-03-04T10:00:00.350Z".parse().unwrap();
        let later = |by: i64| Time::from_millisecond(sent.as_millisecond() + by).unwrap();
        for off in [-7_200_000, -90_500, -1, 0, 1, 999, 30_250, 86_400_000] {
            for took in [0, 1, 40, 999, 4_000] {
                for part in 0..=4 {
                    let exchanged = Exchanged { sent, received: later(took) };
                    let there = later(off + took * part / 4);
                    let whole = Time::from_second(there.as_millisecond().div_euclid(1000)).unwrap();
                    let clock = NodeClock::default();
                    let date = jiff::fmt::rfc2822::DateTimePrinter::new();
                    let date = date.timestamp_to_rfc9110_string(&whole).unwrap();
                    clock.note_date(exchanged, date.as_bytes());
                    clock.note_message(exchanged, there);
                    for witness in Witness::ALL {
                        let found = clock.last(witness).unwrap();
                        let error = i64::try_from(found.error).unwrap();
                        let miss = (found.offset - off).abs();
                        assert!(miss <= error, "{witness:?} {off} {took} {part}: {found:?}");
                        assert!(error <= took / 2 + 501, "{witness:?} {found:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_says_no_time_or_takes_none_measures_nothing() {
        let clock = NodeClock::default();
        let well = exchanged("10:00:00", "10:00:01");
        for date in ["", "yesterday", "2031-03-04T10:00:00Z", "Tue, 99 Mar 2031 10:00:00 GMT"] {
            clock.note_date(well, date.as_bytes());
            assert_eq!(clock.last(Witness::Date), None, "{date}");
        }
        clock.note_date(well, &[0xff; 64]);
        // Our own clock went back meanwhile.
        let back = exchanged("10:00:01", "10:00:00");
        clock.note_date(back, b"Tue, 04 Mar 2031 10:00:00 GMT");
        assert_eq!(clock.last(Witness::Date), None);
        // The twin.
        clock.note_date(well, b"Tue, 04 Mar 2031 10:00:05 GMT");
        let found = clock.last(Witness::Date).unwrap();
        assert_eq!((found.offset, found.error), (5000, 1000));
        assert_eq!(clock.last(Witness::Message), None);
        // Ends of time are no panic.
        for said in [Time::MIN, Time::MAX] {
            clock.note_message(Exchanged { sent: Time::MIN, received: Time::MAX }, said);
            clock.note_message(well, said);
        }
    }
}
