//! Tokens as no gateway makes them: cut apart, changed, and signed again or not at all.

use jsonwebtoken::errors::Error;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

use crate::base::clock::Time;
use crate::base::encoding::{base64url, from_base64url};
use crate::identity::keyring::KeyRing;
use crate::identity::signing_key::{self, NotSigned};
use crate::xml::keys;

/// A token in its parts (RFC 7515 3.1).
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) header: Value,
    pub(super) payload: Value,
    pub(super) signature: String,
}

impl Parts {
    /// Takes a token of ours apart.
    ///
    /// # Panics
    /// When it is not one.
    pub(super) fn of(token: &str) -> Self {
        let parts: Vec<_> = token.split('.').collect();
        let [header, payload, signature] = parts[..] else { panic!("a token has three parts") };
        let json = |part| {
            let bytes = from_base64url(part).expect("parts of a token are base64url");
            serde_json::from_slice(&bytes).expect("they hold JSON")
        };
        Self { header: json(header), payload: json(payload), signature: signature.to_owned() }
    }

    /// Puts another value into the header.
    pub(super) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    /// Puts another value into the claims.
    pub(super) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.payload[name] = value.into();
        self
    }

    /// Takes a claim out.
    pub(super) fn without(mut self, name: &str) -> Self {
        if let Some(claims) = self.payload.as_object_mut() {
            claims.shift_remove(name);
        }
        self
    }

    /// Writes the token with a signature that says whatever it says.
    pub(super) fn with_signature(&self, signature: &str) -> String {
        format!("{}.{signature}", self.signed())
    }

    /// Signs with the key that a ring signs with at a time.
    pub(super) fn sign(&self, ring: &KeyRing, at: Time) -> Result<String, NotSigned> {
        let key = ring.current(signing_key::Algorithm::Es256, at).expect("there is always a key");
        let signature = key.signature(self.signed().as_bytes())?;
        Ok(self.with_signature(&signature))
    }

    /// Signs with a shared secret.
    pub(super) fn sign_with_secret(&self, secret: &[u8]) -> Result<String, Error> {
        let key = EncodingKey::from_secret(secret);
        let signed = self.signed();
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::HS256)?;
        Ok(self.with_signature(&signature))
    }

    fn signed(&self) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        format!("{}.{}", part(&self.header), part(&self.payload))
    }
}

/// A signature of ES256 in which both numbers are nought.
pub(super) fn zero_signature() -> String {
    base64url(&[0; 64])
}

/// Returns the member of a set of keys (RFC 7517) that has this name.
pub(super) fn find_jwk(set: &str, id: &str) -> Value {
    let set: Value = serde_json::from_str(set).expect("we wrote it");
    let keys = set["keys"].as_array().into_iter().flatten();
    keys.clone().find(|key| key["kid"] == id).cloned().unwrap_or_default()
}

/// Writes a public key of P-256 as most programs have it in a file (RFC 5480, RFC 7468).
pub(super) fn public_pem(jwk: &Value) -> String {
    // SEQUENCE { SEQUENCE { ecPublicKey, prime256v1 }, BIT STRING { uncompressed point } }
    let mut der = vec![
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ];
    for name in ["x", "y"] {
        let number = jwk[name].as_str().and_then(from_base64url);
        der.extend(number.unwrap_or_default());
    }
    keys::pem("PUBLIC KEY", &der)
}
