//! How long things took in the last hour and the last day, from the histograms that there are anyway.
//!
//! What they had counted is noted once a minute for an hour, and once a quarter for a day: what they
//! have counted since is the difference. A request costs nothing more.

use std::collections::VecDeque;

use crate::observe::metrics::histogram::Spread;

/// What takes time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A request that goes on to this group of servers, until the end of its answer.
    Upstream(String),
    /// An exchange with the node that brings an answer to a login.
    Resolve,
    /// One that ends a session there.
    Logout,
    /// Whatever is asked of the place where records are kept.
    Store,
}

/// What took how long since the process began.
pub type Spreads = Vec<(What, Spread)>;

/// What took how long in a stretch of time.
#[derive(Debug, Clone)]
pub struct Lasted {
    /// What it was.
    pub what: What,
    /// In the last hour.
    pub hour: Spread,
    /// In the last day.
    pub day: Spread,
}

/// What had been counted at some moments of the last day.
#[derive(Debug)]
pub(super) struct Durations {
    /// When the process began.
    first: Noted,
    /// The last hour, minute by minute.
    minutes: VecDeque<Noted>,
    /// The last day, quarter by quarter.
    quarters: VecDeque<Noted>,
}

#[derive(Debug, Clone)]
struct Noted {
    /// The number of the minute.
    at: i64,
    spreads: Spreads,
}

impl Durations {
    /// Begins when so much has been counted.
    pub(super) fn begin(spreads: Spreads) -> Self {
        let first = Noted { at: i64::MIN, spreads: few(spreads) };
        Self { first, minutes: VecDeque::new(), quarters: VecDeque::new() }
    }

    /// Notes what has been counted at the end of a minute.
    pub(super) fn note(&mut self, at: i64, spreads: Spreads) {
        let noted = Noted { at, spreads: few(spreads) };
        let last = self.quarters.back().map(|last| last.at.div_euclid(QUARTER));
        if last != Some(at.div_euclid(QUARTER)) {
            push(&mut self.quarters, noted.clone(), (DAY / QUARTER) as usize);
        }
        push(&mut self.minutes, noted, HOUR as usize);
    }

    /// Returns what took how long until now.
    pub(super) fn until(&self, now: i64, spreads: &Spreads) -> Vec<Lasted> {
        let (hour, day) = (self.before(now - HOUR), self.before(now - DAY));
        let since = |noted: &Noted, what: &What, spread: &Spread| {
            let before = noted.spreads.iter().find(|(known, _)| known == what);
            before.map_or_else(|| spread.clone(), |(_, before)| spread.since(before))
        };
        let lasted = |(what, spread): &(What, Spread)| Lasted {
            what: what.clone(),
            hour: since(hour, what, spread),
            day: since(day, what, spread),
        };
        spreads.iter().take(MOST).map(lasted).collect()
    }

    /// Returns what was noted last before that minute ended; the oldest there is where that is younger.
    fn before(&self, minute: i64) -> &Noted {
        let all = [&self.first].into_iter().chain(&self.quarters).chain(&self.minutes);
        all.filter(|noted| noted.at <= minute).max_by_key(|noted| noted.at).unwrap_or(&self.first)
    }
}

fn push(all: &mut VecDeque<Noted>, noted: Noted, most: usize) {
    // One more than the stretch has, so that one lies before it.
    if all.len() > most {
        all.pop_front();
    }
    all.push_back(noted);
}

fn few(mut spreads: Spreads) -> Spreads {
    spreads.truncate(MOST);
    spreads.shrink_to_fit();
    spreads
}

const HOUR: i64 = 60;
const DAY: i64 = 24 * 60;
const QUARTER: i64 = 15;
/// Of how many things it is noted: some 150 bytes of each at 160 moments, 1.5 MB in all.
const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::observe::metrics::histogram::{Histogram, OF_STORES};

    fn counts(lasted: &[Lasted]) -> Vec<(u64, u64)> {
        lasted.iter().map(|lasted| (lasted.hour.count(), lasted.day.count())).collect()
    }

    #[test]
    fn the_last_hour_and_day_have_what_was_counted_in_them() {
        let store = Histogram::new(&OF_STORES);
        let now = || vec![(What::Store, store.spread())];
        let observe = |times: usize| {
            (0..times).for_each(|_| store.observe(Duration::from_micros(700)));
        };
        observe(5);
        let mut durations = Durations::begin(now());
        observe(2);
        // What was counted before the process was looked at is not of this hour.
        assert_eq!(counts(&durations.until(1_000, &now())), [(2, 2)]);
        for minute in 1_000..4_000 {
            durations.note(minute, now());
            observe(1);
        }
        assert_eq!(
            counts(&durations.until(4_000, &now())),
            [(60, 1450)],
            "a day and up to a quarter"
        );
        let lasted = durations.until(4_000, &now()).remove(0);
        assert_eq!((lasted.hour.within(0.5), lasted.day.within(0.99)), (Some(0.001), Some(0.001)));
        assert!(durations.minutes.len() <= 61 && durations.quarters.len() <= 97);
        // After a long sleep, what happened since the last look is of this hour.
        assert_eq!(counts(&durations.until(9_000, &now())), [(1, 1)]);
    }

    #[test]
    fn what_is_new_or_counts_anew_has_all_that_it_counted() {
        let group = |name: &str, times: usize| {
            let seen = Histogram::new(&OF_STORES);
            (0..times).for_each(|_| seen.observe(Duration::from_secs(9)));
            (What::Upstream(name.to_owned()), seen.spread())
        };
        let mut durations = Durations::begin(vec![group("a", 7)]);
        durations.note(100, vec![group("a", 9)]);
        let lasted = durations.until(170, &vec![group("a", 3), group("b", 4)]);
        assert_eq!(counts(&lasted), [(3, 3), (4, 4)]);
        assert_eq!(lasted[0].hour.within(0.5), Some(f64::INFINITY));
        assert_eq!(Spread::empty(&OF_STORES).within(0.5), None);
        // Of many there are as many as there is room for.
        let many: Vec<_> = (0..100).map(|number| group(&number.to_string(), 1)).collect();
        durations.note(171, many.clone());
        assert_eq!(durations.until(172, &many).len(), 64);
    }
}
