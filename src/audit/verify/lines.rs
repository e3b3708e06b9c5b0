//! The lines of a file, one at a time and never more of one than a record has.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use rustix::fs::OFlags;

use super::super::record::MOST;
use super::super::target::{ASIDE, TORN};
use super::finding::Unreadable;

/// What is read: plain, or packed by `gzip`.
pub(in crate::audit) struct Lines {
    reader: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
    offset: u64,
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

    /// Reads from an offset on, which counts the bytes as they are unpacked.
    ///
    /// # Errors
    /// What the system says, and when what is packed is damaged.
    pub(in crate::audit) fn at(mut file: File, offset: u64) -> io::Result<Self> {
        let mut begin = [0; GZIP.len()];
        let is_packed = file.read_exact(&mut begin).is_ok() && begin == GZIP;
        file.seek(SeekFrom::Start(if is_packed { 0 } else { offset }))?;
        // What begins in the middle is no beginning of something packed.
        let mut lines = if is_packed || offset == 0 {
            Self::of(file)?
        } else {
            let reader = Box::new(BufReader::with_capacity(BUFFER, file));
            Self { reader, line: Vec::new(), number: 0, offset: 0 }
        };
        if is_packed {
            io::copy(&mut lines.reader.by_ref().take(offset), &mut io::sink())?;
        }
        lines.offset = offset;
        Ok(lines)
    }

    /// Returns where the next line begins.
    pub(in crate::audit) fn offset(&self) -> u64 {
        self.offset
    }

    fn of(file: impl Read + 'static) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(BUFFER, file);
        let is_packed = reader.fill_buf()?.starts_with(&GZIP);
        let reader: Box<dyn BufRead> = if is_packed {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(reader)))
        } else {
            Box::new(reader)
        };
        Ok(Self { reader, line: Vec::new(), number: 0, offset: 0 })
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
            self.offset += taken as u64;
        }
        if !is_some {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(Line { number: self.number, bytes: &self.line, is_too_long, is_whole }))
    }
}

/// The files that are meant.
#[derive(Debug, Default)]
pub(in crate::audit) struct Found {
    pub(in crate::audit) files: Vec<PathBuf>,
    /// What else is in the folders.
    pub(in crate::audit) left_out: Vec<PathBuf>,
}

/// Returns the files that are meant: a folder is those in it that have a record near their begin,
/// and those that are named like one of these, whatever is in them.
///
/// # Errors
/// Of the first one that cannot be read.
pub(in crate::audit) fn files(paths: &[PathBuf]) -> Result<Found, Unreadable> {
    let mut found = Found::default();
    for path in paths {
        if !path.is_dir() {
            found.files.push(path.clone());
            continue;
        }
        let (mut files, mut others) = (Vec::new(), Vec::new());
        let failed = |source| Unreadable { file: path.clone(), source };
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type();
            if kind.as_ref().is_ok_and(std::fs::FileType::is_dir) {
                continue;
            }
            if kind.is_ok_and(|kind| kind.is_file()) {
                let list = if looks_like_one(&entry.path()) { &mut files } else { &mut others };
                list.push(entry.path());
            } else {
                found.left_out.push(entry.path());
            }
        }
        let bases: BTreeSet<String> = files.iter().map(|path| base(&name_of(path))).collect();
        for path in others {
            let is_one = is_named_like_one(&name_of(&path), &bases);
            let list = if is_one { &mut files } else { &mut found.left_out };
            list.push(path);
        }
        found.files.append(&mut files);
    }
    for list in [&mut found.files, &mut found.left_out] {
        list.sort();
        list.dedup();
    }
    Ok(found)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the name that a file had before it gave way to another, and the number of its last
/// record, as its name says them: `NAME.20310504T220000Z-NUMBER`, packed or not.
pub(super) fn gave_way(name: &str) -> Option<(&str, u64)> {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let (before, number) = name.rsplit_once("Z-")?;
    let (before, time) = before.rsplit_once('.')?;
    let is_time = time.len() == 15 && time.as_bytes()[8] == b'T';
    is_time.then_some((before, number.parse().ok()?))
}

/// Returns the name of the log that a file is or was, as far as that is seen by its own.
fn base(name: &str) -> String {
    if let Some((before, _)) = gave_way(name) {
        return before.to_owned();
    }
    let name = name.strip_suffix(".gz").unwrap_or(name);
    // As logrotate names them.
    let numbered = name.rsplit_once(['.', '-']).filter(|(before, number)| {
        !before.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    numbered.map_or(name, |(before, _)| before).to_owned()
}

/// Tells whether a file is of a log, by its name and those of the log's other files.
fn is_named_like_one(name: &str, bases: &BTreeSet<String>) -> bool {
    if name.ends_with(TORN) || name.contains(ASIDE) {
        return false;
    }
    let own = base(name);
    let goes_on = |long: &str, short: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    };
    gave_way(name).is_some()
        || bases.iter().any(|other| goes_on(&own, other) || goes_on(other, &own))
}

/// Tells whether a file of a folder has records: by any line near its begin, so that one whose first
/// bytes are damaged is not passed over.
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
    let mut is_first = true;
    loop {
        match lines.next() {
            Ok(Some(line)) => {
                let has_chain = line.bytes.windows(7).any(|w| w == b"\"chain\"");
                if has_chain && line.bytes.starts_with(b"{\"version\":") {
                    return true;
                }
            }
            Ok(None) => return false,
            // Of one that is packed and cut or damaged there may be no line. Any other comes to the end
            // of what is looked at.
            Err(_) => return is_first && name.ends_with(".gz"),
        }
        is_first = false;
    }
}

const GZIP: [u8; 2] = [0x1f, 0x8b];
const BUFFER: usize = 64 * 1024;
