//! Private keys that are written with a password: PKCS #8 (RFC 5958) while there is no certificate,
//! PKCS #12 (RFC 7292) with one, which is what a configuration reads.
//!
//! It protects copies that are read without the password, such as those in a backup. Whoever reads
//! both files, as the gateway does, has the key.

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKeyChain};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::pkcs5::pbes2::Parameters;

use crate::base::random;
use crate::base::secret::Secret;
use crate::xml::keys::{PrivateKey, pem as pem_block};

/// Returns a private key with a password, in PEM: AES-256-CBC by PBKDF2 with SHA-256.
///
/// # Errors
/// What the library says; the key is one that was read before, so it does not.
pub(in crate::cli::tools) fn pem(
    key: &PrivateKey,
    password: &Secret<String>,
) -> Result<Secret<String>, String> {
    let der = key.pkcs8().expose();
    let info = PrivateKeyInfoRef::try_from(der.as_slice()).map_err(|error| error.to_string())?;
    let (salt, start) = (random::bytes::<16>(), random::bytes::<16>());
    let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, start)
        .map_err(|error| error.to_string())?;
    let encrypted = info
        .encrypt_with_params(parameters, password.expose())
        .map_err(|error| error.to_string())?;
    Ok(Secret::new(pem_block("ENCRYPTED PRIVATE KEY", encrypted.as_bytes())))
}

/// Returns a private key with its certificate, and those of authorities behind it, as PKCS #12.
///
/// # Errors
/// When one of the certificates cannot be read.
pub(in crate::cli::tools) fn pkcs12(
    name: &str,
    key: &PrivateKey,
    certificates: &[Vec<u8>],
    password: &Secret<String>,
) -> Result<Vec<u8>, String> {
    let text = |error: p12_keystore::error::Error| error.to_string();
    let chain: Result<Vec<_>, _> =
        certificates.iter().map(|der| Certificate::from_der(der)).collect();
    let private = p12_keystore::PrivateKey::from_der(key.pkcs8().expose()).map_err(text)?;
    let chain = PrivateKeyChain::new(random::bytes::<20>().to_vec(), private, chain.map_err(text)?);
    let mut store = KeyStore::new();
    store.add_entry(name, KeyStoreEntry::PrivateKeyChain(chain));
    let writer = store.writer(password.expose());
    writer.encryption_iterations(ROUNDS).mac_iterations(ROUNDS).write().map_err(text)
}

/// How often a password is hashed: as often as it can be without a gateway starting slowly.
const ROUNDS: u32 = 100_000;
