//! A clock that differs from the node's by more than is allowed.
//!
//! It begins when the difference is certain to be more, whatever the exchange took; it is over when
//! it may be less than three quarters of that, or when nothing has been measured for so long that it is
//! not known any more. The signed message says it before `Date` does.

use std::time::Duration;

use crate::base::clock::{Time, earlier, later};
use crate::flow::node_clock::{Measured, NodeClock, Witness};

/// What is told of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClockNews {
    /// It differs by more than is allowed.
    Differs(Witness, Measured),
    /// It does not any more.
    Agrees(Witness, Measured),
    /// Nothing has said for a while what the node's time is; with what was told last.
    Unknown(Witness, Measured),
}

/// Whether it differs.
#[derive(Debug, Default)]
pub(super) struct ClockAlarm {
    told: Option<(Time, Witness, Measured)>,
}

impl ClockAlarm {
    /// Looks at what was measured last; `most` is what is allowed, zero for anything.
    pub(super) fn look(
        &mut self,
        clock: &NodeClock,
        most: Duration,
        now: Time,
    ) -> Option<ClockNews> {
        // What is old says nothing of now. The signed witness comes first.
        let is_fresh = |measured: &Measured| measured.at > earlier(now, FRESH);
        let mut last = [Witness::Message, Witness::Date]
            .into_iter()
            .filter_map(|witness| Some((witness, clock.last(witness).filter(is_fresh)?)));
        let Some((witness, measured)) = last.next() else {
            let (_, witness, measured) = self.told.take()?;
            return Some(ClockNews::Unknown(witness, measured));
        };
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        let certain = measured.offset.unsigned_abs().saturating_sub(measured.error);
        let is_over = most == 0 || certain <= most - most / 4;
        match self.told {
            None if most > 0 && certain > most => {
                self.told = Some((now, witness, measured));
                Some(ClockNews::Differs(witness, measured))
            }
            None => None,
            Some(_) if is_over => {
                self.told = None;
                Some(ClockNews::Agrees(witness, measured))
            }
            Some((told, ..)) if now >= later(told, AGAIN) => {
                self.told = Some((now, witness, measured));
                Some(ClockNews::Differs(witness, measured))
            }
            Some(_) => None,
        }
    }

    /// Tells whether it differs by more than is allowed.
    pub(super) fn goes_on(&self) -> bool {
        self.told.is_some()
    }
}

/// How long a measurement says something.
const FRESH: Duration = Duration::from_secs(3600);
/// How often it is told while it goes on.
const AGAIN: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::node_clock::Exchanged;

    #[test]
    fn it_begins_when_it_is_certain_goes_on_and_is_over() {
        let begin: Time = "2031-03-04T10:00:00Z".parse().unwrap();
        let second = |second: i64| Time::from_second(begin.as_second() + second).unwrap();
        let mut alarm = ClockAlarm::default();
        let most = Duration::from_secs(10);
        // When, by how many seconds the node is off, how long the exchange took, what is told.
        for (when, off, took, expected) in [
            (0, 0, 0, ""),
            (10, 10, 0, ""),
            // It may be no more than ten.
            (20, 20, 22, ""),
            (30, 12, 0, "differs"),
            (40, 12, 0, ""),
            (41, 9, 0, ""),
            (3629, 12, 0, ""),
            (3630, 12, 0, "differs"),
            (3640, -12, 0, ""),
            (3700, 7, 0, "agrees"),
            (3800, -12, 0, "differs"),
            (3900, 3, 0, "agrees"),
            (3901, 3, 0, ""),
        ] {
            let clock = NodeClock::default();
            let exchanged = Exchanged { sent: second(when), received: second(when + took) };
            let said = later(second(when + off + took / 2), Duration::from_millis(1));
            clock.note_message(exchanged, said);
            let told = match alarm.look(&clock, most, second(when)) {
                None => "",
                Some(ClockNews::Differs(..)) => "differs",
                Some(ClockNews::Agrees(..)) => "agrees",
                Some(ClockNews::Unknown(..)) => "unknown",
            };
            assert_eq!(told, expected, "{when}");
        }
    }

    #[test]
    fn what_is_not_measured_or_is_switched_off_is_no_alarm() {
        let now: Time = "2031-03-04T10:00:00Z".parse().unwrap();
        let (clock, mut alarm) = (NodeClock::default(), ClockAlarm::default());
        assert_eq!(alarm.look(&clock, Duration::from_secs(1), now), None);
        clock.note_message(Exchanged { sent: now, received: now }, Time::UNIX_EPOCH);
        assert_eq!(alarm.look(&clock, Duration::ZERO, now), None);
        // What was measured two hours ago says nothing any more.
        let after = later(now, Duration::from_secs(7200));
        assert_eq!(alarm.look(&clock, Duration::from_secs(1), after), None);
        assert!(!alarm.goes_on());
        // The twin.
        assert!(alarm.look(&clock, Duration::from_secs(1), now).is_some() && alarm.goes_on());
    }

    #[test]
    fn an_alarm_is_over_when_nobody_has_signed_in_for_long() {
        let now: Time = "2031-03-04T10:00:00Z".parse().unwrap();
        let (clock, mut alarm) = (NodeClock::default(), ClockAlarm::default());
        let most = Duration::from_secs(1);
        let off = |now| later(now, Duration::from_secs(60));
        clock.note_message(Exchanged { sent: now, received: now }, off(now));
        assert!(matches!(alarm.look(&clock, most, now), Some(ClockNews::Differs(..))));
        let still = later(now, FRESH - Duration::from_secs(1));
        assert!(alarm.look(&clock, most, still).is_none() && alarm.goes_on());
        let after = later(now, FRESH);
        assert!(matches!(alarm.look(&clock, most, after), Some(ClockNews::Unknown(..))));
        assert!(alarm.look(&clock, most, after).is_none() && !alarm.goes_on());
        // The next one who signs in shows that it differs still.
        clock.note_message(Exchanged { sent: after, received: after }, off(after));
        assert!(matches!(alarm.look(&clock, most, after), Some(ClockNews::Differs(..))));
    }
}
