//! What is kept between runs: the keys of signed identities, the secret of the pseudonyms and that
//! of the store.
//!
//! 1. Files are readable by the owner only, and written whole or not at all
//!    ([`crate::base::private`]).
//! 2. A file that is damaged, a link, or too short is an error: nothing is made anew in its place.
//! 3. Without a folder nothing is kept, and `check` warns of it. Only the secret of a store in a
//!    file has a place then, beside that file.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::info;

use crate::audit::keys::Keys as AuditKeys;
use crate::base::secret::Secret;
use crate::base::{private, random};
use crate::identity::claims::PairwiseSecret;
use crate::identity::keyring::{self, KeyRing};
use crate::identity::signing_key::Algorithm;
use crate::store::seal::Sealer;

/// The folder, if there is one.
#[derive(Debug, Clone)]
pub(super) struct State(Option<PathBuf>);

/// How often what is kept was changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// The record that replicas share: of two, the one that was changed more often is the later one.
    /// It stays as it is where a folder alone has the keys.
    pub(super) revision: u64,
    /// The secret of the pseudonyms was replaced so often.
    pub(super) replaced: u64,
}

impl Changes {
    fn to_text(self) -> String {
        format!("[{}, {}]\n", self.revision, self.replaced)
    }
}

/// Why something cannot be kept or found again.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The system says no.
    #[error("{path}: {source}")]
    Io {
        /// Path of the file or folder.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {source}")]
    KeyRing {
        /// Path of the key ring.
        path: String,
        /// Why the key ring cannot be read.
        source: keyring::Unreadable,
    },
    /// The file is not what it should be.
    #[error(
        "{0}: no two numbers: move the file away, and the keys beside it are taken as they are"
    )]
    Changes(String),
    /// Another process runs with it.
    #[error(
        "{0}: another process has this state folder: stop it, or give each a \
         portal.state_directory of its own"
    )]
    InUse(String),
    /// Another process writes to the folder, and does not end.
    #[error("{0}: another process has been writing to this state folder for seconds: look which")]
    Busy(String),
    /// There is no room for another secret that was replaced.
    #[error(
        "{0}, and those with a number behind it up to {MOST_BEFORE}, are there: move those away that \
         no pseudonym is made with"
    )]
    Full(String),
    /// The keys of the audit log are not what they should be.
    #[error("{0}: no keys of the audit log: bring the file back from a copy, or move it away")]
    Audit(String),
    /// The secret is too short.
    #[error(
        "{0}: secret has fewer than 32 bytes: bring the file back from a copy, or move it away"
    )]
    Secret(String),
}

pub(crate) const KEY_RING: &str = "identity-keys.json";
const PAIRWISE: &str = "pairwise-secret";
/// The secret of the pseudonyms before it was replaced; those before it have a number behind.
const PAIRWISE_BEFORE: &str = "pairwise-secret.before";
/// The most secrets that were replaced.
const MOST_BEFORE: usize = 32;
/// Locked by the process that has the folder.
const LOCK: &str = "lock";
/// Locked by the process that writes just now.
const TURN: &str = "turn";
/// How often what is kept was changed.
const CHANGES: &str = "identity-keys.revision";
/// The secret that seals records of the store.
const STORE: &str = "store-secret";

/// The keys of the audit log.
pub(crate) const AUDIT_KEYS: &str = "audit-keys.json";
/// How far the chain of the audit log has come.
pub(crate) const AUDIT_HEAD: &str = "audit-head";

/// Our account at an authority for certificates, and what it issued.
const AUTHORITY: &str = "acme.json";
/// What it issued, for TLS: the chain and the key.
pub(crate) const ISSUED: &str = "acme.pem";

/// Returns the names of what a state folder may have.
pub(crate) fn files() -> impl Iterator<Item = String> {
    [KEY_RING, PAIRWISE, CHANGES, STORE, LOCK, TURN, AUTHORITY, ISSUED, AUDIT_KEYS, AUDIT_HEAD]
        .map(str::to_owned)
        .into_iter()
        .chain(before())
}

fn before() -> impl Iterator<Item = String> {
    let numbered = (2..=MOST_BEFORE).map(|number| format!("{PAIRWISE_BEFORE}-{number}"));
    std::iter::once(PAIRWISE_BEFORE.to_owned()).chain(numbered)
}

impl State {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self(folder)
    }

    /// Returns the kept ring, if there is one.
    pub(super) fn key_ring(
        &self,
        period: Duration,
        algorithms: &[Algorithm],
    ) -> Result<Option<KeyRing>, StateError> {
        let Some(bytes) = self.read(KEY_RING)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        KeyRing::restore(&text, period, algorithms)
            .map(Some)
            .map_err(|source| StateError::KeyRing { path: self.name(KEY_RING), source })
    }

    pub(super) fn keep_key_ring(&self, ring: &KeyRing) -> Result<(), StateError> {
        self.write(KEY_RING, ring.to_text().expose().as_bytes())
    }

    /// Returns the kept secret of the pseudonyms, if there is one.
    pub(super) fn pairwise_secret(&self) -> Result<Option<PairwiseSecret>, StateError> {
        let Some(bytes) = self.read(PAIRWISE)? else { return Ok(None) };
        PairwiseSecret::new(bytes).map(Some).ok_or_else(|| StateError::Secret(self.name(PAIRWISE)))
    }

    /// Keeps the secret of the pseudonyms. Another one that is there is moved aside, since no
    /// pseudonym that was made with it could be made again.
    pub(super) fn keep_pairwise_secret(&self, secret: &PairwiseSecret) -> Result<(), StateError> {
        match self.pairwise_secret() {
            Ok(Some(kept)) if kept.is(secret) => return Ok(()),
            Ok(Some(kept)) => self.set_aside(kept.bytes().expose())?,
            Ok(None) => {}
            Err(error) => return Err(error),
        }
        self.write(PAIRWISE, secret.bytes().expose())
    }

    /// Keeps a secret that is replaced beside those that were before.
    fn set_aside(&self, secret: &[u8]) -> Result<(), StateError> {
        for name in before() {
            match self.read(&name)? {
                Some(bytes) if bytes == secret => return Ok(()),
                Some(_) => {}
                None => return self.write(&name, secret),
            }
        }
        Err(StateError::Full(self.name(PAIRWISE_BEFORE)))
    }

    /// Returns what the process locks that has the folder, if there is one.
    pub(super) fn lock_path(&self) -> Option<PathBuf> {
        self.0.as_ref().map(|folder| folder.join(LOCK))
    }

    /// Returns what the process locks that writes, if there is a folder.
    pub(super) fn turn_path(&self) -> Option<PathBuf> {
        self.0.as_ref().map(|folder| folder.join(TURN))
    }

    /// Returns how often what is kept was changed, if that is known.
    pub(super) fn changes(&self) -> Result<Option<Changes>, StateError> {
        let Some(bytes) = self.read(CHANGES)? else { return Ok(None) };
        let numbers = serde_json::from_slice(&bytes);
        let changes = numbers.map(|(revision, replaced)| Some(Changes { revision, replaced }));
        changes.map_err(|_| StateError::Changes(self.name(CHANGES)))
    }

    pub(super) fn keep_changes(&self, changes: Changes) -> Result<(), StateError> {
        self.write(CHANGES, changes.to_text().as_bytes())
    }

    /// Tells whether the folder has exactly this. Without a folder, nothing is missing.
    pub(super) fn has(
        &self,
        ring: &KeyRing,
        secret: Option<&PairwiseSecret>,
        changes: Changes,
    ) -> Result<bool, StateError> {
        if self.0.is_none() {
            return Ok(true);
        }
        let is = |name, bytes: &[u8]| Ok(self.read(name)?.is_some_and(|found| found == bytes));
        Ok(is(KEY_RING, ring.to_text().expose().as_bytes())?
            && secret.map_or(Ok(true), |secret| is(PAIRWISE, secret.bytes().expose()))?
            && is(CHANGES, changes.to_text().as_bytes())?)
    }

    /// Returns the secret of the store and where it is kept; makes it when there is none. It is in
    /// the folder, or beside the store's file: where one is already, or else in the first of them
    /// that there is. Without either it is gone with this process.
    pub(super) fn store_sealer(&self, file: Option<&Path>) -> Result<FiledSealer, StateError> {
        let in_folder = self.0.as_ref().map(|folder| folder.join(STORE));
        let paths: Vec<PathBuf> = in_folder.into_iter().chain(file.map(beside)).collect();
        let Some(preferred) = paths.first() else {
            return Ok((Sealer::default(), None));
        };
        for path in &paths {
            if let Some(bytes) = read(path)? {
                return kept_sealer(path, bytes);
            }
        }
        if let Some(folder) = &self.0 {
            private::make_folder(folder).map_err(|source| failed(folder, source))?;
        }
        let secret = Secret::new(random::bytes::<{ Sealer::LEAST }>().to_vec());
        let is_made = private::write_new(preferred, secret.expose())
            .map_err(|source| failed(preferred, source))?;
        if is_made {
            info!(file = %preferred.display(), "made a secret for the session store");
        }
        // Another process may have made it in the same moment.
        let bytes = read(preferred)?.unwrap_or_default();
        kept_sealer(preferred, bytes)
    }

    /// Returns the keys of the audit log, if there are any.
    pub(super) fn audit_keys(&self) -> Result<Option<AuditKeys>, StateError> {
        let Some(bytes) = self.read(AUDIT_KEYS)? else { return Ok(None) };
        let bytes = Secret::new(bytes);
        let keys = AuditKeys::parse(bytes.expose());
        keys.map(Some).ok_or_else(|| StateError::Audit(self.name(AUDIT_KEYS)))
    }

    /// Keeps the keys of the audit log, unless there are some.
    pub(super) fn make_audit_keys(&self, keys: &AuditKeys) -> Result<(), StateError> {
        let Some(folder) = &self.0 else { return Ok(()) };
        let path = folder.join(AUDIT_KEYS);
        private::make_folder(folder)
            .and_then(|()| private::write_new(&path, keys.to_text().expose().as_bytes()))
            .map(drop)
            .map_err(|source| failed(&path, source))
    }

    /// Returns where it is noted how far the chain of the audit log has come, if there is a folder.
    pub(super) fn audit_head_path(&self) -> Option<PathBuf> {
        self.0.as_ref().map(|folder| folder.join(AUDIT_HEAD))
    }

    /// Returns what is kept of an authority for certificates, if anything is.
    pub(super) fn authority_book(&self) -> Result<Option<Vec<u8>>, StateError> {
        self.read(AUTHORITY)
    }

    /// Keeps it; says whether something else was there.
    pub(super) fn keep_authority_book(&self, book: &[u8]) -> Result<bool, StateError> {
        self.keep(AUTHORITY, book)
    }

    /// Returns the path of it, for people.
    pub(super) fn authority_book_name(&self) -> String {
        self.name(AUTHORITY)
    }

    /// Keeps what an authority issued; says whether something else was there.
    pub(super) fn keep_issued(&self, pem: &[u8]) -> Result<bool, StateError> {
        self.keep(ISSUED, pem)
    }

    /// Writes a file unless it has that already; says whether it did.
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<bool, StateError> {
        if self.read(name)?.is_some_and(|kept| kept == bytes) {
            return Ok(false);
        }
        self.write(name, bytes).map(|()| true)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        self.0.as_ref().map_or(Ok(None), |folder| read(&folder.join(name)))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        let Some(folder) = &self.0 else { return Ok(()) };
        let path = folder.join(name);
        private::make_folder(folder)
            .and_then(|()| private::write(&path, bytes))
            .map_err(|source| failed(&path, source))
    }

    fn name(&self, name: &str) -> String {
        self.0.as_deref().unwrap_or(Path::new("")).join(name).display().to_string()
    }
}

/// What seals, and the file that its secret is in.
pub(super) type FiledSealer = (Sealer, Option<PathBuf>);

/// Returns where the secret of a store is that has no folder: `sessions.db.secret`.
pub(crate) fn beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".secret");
    PathBuf::from(name)
}

fn kept_sealer(path: &Path, bytes: Vec<u8>) -> Result<FiledSealer, StateError> {
    let secret = Secret::new(bytes);
    if secret.expose().len() < Sealer::LEAST {
        return Err(StateError::Secret(path.display().to_string()));
    }
    Ok((Sealer::new(vec![secret]), Some(path.to_owned())))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    private::read(path).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> StateError {
    StateError::Io { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use crate::store::{Key, Kind};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    const KEY: Key = Key { kind: Kind::Session, digest: [1; 32] };

    /// Tells whether what one seals, the other opens.
    fn agree(one: &Sealer, other: &Sealer) -> bool {
        other.open(KEY, b"id", &one.seal(KEY, b"id", b"plain")).is_ok()
    }

    #[test]
    fn the_secret_of_the_store_outlives_the_process_in_the_folder_or_beside_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sessions.db");
        let (kept, none) = (State::new(Some(folder.path().join("state"))), State::new(None));
        let (in_folder, path) = kept.store_sealer(None).unwrap();
        assert_eq!(path, Some(folder.path().join("state/store-secret")));
        assert!(agree(&in_folder, &kept.store_sealer(None).unwrap().0));
        assert!(agree(&in_folder, &kept.store_sealer(Some(&file)).unwrap().0));
        let (at_file, path) = none.store_sealer(Some(&file)).unwrap();
        assert_eq!(path, Some(folder.path().join("sessions.db.secret")));
        assert!(agree(&at_file, &none.store_sealer(Some(&file)).unwrap().0));
        assert!(!agree(&at_file, &in_folder));
        for path in [folder.path().join("state/store-secret"), path.unwrap()] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        // A folder that is named later: the secret stays where it is.
        let later = State::new(Some(folder.path().join("later")));
        assert!(agree(&at_file, &later.store_sealer(Some(&file)).unwrap().0));
        // Nowhere to keep it: each has its own.
        let (one, other) = (none.store_sealer(None).unwrap(), none.store_sealer(None).unwrap());
        assert!(!agree(&one.0, &other.0) && one.1.is_none());
    }

    #[test]
    fn keeps_keys_between_runs_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(Some(folder.path().join("new/folder")));
        let (period, now) = (Duration::from_secs(1000), Time::UNIX_EPOCH);
        let kept = || state.key_ring(period, &Algorithm::ALL).unwrap();
        assert!(kept().is_none() && state.pairwise_secret().unwrap().is_none());
        let ring = KeyRing::generate(period, &Algorithm::ALL, now);
        state.keep_key_ring(&ring).unwrap();
        let secret = PairwiseSecret::generate();
        state.keep_pairwise_secret(&secret).unwrap();
        assert_eq!(kept().unwrap().jwks(now), ring.jwks(now));
        assert!(state.pairwise_secret().unwrap().unwrap().is(&secret));
        let other = PairwiseSecret::generate();
        state.keep_pairwise_secret(&other).unwrap();
        assert!(state.pairwise_secret().unwrap().unwrap().is(&other));
        let first = fs::read(folder.path().join("new/folder").join(PAIRWISE_BEFORE)).unwrap();
        assert_eq!(&first, secret.bytes().expose());
        // None of those before is lost, and none is kept twice.
        for secret in [&secret, &other, &PairwiseSecret::generate(), &other] {
            state.keep_pairwise_secret(secret).unwrap();
        }
        let aside = |number: usize| {
            fs::read(folder.path().join("new/folder").join(before().nth(number).unwrap()))
        };
        assert_eq!(&aside(0).unwrap(), secret.bytes().expose());
        assert_eq!(&aside(1).unwrap(), other.bytes().expose());
        assert!(aside(2).is_ok() && aside(3).is_err());
        assert!(state.changes().unwrap().is_none());
        let changes = Changes { revision: 12, replaced: 3 };
        state.keep_changes(changes).unwrap();
        assert_eq!(state.changes().unwrap(), Some(changes));
        assert!(state.has(&ring, Some(&other), changes).unwrap());
        assert!(state.has(&ring, None, changes).unwrap());
        assert!(!state.has(&ring, Some(&secret), changes).unwrap());
        assert!(!state.has(&ring, Some(&other), Changes::default()).unwrap());
        let another = KeyRing::generate(period, &Algorithm::ALL, now);
        assert!(!state.has(&another, Some(&other), changes).unwrap());
        for name in [KEY_RING, PAIRWISE, PAIRWISE_BEFORE, CHANGES] {
            let path = folder.path().join("new/folder").join(name);
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_secret_that_there_is_no_room_to_set_aside_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(Some(folder.path().to_owned()));
        let keep = || state.keep_pairwise_secret(&PairwiseSecret::generate());
        for _ in 0..=MOST_BEFORE {
            keep().unwrap();
        }
        let last = state.pairwise_secret().unwrap().unwrap();
        assert!(matches!(keep(), Err(StateError::Full(_))));
        assert!(state.pairwise_secret().unwrap().unwrap().is(&last));
    }

    #[test]
    fn refuses_a_damaged_file_instead_of_making_new_keys() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KEY_RING), "{").unwrap();
        fs::write(folder.path().join(PAIRWISE), "short").unwrap();
        fs::write(folder.path().join(STORE), "short").unwrap();
        fs::write(folder.path().join(CHANGES), "[1]").unwrap();
        let state = State::new(Some(folder.path().to_owned()));
        assert!(state.key_ring(Duration::from_secs(1), &Algorithm::ALL).is_err());
        assert!(state.pairwise_secret().is_err() && state.changes().is_err());
        assert!(state.store_sealer(None).is_err());
    }
}
