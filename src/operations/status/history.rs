//! What happened in each minute of the last day, and how long things took.
//!
//! What is counted anyway is looked at once a minute, and the difference noted: a login costs nothing
//! more. When the machine slept, what happened meanwhile counts for the minute after.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::durations::{Durations, Lasted};
use super::facts::{Source, Totals};
use crate::base::clock::Time;

/// The minutes of the last day.
#[derive(Debug)]
pub struct History(Mutex<Noted>);

#[derive(Debug)]
struct Noted {
    minutes: VecDeque<Minute>,
    /// What had been counted at the end of the last one.
    before: Totals,
    durations: Durations,
}

/// What happened in a minute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Minute {
    /// Its number since the epoch.
    pub number: i64,
    /// Logins that began.
    pub begun: u32,
    /// Logins that ended in a session.
    pub signed_in: u32,
    /// Refusals.
    pub refused: u32,
    /// The reasons that were given most.
    pub reasons: Vec<(&'static str, u32)>,
    /// Exchanges with the node that went well, and that did not.
    pub exchanges: (u32, u32),
}

impl History {
    /// Begins with nothing noted, when so much has been counted.
    #[must_use]
    pub fn begin(mut totals: Totals) -> Arc<Self> {
        let durations = Durations::begin(std::mem::take(&mut totals.durations));
        let (minutes, before) = (VecDeque::new(), totals);
        Arc::new(Self(Mutex::new(Noted { minutes, before, durations })))
    }

    /// Notes a minute that has ended.
    pub fn note(&self, now: Time, mut totals: Totals) {
        let mut noted = self.lock();
        noted.durations.note(number(now), std::mem::take(&mut totals.durations));
        let minute = Minute::between(number(now), &noted.before, &totals);
        noted.before = totals;
        if noted.minutes.len() >= MOST {
            noted.minutes.pop_front();
        }
        noted.minutes.push_back(minute);
    }

    /// Returns the minutes of the day until now, the present one with what it has had.
    #[must_use]
    pub fn until(&self, now: Time, totals: &Totals) -> Vec<Minute> {
        let noted = self.lock();
        let present = Minute::between(number(now), &noted.before, totals);
        let first = present.number - MOST as i64;
        let known = noted.minutes.iter().filter(|minute| minute.number > first).cloned();
        known.chain([present]).collect()
    }

    /// Returns how long things took in the last hour and day until now.
    #[must_use]
    pub fn lasted(&self, now: Time, totals: &Totals) -> Vec<Lasted> {
        self.lock().durations.until(number(now), &totals.durations)
    }

    /// Notes each minute, for as long as it is waited for.
    pub async fn keep(self: Arc<Self>, source: Arc<dyn Source>, now: impl Fn() -> Time + Send) {
        loop {
            tokio::time::sleep(MINUTE).await;
            self.note(now(), source.totals());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Minute {
    fn between(number: i64, before: &Totals, after: &Totals) -> Self {
        let grown = |before: u64, after: u64| {
            u32::try_from(after.saturating_sub(before)).unwrap_or(u32::MAX)
        };
        let mut reasons: Vec<_> = after
            .refused
            .iter()
            .map(|(reason, count)| {
                let known = before.refused.iter().find(|(name, _)| name == reason);
                (*reason, grown(known.map_or(0, |(_, count)| *count), *count))
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        let refused = reasons.iter().fold(0_u32, |all, (_, count)| all.saturating_add(*count));
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        reasons.truncate(MOST_REASONS);
        reasons.shrink_to_fit();
        Self {
            number,
            begun: grown(before.begun, after.begun),
            signed_in: grown(before.signed_in, after.signed_in),
            refused,
            reasons,
            exchanges: (
                grown(before.exchanges.0, after.exchanges.0),
                grown(before.exchanges.1, after.exchanges.1),
            ),
        }
    }
}

/// Returns the number of the minute of a time.
#[must_use]
pub fn number(time: Time) -> i64 {
    time.as_second().div_euclid(60)
}

const MINUTE: Duration = Duration::from_secs(60);
/// A day.
const MOST: usize = 24 * 60;
/// How many reasons are noted of a minute.
const MOST_REASONS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(signed_in: u64, expired: u64, replayed: u64) -> Totals {
        let refused = vec![("login.expired", expired), ("login.replayed_artifact", replayed)];
        Totals { begun: signed_in + 1, signed_in, refused, ..Totals::default() }
    }

    fn at(minute: i64) -> Time {
        Time::from_second(minute * 60 + 7).unwrap()
    }

    #[test]
    fn each_minute_has_what_happened_in_it() {
        let history = History::begin(totals(5, 1, 0));
        history.note(at(100), totals(8, 1, 0));
        history.note(at(101), totals(8, 3, 4));
        let past = history.until(at(102), &totals(9, 3, 4));
        let counts: Vec<_> = past.iter().map(|m| (m.number, m.signed_in, m.refused)).collect();
        assert_eq!(counts, [(100, 3, 0), (101, 0, 6), (102, 1, 0)]);
        assert_eq!(past[1].reasons, [("login.replayed_artifact", 4), ("login.expired", 2)]);
        // What became fewer, as after a start, is not counted.
        history.note(at(103), totals(0, 0, 0));
        assert_eq!(history.until(at(104), &totals(0, 0, 0))[2].signed_in, 0);
    }

    #[test]
    fn it_has_a_day_and_no_more() {
        let history = History::begin(totals(0, 0, 0));
        for minute in 0..3000 {
            history.note(at(minute), totals(0, 0, 0));
        }
        let past = history.until(at(3000), &totals(0, 0, 0));
        assert_eq!((past.len(), past[0].number), (1440, 1561));
        assert_eq!(history.lock().minutes.len(), 1440);
        // After a long sleep there is nothing of before.
        assert_eq!(history.until(at(9000), &totals(0, 0, 0)).len(), 1);
    }

    #[test]
    fn of_many_reasons_those_that_were_given_most_are_noted() {
        let names: Vec<_> = crate::base::reason::Reason::ALL.iter().map(|r| r.as_str()).collect();
        let after = names.iter().enumerate().map(|(n, name)| (*name, n as u64)).collect();
        let history = History::begin(Totals::default());
        let past = history.until(at(1), &Totals { refused: after, ..Totals::default() });
        let most = names.len() as u32 - 1;
        assert_eq!(past[0].reasons.len(), 8);
        assert_eq!(past[0].reasons[0].1, most);
        assert_eq!(past[0].refused, most * (most + 1) / 2);
    }
}
