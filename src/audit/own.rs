//! What is found in the files of this gateway's own log while it is written: part by part, each bounded
//! in time, in bytes that are read and in records that are told.
//!
//! 1. Files are opened to be read and never locked, and a reader rests as long as it reads: whoever
//!    writes the log, and whoever serves citizens, is not held up.
//! 2. A part ends with a [`Place`], from which the next one goes on, also when the file has another
//!    name by then. When it is gone or packed, that is said: nothing is passed over in silence.
//! 3. A file whose records are all older or newer than what is asked for is not read.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::files_of;
use super::record::Record;
use super::search::{Query, Read};
use super::verify::Lines;
use crate::base::clock::Time;

/// How much one part may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The most records.
    pub records: usize,
    /// The most bytes of their lines; one record is told whatever its length.
    pub bytes: usize,
    /// The most bytes that are read, as they are unpacked.
    pub scanned: u64,
    /// How long it may take.
    pub time: Duration,
}

/// Where a part ended: behind a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, whatever it is called.
    inode: u64,
    /// Where the record begins in it.
    offset: u64,
    /// Which record it is.
    chain: String,
    sequence: u64,
}

/// A part of what is found.
#[derive(Debug, Default)]
pub struct Part {
    /// The lines of the records that fit, the oldest first.
    pub lines: Vec<Vec<u8>>,
    /// How much was read.
    pub read: Read,
    /// Files of which something could not be read.
    pub unreadable: Vec<(PathBuf, io::Error)>,
    /// Where to go on; none when everything was read.
    pub next: Option<Place>,
}

/// Why there is no part.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place to go on from is not there any more.
    #[error("the file in which the part before ended was packed, cut or taken away")]
    Gone,
    /// The folder of the log cannot be read.
    #[error("the folder of the audit log cannot be read")]
    Folder(#[source] io::Error),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inode, offset, chain, sequence } = self;
        write!(f, "{inode}.{offset}.{chain}.{sequence}")
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(());
        let place = Self {
            inode: next()?.parse().map_err(drop)?,
            offset: next()?.parse().map_err(drop)?,
            chain: next()?.to_owned(),
            sequence: next()?.parse().map_err(drop)?,
        };
        let is_whole = place.to_string() == text && crate::base::random::is_handle(&place.chain);
        is_whole.then_some(place).ok_or(())
    }
}

/// Finds the records that fit, from behind a place on, or from the oldest file on.
///
/// # Errors
/// When the folder cannot be read, or the place is not there any more.
pub(super) fn find(
    path: &Path,
    query: &Query,
    after: Option<&Place>,
    bounds: &Bounds,
) -> Result<Part, Error> {
    let mut search = Search::begin(query, bounds);
    let mut done: Vec<u64> = Vec::new();
    if let Some(place) = after {
        let files = files(path)?;
        let at = files.iter().position(|file| file.inode == place.inode).ok_or(Error::Gone)?;
        let mut lines = open_at(&files[at], place.offset).ok().flatten().ok_or(Error::Gone)?;
        let is_there = match lines.next() {
            Ok(Some(line)) => Record::parse(line.bytes).is_some_and(|record| place.is_of(&record)),
            _ => false,
        };
        if !is_there {
            return Err(Error::Gone);
        }
        done.extend(files[..=at].iter().map(|file| file.inode));
        search.last = Some(place.clone());
        if search.read(&files[at], &mut lines) {
            return Ok(search.end());
        }
    }
    // What gives way to another file meanwhile has another name: they are looked up each time.
    loop {
        let files = files(path)?;
        let Some(at) = files.iter().position(|file| !done.contains(&file.inode)) else { break };
        let (file, next) = (&files[at], files.get(at + 1));
        if search.is_over() {
            return Ok(search.end());
        }
        match open_at(file, 0) {
            Ok(None) => continue,
            Ok(Some(mut lines)) => {
                done.push(file.inode);
                if file.may_fit(query, next) && search.read(file, &mut lines) {
                    return Ok(search.end());
                }
            }
            Err(error) => {
                done.push(file.inode);
                search.part.unreadable.push((file.path.clone(), error));
            }
        }
    }
    Ok(Part { next: None, ..search.end() })
}

/// A file of the log.
struct Known {
    path: PathBuf,
    inode: u64,
    /// When it was written last.
    written: i64,
}

impl Known {
    /// Tells whether it may have records of the time that is asked for, by the file that follows on it.
    fn may_fit(&self, query: &Query, next: Option<&Self>) -> bool {
        // Files may be copied and clocks be set: what is left out must be old by both.
        let is_before = |from: &Time| {
            let is_old = self.written < from.as_second() - LEEWAY;
            let next = next.filter(|_| is_old).and_then(Self::begins);
            next.is_some_and(|next| next.as_second() < from.as_second() - LEEWAY)
        };
        let is_after = |to: &Time| {
            self.begins().is_some_and(|begin| begin.as_second() > to.as_second() + LEEWAY)
        };
        !query.from.as_ref().is_some_and(is_before) && !query.to.as_ref().is_some_and(is_after)
    }

    /// Returns the time of its first record.
    fn begins(&self) -> Option<Time> {
        let mut lines = open_at(self, 0).ok()??;
        let first = lines.next().ok()??;
        Record::parse(first.bytes)?.time.parse().ok()
    }
}

impl Place {
    fn is_of(&self, record: &Record<'_>) -> bool {
        record.chain.as_deref() == Some(&*self.chain) && record.sequence == Some(self.sequence)
    }
}

/// Returns the files there are now, the oldest first.
fn files(path: &Path) -> Result<Vec<Known>, Error> {
    let known = |path: PathBuf| {
        // One that has gone meanwhile is not there.
        let facts = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
        Some(Known { inode: facts.ino(), written: facts.mtime(), path })
    };
    let mut files = files_of(path).map_err(Error::Folder)?;
    // All but the last, which is written now, are the newest first.
    let older = files.len().saturating_sub(usize::from(files.last().is_some_and(|l| l == path)));
    files[..older].reverse();
    Ok(files.into_iter().filter_map(known).collect())
}

/// Opens a file at an offset; nothing when another one has its name by now.
fn open_at(known: &Known, offset: u64) -> io::Result<Option<Lines>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(&known.path);
    let is_same = |file: &File| file.metadata().is_ok_and(|facts| facts.ino() == known.inode);
    match opened {
        Ok(file) if is_same(&file) => Lines::at(file, offset).map(Some),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A search that is under way.
struct Search<'q> {
    query: &'q Query,
    bounds: &'q Bounds,
    part: Part,
    bytes: usize,
    scanned: u64,
    begun: Instant,
    /// When it rested last, and how much had been read then.
    rested: (Instant, u64),
    last: Option<Place>,
}

impl<'q> Search<'q> {
    fn begin(query: &'q Query, bounds: &'q Bounds) -> Self {
        let now = Instant::now();
        let (part, bytes, scanned, last) = (Part::default(), 0, 0, None);
        Self { query, bounds, part, bytes, scanned, begun: now, rested: (now, 0), last }
    }

    /// Reads a file to its end, and tells whether a bound was met before.
    fn read(&mut self, file: &Known, lines: &mut Lines) -> bool {
        let (begin, mut has_records) = (lines.offset(), false);
        loop {
            let offset = lines.offset();
            let line = match lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => return false,
                Err(error) => {
                    self.part.unreadable.push((file.path.clone(), error));
                    return false;
                }
            };
            // The last one is being written.
            if !line.is_whole {
                return false;
            }
            let read = line.bytes.len();
            match Record::parse(line.bytes) {
                None => self.part.read.broken += 1,
                Some(record) => {
                    if self.query.fits(&record) {
                        let is_first = self.part.lines.is_empty();
                        if !is_first && self.bytes + read > self.bounds.bytes {
                            return true;
                        }
                        self.bytes += read;
                        self.part.lines.push(line.bytes.to_vec());
                    }
                    (has_records, self.part.read.records) = (true, self.part.read.records + 1);
                    self.last = Some(Place {
                        inode: file.inode,
                        offset,
                        chain: record.chain.as_deref().unwrap_or_default().to_owned(),
                        sequence: record.sequence.unwrap_or_default(),
                    });
                }
            }
            self.scanned += lines.offset() - offset;
            self.rest();
            if self.is_over() {
                return true;
            }
            // A part ends behind a record, so what has none is not read for ever.
            if !has_records && lines.offset() - begin > self.bounds.scanned {
                self.part
                    .unreadable
                    .push((file.path.clone(), io::Error::other("it has no records")));
                return false;
            }
        }
    }

    /// Tells whether a bound was met, and there is a place to go on from.
    fn is_over(&self) -> bool {
        let is_full = self.part.lines.len() >= self.bounds.records
            || self.scanned >= self.bounds.scanned
            || self.begun.elapsed() >= self.bounds.time;
        is_full && self.part.read.records > 0
    }

    /// Leaves the disk and the processor to others for as long as it had them.
    fn rest(&mut self) {
        let (since, before) = self.rested;
        if self.scanned - before >= PIECE {
            std::thread::sleep(since.elapsed());
            self.rested = (Instant::now(), self.scanned);
        }
    }

    fn end(mut self) -> Part {
        self.part.read.found = self.part.lines.len() as u64;
        Part { next: self.last, ..self.part }
    }
}

/// By how many seconds a record may be older or newer than it is in its turn, by a clock that was set.
const LEEWAY: i64 = 3600;
/// After so many bytes it rests.
const PIECE: u64 = 1024 * 1024;
