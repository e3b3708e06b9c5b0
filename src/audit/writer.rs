//! The thread that writes records.
//!
//! 1. What could not be written is tried again, in order; nothing is taken out of the queue
//!    meanwhile.
//! 2. A checkpoint follows on records after a time or a number, whichever is first.
//! 3. What is wrong is told when it begins, once a minute, and when it is over.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::head::{self, Noted};
use super::keys::Signer;
use super::queue::{Entry, Queue, Wishes};
use super::record::Kind;
use super::settings::{Settings, Sync, Target};
use super::target::{Output, signed};
use crate::base::clock::SharedClock;
use crate::observe::metrics::Count;
use crate::observe::seldom::Seldom;
use crate::observe::trouble::{News, Trouble};

/// What the thread and those who ask it share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) is_failing: AtomicBool,
    pub(super) written: Count,
    pub(super) failures: Count,
    /// When it was last made sure that all was on the disk, in milliseconds since the epoch; 0 when
    /// it never was.
    pub(super) synced: AtomicI64,
}

/// The thread.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Settings,
    pub(super) signer: Arc<Signer>,
    pub(super) clock: SharedClock,
    pub(super) output: Output,
    /// Taken out of the queue and not written yet.
    pub(super) unwritten: Vec<Entry>,
    pub(super) due: Due,
    pub(super) trouble: Trouble,
}

/// What is to be done later.
#[derive(Debug)]
pub(super) struct Due {
    /// Records since the last signature, and when there is to be another.
    unsigned: u64,
    checkpoint: Option<Instant>,
    sync: Option<Instant>,
    retry: Option<Instant>,
    failing_since: Option<Instant>,
    lost_told: u64,
    /// Lost records, and a place in the chain that cannot be noted, are told once a minute.
    tell_lost: Seldom,
    tell_unnoted: Seldom,
}

impl Due {
    /// Something is there to be written at once.
    pub(super) fn at_once() -> Self {
        Self {
            unsigned: 0,
            checkpoint: None,
            sync: None,
            retry: Some(Instant::now()),
            failing_since: None,
            lost_told: 0,
            tell_lost: Seldom::every(MINUTE),
            tell_unnoted: Seldom::every(MINUTE),
        }
    }

    fn next(&self) -> Option<Instant> {
        // While nothing can be written, neither can a checkpoint.
        match self.retry {
            Some(retry) => Some(retry),
            None => [self.checkpoint, self.sync].into_iter().flatten().min(),
        }
    }
}

impl Writer {
    pub(super) fn run(mut self) {
        let _ended = Ended(Arc::clone(&self.shared));
        loop {
            // 1. Wait for something to do.
            let until = self.due.next();
            let (taken, wishes) = self.shared.queue.next(until, !self.unwritten.is_empty());
            self.unwritten.extend(taken);
            // 2. What comes by itself.
            let now = Instant::now();
            if wishes.end {
                self.unwritten.push(self.signed(Kind::Closed));
            } else if self.is_checkpoint_due(now) {
                self.unwritten.push(self.signed(Kind::Checkpoint));
            }
            // 3. Write, unless it failed a moment ago.
            let may_try = self.due.retry.is_none_or(|retry| now >= retry);
            if may_try || wishes != Wishes::default() {
                let result = self.write(wishes);
                self.judge(result, now);
            }
            if wishes.end {
                self.end();
            }
            self.tell();
            self.shared.queue.idle(!self.unwritten.is_empty(), wishes.end);
            if wishes.end {
                return;
            }
        }
    }

    fn signed(&self, kind: Kind) -> Entry {
        Entry::of(&signed(kind, &self.signer, self.clock.now()))
    }

    fn is_checkpoint_due(&self, now: Instant) -> bool {
        let is_last_signed = self.unwritten.last().is_some_and(|entry| entry.is_signed);
        let waiting = self.unwritten.len() as u64;
        let is_many = self.due.unsigned + waiting >= self.settings.checkpoint_records;
        let is_time = self.due.checkpoint.is_some_and(|due| now >= due);
        !is_last_signed && self.due.retry.is_none() && (is_many || is_time)
    }

    fn write(&mut self, wishes: Wishes) -> io::Result<()> {
        let time = self.clock.now();
        if wishes.reopen {
            self.output.reopen(&self.signer, time)?;
        }
        if !self.unwritten.is_empty() {
            let (written, result) = self.output.write(&self.unwritten, &self.signer, time);
            let is_signed = self.note_written(written);
            result?;
            if is_signed {
                self.note_head(false);
            }
        }
        let is_file = matches!(self.settings.target, Target::File(_));
        if self.due.sync.is_some_and(|due| Instant::now() >= due) || (is_file && wishes.end) {
            self.output.sync()?;
            self.synced();
        }
        Ok(())
    }

    /// Notes what is done with records that were written; tells whether the last one is signed.
    fn note_written(&mut self, written: usize) -> bool {
        let now = Instant::now();
        let is_signed = written > 0 && self.unwritten[written - 1].is_signed;
        let mut weight = 0;
        for entry in self.unwritten.drain(..written) {
            self.due.unsigned = if entry.is_signed { 0 } else { self.due.unsigned + 1 };
            weight += entry.weight;
        }
        self.shared.queue.release(weight);
        self.shared.written.add_many(written as u64);
        if self.due.unsigned == 0 {
            self.due.checkpoint = None;
        } else {
            self.due.checkpoint.get_or_insert(now + self.settings.checkpoint_every);
        }
        if written > 0
            && let Target::File(file) = &self.settings.target
        {
            match file.sync {
                Sync::Batch => self.synced(),
                Sync::Within(time) => drop(self.due.sync.get_or_insert(now + time)),
                Sync::Never => {}
            }
        }
        is_signed
    }

    fn synced(&mut self) {
        self.due.sync = None;
        self.shared.synced.store(self.clock.now().as_millisecond(), Ordering::Relaxed);
    }

    /// Notes how far the chain has come. The records are there without it.
    fn note_head(&self, is_closed: bool) {
        let Some(path) = &self.settings.head else { return };
        let noted = Noted { checkpoint: self.output.head(), is_closed };
        if let Err(error) = head::write(path, &noted)
            && self.due.tell_unnoted.is_due(self.clock.now())
        {
            warn!(%error, "it cannot be noted how far the audit log has come");
        }
    }

    fn judge(&mut self, result: io::Result<()>, now: Instant) {
        let wrong = match result {
            Ok(()) => {
                (self.due.retry, self.due.failing_since) = (None, None);
                None
            }
            Err(error) => {
                self.shared.failures.add();
                let since = *self.due.failing_since.get_or_insert(now);
                let is_full = error.kind() == ErrorKind::WouldBlock;
                self.due.retry = Some(now + if is_full { SOON } else { LATER });
                // A reader that is slow for a moment is nothing to tell of.
                (!is_full || now.saturating_duration_since(since) >= LATER).then_some(error)
            }
        };
        self.shared.is_failing.store(wrong.is_some(), Ordering::Relaxed);
        let wrong = wrong.map(|error| error.to_string());
        match self.trouble.news(wrong, self.clock.now()) {
            Some(News::Wrong(problem)) => error!(
                problem,
                written_to = %self.settings.target,
                waiting = self.unwritten.len(),
                required = self.settings.required,
                "the audit log cannot be written, records wait"
            ),
            Some(News::Over) => info!("the audit log is written again"),
            None => {}
        }
    }

    /// The end of the process: where the chain has come to is told for those who keep it elsewhere.
    fn end(&mut self) {
        let left = self.unwritten.len() as u64;
        if left > 0 {
            self.shared.queue.lose(left);
            self.unwritten.clear();
            return;
        }
        self.note_head(true);
        info!(checkpoint = %self.output.head(), "audit log closed");
    }

    /// Tells of records that were dropped since it was told last.
    fn tell(&mut self) {
        let lost = self.shared.queue.lost();
        let new = lost - self.due.lost_told;
        if new > 0 && self.due.tell_lost.is_due(self.clock.now()) {
            self.due.lost_told = lost;
            error!(records = new, "the audit log cannot keep up, records are lost");
        }
    }
}

/// The end of the thread, however it comes: nothing is written any more, and nobody waits for it.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.is_failing.store(true, Ordering::Relaxed);
        self.0.queue.idle(false, true);
        if std::thread::panicking() {
            error!(
                "the thread that writes the audit log has ended: no record is written until the \
                 gateway is started anew"
            );
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// When it is tried again where the other side has no room for the moment.
const SOON: Duration = Duration::from_millis(20);
/// When it is tried again after another error.
const LATER: Duration = Duration::from_secs(1);
