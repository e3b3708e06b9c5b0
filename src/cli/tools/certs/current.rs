//! What a configuration names by now, as far as it can be read.

use std::path::{Path, PathBuf};

use super::facts::public_key;
use super::material::{self, Material};
use crate::config::Loaded;

/// A certificate that is named, with its key.
#[derive(Debug, Default)]
pub(in crate::cli::tools) struct Current {
    /// In DER; that of the service first, and none when there is no file yet.
    pub(in crate::cli::tools) certificates: Vec<Vec<u8>>,
    /// The bits of the public keys of the private keys.
    pub(in crate::cli::tools) keys: Vec<Vec<u8>>,
}

/// Returns the pair of our signatures.
pub(in crate::cli::tools) fn signing(loaded: &Loaded) -> Current {
    let service = &loaded.file.service;
    pair(
        loaded,
        [&service.signing_certificate, &service.signing_key],
        [&service.signing_p12, &service.signing_p12_password_file],
    )
}

/// Returns the pair of TLS with the node.
pub(in crate::cli::tools) fn client(loaded: &Loaded) -> Current {
    let node = &loaded.file.node;
    pair(
        loaded,
        [&node.client_certificate, &node.client_key],
        [&node.client_p12, &node.client_p12_password_file],
    )
}

fn pair(
    loaded: &Loaded,
    [certificate, key]: [&Option<PathBuf>; 2],
    [p12, password]: [&Option<PathBuf>; 2],
) -> Current {
    if let Some(file) = p12 {
        let found = read(loaded, file, password.as_deref());
        let keys: Vec<Vec<u8>> = publics(&found);
        // That of the key first.
        let mut certificates = found.certificates;
        let fits = |der: &Vec<u8>| public_key(der).is_some_and(|public| keys.contains(&public));
        certificates.sort_by_key(|der| !fits(der));
        return Current { certificates, keys };
    }
    let certificates = certificate.as_deref().map(|file| read(loaded, file, None).certificates);
    let keys = key.as_deref().map(|file| publics(&read(loaded, file, None)));
    Current { certificates: certificates.unwrap_or_default(), keys: keys.unwrap_or_default() }
}

/// Returns the pair of two files of PEM.
pub(in crate::cli::tools) fn of_files(loaded: &Loaded, files: [&Option<PathBuf>; 2]) -> Current {
    pair(loaded, files, [&None, &None])
}

/// A file of decryption keys.
#[derive(Debug)]
pub(in crate::cli::tools) struct Decryption {
    /// As the configuration writes it.
    pub(in crate::cli::tools) written: String,
    pub(in crate::cli::tools) path: PathBuf,
    /// The file of its password, when it is PKCS #12.
    pub(in crate::cli::tools) password: Option<String>,
    /// The bits of the public keys; none when it cannot be read.
    pub(in crate::cli::tools) publics: Vec<Vec<u8>>,
}

/// Returns the decryption keys.
pub(in crate::cli::tools) fn decryption(loaded: &Loaded) -> Vec<Decryption> {
    let service = &loaded.file.service;
    let one = |file: &Path, password: Option<&Path>| Decryption {
        written: file.display().to_string(),
        path: loaded.resolve(file),
        password: password.map(|file| file.display().to_string()),
        publics: publics(&read(loaded, file, password)),
    };
    let plain = service.decryption_keys.iter().map(|file| one(file, None));
    let p12 = service
        .decryption_p12
        .iter()
        .filter_map(|p12| Some(one(p12.file.as_deref()?, Some(p12.password_file.as_deref()?))));
    plain.chain(p12).collect()
}

/// Returns the certificates that the node is known by, in DER.
pub(in crate::cli::tools) fn node(loaded: &Loaded) -> Vec<Vec<u8>> {
    let files = loaded.file.node.certificates.iter();
    files.flat_map(|file| read(loaded, file, None).certificates).collect()
}

fn publics(material: &Material) -> Vec<Vec<u8>> {
    material.keys.iter().map(|key| key.public_key().to_vec()).collect()
}

/// Reads a file; what cannot be read has nothing in it. That it must be readable is for `check` to say.
fn read(loaded: &Loaded, file: &Path, password: Option<&Path>) -> Material {
    let password = password.and_then(|file| material::password(&loaded.resolve(file)).ok());
    material::read(&loaded.resolve(file), password.as_slice()).unwrap_or_default()
}
