//! A store for tests that does what it is asked for and loses the answer, or is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use tokio::sync::broadcast;

use crate::base::clock::Time;
use crate::store::memory::Memory;
use crate::store::{Digest, Event, Key, Kind, Page, Record, RecordStore, Touch, Unavailable, Work};

/// What becomes of what the store is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Line {
    /// It is done, and answered.
    Good,
    /// It is done, and the answer to what changes something is lost.
    Deaf,
    /// It does not arrive.
    Cut,
    /// What is there cannot be changed.
    Fixed,
    /// Nothing can be noted as used.
    Forgetful,
}

/// The store.
pub(super) struct Losing {
    memory: Memory,
    line: AtomicU32,
}

impl Losing {
    /// Makes one whose line is good.
    pub(super) fn new() -> Arc<Self> {
        Self::with_room(10)
    }

    /// Makes one that has room for so many records of a kind.
    pub(super) fn with_room(records: usize) -> Arc<Self> {
        let line = AtomicU32::new(Line::Good as u32);
        Arc::new(Self { memory: Memory::new(records), line })
    }

    /// Has the line be so from now on.
    pub(super) fn becomes(&self, line: Line) {
        self.line.store(line as u32, Ordering::SeqCst);
    }

    fn is(&self, line: Line) -> bool {
        self.line.load(Ordering::SeqCst) == line as u32
    }

    fn write<'p, T: Send + 'p>(&'p self, work: Work<'p, T>) -> Work<'p, T> {
        Box::pin(async move {
            if self.is(Line::Cut) {
                return away().await;
            }
            let done = work.await?;
            if self.is(Line::Deaf) {
                return Err(Unavailable("its answer was lost".to_owned()));
            }
            Ok(done)
        })
    }

    fn read<'p, T: Send + 'p>(&'p self, work: Work<'p, T>) -> Work<'p, T> {
        Box::pin(async move {
            if self.is(Line::Cut) {
                return away().await;
            }
            work.await
        })
    }
}

fn away<'p, T: Send + 'p>() -> Work<'p, T> {
    Box::pin(async { Err(Unavailable("it is away".to_owned())) })
}

impl RecordStore for Losing {
    fn put(&self, key: Key, record: Record) -> Work<'_, ()> {
        self.write(self.memory.put(key, record))
    }

    fn put_new(&self, key: Key, record: Record, now: Time) -> Work<'_, bool> {
        if self.is(Line::Forgetful) && key.kind == Kind::Used {
            return away();
        }
        self.write(self.memory.put_new(key, record, now))
    }

    fn swap(&self, key: Key, sealed: Bytes, record: Record, now: Time) -> Work<'_, bool> {
        if self.is(Line::Fixed) {
            return away();
        }
        self.write(self.memory.swap(key, sealed, record, now))
    }

    fn get(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        self.read(self.memory.get(key, now))
    }

    fn take(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        self.write(self.memory.take(key, now))
    }

    fn touch(&self, touches: Vec<Touch>) -> Work<'_, ()> {
        self.write(self.memory.touch(touches))
    }

    fn owned(
        &self,
        kind: Kind,
        owner: Digest,
        limit: usize,
        now: Time,
    ) -> Work<'_, Vec<(Digest, Record)>> {
        self.read(self.memory.owned(kind, owner, limit, now))
    }

    fn list(&self, kind: Kind, after: Option<String>, limit: usize, now: Time) -> Work<'_, Page> {
        self.read(self.memory.list(kind, after, limit, now))
    }

    fn is_watching(&self) -> bool {
        self.memory.is_watching()
    }

    fn watch(&self) -> broadcast::Receiver<Event> {
        self.memory.watch()
    }

    fn check(&self) -> Work<'_, ()> {
        self.read(self.memory.check())
    }

    fn close(&self) {
        self.memory.close();
    }
}
