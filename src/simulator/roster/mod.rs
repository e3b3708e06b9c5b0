//! Who can sign in: the people that come with the simulator, and those of a file.
//!
//! 1. The file is looked at whenever people are asked for, so what was changed in it is there at the
//!    next login.
//! 2. A file that became wrong changes nobody: those of before stay, and pages and log say why.
//! 3. A person of the file stands in place of one of ours with the same key.

mod entry;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) use self::entry::{read as read_person, read_faults};
use super::people::{PEOPLE, Person};
use super::sheet::{self, Sheet};
use crate::config::{Problems, Severity};

/// The people of now, and what is wrong with the file if it cannot be used.
#[derive(Debug, Clone)]
pub(super) struct People {
    pub(super) list: Arc<[Arc<Person>]>,
    pub(super) trouble: Option<Arc<str>>,
}

impl People {
    /// Finds a person by key.
    pub(super) fn find(&self, key: &str) -> Option<Arc<Person>> {
        self.list.iter().find(|person| person.key == key).cloned()
    }
}

/// Everybody who can sign in.
pub(super) struct Roster {
    file: Option<PathBuf>,
    known: Mutex<Known>,
}

struct Known {
    /// What stood in the file when it was read last.
    text: Option<Vec<u8>>,
    people: People,
}

impl Roster {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// When it cannot be used.
    pub(super) fn open(file: Option<PathBuf>) -> Result<Self, Problems> {
        let (text, list) = match &file {
            None => (None, PEOPLE.iter().cloned().map(Arc::new).collect()),
            Some(path) => {
                let text = sheet::read(path)?;
                let list = read(path, &text)?;
                (Some(text), list)
            }
        };
        let people = People { list, trouble: None };
        Ok(Self { file, known: Mutex::new(Known { text, people }) })
    }

    /// Returns the people of now.
    pub(super) fn people(&self) -> People {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &self.file {
            known.look_at(path);
        }
        known.people.clone()
    }
}

impl Known {
    fn look_at(&mut self, path: &Path) {
        let text = sheet::read(path);
        if text.is_ok() && text.as_ref().ok() == self.text.as_ref() {
            return;
        }
        if text.is_err() {
            self.text = None;
        }
        self.people.trouble = match text.and_then(|text| {
            let list = read(path, &text);
            self.text = Some(text);
            list
        }) {
            Ok(list) => {
                tracing::info!(people = list.len(), "file of persons was read again");
                self.people.list = list;
                None
            }
            Err(problems) => {
                let said: Arc<str> = problems.to_string().into();
                if self.people.trouble.as_ref() != Some(&said) {
                    tracing::warn!(problems = %said, "file of persons is wrong; those of before stay");
                }
                Some(said)
            }
        };
    }
}

/// Reads the people of a file, and ours unless it says `built_in = false`.
fn read(path: &Path, text: &[u8]) -> Result<Arc<[Arc<Person>]>, Problems> {
    let mut sheet = Sheet::parse(path, text)?;
    let mut root = sheet.root();
    let with_ours = root.switch("built_in").unwrap_or(true);
    root.pass_over("person");
    root.end();
    let mut found: Vec<Arc<Person>> = Vec::new();
    sheet.each("person", |reader| {
        let person = entry::read(reader)?;
        if found.iter().any(|other| other.key == person.key) {
            let advice = "give each person a key of their own";
            reader.refuse("key", &format!("is there twice: {:?}", person.key), advice);
        }
        found.push(Arc::new(person));
        Some(())
    });
    if found.is_empty() && !with_ours {
        let what = "has nobody, and built_in is false";
        sheet.root().refuse("built_in", what, "add [[person]], or take built_in away");
    }
    let ((), warnings) = sheet.finish(())?;
    for warning in warnings.iter().filter(|problem| problem.severity == Severity::Warning) {
        tracing::warn!(warning = %warning, "file of persons");
    }
    let ours = PEOPLE.iter().filter(|_| with_ours);
    let ours = ours.filter(|person| found.iter().all(|other| other.key != person.key));
    let ours: Vec<_> = ours.cloned().map(Arc::new).collect();
    Ok(found.into_iter().chain(ours).collect())
}
