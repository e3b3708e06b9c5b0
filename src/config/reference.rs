//! Writes `config/reference.toml` and the JSON schema from the comments at the fields.
//!
//! Keys with a default are written with it; keys without one are commented out with an example.
//! So the reference is itself a file that can be read, and it says what an empty one means.

use serde_json::Value;

use super::shape::{Kind, SCHEMA, Shape};

/// Returns the JSON schema of the configuration file, for editors.
pub fn schema() -> Value {
    SCHEMA.clone()
}

/// Returns the text of `config/reference.toml`.
pub fn reference() -> String {
    let mut text = HEADER.to_owned();
    for key in Shape::root().keys() {
        if let Some(shape) = Shape::root().field(key) {
            block(&mut text, key, shape, "");
        }
    }
    text
}

/// Writes a section, or the pattern for one entry of a list of tables. What lies in a pattern is
/// marked as the pattern is.
fn block(text: &mut String, name: &str, shape: Shape<'_>, mark: &str) {
    text.push('\n');
    comment(text, shape.comment());
    let (table, head, mark) = match (shape.kind(), shape.item()) {
        (Some(Kind::Tables), Some(item)) => (item, format!("[[{name}]]"), "# "),
        _ => (shape, format!("[{name}]"), mark),
    };
    text.push_str(&format!("{mark}{head}\n"));
    let mut tables = Vec::new();
    for key in table.keys() {
        match table.field(key) {
            Some(field) if matches!(field.kind(), Some(Kind::Table | Kind::Tables)) => {
                tables.push((key, field));
            }
            Some(field) => entry(text, key, field, mark),
            None => {}
        }
    }
    // In TOML a table ends where the next head stands, so tables come last.
    for (key, field) in tables {
        block(text, &format!("{name}.{key}"), field, mark);
    }
}

/// Writes one key with its comment.
fn entry(text: &mut String, key: &str, shape: Shape<'_>, mark: &str) {
    text.push('\n');
    comment(text, shape.comment());
    let choices = match shape.item() {
        Some(item) => item.choices(),
        None => shape.choices(),
    };
    if !choices.is_empty() {
        let apart = if shape.comment().contains('\n') { "#\n" } else { "" };
        let head = if shape.item().is_some() { "Any of" } else { "One of" };
        text.push_str(&format!("{apart}# {head}:\n"));
    }
    let width = choices.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + "\"\"".len();
    for (name, meaning) in choices {
        text.push_str(&format!("#   {:<width$}  {meaning}\n", format!("{name:?}")));
    }
    let (mark, value) = match shape.default() {
        Some(default) => (mark, Some(default)),
        None => ("# ", shape.example()),
    };
    let value = value.and_then(|value| toml::Value::try_from(value).ok());
    let value = value.map_or_else(|| "\"\"".to_owned(), |value| value.to_string());
    text.push_str(&format!("{mark}{key} = {value}\n"));
}

fn comment(text: &mut String, lines: &str) {
    for line in lines.lines() {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
}

const HEADER: &str = "\
# All keys of the configuration. This file is generated from the program.
#
# A key that is left out has the value that is written here. Keys that are commented out have no
# value unless you give one; theirs are examples. A key that is not listed here is an error.
#
# Relative paths count from the folder of the configuration file. Lengths of time and sizes carry
# their unit: \"10s\", \"15m\", \"8h\", \"30d\", \"256 KiB\".
#
# An environment variable can stand in for each key: BRAMA__NODE__ISSUER for issuer in [node], and
# BRAMA__ROUTE__0__PATH for path in the first [[route]].
";
