//! Opens files that others hand over: of no kind of file does reading wait for ever.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::OFlags;

/// Reads at most one byte more than `most` of a file, so that one that is longer is told apart.
///
/// A pipe is read while somebody writes to it (`<(command)` of a shell), and for ten seconds at most.
///
/// # Errors
/// What the system says; for a pipe without a writer, a folder or a socket, what it is.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder, not a file"));
    }
    if kind.is_fifo() {
        return from_pipe(file, most);
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn from_pipe(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = file.take(most + 1);
    for _ in 0..LOOKS {
        match file.read_to_end(&mut bytes) {
            Ok(_) if bytes.is_empty() => {
                let what = "it is a pipe to which nobody writes";
                return Err(io::Error::new(ErrorKind::InvalidInput, what));
            }
            Ok(_) => return Ok(bytes),
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    let what = format!("it is a pipe, and its writer said no more for {PATIENCE:?}");
    Err(io::Error::new(ErrorKind::TimedOut, what))
}

/// How long the writer of a pipe may take.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);
const LOOKS: u128 = PATIENCE.as_millis() / PAUSE.as_millis();
