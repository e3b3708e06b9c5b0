//! All sessions: those near, in the memory of this process, and the place where they are kept for
//! longer or for other replicas, if there is one.
//!
//! 1. Near is asked first, and for nearly every request nothing else. Without a place, near is all.
//! 2. What is near was vouched for by the place. It stays good as long as we hear of what happens
//!    there; when something may have been missed, the place is asked again about each session that is
//!    used ([`crate::store::Event::Missed`]), and while we hear nothing, again and again.
//! 3. When the place is away, sessions that are near go on for a grace, if it is not long ago that
//!    something may have been missed about them (`far`), and no request of theirs waits for it: one
//!    task asks whether it is back. Of all others nothing is known: they are neither let in nor sent to
//!    sign in.
//! 4. Signs of life are noted near, and told to the place seldom and many at once.
//! 5. A session that is ended from outside leaves a note why, so that the citizen can be told.
//! 6. A place that has just said that there is nothing is not asked for the same again, for a moment.
//!    What is begun cannot be hidden by that: ids are ours, and nobody can ask for one before.

mod attend;
mod causes;
mod ends;
mod far;
mod numbers;
mod operators;
mod presence;
mod seen;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use tracing::warn;

use self::causes::{CAUSES, NOTE_LIFE};
pub use self::causes::{REPLACED, SIGNED_OUT};
use self::far::Far;
pub use self::seen::{Listed, Seen};
use super::held::{Activity, Held, Live};
use super::label::{Label, Why};
use super::near::{Kept, Near};
use super::{Session, SessionId, SessionKey, Settings, kept};
use crate::base::clock::{Time, later};
use crate::base::digest_hasher::BuildDigestHasher;
use crate::identity::claims::PairwiseSecret;
use crate::observe::metrics::ByName;
use crate::store::seal::Sealer;
use crate::store::{Key, Kind, Record, RecordStore, Touch, Unavailable};

/// What is known of a session without asking the place.
pub enum Known {
    /// It lives.
    Live(Live),
    /// There is none, or it has ended.
    Nothing,
    /// There was one, and the place says whether there still is.
    Doubtful(Arc<Held>),
    /// Only the place knows.
    Unknown,
}

/// All sessions.
pub struct Sessions {
    near: Near,
    /// Why sessions were ended from outside, for this process.
    notes: Cache<SessionKey, Why, BuildDigestHasher>,
    /// What was just asked for and is not in the place: in which round, and until when that is good.
    absent: Cache<Key, (u64, Time)>,
    far: Option<Far>,
    settings: Settings,
    owners: PairwiseSecret,
    /// Those that were ended here before their time.
    ended: ByName,
    /// When it was last said that there is no room, in milliseconds since the epoch.
    said_full: AtomicI64,
}

impl Sessions {
    /// Makes sessions that are gone with this process.
    #[must_use]
    pub fn in_memory(settings: Settings, owners: PairwiseSecret) -> Arc<Self> {
        Arc::new(Self::of(settings, owners, None))
    }

    /// Makes sessions that are kept in a place.
    #[must_use]
    pub fn kept_in(
        place: Arc<dyn RecordStore>,
        sealer: Sealer,
        settings: Settings,
        owners: PairwiseSecret,
    ) -> Arc<Self> {
        let far = Far::new(place, sealer);
        Arc::new(Self::of(settings, owners, Some(far)))
    }

    fn of(settings: Settings, owners: PairwiseSecret, far: Option<Far>) -> Self {
        let near = Near::new(settings.maximum, settings.idle);
        let notes = Cache::builder()
            .max_capacity(NOTES)
            .time_to_live(NOTE_LIFE)
            .build_with_hasher(BuildDigestHasher::default());
        let absent = Cache::builder()
            .max_capacity(ABSENT)
            // Only for tidiness: how long it is good is decided by our own clock.
            .time_to_live(10 * ABSENT_LIFE)
            .build();
        let ended = ByName::beginning_with(&CAUSES);
        let said_full = AtomicI64::new(i64::MIN);
        Self { near, notes, absent, far, settings, owners, ended, said_full }
    }

    /// Begins to keep a session under an id that was never used before. When the person has too many,
    /// the oldest end.
    ///
    /// # Errors
    /// When it cannot be kept: then nobody is signed in.
    pub async fn insert(
        &self,
        id: &SessionId,
        session: Session,
        now: Time,
    ) -> Result<(), Unavailable> {
        let key = id.key();
        let owner = self.owners.owner(session.person());
        let before = self.far.as_ref().map(|far| (far.round(), far.ends.load(Ordering::Acquire)));
        if let Some(far) = &self.far {
            let plain = kept::write(&session)?;
            let record = Record {
                sealed: far.sealer.seal(key.place(), id.secret(), plain.expose()),
                label: Label::of(&session).write()?,
                owner: Some(owner),
                alive: now.as_millisecond(),
                expires: self.expires(now, &session),
            };
            far.presence.wrote(far.place.put(key.place(), record).await, now)?;
        }
        let (held, _) = self.keep(Held::new(key, session, now), now);
        // The place has just taken it. But it may have ended before it was here to be told so.
        self.absent.invalidate(&key.place());
        if let (Some(far), Some((round, ends))) = (&self.far, before)
            && far.ends.load(Ordering::Acquire) == ends
        {
            held.vouch(now.as_millisecond(), far.vouched_in(round), now);
        }
        if self.settings.maximum_per_person > 0 {
            // The citizen is signed in by now; the next login tries again.
            if let Err(error) = self.end_oldest(owner, key, now).await {
                warn!(%error, "sessions of a person that are too many could not be ended");
            }
        }
        Ok(())
    }

    /// Finds a session that has not ended.
    ///
    /// # Errors
    /// When nothing is known of it because the place is away.
    pub async fn find(
        &self,
        id: &SessionId,
        activity: Activity,
        now: Time,
    ) -> Result<Option<Live>, Unavailable> {
        match self.find_near(id, activity, now) {
            Known::Live(live) => Ok(Some(live)),
            Known::Nothing => Ok(None),
            Known::Doubtful(held) => self.ask_again(&held, activity, now).await,
            Known::Unknown => self.find_far(id, activity, now).await,
        }
    }

    /// Says what is known of a session without asking anybody.
    #[must_use]
    pub fn find_near(&self, id: &SessionId, activity: Activity, now: Time) -> Known {
        let key = id.key();
        let near = self
            .near
            .look(&key, |held| self.look(held, activity, now).ok_or_else(|| Arc::clone(held)));
        match near {
            Some(Ok(live)) => Known::Live(live),
            Some(Err(held)) if held.has_ended() => {
                self.near.remove(&key);
                Known::Nothing
            }
            Some(Err(held)) => Known::Doubtful(held),
            None if self.far.is_none() || self.is_absent(key.place(), now) => Known::Nothing,
            None => Known::Unknown,
        }
    }

    async fn find_far(
        &self,
        id: &SessionId,
        activity: Activity,
        now: Time,
    ) -> Result<Option<Live>, Unavailable> {
        let key = id.key();
        let Some(far) = &self.far else { return Ok(None) };
        let (round, ends) = (far.round(), far.ends.load(Ordering::Acquire));
        let Some(record) = far.presence.read(far.place.get(key.place(), now).await, now)? else {
            self.absent.insert(key.place(), (round, later(now, ABSENT_LIFE)));
            return Ok(None);
        };
        let Ok(plain) = far.sealer.open(key.place(), id.secret(), &record.sealed) else {
            warn!(
                session = key.public_name(),
                "kept session does not open: changed, or sealed with a secret of the servers that is not given any more"
            );
            return Ok(None);
        };
        let Ok(session) = kept::read(plain.expose(), key) else {
            warn!(session = key.public_name(), "kept session cannot be read: of another version");
            return Ok(None);
        };
        if !self.is_whose_it_says(&session, &record) {
            return Ok(None);
        }
        let held = Held::restored(key, session, record.alive, far.vouched_in(round), now);
        // Never two of one, or the end of one would not be that of the other.
        let held = self.keep(held, now).0;
        // It may have ended after it was read and before it was here to be told so.
        if far.ends.load(Ordering::Acquire) != ends {
            return self.ask_again(&held, activity, now).await;
        }
        Ok(held.look(activity, now, self.settings.idle))
    }

    /// Tells whether a session still lives, without a sign of life.
    ///
    /// # Errors
    /// When nothing is known of it because the place is away.
    pub async fn is_live(&self, live: &Live, now: Time) -> Result<bool, Unavailable> {
        match self.is_live_near(live, now) {
            Some(is_live) => Ok(is_live),
            None => Ok(self.ask_again(live.held(), Activity::Background, now).await?.is_some()),
        }
    }

    /// Tells the same without asking anybody, if it is known here.
    #[must_use]
    pub fn is_live_near(&self, live: &Live, now: Time) -> Option<bool> {
        let held = live.held();
        if held.has_ended() {
            return Some(false);
        }
        // Ends are told to what is near, which may not be the same any more.
        match self.near.get(&held.key()) {
            Some(near) if near.has_ended() => Some(false),
            Some(near) if self.look(&near, Activity::Background, now).is_some() => Some(true),
            Some(_) | None => None,
        }
    }

    /// Tells whether the place was away when it was asked last.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.far.as_ref().is_some_and(|far| far.presence.is_away())
    }

    /// Looks at what is near, if it is good.
    fn look(&self, held: &Arc<Held>, activity: Activity, now: Time) -> Option<Live> {
        if let Some(far) = &self.far
            && !held.is_vouched(far.round())
        {
            return None;
        }
        let live = held.look(activity, now, self.settings.idle)?;
        if let Some(far) = &self.far {
            self.note(far, held, self.settings.tell_after());
        }
        Some(live)
    }

    /// Notes that the place is to be told of a sign of life, once for each stretch of time.
    fn note(&self, far: &Far, held: &Held, stretch: Duration) {
        if held.to_tell(stretch).is_some() {
            let touch = self.touch(held);
            let mut touches = far.touches();
            if touches.len() < TOUCHES {
                touches.push(touch);
            }
        }
    }

    /// Asks the place about a session that is near but not good: not vouched for, or idle as far as
    /// this process has seen.
    async fn ask_again(
        &self,
        held: &Arc<Held>,
        activity: Activity,
        now: Time,
    ) -> Result<Option<Live>, Unavailable> {
        let key = held.key();
        let Some(far) = &self.far else {
            self.near.remove(&key);
            return Ok(None);
        };
        // What the place cannot change need not be asked.
        if now >= held.session().end() {
            self.near.remove(&key);
            return Ok(None);
        }
        // Nobody waits for a place of which is known that it does not answer.
        if far.presence.is_unread()
            && far.has_grace(held.round(), self.settings.grace, now)
            && let Some(live) = held.look(activity, now, self.settings.idle)
        {
            return Ok(Some(live));
        }
        let (round, ends) = (far.round(), far.ends.load(Ordering::Acquire));
        match far.presence.read(far.place.get(key.place(), now).await, now) {
            Ok(Some(record)) if self.is_whose_it_says(held.session(), &record) => {
                // Never two of one: another may have come here meanwhile.
                let (held, is_new) = self.keep(Arc::clone(held), now);
                held.vouch(record.alive, far.vouched_in(round), now);
                // The answer has just come: whatever may have been missed meanwhile is for the next
                // request to ask.
                let live = held.look(activity, now, self.settings.idle);
                // An end that was heard of before it was here did not find it.
                let is_doubtful = is_new && far.ends.load(Ordering::Acquire) != ends;
                if live.is_none() || is_doubtful {
                    self.near.remove(&key);
                }
                Ok(live)
            }
            Ok(Some(_) | None) => {
                held.end();
                if let Some(near) = self.near.remove(&key) {
                    near.end();
                }
                Ok(None)
            }
            Err(away) if far.has_grace(held.round(), self.settings.grace, now) => {
                held.look(activity, now, self.settings.idle).map(Some).ok_or(away)
            }
            Err(away) => Err(away),
        }
    }

    /// Says now and then that citizens are signed out for want of room.
    fn say_full(&self, now: Time) {
        let (now, said) = (now.as_millisecond(), self.said_full.load(Ordering::Relaxed));
        let is_due = now.saturating_sub(said) >= SAID_FULL_FOR;
        if is_due
            && self
                .said_full
                .compare_exchange(said, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            warn!(
                maximum = self.settings.maximum,
                "there are more sessions than session.maximum: those used longest ago end"
            );
        }
    }

    /// Tells whether the place said a moment ago that it has nothing there, and is still heard: one that
    /// was away may come back with what it had.
    fn is_absent(&self, key: Key, now: Time) -> bool {
        let Some(far) = &self.far else { return false };
        let known = self.absent.get(&key);
        known.is_some_and(|(round, until)| round == far.round() && now < until)
    }

    /// Tells whether a kept session counts as one of the person that is sealed in it. If it did not,
    /// it would not be found among those of the person, to be ended.
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

    /// Keeps a session near, unless it is. Returns the one that is near now, and whether it is new.
    fn keep(&self, held: Arc<Held>, now: Time) -> (Arc<Held>, bool) {
        let Kept { held, is_new, out } = self.near.keep(held, now);
        if let Some(out) = out {
            match &self.far {
                Some(far) => self.note(far, &out, Duration::ZERO),
                // Nobody else knows of it, so whoever still holds it must see that it is gone.
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

    fn touch(&self, held: &Held) -> Touch {
        let alive = held.alive();
        Touch {
            key: held.key().place(),
            alive: alive.as_millisecond(),
            expires: self.expires(alive, held.session()),
        }
    }

    /// When a record of a session goes away: a little after it is idle, because the last sign of life
    /// may not have been told.
    fn expires(&self, alive: Time, session: &Session) -> Time {
        later(later(alive, self.settings.idle), self.settings.tell_after()).min(session.end())
    }
}

impl SessionKey {
    fn place(self) -> Key {
        Key { kind: Kind::Session, digest: self.0 }
    }

    fn note(self) -> Key {
        Key { kind: Kind::Ended, digest: self.0 }
    }
}

/// How many notes on ended sessions a process keeps.
const NOTES: u64 = 100_000;
/// How long it is not said again that there is no room, in milliseconds.
const SAID_FULL_FOR: i64 = 60_000;
/// Of how many records a process remembers that they are not in the place, and how long.
const ABSENT: u64 = 10_000;
const ABSENT_LIFE: Duration = Duration::from_secs(30);
/// How many signs of life may wait to be told.
const TOUCHES: usize = 100_000;

#[cfg(test)]
mod tests;
