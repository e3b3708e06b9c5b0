//! One process has a state folder. A second one is most likely a mistake: it would serve with the keys
//! of the first, and by sessions of its own.
//!
//! 1. The lock (`flock`) goes with the open file, so the kernel releases it when the process ends,
//!    however it ends. One that ends just now is waited for ([`PATIENCE`]).
//! 2. A predecessor gives it up when its successor serves, and the successor takes it then. Until
//!    the predecessor has gone both write, each in its [turn](turn), and what one changed the other
//!    takes in ([`super::keys`]).
//! 3. Where replicas share the keys over a store the folder has a copy alone, and two with one
//!    folder are warned of. Where the file system has no locks, that is said.

use std::fs::{File, OpenOptions, TryLockError};
use std::future::pending;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;
use tokio::time::{Instant, sleep};
use tracing::warn;

use super::state::{State, StateError};
use super::successor;
use crate::base::private;
use crate::base::rights::folder_of;

/// The right to a state folder.
#[derive(Debug)]
pub(super) enum Lock {
    /// There is nothing to hold: no folder, one without locks, or a copy that two write.
    Needless,
    /// It is held as long as the file is open.
    Held(File),
    /// The predecessor has it still.
    Awaited(File),
}

impl Lock {
    /// Takes it. `is_shared` says that the folder has a copy of what replicas share.
    ///
    /// # Errors
    /// When another process has it and keeps it, and this one has no predecessor.
    pub(super) async fn take(state: &State, is_shared: bool) -> Result<Self, StateError> {
        let Some(path) = state.lock_path() else { return Ok(Self::Needless) };
        let failed = |source| StateError::Io { path: path.display().to_string(), source };
        let file = match open(&path) {
            Ok(file) => file,
            Err(error) if is_shared => {
                let error = failed(error);
                warn!(%error, "the state folder cannot be locked");
                return Ok(Self::Needless);
            }
            Err(error) => return Err(failed(error)),
        };
        let is_waited_for = !is_shared && !successor::has_predecessor();
        let end = Instant::now() + if is_waited_for { PATIENCE } else { Duration::ZERO };
        match locked_until(&file, end).await {
            Ok(true) => Ok(Self::Held(file)),
            Ok(false) if successor::has_predecessor() => Ok(Self::Awaited(file)),
            Ok(false) if is_shared => {
                warn!(
                    folder = %folder_of(&path).display(),
                    "another process has this state folder too: give each replica one of its own"
                );
                Ok(Self::Needless)
            }
            Ok(false) => Err(StateError::InUse(path.display().to_string())),
            Err(error) if is_shared || has_no_locks(&error) => {
                let error = failed(error);
                warn!(%error, "the state folder cannot be locked: no other process is kept from it");
                Ok(Self::Needless)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Holds it, or waits for it; never ends. It is given up with the task.
    pub(super) async fn hold(self) {
        let _held = match self {
            Self::Needless => None,
            Self::Held(file) => Some(file),
            Self::Awaited(file) => {
                let is_late = !matches!(locked_until(&file, Instant::now() + LONG).await, Ok(true));
                if is_late {
                    warn!(
                        "another process still has the state folder: has it the same folder as the \
                           predecessor?"
                    );
                }
                while is_late && file.try_lock().is_err() {
                    sleep(SELDOM).await;
                }
                Some(file)
            }
        };
        pending::<()>().await;
    }
}

/// Waits for a turn to write to the state folder: no other process does while what is returned is
/// held. Nothing is, where there is no folder or it has no locks.
///
/// # Errors
/// When another process has its turn for too long, or the folder cannot be opened.
pub(super) async fn turn(state: &State) -> Result<Option<File>, StateError> {
    let Some(path) = state.turn_path() else { return Ok(None) };
    let failed = |source| StateError::Io { path: path.display().to_string(), source };
    // A file of its own, which only its owner may open: a folder may be open to others.
    let file = open(&path).map_err(failed)?;
    match locked_until(&file, Instant::now() + PATIENCE).await {
        Ok(true) => Ok(Some(file)),
        Ok(false) => Err(StateError::Busy(path.display().to_string())),
        Err(error) if has_no_locks(&error) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn open(path: &Path) -> io::Result<File> {
    private::make_folder(folder_of(path))?;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    options.open(path)
}

/// Locks a file; tells whether that was possible until then.
async fn locked_until(file: &File, end: Instant) -> io::Result<bool> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if Instant::now() < end => sleep(BETWEEN).await,
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Tells whether a file system has no locks at all, as some of a network.
fn has_no_locks(error: &io::Error) -> bool {
    let none = [Errno::NOLCK, Errno::NOTSUP, Errno::NOSYS];
    Errno::from_io_error(error).is_some_and(|error| none.contains(&error))
}

/// How long a process is waited for that ends just now, or has its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it takes until it is tried again.
const BETWEEN: Duration = Duration::from_millis(50);
/// How long a predecessor is waited for until that is said, and how often it is tried from then on.
const LONG: Duration = Duration::from_secs(90);
const SELDOM: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_folder_is_one_processs_and_after_it_anothers() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(Some(folder.path().join("state")));
        let lock = Lock::take(&state, false).await.unwrap();
        let refused = Lock::take(&state, false).await.unwrap_err().to_string();
        assert!(refused.contains("state/lock: another process has this state folder"), "{refused}");
        let other = Lock::take(&state, true).await.unwrap();
        assert!(matches!(other, Lock::Needless), "it has a copy alone");
        // One that ends just now is waited for.
        let ends = async {
            sleep(PATIENCE / 2).await;
            drop(lock);
        };
        let (lock, ()) = tokio::join!(Lock::take(&state, false), ends);
        assert!(matches!(lock, Ok(Lock::Held(_))));
        for _ in 0..2 {
            let lock = Lock::take(&State::new(None), false).await.unwrap();
            assert!(matches!(lock, Lock::Needless), "nothing is kept");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_is_given_up_with_its_task_and_whoever_waits_has_it_then() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(Some(folder.path().join("state")));
        let first = tokio::spawn(Lock::take(&state, false).await.unwrap().hold());
        let awaited = Lock::Awaited(open(&state.lock_path().unwrap()).unwrap());
        let second = tokio::spawn(awaited.hold());
        let is_free = async || matches!(Lock::take(&state, true).await, Ok(Lock::Held(_)));
        sleep(BETWEEN * 3).await;
        assert!(!is_free().await);
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        sleep(BETWEEN * 3).await;
        assert!(!is_free().await, "it is the second one's");
        second.abort();
        assert!(second.await.unwrap_err().is_cancelled());
        assert!(is_free().await);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_come_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(Some(folder.path().join("state")));
        let _lock = Lock::take(&state, false).await.unwrap();
        let one = turn(&state).await.unwrap();
        assert!(turn(&state).await.is_err(), "it is never over");
        let ends = async {
            sleep(PATIENCE / 2).await;
            drop(one);
        };
        let (other, ()) = tokio::join!(turn(&state), ends);
        assert!(other.unwrap().is_some());
        assert!(turn(&State::new(None)).await.unwrap().is_none(), "there is nothing to write");
    }

    #[test]
    fn a_file_system_without_locks_is_told_from_trouble() {
        for (number, expected) in [(Errno::NOLCK, true), (Errno::NOTSUP, true), (Errno::IO, false)]
        {
            assert_eq!(has_no_locks(&number.into()), expected, "{number}");
        }
    }
}
