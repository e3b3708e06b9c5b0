//! The private key of a signer, as the library of signatures asks for it.
//!
//! It is read once. A key that the library keeps for itself it reads anew for each signature, with
//! a check of the key that costs as much as the signature does.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    RSA_PKCS1_SHA256,
};
use kryptering::{EcCurve, Error, HashAlgorithm, SignatureAlgorithm};

use super::keys::{self, KeyKind, PrivateKey};

/// A key that signs with the one algorithm of its kind.
pub(super) enum SigningKey {
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
                    .map(Self::P256),
                KeyKind::P384 => EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8)
                    .map(Self::P384),
                KeyKind::Rsa => rsa::KeyPair::from_pkcs8(pkcs8).map(Self::Rsa),
            };
        read.map_err(|_| keys::Error::UnknownPrivateKey)
    }
}

impl kryptering::Signer for SigningKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::P256(_) => SignatureAlgorithm::Ecdsa(EcCurve::P256, HashAlgorithm::Sha256),
            Self::P384(_) => SignatureAlgorithm::Ecdsa(EcCurve::P384, HashAlgorithm::Sha384),
            Self::Rsa(_) => SignatureAlgorithm::RsaPkcs1v15(HashAlgorithm::Sha256),
        }
    }

    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        let value = match self {
            Self::P256(pair) | Self::P384(pair) => {
                pair.sign(&random, data).map(|value| value.as_ref().to_vec())
            }
            Self::Rsa(pair) => {
                let mut value = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, data, &mut value).map(|()| value)
            }
        };
        value.map_err(|_| Error::Crypto("private key did not sign".to_owned()))
    }
}
