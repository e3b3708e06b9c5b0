//! What is kept of identities: the ring and the secret of the pseudonyms, and how often they
//! changed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::encoding::{base64, from_base64};
use crate::base::secret::Secret;
use crate::identity::claims::PairwiseSecret;
use crate::identity::keyring::KeyRing;
use crate::identity::signing_key::Algorithm;

/// What replicas share.
pub(super) struct Kept {
    pub(super) ring: KeyRing,
    pub(super) secret: PairwiseSecret,
    /// How often it was changed: of two, the one that was changed more often is the later one.
    pub(super) revision: u64,
    /// How often the secret was replaced.
    pub(super) replaced: u64,
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

impl Kept {
    /// Reads what [`Self::to_bytes`] wrote.
    pub(super) fn read(plain: &[u8], period: Duration, algorithms: &[Algorithm]) -> Option<Self> {
        let stored: Stored = serde_json::from_slice(plain).ok()?;
        Some(Self {
            ring: KeyRing::restore(&stored.ring, period, algorithms).ok()?,
            secret: PairwiseSecret::new(from_base64(&stored.pairwise)?)?,
            revision: stored.revision,
            replaced: stored.replaced,
        })
    }

    /// Writes it, secrets included.
    pub(super) fn to_bytes(&self) -> Secret<Vec<u8>> {
        let stored = Stored {
            revision: self.revision,
            replaced: self.replaced,
            ring: self.ring.to_text().expose().clone(),
            pairwise: base64(self.secret.bytes().expose()),
        };
        Secret::new(serde_json::to_vec(&stored).expect("strings and numbers can be written"))
    }

    /// Returns another one that says the same and shares nothing with this.
    pub(super) fn copied(&self) -> Self {
        let (revision, replaced) = (self.revision, self.replaced);
        Self { ring: self.ring.clone(), secret: self.secret.copied(), revision, replaced }
    }

    /// Tells whether it says the same, however often it was changed.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.ring.to_text().expose() == other.ring.to_text().expose()
            && self.secret.is(&other.secret)
            && self.replaced == other.replaced
    }

    /// Tells whether the secret here is the one that was given later.
    pub(super) fn is_later(&self, other: &Self) -> bool {
        (self.replaced, self.revision) > (other.replaced, other.revision)
    }
}
