//! What operators see of a ring.

use super::KeyRing;
use crate::base::clock::Time;
use crate::identity::signing_key::Algorithm;

/// What operators see of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub id: String,
    /// How it signs.
    pub algorithm: Algorithm,
    /// Whether it signs, or will, or did.
    pub standing: Standing,
    /// When it came into the ring.
    pub since: Time,
    /// From when it signs.
    pub active_from: Time,
}

/// What a key does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is published and will sign.
    Next,
    /// It signs.
    Current,
    /// It is published because of what it signed.
    Previous,
    /// It is on its way out of what is published.
    Retired,
}

impl Standing {
    /// Returns the name that operators read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Retired => "retired",
        }
    }
}

impl KeyRing {
    /// Returns what there is to say of each key.
    #[must_use]
    pub fn list(&self, now: Time) -> Vec<Listed> {
        let listed = self.keys.iter().enumerate().map(|(at, key)| Listed {
            id: key.key.id().to_owned(),
            algorithm: key.key.algorithm(),
            standing: if self.is_retired(key.key.id()) {
                Standing::Retired
            } else if key.withdrawn_from.is_some() {
                Standing::Previous
            } else if self.current_index(key.key.algorithm(), now) == Some(at) {
                Standing::Current
            } else if key.active_from > now {
                Standing::Next
            } else {
                Standing::Previous
            },
            since: key.since,
            active_from: key.active_from,
        });
        listed.collect()
    }
}
