//! Records in the memory of this process: gone with it, and not shared.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::broadcast;

use super::{
    Digest, EVENTS, Event, Key, Kind, Page, Record, RecordStore, Touch, Unavailable, Work,
};
use crate::base::clock::Time;
use crate::base::encoding::{from_hex, hex_lower};

/// The store. When a kind is full, the record that was put longest ago makes room, and
/// listeners are told; but what must not be used twice is never forgotten early, and then nothing
/// more is taken in.
pub struct Memory {
    state: Mutex<State>,
    maximum: usize,
    maximum_of: HashMap<Kind, usize>,
    events: broadcast::Sender<Event>,
}

#[derive(Default)]
struct State {
    records: BTreeMap<Key, Entry>,
    /// The order in which they were put first.
    order: BTreeMap<(Kind, u64), Digest>,
    counts: HashMap<Kind, usize>,
    next: u64,
}

struct Entry {
    record: Record,
    number: u64,
}

impl Memory {
    /// Makes an empty store for at most so many records of each kind.
    #[must_use]
    pub fn new(maximum: usize) -> Self {
        let events = broadcast::Sender::new(EVENTS);
        Self {
            state: Mutex::default(),
            maximum: maximum.max(1),
            maximum_of: HashMap::new(),
            events,
        }
    }

    /// Bounds the records of one kind otherwise.
    #[must_use]
    pub fn with_maximum_of(mut self, kind: Kind, maximum: usize) -> Self {
        self.maximum_of.insert(kind, maximum.max(1));
        self
    }

    fn maximum(&self, kind: Kind) -> usize {
        self.maximum_of.get(&kind).copied().unwrap_or(self.maximum)
    }

    fn tell(&self, gone: impl IntoIterator<Item = Key>) {
        for key in gone {
            // There may be no listener.
            let _ = self.events.send(Event::Gone(key));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn live(&self, key: Key, now: Time) -> Option<&Record> {
        self.records.get(&key).map(|kept| &kept.record).filter(|record| now < record.expires)
    }

    /// Keeps a record; returns those that made room for it.
    fn put(&mut self, key: Key, record: Record, maximum: usize) -> Vec<Key> {
        let mut gone = Vec::new();
        if let Some(kept) = self.records.get_mut(&key) {
            kept.record = record;
            return gone;
        }
        let number = self.next;
        self.next += 1;
        self.records.insert(key, Entry { record, number });
        self.order.insert((key.kind, number), key.digest);
        *self.counts.entry(key.kind).or_default() += 1;
        while self.count(key.kind) > maximum {
            let Some(digest) = self.oldest(key.kind) else { break };
            let oldest = Key { kind: key.kind, digest };
            self.remove(oldest);
            gone.push(oldest);
        }
        gone
    }

    fn remove(&mut self, key: Key) -> Option<Record> {
        let Entry { record, number } = self.records.remove(&key)?;
        self.order.remove(&(key.kind, number));
        if let Some(count) = self.counts.get_mut(&key.kind) {
            *count -= 1;
        }
        Some(record)
    }

    fn oldest(&self, kind: Kind) -> Option<Digest> {
        self.order.range((kind, 0)..=(kind, u64::MAX)).next().map(|(_, digest)| *digest)
    }

    /// Makes room for what is never forgotten early.
    fn forget_expired(&mut self, kind: Kind, now: Time) {
        let expired: Vec<_> = of_kind(&self.records, kind, None)
            .filter(|(_, record)| record.expires <= now)
            .map(|(key, _)| *key)
            .collect();
        for key in expired {
            self.remove(key);
        }
    }

    fn count(&self, kind: Kind) -> usize {
        self.counts.get(&kind).copied().unwrap_or(0)
    }
}

impl RecordStore for Memory {
    fn put(&self, key: Key, record: Record) -> Work<'_, ()> {
        let gone = self.lock().put(key, record, self.maximum(key.kind));
        self.tell(gone);
        Box::pin(async { Ok(()) })
    }

    fn put_new(&self, key: Key, record: Record, now: Time) -> Work<'_, bool> {
        let mut gone = Vec::new();
        let mut state = self.lock();
        let done = if state.live(key, now).is_some() {
            Ok(false)
        } else {
            if key.kind == Kind::Used && state.count(key.kind) >= self.maximum(key.kind) {
                state.forget_expired(key.kind, now);
            }
            if key.kind == Kind::Used && state.count(key.kind) >= self.maximum(key.kind) {
                Err(Unavailable::full())
            } else {
                gone = state.put(key, record, self.maximum(key.kind));
                Ok(true)
            }
        };
        drop(state);
        self.tell(gone);
        Box::pin(async { done })
    }

    fn swap(&self, key: Key, sealed: Bytes, record: Record, now: Time) -> Work<'_, bool> {
        let mut state = self.lock();
        let is_same = state.live(key, now).is_some_and(|known| known.sealed == sealed);
        if let Some(kept) = state.records.get_mut(&key).filter(|_| is_same) {
            kept.record = record;
        }
        Box::pin(async move { Ok(is_same) })
    }

    fn get(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        let found = self.lock().live(key, now).cloned();
        Box::pin(async { Ok(found) })
    }

    fn take(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        let taken = self.lock().remove(key).filter(|record| now < record.expires);
        self.tell(taken.as_ref().map(|_| key));
        Box::pin(async { Ok(taken) })
    }

    fn touch(&self, touches: Vec<Touch>) -> Work<'_, ()> {
        let mut state = self.lock();
        for touch in touches {
            if let Some(Entry { record, .. }) = state.records.get_mut(&touch.key) {
                record.alive = record.alive.max(touch.alive);
                record.expires = record.expires.max(touch.expires);
            }
        }
        Box::pin(async { Ok(()) })
    }

    fn owned(
        &self,
        kind: Kind,
        owner: Digest,
        limit: usize,
        now: Time,
    ) -> Work<'_, Vec<(Digest, Record)>> {
        let state = self.lock();
        let found = of_kind(&state.records, kind, None)
            .filter(|(_, record)| record.owner == Some(owner) && now < record.expires)
            .map(|(key, record)| (key.digest, record.clone()))
            .take(limit)
            .collect();
        Box::pin(async { Ok(found) })
    }

    fn list(&self, kind: Kind, after: Option<String>, limit: usize, now: Time) -> Work<'_, Page> {
        let after = after.and_then(|text| from_hex(&text)?.try_into().ok());
        let state = self.lock();
        let records: Vec<_> = of_kind(&state.records, kind, after)
            .filter(|(_, record)| now < record.expires)
            .map(|(key, record)| (key.digest, record.clone()))
            .take(limit)
            .collect();
        let is_full = records.len() == limit;
        let next = records.last().filter(|_| is_full).map(|(digest, _)| hex_lower(digest));
        Box::pin(async { Ok(Page { records, next }) })
    }

    fn is_watching(&self) -> bool {
        // All that happens, happens in this process.
        true
    }

    fn watch(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn check(&self) -> Work<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn close(&self) {
        // No other process waits for it.
    }
}

fn of_kind(
    records: &BTreeMap<Key, Entry>,
    kind: Kind,
    after: Option<Digest>,
) -> impl Iterator<Item = (&Key, &Record)> {
    let from = match after {
        Some(digest) => Bound::Excluded(Key { kind, digest }),
        None => Bound::Included(Key { kind, digest: [0; 32] }),
    };
    let to = Bound::Included(Key { kind, digest: [0xff; 32] });
    records.range((from, to)).map(|(key, kept)| (key, &kept.record))
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract_of_stores() {
        contract::check(&Memory::new(10_000)).await;
    }

    fn used(number: u8) -> Key {
        Key { kind: Kind::Used, digest: [number; 32] }
    }

    #[tokio::test]
    async fn what_must_not_be_used_twice_is_not_forgotten_for_something_else() {
        let (memory, now) = (Memory::new(2), contract::begin());
        let record = |seconds| contract::record(b"x", now, seconds);
        assert!(memory.put_new(used(1), record(10), now).await.unwrap());
        assert!(memory.put_new(used(2), record(20), now).await.unwrap());
        memory.put_new(used(3), record(20), now).await.unwrap_err();
        let later = contract::after(now, 10);
        assert!(memory.put_new(used(3), record(30), later).await.unwrap(), "the first is over");
        assert!(!memory.put_new(used(2), record(30), later).await.unwrap());
    }

    #[tokio::test]
    async fn what_was_taken_away_takes_no_room() {
        let (memory, now) = (Memory::new(2), contract::begin());
        let wish = |number| Key { kind: Kind::HandoffRequest, digest: [number; 32] };
        let put = |number| memory.put(wish(number), contract::record(b"x", now, 60));
        put(1).await.unwrap();
        for number in 2..200 {
            put(number).await.unwrap();
            memory.take(wish(number), now).await.unwrap().unwrap();
        }
        // Put again under the same key, it is one record and not the oldest.
        for number in [2, 1, 2] {
            put(number).await.unwrap();
        }
        for number in 1..=2 {
            assert!(memory.get(wish(number), now).await.unwrap().is_some(), "{number}");
        }
        put(3).await.unwrap();
        assert!(memory.get(wish(1), now).await.unwrap().is_none(), "the twin: there are too many");
    }

    #[tokio::test]
    async fn of_other_records_the_oldest_makes_room() {
        let (memory, now) = (Memory::new(2), contract::begin());
        let mut events = memory.watch();
        let login = |number| Key { kind: Kind::Login, digest: [number; 32] };
        for number in 1..=3 {
            memory.put(login(number), contract::record(b"x", now, 60)).await.unwrap();
        }
        assert!(memory.get(login(1), now).await.unwrap().is_none());
        assert_eq!(events.try_recv(), Ok(Event::Gone(login(1))), "copies of it are worthless");
        assert!(events.try_recv().is_err(), "of those that stay nothing is told");
        assert!(memory.get(login(3), now).await.unwrap().is_some());
    }
}
