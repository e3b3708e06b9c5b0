//! Whose turn it is to write to a file of records, and what was written in the last one.
//!
//! 1. Turns go by a lock (`flock`) of a file in the state folder, which nobody else can open: who
//!    may read the log cannot keep it from being written.
//! 2. Where the chain comes to with a batch is noted there before the batch is written. A process
//!    that finds the log longer than it left it takes over what is noted, and nothing else: what
//!    somebody appended who can write to the log only is not signed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::super::chain::{Chain, Checkpoint};
use super::tail::named;

/// Who may write, and what was written last.
pub(super) struct Turn {
    lock: File,
    /// Whether it is a file of its own, in which something may be noted.
    is_own: bool,
}

impl Turn {
    /// Opens it: beside what is noted of the chain, or, where nothing is kept, at the log itself.
    pub(super) fn open(head: Option<&Path>, log: &File) -> io::Result<Self> {
        let Some(head) = head else {
            return Ok(Self { lock: log.try_clone()?, is_own: false });
        };
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let lock = options.mode(0o600).custom_flags(flags).open(named(head, ".lock"))?;
        Ok(Self { lock, is_own: true })
    }

    /// Waits for it, but not for ever.
    pub(super) fn take(&self) -> io::Result<Locked> {
        let end = Instant::now() + PATIENCE;
        let file = self.lock.try_clone()?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Locked(Some(file))),
                Err(TryLockError::WouldBlock) if Instant::now() < end => {
                    std::thread::sleep(BETWEEN);
                }
                Err(TryLockError::WouldBlock) => {
                    let what = "another process keeps it locked";
                    return Err(io::Error::new(ErrorKind::TimedOut, what));
                }
                // Not every file system has locks.
                Err(TryLockError::Error(_)) => return Ok(Locked(None)),
            }
        }
    }

    /// Notes that the chain is about to go from one place to another.
    pub(super) fn note(&self, before: &Chain, after: &Chain) -> io::Result<()> {
        if !self.is_own {
            return Ok(());
        }
        let both = format!("{}\n{}\n", Checkpoint(before.clone()), Checkpoint(after.clone()));
        // It is written over in place, so it needs no more room on the disk than it has.
        self.lock.write_all_at(format!("{both:<LENGTH$}").as_bytes(), 0)
    }

    /// Tells whether a process with the state folder has brought the chain there last, or was about
    /// to.
    pub(super) fn knows(&self, chain: &Chain) -> io::Result<bool> {
        Ok(self.noted()?.contains(chain))
    }

    /// Returns how far the chain has come at most, as far as it is noted.
    pub(super) fn furthest(&self) -> io::Result<Option<Chain>> {
        Ok(self.noted()?.pop())
    }

    fn noted(&self) -> io::Result<Vec<Chain>> {
        if !self.is_own {
            return Ok(Vec::new());
        }
        let mut bytes = [0; LENGTH];
        let read = self.lock.read_at(&mut bytes, 0)?;
        let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
        Ok(text.lines().filter_map(Checkpoint::parse).map(|noted| noted.0).collect())
    }
}

/// The right to write, until it is dropped.
pub(super) struct Locked(Option<File>);

impl Drop for Locked {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            // It goes with the file otherwise.
            let _ = file.unlock();
        }
    }
}

/// Two checkpoints: 22 letters, 20 digits and 43 letters each, with what is between.
const LENGTH: usize = 192;
/// How long another process is waited for that writes just now.
const PATIENCE: Duration = Duration::from_secs(2);
const BETWEEN: Duration = Duration::from_millis(2);
