//! Reads the keys of one table, and tells what is wrong with them.

use toml::{Table, Value};

use crate::config::{Places, Problems};

/// Reads a table key by key. [`Reader::end`] tells the keys that nobody asked for.
pub(in crate::simulator) struct Reader<'s> {
    table: &'s Table,
    name: String,
    places: &'s Places,
    problems: &'s mut Problems,
    known: Vec<&'static str>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(
        table: &'s Table,
        name: String,
        places: &'s Places,
        problems: &'s mut Problems,
    ) -> Self {
        Self { table, name, places, problems, known: Vec::new() }
    }

    /// Returns a text that must be there, and not empty.
    pub(in crate::simulator) fn text(&mut self, key: &'static str, like: &str) -> Option<String> {
        let found = self.optional_text(key, like);
        match &found {
            None if !self.table.contains_key(key) => {
                self.refuse(key, "is missing", &format!("add {key} = \"{like}\""));
                None
            }
            Some(text) if text.trim().is_empty() => {
                self.refuse(key, "is empty", &format!("write one, such as \"{like}\""));
                None
            }
            _ => found,
        }
    }

    /// Returns a text that may be there.
    pub(in crate::simulator) fn optional_text(
        &mut self,
        key: &'static str,
        like: &str,
    ) -> Option<String> {
        match self.value(key)? {
            Value::String(text) => Some(text.clone()),
            _ => {
                self.refuse(key, "is no text", &format!("write it as \"{like}\""));
                None
            }
        }
    }

    /// Returns what a text that may be there means.
    pub(in crate::simulator) fn optional<T>(
        &mut self,
        key: &'static str,
        like: &str,
        find: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.optional_text(key, like)?;
        let found = find(&text);
        if found.is_none() {
            self.refuse(key, &format!("is not known: {text:?}"), &format!("write one of: {like}"));
        }
        found
    }

    /// Returns a switch that may be there.
    pub(in crate::simulator) fn switch(&mut self, key: &'static str) -> Option<bool> {
        match self.value(key)? {
            Value::Boolean(switch) => Some(*switch),
            _ => {
                self.refuse(key, "is no switch", "write true or false, without quotes");
                None
            }
        }
    }

    /// Returns a list of texts, each with its key; a single text is a list of one.
    pub(in crate::simulator) fn texts(&mut self, key: &'static str) -> Vec<(String, String)> {
        let name = self.name_of(key);
        let Some(value) = self.value(key) else { return Vec::new() };
        let mut texts = Vec::new();
        match value {
            Value::String(text) => texts.push((name, text.clone())),
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    let name = format!("{name}[{index}]");
                    match value {
                        Value::String(text) => texts.push((name, text.clone())),
                        _ => self.refuse_at(name, "is no text", "write it in quotes"),
                    }
                }
            }
            _ => self.refuse(key, "is no list of texts", "write [\"one\", \"another\"]"),
        }
        texts
    }

    /// Reads a table inside.
    pub(in crate::simulator) fn table<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Reader<'_>) -> Option<T>,
    ) -> Option<T> {
        let name = self.name_of(key);
        let Some(Value::Table(table)) = self.value(key) else {
            if self.table.contains_key(key) {
                self.refuse(key, "is no table", "write its keys and values");
            }
            return None;
        };
        let mut reader = Reader::new(table, name, self.places, self.problems);
        let found = read(&mut reader);
        reader.end();
        found
    }

    /// Notes a key whose value is read by others, or by nobody.
    pub(in crate::simulator) fn pass_over(&mut self, key: &'static str) {
        self.known.push(key);
    }

    /// Tells what is wrong with a key.
    pub(in crate::simulator) fn refuse(&mut self, key: &str, what: &str, advice: &str) {
        self.refuse_at(self.name_of(key), what, advice);
    }

    /// Tells what is wrong with a key by its full name.
    pub(in crate::simulator) fn refuse_at(&mut self, name: String, what: &str, advice: &str) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push_error(self.places.place_of(&name), name, what, advice);
        }
    }

    /// Tells what is odd about a key.
    pub(in crate::simulator) fn warn(&mut self, key: &str, what: &str, advice: &str) {
        let name = self.name_of(key);
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push_warning(self.places.place_of(&name), name, what, advice);
        }
    }

    /// Refuses the keys that were not asked for.
    pub(in crate::simulator) fn end(self) {
        let table = self.table;
        for key in table.keys().filter(|key| !self.known.contains(&key.as_str())) {
            let advice = format!("there are: {}", self.known.join(", "));
            // A key is foreign text; a terminal must not obey it.
            let shown: String = key.escape_debug().take(LONGEST_KEY).collect();
            let name = self.name_of(key);
            let place = self.places.place_of(&name);
            if self.problems.len() < MOST_PROBLEMS {
                let shown = self.name_of(&shown);
                self.problems.push_error(place, shown, "is not known", advice);
            }
        }
    }

    fn value(&mut self, key: &'static str) -> Option<&'s Value> {
        self.known.push(key);
        self.table.get(key)
    }

    fn name_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

/// How many problems are told at once.
const MOST_PROBLEMS: usize = 50;
/// How much of a key that is not known is shown, in characters.
const LONGEST_KEY: usize = 64;
