//! The private key of a signer, as the library of signatures asks for it.
//!
//! It is read once. A key that the library keeps for itself it reads anew for each signature, with
//! a check of the key that costs as much as the signature does.

use std::sync::Arc;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    RSA_PKCS1_SHA256,
};
use kryptering::{EcCurve, Error, HashAlgorithm, SignatureAlgorithm};

use super::keys::{self, KeyKind, PrivateKey};

/// A key that signs with the one algorithm of its kind.
#[derive(Clone)]
pub(super) struct SigningKey(Arc<Pair>);

enum Pair {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Rsa(rsa::KeyPair),
}

impl TryFrom<&PrivateKey> for SigningKey {
    type Error = keys::Error;

    fn try_from(key: &PrivateKey) -> Result<Self, keys::Error> {
        let pkcs8 = key.pkcs8().expose();
        let read =
            match key.kind() {
                KeyKind::P256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                    .map(Pair::P256),
                KeyKind::P384 => EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8)
                    .map(Pair::P384),
                KeyKind::Rsa => rsa::KeyPair::from_pkcs8(pkcs8).map(Pair::Rsa),
            };
        read.map(|pair| Self(Arc::new(pair))).map_err(|_| keys::Error::UnknownPrivateKey)
    }
}

impl SigningKey {
    /// Returns the value of a signature, as it stands in a message (RFC 6931, 2.3.6).
    pub(super) fn value(&self, data: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match &*self.0 {
            Pair::P256(pair) | Pair::P384(pair) => {
                pair.sign(&random, data).map(|value| value.as_ref().to_vec())
            }
            Pair::Rsa(pair) => {
                let mut value = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, data, &mut value).map(|()| value)
            }
        }
    }
}

impl kryptering::Signer for SigningKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        match &*self.0 {
            Pair::P256(_) => SignatureAlgorithm::Ecdsa(EcCurve::P256, HashAlgorithm::Sha256),
            Pair::P384(_) => SignatureAlgorithm::Ecdsa(EcCurve::P384, HashAlgorithm::Sha384),
            Pair::Rsa(_) => SignatureAlgorithm::RsaPkcs1v15(HashAlgorithm::Sha256),
        }
    }

    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.value(data).map_err(|_| Error::Crypto("private key did not sign".to_owned()))
    }
}
