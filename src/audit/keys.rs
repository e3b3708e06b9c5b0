//! The keys of the audit log: those that pseudonyms are made with, and the one that signs.
//!
//! 1. They are of its own and serve nothing else. The keys of signed identities change every few
//!    weeks and are gone then; a record is verified years later.
//! 2. The first key of each kind is used. Those behind it are for reading: old pseudonyms are found
//!    with them, old signatures verified.
//! 3. The name of a key comes from the key, so it is the same at every replica, and tells nothing
//!    of it.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::base::encoding::{base64url, from_base64url, sha256};
use crate::base::random;
use crate::base::secret::Secret;
use crate::identity::person::Identifier;

/// A key that pseudonyms of persons are made with.
#[derive(Debug, Clone)]
pub struct PersonKey {
    id: String,
    secret: Secret<Vec<u8>>,
    key: hmac::Key,
}

impl PersonKey {
    /// The fewest bytes that are taken.
    pub const LEAST: usize = 32;

    /// Takes a secret of at least [`Self::LEAST`] bytes.
    #[must_use]
    pub fn new(secret: Secret<Vec<u8>>) -> Option<Self> {
        if secret.expose().len() < Self::LEAST {
            return None;
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
        let id = base64url(&hmac::sign(&key, NAME_OF_KEY).as_ref()[..6]);
        Some(Self { id, secret, key })
    }

    /// Makes a random one.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn generate() -> Self {
        let secret = Secret::new(random::bytes::<32>().to_vec());
        Self::new(secret).expect("it has 32 bytes")
    }

    /// Returns its name: eight letters of base64url.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the pseudonym of a person: the first 128 bits of HMAC-SHA-256 (RFC 2104 5) over what
    /// it is for, the kind of the identifier and the identifier.
    #[must_use]
    pub fn pseudonym(&self, identifier: &Identifier) -> String {
        self.pseudonym_of(identifier.kind(), identifier.as_str())
    }

    /// Returns the same of an identifier and its kind ([`Identifier::kind`]).
    #[must_use]
    pub fn pseudonym_of(&self, kind: &str, identifier: &str) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(PERSON);
        context.update(kind.as_bytes());
        context.update(b"\0");
        context.update(identifier.as_bytes());
        base64url(&context.sign().as_ref()[..16])
    }
}

/// Signs checkpoints (Ed25519, RFC 8032).
#[derive(Debug)]
pub struct Signer {
    pair: Ed25519KeyPair,
    pkcs8: Secret<Vec<u8>>,
}

impl Signer {
    /// Reads a private key of Ed25519 in PKCS #8.
    #[must_use]
    pub fn read(pkcs8: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
        Some(Self { pair, pkcs8: Secret::new(pkcs8.to_vec()) })
    }

    /// Makes a new one.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn generate() -> Self {
        let pair = Ed25519KeyPair::generate().expect("the operating system gives random bytes");
        let pkcs8 = pair.to_pkcs8v1().expect("a fresh key can be written");
        let pkcs8 = Secret::new(pkcs8.as_ref().to_vec());
        Self { pair, pkcs8 }
    }

    /// Returns the public key, in base64url.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(bytes)
    }

    pub(super) fn sign(&self, text: &[u8]) -> String {
        base64url(self.pair.sign(&to_be_signed(text)).as_ref())
    }
}

/// What signatures are verified with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads it from 43 letters of base64url.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        from_base64url(text.trim())?.try_into().ok().map(Self)
    }

    /// Tells whether a signature over a text holds.
    #[must_use]
    pub fn verifies(&self, text: &[u8], signature: &str) -> bool {
        let Some(signature) = from_base64url(signature) else { return false };
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        key.verify(&to_be_signed(text), &signature).is_ok()
    }

    /// Returns its name: eight letters of base64url.
    #[must_use]
    pub fn id(&self) -> String {
        base64url(&sha256(&self.0)[..6])
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&base64url(&self.0))
    }
}

/// Only a signature that was made for this purpose is one.
fn to_be_signed(text: &[u8]) -> Vec<u8> {
    [b"brama audit 1\n", text].concat()
}

/// All keys of the audit log.
#[derive(Debug)]
pub struct Keys {
    /// The first one makes pseudonyms; the others find old ones.
    pub persons: Vec<PersonKey>,
    /// What signs.
    pub signer: Signer,
    /// What signed before.
    pub signed_before: Vec<PublicKey>,
}

/// What is kept of them, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKeys {
    version: u32,
    persons: Vec<String>,
    signer: String,
    signed_before: Vec<String>,
}

impl Drop for StoredKeys {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.persons.iter_mut().for_each(Zeroize::zeroize);
        self.signer.zeroize();
    }
}

impl Keys {
    /// Makes new ones.
    #[must_use]
    pub fn generate() -> Self {
        let persons = vec![PersonKey::generate()];
        Self { persons, signer: Signer::generate(), signed_before: Vec::new() }
    }

    /// Reads what [`Self::to_text`] wrote.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let kept: StoredKeys = serde_json::from_slice(text).ok()?;
        if kept.version != 1 || kept.persons.is_empty() {
            return None;
        }
        let person = |text: &String| PersonKey::new(Secret::new(from_base64url(text)?));
        Some(Self {
            persons: kept.persons.iter().map(person).collect::<Option<_>>()?,
            signer: Signer::read(&Secret::new(from_base64url(&kept.signer)?).expose()[..])?,
            signed_before: kept
                .signed_before
                .iter()
                .map(|text| PublicKey::parse(text))
                .collect::<Option<_>>()?,
        })
    }

    /// Writes them, to be kept for their owner alone.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        let kept = StoredKeys {
            version: 1,
            persons: self.persons.iter().map(|key| base64url(key.secret.expose())).collect(),
            signer: base64url(self.signer.pkcs8.expose()),
            signed_before: self.signed_before.iter().map(PublicKey::to_string).collect(),
        };
        // It has nothing that JSON cannot say.
        Secret::new(serde_json::to_string(&kept).unwrap_or_default() + "\n")
    }

    /// Puts new keys before those that are there.
    pub fn rotate(&mut self, what: Rotated) {
        match what {
            Rotated::Persons => self.persons.insert(0, PersonKey::generate()),
            Rotated::Signer => {
                let before = std::mem::replace(&mut self.signer, Signer::generate());
                self.signed_before.insert(0, before.public());
            }
        }
    }

    /// Returns every key that signatures are verified with.
    #[must_use]
    pub fn public(&self) -> Vec<PublicKey> {
        let before = self.signed_before.iter().copied();
        std::iter::once(self.signer.public()).chain(before).collect()
    }
}

/// Which key is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotated {
    /// The one that pseudonyms are made with.
    Persons,
    /// The one that signs.
    Signer,
}

/// What a pseudonym is for; it is not that of an audience, nor the owner of a session.
const PERSON: &[u8] = b"brama audit person 1\0";
const NAME_OF_KEY: &[u8] = b"brama audit name of key 1\0";
