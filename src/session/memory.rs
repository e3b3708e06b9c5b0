//! Sessions in the memory of this process (moka): gone with it, and not shared.

use std::sync::Arc;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::held::{Activity, Held, Live};
use super::store::{Store, Unavailable};
use super::{Session, SessionKey, Settings};
use crate::base::clock::Time;
use crate::base::digest_hasher::BuildDigestHasher;

/// The store. When it is full, the session that was used longest ago makes room.
pub struct Memory {
    sessions: Cache<SessionKey, Arc<Held>, BuildDigestHasher>,
    settings: Settings,
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
}

impl Store for Memory {
    async fn insert(
        &self,
        key: SessionKey,
        session: Session,
        now: Time,
    ) -> Result<(), Unavailable> {
        self.sessions.insert(key, Held::new(key, session, now));
        Ok(())
    }

    async fn find(
        &self,
        key: SessionKey,
        activity: Activity,
        now: Time,
    ) -> Result<Option<Live>, Unavailable> {
        let Some(held) = self.sessions.get(&key) else {
            return Ok(None);
        };
        let live = held.look(activity, now, self.settings.idle);
        if live.is_none() {
            self.sessions.invalidate(&key);
        }
        Ok(live)
    }

    async fn remove(&self, key: SessionKey, now: Time) -> Result<Option<Arc<Held>>, Unavailable> {
        let Some(held) = self.sessions.remove(&key) else {
            return Ok(None);
        };
        let was_live = held.is_live(now, self.settings.idle);
        held.end();
        Ok(Some(held).filter(|_| was_live))
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
