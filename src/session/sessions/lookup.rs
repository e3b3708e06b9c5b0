//! How a session is found: near first, and in the store when near does not know.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::warn;

use super::super::cached::{ActiveSession, Activity, CachedSession};
use super::super::{Session, SessionId, stored};
use super::registry::Sessions;
use crate::base::clock::Time;
use crate::store::{Key, Record, Unavailable};

/// What is known of a session without asking the store.
pub enum Known {
    /// It lives, as this process knows by itself.
    Live(ActiveSession),
    /// There is none, or it has ended.
    Nothing,
    /// There was one, and the store says whether there still is.
    Doubtful(Arc<CachedSession>),
    /// Only the store knows.
    Unknown,
}

impl Sessions {
    /// Finds a session that has not ended.
    ///
    /// # Errors
    /// When nothing is known of it because the store is away.
    pub async fn find(
        &self,
        id: &SessionId,
        activity: Activity,
        now: Time,
    ) -> Result<Option<ActiveSession>, Unavailable> {
        match self.find_near(id, activity, now) {
            Known::Live(live) => Ok(Some(live)),
            Known::Nothing => Ok(None),
            Known::Doubtful(held) => self.ask_again(&held, activity, now).await,
            Known::Unknown => self.find_far(id, activity, now).await,
        }
    }

    /// Says what is known of a session without asking the store.
    #[must_use]
    pub fn find_near(&self, id: &SessionId, activity: Activity, now: Time) -> Known {
        let key = id.key();
        let near = self
            .local
            .look(&key, |held| self.look(held, activity, now).ok_or_else(|| Arc::clone(held)));
        match near {
            Some(Ok(live)) => Known::Live(live),
            Some(Err(held)) if held.has_ended() => {
                self.local.remove(&key);
                Known::Nothing
            }
            Some(Err(held)) => Known::Doubtful(held),
            None if self.remote.is_none() || self.is_absent(key.record_key(), now) => {
                Known::Nothing
            }
            None => Known::Unknown,
        }
    }

    async fn find_far(
        &self,
        id: &SessionId,
        activity: Activity,
        now: Time,
    ) -> Result<Option<ActiveSession>, Unavailable> {
        let key = id.key();
        let Some(remote) = &self.remote else { return Ok(None) };
        // What the store has of it is of before its end.
        if remote.owes(key) {
            return Ok(None);
        }
        self.require_owners()?;
        let (round, ends) = (remote.round(), remote.ends.load(Ordering::Acquire));
        let Some(record) =
            remote.presence.read(remote.store.get(key.record_key(), now).await, now)?
        else {
            self.absent.note(key.record_key(), round, now);
            return Ok(None);
        };
        let Ok(plain) = remote.sealer.open(key.record_key(), id.secret(), &record.sealed) else {
            warn!(
                session = key.public_name(),
                "kept session does not open: changed, or sealed with a secret of the servers that is not given any more"
            );
            return Ok(None);
        };
        let Ok(session) = stored::read(plain.expose(), key) else {
            warn!(session = key.public_name(), "kept session cannot be read: of another version");
            return Ok(None);
        };
        if !self.is_whose_it_says(&session, &record) {
            return Ok(None);
        }
        let held =
            CachedSession::restored(key, session, record.alive, remote.vouched_in(round), now);
        // Never two of one, or the end of one would not be that of the other.
        let held = self.keep(held, now).0;
        if remote.owes(key) {
            return Ok(self.forget(&held));
        }
        // It may have ended after it was read and before it was here to be told so.
        if remote.ends.load(Ordering::Acquire) != ends {
            return self.ask_again(&held, activity, now).await;
        }
        Ok(held.look(activity, now, self.settings.idle))
    }

    /// Takes a session away that ended in memory only while the store was read: the end was noted
    /// before it was looked for here, so one of the two sees the other.
    fn forget(&self, held: &CachedSession) -> Option<ActiveSession> {
        held.end();
        self.local.remove(&held.key());
        None
    }

    /// Tells whether a session still lives, without a sign of life.
    ///
    /// # Errors
    /// When nothing is known of it because the store is away.
    pub async fn is_live(&self, live: &ActiveSession, now: Time) -> Result<bool, Unavailable> {
        match self.is_live_near(live, now) {
            Some(is_live) => Ok(is_live),
            None => Ok(self.ask_again(live.held(), Activity::Background, now).await?.is_some()),
        }
    }

    /// Tells the same without asking the store, if it is known here.
    #[must_use]
    pub fn is_live_near(&self, live: &ActiveSession, now: Time) -> Option<bool> {
        let held = live.held();
        if held.has_ended() {
            return Some(false);
        }
        // Ends are told to what is near, which may not be the same any more.
        match self.local.get(&held.key()) {
            Some(near) if near.has_ended() => Some(false),
            Some(near) if self.look(&near, Activity::Background, now).is_some() => Some(true),
            Some(_) | None => None,
        }
    }

    /// Tells whether the store was away when it was asked last.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.remote.as_ref().is_some_and(|remote| remote.presence.is_away())
    }

    /// Looks at what is near, if it is good.
    fn look(
        &self,
        held: &Arc<CachedSession>,
        activity: Activity,
        now: Time,
    ) -> Option<ActiveSession> {
        if let Some(remote) = &self.remote
            && !(held.is_vouched(remote.round())
                && remote.goes_on(held.round(), self.settings.grace, now))
        {
            return None;
        }
        let live = held.look(activity, now, self.settings.idle)?;
        if let Some(remote) = &self.remote {
            self.note(remote, held, self.settings.tell_after());
        }
        Some(live)
    }

    /// Asks the store about a session that is near but not good: not vouched for, or idle as far as
    /// this process has seen.
    async fn ask_again(
        &self,
        held: &Arc<CachedSession>,
        activity: Activity,
        now: Time,
    ) -> Result<Option<ActiveSession>, Unavailable> {
        let key = held.key();
        let Some(remote) = &self.remote else {
            self.local.remove(&key);
            return Ok(None);
        };
        // What the store cannot change need not be asked.
        if now >= held.session().end() {
            self.local.remove(&key);
            return Ok(None);
        }
        // No request waits for a store of which is known that it does not answer.
        if remote.presence.is_unread()
            && remote.has_grace(held.round(), self.settings.grace, now)
            && let Some(live) = held.look(activity, now, self.settings.idle)
        {
            return Ok(Some(live));
        }
        let (round, ends) = (remote.round(), remote.ends.load(Ordering::Acquire));
        match remote.presence.read(remote.store.get(key.record_key(), now).await, now) {
            Ok(Some(record)) if self.is_whose_it_says(held.session(), &record) => {
                // Never two of one: another may have come here meanwhile.
                let (held, is_new) = self.keep(Arc::clone(held), now);
                if remote.owes(key) {
                    return Ok(self.forget(&held));
                }
                held.vouch(record.alive, remote.vouched_in(round), now);
                // The answer has just come: whatever may have been missed meanwhile is for the next
                // request to ask.
                let live = held.look(activity, now, self.settings.idle);
                // An end that was heard of before it was here did not find it.
                let is_doubtful = is_new && remote.ends.load(Ordering::Acquire) != ends;
                if live.is_none() || is_doubtful {
                    self.local.remove(&key);
                }
                Ok(live)
            }
            Ok(Some(_) | None) => {
                held.end();
                if let Some(near) = self.local.remove(&key) {
                    near.end();
                }
                Ok(None)
            }
            Err(away) if remote.has_grace(held.round(), self.settings.grace, now) => {
                held.look(activity, now, self.settings.idle).map(Some).ok_or(away)
            }
            Err(away) => Err(away),
        }
    }

    /// Tells whether the store said a moment ago that it has nothing there, and is still heard: one
    /// that was away may come back with what it had.
    pub(super) fn is_absent(&self, key: Key, now: Time) -> bool {
        let Some(remote) = &self.remote else { return false };
        self.absent.is_known(key, remote.round(), now)
    }

    /// Makes sure that it can be told whose a session is: with another secret than the one that is
    /// kept, each would count as another person's.
    pub(super) fn require_owners(&self) -> Result<(), Unavailable> {
        let is_known = self.owners.is_known();
        let why = || Unavailable("the secret of the pseudonyms is not known yet".to_owned());
        is_known.then_some(()).ok_or_else(why)
    }

    /// Tells whether a kept session counts as one of the person that is sealed in it. If it did
    /// not, it would not be found among those of the person, to be ended.
    fn is_whose_it_says(&self, session: &Session, record: &Record) -> bool {
        let is_so = record.owner == Some(self.owners.owner(session.person()));
        if !is_so {
            warn!(
                session = session.public_name(),
                "kept session counts as another person's: changed, or of another secret of the pseudonyms"
            );
        }
        is_so
    }
}
