//! A node whose exchanges fail: their part within a window, from a number of them on.
//!
//! It begins when more than the settled part failed, and is over when less than half of that does, or
//! when nobody came for a whole window. What is counted is whether the node gave an answer that can be
//! looked at; a login that the answer refuses is none of these.

use std::collections::VecDeque;
use std::time::Duration;

use super::settings::Settings;
use crate::base::clock::{Time, earlier, later};

/// Exchanges since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// All of them.
    pub(super) all: u64,
    /// Those that brought no answer.
    pub(super) failed: u64,
}

/// What is told of the node. The numbers are those within the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeNews {
    /// More of its exchanges fail than is settled.
    Fails(Totals),
    /// They do not any more.
    Works(Totals),
}

/// What was seen of the node lately.
#[derive(Debug, Default)]
pub(super) struct NodeAlarm {
    /// Totals at times, the oldest first; one of them is as old as the window, or older.
    seen: VecDeque<(Time, Totals)>,
    told: Option<Time>,
}

impl NodeAlarm {
    /// Takes in the totals of now; returns what is to be told.
    pub(super) fn look(
        &mut self,
        totals: Totals,
        settings: &Settings,
        now: Time,
    ) -> Option<NodeNews> {
        let within = self.within(totals, settings.node_window, now);
        // In hundredths, so that nothing is divided.
        let (failed, part) = (within.failed.saturating_mul(100), settings.node_failures.into());
        let is_more = |part: u64| failed > within.all.saturating_mul(part);
        let is_off = settings.node_failures >= 100;
        match self.told {
            None if !is_off && within.all >= settings.node_minimum.max(1) && is_more(part) => {
                self.told = Some(now);
                Some(NodeNews::Fails(within))
            }
            None => None,
            Some(_) if is_off || !is_more(part / 2) => {
                self.told = None;
                Some(NodeNews::Works(within))
            }
            Some(told) if now >= later(told, AGAIN) => {
                self.told = Some(now);
                Some(NodeNews::Fails(within))
            }
            Some(_) => None,
        }
    }

    /// Tells whether its exchanges fail.
    pub(super) fn goes_on(&self) -> bool {
        self.told.is_some()
    }

    /// Returns what has come within the window.
    fn within(&mut self, totals: Totals, window: Duration, now: Time) -> Totals {
        let begin = earlier(now, window);
        // Times that were not yet, before our clock was set back, are worth nothing.
        self.seen.retain(|(at, _)| *at <= now);
        while self.seen.get(1).is_some_and(|(at, _)| *at <= begin) {
            self.seen.pop_front();
        }
        // As fine as a part of the window; so the bound holds however often it is looked.
        let step = window / u32::try_from(STEPS).unwrap_or(u32::MAX);
        if self.seen.back().is_none_or(|(at, _)| now >= later(*at, step)) {
            self.seen.push_back((now, totals));
        }
        while self.seen.len() > STEPS + 2 {
            self.seen.pop_front();
        }
        let before = self.seen.front().map_or(totals, |(_, before)| *before);
        Totals {
            all: totals.all.saturating_sub(before.all),
            failed: totals.failed.saturating_sub(before.failed),
        }
    }
}

/// How often it is told while it goes on.
const AGAIN: Duration = Duration::from_secs(600);
/// Into how many parts the window is cut.
const STEPS: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    /// A node of which, minute by minute, some exchanges come and some of these fail.
    fn simulate(minutes: &[(usize, u64, u64)]) -> Vec<(usize, &'static str)> {
        let begin: Time = "2031-03-04T10:00:00Z".parse().unwrap();
        let (mut alarm, settings) = (NodeAlarm::default(), Settings::default());
        let (mut totals, mut told, mut minute) = (Totals::default(), Vec::new(), 0);
        for (count, all, failed) in minutes {
            for _ in 0..*count {
                for part in 0..30 {
                    let now = later(begin, Duration::from_secs(minute as u64 * 60 + part * 2));
                    if part == 15 {
                        totals.all += all;
                        totals.failed += failed;
                    }
                    match alarm.look(totals, &settings, now) {
                        None => {}
                        Some(NodeNews::Fails(_)) => told.push((minute, "fails")),
                        Some(NodeNews::Works(_)) => told.push((minute, "works")),
                    }
                }
                minute += 1;
            }
        }
        assert!(alarm.seen.len() <= STEPS + 2);
        told
    }

    #[test]
    fn it_begins_goes_on_and_is_over() {
        for (what, minutes, expected) in [
            ("all well", &[(60, 20, 0)][..], &[][..]),
            ("few fail", &[(60, 20, 5)], &[]),
            ("half fail, and no more", &[(60, 20, 10)], &[]),
            ("all fail, and there are few", &[(60, 1, 1)], &[]),
            ("one burst of a quiet night", &[(5, 0, 0), (1, 9, 9), (30, 0, 0)], &[]),
            (
                "the same, and enough",
                &[(5, 0, 0), (1, 11, 11), (30, 0, 0)],
                &[(5, "fails"), (11, "works")],
            ),
            (
                "an hour away",
                &[(10, 20, 0), (60, 20, 20), (20, 20, 0)],
                &[
                    (12, "fails"),
                    (22, "fails"),
                    (32, "fails"),
                    (42, "fails"),
                    (52, "fails"),
                    (62, "fails"),
                    (72, "fails"),
                    (73, "works"),
                ],
            ),
            // About the bound it is said once, and not at each exchange.
            (
                "it hovers",
                &[(10, 20, 0), (10, 20, 12), (10, 20, 9), (10, 20, 12), (10, 20, 1)],
                &[(14, "fails"), (24, "fails"), (34, "fails"), (43, "works")],
            ),
        ] {
            let told = simulate(minutes);
            let words: Vec<_> = told.iter().map(|(_, word)| *word).collect();
            let expected_words: Vec<_> = expected.iter().map(|(_, word)| *word).collect();
            assert_eq!(words, expected_words, "{what}: {told:?}");
            for ((found, _), (wanted, _)) in told.iter().zip(expected) {
                assert!(found.abs_diff(*wanted) <= 1, "{what}: {told:?}");
            }
        }
    }

    #[test]
    fn it_can_be_switched_off_and_a_clock_that_is_set_back_breaks_nothing() {
        let begin: Time = "2031-03-04T10:00:00Z".parse().unwrap();
        let off = Settings { node_failures: 100, ..Settings::default() };
        let mut alarm = NodeAlarm::default();
        let failed = Totals { all: 100, failed: 100 };
        assert_eq!(alarm.look(Totals::default(), &off, begin), None);
        assert_eq!(alarm.look(failed, &off, later(begin, Duration::from_secs(2))), None);
        // The twin.
        let on = Settings::default();
        let told = alarm.look(failed, &on, later(begin, Duration::from_secs(4)));
        assert_eq!(told, Some(NodeNews::Fails(failed)));
        assert!(alarm.goes_on());
        let before = earlier(begin, Duration::from_secs(86_400));
        assert_eq!(alarm.look(failed, &on, before), Some(NodeNews::Works(Totals::default())));
        assert!(!alarm.goes_on());
    }
}
