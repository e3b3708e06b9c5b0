//! The keys and certificates of a simulated world: an authority, the node, a service provider.
//!
//! 1. All keys are elliptic curve P-256, as the node's profile wants them.
//! 2. Subjects look like the real ones: `CN=WK_SIG_EC`, `CN=<issuer>_sig_ec`, `CN=<issuer>_enc_ec`.
//! 3. A directory is filled once and read from then on; what is there is never overwritten.
//! 4. Key files are readable by their owner only and appear whole or not at all.

mod make;
mod store;

use std::path::PathBuf;

use crate::base::clock::Time;
use crate::base::secret::Secret;
use crate::xml::keys::{self, Certificate, PrivateKey, pem};
use crate::xml::signer::Signer;

use super::settings::Service;

/// Why there is no kit.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A certificate cannot be made.
    #[error("certificate cannot be made")]
    Make(#[from] rcgen::Error),
    /// A key or certificate cannot be used.
    #[error("key or certificate cannot be used")]
    Keys(#[from] keys::Error),
    /// A file cannot be read or written.
    #[error("{path} cannot be read or written")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be used.
    #[error("{path} cannot be used")]
    Content {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: keys::Error,
    },
    /// The certificates have expired.
    #[error("{path} has expired: remove the directory, and new keys are made")]
    Expired {
        /// The file.
        path: PathBuf,
    },
}

/// Whose certificates are made.
#[derive(Debug, Clone, Copy)]
pub struct Names<'n> {
    /// The node's issuer.
    pub node: &'n str,
    /// The service provider's issuer.
    pub service: &'n str,
    /// Further host names and addresses of the SOAP listener, beside those of loopback.
    pub hosts: &'n [String],
}

/// A private key with its certificate.
#[derive(Debug, Clone)]
pub struct Pair {
    key: PrivateKey,
    certificate: Certificate,
}

impl Pair {
    /// Returns the private key.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// Returns the certificate.
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

/// The keys and certificates of a simulated world.
#[derive(Debug)]
pub struct Kit {
    pairs: [Pair; 6],
    node: Signer,
    /// For faults: somebody who calls itself the node.
    stranger: Signer,
    stranger_pair: Pair,
}

/// A pair of a [`Kit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The authority that issued all the others.
    Authority,
    /// The node's message signatures.
    NodeSigning,
    /// The TLS of the SOAP listener.
    NodeTls,
    /// The service provider's message signatures.
    ServiceSignature,
    /// What assertions are encrypted to.
    ServiceEncryption,
    /// The service provider as a TLS client.
    ServiceTlsClient,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 6] = [
        Self::Authority,
        Self::NodeSigning,
        Self::NodeTls,
        Self::ServiceSignature,
        Self::ServiceEncryption,
        Self::ServiceTlsClient,
    ];

    /// Returns what the names of the pair's files begin with.
    #[must_use]
    pub fn file_stem(self) -> &'static str {
        match self {
            Self::Authority => "ca",
            Self::NodeSigning => "node-signing",
            Self::NodeTls => "node-tls",
            Self::ServiceSignature => "service-sig",
            Self::ServiceEncryption => "service-enc",
            Self::ServiceTlsClient => "service-tls-client",
        }
    }
}

impl Kit {
    /// Makes a new kit, valid from an hour ago for two years.
    ///
    /// # Errors
    /// When a certificate cannot be made from the names.
    pub fn make(names: Names<'_>, now: Time) -> Result<Self, Error> {
        Self::from_pairs(make::pairs(names, now)?, now)
    }

    fn from_pairs(pairs: [Pair; 6], now: Time) -> Result<Self, Error> {
        let node = pairs[Role::NodeSigning as usize].signer()?;
        let stranger_pair = make::stranger(now)?;
        Ok(Self { node, stranger: stranger_pair.signer()?, stranger_pair, pairs })
    }

    /// Returns a pair.
    #[must_use]
    pub fn pair(&self, role: Role) -> &Pair {
        &self.pairs[role as usize]
    }

    /// Describes the kit's service provider, for registration.
    #[must_use]
    pub fn service(
        &self,
        issuer: &str,
        acs: Vec<String>,
        provider_name: Option<String>,
    ) -> Service {
        Service {
            issuer: issuer.to_owned(),
            acs,
            provider_name,
            signing: vec![self.pair(Role::ServiceSignature).certificate().clone()],
            encryption: self.pair(Role::ServiceEncryption).certificate().clone(),
        }
    }

    pub(super) fn node_signer(&self) -> &Signer {
        &self.node
    }

    pub(super) fn stranger_signer(&self) -> &Signer {
        &self.stranger
    }

    pub(super) fn stranger_certificate(&self) -> &Certificate {
        self.stranger_pair.certificate()
    }
}

#[cfg(test)]
mod tests;
