//! The contract of sessions, near alone and with a store behind; and what a store changes.

mod away;
mod contract;
mod near;
mod replicas;
mod room;
mod upkeep;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::broadcast;

use super::absent::ABSENT_LIFE;
use super::*;
use crate::base::clock::{Clock, ManualClock, Time, later};
use crate::base::secret::Secret;
use crate::identity::claims::PairwiseSecret;
use crate::session::cached::{Activity, CachedSession};
use crate::session::label::Why;
use crate::session::testing::{session, settings};
use crate::session::{SessionId, Settings};
use crate::store::memory::Memory;
use crate::store::seal::Sealer;
use crate::store::{Event, Key, Kind, Page, Record, RecordStore, Touch, Unavailable, Work};

fn clock() -> ManualClock {
    ManualClock::at("2031-01-01T00:00:00Z".parse().unwrap())
}

fn owners() -> PairwiseSecret {
    PairwiseSecret::new(vec![7; 32]).unwrap()
}

fn sealer() -> Sealer {
    Sealer::new(vec![Secret::new(b"secret of the servers".to_vec())])
}

fn replica(store: &Arc<Switch>, settings: Settings) -> Arc<Sessions> {
    Sessions::kept_in(
        Arc::clone(store) as Arc<dyn RecordStore>,
        Sharing::Replicas,
        sealer(),
        settings,
        owners(),
        Arc::default(),
    )
}

fn alone(store: &Arc<Switch>) -> Arc<Sessions> {
    let store = Arc::clone(store) as Arc<dyn RecordStore>;
    Sessions::kept_in(store, Sharing::Alone, sealer(), settings(), owners(), Arc::default())
}

/// A store that can be away.
struct Switch {
    memory: Memory,
    is_away: AtomicBool,
    /// Nothing can be kept, and what is there can be read.
    is_full: AtomicBool,
    /// Nothing is heard of it, and it knows.
    is_deaf: AtomicBool,
    silent: broadcast::Sender<Event>,
    /// It stopped telling, and does not know.
    is_closed: AtomicBool,
    /// What is read takes a turn to arrive.
    is_slow: AtomicBool,
    /// How often something was read.
    reads: AtomicUsize,
}

impl Switch {
    fn new() -> Arc<Self> {
        let [is_away, is_full, is_deaf, is_closed, is_slow] = [false; 5].map(AtomicBool::new);
        let (memory, reads) = (Memory::new(1000), AtomicUsize::new(0));
        let silent = broadcast::Sender::new(1);
        Arc::new(Self { memory, is_away, is_full, is_deaf, silent, is_closed, is_slow, reads })
    }

    fn away(&self, away: bool) {
        self.is_away.store(away, Ordering::SeqCst);
    }

    fn or<'p, T: Send + 'p>(&self, work: Work<'p, T>) -> Work<'p, T> {
        if self.is_away.load(Ordering::SeqCst) {
            Box::pin(async { Err(Unavailable("it is away".to_owned())) })
        } else {
            work
        }
    }
}

impl RecordStore for Switch {
    fn put(&self, key: Key, record: Record) -> Work<'_, ()> {
        if self.is_full.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Unavailable("it is full".to_owned())) });
        }
        self.or(self.memory.put(key, record))
    }
    fn put_new(&self, key: Key, record: Record, now: Time) -> Work<'_, bool> {
        self.or(self.memory.put_new(key, record, now))
    }
    fn swap(&self, key: Key, sealed: Bytes, record: Record, now: Time) -> Work<'_, bool> {
        self.or(self.memory.swap(key, sealed, record, now))
    }
    fn get(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.is_slow.load(Ordering::SeqCst) {
            let read = self.memory.get(key, now);
            return Box::pin(async {
                tokio::task::yield_now().await;
                read.await
            });
        }
        self.or(self.memory.get(key, now))
    }
    fn take(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        if self.is_away.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Unavailable("it is away".to_owned())) });
        }
        self.memory.take(key, now)
    }
    fn touch(&self, touches: Vec<Touch>) -> Work<'_, ()> {
        self.or(self.memory.touch(touches))
    }
    fn owned(
        &self,
        kind: Kind,
        owner: [u8; 32],
        limit: usize,
        now: Time,
    ) -> Work<'_, Vec<([u8; 32], Record)>> {
        self.or(self.memory.owned(kind, owner, limit, now))
    }
    fn list(&self, kind: Kind, after: Option<String>, limit: usize, now: Time) -> Work<'_, Page> {
        self.or(self.memory.list(kind, after, limit, now))
    }
    fn watch(&self) -> broadcast::Receiver<Event> {
        if self.is_closed.load(Ordering::SeqCst) {
            broadcast::Sender::new(1).subscribe()
        } else if self.is_deaf.load(Ordering::SeqCst) {
            self.silent.subscribe()
        } else {
            self.memory.watch()
        }
    }
    fn is_watching(&self) -> bool {
        !self.is_deaf.load(Ordering::SeqCst)
    }
    fn check(&self) -> Work<'_, ()> {
        self.or(self.memory.check())
    }
    fn close(&self) {
        self.memory.close();
    }
}

async fn begun(sessions: &Sessions, clock: &ManualClock) -> SessionId {
    let id = SessionId::generate();
    sessions.insert(&id, session(id.key(), clock.now()), clock.now()).await.unwrap();
    id
}

async fn is_live(sessions: &Sessions, id: &SessionId, a: Activity, clock: &ManualClock) -> bool {
    sessions.find(id, a, clock.now()).await.unwrap().is_some()
}

/// Attends to sessions until their store is not away any more.
async fn until_it_is_back(sessions: &Arc<Sessions>) {
    let attending =
        tokio::spawn(Arc::clone(sessions).serve(Arc::new(crate::base::clock::SystemClock)));
    let back = async {
        while sessions.is_away() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), back).await.unwrap();
    attending.abort();
}
