//! The keys that sign identities: previous, current and next, changed by the clock.
//!
//! 1. The next key is published a whole period before it signs, so every backend knows it by then.
//! 2. The previous key stays published until everything that it signed has expired.
//! 3. The ring is kept between runs as one small JSON text ([`KeyRing::to_text`]); keeping it is
//!    the caller's business.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::clock::{Time, later};
use crate::base::encoding::{base64, base64url, from_base64, sha256};
use crate::base::secret::Secret;
use crate::xml::keys::PrivateKey;

/// A signing key (ES256) and the time from which it signs.
#[derive(Debug, Clone)]
struct Key {
    id: String,
    pkcs8: Secret<Vec<u8>>,
    public: Vec<u8>,
    active_from: Time,
}

/// The ring. Ordered by time; never empty.
#[derive(Debug, Clone)]
pub struct KeyRing {
    keys: Vec<Key>,
    period: Duration,
}

/// A kept ring cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("key ring cannot be read; move the file away and a new one is made")]
pub struct Unreadable;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    pkcs8: String,
    active_from: i64,
}

impl KeyRing {
    /// Makes a new ring whose first key signs from `now`.
    #[must_use]
    pub fn generate(period: Duration, now: Time) -> Self {
        let mut ring = Self { keys: vec![Key::generate(now)], period };
        ring.advance(now);
        ring
    }

    /// Reads a kept ring.
    ///
    /// # Errors
    /// When it is not one.
    pub fn restore(text: &str, period: Duration) -> Result<Self, Unreadable> {
        let kept: Vec<StoredKey> = serde_json::from_str(text).map_err(|_| Unreadable)?;
        let mut keys: Vec<Key> = kept
            .into_iter()
            .map(|kept| {
                let der = from_base64(&kept.pkcs8)?;
                let active_from = Time::from_second(kept.active_from).ok()?;
                Key::read(&der, active_from)
            })
            .collect::<Option<_>>()
            .ok_or(Unreadable)?;
        keys.sort_by_key(|key| key.active_from);
        if keys.is_empty() { Err(Unreadable) } else { Ok(Self { keys, period }) }
    }

    /// Writes the ring, secrets included.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        let kept: Vec<StoredKey> = self
            .keys
            .iter()
            .map(|key| StoredKey {
                pkcs8: base64(key.pkcs8.expose()),
                active_from: key.active_from.as_second(),
            })
            .collect();
        Secret::new(serde_json::to_string(&kept).expect("strings and numbers can be written"))
    }

    /// Makes and drops keys as the clock demands; tells whether the ring changed.
    pub fn advance(&mut self, now: Time) -> bool {
        let before: Vec<String> = self.keys.iter().map(|key| key.id.clone()).collect();
        // A key that has been current for a whole period should have had a successor by then.
        while let Some(last) = self.keys.last() {
            if last.active_from > now {
                break;
            }
            // After a long stop the next key still gets a whole period to become known.
            let due = later(last.active_from, self.period);
            let from = if due > now { due } else { later(now, self.period) };
            self.keys.push(Key::generate(from));
        }
        let current = self.current_index(now);
        self.keys.drain(..current.saturating_sub(1));
        self.keys.iter().map(|key| &key.id).ne(before.iter())
    }

    /// Returns the name and the PKCS #8 form of the key that signs at `now`.
    #[must_use]
    pub fn current(&self, now: Time) -> (&str, &Secret<Vec<u8>>) {
        let key = &self.keys[self.current_index(now)];
        (&key.id, &key.pkcs8)
    }

    /// Returns the public keys (RFC 7517), as JSON.
    #[must_use]
    pub fn jwks(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(Key::jwk).collect();
        serde_json::json!({ "keys": keys }).to_string()
    }

    fn current_index(&self, now: Time) -> usize {
        self.keys.iter().rposition(|key| key.active_from <= now).unwrap_or(0)
    }
}

impl Key {
    fn generate(active_from: Time) -> Self {
        let key = PrivateKey::generate_p256();
        Self::read(key.pkcs8().expose(), active_from).expect("a fresh key can be read")
    }

    fn read(pkcs8: &[u8], active_from: Time) -> Option<Self> {
        let key = PrivateKey::from_der(pkcs8).ok()?;
        let public = key.public_key().to_vec();
        // Uncompressed P-256: 04, x, y.
        if public.len() != 65 {
            return None;
        }
        let id = base64url(&sha256(&public)[..16]);
        Some(Self { id, pkcs8: key.pkcs8().clone(), public, active_from })
    }

    fn jwk(&self) -> serde_json::Value {
        serde_json::json!({
            "kty": "EC",
            "crv": "P-256",
            "x": base64url(&self.public[1..33]),
            "y": base64url(&self.public[33..]),
            "use": "sig",
            "alg": "ES256",
            "kid": self.id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(1000);

    fn at(second: i64) -> Time {
        Time::from_second(second).unwrap()
    }

    fn published(ring: &KeyRing) -> Vec<String> {
        let jwks: serde_json::Value = serde_json::from_str(&ring.jwks()).unwrap();
        let keys = jwks["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_key_is_published_before_it_signs_and_after_it_stopped() {
        let mut ring = KeyRing::generate(PERIOD, at(0));
        let mut known = published(&ring);
        for second in (0..10_000).step_by(100) {
            ring.advance(at(second));
            let signing = ring.current(at(second)).0.to_owned();
            assert!(known.contains(&signing), "at {second} a key signs that nobody knows");
            assert!(published(&ring).contains(&signing));
            assert!(published(&ring).len() <= 3);
            known = published(&ring);
        }
    }

    #[test]
    fn a_ring_outlives_a_restart_even_a_long_one() {
        let ring = KeyRing::generate(PERIOD, at(0));
        let mut restored = KeyRing::restore(ring.to_text().expose(), PERIOD).unwrap();
        assert_eq!(published(&restored), published(&ring));
        assert!(restored.advance(at(100_000)));
        let signing = restored.current(at(100_000)).0.to_owned();
        assert!(published(&ring).contains(&signing), "a key that was published before signs");
    }

    #[test]
    fn after_a_long_stop_the_next_key_is_known_for_a_whole_period_before_it_signs() {
        let kept = KeyRing::generate(PERIOD, at(0)).to_text();
        let mut ring = KeyRing::restore(kept.expose(), PERIOD).unwrap();
        assert!(ring.advance(at(100_000)));
        assert!(!ring.advance(at(100_000)), "nothing is left to be done");
        let [_, signing, next] = published(&ring).try_into().unwrap();
        for (second, signs) in [(100_000, &signing), (100_999, &signing), (101_000, &next)] {
            assert_eq!(ring.current(at(second)).0, *signs, "at {second}");
        }
        // Each is followed by one that is made when it begins to sign, and the first is dropped.
        assert!(!ring.advance(at(100_999)));
        assert!(ring.advance(at(101_000)));
        let [previous, current, last] = published(&ring).try_into().unwrap();
        assert_eq!((previous, current), (signing, next));
        assert_eq!(ring.current(at(102_000)).0, last);
    }

    #[test]
    fn a_ring_that_is_looked_at_late_keeps_its_times_unless_a_key_would_be_unknown() {
        // The second key has signed for a while before somebody looks: its successor is not late.
        let mut ring = KeyRing::generate(PERIOD, at(0));
        assert!(ring.advance(at(1_400)));
        let [_, second, third] = published(&ring).try_into().unwrap();
        assert_eq!(ring.current(at(1_999)).0, second);
        assert_eq!(ring.current(at(2_000)).0, third);
        // In the very second in which its successor was due there is none yet, so it is given time.
        let mut ring = KeyRing::generate(PERIOD, at(0));
        let known = published(&ring);
        assert!(ring.advance(at(2_000)));
        let signing = ring.current(at(2_000)).0.to_owned();
        assert!(known.contains(&signing), "a key signs that nobody knows");
        let [_, second, third] = published(&ring).try_into().unwrap();
        assert_eq!(ring.current(at(2_999)).0, second);
        assert_eq!(ring.current(at(3_000)).0, third);
    }

    #[test]
    fn a_kept_ring_is_read_in_whatever_order_it_is_written() {
        let ring = KeyRing::generate(PERIOD, at(0));
        let mut kept: Vec<serde_json::Value> =
            serde_json::from_str(ring.to_text().expose()).unwrap();
        kept.reverse();
        let text = serde_json::to_string(&kept).unwrap();
        let restored = KeyRing::restore(&text, PERIOD).unwrap();
        assert_eq!(published(&restored), published(&ring));
        assert_eq!(restored.current(at(0)).0, ring.current(at(0)).0);
    }

    #[test]
    fn refuses_a_text_that_is_no_ring() {
        for text in ["", "[]", "{}", "[{\"pkcs8\":\"AAAA\",\"active_from\":0}]"] {
            assert!(KeyRing::restore(text, PERIOD).is_err(), "{text}");
        }
        // ES256 is for keys of P-256.
        let ring = |kind| {
            let pair = rcgen::KeyPair::generate_for(kind).unwrap();
            let pkcs8 = base64(pair.serialized_der());
            KeyRing::restore(&format!("[{{\"pkcs8\":\"{pkcs8}\",\"active_from\":0}}]"), PERIOD)
        };
        assert!(ring(&rcgen::PKCS_ECDSA_P256_SHA256).is_ok());
        assert!(ring(&rcgen::PKCS_ECDSA_P384_SHA384).is_err());
    }

    #[test]
    fn the_public_set_holds_no_private_part() {
        let ring = KeyRing::generate(PERIOD, at(0));
        assert!(!ring.jwks().contains("\"d\""));
    }
}
