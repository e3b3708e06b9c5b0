//! What is kept is sealed: a user who reads a store, or writes to it, learns nothing of that and
//! changes nothing in it. Times, labels and owners beside it are not sealed: a session ends at its
//! own absolute end whatever they say, and is good only if the owner is the person sealed in it.
//! What is left to a user who can write is in [`crate::manual::threat_model`].
//!
//! 1. The key of a record comes from the secret that leads to it (the id in a cookie), which the
//!    store does not know, and from a secret of the servers (HKDF-SHA256, RFC 5869). So a copy of
//!    the store alone opens nothing, and with the servers' secret alone neither. A citizen who has
//!    a cookie of their own and can write to the store can seal nothing for it: a sealer without a
//!    secret does not exist.
//! 2. A sealed record stands for its own kind and digest only: moved elsewhere, it does not open
//!    (AES-256-GCM with both as associated data).
//! 3. Secrets of the servers rotate: the first seals, all of them open.
//! 4. What need not be hidden, only be ours, is marked instead ([`Sealer::mark`]): a keyed digest
//!    for one purpose, which cannot be made without a secret of the servers.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{hkdf, hmac};
use bytes::Bytes;

use super::{Digest, Key};
use crate::base::encoding::sha256;
use crate::base::random;
use crate::base::secret::Secret;

/// Seals and opens records. The default one has a random secret, which is gone with this process.
#[derive(Debug, Clone)]
pub struct Sealer {
    /// Seals, and opens what it sealed.
    first: ServerSecret,
    /// Open what was sealed before.
    others: Vec<ServerSecret>,
}

#[derive(Debug, Clone)]
struct ServerSecret {
    name: Name,
    secret: Secret<Vec<u8>>,
    mark: hmac::Key,
}

/// Says which secret of the servers a record was sealed with.
type Name = [u8; 4];

/// A sealed record that does not open: it was changed, moved, or sealed with a secret that is not
/// known any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed record does not open")]
pub struct Broken;

impl Sealer {
    /// A secret of the servers has at least so many bytes.
    pub const LEAST: usize = 32;

    /// Makes a sealer from the secrets of the servers, newest first. When there are none, it is the
    /// default one.
    #[must_use]
    pub fn new(secrets: Vec<Secret<Vec<u8>>>) -> Self {
        let mut secrets = secrets.into_iter().map(ServerSecret::new);
        match secrets.next() {
            Some(first) => Self { first, others: secrets.collect() },
            None => Self::default(),
        }
    }

    fn secrets(&self) -> impl Iterator<Item = &ServerSecret> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Returns a mark of each secret, that of the first one first. A replica that has the same
    /// secret makes the same mark; nothing else follows from it.
    #[must_use]
    pub fn marks(&self) -> Vec<Digest> {
        let mark = |server| mark_with(server, "secret of the servers", b"");
        self.secrets().map(mark).collect()
    }

    /// Returns a sealer for each secret of the servers, which knows that one alone.
    #[must_use]
    pub fn singly(&self) -> Vec<Self> {
        self.secrets().map(|one| Self { first: one.clone(), others: Vec::new() }).collect()
    }

    /// Tells whether something was sealed, as it says, with the secret that seals here.
    #[must_use]
    pub fn is_sealed_here(&self, sealed: &[u8]) -> bool {
        sealed.get(1..=self.first.name.len()) == Some(&self.first.name[..])
    }

    /// Seals what is to be kept under a key, for the bearer of the secret that leads to it.
    #[must_use]
    pub fn seal(&self, key: Key, secret: &[u8], plain: &[u8]) -> Bytes {
        let ServerSecret { name, secret: salt, .. } = &self.first;
        let nonce: [u8; NONCE_LEN] = random::bytes();
        let mut sealed = Vec::with_capacity(HEAD + plain.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(name);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = derive(key, secret, salt.expose())
            .seal_in_place_separate_tag(nonce, associated(key), &mut sealed[HEAD..])
            .expect("a record is far shorter than the bound of AES-GCM");
        sealed.extend_from_slice(tag.as_ref());
        sealed.into()
    }

    /// Opens what was sealed under the same key.
    ///
    /// # Errors
    /// When it was not sealed like that.
    pub fn open(&self, key: Key, secret: &[u8], sealed: &[u8]) -> Result<Secret<Vec<u8>>, Broken> {
        let (&version, rest) = sealed.split_first().ok_or(Broken)?;
        let (name, rest) = rest.split_first_chunk::<4>().ok_or(Broken)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Broken)?;
        if version != VERSION {
            return Err(Broken);
        }
        let server = self.secrets().find(|server| server.name == *name).ok_or(Broken)?;
        let salt = server.secret.expose();
        let mut plain = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = derive(key, secret, salt)
            .open_in_place(nonce, associated(key), &mut plain)
            .map_err(|_| Broken)?
            .len();
        plain.truncate(length);
        Ok(Secret::new(plain))
    }
}

impl Sealer {
    /// Marks data as ours, for one purpose (HMAC-SHA256, RFC 2104). A mark may be cut to its first
    /// bytes.
    #[must_use]
    pub fn mark(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        mark_with(&self.first, purpose, data)
    }

    /// Tells, in constant time, whether a mark, or its beginning, was made for that purpose from
    /// that data with one of our secrets. Less than [`LEAST_MARK`] bytes are no mark.
    #[must_use]
    pub fn is_marked(&self, purpose: &str, data: &[u8], mark: &[u8]) -> bool {
        mark.len() >= LEAST_MARK
            && self.secrets().any(|server| {
                let whole = mark_with(server, purpose, data);
                whole
                    .get(..mark.len())
                    .is_some_and(|begin| verify_slices_are_equal(begin, mark).is_ok())
            })
    }
}

fn mark_with(server: &ServerSecret, purpose: &str, data: &[u8]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&server.mark);
    context.update(purpose.as_bytes());
    context.update(b"\0");
    context.update(data);
    context.sign().as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
}

/// A mark of 64 bits cannot be guessed by asking.
pub const LEAST_MARK: usize = 8;

impl Default for Sealer {
    fn default() -> Self {
        let secret = Secret::new(random::bytes::<{ Self::LEAST }>().to_vec());
        Self { first: ServerSecret::new(secret), others: Vec::new() }
    }
}

impl ServerSecret {
    fn new(secret: Secret<Vec<u8>>) -> Self {
        let digest = sha256(&[b"brama secret name\0", secret.expose().as_slice()].concat());
        // A key of its own, so that no mark is of use where records are sealed.
        let server = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
        let derived = hmac::sign(&server, b"brama mark key 1\0");
        let mark = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
        Self { name: [digest[0], digest[1], digest[2], digest[3]], secret, mark }
    }
}

fn derive(key: Key, secret: &[u8], salt: &[u8]) -> LessSafeKey {
    let info = [b"brama record 1\0", key.kind.name().as_bytes()];
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    let key: UnboundKey = pseudorandom
        .expand(&info, &AES_256_GCM)
        .expect("32 bytes are less than HKDF can give")
        .into();
    LessSafeKey::new(key)
}

fn associated(key: Key) -> Aad<Vec<u8>> {
    Aad::from([key.kind.name().as_bytes(), b"\0", &key.digest].concat())
}

const VERSION: u8 = 1;
const HEAD: usize = 1 + size_of::<Name>() + NONCE_LEN;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;

    const KEY: Key = Key { kind: Kind::Session, digest: [1; 32] };

    fn sealer(secrets: &[&str]) -> Sealer {
        Sealer::new(secrets.iter().map(|text| Secret::new(text.as_bytes().to_vec())).collect())
    }

    #[test]
    fn what_was_sealed_opens_and_looks_like_nothing() {
        for sealer in [Sealer::default(), sealer(&["server"])] {
            let sealed = sealer.seal(KEY, b"id", b"44051401359");
            assert_eq!(sealer.open(KEY, b"id", &sealed).unwrap().expose(), b"44051401359");
            assert!(memchr::memmem::find(&sealed, b"44051401359").is_none());
            assert_ne!(sealer.seal(KEY, b"id", b"44051401359"), sealed, "nor does it repeat");
        }
    }

    #[test]
    fn nothing_opens_with_another_secret_in_another_place_or_changed() {
        let ours = sealer(&["server"]);
        let sealed = ours.seal(KEY, b"id", b"plain");
        assert!(ours.open(KEY, b"di", &sealed).is_err());
        assert!(ours.open(Key { digest: [2; 32], ..KEY }, b"id", &sealed).is_err());
        assert!(ours.open(Key { kind: Kind::Login, ..KEY }, b"id", &sealed).is_err());
        for other in [sealer(&[]), Sealer::default(), sealer(&["other"])] {
            assert_eq!(other.open(KEY, b"id", &sealed).unwrap_err(), Broken);
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.to_vec();
            changed[at] ^= 1;
            assert!(ours.open(KEY, b"id", &changed).is_err(), "byte {at}");
            assert!(ours.open(KEY, b"id", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    /// A citizen has a cookie, and somehow writes to the store: whatever they can compute is not
    /// ours.
    #[test]
    fn who_has_the_cookie_and_writes_to_the_place_seals_nothing_that_opens() {
        let ours = sealer(&["server"]);
        let genuine = ours.seal(KEY, b"id", b"acr=low");
        let forge = |name: &[u8], salt: &[u8]| {
            let nonce = [7; NONCE_LEN];
            let mut sealed = b"acr=high".to_vec();
            let key = derive(KEY, b"id", salt);
            let (nonce_of, aad) = (Nonce::assume_unique_for_key(nonce), associated(KEY));
            key.seal_in_place_append_tag(nonce_of, aad, &mut sealed).unwrap();
            [&[VERSION][..], name, &nonce, &sealed].concat()
        };
        // With no secret, under any name; with one of their own; with what the store knows.
        for name in [&[0; 4], &genuine[1..5]] {
            for salt in [&b""[..], b"mine", &genuine[1..5], &KEY.digest] {
                assert_eq!(ours.open(KEY, b"id", &forge(name, salt)).unwrap_err(), Broken);
            }
        }
        // The same bytes, had they the secret: the refusals are for its absence.
        assert!(ours.open(KEY, b"id", &forge(&genuine[1..5], b"server")).is_ok());
    }

    #[test]
    fn a_sealer_without_given_secrets_has_one_that_nobody_else_has() {
        let (one, other) = (sealer(&[]), sealer(&[]));
        let sealed = one.seal(KEY, b"id", b"plain");
        assert!(one.open(KEY, b"id", &sealed).is_ok());
        assert!(one.open(KEY, b"id", &sealed).is_ok());
        assert!(other.open(KEY, b"id", &sealed).is_err());
    }

    #[test]
    fn a_mark_is_good_for_its_purpose_and_data_alone() {
        let ours = sealer(&["new", "old"]);
        let mark = ours.mark("login", b"data");
        assert!(ours.is_marked("login", b"data", &mark));
        assert!(ours.is_marked("login", b"data", &mark[..LEAST_MARK]), "its beginning");
        assert!(!ours.is_marked("login", b"data", &mark[..LEAST_MARK - 1]), "too little of it");
        assert!(!ours.is_marked("logi", b"n\0data", &mark));
        assert!(!ours.is_marked("login", b"date", &mark));
        assert!(!sealer(&["other"]).is_marked("login", b"data", &mark));
        assert!(!Sealer::default().is_marked("login", b"data", &mark));
        let longer = [&mark[..], b"x"].concat();
        assert!(!ours.is_marked("login", b"data", &longer));
        // Secrets rotate.
        let before = sealer(&["old"]).mark("login", b"data");
        assert!(ours.is_marked("login", b"data", &before));
    }

    #[test]
    fn secrets_rotate_without_losing_what_was_sealed_before() {
        let sealed = sealer(&["old"]).seal(KEY, b"id", b"plain");
        let both = sealer(&["new", "old"]);
        assert_eq!(both.open(KEY, b"id", &sealed).unwrap().expose(), b"plain");
        let sealed = both.seal(KEY, b"id", b"plain");
        assert!(sealer(&["new"]).open(KEY, b"id", &sealed).is_ok());
        assert!(sealer(&["old"]).open(KEY, b"id", &sealed).is_err());
    }
}
