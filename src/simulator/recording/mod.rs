//! Logins that are recorded to a folder, and played back in order.
//!
//! 1. A record has the outcome: who signed in or which status came, by which way, at which level,
//!    with which faults. The answer and the assertion stand beside it for people to read.
//! 2. What is played back is the outcome alone. Everything else is made anew, for whoever asks:
//!    identifiers, times, artifact, signatures, encryption, recipient and audience; and only the
//!    attributes that the present request asks for are told.
//! 3. Files are for their owner only, and there are at most so many: the oldest goes.

mod record;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

pub(super) use self::record::{Around, Ended, Record};
use super::bounds::RECORDS;
use super::sheet::{self, whole};
use crate::base::private;
use crate::config::Problems;

/// Writes logins to a folder.
#[derive(Debug)]
pub(super) struct Recorder {
    folder: PathBuf,
    /// The numbers of the files that are there, in order.
    numbers: Mutex<VecDeque<u64>>,
}

impl Recorder {
    /// Makes the folder, unless it is there; what is in it stays.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        private::make_folder(&folder)?;
        let numbers = files(&folder)?.into_iter().map(|(number, _)| number).collect();
        Ok(Self { folder, numbers: Mutex::new(numbers) })
    }

    /// Writes a login. What cannot be written is told in the log, and the login goes on.
    pub(super) fn write(&self, record: &Record, around: Around<'_>) {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(number) = numbers.back().map_or(Some(1), |last: &u64| last.checked_add(1)) else {
            tracing::error!("login could not be recorded: the last number is taken");
            return;
        };
        let path = |number: u64| self.folder.join(name(number));
        let written = private::write(&path(number), record.write(around).as_bytes());
        if let Err(error) = written {
            let path = path(number);
            tracing::error!(path = %path.display(), %error, "login could not be recorded");
            return;
        }
        numbers.push_back(number);
        while numbers.len() > RECORDS {
            if let Some(oldest) = numbers.pop_front() {
                // One that somebody else took away is gone as well.
                let _ = fs::remove_file(path(oldest));
            }
        }
    }
}

/// Recorded logins that wait to be played back, in the order in which they were recorded.
#[derive(Debug, Default)]
pub(super) struct Replay(Mutex<VecDeque<Record>>);

impl Replay {
    /// Reads the records of a folder, all of them at once.
    ///
    /// # Errors
    /// When the folder cannot be read, has no record or too many, or one of them is wrong.
    pub(super) fn open(folder: &Path) -> Result<Self, Problems> {
        let shown = folder.display().to_string();
        let found = files(folder).map_err(|error| {
            let advice = "name the folder that --record was given";
            whole(&shown, &format!("cannot be read: {error}"), advice)
        })?;
        if found.is_empty() || found.len() > RECORDS {
            let what = format!("has {} recorded logins", found.len());
            let advice = format!("name a folder with 1 to {RECORDS} files login-NUMBER.json");
            return Err(whole(&shown, &what, &advice));
        }
        let mut records = VecDeque::new();
        let mut problems = Problems::default();
        for (_, path) in found {
            match sheet::read(&path).and_then(|bytes| Record::read(&path, &bytes)) {
                Ok(record) => records.push_back(record),
                Err(wrong) => problems.append(wrong),
            }
        }
        if problems.is_empty() { Ok(Self(Mutex::new(records))) } else { Err(problems) }
    }

    /// Takes the next one; nothing when all were played back.
    pub(super) fn next(&self) -> Option<Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Returns how many are left.
    pub(super) fn left(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn name(number: u64) -> String {
    format!("login-{number:06}.json")
}

/// Returns the records of a folder by number; whatever else is there is none of ours.
fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| {
            let number = name.to_str()?.strip_prefix("login-")?.strip_suffix(".json")?;
            number.parse::<u64>().ok().filter(|_| number.bytes().all(|b| b.is_ascii_digit()))
        });
        found.extend(number.map(|number| (number, path)));
    }
    found.sort();
    Ok(found)
}
