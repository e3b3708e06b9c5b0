//! XML before anything is believed of it: the bounded look, and the tree.
//!
//! What is taken is within its bounds and costs memory in proportion. A second parser sees the same
//! elements with the same namespaces, attributes and texts, in the same order: where two readers
//! see two documents, one of them verifies what the other does not read.

use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{NamespaceResolver, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

use crate::product::scan::{Limits, scan};
use crate::product::tree::{Document, Element};
use crate::within;

/// Bounds that an input can reach.
const LIMITS: Limits =
    Limits { bytes: 8192, depth: 8, elements: 64, attributes_per_element: 8, attributes: 128 };

/// Looks at one input: a message.
pub fn run(bytes: &[u8]) {
    let memory = 512 * 1024 + 512 * bytes.len();
    let _ = within(memory, || scan(bytes, &LIMITS).is_ok());
    within(memory, || {
        let Ok(document) = Document::parse(bytes, &LIMITS) else { return };
        look_at(&document);
    });
    if let Ok(document) = Document::parse(bytes, &LIMITS) {
        second_reader_sees_the_same(bytes, &document);
    }
}

fn look_at(document: &Document<'_>) {
    let elements: Vec<_> = document.elements().collect();
    assert!(elements.len() <= LIMITS.elements);
    depth(document.root());
    for element in elements {
        assert!(element.attributes().count() <= LIMITS.attributes_per_element);
        let source = element.source();
        assert!(source.starts_with('<') && source.ends_with('>'), "{source}");
        assert!(document.text().contains(source));
        let _ = (element.text().is_ok(), element.has_stray_text());
    }
}

/// How many elements are on the longest way down, this one included; within the bound.
fn depth(element: Element<'_>) -> usize {
    let below = element.children().map(depth).max().unwrap_or(0);
    assert!(below < LIMITS.depth);
    below + 1
}

/// What a reader sees of an element.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    namespace: String,
    name: String,
    attributes: Vec<(String, String, String)>,
    /// All text directly in it.
    text: String,
}

/// The second one is given what came, and normalises it by itself.
fn second_reader_sees_the_same(bytes: &[u8], document: &Document<'_>) {
    let text = std::str::from_utf8(bytes).expect("the first reader took it");
    let ours: Vec<Seen> = document.elements().map(seen).collect();
    let Some(theirs) = by_second_reader(text) else { return };
    assert_eq!(ours.len(), theirs.len(), "{text}");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!((&ours.namespace, &ours.name), (&theirs.namespace, &theirs.name), "{text}");
        assert_eq!(ours.attributes, theirs.attributes, "{text}");
        assert_eq!(ours.text, theirs.text, "{text}");
    }
}

fn seen(element: Element<'_>) -> Seen {
    let mut attributes: Vec<_> = element
        .attributes()
        .map(|(namespace, name, value)| (namespace.to_owned(), name.to_owned(), value.to_owned()))
        .collect();
    attributes.sort();
    let text = match element.children().next() {
        None => element.text().map(|text| text.into_owned()).unwrap_or_default(),
        Some(_) => String::new(),
    };
    let (namespace, name) = (element.namespace().to_owned(), element.name().to_owned());
    Seen { namespace, name, attributes, text }
}

/// Reads the same by events; nothing when it refuses what the first one took.
fn by_second_reader(text: &str) -> Option<Vec<Seen>> {
    let mut reader = NsReader::from_str(text);
    // The number of each open element, and whether it has elements in it.
    let (mut found, mut open): (Vec<Seen>, Vec<(usize, bool)>) = (Vec::new(), Vec::new());
    loop {
        let event = reader.read_event().ok()?;
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                if let Some(parent) = open.last_mut() {
                    parent.1 = true;
                }
                if matches!(event, Event::Start(_)) {
                    open.push((found.len(), false));
                }
                found.push(start_of(reader.resolver(), start)?);
            }
            Event::End(_) => {
                let (index, has_elements) = open.pop()?;
                if has_elements {
                    found[index].text.clear();
                }
            }
            Event::Text(text) => {
                if let Some((index, _)) = open.last() {
                    found[*index].text.push_str(&text.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                let text = match reference.resolve_char_ref().ok()? {
                    Some(letter) => letter.to_string(),
                    None => resolve_xml_entity(&reference.xml10_content())?.to_owned(),
                };
                let (index, _) = open.last()?;
                found[*index].text.push_str(&text);
            }
            Event::Eof => return Some(found),
            _ => {}
        }
    }
}

fn start_of(resolver: &NamespaceResolver, start: &BytesStart<'_>) -> Option<Seen> {
    let of = |found: ResolveResult<'_>| match found {
        // It keeps what stands in the declaration.
        ResolveResult::Bound(namespace) => Some(unescape(namespace.0).ok()?.into_owned()),
        ResolveResult::Unbound => Some(String::new()),
        ResolveResult::Unknown(_) => None,
    };
    let mut attributes = Vec::new();
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.ok()?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (namespace, name) = resolver.resolve_attribute(attribute.key);
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned();
        attributes.push((of(namespace)?, name.into_inner().to_owned(), value));
    }
    attributes.sort();
    let (namespace, name) = resolver.resolve_element(start.name());
    let (namespace, name) = (of(namespace)?, name.into_inner().to_owned());
    Some(Seen { namespace, name, attributes, text: String::new() })
}
