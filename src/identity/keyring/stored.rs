//! A ring as one small JSON text, secrets included.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Key, KeyRing};
use crate::base::clock::Time;
use crate::base::encoding::{base64, from_base64};
use crate::base::secret::Secret;
use crate::identity::signing_key::{Algorithm, SigningKey};

/// A kept ring cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("key ring cannot be read; move the file away and a new one is made")]
pub struct Unreadable;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRing {
    keys: Vec<StoredKey>,
    #[serde(default)]
    retired: Vec<String>,
    #[serde(default)]
    taken_in: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    pkcs8: String,
    /// In seconds.
    active_from: i64,
    /// In milliseconds, as the next.
    #[serde(default)]
    since: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    withdrawn_from: Option<i64>,
}

impl StoredKey {
    fn read(self) -> Option<Key> {
        let time = |milliseconds| Time::from_millisecond(milliseconds).ok();
        let active_from = Time::from_second(self.active_from).ok()?;
        Some(Key {
            key: Arc::new(SigningKey::read(&from_base64(&self.pkcs8)?).ok()?),
            // An older version did not say: the key has been known for as long as it signs.
            since: self.since.map_or(Some(active_from), time)?,
            active_from,
            withdrawn_from: match self.withdrawn_from {
                Some(milliseconds) => Some(time(milliseconds)?),
                None => None,
            },
        })
    }
}

impl From<&Key> for StoredKey {
    fn from(key: &Key) -> Self {
        Self {
            pkcs8: base64(key.key.pkcs8().expose()),
            active_from: key.active_from.as_second(),
            since: Some(key.since.as_millisecond()),
            withdrawn_from: key.withdrawn_from.map(Time::as_millisecond),
        }
    }
}

impl KeyRing {
    /// Reads a kept ring, also one of a version that knew one algorithm.
    ///
    /// # Errors
    /// When it is not one.
    pub fn restore(
        text: &str,
        period: Duration,
        algorithms: &[Algorithm],
    ) -> Result<Self, Unreadable> {
        let stored = match serde_json::from_str::<StoredRing>(text) {
            Ok(stored) => stored,
            Err(_) => {
                let keys = serde_json::from_str(text).map_err(|_| Unreadable)?;
                StoredRing { keys, retired: Vec::new(), taken_in: Vec::new() }
            }
        };
        let mut ring = Self::empty(period, algorithms);
        let keys = stored.keys.into_iter().map(StoredKey::read);
        ring.keys = keys.collect::<Option<_>>().ok_or(Unreadable)?;
        ring.retired = stored.retired;
        ring.taken_in = stored.taken_in;
        ring.sort();
        if ring.keys.is_empty() { Err(Unreadable) } else { Ok(ring) }
    }

    /// Writes the ring, secrets included.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        let keys = self.keys.iter().map(StoredKey::from).collect();
        let (retired, taken_in) = (self.retired.clone(), self.taken_in.clone());
        let stored = StoredRing { keys, retired, taken_in };
        Secret::new(serde_json::to_string(&stored).expect("strings and numbers can be written"))
    }
}
