//! Records that wait for the thread that writes them: in order, and never too many.
//!
//! 1. A record takes its place under a lock that is held for as long as that takes. No caller waits
//!    for a disk.
//! 2. What does not fit is dropped and counted. Before the next one that fits stands a record that
//!    says how many are missing there ([`Kind::Gap`]).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::record::{Kind, Record};
use crate::base::clock::Time;

/// What is to be written: the JSON of a record without its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) body: Box<[u8]>,
    pub(super) is_signed: bool,
    /// What it takes of the room, from when it has a place in the queue until it is written.
    pub(super) weight: usize,
}

impl Entry {
    pub(super) fn of(record: &Record<'_>) -> Self {
        let (body, is_signed) = (record.to_json().into(), record.kind.is_signed());
        Self { body, is_signed, weight: 0 }
    }

    /// Takes room for it: what it has in memory, and a little more.
    fn weighed(self) -> Self {
        Self { weight: self.body.len() + 64, ..self }
    }
}

/// How much of the room a record may take, so that it takes none from those that matter more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Half, for what any client can cause without a session.
    Strangers,
    /// Three quarters, for logins that begin: anybody can begin some.
    Starts,
    /// All, for what belongs to a session, to a login that has begun, or to an operator.
    Citizens,
}

/// Records that wait.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    most: usize,
    /// Bytes that wait, to be looked at without the lock.
    weight: AtomicUsize,
    lost: AtomicU64,
    /// Something changed for the thread.
    wake: Condvar,
    /// Something changed for a caller that waits for the thread.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Entry>,
    weight: usize,
    /// Dropped since the last one that fitted.
    dropped: u64,
    is_busy: bool,
    wishes: Wishes,
    has_ended: bool,
}

/// What the thread is to do besides writing.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) hurry: bool,
    pub(super) reopen: bool,
    pub(super) end: bool,
}

impl Queue {
    pub(super) fn new(most: usize) -> Self {
        Self {
            state: Mutex::default(),
            most,
            weight: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
            wake: Condvar::new(),
            done: Condvar::new(),
        }
    }

    /// Takes a record, or drops it when too many wait for one of its kind.
    pub(super) fn push(&self, entry: Entry, room: Room, now: Time) {
        let mut state = self.lock();
        let entry = entry.weighed();
        let gap = (state.dropped > 0).then(|| gap(state.dropped, now).weighed());
        let weight = entry.weight + gap.as_ref().map_or(0, |gap| gap.weight);
        let most = self.most_of(room);
        if state.weight + weight > most {
            state.dropped += 1;
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let is_first = state.waiting.is_empty();
        state.dropped = 0;
        state.weight += weight;
        state.waiting.extend(gap.into_iter().chain([entry]));
        self.weight.store(state.weight, Ordering::Relaxed);
        drop(state);
        if is_first {
            self.wake.notify_one();
        }
    }

    /// Waits until there is something to do, but not beyond that moment. Takes what waits, unless
    /// the thread still has something and this is not the end.
    pub(super) fn next(&self, until: Option<Instant>, has_some: bool) -> (Vec<Entry>, Wishes) {
        let mut state = self.lock();
        loop {
            let is_due = until.is_some_and(|until| Instant::now() >= until);
            let is_wished = state.wishes != Wishes::default();
            if is_due || is_wished || (!has_some && !state.waiting.is_empty()) {
                break;
            }
            state = match until {
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    let waited = self.wake.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        // A little later there may be others, and all are made sure of at once.
        if !has_some && state.wishes == Wishes::default() && !state.waiting.is_empty() {
            let in_no_hurry = |state: &mut State| {
                state.wishes == Wishes::default() && state.weight < self.most / 4
            };
            let waited = self.wake.wait_timeout_while(state, PAUSE, in_no_hurry);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.is_busy = true;
        let wishes = std::mem::take(&mut state.wishes);
        if has_some && !wishes.end {
            return (Vec::new(), wishes);
        }
        (std::mem::take(&mut state.waiting).into(), wishes)
    }

    /// Gives back the room of records that are written.
    pub(super) fn release(&self, weight: usize) {
        let mut state = self.lock();
        state.weight = state.weight.saturating_sub(weight);
        self.weight.store(state.weight, Ordering::Relaxed);
    }

    /// The thread has done what it was told; `has_some` says that it could not write it all.
    pub(super) fn idle(&self, has_some: bool, has_ended: bool) {
        let mut state = self.lock();
        state.is_busy = has_some;
        state.has_ended = has_ended;
        drop(state);
        self.done.notify_all();
    }

    /// Has the thread do something, and waits until it has, but not for ever.
    pub(super) fn wish(&self, wish: impl FnOnce(&mut Wishes), patience: Duration) {
        let mut state = self.lock();
        wish(&mut state.wishes);
        let must_end = state.wishes.end;
        self.wake.notify_one();
        let is_waiting = |state: &mut State| {
            let is_done = state.waiting.is_empty() && !state.is_busy;
            !state.has_ended && (must_end || !is_done || state.wishes != Wishes::default())
        };
        let _ = self.done.wait_timeout_while(state, patience, is_waiting);
    }

    /// Returns how many records were never written because there was no room.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Counts records that were taken out and could not be written in the end.
    pub(super) fn lose(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
    }

    /// Returns the bytes that wait, those that the thread has among them.
    pub(super) fn weight(&self) -> usize {
        self.weight.load(Ordering::Relaxed)
    }

    /// Returns the most bytes that may wait.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Tells whether there is no room for another login that begins.
    pub(super) fn is_filling(&self) -> bool {
        self.weight() + START > self.most_of(Room::Starts)
    }

    fn most_of(&self, room: Room) -> usize {
        match room {
            Room::Strangers => self.most / 2,
            Room::Starts => room_for_starts(self.most),
            Room::Citizens => self.most,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Three quarters of the room: what is left is for logins that have begun.
pub(super) const fn room_for_starts(most: usize) -> usize {
    most / 4 * 3
}

fn gap(missing: u64, now: Time) -> Entry {
    Entry::of(&Record { number: Some(missing), ..Record::new(Kind::Gap, now) })
}

/// What the record of a login that begins takes at most, as a rule.
const START: usize = 1024;
/// How long a record waits for others.
const PAUSE: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Entry {
        let now = Time::UNIX_EPOCH;
        Entry::of(&Record { number: Some(number), ..Record::new(Kind::FormKept, now) }).weighed()
    }

    #[test]
    fn what_does_not_fit_is_counted_and_said_where_it_is_missing() {
        let now = Time::UNIX_EPOCH;
        let room = 3 * entry(1).weight;
        let queue = Queue::new(room);
        for number in 1..=7 {
            queue.push(entry(number), Room::Citizens, now);
            assert!(queue.weight() <= room);
        }
        assert_eq!(queue.lost(), 4);
        let (taken, _) = queue.next(None, false);
        assert_eq!(taken, [entry(1), entry(2), entry(3)]);
        queue.push(entry(8), Room::Citizens, now);
        assert_eq!(queue.lost(), 5, "they take their room until they are written");
        queue.release(taken.iter().map(|entry| entry.weight).sum());
        assert_eq!(queue.weight(), 0);
        queue.push(entry(8), Room::Citizens, now);
        queue.push(entry(9), Room::Citizens, now);
        let (taken, _) = queue.next(None, false);
        assert_eq!(taken, [gap(5, now).weighed(), entry(8), entry(9)]);
        assert_eq!(queue.lost(), 5);
    }

    #[test]
    fn what_anybody_can_cause_takes_no_room_from_others() {
        let now = Time::UNIX_EPOCH;
        let queue = Queue::new(8 * entry(1).weight);
        for number in 0..100 {
            queue.push(entry(number % 10), Room::Strangers, now);
        }
        assert_eq!((queue.lost(), queue.weight()), (96, queue.most() / 2));
        // Nor do logins that begin from those that have begun.
        for number in 0..100 {
            queue.push(entry(number % 10), Room::Starts, now);
        }
        assert_eq!(queue.lost(), 195);
        assert!(queue.weight() <= queue.most() / 4 * 3);
        assert!(queue.is_filling());
        queue.push(entry(7), Room::Citizens, now);
        assert_eq!(queue.lost(), 195);
        assert_eq!(queue.next(None, false).0.last(), Some(&entry(7)));
    }

    #[test]
    fn a_thread_that_has_some_left_takes_no_more() {
        let queue = Queue::new(10_000);
        queue.push(entry(1), Room::Citizens, Time::UNIX_EPOCH);
        let soon = Instant::now() + Duration::from_millis(1);
        assert_eq!(queue.next(Some(soon), true).0, []);
        assert_eq!(queue.next(None, false).0, [entry(1)]);
    }
}
