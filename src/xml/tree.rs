//! The one tree that a message is parsed into, and a strict way to walk it.
//!
//! Elements are found by namespace and local name, attributes by local name without a namespace;
//! a child that must be there once is an error when it is there twice.

use std::borrow::Cow;

use uppsala::{NodeId, NodeKind};

use super::canonical;
use super::scan::{self, Limits};
use crate::base::foreign::Foreign;

/// A parsed message. It owns nothing of the text, which must outlive it, but where that had to be
/// normalised first.
#[derive(Debug)]
pub struct Document<'t> {
    inner: uppsala::Document<'t>,
    text: Cow<'t, str>,
}

/// Why a message does not have the shape that it must have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes did not pass the first look.
    #[error(transparent)]
    Scan(#[from] scan::Error),
    /// The parser refused the text.
    #[error("message is not well-formed XML: {0}")]
    Malformed(Foreign),
    /// An element is not there.
    #[error("element {parent} has no {child}")]
    Missing {
        /// Where it was looked for.
        parent: Foreign,
        /// The name of the child that was looked for.
        child: &'static str,
    },
    /// An element is there more than once.
    #[error("element {parent} has more than one {child}")]
    Repeated {
        /// Where it was looked for.
        parent: Foreign,
        /// The name of the child that was looked for.
        child: &'static str,
    },
    /// An attribute is not there.
    #[error("element {element} has no attribute {attribute}")]
    MissingAttribute {
        /// Where it was looked for.
        element: Foreign,
        /// The name of the attribute that was looked for.
        attribute: &'static str,
    },
    /// An element that must hold text holds elements.
    #[error("element {0} holds elements where text is expected")]
    NotText(Foreign),
}

impl<'t> Document<'t> {
    /// Scans and parses a message.
    ///
    /// # Errors
    /// When the bytes break a limit or are not well-formed.
    pub fn parse(bytes: &'t [u8], limits: &Limits) -> Result<Self, Error> {
        let text = scan::scan(bytes, limits)?;
        let inner = match &text {
            Cow::Borrowed(text) => tree(text, limits)?,
            Cow::Owned(text) => tree(text, limits)?.into_static(),
        };
        canonical::check(&inner, text.len())?;
        Ok(Self { inner, text })
    }

    /// Returns the document element.
    #[must_use]
    pub fn root(&self) -> Element<'_> {
        let id = self.inner.document_element().expect("parse made sure of it");
        Element { document: self, id }
    }

    /// Returns every element, in document order.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        let mut stack = vec![self.root()];
        std::iter::from_fn(move || {
            let next = stack.pop()?;
            let first = stack.len();
            stack.extend(next.children());
            stack[first..].reverse();
            Some(next)
        })
    }

    /// Returns the text that was parsed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn inner(&self) -> &uppsala::Document<'t> {
        &self.inner
    }
}

fn tree<'t>(text: &'t str, limits: &Limits) -> Result<uppsala::Document<'t>, Error> {
    let depth = u32::try_from(limits.depth + 1).unwrap_or(u32::MAX);
    let tree = uppsala::parser::Parser::new()
        .with_forbid_dtd(true)
        .with_forbid_entities(true)
        .with_max_depth(depth)
        .parse(text)
        .map_err(|error| Error::Malformed(Foreign::new(&error.to_string())))?;
    match tree.document_element() {
        Some(_) => Ok(tree),
        None => Err(Error::Malformed(Foreign::new("there is no element"))),
    }
}

/// An element of a [`Document`].
#[derive(Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document<'d>,
    id: NodeId,
}

impl<'d> Element<'d> {
    /// Returns the namespace, empty when there is none.
    #[must_use]
    pub fn namespace(self) -> &'d str {
        self.data().name.namespace_uri.as_deref().unwrap_or("")
    }

    /// Returns the local name.
    #[must_use]
    pub fn name(self) -> &'d str {
        &self.data().name.local_name
    }

    /// Tells whether this is the element of that namespace and local name.
    #[must_use]
    pub fn is(self, namespace: &str, name: &str) -> bool {
        self.name() == name && self.namespace() == namespace
    }

    /// Returns the value of an attribute that is in no namespace.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<&'d str> {
        let of_name = |a: &&uppsala::Attribute<'d>| {
            a.name.local_name == name && a.name.namespace_uri.is_none()
        };
        self.data().attributes.iter().find(of_name).map(|a| &*a.value)
    }

    /// Returns the value of an attribute that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn required_attribute(self, name: &'static str) -> Result<&'d str, Error> {
        self.attribute(name)
            .ok_or_else(|| Error::MissingAttribute { element: self.name().into(), attribute: name })
    }

    /// Returns all attributes as namespace, local name and value; namespace declarations are none.
    pub fn attributes(self) -> impl Iterator<Item = (&'d str, &'d str, &'d str)> {
        self.data().attributes.iter().map(|a| {
            (a.name.namespace_uri.as_deref().unwrap_or(""), &*a.name.local_name, &*a.value)
        })
    }

    /// Returns the elements directly below.
    pub fn children(self) -> impl Iterator<Item = Element<'d>> {
        let document = self.document;
        document
            .inner
            .children_iter(self.id)
            .filter(move |&id| document.inner.element(id).is_some())
            .map(move |id| Element { document, id })
    }

    /// Returns the elements directly below that have that name.
    pub fn children_named(
        self,
        namespace: &'static str,
        name: &'static str,
    ) -> impl Iterator<Item = Element<'d>> {
        self.children().filter(move |child| child.is(namespace, name))
    }

    /// Returns the one child of that name, or none.
    ///
    /// # Errors
    /// When there is more than one.
    pub fn optional_child(
        self,
        namespace: &'static str,
        name: &'static str,
    ) -> Result<Option<Element<'d>>, Error> {
        let mut found = self.children_named(namespace, name);
        let first = found.next();
        match found.next() {
            None => Ok(first),
            Some(_) => Err(Error::Repeated { parent: self.name().into(), child: name }),
        }
    }

    /// Returns the one child of that name.
    ///
    /// # Errors
    /// When there is none or more than one.
    pub fn child(self, namespace: &'static str, name: &'static str) -> Result<Element<'d>, Error> {
        self.optional_child(namespace, name)?
            .ok_or_else(|| Error::Missing { parent: self.name().into(), child: name })
    }

    /// Returns the whole text of an element that holds nothing but text.
    ///
    /// # Errors
    /// When it holds an element.
    pub fn text(self) -> Result<Cow<'d, str>, Error> {
        let inner = &self.document.inner;
        let mut whole = Cow::Borrowed("");
        for id in inner.children_iter(self.id) {
            match inner.node_kind(id) {
                Some(NodeKind::Text(text)) => {
                    if whole.is_empty() {
                        whole = Cow::Borrowed(&**text);
                    } else {
                        whole.to_mut().push_str(text);
                    }
                }
                _ => return Err(Error::NotText(self.name().into())),
            }
        }
        Ok(whole)
    }

    /// Tells whether there is text other than white space directly below.
    #[must_use]
    pub fn has_stray_text(self) -> bool {
        let inner = &self.document.inner;
        inner.children_iter(self.id).any(|id| match inner.node_kind(id) {
            Some(NodeKind::Text(text)) => !text.trim_ascii().is_empty(),
            Some(NodeKind::Element(_)) => false,
            _ => true,
        })
    }

    /// Returns the bytes of the message that this element was parsed from.
    #[must_use]
    pub fn source(self) -> &'d str {
        self.document
            .inner
            .node_range(self.id)
            .and_then(|range| self.document.text.get(range))
            .unwrap_or("")
    }

    /// Returns the document that this element belongs to.
    #[must_use]
    pub fn document(self) -> &'d Document<'d> {
        self.document
    }

    pub(super) fn id(self) -> NodeId {
        self.id
    }

    fn data(self) -> &'d uppsala::Element<'d> {
        self.document.inner.element(self.id).expect("an Element is made for elements only")
    }
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.id == other.id
    }
}

impl std::fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{{{}}}{}>", Foreign::new(self.namespace()), Foreign::new(self.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::message(10_000)
    }

    #[test]
    fn finds_children_by_namespace_and_refuses_a_second_one() {
        let xml = "<a xmlns='urn:x' xmlns:o='urn:o'><b/><o:b/><c/><c/></a>";
        let document = Document::parse(xml.as_bytes(), &limits()).unwrap();
        let root = document.root();
        assert_eq!(root.child("urn:o", "b").unwrap().source(), "<o:b/>");
        assert!(matches!(root.child("urn:x", "c"), Err(Error::Repeated { .. })));
        assert!(matches!(root.child("urn:x", "d"), Err(Error::Missing { .. })));
    }

    #[test]
    fn reads_whole_text_and_refuses_text_with_elements() {
        let xml = "<a><b>x&amp;y</b><c>x<d/>y</c></a>";
        let document = Document::parse(xml.as_bytes(), &limits()).unwrap();
        assert_eq!(document.root().child("", "b").unwrap().text().unwrap(), "x&y");
        assert!(document.root().child("", "c").unwrap().text().is_err());
    }

    /// Whatever a parser may make of one text, and whatever is not text.
    #[test]
    fn text_in_several_nodes_is_read_whole() {
        let of = |add: fn(&mut uppsala::Document<'static>) -> Vec<NodeId>| {
            let mut inner = uppsala::parser::Parser::new().parse("<a/>").unwrap();
            let root = inner.document_element().unwrap();
            for node in add(&mut inner) {
                inner.append_child(root, node);
            }
            let document = Document { inner, text: Cow::Borrowed("<a/>") };
            document.root().text().map(Cow::into_owned).map_err(|error| error.to_string())
        };
        assert_eq!(of(|_| Vec::new()).as_deref(), Ok(""));
        assert_eq!(
            of(|d| ["admin", "@x"].map(|t| d.create_text(t)).into()).as_deref(),
            Ok("admin@x")
        );
        let three = of(|d| ["a", "", "b", "c"].map(|t| d.create_text(t)).into());
        assert_eq!(three.as_deref(), Ok("abc"));
        for what in [
            of(|d| vec![d.create_text("a"), d.create_comment(" "), d.create_text("b")]),
            of(|d| vec![d.create_text("a"), d.create_cdata("b")]),
            of(|d| vec![d.create_comment(" ")]),
        ] {
            assert!(what.is_err(), "{what:?}");
        }
    }

    #[test]
    fn text_between_elements_is_found() {
        for (xml, is_stray) in [
            ("<a><b/></a>", false),
            ("<a> \n\t<b/> <b/></a>", false),
            ("<a/>", false),
            ("<a>x<b/></a>", true),
            ("<a><b/>x</a>", true),
            ("<a><b>x</b></a>", false),
            // No white space of XML.
            ("<a>\u{a0}<b/></a>", true),
        ] {
            let document = Document::parse(xml.as_bytes(), &limits()).unwrap();
            assert_eq!(document.root().has_stray_text(), is_stray, "{xml:?}");
        }
    }

    #[test]
    fn does_not_take_a_namespaced_attribute_for_a_plain_one() {
        let xml = "<a xmlns:o='urn:o' o:ID='evil'/>";
        let document = Document::parse(xml.as_bytes(), &limits()).unwrap();
        assert_eq!(document.root().attribute("ID"), None);
    }

    #[test]
    fn white_space_in_an_attribute_is_read_as_spaces_unless_it_is_said() {
        let xml = "<a\n x='1\r\n\t2&#9;&#13;'>\n<b y=\"\n\"/>\n</a>";
        let document = Document::parse(xml.as_bytes(), &limits()).unwrap();
        let root = document.root();
        assert_eq!(root.attribute("x"), Some("1  2\t\r"));
        assert_eq!(root.child("", "b").unwrap().source(), "<b y=\" \"/>");
        assert!(document.text().contains(root.source()));
    }

    #[test]
    fn refuses_what_is_not_well_formed() {
        for xml in ["", "<a>", "<a></b>", "<a/><b/>", "<a x='1' x='2'/>", "<a/>x", "<o:a/>", "&x;"]
        {
            assert!(Document::parse(xml.as_bytes(), &limits()).is_err(), "{xml}");
        }
    }

    #[test]
    fn an_element_is_that_of_its_own_document() {
        let [one, other] =
            ["<a><b/></a>"; 2].map(|xml| Document::parse(xml.as_bytes(), &limits()).unwrap());
        assert_eq!(one.root(), one.root());
        assert_ne!(one.root(), other.root());
        assert_ne!(one.root(), one.root().children().next().unwrap());
    }

    #[test]
    fn a_message_is_as_deep_as_it_may_be_and_no_longer_when_it_is_written_anew() {
        let depth = limits().depth;
        let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(Document::parse(nested(depth).as_bytes(), &limits()).is_ok());
        assert!(Document::parse(nested(depth + 1).as_bytes(), &limits()).is_err());
        let quotes = |count: usize| format!("<a x='{}'/>", "\"".repeat(count));
        let limits = Limits::message(100_000);
        assert!(Document::parse(quotes(1_000).as_bytes(), &limits).is_ok());
        assert!(Document::parse(quotes(20_000).as_bytes(), &limits).is_err());
    }
}
