//! `X-Brama-Assertion`: a JWT signed with ES256, minted once per session and release, and kept.

use std::sync::Arc;
use std::sync::RwLock;
use std::time::Duration;

use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use moka::sync::Cache;

use super::claims::{Claims, PairwiseSecret, Release, Subject};
use super::keyring::KeyRing;
use crate::base::clock::{Time, earlier, later};
use crate::base::digest_hasher::BuildDigestHasher;

/// Mints and keeps signed identities.
pub struct Minter {
    issuer: String,
    secret: PairwiseSecret,
    lifetime: Duration,
    ring: Arc<RwLock<KeyRing>>,
    minted: Cache<(SessionKey, usize), Minted, BuildDigestHasher>,
}

/// What a kept token is found by: a digest that stands for the session.
pub type SessionKey = [u8; 32];

#[derive(Clone)]
struct Minted {
    value: HeaderValue,
    renew_at: Time,
}

/// The longest that a token may live.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(300);

/// The token could not be made: the key was refused by the library.
#[derive(Debug, thiserror::Error)]
#[error("identity could not be signed")]
pub struct Error(#[from] jsonwebtoken::errors::Error);

impl Minter {
    /// Makes a minter. `issuer` is the portal's origin; `kept` bounds the tokens that are kept.
    #[must_use]
    pub fn new(
        issuer: String,
        secret: PairwiseSecret,
        lifetime: Duration,
        ring: Arc<RwLock<KeyRing>>,
        kept: u64,
    ) -> Self {
        let lifetime = lifetime.min(LONGEST_LIFETIME);
        let minted = Cache::builder()
            .max_capacity(kept)
            .time_to_live(lifetime)
            .build_with_hasher(BuildDigestHasher::default());
        Self { issuer, secret, lifetime, ring, minted }
    }

    /// Returns the token of a session for the release of that number, minting it when there is
    /// none or it has less than a fifth of its life left.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn token(
        &self,
        session: SessionKey,
        release: (usize, &Release),
        subject: Subject<'_>,
        now: Time,
    ) -> Result<HeaderValue, Error> {
        let (number, release) = release;
        if let Some(minted) = self.minted.get(&(session, number))
            && now < minted.renew_at
        {
            return Ok(minted.value);
        }
        // A token never outlives the session that it speaks of.
        let expires = later(now, self.lifetime).min(subject.session_end);
        let value = self.mint(release, subject, now, expires)?;
        // A fifth of what it has, so that a short one at the end of a session is kept as well.
        let life = Duration::try_from(expires.duration_since(now)).unwrap_or_default();
        let renew_at = earlier(expires, life / 5);
        self.minted.insert((session, number), Minted { value: value.clone(), renew_at });
        Ok(value)
    }

    /// Forgets the tokens of a session that ended.
    pub fn forget(&self, session: SessionKey, releases: usize) {
        for number in 0..releases {
            self.minted.invalidate(&(session, number));
        }
    }

    fn mint(
        &self,
        release: &Release,
        subject: Subject<'_>,
        now: Time,
        expires: Time,
    ) -> Result<HeaderValue, Error> {
        let claims = Claims::new(&self.issuer, release, subject, &self.secret, now, expires);
        let ring = self.ring.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (id, key) = ring.current(now);
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(id.to_owned());
        let token =
            jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ec_der(key.expose()))?;
        let mut value =
            HeaderValue::from_str(&token).expect("base64url and dots are visible ASCII");
        value.set_sensitive(true);
        Ok(value)
    }
}
