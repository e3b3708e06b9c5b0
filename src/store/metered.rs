//! A store that is metered: how long it takes, what it could not do, and when it last did
//! something.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::{Digest, Event, Key, Kind, Page, Record, RecordStore, Touch, Work};
use crate::base::clock::Time;
use crate::observe::metrics::Count;
use crate::observe::metrics::histogram::{Histogram, OF_STORES};
use crate::observe::traces;

/// A store that is metered.
pub struct MeteredStore {
    store: Arc<dyn RecordStore>,
    /// What kind of store it is.
    place: &'static str,
    traffic: Arc<Traffic>,
}

/// What was seen of a store.
#[derive(Debug)]
pub struct Traffic {
    operations: [Seen; Operation::ALL.len()],
    began: Instant,
    /// Milliseconds from the beginning to the last success, and one more; zero when there was none.
    last_success: AtomicU64,
}

/// What was seen of one operation.
#[derive(Debug)]
pub struct Seen {
    /// How long it took.
    pub duration: Histogram,
    /// How often it could not be done.
    pub errors: Count,
}

/// What a store can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A [`RecordStore::put`].
    Put,
    /// A [`RecordStore::put_new`].
    PutNew,
    /// A [`RecordStore::swap`].
    Swap,
    /// A [`RecordStore::get`].
    Get,
    /// A [`RecordStore::take`].
    Take,
    /// A [`RecordStore::touch`].
    Touch,
    /// A [`RecordStore::owned`] or [`RecordStore::list`].
    List,
    /// A [`RecordStore::check`].
    Check,
}

impl Operation {
    /// Every operation; the metrics have a row for each.
    pub const ALL: [Self; 8] = [
        Self::Put,
        Self::PutNew,
        Self::Swap,
        Self::Get,
        Self::Take,
        Self::Touch,
        Self::List,
        Self::Check,
    ];

    /// Returns its name in traces.
    fn span_name(self) -> &'static str {
        match self {
            Self::Put => "store put",
            Self::PutNew => "store put_new",
            Self::Swap => "store swap",
            Self::Get => "store get",
            Self::Take => "store take",
            Self::Touch => "store touch",
            Self::List => "store list",
            Self::Check => "store check",
        }
    }

    /// Returns its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::PutNew => "put_new",
            Self::Swap => "swap",
            Self::Get => "get",
            Self::Take => "take",
            Self::Touch => "touch",
            Self::List => "list",
            Self::Check => "check",
        }
    }
}

impl Default for Traffic {
    fn default() -> Self {
        let seen = |_| Seen { duration: Histogram::new(&OF_STORES), errors: Count::default() };
        let operations = std::array::from_fn(seen);
        Self { operations, began: Instant::now(), last_success: AtomicU64::new(0) }
    }
}

impl Traffic {
    /// Returns what was seen of an operation.
    #[must_use]
    pub fn of(&self, operation: Operation) -> &Seen {
        &self.operations[operation as usize]
    }

    /// Returns how long ago something was done.
    #[must_use]
    pub fn since_success(&self) -> Option<Duration> {
        let last = self.last_success.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.began.elapsed().saturating_sub(Duration::from_millis(last)))
    }

    fn note(&self, operation: Operation, took: Duration, is_done: bool) {
        let seen = self.of(operation);
        seen.duration.observe(took);
        if is_done {
            let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
            self.last_success.fetch_max(now + 1, Ordering::Relaxed);
        } else {
            seen.errors.add();
        }
    }
}

impl MeteredStore {
    /// Meters a store of a kind; what is seen of it is noted in `traffic`.
    #[must_use]
    pub fn new(store: Arc<dyn RecordStore>, place: &'static str, traffic: Arc<Traffic>) -> Self {
        Self { store, place, traffic }
    }

    fn note<'p, T: Send + 'p>(&'p self, operation: Operation, work: Work<'p, T>) -> Work<'p, T> {
        Box::pin(async move {
            let began = Instant::now();
            let mut span = traces::open(traces::Kind::Client, operation.span_name());
            let done = work.await;
            if let Some(span) = &mut span {
                span.set("db.system.name", self.place);
                span.set("db.operation.name", operation.name());
                if done.is_err() {
                    span.fail("unavailable");
                }
            }
            drop(span);
            self.traffic.note(operation, began.elapsed(), done.is_ok());
            done
        })
    }
}

impl RecordStore for MeteredStore {
    fn put(&self, key: Key, record: Record) -> Work<'_, ()> {
        self.note(Operation::Put, self.store.put(key, record))
    }

    fn put_new(&self, key: Key, record: Record, now: Time) -> Work<'_, bool> {
        self.note(Operation::PutNew, self.store.put_new(key, record, now))
    }

    fn swap(&self, key: Key, sealed: bytes::Bytes, record: Record, now: Time) -> Work<'_, bool> {
        self.note(Operation::Swap, self.store.swap(key, sealed, record, now))
    }

    fn get(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        self.note(Operation::Get, self.store.get(key, now))
    }

    fn take(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        self.note(Operation::Take, self.store.take(key, now))
    }

    fn touch(&self, touches: Vec<Touch>) -> Work<'_, ()> {
        self.note(Operation::Touch, self.store.touch(touches))
    }

    fn owned(
        &self,
        kind: Kind,
        owner: Digest,
        limit: usize,
        now: Time,
    ) -> Work<'_, Vec<(Digest, Record)>> {
        self.note(Operation::List, self.store.owned(kind, owner, limit, now))
    }

    fn list(&self, kind: Kind, after: Option<String>, limit: usize, now: Time) -> Work<'_, Page> {
        self.note(Operation::List, self.store.list(kind, after, limit, now))
    }

    fn is_watching(&self) -> bool {
        self.store.is_watching()
    }

    fn watch(&self) -> broadcast::Receiver<Event> {
        self.store.watch()
    }

    fn check(&self) -> Work<'_, ()> {
        self.note(Operation::Check, self.store.check())
    }

    fn close(&self) {
        self.store.close();
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::super::memory::Memory;
    use super::super::opening::opening;
    use super::*;

    fn durations(traffic: &Arc<Traffic>, operation: Operation) -> u64 {
        traffic.of(operation).duration.spread().count()
    }

    fn watched(store: impl RecordStore) -> (MeteredStore, Arc<Traffic>) {
        let traffic = Arc::new(Traffic::default());
        (MeteredStore::new(Arc::new(store), "memory", Arc::clone(&traffic)), traffic)
    }

    #[tokio::test]
    async fn keeps_the_contract_of_stores_and_counts_every_operation() {
        let (store, traffic) = watched(Memory::new(10_000));
        assert!(traffic.since_success().is_none());
        contract::check(&store).await;
        for operation in Operation::ALL {
            let seen = traffic.of(operation);
            assert!(durations(&traffic, operation) > 0, "{operation:?}");
            assert_eq!(seen.errors.value(), 0, "{operation:?}");
        }
        assert!(traffic.since_success().unwrap() < Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_done_is_an_error_and_no_success() {
        let (_opened, never_open) = opening();
        let (store, traffic) = watched(never_open);
        let (key, now) = (Key { kind: Kind::Login, digest: [1; 32] }, contract::begin());
        let refused = store.put_new(key, contract::record(b"x", now, 60), now).await;
        assert!(refused.is_err());
        let seen = traffic.of(Operation::PutNew);
        assert_eq!((seen.errors.value(), durations(&traffic, Operation::PutNew)), (1, 1));
        assert!(traffic.since_success().is_none());
    }
}
