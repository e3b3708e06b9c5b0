//! Texts as YAML has them.

/// Writes a text as one scalar (YAML 1.2, 7.3.2).
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
