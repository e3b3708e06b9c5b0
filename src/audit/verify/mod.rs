//! Looks whether chains are as they were written. Files are read once, line by line; how large they
//! are does not matter.
//!
//! 1. Files are taken in the order of their first records, whatever their names are.
//! 2. Each line must be the one whose digest the next record names, each number one more than the
//!    last, each signature good.
//! 3. A chain begins with the signed record of a start, wherever that stands. One in which nothing
//!    is signed shows nothing, and passes for nothing.
//! 4. What is behind the last signature is chained, and not signed: who can write the file could
//!    have made all of it anew. The report says how much that is.

mod chain;
mod expected;
mod finding;
mod lines;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::record::Record;

use self::chain::Walk;
pub use self::expected::{Expected, Head};
pub use self::finding::{Fault, Finding, MOST, Note, Report, Seen, Unreadable};
use self::lines::Line;
pub(super) use self::lines::{Lines, files};

/// Looks at files, and at those in folders that have records or are named like one that has.
///
/// # Errors
/// When one cannot be read.
pub fn verify(paths: &[PathBuf], expected: &Expected) -> Result<Report, Unreadable> {
    let found = files(paths)?;
    let mut verifier = Verifier { expected, report: Report::default(), chains: BTreeMap::new() };
    for path in &found.left_out {
        verifier.report.note((path, 0), "not looked at: it is no file of records".to_owned());
    }
    for (_, path) in in_order(found.files)? {
        verifier.file(&path)?;
        verifier.report.files.push(path);
    }
    Ok(verifier.end())
}

/// Where a file belongs: its chain and its first number; what has none comes last.
type Position = (bool, String, u64);

fn in_order(paths: Vec<PathBuf>) -> Result<Vec<(Position, PathBuf)>, Unreadable> {
    let mut placed = Vec::new();
    for path in paths {
        let failed = |source| Unreadable { file: path.clone(), source };
        let mut lines = Lines::open(&path).map_err(failed)?;
        let mut place = (true, String::new(), 0);
        for _ in 0..MOST_LOOKED_AT {
            let Some(line) = lines.next().map_err(failed)? else { break };
            if let Some(record) = Record::parse(line.bytes) {
                let chain = record.chain.unwrap_or_default().into_owned();
                place = (false, chain, record.sequence.unwrap_or_default());
                break;
            }
        }
        placed.push((place, path));
    }
    placed.sort();
    Ok(placed)
}

struct Verifier<'l> {
    expected: &'l Expected,
    report: Report,
    chains: BTreeMap<String, Walk>,
}

impl Verifier<'_> {
    fn file(&mut self, path: &Path) -> Result<(), Unreadable> {
        let failed = |source| Unreadable { file: path.to_owned(), source };
        let mut lines = Lines::open(path).map_err(failed)?;
        let (mut last, mut broken) = (None::<(String, u64)>, 0);
        while let Some(line) = lines.next().map_err(failed)? {
            let at = (path, line.number);
            let Some(record) = self.record(&line, path) else {
                broken += 1;
                continue;
            };
            self.report.records += 1;
            let (Some(id), Some(sequence)) = (record.chain.as_deref(), record.sequence) else {
                continue;
            };
            if !self.chains.contains_key(id) {
                if self.chains.len() >= MOST_CHAINS {
                    let what = format!("more than {MOST_CHAINS} chains: this one is not looked at");
                    self.report.find(Fault::Inserted, at, what);
                    continue;
                }
                if last.is_some() && sequence != 1 {
                    let what = "a record of another chain is in the middle of this one".to_owned();
                    self.report.find(Fault::Inserted, at, what);
                } else if last.is_some() {
                    self.report.note(at, "another chain begins within this file".to_owned());
                }
                let walk = Walk::begin(&record, at, self.expected, &mut self.report);
                self.chains.insert(id.to_owned(), walk);
            }
            let is_first = last.is_none();
            last = Some((id.to_owned(), sequence));
            if let Some(walk) = self.chains.get_mut(id) {
                let step = chain::Step { line: line.bytes, record: &record, at, broken, is_first };
                walk.step(&step, self.expected, &mut self.report);
            }
            broken = 0;
        }
        self.check_name(path, last.map(|(_, last)| last));
        Ok(())
    }

    /// Reads a line, or says why it is no record.
    fn record<'r>(&mut self, line: &Line<'r>, path: &Path) -> Option<Record<'r>> {
        let at = (path, line.number);
        let record = Record::parse(line.bytes);
        if line.is_too_long {
            let what = "a line is longer than any record".to_owned();
            self.report.find(Fault::NotARecord, at, what);
            return None;
        }
        if !line.is_whole {
            let what = "the file ends in the middle of a line".to_owned();
            self.report.find(Fault::HalfLine, at, what);
            return None;
        }
        if record.is_none() {
            let what = match version(line.bytes) {
                Some(version) => format!("a record of version {version}, which is not known here"),
                None => "a line is no record".to_owned(),
            };
            self.report.find(Fault::NotARecord, at, what);
        }
        record
    }

    /// A file that gave way to another has the number of its last record in its name.
    fn check_name(&mut self, path: &Path, last: Option<u64>) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some((_, number)) = lines::gave_way(name)
            && Some(number) != last
        {
            let ends = last.map_or("has none".to_owned(), |last| format!("ends with {last}"));
            let what = format!("its name says that it ends with record {number}, it {ends}");
            self.report.find(Fault::SwappedFile, (path, 0), what);
        }
    }

    fn end(mut self) -> Report {
        for walk in self.chains.values() {
            let seen = walk.end(self.expected, &mut self.report);
            self.report.chains.push(seen);
        }
        for checkpoint in self.expected.ends() {
            if !self.chains.contains_key(&checkpoint.0.id) {
                let what = format!(
                    "there is no record of chain {}, which had come to {}",
                    checkpoint.0.id, checkpoint.0.sequence
                );
                self.report.find(Fault::Truncated, (Path::new(""), 0), what);
            }
        }
        if let Head::Missing(path) = &self.expected.head {
            let what =
                "what the gateway noted of the end of its chain is gone, and with it the means \
                        to see whether that was cut off"
                    .to_owned();
            self.report.find(Fault::Truncated, (path, 0), what);
        }
        if self.report.records == 0 && self.report.is_whole() {
            self.report.find(Fault::Removed, (Path::new(""), 0), "there is no record".to_owned());
        }
        if !self.report.is_whole() {
            self.report.chains.iter_mut().for_each(|seen| seen.checkpoint = None);
        }
        self.report
    }
}

/// Returns the version of something like a record that is not ours.
fn version(line: &[u8]) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_slice(line).ok()?;
    let version = value.get("version")?.as_u64()?;
    (version != u64::from(super::record::VERSION)).then_some(version)
}

/// How many lines of a file are looked at for its first record.
const MOST_LOOKED_AT: usize = 1000;
/// How many chains are told apart.
const MOST_CHAINS: usize = 10_000;
