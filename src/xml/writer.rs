//! Writes XML on one line, escaping every value.

use std::borrow::Cow;

use quick_xml::escape::escape;

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
        self.element(name, attributes, |inside| inside.text.push_str(&escape_text(text)))
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
            self.text.push_str(&escape_attribute(value));
            self.text.push('"');
        }
    }
}

fn escape_text(text: &str) -> Cow<'_, str> {
    // Most texts are plain, and that is seen in one look.
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    // Of a carriage return too: it would come back as a line feed (XML 2.11).
    escape(without_controls(text))
}

/// Tells whether a byte is of ASCII and stands for itself in text and in values.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'')
}

fn escape_attribute(text: &str) -> Cow<'_, str> {
    let escaped = escape_text(text);
    if escaped.contains(['\n', '\t']) {
        // XML 3.3.3: white space in attribute values is read as spaces unless it is a reference.
        Cow::Owned(escaped.replace('\n', "&#xA;").replace('\t', "&#x9;"))
    } else {
        escaped
    }
}

/// Drops the characters that XML 1.0 cannot carry at all (section 2.2).
fn without_controls(text: &str) -> Cow<'_, str> {
    let forbidden = |c: char| {
        (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    if text.contains(forbidden) {
        Cow::Owned(text.replace(forbidden, ""))
    } else {
        Cow::Borrowed(text)
    }
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
