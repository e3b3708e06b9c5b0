//! Where a key was written: a line of the file, or an environment variable.
//!
//! Keys are named as in `node.certificates`, `route[1].path`. Numbers count from zero.

use std::{collections::BTreeMap, fmt, sync::Arc};

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceLocation {
    /// A place in a configuration file.
    File {
        /// The file as it was named to us.
        name: Arc<str>,
        /// Line, counted from one; absent when the whole file is meant.
        line: Option<usize>,
        /// Column, counted from one in characters; only for faults of syntax.
        column: Option<usize>,
    },
    /// An environment variable, by its name.
    Variable(String),
}

impl SourceLocation {
    /// Means the whole file.
    pub fn file(name: &str) -> Self {
        Self::File { name: name.into(), line: None, column: None }
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line, column } => {
                f.write_str(name)?;
                line.map_or(Ok(()), |line| write!(f, ":{line}"))?;
                column.map_or(Ok(()), |column| write!(f, ":{column}"))
            }
            Self::Variable(name) => write!(f, "environment variable {}", name.escape_debug()),
        }
    }
}

/// The place of each key that was written.
#[derive(Clone, Debug)]
pub struct Places {
    file: SourceLocation,
    known: BTreeMap<String, SourceLocation>,
}

impl Places {
    pub(crate) fn new(file: &str) -> Self {
        Self { file: SourceLocation::file(file), known: BTreeMap::new() }
    }

    /// Returns where a key was written. For a key that was left out it is the place of its
    /// section, and for a section that was left out the file.
    pub fn place_of(&self, key: &str) -> SourceLocation {
        let mut key = Some(key);
        while let Some(name) = key {
            if let Some(place) = self.known.get(name) {
                return place.clone();
            }
            key = parent(name);
        }
        self.file.clone()
    }

    /// The same for a key that is named by the tables on the way to it.
    pub(super) fn place_of_way(&self, way: &[&str]) -> SourceLocation {
        let steps: Vec<_> = way.iter().map(|key| Step::Key((*key).to_owned())).collect();
        self.place_of(&name_of(&steps))
    }

    /// Tells whether a key was written, with a value that was accepted or not.
    pub fn is_written(&self, key: &str) -> bool {
        self.known.contains_key(key)
    }

    pub(crate) fn set(&mut self, key: String, place: SourceLocation) {
        self.known.insert(key, place);
    }

    /// Sets the place of a key whose value was replaced with all that was below it.
    pub(super) fn replace(&mut self, key: &str, place: SourceLocation) {
        self.known.retain(|known, _| !is_within(known, key));
        self.set(key.to_owned(), place);
    }
}

/// Returns the key that holds this one: `route[1]` for `route[1].path`, `route` for `route[1]`.
pub(super) fn parent(key: &str) -> Option<&str> {
    key.rfind(['.', '[']).map(|end| &key[..end])
}

/// Tells whether a key is another one or lies below it.
pub(super) fn is_within(key: &str, other: &str) -> bool {
    key.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// One step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Into a table, to the value of a key.
    Key(String),
    /// Into a list, to the entry with this index, counted from zero.
    Index(usize),
}

/// Writes a way to a value as a key. A strange key is quoted and cut.
pub(super) fn name_of(steps: &[Step]) -> String {
    steps.iter().fold(String::new(), |mut name, step| {
        match step {
            Step::Index(index) => name.push_str(&format!("[{index}]")),
            Step::Key(key) => {
                if !name.is_empty() {
                    name.push('.');
                }
                if !key.is_empty() && key.len() <= MAX_KEY && key.chars().all(is_bare) {
                    name.push_str(key);
                } else {
                    name.push_str(&quoted(key));
                }
            }
        }
        name
    })
}

/// Quotes a text of the configuration so that it fits in a message on one line.
pub(super) fn quoted(text: &str) -> String {
    let mut kept: String = text.chars().take(MAX_KEY).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    format!("{kept:?}")
}

fn is_bare(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

const MAX_KEY: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falls_back_to_the_section_and_then_to_the_file() {
        let mut places = Places::new("brama.toml");
        let third = SourceLocation::File { name: "brama.toml".into(), line: Some(3), column: None };
        places.set("route[0]".to_owned(), third.clone());

        assert_eq!(places.place_of("route[0].path"), third);
        assert_eq!(places.place_of("route[1].path").to_string(), "brama.toml");
        assert_eq!(places.place_of("node").to_string(), "brama.toml");
        assert!(!places.is_written("node"));
    }

    #[test]
    fn keys_that_only_begin_alike_are_not_within() {
        assert!(is_within("node.issuer", "node"));
        assert!(is_within("route[1].path", "route[1]"));
        assert!(!is_within("nodes.issuer", "node"));
        assert!(!is_within("route[10].path", "route[1]"));
    }

    #[test]
    fn hostile_keys_stay_on_one_line() {
        let name = name_of(&[Step::Key("a\n\u{1b}[31m".repeat(100))]);
        assert!(!name.contains(['\n', '\u{1b}']), "{name}");
        assert!(name.len() < 1000);
    }
}
