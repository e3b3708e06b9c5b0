//! What is kept is sealed: whoever reads a place, or writes to it, learns nothing of that and changes
//! nothing in it. Times, labels and owners beside it are not sealed: a session ends at its own absolute
//! end whatever they say, and is good only if the owner is the person sealed in it. What is left to whoever
//! can write is in [`crate::manual::threat_model`].
//!
//! 1. The key of a record comes from the secret that leads to it (the id in a cookie), which the place
//!    does not know, and from a secret of the servers, where there is one (HKDF-SHA256, RFC 5869). So a
//!    copy of the place alone opens nothing, and with the servers' secret alone neither.
//! 2. A sealed record stands for its own kind and digest only: moved elsewhere, it does not open
//!    (AES-256-GCM with both as associated data).
//! 3. Secrets of the servers rotate: the first seals, all of them open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use bytes::Bytes;

use super::mark::Marker;
use super::{Key, Kind};
use crate::base::encoding::sha256;
use crate::base::random;
use crate::base::secret::Secret;

/// Seals and opens records.
#[derive(Debug, Clone, Default)]
pub struct Sealer {
    secrets: Vec<ServerSecret>,
}

#[derive(Debug, Clone)]
struct ServerSecret {
    name: Name,
    secret: Secret<Vec<u8>>,
}

/// Says which secret of the servers a record was sealed with; zeros say none.
type Name = [u8; 4];

/// A sealed record that does not open: it was changed, moved, or sealed with a secret that is not
/// known any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed record does not open")]
pub struct Broken;

impl Sealer {
    /// Makes a sealer from the secrets of the servers, newest first; there may be none.
    #[must_use]
    pub fn new(secrets: Vec<Secret<Vec<u8>>>) -> Self {
        let named = |secret: Secret<Vec<u8>>| {
            let digest = sha256(&[b"brama secret name\0", secret.expose().as_slice()].concat());
            // Never zeros, which say none.
            let name = [digest[0] | 1, digest[1], digest[2], digest[3]];
            ServerSecret { name, secret }
        };
        Self { secrets: secrets.into_iter().map(named).collect() }
    }

    /// Returns what marks ids of a kind, by the same secrets.
    #[must_use]
    pub fn marker(&self, kind: Kind) -> Marker {
        let secrets = self.secrets.iter().map(|server| server.secret.expose().as_slice());
        Marker::new(secrets, kind)
    }

    /// Seals what is to be kept under a key, for whoever has the secret that leads to it.
    #[must_use]
    pub fn seal(&self, key: Key, secret: &[u8], plain: &[u8]) -> Bytes {
        let (name, salt) = match self.secrets.first() {
            Some(server) => (server.name, server.secret.expose().as_slice()),
            None => (Name::default(), &[][..]),
        };
        let nonce: [u8; NONCE_LEN] = random::bytes();
        let mut sealed = Vec::with_capacity(HEAD + plain.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&name);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = derive(key, secret, salt)
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
        let salt = if *name == Name::default() {
            &[][..]
        } else {
            let server = self.secrets.iter().find(|server| server.name == *name).ok_or(Broken)?;
            server.secret.expose().as_slice()
        };
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

    const KEY: Key = Key { kind: Kind::Session, digest: [1; 32] };

    fn sealer(secrets: &[&str]) -> Sealer {
        Sealer::new(secrets.iter().map(|text| Secret::new(text.as_bytes().to_vec())).collect())
    }

    #[test]
    fn what_was_sealed_opens_and_looks_like_nothing() {
        for sealer in [sealer(&[]), sealer(&["server"])] {
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
        for other in [sealer(&[]), sealer(&["other"])] {
            assert_eq!(other.open(KEY, b"id", &sealed).unwrap_err(), Broken);
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.to_vec();
            changed[at] ^= 1;
            assert!(ours.open(KEY, b"id", &changed).is_err(), "byte {at}");
            assert!(ours.open(KEY, b"id", &sealed[..at]).is_err(), "cut at {at}");
        }
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
