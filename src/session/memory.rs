//! Sessions in the memory of this process (moka): gone with it, and not shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::store::{Activity, Live, Store, Unavailable};
use super::{Session, SessionKey, Settings};
use crate::base::clock::{Time, later};
use crate::base::digest_hasher::BuildDigestHasher;

/// The store. When it is full, the session that was used longest ago makes room.
pub struct Memory {
    sessions: Cache<SessionKey, Arc<Entry>, BuildDigestHasher>,
    settings: Settings,
}

struct Entry {
    session: Arc<Session>,
    /// Milliseconds since the epoch of the last sign of life; no lock on the hot path.
    alive: AtomicI64,
}

impl Memory {
    /// Makes an empty store.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let sessions = Cache::builder()
            .max_capacity(settings.maximum)
            // A new session is always taken in; the default policy may turn it away.
            .eviction_policy(EvictionPolicy::lru())
            // Only for tidiness: what has ended is decided by our own clock, below.
            .time_to_live(settings.absolute)
            .build_with_hasher(BuildDigestHasher::default());
        Self { sessions, settings }
    }

    fn idle_end(&self, entry: &Entry) -> Time {
        let alive = Time::from_millisecond(entry.alive.load(Ordering::Relaxed));
        later(alive.unwrap_or(Time::MIN), self.settings.idle)
    }

    fn has_ended(&self, entry: &Entry, now: Time) -> bool {
        now >= entry.session.end() || now >= self.idle_end(entry)
    }
}

impl Store for Memory {
    async fn insert(
        &self,
        key: SessionKey,
        session: Session,
        now: Time,
    ) -> Result<(), Unavailable> {
        let alive = AtomicI64::new(now.as_millisecond());
        self.sessions.insert(key, Arc::new(Entry { session: Arc::new(session), alive }));
        Ok(())
    }

    async fn find(
        &self,
        key: SessionKey,
        activity: Activity,
        now: Time,
    ) -> Result<Option<Live>, Unavailable> {
        let Some(entry) = self.sessions.get(&key) else {
            return Ok(None);
        };
        if self.has_ended(&entry, now) {
            self.sessions.invalidate(&key);
            return Ok(None);
        }
        if activity == Activity::Alive {
            entry.alive.fetch_max(now.as_millisecond(), Ordering::Relaxed);
        }
        let idle_end = self.idle_end(&entry);
        Ok(Some(Live { session: Arc::clone(&entry.session), key, idle_end }))
    }

    async fn remove(
        &self,
        key: SessionKey,
        now: Time,
    ) -> Result<Option<Arc<Session>>, Unavailable> {
        let removed = self.sessions.remove(&key).filter(|entry| !self.has_ended(entry, now));
        Ok(removed.map(|entry| Arc::clone(&entry.session)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::contract;
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract_of_stores() {
        contract::check(Memory::new(contract::settings())).await;
    }
}
