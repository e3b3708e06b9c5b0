//! How many files and sockets the process may have open at once (`RLIMIT_NOFILE`).
//!
//! Systems start a process with few, for the sake of old programs that use `select`, and let it
//! have more when it asks. A process that has none left can accept no client and open no file.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Takes all that the process may have.
///
/// # Errors
/// What the system says; then the limit is as it was.
pub fn raise() -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(())
}

/// Returns how many there can be after [`raise`]; `None` when there is no limit.
#[must_use]
pub fn most() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}
