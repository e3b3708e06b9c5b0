//! What a look at a chain found: where, and what it means.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", file.display())]
pub struct Unreadable {
    /// Its path.
    pub file: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A line is not the one that the record behind it names.
    Changed,
    /// Records are missing.
    Removed,
    /// A record stands where none belongs.
    Inserted,
    /// A record stands behind one that came later.
    Reordered,
    /// The chain ends before a checkpoint that was kept elsewhere, begins behind what the gateway
    /// noted last, or that note is gone.
    Truncated,
    /// A file does not begin where the one before it ended, or is not the one that its name says.
    SwappedFile,
    /// A line is no record.
    NotARecord,
    /// A line has no end: it was being written, or was cut.
    HalfLine,
    /// A signature does not hold, or its key is not known.
    Signature,
}

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong.
    pub fault: Fault,
    /// The file; empty when it concerns a chain as a whole.
    pub file: PathBuf,
    /// Its line, from 1 on; 0 when it concerns the whole file.
    pub line: u64,
    /// What was found, in a sentence.
    pub what: String,
}

/// Something that is worth knowing, and not wrong by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The file.
    pub file: PathBuf,
    /// Its line, from 1 on; 0 when it concerns the whole file.
    pub line: u64,
    /// What was found, in a sentence.
    pub what: String,
}

/// What became of one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its name.
    pub chain: String,
    /// The number of its first record here.
    pub first: u64,
    /// The number of its last record here.
    pub last: u64,
    /// The number of the last record whose signature holds; 0 when there is none.
    pub signed: u64,
    /// Its end, to be kept elsewhere: `CHAIN:SEQUENCE:DIGEST`. None when anything is wrong in what was
    /// looked at, so that nobody keeps the end of a forger's.
    pub checkpoint: Option<String>,
    /// Whether its last record says that the process came to its end.
    pub is_closed: bool,
    /// The public keys of its signatures, in base64url.
    pub keys: Vec<String>,
    /// Whether these keys are known from elsewhere, and not only from the records themselves.
    pub is_pinned: bool,
}

/// All that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Files that were read, in the order of their records.
    pub files: Vec<PathBuf>,
    /// Records in them.
    pub records: u64,
    /// Chains in them.
    pub chains: Vec<Seen>,
    /// What is wrong; the first [`MOST`] of it.
    pub findings: Vec<Finding>,
    /// How much more is wrong.
    pub more_findings: u64,
    /// What is worth knowing; the first [`MOST`] of it.
    pub notes: Vec<Note>,
    /// How much more is worth knowing.
    pub more_notes: u64,
}

impl Report {
    /// Tells whether nothing is wrong.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }

    /// Returns how much is wrong.
    pub(super) fn wrong(&self) -> u64 {
        self.findings.len() as u64 + self.more_findings
    }

    pub(super) fn find(&mut self, fault: Fault, (file, line): (&Path, u64), what: String) {
        if self.findings.len() < MOST {
            self.findings.push(Finding { fault, file: file.to_owned(), line, what });
        } else {
            self.more_findings += 1;
        }
    }

    pub(super) fn note(&mut self, (file, line): (&Path, u64), what: String) {
        if self.notes.len() < MOST {
            self.notes.push(Note { file: file.to_owned(), line, what });
        } else {
            self.more_notes += 1;
        }
    }
}

/// How much is told of what is wrong.
pub const MOST: usize = 1000;
