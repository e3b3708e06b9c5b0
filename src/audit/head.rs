//! How far a chain has come, noted in a file of its own: what is cut off of the log later shows.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::chain::Checkpoint;
use crate::base::private;

/// What was noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// How far the chain had come.
    pub checkpoint: Checkpoint,
    /// Whether nothing follows: the process came to its end.
    pub is_closed: bool,
}

/// Reads it; nothing when there is no such file.
///
/// # Errors
/// What the system says, and when it is damaged.
pub fn read(path: &Path) -> io::Result<Option<Noted>> {
    let Some(bytes) = private::read(path)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    let noted = text.trim_end().split_once(' ').and_then(|(checkpoint, word)| {
        let checkpoint = Checkpoint::parse(checkpoint)?;
        Some(Noted { checkpoint, is_closed: word == CLOSED })
    });
    let damaged = || {
        let what = format!("{}: no checkpoint: move it away", path.display());
        io::Error::new(ErrorKind::InvalidData, what)
    };
    noted.map(Some).ok_or_else(damaged)
}

pub(super) fn write(path: &Path, noted: &Noted) -> io::Result<()> {
    let word = if noted.is_closed { CLOSED } else { "open" };
    private::write(path, format!("{} {word}\n", noted.checkpoint).as_bytes())
}

const CLOSED: &str = "closed";
