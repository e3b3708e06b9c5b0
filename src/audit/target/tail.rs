//! The end of a file of records: where its chain has come to, and a half line that a process left
//! which was killed.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::super::chain::Chain;
use super::super::record::{Kind, MOST};
use crate::base::rights::folder_of;

/// How a file ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// It has no line.
    Empty,
    /// Its last whole line is that record.
    Record(Chain, Kind),
    /// Its last whole line is no record.
    Foreign,
}

/// Returns how a file ends, and where its last whole line does.
pub(super) fn read(file: &File) -> io::Result<(Tail, u64)> {
    let length = file.metadata()?.len();
    let Some(end) = line_end_before(file, length)? else { return Ok((Tail::Empty, 0)) };
    // The line that ends there begins behind the end of the one before.
    let from = end.saturating_sub(MOST as u64 + 2);
    let mut bytes = vec![0; usize::try_from(end - from).unwrap_or_default()];
    file.read_exact_at(&mut bytes, from)?;
    bytes.pop();
    let begin = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let tail = match Chain::after(&bytes[begin..]) {
        Some((chain, kind)) => Tail::Record(chain, kind),
        None => Tail::Foreign,
    };
    Ok((tail, end))
}

/// Returns where the last line before that place ends.
fn line_end_before(file: &File, length: u64) -> io::Result<Option<u64>> {
    let mut piece = vec![0; PIECE];
    let mut end = length;
    while end > 0 {
        let begin = end.saturating_sub(PIECE as u64);
        let piece = &mut piece[..usize::try_from(end - begin).unwrap_or_default()];
        file.read_exact_at(piece, begin)?;
        if let Some(at) = piece.iter().rposition(|&byte| byte == b'\n') {
            return Ok(Some(begin + at as u64 + 1));
        }
        end = begin;
    }
    Ok(None)
}

/// Returns the date of the first record of a file (`YYYY-MM-DD`), if it has one.
pub(super) fn first_day(mut file: &File) -> io::Result<Option<String>> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.take(MOST as u64).read_to_end(&mut bytes)?;
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let record = super::super::record::Record::parse(line);
    Ok(record.and_then(|record| record.time.get(..10).map(str::to_owned)))
}

/// Returns the files that were a log before: those beside it whose names begin with its own, the one
/// written last first.
///
/// # Errors
/// What the system says of the folder.
pub(in crate::audit) fn newest_first(path: &Path) -> io::Result<Vec<PathBuf>> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder_of(path))? {
        let entry = entry?;
        let is_one = entry.file_name().to_str().is_some_and(|other| {
            other.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '-']))
                && !other.ends_with(TORN)
        });
        let facts = entry.metadata()?;
        if is_one && facts.is_file() && facts.len() > 0 {
            found.push((facts.modified()?, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().rev().map(|(_, path)| path).collect())
}

/// Returns a path with more behind its name.
pub(super) fn named(path: &Path, behind: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(behind);
    name.into()
}

/// What is behind the name of a log whose half lines are set aside there.
pub(in crate::audit) const TORN: &str = ".torn";
/// What is in the name of a file that was found in the place of ours and moved away.
pub(in crate::audit) const ASIDE: &str = ".aside-";

const PIECE: usize = 64 * 1024;
