//! The one thread that writes to the file.
//!
//! 1. It takes all changes that wait, in their order, makes them in one transaction, commits that
//!    to the disk, and answers then. While it waits for the disk, the next ones gather.
//! 2. Touches are written with the changes, before them; without any they wait for 50 ms.
//! 3. A caller that stopped waiting is passed over: what was answered with an error does not happen
//!    later. Only a change that is being written at that moment may.
//! 4. When the disk fails, everything of that transaction is answered with an error and the
//!    database is opened anew. Then for a second nothing is tried.
//! 5. When the file cannot grow, because it has its full size, less is kept in it from then on: how
//!    much exactly goes into a file is not known beforehand.
//! 6. When it has nothing else to do, it tidies: bounded work at a time.
//! 7. Every second it looks whether the file still has its name. When it was deleted or replaced,
//!    nothing is taken in: it would be lost with the process. When it is back, it goes on.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracing::{error, info, warn};

use super::super::{Event, Key, Record, Unavailable};
use super::database::guarded;
use super::error::FileError;
use super::queries;
use super::shared::Shared;
use super::tables::{Outcome, Room, Tables};
use crate::base::clock::Time;

/// What is sent to the thread.
pub(super) enum Message {
    Change(Box<Change>),
    /// There are touches now, where none were.
    Touched,
    /// No more messages come: write what waits, and end.
    Close,
}

/// A change that a caller waits for.
pub(super) struct Change {
    pub(super) command: Command,
    pub(super) answer: oneshot::Sender<Result<Outcome, Unavailable>>,
    /// Its part of the queue.
    pub(super) _permit: OwnedSemaphorePermit,
}

/// What is to be done.
pub(super) enum Command {
    Put {
        key: Key,
        record: Record,
    },
    PutNew {
        key: Key,
        record: Record,
        now: Time,
    },
    Swap {
        key: Key,
        sealed: Bytes,
        record: Record,
        now: Time,
    },
    Take {
        key: Key,
        now: Time,
    },
    /// Nothing, but durably: does the disk still write?
    Probe,
}

impl Command {
    /// Returns how many bytes it carries.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Put { record, .. } | Self::PutNew { record, .. } | Self::Swap { record, .. } => {
                record.sealed.len() + record.label.len()
            }
            Self::Take { .. } | Self::Probe => 0,
        }
    }
}

/// What the thread has for itself: the queue, and since when it rests or waits.
pub(super) struct Writer {
    shared: Arc<Shared>,
    queue: Receiver<Message>,
    /// Until when nothing is tried, because the disk failed.
    rests_until: Option<Instant>,
    /// What the records may weigh, since the file could not grow.
    ceiling: u64,
    /// Since when touches wait.
    touched: Option<Instant>,
    is_closing: bool,
    tidy_at: Instant,
    compacted: Instant,
    /// When it was seen last that the file has its name.
    named: Instant,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, queue: Receiver<Message>) -> Self {
        let now = Instant::now();
        Self {
            shared,
            queue,
            rests_until: None,
            ceiling: u64::MAX,
            touched: None,
            is_closing: false,
            tidy_at: now + IDLE,
            compacted: now,
            named: now,
        }
    }

    /// Writes until the store is closed.
    pub(super) fn run(mut self) {
        while !self.is_closing {
            let changes = self.gather();
            let is_idle = changes.is_empty();
            self.look_at_name();
            if self.is_resting() {
                self.refuse(changes);
                continue;
            }
            if !is_idle || self.is_touched_long_ago() {
                self.write(changes);
            }
            if Instant::now() >= self.tidy_at {
                self.tidy(is_idle);
            }
        }
        if self.touched.is_some() {
            self.write(Vec::new());
        }
        self.shared.slot.close();
        self.shared.slot.disk().unlock();
    }

    /// Waits for changes and takes all that are there, up to a bound.
    fn gather(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut length = 0;
        let mut wait = self.wait();
        while changes.len() < BATCH && length < BATCH_BYTES {
            match self.queue.recv_timeout(wait) {
                Ok(Message::Change(change)) => {
                    length += change.command.length();
                    changes.push(*change);
                }
                Ok(Message::Touched) => self.touched = Some(Instant::now()),
                Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => {
                    self.is_closing = true;
                    break;
                }
                Err(RecvTimeoutError::Timeout) => break,
            }
            // Of what is there already.
            wait = if changes.is_empty() { self.wait() } else { Duration::ZERO };
        }
        changes
    }

    /// Returns how long nothing is to be done.
    fn wait(&self) -> Duration {
        let now = Instant::now();
        if let Some(until) = self.rests_until {
            return until.saturating_duration_since(now);
        }
        let tidy = self.tidy_at.saturating_duration_since(now);
        self.touched.map_or(tidy, |since| tidy.min((since + TOUCH).saturating_duration_since(now)))
    }

    fn is_touched_long_ago(&self) -> bool {
        self.touched.is_some_and(|since| since.elapsed() >= TOUCH)
    }

    /// Makes changes and answers them.
    fn write(&mut self, changes: Vec<Change>) {
        let changes: Vec<_> =
            changes.into_iter().filter(|change| !change.answer.is_closed()).collect();
        self.touched = None;
        if changes.is_empty() && self.shared.touches.is_empty() {
            return;
        }
        match guarded(|| self.commit(&changes)) {
            Ok((outcomes, gone)) => {
                self.shared.touches.written();
                self.shared.recovered();
                // Before a caller is answered: what made room is not there any more.
                for key in gone {
                    self.tell_gone(key);
                }
                for (change, outcome) in changes.into_iter().zip(outcomes) {
                    self.tell(&change.command, &outcome);
                    // The caller may have stopped waiting.
                    let _ = change.answer.send(Ok(outcome));
                }
            }
            Err(failure) => {
                self.shared.touches.failed();
                self.touched = Some(Instant::now());
                self.fail(&failure);
                self.refuse(changes);
            }
        }
    }

    /// Makes changes in one transaction, durably. Returns what became of them, and what made room.
    fn commit(&self, changes: &[Change]) -> Result<(Vec<Outcome>, Vec<Key>), FileError> {
        // Touches that were answered before a change was asked for come before it.
        let touches = self.shared.touches.begin();
        let transaction = self.shared.slot.write()?;
        let mut tables = Tables::open(&transaction, self.room())?;
        for touch in &touches {
            tables.touch(touch)?;
        }
        let mut outcomes = Vec::with_capacity(changes.len());
        for change in changes {
            outcomes.push(self.make(&mut tables, &change.command)?);
        }
        let gone = tables.finish()?;
        transaction.commit()?;
        Ok((outcomes, gone))
    }

    fn make(&self, tables: &mut Tables<'_>, command: &Command) -> Result<Outcome, FileError> {
        match command {
            Command::Put { key, record } => {
                tables.put(*key, record.clone(), self.shared.past(Duration::ZERO))
            }
            Command::PutNew { key, record, now } => tables.put_new(*key, record.clone(), *now),
            Command::Swap { key, sealed, record, now } => {
                tables.swap(*key, sealed, record.clone(), *now)
            }
            Command::Take { key, now } => tables.take(*key, *now),
            Command::Probe => Ok(Outcome::Made(true)),
        }
    }

    fn tell(&self, command: &Command, outcome: &Outcome) {
        if let (Command::Take { key, .. }, Outcome::Taken(Some(_))) = (command, outcome) {
            self.tell_gone(*key);
        }
    }

    fn tell_gone(&self, key: Key) {
        // There may be no listener.
        let _ = self.shared.events.send(Event::Gone(key));
    }

    fn room(&self) -> Room {
        let capacity = self.shared.slot.disk().capacity();
        let weight = weight_within(capacity).min(self.ceiling);
        Room { records: self.shared.maximum, weight }
    }

    fn refuse(&self, changes: Vec<Change>) {
        for change in changes {
            // The caller may have stopped waiting.
            let _ = change.answer.send(Err(self.shared.trouble()));
        }
    }

    /// Notes that the disk failed, and makes the database usable again if that is possible.
    fn fail(&mut self, failure: &FileError) {
        if self.shared.failed(failure) {
            error!(%failure, "store cannot be written");
        }
        let is_bounded = self.shared.slot.disk().take_bounded();
        if is_bounded {
            self.ceiling = self.room().weight / 8 * 7;
            warn!(bytes = self.ceiling, "store has its full size: less is kept in it");
        }
        if let Err(failure) = self.shared.slot.reopen() {
            warn!(%failure, "store cannot be opened again yet");
        }
        self.rests_until = (!is_bounded).then(|| Instant::now() + REST);
    }

    /// Rests as long as the file is not the one of that name.
    fn look_at_name(&mut self) {
        let now = Instant::now();
        if now.saturating_duration_since(self.named) < IDLE {
            return;
        }
        self.named = now;
        if !self.shared.slot.disk().is_named() {
            if self.shared.failed(&FileError::Moved) {
                error!(failure = %FileError::Moved, "store cannot be written");
            }
            self.rests_until = Some(now + IDLE + REST);
        }
    }

    /// Says whether nothing is to be tried yet; opens the database when it may be.
    fn is_resting(&mut self) -> bool {
        let Some(until) = self.rests_until else { return false };
        if Instant::now() < until {
            return true;
        }
        if !self.shared.slot.is_open() && self.shared.slot.reopen().is_err() {
            self.rests_until = Some(Instant::now() + REST);
            return true;
        }
        info!("store is tried again");
        self.rests_until = None;
        false
    }

    /// Removes what has expired, and gives room back.
    fn tidy(&mut self, is_idle: bool) {
        let now = Instant::now();
        match guarded(|| self.remove_expired()) {
            Ok(TIDY..) => self.tidy_at = now + TIDY_MORE,
            Ok(_) => self.tidy_at = now + IDLE,
            Err(failure) => return self.fail(&failure),
        }
        if is_idle && self.compacted.elapsed() >= BETWEEN_COMPACTIONS {
            self.compacted = now;
            if let Err(failure) = guarded(|| self.shared.slot.compact(COMPACTED_WHILE_OPEN)) {
                self.fail(&failure);
            }
        }
    }

    /// Looks at some records that may have expired; returns at how many.
    fn remove_expired(&self) -> Result<usize, FileError> {
        let before = self.shared.past(MARGIN);
        if !queries::is_untidy(&self.shared.slot.read()?, before)? {
            return Ok(0);
        }
        let transaction = self.shared.slot.write()?;
        let mut tables = Tables::open(&transaction, self.room())?;
        let seen = tables.tidy(before, TIDY)?;
        tables.finish()?;
        transaction.commit()?;
        Ok(seen)
    }
}

/// Returns what records may weigh in a file that may have so many bytes.
pub(super) fn weight_within(capacity: u64) -> u64 {
    capacity.saturating_sub(RESERVE) / 4 * 3
}

/// How many changes, and about how many bytes, are written at once.
const BATCH: usize = 1024;
const BATCH_BYTES: usize = 8 << 20;

/// Room in the file for what is written and what it replaces, which is free one commit later only.
const RESERVE: u64 = 16 << 20;

/// How long touches may wait; with the time that a commit takes, they are on the disk within 100
/// ms.
const TOUCH: Duration = Duration::from_millis(50);

/// How often to look around when nothing happens.
const IDLE: Duration = Duration::from_secs(1);

/// How long to wait after the disk failed.
const REST: Duration = Duration::from_secs(1);

/// How many records are tidied at a time.
const TIDY: usize = 512;

/// How long others come first when there is more to be tidied.
const TIDY_MORE: Duration = Duration::from_millis(20);

/// How long a record stays after it expired; clocks of callers may differ by less.
const MARGIN: Duration = Duration::from_secs(60);

/// How often to look whether the file could be smaller.
const BETWEEN_COMPACTIONS: Duration = Duration::from_secs(600);

/// How much may be moved for that while others wait.
const COMPACTED_WHILE_OPEN: u64 = 64 << 20;
