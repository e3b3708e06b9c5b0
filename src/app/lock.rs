//! One process has a state folder: two would write over each other's keys.
//!
//! The lock (`flock`) goes with the open file, so the kernel releases it when the process ends,
//! however it ends. A successor takes it when its predecessor has gone. Where replicas share the keys
//! over a store the folder has a copy alone, and two with one folder are warned of.

use std::fs::{File, OpenOptions, TryLockError};
use std::future::pending;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::OFlags;
use tracing::warn;

use super::state::{State, StateError};
use super::successor;
use crate::base::private;
use crate::base::rights::folder_of;

/// The right to a state folder.
#[derive(Debug)]
pub(super) struct Lock {
    file: Option<File>,
    is_held: bool,
}

impl Lock {
    /// Takes it. `is_shared` says that the folder has a copy of what replicas share.
    ///
    /// # Errors
    /// When another process has it that is no predecessor of this one.
    pub(super) fn take(state: &State, is_shared: bool) -> Result<Self, StateError> {
        let Some(path) = state.lock_path() else { return Ok(Self { file: None, is_held: true }) };
        match take(&path) {
            Ok(lock) if lock.is_held || successor::has_predecessor() => Ok(lock),
            Ok(lock) if is_shared => {
                warn!(
                    folder = %path.parent().unwrap_or(&path).display(),
                    "another process has this state folder too: give each replica one of its own"
                );
                Ok(lock)
            }
            Ok(_) => Err(StateError::InUse(path.display().to_string())),
            Err(source) => {
                let error = StateError::Io { path: path.display().to_string(), source };
                if !is_shared {
                    return Err(error);
                }
                warn!(%error, "the state folder cannot be locked");
                Ok(Self { file: None, is_held: true })
            }
        }
    }

    /// Holds it until the program ends, or waits for it; never ends.
    pub(super) async fn hold(mut self) {
        while let Some(file) = self.file.as_ref().filter(|_| !self.is_held) {
            tokio::time::sleep(BETWEEN).await;
            self.is_held = file.try_lock().is_ok();
        }
        pending::<()>().await;
    }
}

fn take(path: &Path) -> io::Result<Lock> {
    private::make_folder(folder_of(path))?;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    let file = options.open(path)?;
    let is_held = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(error)) => return Err(error),
    };
    Ok(Lock { file: Some(file), is_held })
}

/// How long a successor waits before it tries again.
const BETWEEN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_processs_and_after_it_anothers() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(Some(folder.path().join("state")));
        let lock = Lock::take(&state, false).unwrap();
        let refused = Lock::take(&state, false).unwrap_err().to_string();
        assert!(refused.contains("state/lock: another process has this state folder"), "{refused}");
        assert!(Lock::take(&state, true).is_ok(), "it has a copy alone");
        drop(lock);
        assert!(Lock::take(&state, false).unwrap().is_held);
        for _ in 0..2 {
            assert!(Lock::take(&State::new(None), false).is_ok(), "nothing is kept");
        }
    }
}
