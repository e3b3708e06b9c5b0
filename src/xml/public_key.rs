//! Public keys in files of their own, or in certificates.

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};

use super::keys::Certificate;

/// There is no public key in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("holds neither a public key nor a certificate")]
pub struct NoPublicKey;

/// Reads the public key of a certificate or of a file of its own (`SubjectPublicKeyInfo`), in PEM or
/// DER. Returns its bits, which of an EC key are its point.
///
/// # Errors
/// When there is none.
pub fn ec_point(bytes: &[u8]) -> Result<Vec<u8>, NoPublicKey> {
    let point = |der: &[u8]| {
        let (_, parsed) = SubjectPublicKeyInfo::from_der(der).ok()?;
        Some(parsed.subject_public_key.data.to_vec())
    };
    let pem = SubjectPublicKeyInfoDer::from_pem_slice(bytes);
    let found = pem.map_or_else(|_| point(bytes), |der| point(&der));
    match found {
        Some(point) => Ok(point),
        None => Certificate::parse(bytes)
            .map(|certificate| certificate.public_key().to_vec())
            .map_err(|_| NoPublicKey),
    }
}
