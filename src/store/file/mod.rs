//! Records in a file on this machine: they survive the process, however it ends.
//!
//! 1. What was answered is on the disk (`fsync`), except touches, which follow within 100 ms.
//!    Changes that come together share a commit, so that there may be thousands of them each
//!    second.
//! 2. One thread writes (`writer`), so the order of changes is the order in which they were asked
//!    for, and each is whole or not at all. A reader sees what was committed, and the touches.
//! 3. Everything is answered within [`PATIENCE`]: when the disk hangs, is full or fails, with
//!    [`Unavailable`]. The store recovers by itself.
//! 4. The file belongs to one process (`disk`). A successor waits for it ([`Options::lock_wait`])
//!    until its predecessor calls [`File::close`] or ends; so a predecessor should close the store
//!    as soon as it takes no more requests.
//! 5. Records of each kind and the length of the file are bounded (`tables`). The file doubles when
//!    it grows, so that between a half and the whole of its bound can be used. What has expired is
//!    removed by the clock of the machine or that of the callers, whichever is behind.
//! 6. A file that is damaged, not ours, of another version, or open to others is refused.
//!
//! # Why redb
//!
//! It is written in Rust alone, which this process can trust with its memory; it has transactions
//! that a crash cannot tear (copy on write, checksums), one file with a format that is promised to
//! be stable, no thread of its own, and a seam for the disk, by which we bound and lock the file
//! ourselves. It is maintained. LMDB (heed) and SQLite (rusqlite) are as safe for the data, but C,
//! and opening the former is `unsafe`, because the file is mapped into memory. fjall, a tree of
//! logs, writes faster and has many files and threads: more than records of this size and number
//! need. The next sled has been an alpha for years.

mod database;
mod disk;
mod error;
mod queries;
mod row;
mod schema;
mod shared;
mod tables;
mod touches;
mod writer;

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Semaphore, broadcast, oneshot};
use tokio::time::timeout;

use self::database::{Slot, guarded};
use self::disk::Disk;
use self::error::FileError;
pub use self::error::OpenError;
use self::shared::{Shared, lock};
use self::tables::Outcome;
use self::touches::Added;
use self::writer::{Change, Command, Message, Writer};
use super::{Digest, Event, Key, Kind, Page, Record, RecordStore, Touch, Unavailable, Work};
use crate::base::clock::Time;

/// How much a file may hold, and how patiently it is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many records of each kind.
    pub maximum: usize,
    /// How long the file may become; at least [`Options::SMALLEST`]. A session of 600 bytes takes
    /// about 1,350 in the file, with its indexes.
    pub maximum_bytes: u64,
    /// How long to wait for another process that has the file open.
    pub lock_wait: Duration,
}

impl Options {
    /// The smallest bound of the length of a file.
    pub const SMALLEST: u64 = 64 << 20;

    /// Returns how many bytes of one kind that any client can begin (logins, wishes, codes) a file
    /// of that bound has room for before it makes some by itself, whatever network they are of. Each
    /// record counts for 512 bytes more than it has: with that, none takes more than twice as much
    /// in the file.
    #[must_use]
    pub fn room_for_begun(maximum_bytes: u64) -> u64 {
        Self::least_weight(maximum_bytes) / tables::PART_OF_BEGUN / 2
    }

    /// Returns the same for forms, which may have half of the file.
    #[must_use]
    pub fn room_for_forms(maximum_bytes: u64) -> u64 {
        Self::least_weight(maximum_bytes) / 2 / 2
    }

    /// What all records may weigh at the least: the file doubles when it grows, so it may stop at a
    /// half, and a disk that is full makes it less by an eighth.
    fn least_weight(maximum_bytes: u64) -> u64 {
        writer::weight_within(maximum_bytes.max(Self::SMALLEST) / 2) / 8 * 7
    }
}

/// Records in one file, with the thread that writes it.
pub struct File {
    shared: Arc<Shared>,
    queue: Sender<Message>,
    /// Room in the queue, in units of [`UNIT`].
    room: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl File {
    /// Opens a file, or makes one. Takes as long as it takes to read it; blocks.
    ///
    /// # Errors
    ///
    /// Why it cannot be used, and what to do.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let maximum_bytes = options.maximum_bytes.max(Options::SMALLEST);
        let disk = Disk::open(path, maximum_bytes, options.lock_wait)?;
        let maximum = u64::try_from(options.maximum).unwrap_or(u64::MAX).max(1);
        let shared = Arc::new(Shared::new(Slot::open(disk)?, maximum));
        let (queue, receiver) = channel();
        let writer = Writer::new(Arc::clone(&shared), receiver);
        let thread = std::thread::Builder::new()
            .name("brama-store".to_owned())
            .spawn(|| writer.run())
            .map_err(|source| OpenError::Disk { path: path.to_owned(), source })?;
        Ok(Self {
            shared,
            queue,
            room: Arc::new(Semaphore::new(QUEUE)),
            readers: Arc::new(Semaphore::new(READERS)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Writes what waits and releases the file, for the next process. Blocks until that is done,
    /// but not longer than [`PATIENCE`]. From now on everything is [`Unavailable`].
    pub fn close(&self) {
        let Some(thread) = lock(&self.thread).take() else { return };
        self.room.close();
        self.readers.close();
        // If it has ended, there is nothing to close.
        let _ = self.queue.send(Message::Close);
        let until = Instant::now() + PATIENCE;
        while !thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Asks for a change, and waits until it is on the disk.
    async fn change(&self, command: Command) -> Result<Outcome, Unavailable> {
        let length = command.length();
        if length > LARGEST {
            return Err(Unavailable(format!("a record of {length} bytes is too large")));
        }
        let units = u32::try_from(1 + length / UNIT).unwrap_or(u32::MAX);
        let done = async {
            let permit = Arc::clone(&self.room).acquire_many_owned(units).await.map_err(closed)?;
            let (answer, answered) = oneshot::channel();
            let change = Change { command, answer, _permit: permit };
            self.queue.send(Message::Change(Box::new(change))).map_err(closed)?;
            answered.await.map_err(closed)?
        };
        match timeout(PATIENCE, done).await {
            Ok(Ok(Outcome::Full)) => Err(Unavailable::full()),
            Ok(outcome) => outcome,
            Err(_) => Err(self.too_slow()),
        }
    }

    async fn change_made(&self, command: Command) -> Result<bool, Unavailable> {
        Ok(matches!(self.change(command).await?, Outcome::Made(true)))
    }

    /// Reads on a thread that may block.
    async fn read<T, F>(&self, call: F) -> Result<T, Unavailable>
    where
        T: Send + 'static,
        F: FnOnce(&Shared) -> Result<T, FileError> + Send + 'static,
    {
        let done = async {
            let permit = Arc::clone(&self.readers).acquire_owned().await.map_err(closed)?;
            let shared = Arc::clone(&self.shared);
            let reading = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                guarded(|| call(&shared)).map_err(|failure| match failure {
                    FileError::Away => shared.trouble(),
                    other => Unavailable(other.to_string()),
                })
            });
            reading.await.map_err(closed)?
        };
        timeout(PATIENCE, done).await.unwrap_or_else(|_| Err(self.too_slow()))
    }

    fn too_slow(&self) -> Unavailable {
        let trouble = self.shared.last_trouble();
        Unavailable(trouble.unwrap_or_else(|| "the disk takes too long".to_owned()))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.close();
    }
}

impl RecordStore for File {
    fn put(&self, key: Key, record: Record) -> Work<'_, ()> {
        Box::pin(async move { self.change(Command::Put { key, record }).await.map(drop) })
    }

    fn put_new(&self, key: Key, record: Record, now: Time) -> Work<'_, bool> {
        self.shared.said(now);
        Box::pin(self.change_made(Command::PutNew { key, record, now }))
    }

    fn swap(&self, key: Key, sealed: Bytes, record: Record, now: Time) -> Work<'_, bool> {
        self.shared.said(now);
        Box::pin(self.change_made(Command::Swap { key, sealed, record, now }))
    }

    fn get(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        self.shared.said(now);
        Box::pin(self.read(move |shared| {
            // Before the transaction begins: what is written meanwhile is in one of the two.
            let pending = shared.touches.of(key);
            queries::get(&shared.slot.read()?, &pending, key, now)
        }))
    }

    fn take(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        self.shared.said(now);
        Box::pin(async move {
            match self.change(Command::Take { key, now }).await? {
                Outcome::Taken(taken) => Ok(taken),
                Outcome::Made(_) | Outcome::Full => Ok(None),
            }
        })
    }

    fn touch(&self, touches: Vec<Touch>) -> Work<'_, ()> {
        let done = match self.shared.touches.add(touches) {
            _ if self.room.is_closed() => Err(self.shared.trouble()),
            Added::First => self.queue.send(Message::Touched).map_err(closed),
            Added::More => Ok(()),
            Added::Full => Err(self.too_slow()),
        };
        Box::pin(async { done })
    }

    fn owned(
        &self,
        kind: Kind,
        owner: Digest,
        limit: usize,
        now: Time,
    ) -> Work<'_, Vec<(Digest, Record)>> {
        self.shared.said(now);
        Box::pin(self.read(move |shared| {
            let pending = shared.touches.all();
            queries::owned(&shared.slot.read()?, &pending, (kind, owner), limit, now)
        }))
    }

    fn list(&self, kind: Kind, after: Option<String>, limit: usize, now: Time) -> Work<'_, Page> {
        self.shared.said(now);
        Box::pin(self.read(move |shared| {
            let pending = shared.touches.all();
            queries::list(&shared.slot.read()?, &pending, (kind, after.as_deref()), limit, now)
        }))
    }

    fn is_watching(&self) -> bool {
        // No other process writes to the file.
        true
    }

    fn watch(&self) -> broadcast::Receiver<Event> {
        self.shared.events.subscribe()
    }

    fn check(&self) -> Work<'_, ()> {
        Box::pin(async { self.change(Command::Probe).await.map(drop) })
    }

    fn close(&self) {
        Self::close(self);
    }
}

fn closed<E>(_: E) -> Unavailable {
    Unavailable("it is closed".to_owned())
}

/// How long a caller waits for the disk.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How many units may wait in the queue: 64 MiB, or so many small changes.
const QUEUE: usize = 65_536;

/// What a unit of the queue carries.
const UNIT: usize = 1024;

/// The largest record, in bytes.
const LARGEST: usize = 8 << 20;

/// How many read at the same time.
const READERS: usize = 32;

#[cfg(test)]
mod tests;
