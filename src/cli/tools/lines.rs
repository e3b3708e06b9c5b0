//! Lines of a configuration: single keys are changed, and comments and order stay.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, TableLike, Value};

use super::certs::material::shown_path;
use crate::base::private::{self, Owner};

/// A configuration whose lines are changed.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    document: DocumentMut,
    /// What was changed, a line each.
    changes: Vec<String>,
}

impl Lines {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Where its syntax is wrong.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let document = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
        Ok(Self { document, changes: Vec::new() })
    }

    /// Returns the whole text.
    pub(super) fn text(&self) -> String {
        self.document.to_string()
    }

    /// Returns what was changed, a line each: `[service] signing_key = "keys/a.key"`.
    pub(super) fn changes(&self) -> &[String] {
        &self.changes
    }

    /// Sets a key of a table to a text.
    pub(super) fn set(&mut self, table: &str, key: &str, text: &str) {
        self.put(table, key, Value::from(text));
    }

    /// Sets a key of a table to a list of texts.
    pub(super) fn set_list(&mut self, table: &str, key: &str, texts: &[String]) {
        self.put(table, key, Value::from(texts.iter().collect::<Array>()));
    }

    /// Takes a key out of a table.
    pub(super) fn remove(&mut self, table: &str, key: &str) {
        if let Some(found) = self.table(table)
            && found.remove(key).is_some()
        {
            self.changes.push(format!("[{table}] {key} is taken out"));
        }
    }

    /// Returns a value that is given, as it is written.
    pub(super) fn get(&self, table: &str, key: &str) -> Option<&Item> {
        let found: &dyn TableLike = match table {
            "" => self.document.as_table(),
            table => self.document.get(table)?.as_table_like()?,
        };
        found.get(key).filter(|item| !item.is_none())
    }

    /// Returns all values as they are written, each by its key, and lists of tables as a whole.
    pub(super) fn all(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for (name, item) in self.document.iter() {
            let Some(table) = item.as_table_like() else {
                all.insert(format!("[[{name}]]"), format!("{item}\n"));
                continue;
            };
            for (key, item) in table.iter() {
                let text = item.as_value().map_or_else(|| format!("{item}\n"), shown);
                all.insert(format!("[{name}] {key}"), text);
            }
        }
        all
    }

    /// Puts an item, such as a table of another configuration, in the place of what is there.
    pub(super) fn put_item(&mut self, table: &str, key: &str, item: Item) {
        if let Some(found) = self.table(table) {
            found.insert(key, item);
        }
    }

    /// Puts the PKCS #12 files of decryption keys in the place of those that are there; each is a file
    /// with that of its password.
    pub(super) fn set_decryption_p12(&mut self, all: &[(String, String)]) {
        let mut tables = ArrayOfTables::new();
        for (file, password) in all {
            let mut table = Table::new();
            table.insert("file", toml_edit::value(file));
            table.insert("password_file", toml_edit::value(password));
            tables.push(table);
            let line = format!("file = {}, password_file = {}", quoted(file), quoted(password));
            self.changes.push(format!("[[service.decryption_p12]] {line}"));
        }
        let Some(service) = self.table("service") else { return };
        // The comments that stand before the first one stay there.
        let old = service.get(DECRYPTION_P12).and_then(Item::as_array_of_tables);
        if let (Some(old), Some(new)) = (old.and_then(|old| old.get(0)), tables.get_mut(0)) {
            *new.decor_mut() = old.decor().clone();
            if let (Some((old, _)), Some(mut new)) =
                (old.get_key_value("file"), new.key_mut("file"))
            {
                *new.leaf_decor_mut() = old.leaf_decor().clone();
            }
        }
        service.insert(DECRYPTION_P12, Item::ArrayOfTables(tables));
    }

    /// Gives routes for one host another host; says how many there were.
    pub(super) fn rename_hosts(&mut self, from: &str, to: &str) -> usize {
        let routes = self.document.get_mut("route").and_then(Item::as_array_of_tables_mut);
        let mut count = 0;
        for route in routes.into_iter().flat_map(ArrayOfTables::iter_mut) {
            let host = route.get_mut("host").and_then(Item::as_value_mut);
            if let Some(host) = host.filter(|host| host.as_str() == Some(from)) {
                let decor = host.decor().clone();
                *host = Value::from(to);
                *host.decor_mut() = decor;
                count += 1;
            }
        }
        count
    }

    fn put(&mut self, table: &str, key: &str, mut value: Value) {
        let line = format!("[{table}] {key} = {}", value.to_string().trim());
        let Some(found) = self.table(table) else { return };
        if let Some(old) = found.get(key).and_then(Item::as_value) {
            if shown(old) == shown(&value) {
                return;
            }
            *value.decor_mut() = old.decor().clone();
        }
        match found.get_mut(key) {
            Some(old) => *old = Item::Value(value),
            None => drop(found.insert(key, Item::Value(value))),
        }
        self.changes.push(line);
    }

    /// Returns a table, which is made when there is none; none when something else has its name.
    /// The one without a name is the file.
    fn table(&mut self, name: &str) -> Option<&mut dyn TableLike> {
        if name.is_empty() {
            return Some(self.document.as_table_mut());
        }
        self.document.entry(name).or_insert_with(toml_edit::table).as_table_like_mut()
    }
}

/// Writes a configuration in the place of the one that is there: with its rights, for its owner.
///
/// # Errors
/// What the system says; then the old one is still there.
pub(super) fn write_configuration(path: &Path, text: &str) -> Result<(), String> {
    let write = || -> std::io::Result<()> {
        let mode = fs::metadata(path)?.permissions().mode() & 0o777;
        private::write_for(path, text.as_bytes(), mode, Owner::like(path)?)
    };
    write().map_err(|error| format!("{}: {error}", shown_path(path)))
}

/// Returns a value as it is written, without the space and the comment around it.
pub(super) fn shown(value: &Value) -> String {
    let mut value = value.clone();
    value.decor_mut().clear();
    value.to_string()
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

const DECRYPTION_P12: &str = "decryption_p12";

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# ours\n[service]\n# the name\nissuer = \"a\" # as registered\n\n[[route]]\npath = \"/\"\n";

    #[test]
    fn one_line_is_another_and_all_else_stays() {
        let mut lines = Lines::read(TEXT).unwrap();
        lines.set("service", "issuer", "b \"c\"");
        lines.set_list("node", "certificates", &["a.pem".to_owned(), "b.pem".to_owned()]);
        lines.set("service", "kind", "public");
        let text = lines.text();
        assert!(
            text.starts_with("# ours\n[service]\n# the name\nissuer = 'b \"c\"' # as registered\n"),
            "{text}"
        );
        assert!(
            text.contains("kind = \"public\"\n") && text.contains("[[route]]\npath = \"/\"\n"),
            "{text}"
        );
        assert!(text.contains("[node]\ncertificates = [\"a.pem\", \"b.pem\"]\n"), "{text}");
        assert_eq!(lines.changes().len(), 3);
        lines.remove("service", "issuer");
        lines.remove("service", "nothing");
        assert!(!lines.text().contains("issuer"));
        assert_eq!(lines.changes().len(), 4);
    }

    #[test]
    fn what_is_the_same_is_no_change() {
        let mut lines = Lines::read(TEXT).unwrap();
        lines.set("service", "issuer", "a");
        assert_eq!((lines.text().as_str(), lines.changes().len()), (TEXT, 0));
    }

    #[test]
    fn files_with_passwords_are_tables_of_their_own() {
        let mut lines = Lines::read(TEXT).unwrap();
        let pair = |name: &str| (format!("{name}.p12"), "password".to_owned());
        lines.set_decryption_p12(&[pair("new"), pair("old")]);
        let text = lines.text();
        let loaded = crate::config::load_text("a", &text, [].into_iter()).unwrap();
        assert_eq!(loaded.file.service.decryption_p12.len(), 2, "{text}");
        assert!(loaded.problems.is_empty(), "{text}");
    }
}
