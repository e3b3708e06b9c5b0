//! How long the canonical form of a message may be, found out before it is written.
//!
//! 1. Exclusive canonicalisation writes the name of a namespace at every element that is the first
//!    to use it, and escapes of one letter as up to six. So what it writes can be much longer than
//!    what it is given, and a digest costs in proportion to it.
//! 2. The bound is on what the whole message would be at most ([`longest`]), whatever part of it is
//!    signed, and whatever prefixes a signature lists. It holds for every message, since each is
//!    looked at by the one constructor of a tree.

use uppsala::{Document, NodeId, NodeKind, QName};

use super::scan::Error;

/// How many times as long as a message its canonical form may be. Answers of the node grow by a
/// tenth at most, and that is the namespaces.
const MAXIMUM_GROWTH: usize = 2;
/// What it may be longer besides, for short messages.
const ALLOWANCE: usize = 64 * 1024;

/// Refuses a message of `length` bytes whose canonical form could be too long.
pub(super) fn check(document: &Document<'_>, length: usize) -> Result<(), Error> {
    let limit = MAXIMUM_GROWTH * length + ALLOWANCE;
    // Most messages are short enough for any letters, so none is looked at.
    if longest(document, at_most) > limit && longest(document, escaped) > limit {
        return Err(Error::TooMany { what: "bytes in its canonical form", limit });
    }
    Ok(())
}

/// The most bytes that the exclusive canonical form of the document, or of any element of it, can
/// have, by what may be written for a text.
fn longest(document: &Document<'_>, escaped: Escaped) -> usize {
    let mut length = 0;
    let mut stack: Vec<NodeId> = vec![document.root()];
    while let Some(node) = stack.pop() {
        length += match document.node_kind(node) {
            Some(NodeKind::Element(element)) => tags(element, escaped),
            Some(NodeKind::Text(text)) => escaped(text, Within::Text),
            _ => 0,
        };
        stack.extend(document.children_iter(node));
    }
    length
}

/// Both tags, with every namespace that may be written there.
fn tags(element: &uppsala::Element<'_>, escaped: Escaped) -> usize {
    let declaration =
        |prefix: &str, uri: &str| " xmlns:=\"\"".len() + prefix.len() + escaped(uri, Within::Value);
    // The declaration that the use of a name may bring with it.
    let declared = |name: &QName<'_>| {
        let uri = name.namespace_uri.as_deref().unwrap_or_default();
        declaration(name.prefix.as_deref().unwrap_or_default(), uri)
    };
    let mut length = 2 * qualified(&element.name) + "<></>".len() + declared(&element.name);
    for attribute in &element.attributes {
        length += " =\"\"".len() + qualified(&attribute.name);
        length += escaped(&attribute.value, Within::Value) + declared(&attribute.name);
    }
    // A listed prefix is written where it is declared, and once more where the signed part begins.
    for (prefix, uri) in &element.namespace_declarations {
        length += 2 * declaration(prefix, uri);
    }
    length
}

fn qualified(name: &QName<'_>) -> usize {
    name.local_name.len() + name.prefix.as_deref().map_or(0, |prefix| prefix.len() + 1)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Text,
    Value,
}

/// Returns how many bytes are written for a text.
type Escaped = fn(&str, Within) -> usize;

/// The most that can be written for any text of that length.
fn at_most(text: &str, _within: Within) -> usize {
    text.len() * "&quot;".len()
}

/// Canonical XML 1.0, 2.3: what is written instead of a letter.
fn escaped(text: &str, within: Within) -> usize {
    let more = |byte: u8| match byte {
        b'&' => "&amp;".len() - 1,
        b'\r' => "&#xD;".len() - 1,
        // In text it is `&lt;` and `&gt;`; neither is longer in a value.
        b'<' | b'>' => "&lt;".len() - 1,
        b'"' if within == Within::Value => "&quot;".len() - 1,
        b'\t' | b'\n' if within == Within::Value => "&#x9;".len() - 1,
        _ => 0,
    };
    text.len() + text.bytes().map(more).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use bergshamra_c14n::{C14nMode, canonicalize_doc};
    use proptest::prelude::*;

    use super::*;

    fn parse(xml: &str) -> Document<'_> {
        uppsala::parser::Parser::new().parse(xml).unwrap()
    }

    fn written(xml: &str, prefixes: &[String]) -> usize {
        canonicalize_doc(&parse(xml), C14nMode::Exclusive, None, prefixes).unwrap().len()
    }

    #[test]
    fn a_message_may_grow_twofold_and_no_more() {
        let quotes = |count: usize| format!("<a x='{}'/>", "\"".repeat(count));
        let xml = quotes(10_000);
        assert_eq!(check(&parse(&xml), xml.len()), Ok(()));
        let xml = quotes(20_000);
        let limit = MAXIMUM_GROWTH * xml.len() + ALLOWANCE;
        let refused = Error::TooMany { what: "bytes in its canonical form", limit };
        assert_eq!(check(&parse(&xml), xml.len()), Err(refused));
        // As long, and nothing to be escaped.
        let xml = xml.replace('"', "q");
        assert_eq!(check(&parse(&xml), xml.len()), Ok(()));
    }

    #[test]
    fn the_bound_holds_to_the_very_byte() {
        // Of one of them the form is of an even length, so that the bound can be met exactly.
        for more in ["q", "qq"] {
            let xml = format!("<a x='{}{more}'/>", "\"".repeat(20_000));
            let document = parse(&xml);
            let beyond = longest(&document, escaped) - ALLOWANCE;
            // Of a message that is so long, this is the most; of a shorter one it is too much.
            let length = beyond.div_ceil(MAXIMUM_GROWTH);
            assert_eq!(check(&document, length), Ok(()));
            assert!(check(&document, length - 1).is_err());
        }
    }

    #[test]
    fn all_that_is_written_counts() {
        // Twice the name, and each declaration that the use of a name may bring.
        for (xml, most) in [
            ("<r/>", 2 + 5 + 10),
            ("<r>a&amp;b</r>", 17 + 7),
            ("<r><r/></r>", 2 * 17),
            ("<r x='1'/>", 17 + 5 + 1 + 10),
            ("<p:r xmlns:p='u'/>", 2 * 3 + 5 + 12 + 2 * 12),
            ("<r xmlns:p='u' p:x=''/>", 17 + 7 + 12 + 2 * 12),
        ] {
            assert_eq!(longest(&parse(xml), escaped), most, "{xml}");
        }
    }

    #[test]
    fn each_letter_counts_for_what_may_be_written_instead() {
        for (text, in_text, in_value) in [
            ("", 0, 0),
            ("aż", 3, 3),
            ("&", 5, 5),
            ("<", 4, 4),
            (">", 4, 4),
            ("\r", 5, 5),
            ("\"", 1, 6),
            ("\t", 1, 5),
            ("\n", 1, 5),
            ("a&\"b", 8, 13),
        ] {
            let counted = [escaped(text, Within::Text), escaped(text, Within::Value)];
            assert_eq!(counted, [in_text, in_value], "{text:?}");
        }
    }

    #[test]
    fn a_namespace_counts_wherever_it_is_used() {
        let uri = "u".repeat(256);
        let used = |count: usize| format!("<r xmlns:a='{uri}'>{}</r>", "<a:x/>".repeat(count));
        for count in [1, 10, 200] {
            let xml = used(count);
            let least = written(&xml, &[]);
            assert!(least > count * 256, "{least}");
            assert!((least..least + 1000).contains(&longest(&parse(&xml), escaped)), "{count}");
        }
        let xml = used(900);
        assert!(check(&parse(&xml), xml.len()).is_err());
    }

    /// Elements with few names, so that they meet.
    fn element() -> impl Strategy<Value = String> {
        let value = "[a<>&\"\t\n\r ż]{0,6}".prop_map(|text: String| {
            let mut escaped = String::new();
            for letter in text.chars() {
                escaped += &format!("&#{};", u32::from(letter));
            }
            escaped
        });
        let prefix = prop::sample::select(vec!["", "p:", "q:"]);
        let attributes = prop::collection::btree_map(
            prop::sample::select(vec![
                "x", "p:x", "q:x", "xmlns", "xmlns:p", "xmlns:q", "xml:lang",
            ]),
            (value.clone(), prop::sample::select(vec!["urn:1", "urn:two:2"])),
            0..4,
        );
        let leaf = value.boxed();
        leaf.prop_recursive(5, 40, 4, move |inside| {
            let inside = prop::collection::vec(inside, 0..4);
            (prefix.clone(), attributes.clone(), inside).prop_map(|(prefix, attributes, inside)| {
                let mut text = format!("<{prefix}e");
                for (name, (value, uri)) in attributes {
                    let value = if name.starts_with("xmlns") { uri.to_owned() } else { value };
                    text += &format!(" {name}='{value}'");
                }
                text + ">" + &inside.concat() + &format!("</{prefix}e>")
            })
        })
    }

    proptest! {
        #[test]
        fn nothing_is_ever_written_that_is_longer(
            inside in element(),
            prefixes in prop::collection::vec("p|q|#default|z", 0..3),
        ) {
            // `q:x` and `p:x` may be one name; such text is no document.
            let xml = format!("<r xmlns:p='urn:1' xmlns:q='urn:q'>{inside}</r>");
            if let Ok(document) = uppsala::parser::Parser::new().parse(&xml) {
                let written = written(&xml, &prefixes);
                let longest = [longest(&document, escaped), longest(&document, at_most)];
                prop_assert!(written <= longest[0] && longest[0] <= longest[1], "{written}: {xml}");
            }
        }
    }
}
