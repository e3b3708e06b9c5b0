//! The audit log: who was signed in, what was refused and why, what operators did. For years, so
//! that a change of it shows.
//!
//! 1. A record is a line of JSON with a published schema ([`record`]). It has no name and no
//!    identifier of a person: a person is a pseudonym that needs a key ([`keys`]).
//! 2. Each record names the digest of the one before it, and some are signed ([`chain`]): a change, a
//!    removal, an insertion shows ([`verify`]). A chain goes on over files and restarts; each replica
//!    has its own.
//! 3. No request waits for it. Records wait in a queue of so many bytes for a thread of their own
//!    (`queue`, `writer`); what has no room is counted and said in the chain. Where records are
//!    `required`, no login begins while they cannot be written ([`AuditLog::takes_logins`]).
//! 4. What can be seen of the end of a newest file: everything up to the last signature, or up to a
//!    checkpoint that was kept elsewhere. Records that are cut off behind both leave no trace.
//!
//! What could break it in deployment: a full disk or a log of the system that takes nothing (records
//! wait, then logins are refused or records lost, as the configuration says), and the loss of the
//! keys (records stay verifiable by the public key, persons are not found any more).

pub mod chain;
mod ear;
pub mod head;
pub mod keys;
mod log;
mod own;
mod queue;
pub mod record;
pub mod search;
mod settings;
mod strangers;
mod target;
pub mod verify;
mod writer;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

pub use self::log::{AuditLog, Status};
pub use self::own::{Bounds, Error as OwnError, Part, Place};
pub use self::settings::{File, Settings, Stream, Sync, Syslog, Target};

/// Returns the files of a log: the one that is written, and those that gave way to it.
///
/// # Errors
/// What the system says of their folder.
pub fn files_of(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = target::newest_first(path)?;
    if path.exists() {
        found.push(path.to_owned());
    }
    Ok(found)
}

/// Returns the name of the machine, by which a replica is known when it has no other name.
#[must_use]
pub fn host_name() -> String {
    target::host_name()
}
