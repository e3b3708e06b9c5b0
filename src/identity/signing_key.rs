//! A key that signs identities, of one of the algorithms that backends verify.
//!
//! 1. A key has one algorithm (RFC 8725 3.1), which its kind decides: ES256 is for keys of P-256,
//!    `EdDSA` for keys of Ed25519 (RFC 8037), RS256 for RSA keys of at least 2048 bits (RFC 7518
//!    3.3).
//! 2. Its name (`kid`) comes from its public part, so one key has one name wherever it is kept.
//! 3. It is read once: to read a key takes as long as to sign with it.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use aws_lc_rs::{error, rsa};
use jsonwebtoken::Header;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::base::encoding::{base64url, sha256};
use crate::base::secret::Secret;
use crate::xml::keys::{self, KeyKind, PrivateKey};

/// How identities are signed (RFC 7518, RFC 8037).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum Algorithm {
    /// ECDSA on the curve P-256.
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSA (PKCS #1 v1.5) with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
}

impl Algorithm {
    /// Every algorithm, the one that signs by default first.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    /// Returns the name in the header of a token (`alg`).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// Returns the algorithm of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// A private key that signs identities.
#[derive(Debug, Clone)]
pub struct SigningKey {
    id: String,
    algorithm: Algorithm,
    pkcs8: Secret<Vec<u8>>,
    pair: Arc<Pair>,
    public: Value,
}

/// A key as the library signs with it.
enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(rsa::KeyPair),
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A key did not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key did not sign")]
pub struct NotSigned;

/// A key cannot sign identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signs no identities: that takes a key of P-256, of Ed25519, or RSA of 2048 bits or more")]
pub struct UnknownKind;

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn generate(algorithm: Algorithm) -> Self {
        let pkcs8 = match algorithm {
            Algorithm::Es256 => Ok(PrivateKey::generate_p256().pkcs8().clone()),
            Algorithm::EdDsa => generate_ed25519(),
            Algorithm::Rs256 => generate_rsa(),
        };
        let pkcs8 = pkcs8.expect("the operating system gives random bytes");
        Self::read(pkcs8.expose()).expect("a fresh key can be read")
    }

    /// Reads a private key in DER: PKCS #8, or SEC 1 and PKCS #1.
    ///
    /// # Errors
    /// When it is of a kind that signs no identities.
    pub fn read(der: &[u8]) -> Result<Self, UnknownKind> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) {
            let pkcs8 = pair.to_pkcs8v1().map_err(|_| UnknownKind)?;
            let public = pair.public_key().as_ref();
            let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(public) });
            let pkcs8 = Secret::new(pkcs8.as_ref().to_vec());
            let id = base64url(&sha256(public)[..16]);
            return Ok(Self::new(id, jwk, pkcs8, Pair::Ed25519(pair)));
        }
        let key = PrivateKey::from_der(der).map_err(|_| UnknownKind)?;
        let (public, pkcs8) = (key.public_key(), key.pkcs8().clone());
        let id = base64url(&sha256(public)[..16]);
        match key.kind() {
            // Uncompressed: 04, x, y.
            KeyKind::P256 => {
                let (x, y) = public.get(1..65).ok_or(UnknownKind)?.split_at(32);
                let (x, y) = (base64url(x), base64url(y));
                let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
                let pair =
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.expose());
                Ok(Self::new(id, jwk, pkcs8, Pair::Ecdsa(pair.map_err(|_| UnknownKind)?)))
            }
            KeyKind::Rsa => {
                let pair = rsa::KeyPair::from_pkcs8(pkcs8.expose()).map_err(|_| UnknownKind)?;
                let parts = pair.public_key();
                let (n, e) = (parts.modulus(), parts.exponent());
                let part = |bytes: &[u8]| base64url(bytes);
                let n = part(n.big_endian_without_leading_zero());
                let e = part(e.big_endian_without_leading_zero());
                let jwk = json!({ "kty": "RSA", "n": n, "e": e });
                Ok(Self::new(id, jwk, pkcs8, Pair::Rsa(pair)))
            }
            KeyKind::P384 => Err(UnknownKind),
        }
    }

    fn new(id: String, mut public: Value, pkcs8: Secret<Vec<u8>>, pair: Pair) -> Self {
        let algorithm = match pair {
            Pair::Ecdsa(_) => Algorithm::Es256,
            Pair::Ed25519(_) => Algorithm::EdDsa,
            Pair::Rsa(_) => Algorithm::Rs256,
        };
        public["use"] = json!("sig");
        public["alg"] = json!(algorithm.name());
        public["kid"] = json!(id);
        Self { id, algorithm, pkcs8, pair: Arc::new(pair), public }
    }

    /// Returns the name of the key (`kid`).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns how the key signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the private key in PKCS #8 form.
    #[must_use]
    pub fn pkcs8(&self) -> &Secret<Vec<u8>> {
        &self.pkcs8
    }

    /// Returns the public key (RFC 7517 4).
    #[must_use]
    pub fn jwk(&self) -> &Value {
        &self.public
    }

    /// Returns the header of a token that this key signs.
    #[must_use]
    pub fn header(&self) -> Header {
        let mut header = Header::new(match self.algorithm {
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        });
        header.kid = Some(self.id.clone());
        header
    }

    /// Writes and signs a token (RFC 7515 7.1).
    ///
    /// # Errors
    /// When the claims cannot be written, or the library refuses the key.
    pub fn token(&self, claims: &impl Serialize) -> Result<String, NotSigned> {
        let head = serde_json::to_vec(&self.header()).map_err(|_| NotSigned)?;
        let claims = serde_json::to_vec(claims).map_err(|_| NotSigned)?;
        let mut token = base64url(&head);
        token.push('.');
        token.push_str(&base64url(&claims));
        let signature = self.signature(token.as_bytes())?;
        token.push('.');
        token.push_str(&signature);
        Ok(token)
    }

    /// Signs what comes before the second dot of a token; returns what comes behind it.
    ///
    /// # Errors
    /// When the library refuses the key.
    pub fn signature(&self, signed: &[u8]) -> Result<String, NotSigned> {
        let random = SystemRandom::new();
        let value = match &*self.pair {
            Pair::Ecdsa(pair) => pair.sign(&random, signed).map(|value| base64url(value.as_ref())),
            Pair::Ed25519(pair) => pair.try_sign(signed).map(|value| base64url(value.as_ref())),
            Pair::Rsa(pair) => {
                let mut value = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signed, &mut value)
                    .map(|()| base64url(&value))
            }
        };
        value.map_err(|_| NotSigned)
    }
}

/// Reads the first private key of a PEM file, or a DER file.
///
/// # Errors
/// When there is none, or it is of a kind that signs no identities.
pub fn of_pem(bytes: &[u8]) -> Result<SigningKey, Unusable> {
    match PrivateKeyDer::from_pem_slice(bytes) {
        Ok(der) => Ok(SigningKey::read(der.secret_der())?),
        Err(_) if bytes.first() == Some(&SEQUENCE) => Ok(SigningKey::read(bytes)?),
        Err(_) => Err(Unusable::NoPrivateKey),
    }
}

/// Opens a PKCS #12 file and returns its one private key. Certificates beside it say nothing here.
///
/// # Errors
/// When the password is wrong, there is not exactly one key, or it is of a kind that signs no
/// identities.
pub fn of_pkcs12(bytes: &[u8], password: &str) -> Result<SigningKey, Unusable> {
    let der = keys::pkcs12_key(bytes, password)?;
    Ok(SigningKey::read(der.expose())?)
}

/// Why there is no key for identities in a file.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// There is none at all.
    #[error("holds no unencrypted private key")]
    NoPrivateKey,
    /// It is of another kind.
    #[error(transparent)]
    UnknownKind(#[from] UnknownKind),
    /// The file does not open.
    #[error(transparent)]
    Pkcs12(#[from] keys::Error),
}

fn generate_ed25519() -> Result<Secret<Vec<u8>>, error::Unspecified> {
    let pkcs8 = Ed25519KeyPair::generate()?.to_pkcs8v1()?;
    Ok(Secret::new(pkcs8.as_ref().to_vec()))
}

fn generate_rsa() -> Result<Secret<Vec<u8>>, error::Unspecified> {
    let pair = rsa::KeyPair::generate(KeySize::Rsa2048)?;
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der()?;
    Ok(Secret::new(pkcs8.as_ref().to_vec()))
}

/// What a DER file begins with (X.690 8.9).
const SEQUENCE: u8 = 0x30;

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{DecodingKey, Validation};

    use super::*;

    #[test]
    fn what_a_key_signs_is_verified_with_what_is_published_of_it_and_with_nothing_else() {
        for algorithm in Algorithm::ALL {
            let (key, other) = (SigningKey::generate(algorithm), SigningKey::generate(algorithm));
            let claims = json!({ "aud": "tax", "exp": 4_000_000_000_u64 });
            let token = key.token(&claims).unwrap();
            let verified = |key: &SigningKey| {
                let jwk: Jwk = serde_json::from_value(key.jwk().clone()).unwrap();
                let mut rules = Validation::new(key.header().alg);
                rules.set_audience(&["tax"]);
                let key = DecodingKey::from_jwk(&jwk).unwrap();
                jsonwebtoken::decode::<Value>(&token, &key, &rules).is_ok()
            };
            assert!(verified(&key), "{algorithm:?}");
            assert!(!verified(&other), "{algorithm:?}");
            assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
            assert_eq!(key.jwk()["alg"], algorithm.name());
            // RFC 7517 4.2: for nothing else.
            assert_eq!(key.jwk()["use"], "sig");
            for private in ["d", "p", "q", "dp", "dq", "qi"] {
                assert!(key.jwk().get(private).is_none(), "{private}");
            }
            let again = SigningKey::read(key.pkcs8().expose()).unwrap();
            assert_eq!((again.id(), again.jwk()), (key.id(), key.jwk()));
        }
    }

    #[test]
    fn keys_of_other_kinds_are_refused() {
        let pkcs8 = |kind| rcgen::KeyPair::generate_for(kind).unwrap().serialized_der().to_vec();
        assert!(SigningKey::read(&pkcs8(&rcgen::PKCS_ECDSA_P256_SHA256)).is_ok());
        assert!(SigningKey::read(&pkcs8(&rcgen::PKCS_ED25519)).is_ok());
        assert_eq!(
            SigningKey::read(&pkcs8(&rcgen::PKCS_ECDSA_P384_SHA384)).err(),
            Some(UnknownKind)
        );
        for nothing in [&b""[..], b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff"] {
            assert_eq!(SigningKey::read(nothing).err(), Some(UnknownKind));
        }
    }

    #[test]
    fn a_key_is_read_as_pem_and_as_der_and_nothing_else_is_one() {
        let key = SigningKey::generate(Algorithm::Es256);
        let der = key.pkcs8().expose();
        let pem = PrivateKey::from_der(der).unwrap().pem();
        for bytes in [der.as_slice(), pem.expose().as_bytes()] {
            assert_eq!(of_pem(bytes).unwrap().id(), key.id());
        }
        for nothing in [&b""[..], b"x", &der[1..]] {
            assert!(matches!(of_pem(nothing), Err(Unusable::NoPrivateKey)));
        }
        assert!(matches!(of_pem(&der[..20]), Err(Unusable::UnknownKind(_))));
    }
}
