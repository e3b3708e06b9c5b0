//! What the sessions are made of, and how one comes in: near, and into the store if there is one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use moka::sync::Cache;
use tracing::warn;

use super::super::cached::CachedSession;
use super::super::label::{Label, Why};
use super::super::local::{Insertion, LocalSessions};
use super::super::{Session, SessionId, SessionKey, Settings, stored};
use super::absent::Absent;
use super::remote::{RemoteSessions, Sharing};
use crate::base::clock::{Time, later};
use crate::base::digest_hasher::BuildDigestHasher;
use crate::identity::claims::PairwiseSecret;
use crate::observe::events::Events;
use crate::observe::seldom::Seldom;
use crate::store::seal::Sealer;
use crate::store::{Record, RecordStore, Touch, Unavailable};

/// The sessions of all citizens: those in memory, and the store behind when there is one.
pub struct Sessions {
    pub(super) local: LocalSessions,
    /// Why sessions were ended from outside, for this process.
    pub(super) notes: Cache<SessionKey, Why, BuildDigestHasher>,
    /// What was just asked for and is not in the store.
    pub(super) absent: Absent,
    pub(super) remote: Option<RemoteSessions>,
    pub(super) settings: Settings,
    pub(super) owners: PairwiseSecret,
    /// Who is told that one ended before its time.
    pub(super) events: Arc<Events>,
    /// When the log says the next time that there is no room.
    said_full: Seldom,
}

impl Sessions {
    /// Makes sessions that are gone with this process.
    #[must_use]
    pub fn in_memory(settings: Settings, owners: PairwiseSecret, events: Arc<Events>) -> Arc<Self> {
        Arc::new(Self::of(settings, owners, None, events))
    }

    /// Makes sessions that are kept in a store.
    #[must_use]
    pub fn kept_in(
        store: Arc<dyn RecordStore>,
        sharing: Sharing,
        sealer: Sealer,
        settings: Settings,
        owners: PairwiseSecret,
        events: Arc<Events>,
    ) -> Arc<Self> {
        let remote = RemoteSessions::new(store, sharing, sealer);
        Arc::new(Self::of(settings, owners, Some(remote), events))
    }

    fn of(
        settings: Settings,
        owners: PairwiseSecret,
        remote: Option<RemoteSessions>,
        events: Arc<Events>,
    ) -> Self {
        let local = LocalSessions::new(settings.maximum, settings.idle);
        let notes = Cache::builder()
            .max_capacity(NOTES)
            .time_to_live(NOTE_LIFE)
            .build_with_hasher(BuildDigestHasher::default());
        let absent = Absent::new();
        let said_full = Seldom::every(SAID_FULL_FOR);
        Self { local, notes, absent, remote, settings, owners, events, said_full }
    }

    /// Begins to keep a session under an id that was never used before. When the person has too
    /// many, the oldest end.
    ///
    /// # Errors
    /// When it cannot be kept: then the citizen is not signed in.
    pub async fn insert(
        &self,
        id: &SessionId,
        session: Session,
        now: Time,
    ) -> Result<(), Unavailable> {
        self.require_owners()?;
        let key = id.key();
        let owner = self.owners.owner(session.person());
        let before = self
            .remote
            .as_ref()
            .map(|remote| (remote.round(), remote.ends.load(Ordering::Acquire)));
        if let Some(remote) = &self.remote {
            let plain = stored::write(&session)?;
            let record = Record {
                sealed: remote.sealer.seal(key.record_key(), id.secret(), plain.expose()),
                label: Label::of(&session).write()?,
                owner: Some(owner),
                alive: now.as_millisecond(),
                expires: self.expires(now, &session),
            };
            remote.presence.wrote(remote.store.put(key.record_key(), record).await, now)?;
        }
        let (held, _) = self.keep(CachedSession::new(key, session, now), now);
        // The store has just taken it. But it may have ended before it was here to be told so.
        self.absent.forget(key.record_key());
        if let (Some(remote), Some((round, ends))) = (&self.remote, before)
            && remote.ends.load(Ordering::Acquire) == ends
        {
            held.vouch(now.as_millisecond(), remote.vouched_in(round), now);
        }
        if self.settings.maximum_per_person > 0 {
            // The citizen is signed in by now; the next login tries again.
            if let Err(error) = self.end_oldest(owner, key, now).await {
                warn!(%error, "sessions of a person that are too many could not be ended");
            }
        }
        Ok(())
    }

    /// Keeps a session near, unless it is. Returns the one that is near now, and whether it is new.
    pub(super) fn keep(&self, held: Arc<CachedSession>, now: Time) -> (Arc<CachedSession>, bool) {
        let Insertion { held, is_new, out } = self.local.keep(held, now);
        if let Some(out) = out {
            match &self.remote {
                Some(remote) => self.note(remote, &out, Duration::ZERO),
                // No other process knows of it, so a request that still holds it must see that it
                // is gone.
                None => {
                    let is_loss = out.is_live(now, self.settings.idle);
                    out.end();
                    if is_loss {
                        self.say_full(now);
                    }
                }
            }
        }
        (held, is_new)
    }

    /// Notes that the store is to be told of a sign of life, once for each stretch of time.
    pub(super) fn note(&self, remote: &RemoteSessions, held: &CachedSession, stretch: Duration) {
        if held.unwritten_activity(stretch).is_some() {
            let touch = self.touch(held);
            let mut touches = remote.touches();
            if touches.len() < TOUCHES {
                touches.push(touch);
            }
        }
    }

    /// Says now and then that citizens are signed out for want of room.
    fn say_full(&self, now: Time) {
        if self.said_full.is_due(now) {
            warn!(
                maximum = self.settings.maximum,
                "there are more sessions than session.maximum: those used longest ago end"
            );
        }
    }

    pub(super) fn touch(&self, held: &CachedSession) -> Touch {
        let alive = held.alive();
        Touch {
            key: held.key().record_key(),
            alive: alive.as_millisecond(),
            expires: self.expires(alive, held.session()),
        }
    }

    /// Returns when a record of a session goes away: a little after it is idle, because the last
    /// sign of life may not have been told.
    pub(super) fn expires(&self, alive: Time, session: &Session) -> Time {
        later(later(alive, self.settings.idle), self.settings.tell_after()).min(session.end())
    }
}

/// How many notes on ended sessions a process keeps.
const NOTES: u64 = 100_000;
/// How long a note on an ended session is kept.
pub(super) const NOTE_LIFE: Duration = Duration::from_secs(3600);
/// How long it is not said again that there is no room.
const SAID_FULL_FOR: Duration = Duration::from_secs(60);
/// How many signs of life may wait to be told.
pub(super) const TOUCHES: usize = 100_000;
