//! What is kept between runs: the keys of signed identities and the secret of the pseudonyms.
//!
//! Files are written whole under another name and then renamed, readable by the owner only.
//! Without a folder nothing is kept, and `check` warns of it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::clock::Time;
use crate::identity::claims::PairwiseSecret;
use crate::identity::keyring::{self, KeyRing};

/// The folder, if there is one.
#[derive(Debug, Clone)]
pub(super) struct State(Option<PathBuf>);

/// Why something cannot be kept or found again.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The system says no.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {source}")]
    KeyRing {
        /// The file.
        path: String,
        /// What is wrong.
        source: keyring::Unreadable,
    },
    /// The secret is too short.
    #[error("{0}: secret of the pseudonyms has fewer than 32 bytes")]
    Secret(String),
}

const KEY_RING: &str = "identity-keys.json";
const PAIRWISE: &str = "pairwise-secret";

impl State {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self(folder)
    }

    /// Returns the kept ring brought up to date, or a new one.
    pub(super) fn key_ring(&self, period: Duration, now: Time) -> Result<KeyRing, StateError> {
        let kept = match self.read(KEY_RING)? {
            None => None,
            Some(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let ring = KeyRing::restore(&text, period)
                    .map_err(|source| StateError::KeyRing { path: self.name(KEY_RING), source })?;
                Some(ring)
            }
        };
        let mut ring = kept.unwrap_or_else(|| KeyRing::generate(period, now));
        ring.advance(now);
        self.keep_key_ring(&ring)?;
        Ok(ring)
    }

    pub(super) fn keep_key_ring(&self, ring: &KeyRing) -> Result<(), StateError> {
        self.write(KEY_RING, ring.to_text().expose().as_bytes())
    }

    pub(super) fn pairwise_secret(&self) -> Result<PairwiseSecret, StateError> {
        if let Some(bytes) = self.read(PAIRWISE)? {
            return PairwiseSecret::new(bytes)
                .ok_or_else(|| StateError::Secret(self.name(PAIRWISE)));
        }
        let secret = PairwiseSecret::generate();
        self.write(PAIRWISE, secret.expose())?;
        Ok(secret)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        let Some(folder) = &self.0 else {
            return Ok(None);
        };
        match fs::read(folder.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StateError::Io { path: self.name(name), source }),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        let Some(folder) = &self.0 else { return Ok(()) };
        let write = || {
            fs::create_dir_all(folder)?;
            write_private(&folder.join(name), bytes)
        };
        write().map_err(|source| StateError::Io { path: self.name(name), source })
    }

    fn name(&self, name: &str) -> String {
        self.0.as_deref().unwrap_or(Path::new("")).join(name).display().to_string()
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(partial, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keeps_keys_between_runs_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(Some(folder.path().join("new/folder")));
        let (period, now) = (Duration::from_secs(1000), Time::UNIX_EPOCH);
        let ring = state.key_ring(period, now).unwrap();
        let secret = state.pairwise_secret().unwrap();
        assert_eq!(state.key_ring(period, now).unwrap().jwks(), ring.jwks());
        assert_eq!(state.pairwise_secret().unwrap().expose(), secret.expose());
        for name in [KEY_RING, PAIRWISE] {
            let path = folder.path().join("new/folder").join(name);
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn refuses_a_damaged_file_instead_of_making_new_keys() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KEY_RING), "{").unwrap();
        fs::write(folder.path().join(PAIRWISE), "short").unwrap();
        let state = State::new(Some(folder.path().to_owned()));
        assert!(state.key_ring(Duration::from_secs(1), Time::UNIX_EPOCH).is_err());
        assert!(state.pairwise_secret().is_err());
    }
}
