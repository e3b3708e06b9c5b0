//! What the thread that writes and those that read have in common.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;

use super::super::{EVENTS, Event, Unavailable};
use super::database::Slot;
use super::error::FileError;
use super::touches::Touches;
use crate::base::clock::{Clock, SystemClock, Time, earlier};

/// What the thread that writes and those that read have in common.
pub(super) struct Shared {
    pub(super) slot: Slot,
    pub(super) touches: Touches,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) maximum: u64,
    /// What the disk said when it failed, until it works again.
    trouble: Mutex<Option<String>>,
    /// Milliseconds: what a caller last called now.
    said: AtomicI64,
}

impl Shared {
    pub(super) fn new(slot: Slot, maximum: u64) -> Self {
        Self {
            slot,
            maximum,
            touches: Touches::default(),
            events: broadcast::Sender::new(EVENTS),
            trouble: Mutex::default(),
            said: AtomicI64::new(i64::MIN),
        }
    }

    /// Notes what a caller calls now.
    pub(super) fn said(&self, now: Time) {
        self.said.store(now.as_millisecond(), Ordering::Relaxed);
    }

    /// Returns a time that has passed by the clock of the machine and by that of the callers.
    pub(super) fn past(&self, margin: Duration) -> Time {
        let said = Time::from_millisecond(self.said.load(Ordering::Relaxed)).unwrap_or(Time::MIN);
        earlier(SystemClock.now().min(said), margin)
    }

    /// Notes that the disk failed; says whether that is news.
    pub(super) fn failed(&self, failure: &FileError) -> bool {
        let mut trouble = lock(&self.trouble);
        let is_news = trouble.is_none();
        // That the file is not open says less than why.
        if is_news || !matches!(failure, FileError::Away) {
            *trouble = Some(failure.to_string());
        }
        is_news
    }

    /// Notes that the disk works.
    pub(super) fn recovered(&self) {
        if lock(&self.trouble).take().is_some() {
            tracing::info!("store can be written again");
        }
    }

    /// Returns what the disk said when it failed, while it does.
    pub(super) fn last_trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    pub(super) fn trouble(&self) -> Unavailable {
        let trouble = self.last_trouble();
        Unavailable(trouble.unwrap_or_else(|| "it is closed".to_owned()))
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
