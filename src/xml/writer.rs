//! Writes XML on one line, escaping every value as canonical XML does (Canonical XML 1.0, 2.3).

use std::borrow::Cow;

/// A growing XML text. Names are ours and trusted, values are escaped.
#[derive(Debug, Default)]
pub struct Writer {
    text: String,
}

impl Writer {
    /// Starts with an empty text.
    #[must_use]
    pub fn new() -> Self {
        Self { text: String::with_capacity(4096) }
    }

    /// Writes an element with attributes and whatever `inside` writes.
    pub fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        inside: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.open(name, attributes);
        self.text.push('>');
        inside(self);
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
        self
    }

    /// Writes an element without content.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.open(name, attributes);
        self.text.push_str("/>");
        self
    }

    /// Writes an element that holds text.
    pub fn text_element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        text: &str,
    ) -> &mut Self {
        self.element(name, attributes, |inside| inside.text.push_str(&escape(text, Within::Text)))
    }

    /// Returns how many bytes were written.
    #[must_use]
    pub fn length(&self) -> usize {
        self.text.len()
    }

    /// Writes XML that is already well-formed.
    pub fn raw(&mut self, xml: &str) -> &mut Self {
        self.text.push_str(xml);
        self
    }

    /// Returns what was written.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.text.push('<');
        self.text.push_str(name);
        for (key, value) in attributes {
            self.text.push(' ');
            self.text.push_str(key);
            self.text.push_str("=\"");
            self.text.push_str(&escape(value, Within::Value));
            self.text.push('"');
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Text,
    Value,
}

fn escape(text: &str, within: Within) -> Cow<'_, str> {
    // Most texts are plain, and that is seen in one look.
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 32);
    for letter in text.chars() {
        escaped.push_str(match (letter, within) {
            ('&', _) => "&amp;",
            ('<', _) => "&lt;",
            ('>', Within::Text) => "&gt;",
            ('"', Within::Value) => "&quot;",
            // It would come back as a line feed (XML 1.0, 2.11).
            ('\r', _) => "&#xD;",
            // XML 1.0, 3.3.3: white space in values is read as spaces unless it is a reference.
            ('\t', Within::Value) => "&#x9;",
            ('\n', Within::Value) => "&#xA;",
            (letter, _) if is_forbidden(letter) => "",
            (letter, _) => {
                escaped.push(letter);
                continue;
            }
        });
    }
    Cow::Owned(escaped)
}

/// Tells whether a byte is of ASCII and stands for itself in text and in values.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>' | b'"')
}

/// Tells whether XML 1.0 cannot carry a character at all (section 2.2).
fn is_forbidden(letter: char) -> bool {
    (letter < ' ' && !matches!(letter, '\t' | '\n' | '\r'))
        || matches!(letter, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::scan::Limits;
    use crate::xml::tree::Document;

    #[test]
    fn what_is_written_is_read_back() {
        for (value, expected) in [
            ("Żółć & <b> \"q\" 'a'", "Żółć & <b> \"q\" 'a'"),
            ("a\r\n\tb", "a\r\n\tb"),
            // What XML cannot carry is left out.
            ("\u{1}x\u{ffff}y", "xy"),
            ("", ""),
        ] {
            let mut writer = Writer::new();
            writer.element("a", &[("v", value)], |w| {
                w.text_element("b", &[], value);
            });
            let xml = writer.finish();
            let document = Document::parse(xml.as_bytes(), &Limits::message(1000)).unwrap();
            assert_eq!(document.root().attribute("v").unwrap(), expected);
            assert_eq!(document.root().child("", "b").unwrap().text().unwrap(), expected);
        }
    }
}
