//! The sheet as Markdown.

use std::fmt::Write;

use super::model::{Section, Sheet, Value};
use crate::cli::tools::onboarding::words::{Language, both};

/// Returns the sheet.
pub(super) fn page(sheet: &Sheet, language: Language) -> String {
    let mut text = format!("# {}\n", escaped(&sheet.title));
    for Section { title, rows } in &sheet.sections {
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, "\n## {}\n\n| | |\n|---|---|\n", escaped(title));
        for (name, value) in rows {
            let shown = match value {
                Value::Text(text) => escaped(text),
                Value::Exact(text) => code(text),
                Value::Missing => format!("**{}**", MISSING.of(language)),
                Value::Block(_) => continue,
            };
            let _ = writeln!(text, "| {} | {shown} |", escaped(name));
        }
        for (name, value) in rows {
            if let Value::Block(block) = value {
                let _ =
                    write!(text, "\n{}:\n\n```text\n{}\n```\n", escaped(name), block.trim_end());
            }
        }
    }
    text
}

/// What stands where something is missing.
pub(super) const MISSING: crate::cli::tools::onboarding::words::Words =
    both("MISSING", "DO UZUPEŁNIENIA");

/// Writes letters that mean something in Markdown so that they are shown.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Code in a cell of a table: only the bar and the sign of code itself must not be in it.
fn code(text: &str) -> String {
    if text.contains(['`', '|']) || text.chars().any(char::is_control) {
        return escaped(text);
    }
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_is_shown_and_does_nothing() {
        let rows = vec![
            ("a".to_owned(), Value::Text("x | y\n# z <b>*".to_owned())),
            ("b".to_owned(), Value::Exact("`|".to_owned())),
            ("c".to_owned(), Value::Missing),
            ("d".to_owned(), Value::Block("-----\nB\n".to_owned())),
        ];
        let sheet = Sheet {
            title: "T".to_owned(),
            sections: vec![Section { title: "S".to_owned(), rows }],
        };
        let text = page(&sheet, Language::Pl);
        assert!(text.contains("| a | x \\| y \\# z \\<b\\>\\* |\n"), "{text}");
        assert!(
            text.contains("| b | \\`\\| |\n") && text.contains("**DO UZUPEŁNIENIA**"),
            "{text}"
        );
        assert!(text.ends_with("\nd:\n\n```text\n-----\nB\n```\n"), "{text}");
        assert_eq!(sheet.missing(), ["S: c"]);
    }
}
