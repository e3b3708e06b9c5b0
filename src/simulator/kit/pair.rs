//! A private key with its certificate.

use crate::base::secret::Secret;
use crate::xml::keys::{self, Certificate, PrivateKey, pem};
use crate::xml::signer::Signer;

/// A private key with its certificate.
#[derive(Debug, Clone)]
pub struct Pair {
    pub(super) key: PrivateKey,
    pub(super) certificate: Certificate,
}

impl Pair {
    /// Returns the private key.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// Returns the certificate that belongs to the key.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Returns the certificate as PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", self.certificate.der())
    }

    /// Returns the private key as PEM (PKCS #8).
    #[must_use]
    pub fn key_pem(&self) -> Secret<String> {
        self.key.pem()
    }

    /// Makes a signer of the pair.
    ///
    /// # Errors
    /// When they are not a pair.
    pub fn signer(&self) -> Result<Signer, keys::Error> {
        Signer::new(&self.key, self.certificate.clone())
    }
}
