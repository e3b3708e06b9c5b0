//! A ring as one small JSON text, secrets included.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Key, KeyRing, Names};
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
    retired: Vec<StoredName>,
    /// In milliseconds, as all times of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten: Option<i64>,
    #[serde(default)]
    taken_in: Vec<StoredName>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredName {
    Noted(i64, String),
    /// An older version did not say when.
    Named(String),
}

impl StoredName {
    fn all(names: Vec<(i64, String)>) -> Vec<Self> {
        names.into_iter().map(|(time, name)| Self::Noted(time, name)).collect()
    }

    fn read(self) -> (i64, String) {
        match self {
            Self::Noted(time, name) => (time, name),
            Self::Named(name) => (0, name),
        }
    }
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
                StoredRing { keys, retired: Vec::new(), forgotten: None, taken_in: Vec::new() }
            }
        };
        let mut ring = Self::empty(period, algorithms);
        let keys = stored.keys.into_iter().map(StoredKey::read);
        ring.keys = keys.collect::<Option<_>>().ok_or(Unreadable)?;
        let read = |names: Vec<StoredName>| names.into_iter().map(StoredName::read).collect();
        ring.retired = Names::kept(read(stored.retired), stored.forgotten);
        ring.taken_in = Names::kept(read(stored.taken_in), None);
        ring.sort();
        if ring.keys.is_empty() { Err(Unreadable) } else { Ok(ring) }
    }

    /// Writes the ring, secrets included.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        let keys = self.keys.iter().map(StoredKey::from).collect();
        let ((retired, forgotten), (taken_in, _)) =
            (self.retired.to_kept(), self.taken_in.to_kept());
        let (retired, taken_in) = (StoredName::all(retired), StoredName::all(taken_in));
        let stored = StoredRing { keys, retired, forgotten, taken_in };
        Secret::new(serde_json::to_string(&stored).expect("strings and numbers can be written"))
    }
}
