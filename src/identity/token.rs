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
use crate::base::recent::Recent;

/// Mints and keeps signed identities.
pub struct Minter {
    issuer: String,
    secret: PairwiseSecret,
    lifetime: Duration,
    ring: Arc<RwLock<KeyRing>>,
    minted: Cache<(SessionKey, usize), Minted, BuildDigestHasher>,
}

/// The signed identities that one worker handed out last. Only for sessions that were just found:
/// whether a session has ended is not asked here.
pub struct Tokens {
    minter: Arc<Minter>,
    recent: Recent<(SessionKey, usize), Minted>,
}

/// How many a worker remembers.
const RECENT: usize = 1024;

impl Tokens {
    /// Makes the memory of a worker.
    #[must_use]
    pub fn new(minter: Arc<Minter>) -> Self {
        Self { minter, recent: Recent::new(RECENT) }
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
        let number = release.0;
        // Part of a digest, which is as good as random.
        let first = session.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
        let place = first.wrapping_add(number as u64);
        let known = self.recent.find(
            place,
            |key| *key == (session, number),
            |minted| (now < minted.renew_at).then(|| minted.value.clone()),
        );
        if let Some(value) = known {
            return Ok(value);
        }
        let minted = self.minter.minted(session, release, subject, now)?;
        let value = minted.value.clone();
        self.recent.put(place, (session, number), minted);
        Ok(value)
    }
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

    /// Returns how long an identity is valid.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Returns what is kept for the session and the release of that number, or mints it.
    fn minted(
        &self,
        session: SessionKey,
        release: (usize, &Release),
        subject: Subject<'_>,
        now: Time,
    ) -> Result<Minted, Error> {
        let (number, release) = release;
        if let Some(minted) = self.minted.get(&(session, number))
            && now < minted.renew_at
        {
            return Ok(minted);
        }
        // A token never outlives the session that it speaks of.
        let expires = later(now, self.lifetime).min(subject.session_end);
        let value = self.mint(release, subject, now, expires)?;
        // A fifth of what it has, so that a short one at the end of a session is kept as well.
        let life = Duration::try_from(expires.duration_since(now)).unwrap_or_default();
        let renew_at = earlier(expires, life / 5);
        let minted = Minted { value, renew_at };
        self.minted.insert((session, number), minted.clone());
        Ok(minted)
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
