//! The lines of a file, one at a time and never more of one than a record has.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use rustix::fs::OFlags;

use super::super::record::MOST;
use super::super::target::TORN;

/// What is read: plain, or packed by `gzip`.
pub(in crate::audit) struct Lines {
    reader: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
}

/// A line of a file.
pub(in crate::audit) struct Line<'l> {
    /// From 1 on.
    pub(in crate::audit) number: u64,
    /// Its bytes without its end; the first ones of a line that is too long.
    pub(in crate::audit) bytes: &'l [u8],
    /// Whether it is longer than any record.
    pub(in crate::audit) is_too_long: bool,
    /// Whether it has an end.
    pub(in crate::audit) is_whole: bool,
}

impl Lines {
    /// Opens a file; a pipe is read as well.
    ///
    /// # Errors
    /// What the system says.
    pub(in crate::audit) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        Self::of(file)
    }

    fn of(file: impl Read + 'static) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(BUFFER, file);
        let is_packed = reader.fill_buf()?.starts_with(&GZIP);
        let reader: Box<dyn BufRead> = if is_packed {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(reader)))
        } else {
            Box::new(reader)
        };
        Ok(Self { reader, line: Vec::new(), number: 0 })
    }

    /// Reads the next line.
    ///
    /// # Errors
    /// What the system says, and when what is packed is damaged.
    pub(in crate::audit) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let (mut is_too_long, mut is_whole, mut is_some) = (false, false, false);
        while !is_whole {
            let piece = match self.reader.fill_buf() {
                Ok(piece) => piece,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if piece.is_empty() {
                break;
            }
            is_some = true;
            let end = memchr::memchr(b'\n', piece);
            let taken = end.map_or(piece.len(), |end| end + 1);
            let bytes = &piece[..end.unwrap_or(piece.len())];
            let room = MOST + 1 - self.line.len();
            is_too_long |= bytes.len() >= room;
            self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
            is_whole = end.is_some();
            self.reader.consume(taken);
        }
        if !is_some {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(Line { number: self.number, bytes: &self.line, is_too_long, is_whole }))
    }
}

/// Returns the files that are meant: a folder is those in it that begin with a record.
///
/// # Errors
/// Of the first one that cannot be read.
pub(in crate::audit) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let failed = |error| (path.clone(), error);
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && looks_like_one(&entry.path()) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Tells whether a file of a folder has records: by its first bytes, so that a damaged one is not
/// passed over.
fn looks_like_one(path: &Path) -> bool {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    if path.as_os_str().as_encoded_bytes().ends_with(TORN.as_bytes()) {
        return false;
    }
    let Ok(file) = OpenOptions::new().read(true).custom_flags(flags).open(path) else {
        // It is told when it is read.
        return true;
    };
    let name = path.as_os_str().to_string_lossy();
    let Ok(mut lines) = Lines::of(file.take(BUFFER as u64)) else { return false };
    match lines.next() {
        Ok(Some(line)) => {
            line.bytes.starts_with(b"{\"version\":")
                && line.bytes.windows(7).any(|w| w == b"\"chain\"")
        }
        // An empty one has nothing, and of one that is packed and cut the first line is missing.
        Ok(None) => false,
        Err(_) => name.ends_with(".gz"),
    }
}

const GZIP: [u8; 2] = [0x1f, 0x8b];
const BUFFER: usize = 64 * 1024;
