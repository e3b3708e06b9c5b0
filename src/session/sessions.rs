//! All sessions: those near, in the memory of this process, and the place where they are kept for
//! longer or for other replicas, if there is one.
//!
//! 1. Near is asked first, and for nearly every request nothing else. Without a place, near is all.
//! 2. What is near was vouched for by the place. It stays good as long as we hear of what happens
//!    there; when something may have been missed, the place is asked again about each session that is
//!    used ([`Event::Missed`]), and while we hear nothing, again and again.
//! 3. When the place is away, sessions that are near go on for a grace, and no request of theirs waits
//!    for it: one task asks whether it is back. Of all others nothing is known: they are neither let in
//!    nor sent to sign in.
//! 4. Signs of life are noted near, and told to the place seldom and many at once.
//! 5. A session that is ended from outside leaves a note why, so that the citizen can be told.

mod operators;
mod presence;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::sync::broadcast::error::RecvError;
use tracing::warn;

pub use self::operators::{Listed, Seen};
use self::presence::Presence;
use super::held::{Activity, Held, Live};
use super::label::{Label, Why};
use super::{Session, SessionId, SessionKey, Settings, kept};
use crate::base::clock::{SharedClock, Time, later};
use crate::base::digest_hasher::BuildDigestHasher;
use crate::identity::claims::PairwiseSecret;
use crate::store::seal::Sealer;
use crate::store::{Event, Key, Kind, Place, Record, Touch, Unavailable};

/// All sessions.
pub struct Sessions {
    near: Cache<SessionKey, Arc<Held>, BuildDigestHasher>,
    /// Why sessions were ended from outside, for this process.
    notes: Cache<SessionKey, Why, BuildDigestHasher>,
    far: Option<Far>,
    settings: Settings,
    owners: PairwiseSecret,
}

struct Far {
    place: Arc<dyn Place>,
    sealer: Sealer,
    /// Grows when something may have been missed. What was never vouched for is of round 0.
    round: AtomicU64,
    /// How many ends were heard of.
    ends: AtomicU64,
    /// What the place is to be told.
    touches: Mutex<Vec<Touch>>,
    presence: Presence,
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
        place: Arc<dyn Place>,
        sealer: Sealer,
        settings: Settings,
        owners: PairwiseSecret,
    ) -> Arc<Self> {
        let far = Far {
            place,
            sealer,
            round: AtomicU64::new(1),
            ends: AtomicU64::new(0),
            touches: Mutex::default(),
            presence: Presence::default(),
        };
        Arc::new(Self::of(settings, owners, Some(far)))
    }

    fn of(settings: Settings, owners: PairwiseSecret, far: Option<Far>) -> Self {
        let near = Cache::builder()
            .max_capacity(settings.maximum)
            // A new session is always taken in; the default policy may turn it away.
            .eviction_policy(EvictionPolicy::lru())
            // Only for tidiness: what has ended is decided by our own clock.
            .time_to_live(settings.absolute)
            .build_with_hasher(BuildDigestHasher::default());
        let notes = Cache::builder()
            .max_capacity(NOTES)
            .time_to_live(NOTE_LIFE)
            .build_with_hasher(BuildDigestHasher::default());
        Self { near, notes, far, settings, owners }
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
        if let Some(far) = &self.far {
            let record = Record {
                sealed: far.sealer.seal(key.place(), id.secret(), kept::write(&session).expose()),
                label: Label::of(&session).write(),
                owner: Some(owner),
                alive: now.as_millisecond(),
                expires: self.expires(now, &session),
            };
            far.presence.wrote(far.place.put(key.place(), record).await)?;
        }
        self.near.insert(key, Held::new(key, session, now));
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
        let key = id.key();
        if let Some(held) = self.near.get(&key) {
            if held.has_ended() {
                self.near.invalidate(&key);
                return Ok(None);
            }
            if let Some(live) = self.look(&held, activity, now) {
                return Ok(Some(live));
            }
            return self.ask_again(&held, activity, now).await;
        }
        let Some(far) = &self.far else { return Ok(None) };
        let (round, ends) = (far.round.load(Ordering::Acquire), far.ends.load(Ordering::Acquire));
        let Some(record) = far.presence.read(far.place.get(key.place(), now).await, now)? else {
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
        let held = Held::restored(key, session, record.alive, round, now);
        // Never two of one, or the end of one would not be that of the other.
        let held = self.near.entry(key).or_insert(held).into_value();
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
        let held = live.held();
        if held.has_ended() {
            return Ok(false);
        }
        // Ends are told to what is near, which may not be the same any more.
        match self.near.get(&held.key()) {
            Some(near) if near.has_ended() => return Ok(false),
            Some(near) if self.look(&near, Activity::Background, now).is_some() => return Ok(true),
            Some(_) | None => {}
        }
        Ok(self.ask_again(held, Activity::Background, now).await?.is_some())
    }

    /// Ends a session and returns it, to one caller only.
    ///
    /// # Errors
    /// When the place is away: then the session may still be there.
    pub async fn remove(
        &self,
        id: &SessionId,
        now: Time,
    ) -> Result<Option<Arc<Held>>, Unavailable> {
        // What is known of it is read first: the node must be told its names.
        let found = self.find(id, Activity::Background, now).await?;
        let is_first = self.take(id.key(), now).await?;
        Ok(found.map(|live| Arc::clone(live.held())).filter(|_| is_first))
    }

    /// Ends a session for a reason that the citizen shall know; says whether there was one.
    ///
    /// # Errors
    /// When the place is away.
    pub async fn end(&self, key: SessionKey, why: Why, now: Time) -> Result<bool, Unavailable> {
        if !self.take(key, now).await? {
            return Ok(false);
        }
        self.notes.insert(key, why);
        if let Some(far) = &self.far {
            let record = Record {
                sealed: Bytes::new(),
                label: Bytes::from_static(why.name().as_bytes()),
                owner: None,
                alive: now.as_millisecond(),
                expires: later(now, NOTE_LIFE),
            };
            // The session has ended; a note that is lost costs a page, no more.
            let _ = far.presence.wrote(far.place.put(key.note(), record).await);
        }
        Ok(true)
    }

    /// Returns why a session was ended from outside, if it was.
    pub async fn why_ended(&self, id: &SessionId, now: Time) -> Option<Why> {
        let key = id.key();
        if let Some(why) = self.notes.get(&key) {
            return Some(why);
        }
        let record = self.far.as_ref()?.place.get(key.note(), now).await.ok()??;
        Why::parse(std::str::from_utf8(&record.label).ok()?)
    }

    /// Tells whether the place was away when it was asked last.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.far.as_ref().is_some_and(|far| far.presence.is_away())
    }

    /// Keeps near what is far, and tells the place of signs of life; never ends.
    pub async fn attend(self: Arc<Self>, clock: SharedClock) {
        let Some(far) = &self.far else { return std::future::pending().await };
        // Whoever waits for the place hears of ends meanwhile.
        tokio::join!(self.hear(far), self.keep_told(far, &clock));
    }

    async fn hear(&self, far: &Far) {
        let mut events = far.place.watch();
        loop {
            match events.recv().await {
                Ok(Event::Gone(key)) if key.kind == Kind::Session => {
                    far.ends.fetch_add(1, Ordering::AcqRel);
                    if let Some(held) = self.near.remove(&SessionKey(key.digest)) {
                        held.end();
                    }
                }
                Ok(Event::Gone(_)) => {}
                Ok(Event::Missed) | Err(RecvError::Lagged(_)) => self.ask_all_again(),
                // A place never stops telling; if it did, nothing would be heard.
                Err(RecvError::Closed) => {
                    self.ask_all_again();
                    tokio::time::sleep(TICK).await;
                }
            }
        }
    }

    async fn keep_told(&self, far: &Far, clock: &SharedClock) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut checked = tokio::time::Instant::now();
        loop {
            tick.tick().await;
            let is_watching = far.place.is_watching();
            if !is_watching {
                self.ask_all_again();
            }
            self.tell(far).await;
            // Sessions that are near do not ask meanwhile, so somebody has to.
            if far.presence.is_unread() {
                let now = clock.now();
                let _ = far.presence.read(far.place.get(PROBE, now).await, now);
            }
            if !is_watching || far.presence.is_away() || checked.elapsed() >= CHECK {
                let _ = far.presence.wrote(far.place.check().await);
                checked = tokio::time::Instant::now();
            }
        }
    }

    /// Tells the place of signs of life that it does not know yet; for the end of the process.
    pub async fn tell_all(&self) {
        if let Some(far) = &self.far {
            let near = self.near.iter().map(|(_, held)| held);
            let due = near.filter_map(|held| held.to_tell(Duration::ZERO).map(|_| held));
            let touches: Vec<_> = due.map(|held| self.touch(&held)).collect();
            far.lock().extend(touches);
            self.tell(far).await;
        }
    }

    async fn tell(&self, far: &Far) {
        let touches = std::mem::take(&mut *far.lock());
        if touches.is_empty() {
            return;
        }
        // They are not worth keeping when the place is away: each session is told of again.
        let _ = far.presence.wrote(far.place.touch(touches).await);
    }

    fn ask_all_again(&self) {
        if let Some(far) = &self.far {
            far.round.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Looks at what is near, if it is good.
    fn look(&self, held: &Arc<Held>, activity: Activity, now: Time) -> Option<Live> {
        if let Some(far) = &self.far
            && !held.is_vouched(far.round.load(Ordering::Acquire))
        {
            return None;
        }
        let live = held.look(activity, now, self.settings.idle)?;
        if let Some(far) = &self.far
            && held.to_tell(self.settings.tell_after()).is_some()
        {
            let touch = self.touch(held);
            let mut touches = far.lock();
            if touches.len() < TOUCHES {
                touches.push(touch);
            }
        }
        Some(live)
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
            self.near.invalidate(&key);
            return Ok(None);
        };
        // What the place cannot change need not be asked.
        if now >= held.session().end() {
            self.near.invalidate(&key);
            return Ok(None);
        }
        // Nobody waits for a place of which is known that it does not answer.
        if far.presence.is_unread()
            && far.presence.has_grace(self.settings.grace, now)
            && let Some(live) = held.look(activity, now, self.settings.idle)
        {
            return Ok(Some(live));
        }
        let (round, ends) = (far.round.load(Ordering::Acquire), far.ends.load(Ordering::Acquire));
        match far.presence.read(far.place.get(key.place(), now).await, now) {
            Ok(Some(record)) => {
                held.vouch(record.alive, round, now);
                // The answer has just come: whatever may have been missed meanwhile is for the next
                // request to ask.
                let live = held.look(activity, now, self.settings.idle);
                if live.is_none() {
                    self.near.invalidate(&key);
                } else if !self.near.contains_key(&key) {
                    self.near.insert(key, Arc::clone(held));
                    if far.ends.load(Ordering::Acquire) != ends {
                        self.near.invalidate(&key);
                    }
                }
                Ok(live)
            }
            Ok(None) => {
                held.end();
                self.near.invalidate(&key);
                Ok(None)
            }
            Err(away) if far.presence.has_grace(self.settings.grace, now) => {
                held.look(activity, now, self.settings.idle).map(Some).ok_or(away)
            }
            Err(away) => Err(away),
        }
    }

    /// Takes a session away, near and far; says whether this caller was the one.
    async fn take(&self, key: SessionKey, now: Time) -> Result<bool, Unavailable> {
        let far = match &self.far {
            Some(far) => {
                Some(far.presence.read(far.place.take(key.place(), now).await, now)?.is_some())
            }
            None => None,
        };
        let near = self.near.remove(&key);
        let was_live = near.as_ref().is_some_and(|held| held.is_live(now, self.settings.idle));
        if let Some(held) = near {
            held.end();
        }
        Ok(far.unwrap_or(was_live))
    }

    async fn end_oldest(
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

impl Far {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Touch>> {
        self.touches.lock().unwrap_or_else(PoisonError::into_inner)
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

/// How many notes on ended sessions a process keeps, and how long.
const NOTES: u64 = 100_000;
const NOTE_LIFE: Duration = Duration::from_secs(3600);
/// How often the place is told of signs of life, and looked at while it is not heard.
const TICK: Duration = Duration::from_millis(500);
/// How often the place is asked whether it takes something in although nobody has to know.
const CHECK: Duration = Duration::from_secs(5);
/// What is read to learn whether anything can be: nothing is there.
const PROBE: Key = Key { kind: Kind::Ended, digest: [0; 32] };
/// How many signs of life may wait to be told.
const TOUCHES: usize = 100_000;
/// The most sessions of one person that are looked at.
const MOST_OF_ONE: usize = 1000;

#[cfg(test)]
mod tests;
