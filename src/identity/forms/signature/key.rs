//! The key that signs messages: one of those that sign tokens, or one that the portal has too.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};

use crate::base::clock::Time;
use crate::base::encoding::base64;
use crate::identity::error::Error;
use crate::identity::keys::SigningKeys;
use crate::identity::signing_key::{self, Algorithm};

/// How a key that signs tokens signs messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RingAlgorithm {
    /// `ecdsa-p256-sha256` (RFC 9421 3.3.4).
    EcdsaP256Sha256,
    /// `ed25519` (RFC 9421 3.3.6).
    Ed25519,
}

impl RingAlgorithm {
    /// Returns how tokens are signed by the same keys.
    #[must_use]
    pub fn of_tokens(self) -> Algorithm {
        match self {
            Self::EcdsaP256Sha256 => Algorithm::Es256,
            Self::Ed25519 => Algorithm::EdDsa,
        }
    }
}

/// The key that signs messages.
#[derive(Clone)]
pub enum SigningKey {
    /// One of those that sign tokens.
    Ring(RingAlgorithm),
    /// One that the portal has too: `hmac-sha256` (RFC 9421 3.3.3).
    Shared {
        /// What it is called in `keyid`.
        id: String,
        /// The secret.
        key: Arc<hmac::Key>,
    },
}

impl SigningKey {
    /// The fewest bytes of a shared secret (RFC 2104 3: those of the digest).
    pub const LEAST: usize = 32;

    /// Takes a shared secret of at least [`Self::LEAST`] bytes.
    #[must_use]
    pub fn shared(id: &str, secret: &[u8]) -> Option<Self> {
        (secret.len() >= Self::LEAST).then(|| Self::Shared {
            id: id.to_owned(),
            key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret)),
        })
    }

    /// Returns it ready to sign.
    pub(super) fn ready<'k>(&'k self, ring: &RingSigner, now: Time) -> Result<Ready<'k>, Error> {
        Ok(match self {
            Self::Ring(algorithm) => Ready::Ring(ring.current(*algorithm, now)?),
            Self::Shared { id, key } => Ready::Shared { id, key },
        })
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ring(algorithm) => write!(f, "Ring({algorithm:?})"),
            Self::Shared { id, .. } => write!(f, "Shared({id}, [secret])"),
        }
    }
}

/// A key that signs one message.
pub(super) enum Ready<'k> {
    Ring(Arc<ReadyPair>),
    Shared { id: &'k str, key: &'k hmac::Key },
}

impl Ready<'_> {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Ring(ready) => &ready.id,
            Self::Shared { id, .. } => id,
        }
    }

    /// Returns the signature of a base, in base64.
    pub(super) fn sign(&self, base: &[u8]) -> Result<String, Error> {
        match self {
            Self::Shared { key, .. } => Ok(base64(hmac::sign(key, base).as_ref())),
            Self::Ring(ready) => ready.pair.sign(base),
        }
    }
}

/// The keys of the tokens, ready to sign messages: a key is read once for all that it signs.
pub struct RingSigner {
    keys: Arc<SigningKeys>,
    ecdsa: RwLock<Option<Arc<ReadyPair>>>,
    ed25519: RwLock<Option<Arc<ReadyPair>>>,
}

pub(super) struct ReadyPair {
    id: String,
    pair: Pair,
}

pub(super) enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Pair {
    pub(super) fn read(
        algorithm: RingAlgorithm,
        key: &signing_key::SigningKey,
    ) -> Result<Self, Error> {
        let pkcs8 = key.pkcs8().expose();
        let pair = match algorithm {
            RingAlgorithm::EcdsaP256Sha256 => {
                EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                    .map(Self::Ecdsa)
            }
            RingAlgorithm::Ed25519 => Ed25519KeyPair::from_pkcs8(pkcs8).map(Self::Ed25519),
        };
        pair.map_err(|_| Error::Signing)
    }

    pub(super) fn sign(&self, base: &[u8]) -> Result<String, Error> {
        let signature = match self {
            Self::Ecdsa(pair) => pair.sign(&SystemRandom::new(), base),
            Self::Ed25519(pair) => pair.try_sign(base),
        };
        signature.map(|signature| base64(signature.as_ref())).map_err(|_| Error::Signing)
    }
}

impl RingSigner {
    /// Makes one for a ring.
    #[must_use]
    pub fn new(keys: Arc<SigningKeys>) -> Self {
        Self { keys, ecdsa: RwLock::default(), ed25519: RwLock::default() }
    }

    fn current(&self, algorithm: RingAlgorithm, now: Time) -> Result<Arc<ReadyPair>, Error> {
        let kept = match algorithm {
            RingAlgorithm::EcdsaP256Sha256 => &self.ecdsa,
            RingAlgorithm::Ed25519 => &self.ed25519,
        };
        let ring = self.keys.ring();
        let wanted = algorithm.of_tokens();
        let key = ring.current(wanted, now).ok_or(Error::NoKey(wanted))?;
        let id = key.id();
        let ready = kept.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(ready) = ready.filter(|ready| ready.id == id) {
            return Ok(ready);
        }
        let ready = Arc::new(ReadyPair { id: id.to_owned(), pair: Pair::read(algorithm, key)? });
        *kept.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&ready));
        Ok(ready)
    }
}
