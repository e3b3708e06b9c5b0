//! How sessions end before their time, and the notes that say why.
//!
//! 1. A session ends remote and near, and of several that end it at the same time only one does.
//! 2. One that was ended from outside leaves a note, so that the citizen can be told.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use tracing::warn;

use super::super::cached::{Activity, CachedSession};
use super::super::label::Why;
use super::super::{SessionId, SessionKey};
use super::owed::{Noted, Owed};
use super::registry::{NOTE_LIFE, Sessions};
use super::remote::RemoteSessions;
use crate::base::clock::{Time, later};
use crate::observe::event::Event;
use crate::store::{Record, Unavailable};

impl Sessions {
    /// Ends a session and returns it, to one caller only.
    ///
    /// # Errors
    /// When the store is away: then the session may still be there.
    pub async fn remove(
        &self,
        id: &SessionId,
        now: Time,
    ) -> Result<Option<Arc<CachedSession>>, Unavailable> {
        // What is known of it is read first: the node must be told its names.
        let found = self.find(id, Activity::Background, now).await?;
        let is_first = self.take(id.key(), now).await?;
        Ok(found.map(|live| Arc::clone(live.held())).filter(|_| is_first))
    }

    /// Ends a session for a reason that the citizen shall know; says whether there was one.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end(&self, key: SessionKey, why: Why, now: Time) -> Result<bool, Unavailable> {
        if !self.take(key, now).await? {
            return Ok(false);
        }
        let session = key.public_name();
        self.events.tell(now, None, Event::SessionEnded { session: &session, by: why.into() });
        self.notes.insert(key, why);
        if let Some(remote) = &self.remote {
            let record = Record {
                sealed: Bytes::new(),
                label: Bytes::from_static(why.name().as_bytes()),
                owner: None,
                alive: now.as_millisecond(),
                expires: later(now, NOTE_LIFE),
            };
            // The session has ended; a note that is lost costs a page, no more.
            let _ = remote.presence.wrote(remote.store.put(key.note(), record).await, now);
        }
        Ok(true)
    }

    /// Returns why a session was ended from outside, if it was.
    pub async fn why_ended(&self, id: &SessionId, now: Time) -> Option<Why> {
        let key = id.key();
        if let Some(why) = self.notes.get(&key) {
            return Some(why);
        }
        let remote = self.remote.as_ref()?;
        if self.is_absent(key.note(), now) {
            return None;
        }
        let round = remote.round();
        let Some(record) = remote.store.get(key.note(), now).await.ok()? else {
            self.absent.note(key.note(), round, now);
            return None;
        };
        Why::parse(std::str::from_utf8(&record.label).ok()?)
    }

    /// Takes a session away, in memory and in the store; says whether this caller was the one.
    async fn take(&self, key: SessionKey, now: Time) -> Result<bool, Unavailable> {
        let remote = match &self.remote {
            Some(remote) => {
                let taken = remote.store.take(key.record_key(), now).await;
                match remote.note_taken(taken, now) {
                    // Who ended it in memory was the one.
                    Ok(taken) => Some(!remote.settle(key) && taken.is_some()),
                    Err(away) => Some(self.end_alone(remote, key, away, now)?),
                }
            }
            None => None,
        };
        let near = self.local.remove(&key);
        let was_live = near.as_ref().is_some_and(|held| held.is_live(now, self.settings.idle));
        if let Some(held) = near {
            held.end();
        }
        Ok(remote.unwrap_or(was_live))
    }

    /// Ends a session in memory, for a store that no other process uses and that cannot write now;
    /// says whether this caller was the one.
    fn end_alone(
        &self,
        remote: &RemoteSessions,
        key: SessionKey,
        away: Unavailable,
        now: Time,
    ) -> Result<bool, Unavailable> {
        let Some(owed) = &remote.owed else { return Err(away) };
        let Some(near) = self.local.get(&key) else {
            return if owed.has(key) { Ok(false) } else { Err(away) };
        };
        if !near.is_live(now, self.settings.idle) {
            return Ok(false);
        }
        match owed.note(key, near.session().end()) {
            Noted::First => {}
            Noted::Before => return Ok(false),
            Noted::NotTaken => return Err(away),
        }
        warn!(
            session = key.public_name(),
            reason = %away,
            "session has ended in memory only, until the store can write: a restart before would bring it back"
        );
        Ok(true)
    }

    /// Returns how many sessions have ended that the store still has.
    #[must_use]
    pub fn owed(&self) -> usize {
        self.remote.as_ref().and_then(|remote| remote.owed.as_ref()).map_or(0, Owed::count)
    }

    /// Tells whether a session has ended, and the store still has it.
    #[must_use]
    pub fn owes(&self, id: &SessionId) -> bool {
        self.remote.as_ref().is_some_and(|remote| remote.owes(id.key()))
    }

    /// Has the store forget some of what has ended already, as long as it writes.
    pub(super) async fn settle_owed(&self, remote: &RemoteSessions, now: Time) {
        let Some(owed) = remote.owed.as_ref().filter(|owed| owed.count() > 0) else { return };
        // Side by side, since a store may write many with one sync.
        let settle = async |key: SessionKey| {
            let taken = remote.store.take(key.record_key(), now).await;
            if remote.note_taken(taken, now).is_ok() {
                owed.settle(key);
            }
        };
        join_all(owed.unsettled(now).into_iter().map(settle)).await;
    }

    /// Has the store forget what has ended already, for the last time: another process has it from
    /// now on, or this one ends.
    pub async fn leave_store(&self, now: Time) {
        let Some(remote) = &self.remote else { return };
        let Some(owed) = remote.owed.as_ref().filter(|owed| owed.leave()) else { return };
        let mut before = usize::MAX;
        while owed.count() > 0 && owed.count() < before {
            before = owed.count();
            self.settle_owed(remote, now).await;
        }
        if owed.count() > 0 {
            warn!(
                sessions = owed.count(),
                "sessions have ended in memory only, and this process forgets them: they live on"
            );
        }
    }

    pub(super) async fn end_oldest(
        &self,
        owner: [u8; 32],
        newest: SessionKey,
        now: Time,
    ) -> Result<(), Unavailable> {
        let mut listed = self.list(Some(owner), None, MOST_OF_ONE, now).await?.sessions;
        // One order for all, so that two who sign in at once do not end each other.
        listed.sort_by_key(|seen| (seen.alive, seen.key.bytes()));
        let beyond = listed.len().saturating_sub(self.settings.maximum_per_person);
        for seen in listed.iter().take(beyond).filter(|seen| seen.key != newest) {
            self.end(seen.key, Why::Elsewhere, now).await?;
        }
        Ok(())
    }
}

/// The most sessions of one person that are looked at.
const MOST_OF_ONE: usize = 1000;
