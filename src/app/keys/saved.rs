//! What is kept of identities: the ring and the secret of the pseudonyms, and how often they
//! changed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::state::Changes;
use crate::base::encoding::{base64, from_base64};
use crate::base::secret::Secret;
use crate::identity::claims::PairwiseSecret;
use crate::identity::keyring::KeyRing;
use crate::identity::signing_key::Algorithm;

/// What replicas share, or a folder has.
pub(super) struct SavedKeys {
    pub(super) ring: KeyRing,
    pub(super) secret: PairwiseSecret,
    pub(super) changes: Changes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    revision: u64,
    #[serde(default)]
    replaced: u64,
    ring: String,
    pairwise: String,
}

impl SavedKeys {
    /// Reads what [`Self::to_bytes`] wrote.
    pub(super) fn read(plain: &[u8], period: Duration, algorithms: &[Algorithm]) -> Option<Self> {
        let stored: Stored = serde_json::from_slice(plain).ok()?;
        Some(Self {
            ring: KeyRing::restore(&stored.ring, period, algorithms).ok()?,
            secret: PairwiseSecret::new(from_base64(&stored.pairwise)?)?,
            changes: Changes { revision: stored.revision, replaced: stored.replaced },
        })
    }

    /// Writes it, secrets included.
    pub(super) fn to_bytes(&self) -> Secret<Vec<u8>> {
        let stored = Stored {
            revision: self.changes.revision,
            replaced: self.changes.replaced,
            ring: self.ring.to_text().expose().clone(),
            pairwise: base64(self.secret.bytes().expose()),
        };
        Secret::new(serde_json::to_vec(&stored).expect("strings and numbers can be written"))
    }

    /// Returns another one that says the same and shares nothing with this.
    pub(super) fn copied(&self) -> Self {
        let Self { ring, secret, changes } = self;
        Self { ring: ring.clone(), secret: secret.copied(), changes: *changes }
    }

    /// Tells whether it says the same, however often it was changed.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.ring.to_text().expose() == other.ring.to_text().expose()
            && self.secret.is(&other.secret)
            && self.changes.replaced == other.changes.replaced
    }

    /// Tells whether the secret here is the one that was given later.
    pub(super) fn is_later(&self, other: &Self) -> bool {
        let order = |kept: &Self| (kept.changes.replaced, kept.changes.revision);
        order(self) > order(other)
    }
}
