//! A kit on disk.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::make::Names;
use super::pair::Pair;
use super::role::Role;
use super::world::Kit;
use crate::base::clock::Time;
use crate::base::private;
use crate::xml::keys::{self, Certificate, PrivateKey};

impl Kit {
    /// Reads the kit in a directory, or makes one there when the directory has none.
    ///
    /// # Errors
    /// When files are missing, broken or expired, or cannot be written.
    pub fn load_or_make(directory: &Path, names: Names<'_>, now: Time) -> Result<Self, Error> {
        let any = Role::ALL.into_iter().any(|role| certificate_path(directory, role).exists());
        if any {
            return Self::load(directory, now);
        }
        let kit = Self::make(names, now)?;
        kit.write(directory)?;
        Ok(kit)
    }

    /// Reads the kit in a directory.
    ///
    /// # Errors
    /// When files are missing, broken or expired.
    pub fn load(directory: &Path, now: Time) -> Result<Self, Error> {
        let [a, b, c, d, e, f] = Role::ALL.map(|role| load_pair(directory, role, now));
        Self::from_pairs([a?, b?, c?, d?, e?, f?], now)
    }

    /// Writes the whole kit: `<name>.crt.pem` and, for its owner only, `<name>.key.pem`.
    ///
    /// # Errors
    /// When the directory or a file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        fs::create_dir_all(directory)
            .map_err(|source| Error::File { path: directory.to_owned(), source })?;
        Role::ALL.into_iter().try_for_each(|role| self.write_pair(directory, role))
    }

    /// Writes one pair, in place of one that is there.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_pair(&self, directory: &Path, role: Role) -> Result<(), Error> {
        let pair = self.pair(role);
        // The certificate last: it is what tells that the pair is there.
        let key = pair.key_pem();
        write(&key_path(directory, role), key.expose().as_bytes(), 0o600)?;
        let certificate = pair.certificate_pem();
        write(&certificate_path(directory, role), certificate.as_bytes(), 0o644)
    }
}

fn certificate_path(directory: &Path, role: Role) -> PathBuf {
    directory.join(format!("{}.crt.pem", role.file_stem()))
}

fn key_path(directory: &Path, role: Role) -> PathBuf {
    directory.join(format!("{}.key.pem", role.file_stem()))
}

fn load_pair(directory: &Path, role: Role, now: Time) -> Result<Pair, Error> {
    let path = certificate_path(directory, role);
    let certificate = Certificate::parse(&read(&path)?)
        .map_err(|source| Error::Content { path: path.clone(), source })?;
    if certificate.not_after() <= now {
        return Err(Error::Expired { path });
    }
    let path = key_path(directory, role);
    let bytes = zeroize::Zeroizing::new(read(&path)?);
    let key = PrivateKey::parse(&bytes)
        .map_err(|source| Error::Content { path: path.clone(), source })?;
    if !keys::is_pair(&key, &certificate) {
        let source = keys::Error::Mismatch(certificate.subject().to_owned());
        return Err(Error::Content { path, source });
    }
    Ok(Pair { key, certificate })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    private::write_with_mode(path, bytes, mode)
        .map_err(|source| Error::File { path: path.to_owned(), source })
}
