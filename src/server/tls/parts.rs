//! What every side of TLS is made of: the crypto provider, certificates, keys, authorities.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no certificate in the file.
    #[error("holds no certificate in PEM form")]
    NoCertificate,
    /// The certificates cannot be read.
    #[error("certificate cannot be read: {0}")]
    BadCertificate(String),
    /// There is no private key in the file.
    #[error("holds no unencrypted private key in PEM form: {0}")]
    BadKey(String),
    /// rustls refused, for instance because the key is not the certificate's.
    #[error("certificate and key are refused: {0}")]
    Refused(#[from] rustls::Error),
    /// The client authorities cannot be used.
    #[error("client certificates cannot be checked: {0}")]
    ClientVerifier(String),
}

/// Returns the one crypto provider.
#[must_use]
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Reads a certificate chain, leaf first.
///
/// # Errors
/// When there is none or one is broken.
pub fn read_chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::BadCertificate(error.to_string()))?;
    if chain.is_empty() { Err(Error::NoCertificate) } else { Ok(chain) }
}

/// Reads a private key.
///
/// # Errors
/// When there is none.
pub fn read_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| Error::BadKey(error.to_string()))
}

/// Makes a store of authorities.
///
/// # Errors
/// When one of them cannot be one.
pub fn root_store(authorities: &[CertificateDer<'_>]) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    for authority in authorities {
        store.add(authority.clone().into_owned())?;
    }
    Ok(store)
}
