//! `jwe`: the token encrypted to one backend (RFC 7516, nested as in RFC 7519 5.2), for portals
//! behind a proxy or a queue that others read too.
//!
//! `ECDH-ES` in direct key agreement and `A256GCM` (RFC 7518 4.6, 5.3). Agreement, derivation and
//! encryption are those of aws-lc, which all other cryptography here uses; what is written by hand
//! is the header and the parameters of the derivation.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, UnparsedPublicKey};
use aws_lc_rs::kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest};
use http::HeaderName;
use zeroize::Zeroizing;

use super::tell::{Field, Tell, Telling, sensitive};
use crate::base::encoding::{base64url, sha256};
use crate::base::random;
use crate::identity::error::Error;
use crate::identity::headers::ENCRYPTED_ASSERTION;
use crate::xml::keys::Curve;

/// Of a key for `A256GCM`.
const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// The backend that alone can read it: its public key.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    curve: Curve,
    /// Uncompressed: 04, x, y.
    point: Vec<u8>,
    /// What the backend finds its key by.
    id: String,
}

impl Recipient {
    /// Takes an uncompressed point of P-256 or P-384. `None` when it is none.
    #[must_use]
    pub fn new(point: &[u8]) -> Option<Self> {
        let curve = [Curve::P256, Curve::P384]
            .into_iter()
            .find(|curve| point.len() == 1 + 2 * curve.coordinate_length())?;
        // An agreement with it is the one check that it is a point of the curve.
        let recipient = Self { curve, point: point.to_vec(), id: String::new() };
        recipient.agree(b"").ok()?;
        Some(Self { id: base64url(&sha256(point)[..16]), ..recipient })
    }

    /// Returns the `kid` that the header names: the first 16 bytes of the SHA-256 of the point.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &'static str {
        match self.curve {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
        }
    }

    /// Encrypts a token; compact serialisation (RFC 7516 7.1).
    fn encrypt(&self, token: &str) -> Result<String, Error> {
        let (ephemeral, key) = self.agree(b"A256GCM")?;
        let (x, y) = ephemeral[1..].split_at(self.curve.coordinate_length());
        let header = serde_json::json!({
            "alg": "ECDH-ES",
            "enc": "A256GCM",
            "typ": "JWT",
            "cty": "JWT",
            "kid": self.id,
            "epk": { "kty": "EC", "crv": self.name(), "x": base64url(x), "y": base64url(y) },
        });
        let header = base64url(header.to_string().as_bytes());
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| Error::Encryption)?;
        let nonce = random::bytes::<NONCE_LENGTH>();
        let mut sealed = token.as_bytes().to_vec();
        LessSafeKey::new(key)
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(header.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| Error::Encryption)?;
        let (sealed, tag) = sealed.split_at(sealed.len() - TAG_LENGTH);
        // The second part is empty: the key itself was agreed on.
        let [nonce, sealed, tag] = [&nonce[..], sealed, tag].map(base64url);
        Ok(format!("{header}..{nonce}.{sealed}.{tag}"))
    }

    /// Returns a fresh public key, and the key that comes of it.
    fn agree(&self, algorithm: &[u8]) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), Error> {
        let error = Error::Encryption;
        let agreed = self.curve.agreement();
        let private = agreement::PrivateKey::generate(agreed).map_err(|_| error)?;
        let public = private.compute_public_key().map_err(|_| error)?;
        let recipient = UnparsedPublicKey::new(agreed, &self.point);
        let parts = [algorithm, b"", b""];
        let key = agreement::agree(&private, recipient, error, |z| derive(z, parts, KEY_LENGTH))?;
        Ok((public.as_ref().to_vec(), key))
    }
}

/// RFC 7518 4.6.2: Concat KDF with SHA-256, the parts of `OtherInfo` (the algorithm and both
/// parties) with their lengths in front, and the length of the key in bits behind.
fn derive(z: &[u8], parts: [&[u8]; 3], length: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let mut info = Vec::new();
    for part in parts {
        info.extend_from_slice(&number(part.len()));
        info.extend_from_slice(part);
    }
    info.extend_from_slice(&number(length * 8));
    let algorithm =
        get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256).ok_or(Error::Encryption)?;
    let mut key = Zeroizing::new(vec![0; length]);
    sskdf_digest(algorithm, z, &info, &mut key).map_err(|_| Error::Encryption)?;
    Ok(key)
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recipient({} {})", self.name(), self.id)
    }
}

impl Tell for Recipient {
    fn names(&self) -> Vec<HeaderName> {
        vec![ENCRYPTED_ASSERTION]
    }

    fn tell(&self, telling: &Telling<'_>, fields: &mut Vec<Field>) -> Result<(), Error> {
        let token = telling.token.ok_or(Error::Unwritable)?;
        fields.push((ENCRYPTED_ASSERTION, sensitive(&self.encrypt(token)?)?));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use crate::base::encoding::from_base64url;
    use crate::identity::assurance::Assurance;
    use crate::identity::claims::{Claims, PairwiseSecret, Subject};
    use crate::identity::person::{Identifier, Person};

    /// RFC 7518 appendix C: Alice's ephemeral key, Bob's key, and what comes of them.
    #[test]
    fn the_key_is_derived_as_in_the_example_of_the_standard() {
        let z = [
            158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49,
            110, 163, 218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
        ];
        let key = derive(&z, [b"A128GCM", b"Alice", b"Bob"], 16).unwrap();
        assert_eq!(base64url(&key), "VqqN6vgjbSBcIijNcacQGg");
        let other = derive(&z, [b"A128GCM", b"Alic", b"eBob"], 16).unwrap();
        assert_ne!(*key, *other);
    }

    #[test]
    fn what_is_no_point_of_a_curve_is_no_recipient() {
        for curve in [Curve::P256, Curve::P384] {
            let private = agreement::PrivateKey::generate(curve.agreement()).unwrap();
            let mut point = private.compute_public_key().unwrap().as_ref().to_vec();
            assert!(Recipient::new(&point).is_some(), "{curve:?}");
            *point.last_mut().unwrap() ^= 1;
            assert!(Recipient::new(&point).is_none(), "{curve:?}");
            assert!(Recipient::new(&point[1..]).is_none(), "{curve:?}");
        }
        assert!(Recipient::new(&[]).is_none());
    }

    /// Opened with the recipient's private key, from the parts that stand in the message alone.
    #[test]
    fn a_token_is_opened_by_its_recipient_and_by_no_other() {
        for curve in [Curve::P256, Curve::P384] {
            let private = agreement::PrivateKey::generate(curve.agreement()).unwrap();
            let point = private.compute_public_key().unwrap();
            let recipient = Recipient::new(point.as_ref()).unwrap();
            let message = recipient.encrypt("a.b.c").unwrap();
            assert_ne!(message, recipient.encrypt("a.b.c").unwrap(), "each has its own key");
            assert_eq!(open(&message, curve, &private).as_deref(), Some("a.b.c"));
            let other = agreement::PrivateKey::generate(curve.agreement()).unwrap();
            assert_eq!(open(&message, curve, &other), None);
            let changed = message.replacen("eyJ", "eyK", 1);
            assert_eq!(open(&changed, curve, &private), None, "the header is under the seal");
        }
    }

    #[test]
    fn what_is_told_is_the_sealed_token_and_nothing_without_one() {
        let private = agreement::PrivateKey::generate(Curve::P256.agreement()).unwrap();
        let point = private.compute_public_key().unwrap();
        let recipient = Recipient::new(point.as_ref()).unwrap();
        let person = Person::new(None, None, None, Identifier::parse("44051401359"));
        let subject = Subject {
            person: &person,
            session: "s",
            assurance: Assurance::High,
            authority: None,
            authenticated: Time::UNIX_EPOCH,
            session_end: Time::MAX,
        };
        let (secret, now) = (PairwiseSecret::generate(), Time::UNIX_EPOCH);
        let claims = Claims::new("i", ("a", &[]), (subject, None), &secret, now, now);
        assert_eq!(recipient.names(), [ENCRYPTED_ASSERTION]);
        let mut fields = Vec::new();
        let telling = Telling { claims: &claims, token: None };
        assert!(recipient.tell(&telling, &mut fields).is_err() && fields.is_empty());
        let telling = Telling { claims: &claims, token: Some("a.b.c") };
        recipient.tell(&telling, &mut fields).unwrap();
        let [(name, value)] = fields.as_slice() else { panic!("{fields:?}") };
        assert!(*name == ENCRYPTED_ASSERTION && value.is_sensitive());
        let opened = open(value.to_str().unwrap(), Curve::P256, &private);
        assert_eq!(opened.as_deref(), Some("a.b.c"));
    }

    fn open(message: &str, curve: Curve, private: &agreement::PrivateKey) -> Option<String> {
        let parts: Vec<&str> = message.split('.').collect();
        let [header, "", nonce, sealed, tag] = parts[..] else { panic!("{message}") };
        let named: serde_json::Value = serde_json::from_slice(&from_base64url(header)?).ok()?;
        assert_eq!((&named["alg"], &named["enc"]), (&"ECDH-ES".into(), &"A256GCM".into()));
        let coordinate = |name: &str| from_base64url(named["epk"][name].as_str().unwrap()).unwrap();
        let point = [&[4][..], &coordinate("x"), &coordinate("y")].concat();
        let ephemeral = UnparsedPublicKey::new(curve.agreement(), point);
        let error = Error::Encryption;
        let parts = [&b"A256GCM"[..], b"", b""];
        let key = agreement::agree(private, ephemeral, error, |z| derive(z, parts, KEY_LENGTH));
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key.ok()?).ok()?);
        let nonce = Nonce::try_assume_unique_for_key(&from_base64url(nonce)?).ok()?;
        let mut sealed = [from_base64url(sealed)?, from_base64url(tag)?].concat();
        let opened = key.open_in_place(nonce, Aad::from(header.as_bytes()), &mut sealed).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}
