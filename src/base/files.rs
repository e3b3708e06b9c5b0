//! Reads a file that a configuration names: as a whole, within bounds, and without waiting.
//!
//! A pipe or a device in its place would be waited for, and whoever waits for it can be told nothing
//! any more.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// The most bytes of a file that a configuration names: authorities of a whole system are a quarter of
/// one million.
pub const MOST: u64 = 16 * 1024 * 1024;

/// Reads a file of at most so many bytes. Links are followed.
///
/// # Errors
/// What the system says; and what is no file, such as a pipe, or is longer.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // A pipe is opened without a writer, and so can be looked at.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        return Err(io::Error::other("it is no file, but a pipe or a device"));
    }
    let mut bytes = Vec::with_capacity(found.len().min(most).try_into().unwrap_or(0));
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let what = match most / (1024 * 1024) {
            0 => format!("it is larger than {most} bytes"),
            mebibytes => format!("it is larger than {mebibytes} MiB"),
        };
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_read_and_nothing_else_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), b"12345678").unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        for name in ["file", "link"] {
            assert_eq!(read(&path(name), 8).unwrap(), b"12345678");
            assert!(read(&path(name), 7).unwrap_err().to_string().contains("larger than 7 bytes"));
        }
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), kind, mode, 0).unwrap();
        for pipe in [path("pipe"), "/dev/zero".into(), "/dev/null".into()] {
            assert!(read(&pipe, MOST).unwrap_err().to_string().contains("no file"), "{pipe:?}");
        }
        assert_eq!(read(folder.path(), MOST).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(read(&path("absent"), MOST).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
