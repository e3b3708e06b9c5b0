//! A session as this process holds it, with what changes about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::{Session, SessionKey};
use crate::base::clock::{Time, later};

/// Whether a request is a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// It is: the idle time begins anew.
    Alive,
    /// It is background polling: the session is used but not prolonged.
    Background,
}

/// A session in memory, shared by all requests that use it.
///
/// In this order, because a request that finds one among a million waits for memory: what every
/// request looks at stands together.
#[derive(Debug)]
#[repr(C)]
pub struct CachedSession {
    key: SessionKey,
    /// Milliseconds since the epoch of the last sign of life; no lock on the hot path.
    alive: AtomicI64,
    /// In which round of asking the store that it was read from vouched for it.
    round: AtomicU64,
    /// It was ended from outside. A request that still holds it sees that at once.
    has_ended: AtomicBool,
    /// The last sign of life that others know of.
    told: AtomicI64,
    session: Session,
}

/// A session that had not ended when it was looked at.
#[derive(Debug, Clone)]
pub struct ActiveSession {
    held: Arc<CachedSession>,
    /// The last sign of life that counts.
    alive: i64,
    idle: Duration,
}

impl CachedSession {
    /// Holds a session that shows a sign of life now.
    #[must_use]
    pub fn new(key: SessionKey, session: Session, now: Time) -> Arc<Self> {
        Self::restored(key, session, now.as_millisecond(), 0, now)
    }

    /// Holds a session that was kept elsewhere, with its last sign of life.
    pub(super) fn restored(
        key: SessionKey,
        session: Session,
        alive: i64,
        round: u64,
        now: Time,
    ) -> Arc<Self> {
        // No sign of life is in the future.
        let alive = alive.min(now.as_millisecond());
        Arc::new(Self {
            key,
            session,
            alive: AtomicI64::new(alive),
            told: AtomicI64::new(alive),
            has_ended: AtomicBool::new(false),
            round: AtomicU64::new(round),
        })
    }

    /// Returns what it is stored under.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        self.key
    }

    /// Tells whether the store vouched for it in this round of asking.
    pub(super) fn is_vouched(&self, round: u64) -> bool {
        self.round() >= round
    }

    /// Returns in which round of asking the store vouched for it last.
    pub(super) fn round(&self) -> u64 {
        self.round.load(Ordering::Acquire)
    }

    /// Notes that the store vouched for it, and the sign of life that others saw.
    pub(super) fn vouch(&self, alive: i64, round: u64, now: Time) {
        let alive = alive.min(now.as_millisecond());
        self.alive.fetch_max(alive, Ordering::Relaxed);
        self.told.fetch_max(alive, Ordering::Relaxed);
        self.round.fetch_max(round, Ordering::Release);
    }

    /// Returns the last sign of life when others should hear of it: once for each stretch of time.
    pub(super) fn unwritten_activity(&self, stretch: Duration) -> Option<i64> {
        let (alive, told) = (self.alive.load(Ordering::Relaxed), self.told.load(Ordering::Relaxed));
        let is_due = u128::try_from(alive - told).is_ok_and(|since| since >= stretch.as_millis());
        // One of several workers tells.
        let told = &self.told;
        let tell = || {
            let before = told.load(Ordering::Relaxed);
            before < alive
                && told
                    .compare_exchange(before, alive, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
        };
        (is_due && tell()).then_some(alive)
    }

    /// Returns the last sign of life.
    #[must_use]
    pub fn alive(&self) -> Time {
        Time::from_millisecond(self.alive.load(Ordering::Relaxed)).unwrap_or(Time::MIN)
    }

    /// Tells whether it was ended from outside.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Returns the session, which never changes.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Looks whether it lives, and notes the sign of life.
    #[must_use]
    pub fn look(
        self: &Arc<Self>,
        activity: Activity,
        now: Time,
        idle: Duration,
    ) -> Option<ActiveSession> {
        if !self.is_live(now, idle) {
            return None;
        }
        let mut alive = self.alive.load(Ordering::Relaxed);
        let moment = now.as_millisecond();
        // Workers do not write to the same place for every request.
        if activity == Activity::Alive && moment >= alive.saturating_add(GRAIN) {
            alive = alive.max(moment);
            self.alive.fetch_max(moment, Ordering::Relaxed);
        }
        Some(ActiveSession { held: Arc::clone(self), alive, idle })
    }

    /// Tells whether it has not ended.
    #[must_use]
    pub fn is_live(&self, now: Time, idle: Duration) -> bool {
        let idle = i64::try_from(idle.as_millis()).unwrap_or(i64::MAX);
        let idle_end = self.alive.load(Ordering::Relaxed).saturating_add(idle);
        !self.has_ended.load(Ordering::Acquire)
            && now < self.session.end()
            && now.as_millisecond() < idle_end
    }

    /// Ends it for all who hold it.
    pub fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
    }
}

impl ActiveSession {
    /// Returns the session, which lived when it was looked at.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.held.session
    }

    /// Returns what it is stored under.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        self.held.key
    }

    /// Returns when it ends if nothing happens.
    #[must_use]
    pub fn idle_end(&self) -> Time {
        later(Time::from_millisecond(self.alive).unwrap_or(Time::MIN), self.idle)
    }

    /// Returns how long nothing may happen.
    #[must_use]
    pub fn idle(&self) -> Duration {
        self.idle
    }

    /// Returns what is shared of it.
    pub(super) fn held(&self) -> &Arc<CachedSession> {
        &self.held
    }
}

/// Signs of life that are nearer to each other are one, in milliseconds.
const GRAIN: i64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    /// There may be a million: one more byte than this, and each takes 64 more.
    #[test]
    fn a_session_with_its_counters_fits_into_256_bytes() {
        let counters_of_arc = 2 * size_of::<usize>();
        assert!(counters_of_arc + size_of::<CachedSession>() <= 256);
        assert!(
            std::mem::offset_of!(CachedSession, session) + size_of::<Time>()
                <= 128 - counters_of_arc
        );
    }

    #[test]
    fn a_sign_of_life_is_told_once_for_each_stretch_of_time() {
        use crate::session::SessionId;
        use crate::session::testing::{session, settings};

        let (key, now) = (SessionId::generate().key(), "2031-01-01T00:00:00Z".parse().unwrap());
        let held = CachedSession::new(key, session(key, now), now);
        assert_eq!(held.unwritten_activity(Duration::ZERO), None, "it was told of when it began");
        let second = later(now, Duration::from_secs(1));
        let idle = settings().idle;
        for (milliseconds, is_noted) in [(99, false), (100, true)] {
            let near = CachedSession::new(key, session(key, now), now);
            let moment = later(now, Duration::from_millis(milliseconds));
            near.look(Activity::Alive, moment, idle).unwrap();
            assert_eq!(near.alive() == moment, is_noted, "{milliseconds}");
        }
        let seen = held.look(Activity::Background, second, idle).unwrap();
        assert_eq!(seen.idle_end(), later(now, idle), "nobody was there");
        let seen = held.look(Activity::Alive, second, idle).unwrap();
        assert_eq!((seen.idle_end(), held.alive()), (later(second, idle), second));
        assert_eq!(held.unwritten_activity(Duration::from_millis(1_001)), None);
        assert_eq!(held.unwritten_activity(Duration::from_secs(1)), Some(second.as_millisecond()));
        assert_eq!(held.unwritten_activity(Duration::ZERO), None, "it was told");
        // Others saw one that is as late.
        let third = later(now, Duration::from_secs(2));
        held.look(Activity::Alive, third, settings().idle).unwrap();
        held.vouch(third.as_millisecond(), 1, third);
        assert_eq!(held.unwritten_activity(Duration::ZERO), None);
    }
}
