//! The keys that sign identities now, as all who mint and publish share them.
//!
//! 1. A new ring takes the place of the old one whole.
//! 2. When a key is no longer good for what it signed, or pseudonyms change, all tokens that were
//!    minted are of an earlier [`SigningKeys::generation`], and are handed out no more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::keyring::KeyRing;

/// The ring of the moment.
#[derive(Debug)]
pub struct SigningKeys {
    ring: RwLock<KeyRing>,
    generation: AtomicU64,
}

impl SigningKeys {
    /// Shares a ring.
    #[must_use]
    pub fn new(ring: KeyRing) -> Self {
        Self { ring: RwLock::new(ring), generation: AtomicU64::new(0) }
    }

    /// Returns the ring of the moment, which is not replaced while it is held.
    pub fn ring(&self) -> RwLockReadGuard<'_, KeyRing> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on with another ring. Tokens of a key that it does not have are forgotten.
    pub fn replace(&self, ring: KeyRing) {
        let mut old = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let forgets = !ring.still_has(&old);
        *old = ring;
        // Before somebody reads the new ring: a token has the number that was read before its key.
        if forgets {
            self.forget_tokens();
        }
    }

    /// Has all tokens that were minted forgotten.
    pub fn forget_tokens(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns the number that tokens are marked with. One that has another number is not handed
    /// out.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}
