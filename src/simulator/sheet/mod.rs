//! Files that a team writes for the simulator: persons, service providers, recorded logins.
//!
//! 1. TOML, or JSON when the name ends in `.json`: the same keys either way.
//! 2. Everything that is wrong is told at once, each with file, line, key and what to do, in the
//!    form in which the gateway tells what is wrong with its configuration.
//! 3. A key that is not known is an error: it was meant to do something.

mod json;
mod reader;
#[cfg(test)]
mod tests;

use std::path::Path;

use toml::{Table, Value};

use crate::base::handed;
use crate::config::document::Document;
use crate::config::{Places, Problems, SourceLocation};
use crate::simulator::bounds::{SHEET_BYTES, SHEET_ENTRIES};

pub(super) use reader::Reader;

/// What stands in a file, with the line of each key.
pub(super) struct Sheet {
    tree: Table,
    places: Places,
    problems: Problems,
}

impl Sheet {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is too large, or is no TOML or JSON.
    pub(super) fn open(path: &Path) -> Result<Self, Problems> {
        Self::parse(path, &read(path)?)
    }

    /// Reads what stands in the file of that name.
    ///
    /// # Errors
    /// When it is no text, or no TOML or JSON.
    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Problems> {
        let name = path.display().to_string();
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(whole(&name, "is not UTF-8 text", "save the file as UTF-8"));
        };
        let is_json = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
        let Document { tree, places } =
            if is_json { json::parse(&name, text)? } else { Document::parse(&name, text)? };
        Ok(Self { tree, places, problems: Problems::default() })
    }

    /// Reads the keys of the file itself.
    pub(super) fn root(&mut self) -> Reader<'_> {
        Reader::new(&self.tree, String::new(), &self.places, &mut self.problems)
    }

    /// Reads each table of a list, such as those under `[[person]]`.
    pub(super) fn each<T>(
        &mut self,
        list: &str,
        mut read: impl FnMut(&mut Reader<'_>) -> Option<T>,
    ) -> Vec<T> {
        let place = self.places.place_of(list);
        let entries = match self.tree.get(list) {
            None => return Vec::new(),
            Some(Value::Array(entries)) if entries.len() <= SHEET_ENTRIES => entries,
            Some(Value::Array(_)) => {
                let what = format!("has more than {SHEET_ENTRIES} entries");
                self.problems.push_error(place, list, what, "split the file");
                return Vec::new();
            }
            Some(_) => {
                let advice = format!("write [[{list}]] for each");
                self.problems.push_error(place, list, "is no list of tables", advice);
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let name = format!("{list}[{index}]");
            let Value::Table(table) = entry else {
                let place = self.places.place_of(&name);
                self.problems.push_error(place, name, "is no table", "write its keys and values");
                continue;
            };
            let mut reader = Reader::new(table, name, &self.places, &mut self.problems);
            found.extend(read(&mut reader));
            reader.end();
        }
        found
    }

    /// Returns what was found, with warnings.
    ///
    /// # Errors
    /// When anything was wrong.
    pub(super) fn finish<T>(self, found: T) -> Result<(T, Problems), Problems> {
        if self.problems.has_errors() { Err(self.problems) } else { Ok((found, self.problems)) }
    }
}

/// Reads a file, bounded.
///
/// # Errors
/// When it cannot be read or is too large.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Problems> {
    let name = path.display().to_string();
    let bytes = handed::read(path, SHEET_BYTES).map_err(|error| {
        let what = format!("cannot be read: {error}");
        whole(&name, &what, "check the path, and that the program may read the file")
    })?;
    if bytes.len() as u64 > SHEET_BYTES {
        return Err(whole(&name, &format!("has more than {SHEET_BYTES} bytes"), "split the file"));
    }
    Ok(bytes)
}

/// Says something of a file as a whole.
pub(super) fn whole(name: &str, what: &str, advice: &str) -> Problems {
    let mut problems = Problems::default();
    problems.push_error(SourceLocation::file(name), "", what, advice);
    problems
}
