//! Values that strangers gave us, in the form in which our own messages may repeat them.
//!
//! 1. A message that was not verified says what it likes, at any length. What an error, a log line
//!    or a report repeats of it is a [`Foreign`]: at most [`MAXIMUM`] characters, on one line, with
//!    nothing that a terminal obeys or a reader does not see.
//! 2. This is the one place where that is done. An error that takes a value from a message has it as
//!    a `Foreign`, so none can be forgotten.
//! 3. What is compared is compared before: a `Foreign` is for people to read.

use std::fmt::{self, Write};

/// The most characters of a foreign value that are repeated.
pub const MAXIMUM: usize = 200;

/// A foreign value, bounded and escaped.
#[derive(Clone, PartialEq, Eq)]
pub struct Foreign(Box<str>);

impl Foreign {
    /// Bounds and escapes a value. White space around it is left out.
    #[must_use]
    pub fn new(value: &str) -> Self {
        let value = value.trim();
        // Most values are short and plain.
        if value.len() < MAXIMUM && value.bytes().all(is_plain) {
            return Self(value.into());
        }
        let mut shown = String::new();
        let mut room = MAXIMUM;
        for letter in value.chars() {
            let escaped = escape(letter);
            let length = escaped.clone().count();
            // The sign that there is more takes a place as well.
            if length >= room {
                shown.push('…');
                break;
            }
            room -= length;
            shown.extend(escaped);
        }
        Self(shown.into())
    }

    /// Returns it for people to read.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Foreign {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// Escapes a value that is wanted whole, such as a path.
#[must_use]
pub fn escaped(value: &str) -> String {
    value.chars().flat_map(escape).collect()
}

/// Bounds and escapes a sentence of ours that may hold foreign values, for people to read: what is
/// printable stays, quotation marks too; white space around it is left out. At most `maximum`
/// characters.
#[must_use]
pub fn sentence(value: &str, maximum: usize) -> String {
    let mut shown = String::new();
    let mut room = maximum;
    for letter in value.trim().chars() {
        let is_plain = matches!(letter, '"' | '\'' | '\\') || is_printable(letter);
        let length = if is_plain { 1 } else { letter.escape_debug().count() };
        if length >= room {
            shown.push('…');
            break;
        }
        room -= length;
        if is_plain {
            shown.push(letter);
        } else {
            shown.extend(letter.escape_debug());
        }
    }
    shown
}

/// Escapes whatever is not printable in a text of JSON, where it can only stand in strings: what is
/// read from it stays the same.
#[must_use]
pub fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() || is_printable(letter) {
            escaped.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

/// Tells whether a byte is a letter of ASCII that is shown as it is.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// Quotation marks and backslashes too, since values stand between quotation marks. The apostrophe
/// is a letter of names.
fn escape(letter: char) -> impl Iterator<Item = char> + Clone {
    let plain = (letter == '\'').then_some(letter);
    let other = plain.is_none().then(|| letter.escape_debug());
    plain.into_iter().chain(other.into_iter().flatten())
}

/// Neither a control nor a format character, nor one that changes the letter before it.
fn is_printable(letter: char) -> bool {
    letter.escape_debug().nth(1).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_value_is_repeated_as_it_is() {
        for value in ["urn:oasis:names:tc:SAML:2.0:status:Success", "Żółć 'gęślą' & <jaźń>", ""]
        {
            assert_eq!(Foreign::new(value).as_str(), value);
        }
        assert_eq!(Foreign::new(" \n a b\t").as_str(), "a b");
    }

    #[test]
    fn nothing_is_repeated_that_a_terminal_obeys_or_nobody_sees() {
        for (value, shown) in [
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[31m\u{9b}0m", "\\u{1b}[31m\\u{9b}0m"),
            ("a\u{202e}\u{2028}b\u{200b}\u{feff}", "a\\u{202e}\\u{2028}b\\u{200b}\\u{feff}"),
            ("e\u{301}\u{e0041}", "e\\u{301}\\u{e0041}"),
            ("\", expected \"", "\\\", expected \\\""),
            ("\0\\", "\\0\\\\"),
        ] {
            assert_eq!(Foreign::new(value).as_str(), shown);
            assert_eq!(escaped(value), shown);
        }
        for letter in (0..=0x7f).map(char::from) {
            let value = format!("<{letter}>");
            assert_eq!(Foreign::new(&value).as_str(), escaped(&value));
        }
    }

    #[test]
    fn a_long_value_is_cut_within_the_bound() {
        for letter in ["a", "ż", "\n", "\u{202e}", "\u{10ffff}"] {
            let shown = Foreign::new(&format!("x{}x", letter.repeat(200_000)));
            let length = shown.as_str().chars().count();
            assert!((MAXIMUM - 10..=MAXIMUM).contains(&length), "{length}");
            assert!(shown.as_str().ends_with('…') && !shown.as_str().contains('\n'));
        }
        let fits = "a".repeat(MAXIMUM - 1);
        assert_eq!(Foreign::new(&fits).as_str(), fits);
    }

    #[test]
    fn a_sentence_keeps_its_quotation_marks_and_nothing_that_a_terminal_obeys() {
        for (value, shown) in [
            (" it says \"Żółć\" \\ 'a' ", "it says \"Żółć\" \\ 'a'"),
            ("a\nb\u{1b}[31m\u{202e}", "a\\nb\\u{1b}[31m\\u{202e}"),
            ("e\u{301}", "e\\u{301}"),
        ] {
            assert_eq!(sentence(value, 100), shown);
        }
        for letter in ["a", "ż", "\n", "\u{202e}"] {
            let shown = sentence(&format!("x{}x", letter.repeat(10_000)), 100);
            assert!((90..=100).contains(&shown.chars().count()) && shown.ends_with('…'));
        }
    }

    #[test]
    fn json_with_escapes_says_the_same() {
        let value = serde_json::json!({ "name": "Ż\u{9b}\u{202e}\u{e0041}\n'\"" });
        let text = escaped_json(&value.to_string());
        assert!(text.chars().all(is_printable_or_ascii), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    fn is_printable_or_ascii(letter: char) -> bool {
        letter.is_ascii_graphic() || letter == 'Ż'
    }
}
