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

/// Reads all of a file, of at most [`LARGEST`] bytes.
///
/// # Errors
/// As [`read`], and when it is longer.
pub fn read_all(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = read(path, LARGEST)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it has more than 4 MiB"));
    }
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

/// The most bytes that are read of a file as a whole.
pub const LARGEST: u64 = 4 * 1024 * 1024;
/// How long the writer of a pipe may take.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);
const LOOKS: u128 = PATIENCE.as_millis() / PAUSE.as_millis();

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn neither_a_pipe_nor_a_file_without_end_holds_the_reader() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), "text").unwrap();
        let long = File::create(path("long")).unwrap();
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        long.set_len(LARGEST).unwrap();
        assert_eq!(read_all(&path("long")).unwrap().len() as u64, LARGEST);
        long.set_len(LARGEST + 1).unwrap();
        assert_eq!(read_all(&path("file")).unwrap(), b"text");
        for (name, why) in [
            ("long", "more than 4 MiB"),
            ("pipe", "nobody writes"),
            (".", "it is a folder"),
            ("/dev/zero", "more than 4 MiB"),
            ("nowhere", "No such file"),
        ] {
            let error = read_all(&path(name)).unwrap_err().to_string();
            assert!(error.contains(why), "{name}: {error}");
        }
    }
}
