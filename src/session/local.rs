//! The sessions in the memory of this process, found by their key; never more than so many.
//!
//! 1. A key has one session here, whatever request brings it: the first stays.
//! 2. Finding one writes nothing but a lock. Which was used last is known anyway: by the last sign
//!    of life, which the session itself notes ([`CachedSession::alive`]).
//! 3. A new one is always taken in. When there are too many, one makes room: of some neighbours one
//!    that is over, or else the one that would be idle first. So no active session is put out for
//!    idle ones, and a request that finds nothing puts none out: it takes no place.
//! 4. What is over is swept out bit by bit; a request that finds it decides whether it is over.
//!
//! Keys are hashes of our own random ids, so any of their bits spread well, and no client can bring
//! many sessions into one shard. Strangers choose what is looked up, never what is there. How long
//! a comparison takes may tell them of a hash, which leads to no id.
//!
//! # Why no cache from elsewhere
//!
//! moka notes each reading for its own order, which costs more than the finding: at random among a
//! million, most of the time and a third of the memory went there. The order is in the sessions
//! already.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::SessionKey;
use super::cached::CachedSession;
use crate::base::clock::{Time, earlier};

/// The sessions in the memory of this process.
pub(super) struct LocalSessions {
    shards: Box<[Shard]>,
    count: AtomicUsize,
    maximum: usize,
    idle: Duration,
    /// Which shard is swept next.
    next: AtomicUsize,
}

/// Each on lines of its own, so that workers do not wait for each other's locks.
#[derive(Default)]
#[repr(align(64))]
struct Shard(Mutex<Table>);

#[derive(Default)]
struct Table {
    sessions: HashTable<Arc<CachedSession>>,
    /// Where to look for one that makes room.
    hand: usize,
}

/// A session that was to be kept.
pub(super) struct Insertion {
    /// The one that is near now.
    pub(super) held: Arc<CachedSession>,
    /// Whether it was not before.
    pub(super) is_new: bool,
    /// The one that made room for it.
    pub(super) out: Option<Arc<CachedSession>>,
}

impl LocalSessions {
    /// Makes room for so many sessions with that idle time.
    pub(super) fn new(maximum: u64, idle: Duration) -> Self {
        let maximum = usize::try_from(maximum).unwrap_or(usize::MAX).max(1);
        let shards = (maximum / PER_SHARD).clamp(1, SHARDS);
        Self {
            shards: (0..shards).map(|_| Shard::default()).collect(),
            count: AtomicUsize::new(0),
            maximum,
            idle,
            next: AtomicUsize::new(0),
        }
    }

    /// Finds a session by its key, over or not.
    pub(super) fn get(&self, key: &SessionKey) -> Option<Arc<CachedSession>> {
        self.look(key, Arc::clone)
    }

    /// Finds a session and returns what `take` makes of it, which should be little: others wait.
    ///
    /// Whatever of the session is looked at here comes from memory together with its key. Looked at
    /// when it has been cloned, it would be waited for once more.
    pub(super) fn look<T>(
        &self,
        key: &SessionKey,
        take: impl FnOnce(&Arc<CachedSession>) -> T,
    ) -> Option<T> {
        let table = self.shard(key).lock();
        table.sessions.find(hash(key), |held| held.key() == *key).map(take)
    }

    /// Takes a session in unless its key is here.
    pub(super) fn keep(&self, held: Arc<CachedSession>, now: Time) -> Insertion {
        let key = held.key();
        let is_same = |other: &Arc<CachedSession>| other.key() == key;
        let mut table = self.shard(&key).lock();
        let held = match table.sessions.entry(hash(&key), is_same, hash_of) {
            Entry::Occupied(known) => {
                return Insertion { held: Arc::clone(known.get()), is_new: false, out: None };
            }
            Entry::Vacant(free) => Arc::clone(free.insert(held).get()),
        };
        // Before the lock is let go: a worker that takes it out again counts down.
        let is_full = self.count.fetch_add(1, Ordering::Relaxed) >= self.maximum;
        drop(table);
        let out = is_full.then(|| self.make_room(&key, now)).flatten();
        Insertion { held, is_new: true, out }
    }

    /// Takes a session out of the memory, and returns it if it was there.
    pub(super) fn remove(&self, key: &SessionKey) -> Option<Arc<CachedSession>> {
        let mut table = self.shard(key).lock();
        let known = table.sessions.find_entry(hash(key), |held| held.key() == *key).ok()?;
        self.count.fetch_sub(1, Ordering::Relaxed);
        Some(known.remove().0)
    }

    /// Returns how many there are, with those that are over and not yet swept out.
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Returns what `pick` makes of each session. Other requests come in between.
    pub(super) fn collect<T>(
        &self,
        mut pick: impl FnMut(&Arc<CachedSession>) -> Option<T>,
    ) -> Vec<T> {
        let mut picked = Vec::new();
        for shard in &self.shards {
            // Whatever is computed of a session is computed without the lock.
            let sessions: Vec<_> = shard.lock().sessions.iter().cloned().collect();
            picked.extend(sessions.iter().filter_map(&mut pick));
        }
        picked
    }

    /// Sweeps a part of what is over; all of it when called [`ROUND`] times.
    pub(super) fn sweep(&self, now: Time) {
        // A request that began a while ago may still find it alive.
        let then = earlier(now, MARGIN);
        for _ in 0..self.shards.len().div_ceil(ROUND) {
            let next = self.next.fetch_add(1, Ordering::Relaxed) % self.shards.len();
            self.sweep_shard(&self.shards[next], then);
        }
    }

    fn sweep_shard(&self, shard: &Shard, then: Time) {
        let mut from = 0;
        loop {
            let mut table = shard.lock();
            let buckets = table.sessions.num_buckets();
            if from >= buckets {
                // After a day with many sessions comes a night with few.
                let most = table.sessions.len() * 4;
                if most < buckets {
                    table.sessions.shrink_to(most / 2, hash_of);
                }
                return;
            }
            let to = (from + AT_ONCE).min(buckets);
            for bucket in from..to {
                let is_over =
                    |held: &Arc<CachedSession>| held.has_ended() || !held.is_live(then, self.idle);
                if table.sessions.get_bucket(bucket).is_some_and(is_over) {
                    table.take(bucket);
                    self.count.fetch_sub(1, Ordering::Relaxed);
                }
            }
            from = to;
        }
    }

    /// Puts one out, but not that one.
    fn make_room(&self, newest: &SessionKey, now: Time) -> Option<Arc<CachedSession>> {
        let first = self.shard_number(newest);
        (0..self.shards.len()).find_map(|beside| {
            let shard = &self.shards[(first + beside) % self.shards.len()];
            let out = shard.lock().put_out(newest, now, self.idle)?;
            self.count.fetch_sub(1, Ordering::Relaxed);
            Some(out)
        })
    }

    fn shard(&self, key: &SessionKey) -> &Shard {
        &self.shards[self.shard_number(key)]
    }

    fn shard_number(&self, key: &SessionKey) -> usize {
        // Other bits than those that find the store in the shard.
        usize::from(u16::from_le_bytes([key.0[8], key.0[9]])) % self.shards.len()
    }
}

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Looks at some sessions from the hand on, and puts out the first that is over, or the one
    /// with the oldest sign of life.
    fn put_out(
        &mut self,
        newest: &SessionKey,
        now: Time,
        idle: Duration,
    ) -> Option<Arc<CachedSession>> {
        let buckets = self.sessions.num_buckets();
        let (mut oldest, mut looked_at) = (None, 0);
        for step in 0..buckets {
            let bucket = (self.hand + step) % buckets;
            let Some(held) = self.sessions.get_bucket(bucket) else { continue };
            if held.key() == *newest {
                continue;
            }
            let alive = if held.is_live(now, idle) { held.alive() } else { Time::MIN };
            if oldest.is_none_or(|(oldest, _)| alive < oldest) {
                oldest = Some((alive, bucket));
            }
            looked_at += 1;
            if looked_at == NEIGHBOURS || alive == Time::MIN {
                self.hand = bucket + 1;
                break;
            }
        }
        self.take(oldest?.1)
    }

    fn take(&mut self, bucket: usize) -> Option<Arc<CachedSession>> {
        self.sessions.get_bucket_entry(bucket).ok().map(|entry| entry.remove().0)
    }
}

fn hash(key: &SessionKey) -> u64 {
    key.0.first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

fn hash_of(held: &Arc<CachedSession>) -> u64 {
    hash(&held.key())
}

/// The most shards, and how many sessions are worth one.
const SHARDS: usize = 256;
const PER_SHARD: usize = 4096;
/// Of how many neighbours one makes room.
const NEIGHBOURS: usize = 32;
/// In how many sweeps everything is swept.
const ROUND: usize = 128;
/// How long what is over stays at least.
const MARGIN: Duration = Duration::from_secs(60);
/// How many places are swept while others wait.
const AT_ONCE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, ManualClock};
    use crate::session::SessionId;
    use crate::session::cached::Activity;
    use crate::session::testing::{session, settings};

    fn clock() -> ManualClock {
        ManualClock::at("2031-01-01T00:00:00Z".parse().unwrap())
    }

    fn near(maximum: u64) -> LocalSessions {
        LocalSessions::new(maximum, settings().idle)
    }

    fn held(clock: &ManualClock) -> Arc<CachedSession> {
        let (key, now) = (SessionId::generate().key(), clock.now());
        CachedSession::new(key, session(key, now), now)
    }

    fn kept(near: &LocalSessions, clock: &ManualClock) -> Arc<CachedSession> {
        near.keep(held(clock), clock.now()).held
    }

    fn count(near: &LocalSessions) -> usize {
        let there = near.collect(|held| Some(held.key())).len();
        assert_eq!(near.len(), there);
        there
    }

    #[test]
    fn finds_what_is_kept_until_it_is_taken_out() {
        let (near, clock) = (near(100_000), clock());
        assert!(near.shards.len() > 1);
        let all: Vec<_> = (0..1000).map(|_| kept(&near, &clock)).collect();
        for held in &all {
            assert!(Arc::ptr_eq(&near.get(&held.key()).unwrap(), held));
        }
        assert!(near.get(&SessionId::generate().key()).is_none());
        for held in &all {
            assert!(Arc::ptr_eq(&near.remove(&held.key()).unwrap(), held));
            assert!(near.remove(&held.key()).is_none());
            assert!(near.get(&held.key()).is_none());
        }
        assert_eq!(count(&near), 0);
    }

    #[test]
    fn of_two_copies_the_first_stays() {
        let (near, clock) = (near(1), clock());
        let first = kept(&near, &clock);
        let copy = CachedSession::new(first.key(), session(first.key(), clock.now()), clock.now());
        let kept = near.keep(copy, clock.now());
        assert!(Arc::ptr_eq(&kept.held, &first) && !kept.is_new);
        assert!(kept.out.is_none(), "nobody makes room for what is here");
    }

    #[test]
    fn there_are_never_more_than_so_many_and_the_one_unused_for_longest_makes_room() {
        let (near, clock) = (near(3), clock());
        let mut all = Vec::new();
        for _ in 0..3 {
            all.push(kept(&near, &clock));
            clock.advance(Duration::from_secs(1));
        }
        // The first is used again, so the second is the oldest.
        assert!(all[0].look(Activity::Alive, clock.now(), settings().idle).is_some());
        clock.advance(Duration::from_secs(1));
        let new = near.keep(held(&clock), clock.now());
        assert!(Arc::ptr_eq(&new.out.unwrap(), &all[1]));
        assert!(near.get(&new.held.key()).is_some(), "a new one is always taken in");
        assert!(near.get(&all[0].key()).is_some() && near.get(&all[2].key()).is_some());
        assert_eq!(count(&near), 3);
    }

    /// Of some neighbours one makes room, and the next time of others.
    #[test]
    fn all_that_are_idle_make_room_in_the_end_and_none_that_is_used() {
        let (near, clock) = (near(4 * NEIGHBOURS as u64), clock());
        let idle: Vec<_> = (0..4 * NEIGHBOURS).map(|_| kept(&near, &clock)).collect();
        assert_eq!(near.shards.len(), 1);
        clock.advance(Duration::from_secs(1));
        for _ in 0..40 * NEIGHBOURS {
            kept(&near, &clock);
        }
        assert!(idle.iter().all(|held| near.get(&held.key()).is_none()));
    }

    #[test]
    fn one_that_is_over_makes_room_before_any_that_lives() {
        let (near, clock) = (near(3), clock());
        let old = kept(&near, &clock);
        clock.advance(Duration::from_secs(1));
        let ended = kept(&near, &clock);
        ended.end();
        kept(&near, &clock);
        let new = near.keep(held(&clock), clock.now());
        assert!(Arc::ptr_eq(&new.out.unwrap(), &ended));
        assert!(near.get(&old.key()).is_some());
    }

    #[test]
    fn one_makes_room_in_another_shard_when_there_is_none_in_its_own() {
        let (near, clock) = (near(20_000), clock());
        for _ in 0..30_000 {
            kept(&near, &clock);
        }
        assert_eq!(count(&near), 20_000);
        let one = LocalSessions { maximum: 1, ..self::near(20_000) };
        for _ in 0..50 {
            let newest = kept(&one, &clock);
            assert!(one.get(&newest.key()).is_some());
            assert_eq!(count(&one), 1);
        }
    }

    #[test]
    fn many_at_once_keep_the_bound_and_lose_nothing_that_there_is_room_for() {
        const EACH: usize = 3000;
        let (near, clock) = (near(10_000), clock());
        let work = || {
            let mine: Vec<_> = (0..EACH).map(|_| kept(&near, &clock)).collect();
            near.sweep(clock.now());
            mine.iter().for_each(|held| assert!(near.get(&held.key()).is_some()));
            mine.iter().for_each(|held| assert!(near.remove(&held.key()).is_some()));
            (0..EACH).for_each(|_| drop(kept(&near, &clock)));
        };
        std::thread::scope(|scope| (0..3).for_each(|_| drop(scope.spawn(work))));
        assert_eq!(count(&near), 3 * EACH);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..EACH).for_each(|_| drop(kept(&near, &clock))));
            }
        });
        assert_eq!(count(&near), 10_000);
    }

    #[test]
    fn what_is_over_is_swept_and_what_may_be_found_is_not() {
        let (near, clock) = (near(100_000), clock());
        let gone: Vec<_> = (0..3000).map(|_| kept(&near, &clock)).collect();
        gone[0].end();
        clock.advance(settings().idle);
        let live = kept(&near, &clock);
        let sweep = || (0..ROUND).for_each(|_| near.sweep(clock.now()));
        sweep();
        assert_eq!(count(&near), 3000, "only what was ended is swept at once");
        clock.advance(MARGIN);
        sweep();
        assert_eq!(count(&near), 1);
        assert!(near.get(&live.key()).is_some());
        let buckets: usize = near.shards.iter().map(|s| s.lock().sessions.num_buckets()).sum();
        assert!(buckets < 200, "{buckets} places for one session");
    }
}
