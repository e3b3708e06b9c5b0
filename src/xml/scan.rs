//! The bounded look at bytes before a tree is built from them.
//!
//! 1. The text is UTF-8 and at most [`Limits::bytes`] long.
//! 2. No document type, processing instruction, comment, CDATA section, undeclared prefix or other
//!    encoding: the node sends none, and each has carried an attack (entities, text that one reader
//!    sees cut and another whole).
//! 3. A tab or a line end that stands as such in the value of an attribute becomes a space (XML 1.0,
//!    3.3.3). The parser behind us leaves it, so two readers would see two values; it never gets to
//!    see one.
//! 4. A name has at most one colon, in the middle (Namespaces in XML 1.0, section 4): readers part
//!    others in different places.
//! 5. A namespace name is short, and has the letters of a URI only (Namespaces in XML 1.0, section
//!    2): the canonical form writes it wherever it is used, so each letter costs many times.
//! 6. Depth, number of elements, attributes and namespace declarations are bounded, because the
//!    cost of parsing and canonicalising grows faster than they do.

use std::borrow::Cow;

use memchr::memchr3;
use quick_xml::Reader;
use quick_xml::events::{BytesDecl, BytesStart, Event};

use crate::base::foreign::Foreign;

/// How much XML we are willing to look at.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The length of the text in bytes.
    pub bytes: usize,
    /// How deep elements may be nested.
    pub depth: usize,
    /// How many elements there may be.
    pub elements: usize,
    /// How many attributes and namespace declarations one element may have.
    pub attributes_per_element: usize,
    /// How many attributes and namespace declarations there may be in all.
    pub attributes: usize,
}

impl Limits {
    /// The bounds for a message; a genuine answer has 75 elements, 70 attributes and depth 16.
    #[must_use]
    pub const fn message(bytes: usize) -> Self {
        Self { bytes, depth: 32, elements: 1_000, attributes_per_element: 32, attributes: 1_000 }
    }
}

/// Why bytes are not XML that we would parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is longer than the limit.
    #[error("message has {length} bytes, at most {limit} are read")]
    TooLong {
        /// How long the message is, in bytes.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The text is not UTF-8.
    #[error("message is not UTF-8")]
    NotUtf8,
    /// There is a construct that the node never sends.
    #[error("message contains a {0}, which is not allowed")]
    Forbidden(Forbidden),
    /// There is too much of something.
    #[error("message has more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// The text is not well-formed.
    #[error("message is not well-formed XML: {0}")]
    Malformed(Foreign),
}

/// What may not stand in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forbidden {
    /// A document type: `<!DOCTYPE`.
    DocumentType,
    /// A processing instruction: `<?target`.
    ProcessingInstruction,
    /// A comment, which would part a text in two: `<!--`.
    Comment,
    /// A CDATA section: `<![CDATA[`.
    CharacterData,
    /// A prefix that is taken back: `xmlns:prefix=""`.
    Undeclaration,
    /// A namespace name that is too long, or no URI.
    Namespace,
    /// A colon where none may be: `prefix:`, `:name`, `a:b:c`.
    Name,
    /// A declaration of another version or encoding than XML 1.0 in UTF-8.
    Declaration,
}

impl std::fmt::Display for Forbidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::DocumentType => "document type declaration",
            Self::ProcessingInstruction => "processing instruction",
            Self::Comment => "comment",
            Self::CharacterData => "CDATA section",
            Self::Undeclaration => "namespace prefix without a namespace",
            Self::Namespace => "namespace name that is no URI of at most 256 characters",
            Self::Name => "name with a colon where none may be",
            Self::Declaration => "declaration of another version or encoding",
        })
    }
}

/// The longest namespace name; the node's own have up to 48 characters.
const MAXIMUM_NAMESPACE: usize = 256;

/// Looks at `bytes` within `limits` and returns them as text, with its attributes normalised.
///
/// # Errors
/// When a rule of the module is broken.
pub fn scan<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Cow<'b, str>, Error> {
    if bytes.len() > limits.bytes {
        return Err(Error::TooLong { length: bytes.len(), limit: limits.bytes });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::NotUtf8)?;
    let mut reader = Reader::from_str(text);
    let mut count = Count { limits, depth: 0, elements: 0, attributes: 0, has_white_space: false };
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                count.element(&start)?;
                count.depth += 1;
            }
            Ok(Event::Empty(start)) => count.element(&start)?,
            Ok(Event::End(_)) => count.depth = count.depth.saturating_sub(1),
            Ok(Event::Text(_) | Event::GeneralRef(_)) => {}
            Ok(Event::Decl(declaration)) => check_declaration(&declaration)?,
            Ok(Event::DocType(_)) => return Err(Error::Forbidden(Forbidden::DocumentType)),
            Ok(Event::PI(_)) => return Err(Error::Forbidden(Forbidden::ProcessingInstruction)),
            Ok(Event::Comment(_)) => return Err(Error::Forbidden(Forbidden::Comment)),
            Ok(Event::CData(_)) => return Err(Error::Forbidden(Forbidden::CharacterData)),
            Ok(Event::Eof) if count.has_white_space => return Ok(Cow::Owned(normalised(text))),
            Ok(Event::Eof) => return Ok(Cow::Borrowed(text)),
            Err(error) => return Err(Error::Malformed(Foreign::new(&error.to_string()))),
        }
    }
}

/// XML 1.0, 2.11 and 3.3.3: each tab and each line end in the value of an attribute is one space.
/// There is nothing but tags and text in what was looked at, so a quotation mark in a tag is one of
/// a value.
fn normalised(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut within = Within::Text;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let (next, written) = match (within, letter) {
            (Within::Text, '<') => (Within::Tag, letter),
            (Within::Tag, '>') => (Within::Text, letter),
            (Within::Tag, '"' | '\'') => (Within::Value(letter), letter),
            (Within::Value(quote), letter) if letter == quote => (Within::Tag, letter),
            (Within::Value(_), '\r') => {
                letters.next_if_eq(&'\n');
                (within, ' ')
            }
            (Within::Value(_), '\t' | '\n') => (within, ' '),
            _ => (within, letter),
        };
        normal.push(written);
        within = next;
    }
    normal
}

/// What the letter that is looked at belongs to.
#[derive(Clone, Copy)]
enum Within {
    Text,
    Tag,
    /// In a value between such marks.
    Value(char),
}

/// RFC 3986, appendix A: the characters that there are in a URI, but for `&`, which is no letter but
/// a reference in XML.
fn is_uri(name: &str) -> bool {
    // All of it, which is less than to stop where one is not.
    name.bytes().fold(true, |is_uri, byte| is_uri & IS_URI[usize::from(byte)])
}

const IS_URI: [bool; 256] = {
    let mut table = [false; 256];
    let letters =
        b"-._~:/?#[]@!$'()*+,;=%abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut at = 0;
    while at < letters.len() {
        table[letters[at] as usize] = true;
        at += 1;
    }
    table
};

/// The text is read as UTF-8, so a declaration that says otherwise means something else.
fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), Error> {
    let wrong = Error::Forbidden(Forbidden::Declaration);
    if declaration.version().map_err(|_| wrong.clone())?.as_ref() != "1.0" {
        return Err(wrong);
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("UTF-8") => Ok(()),
        Some(_) => Err(wrong),
    }
}

struct Count<'l> {
    limits: &'l Limits,
    depth: usize,
    elements: usize,
    attributes: usize,
    /// Whether there is any in the value of an attribute.
    has_white_space: bool,
}

impl Count<'_> {
    fn element(&mut self, start: &BytesStart<'_>) -> Result<(), Error> {
        self.elements += 1;
        if self.elements > self.limits.elements {
            return Err(Error::TooMany { what: "elements", limit: self.limits.elements });
        }
        if self.depth >= self.limits.depth {
            return Err(Error::TooMany { what: "levels", limit: self.limits.depth });
        }
        if !is_qualified(start.name().as_ref()) {
            return Err(Error::Forbidden(Forbidden::Name));
        }
        // Tags seldom have any, and that is seen at once.
        let is_white = |text: &str| memchr3(b'\t', b'\n', b'\r', text.as_bytes()).is_some();
        let may_be_white = is_white(start);
        // Without the check for repeated names: it is quadratic, and the parser makes it later on
        // a bounded number.
        let mut here = 0;
        for attribute in start.attributes().with_checks(false) {
            let attribute =
                attribute.map_err(|error| Error::Malformed(Foreign::new(&error.to_string())))?;
            // Namespaces in XML 1.0 section 5: a prefix cannot be undeclared. A parser that lets
            // it pass and a canonicaliser that leaves it out would see two different documents.
            let (name, value) = (attribute.key.as_ref(), attribute.value.as_ref());
            if name.starts_with("xmlns:") && value.is_empty() {
                return Err(Error::Forbidden(Forbidden::Undeclaration));
            }
            if !is_qualified(name) {
                return Err(Error::Forbidden(Forbidden::Name));
            }
            let declares = name == "xmlns" || name.starts_with("xmlns:");
            if declares && (value.len() > MAXIMUM_NAMESPACE || !is_uri(value)) {
                return Err(Error::Forbidden(Forbidden::Namespace));
            }
            self.has_white_space |= may_be_white && is_white(value);
            here += 1;
            if here > self.limits.attributes_per_element {
                return Err(Error::TooMany {
                    what: "attributes on one element",
                    limit: self.limits.attributes_per_element,
                });
            }
        }
        self.attributes += here;
        if self.attributes > self.limits.attributes {
            return Err(Error::TooMany { what: "attributes", limit: self.limits.attributes });
        }
        Ok(())
    }
}

/// Tells whether a name is one part, or a prefix and one.
fn is_qualified(name: &str) -> bool {
    let name = name.as_bytes();
    let Some(colon) = name.iter().position(|&byte| byte == b':') else { return true };
    let local = &name[colon + 1..];
    colon > 0 && !local.is_empty() && !local.contains(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits::message(4096);

    #[test]
    fn accepts_a_plain_message() {
        let xml = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><a x='1'><b/>text &amp; more</a>";
        assert!(scan(xml, &LIMITS).is_ok());
        // White space is no trouble between attributes, in text, or when it is said.
        let xml = "<a\n\tx='1'\r\n y='a b&#10;&#9;&#13;' xmlns='urn:a'>\r\n\t'\"</a>";
        assert!(matches!(scan(xml.as_bytes(), &LIMITS), Ok(Cow::Borrowed(same)) if same == xml));
    }

    #[test]
    fn white_space_in_the_value_of_an_attribute_becomes_spaces() {
        for (xml, normal) in [
            ("<a x=\"1\r2\"/>", "<a x=\"1 2\"/>"),
            ("<a><b x='1\n\t2'/></a>", "<a><b x='1  2'/></a>"),
            (
                "<a\tx='\r\n\r\n\r'\ny='\n\r'>\t\"\n\"'\r\n'</a\n>",
                "<a\tx='   '\ny='  '>\t\"\n\"'\r\n'</a\n>",
            ),
            ("<a x='\"\t>' y=\"'\t&#9;\">\t</a>", "<a x='\" >' y=\"' &#9;\">\t</a>"),
        ] {
            assert_eq!(scan(xml.as_bytes(), &LIMITS).as_deref(), Ok(normal), "{xml}");
        }
    }

    #[test]
    fn a_namespace_name_is_as_long_as_it_may_be_and_no_longer() {
        let named = |length: usize| format!("<a xmlns:p='{}'/>", "u".repeat(length));
        assert!(scan(named(256).as_bytes(), &LIMITS).is_ok());
        let longer = named(257);
        let refused = scan(longer.as_bytes(), &LIMITS);
        assert_eq!(refused, Err(Error::Forbidden(Forbidden::Namespace)));
        // What is no name of a namespace may be longer.
        assert!(scan(named(257).replace(":p", "p").as_bytes(), &LIMITS).is_ok());
    }

    #[test]
    fn refuses_what_the_node_never_sends() {
        for (xml, forbidden) in [
            ("<!DOCTYPE a><a/>", Forbidden::DocumentType),
            ("<a><?php x?></a>", Forbidden::ProcessingInstruction),
            ("<a>x<!-- y -->z</a>", Forbidden::Comment),
            ("<a><![CDATA[x]]></a>", Forbidden::CharacterData),
            ("<a xmlns:p=\"urn:p\"><b xmlns:p=\"\"/></a>", Forbidden::Undeclaration),
            ("<xml:/>", Forbidden::Name),
            ("<a><:b/></a>", Forbidden::Name),
            ("<a b:c:d='1'/>", Forbidden::Name),
            ("<a xmlns:='u'/>", Forbidden::Name),
            ("<a xmlns:p=\"urn:p\t\"/>", Forbidden::Namespace),
            ("<a xmlns='urn:\"'/>", Forbidden::Namespace),
            ("<a xmlns:p='urn:&#x70;'/>", Forbidden::Namespace),
            ("<a xmlns:p='urn:ż'/>", Forbidden::Namespace),
            ("<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>", Forbidden::Declaration),
            ("<?xml version=\"1.1\"?><a/>", Forbidden::Declaration),
        ] {
            assert_eq!(scan(xml.as_bytes(), &LIMITS), Err(Error::Forbidden(forbidden)), "{xml}");
        }
    }

    #[test]
    fn refuses_too_much_of_anything() {
        let deep = "<a>".repeat(40);
        let wide = format!("<a>{}</a>", "<b/>".repeat(1_001));
        let many: String = (0..33).map(|n| format!(" a{n}='1'")).collect();
        let many = format!("<a{many}/>");
        for xml in [deep, wide, many] {
            let error = scan(xml.as_bytes(), &Limits::message(100_000)).unwrap_err();
            assert!(matches!(error, Error::TooMany { .. }), "{error}");
        }
        let long = vec![b' '; 4097];
        assert!(matches!(scan(&long, &LIMITS), Err(Error::TooLong { .. })));
        assert_eq!(scan(b"<a>\xff</a>", &LIMITS), Err(Error::NotUtf8));
    }

    #[test]
    fn there_is_as_much_of_everything_as_there_may_be_and_no_more() {
        let limits = Limits::message(100_000);
        let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        let leaf = |depth: usize| "<a>".repeat(depth - 1) + "<b/>" + &"</a>".repeat(depth - 1);
        let wide = |elements: usize| format!("<a>{}</a>", "<b/>".repeat(elements - 1));
        let tag = |count: usize| {
            let attributes: String = (0..count).map(|n| format!(" a{n}='1'")).collect();
            format!("<b{attributes}/>")
        };
        // Elements beside each other with as many attributes as there may be in all.
        let all = |count: usize| format!("<a>{}{}</a>", tag(20).repeat(49), tag(count - 980));
        let of = |what, limit| Err(Error::TooMany { what, limit });
        for (most, more, refused) in [
            (nested(32), nested(33), of("levels", 32)),
            (leaf(32), leaf(33), of("levels", 32)),
            (wide(1_000), wide(1_001), of("elements", 1_000)),
            (tag(32), tag(33), of("attributes on one element", 32)),
            (all(1_000), all(1_001), of("attributes", 1_000)),
        ] {
            assert_eq!(scan(most.as_bytes(), &limits), Ok(Cow::Borrowed(most.as_str())));
            assert_eq!(scan(more.as_bytes(), &limits), refused);
        }
        // What was closed is no level any more.
        let beside = format!("<a>{}</a>", nested(31).repeat(3));
        assert!(scan(beside.as_bytes(), &limits).is_ok());

        let text = "<a/>";
        assert!(scan(text.as_bytes(), &Limits::message(4)).is_ok());
        let refused = scan(text.as_bytes(), &Limits::message(3));
        assert_eq!(refused, Err(Error::TooLong { length: 4, limit: 3 }));
    }
}
