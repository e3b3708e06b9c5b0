//! The store behind, and how far what is near can be relied on without it.
//!
//! 1. Time is divided into rounds. One ends when something may have been missed of what happened in
//!    the store, and again and again while nothing is heard. What the store vouched for in this
//!    round is good; of what it vouched for earlier, it is known until when everything was heard.
//! 2. A vouching that was asked for in a round that is over by the time of the answer is none.
//! 3. While the store is away, a session that is near goes on for the grace, counted from when the
//!    store could first not be read, or from the first moment of which something may have been
//!    missed about this session, whichever is earlier. So a session that was ended elsewhere is
//!    never let in for longer than the grace after its end, whatever was missed and whenever.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::super::SessionKey;
use super::owed::Owed;
use super::presence::{Presence, passed};
use crate::base::clock::Time;
use crate::store::seal::Sealer;
use crate::store::{Key, Kind, RecordStore, Touch, Unavailable};

/// Who else uses a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody: what the store could not be told yet is true all the same.
    Alone,
    /// Replicas, which know of nothing but what the store was told.
    Replicas,
}

/// The store, and what is known of it.
pub(super) struct RemoteSessions {
    pub(super) store: Arc<dyn RecordStore>,
    pub(super) sealer: Sealer,
    /// How many ends were heard of.
    pub(super) ends: AtomicU64,
    /// What the store is to be told.
    touches: Mutex<Vec<Touch>>,
    /// Whether the store answers.
    pub(super) presence: Presence,
    /// What it still has to be told, when no other process uses it.
    pub(super) owed: Option<Owed>,
    /// The round of now. What was never vouched for is of round 0.
    round: AtomicU64,
    past: Mutex<Past>,
}

/// The rounds that are over.
#[derive(Default)]
struct Past {
    /// Whether something was vouched for in this round.
    is_used: bool,
    /// Which rounds of vouching are over, with the moment until which everything was heard, in
    /// milliseconds since the epoch. Rounds between them vouched for nothing.
    ends: VecDeque<(u64, i64)>,
}

impl RemoteSessions {
    /// Knows nothing yet of a store.
    pub(super) fn new(store: Arc<dyn RecordStore>, sharing: Sharing, sealer: Sealer) -> Self {
        Self {
            store,
            sealer,
            ends: AtomicU64::new(0),
            touches: Mutex::default(),
            presence: Presence::default(),
            owed: (sharing == Sharing::Alone).then(Owed::default),
            round: AtomicU64::new(1),
            past: Mutex::default(),
        }
    }

    /// Returns the round of now.
    pub(super) fn round(&self) -> u64 {
        self.round.load(Ordering::Acquire)
    }

    /// Returns the round in which the store vouched for something that it was asked for in that
    /// round; none when that is over.
    pub(super) fn vouched_in(&self, round: u64) -> u64 {
        let mut past = lock(&self.past);
        if self.round() != round {
            return 0;
        }
        past.is_used = true;
        round
    }

    /// Begins a round: something may have been missed from now on.
    pub(super) fn begin_round(&self, now: Time) {
        let mut past = lock(&self.past);
        let over = self.round.fetch_add(1, Ordering::AcqRel);
        if std::mem::take(&mut past.is_used) {
            past.ends.push_back((over, now.as_millisecond()));
            if past.ends.len() > ROUNDS {
                past.ends.pop_front();
            }
        }
    }

    /// Returns until when everything was heard about what was vouched for in a round, unless it
    /// still is.
    fn heard_until(&self, round: u64) -> Option<i64> {
        let past = lock(&self.past);
        if self.round() <= round {
            return None;
        }
        let at = past.ends.partition_point(|(over, _)| *over < round);
        let end = past.ends.get(at).filter(|(over, _)| *over == round);
        // Of what is not remembered it is not known.
        Some(end.map_or(i64::MIN, |(_, until)| *until))
    }

    /// Tells whether a session has ended here, and the store does not know.
    pub(super) fn owes(&self, key: SessionKey) -> bool {
        self.owed.as_ref().is_some_and(|owed| owed.has(key))
    }

    /// Forgets an end that the store knows now; says whether it was owed.
    pub(super) fn settle(&self, key: SessionKey) -> bool {
        self.owed.as_ref().is_some_and(|owed| owed.settle(key))
    }

    /// Notes what came of taking something away. A file has to be written for that, so it can be read
    /// all the same; in Redis it is one thing.
    pub(super) fn note_taken<T>(
        &self,
        answer: Result<T, Unavailable>,
        now: Time,
    ) -> Result<T, Unavailable> {
        match (&answer, &self.owed) {
            (Err(_), Some(_)) => self.presence.wrote(answer, now),
            _ => self.presence.read(answer, now),
        }
    }

    /// Tells whether what was vouched for in this round goes on: what happens in the store is heard,
    /// and it can be read, or has been away for no longer than the grace.
    pub(super) fn goes_on(&self, round: u64, grace: Duration, now: Time) -> bool {
        !self.presence.is_unread() || self.has_grace(round, grace, now)
    }

    /// Tells whether what was vouched for in a round goes on while the store is away.
    pub(super) fn has_grace(&self, round: u64, grace: Duration, now: Time) -> bool {
        let unread_since = self.presence.unread_since();
        let since = self.heard_until(round).map_or(unread_since, |until| until.min(unread_since));
        passed(since, now) < grace
    }

    /// What the store is to be told.
    pub(super) fn touches(&self) -> MutexGuard<'_, Vec<Touch>> {
        lock(&self.touches)
    }
}

impl SessionKey {
    /// Returns what the session itself is kept under.
    pub(super) fn record_key(self) -> Key {
        Key { kind: Kind::Session, digest: self.0 }
    }

    /// Returns what the note on its end is kept under.
    pub(super) fn note(self) -> Key {
        Key { kind: Kind::Ended, digest: self.0 }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many rounds that are over are remembered: while nothing is heard but the store answers, half
/// an hour of them.
const ROUNDS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::later;
    use crate::store::memory::Memory;

    const GRACE: Duration = Duration::from_secs(300);

    fn remote() -> (RemoteSessions, Time) {
        let now = "2031-01-01T00:00:00Z".parse().unwrap();
        let store = Arc::new(Memory::new(1));
        (RemoteSessions::new(store, Sharing::Replicas, Sealer::default()), now)
    }

    fn seconds(time: Time, seconds: u64) -> Time {
        later(time, Duration::from_secs(seconds))
    }

    fn is_away(remote: &RemoteSessions, now: Time) {
        remote.presence.read::<()>(Err(Unavailable(String::new())), now).unwrap_err();
    }

    #[test]
    fn grace_counts_from_what_may_have_been_missed_first() {
        let (remote, now) = remote();
        let old = remote.vouched_in(remote.round());
        // Something may have been missed, and for long it did not matter.
        remote.begin_round(now);
        remote.begin_round(seconds(now, 250));
        let fresh = remote.vouched_in(remote.round());
        let away = seconds(now, 260);
        is_away(&remote, away);
        assert!(remote.has_grace(fresh, GRACE, away));
        assert!(remote.has_grace(old, GRACE, seconds(now, 299)));
        assert!(!remote.has_grace(old, GRACE, seconds(now, 300)));
        assert!(remote.has_grace(fresh, GRACE, seconds(away, 299)));
        assert!(!remote.has_grace(fresh, GRACE, seconds(away, 300)));
        assert!(!remote.has_grace(0, GRACE, away), "it was never vouched for");
    }

    #[test]
    fn what_was_vouched_for_goes_on_while_it_can_be_read_and_for_the_grace() {
        let (remote, now) = remote();
        let round = remote.vouched_in(remote.round());
        assert!(remote.goes_on(round, GRACE, seconds(now, 3000)));
        is_away(&remote, now);
        assert!(remote.goes_on(round, GRACE, seconds(now, 299)));
        assert!(!remote.goes_on(round, GRACE, seconds(now, 300)));
    }

    #[test]
    fn rounds_that_pass_while_the_store_is_away_take_nothing_from_the_grace() {
        let (remote, now) = remote();
        let round = remote.vouched_in(remote.round());
        is_away(&remote, now);
        for second in 0..2 * ROUNDS as u64 {
            remote.begin_round(seconds(now, second));
        }
        assert!(remote.has_grace(round, Duration::from_secs(36_000), seconds(now, 35_999)));
        assert!(lock(&remote.past).ends.len() <= 1);
    }

    #[test]
    fn what_was_asked_for_in_a_round_that_is_over_is_not_vouched_for() {
        let (remote, now) = remote();
        let asked = remote.round();
        remote.begin_round(now);
        assert_eq!(remote.vouched_in(asked), 0);
        assert_eq!(remote.vouched_in(remote.round()), asked + 1);
    }

    #[test]
    fn rounds_beyond_a_number_are_forgotten_and_then_there_is_no_grace() {
        let (remote, now) = remote();
        let first = remote.vouched_in(remote.round());
        remote.begin_round(now);
        let second = remote.vouched_in(remote.round());
        for _ in 0..ROUNDS {
            remote.vouched_in(remote.round());
            remote.begin_round(now);
        }
        is_away(&remote, now);
        assert!(!remote.has_grace(first, GRACE, now));
        assert!(remote.has_grace(second, GRACE, now));
        assert_eq!(lock(&remote.past).ends.len(), ROUNDS);
    }
}
