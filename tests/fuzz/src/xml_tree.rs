//! A tree that can be changed at will, for messages of our own, and what can be done to one.
//!
//! It reads what the simulated node writes and nothing more: elements, attributes in double quotes,
//! text. Whatever was not changed is written as it came.

use libfuzzer_sys::arbitrary::{Result, Unstructured};

/// A piece of a message.
#[derive(Debug, Clone)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text as it stands there.
    Text(String),
}

/// An element.
#[derive(Debug, Clone)]
pub struct Element {
    /// With its prefix.
    pub name: String,
    /// With their prefixes, declarations of namespaces among them.
    pub attributes: Vec<(String, String)>,
    /// What is in it.
    pub children: Vec<Node>,
    /// Whether it is written as one tag.
    pub is_one_tag: bool,
    /// How its attributes are quoted.
    pub quote: char,
}

impl Element {
    /// Reads a message of our own.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let element = Self::read(&mut rest)?;
        rest.is_empty().then_some(element)
    }

    fn read(rest: &mut &str) -> Option<Self> {
        let (tag, after) = rest.strip_prefix('<')?.split_once('>')?;
        *rest = after;
        let is_one_tag = tag.ends_with('/');
        let tag = tag.strip_suffix('/').unwrap_or(tag);
        let (name, mut given) = tag.split_once(' ').unwrap_or((tag, ""));
        if name.starts_with(['!', '?', '/']) {
            return None;
        }
        let mut attributes = Vec::new();
        while !given.trim_start().is_empty() {
            let (name, after) = given.trim_start().split_once("=\"")?;
            let (value, after) = after.split_once('"')?;
            attributes.push((name.to_owned(), value.to_owned()));
            given = after;
        }
        let name = name.to_owned();
        let mut element = Self { name, attributes, children: Vec::new(), is_one_tag, quote: '"' };
        if is_one_tag {
            return Some(element);
        }
        loop {
            let end = rest.find('<')?;
            if end > 0 {
                element.children.push(Node::Text(rest[..end].to_owned()));
                *rest = &rest[end..];
            } else if let Some(after) = rest.strip_prefix("</") {
                let (name, after) = after.split_once('>')?;
                *rest = after;
                return (name == element.name).then_some(element);
            } else {
                element.children.push(Node::Element(Self::read(rest)?));
            }
        }
    }

    /// Writes it.
    pub fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            for part in [" ", name.as_str(), "="] {
                out.push_str(part);
            }
            out.push(self.quote);
            out.push_str(value);
            out.push(self.quote);
        }
        if self.is_one_tag && self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for child in &self.children {
            match child {
                Node::Text(text) => out.push_str(text),
                Node::Element(element) => element.write(out),
            }
        }
        for part in ["</", self.name.as_str(), ">"] {
            out.push_str(part);
        }
    }

    /// How many elements there are, this one included.
    pub fn count(&self) -> usize {
        1 + self.elements().map(Self::count).sum::<usize>()
    }

    fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// Returns the element of that number, in the order of the text.
    pub fn find(&self, number: usize) -> Option<&Self> {
        if number == 0 {
            return Some(self);
        }
        let mut left = number - 1;
        for element in self.elements() {
            let count = element.count();
            if left < count {
                return element.find(left);
            }
            left -= count;
        }
        None
    }

    /// The same, to change it.
    pub fn find_mut(&mut self, number: usize) -> Option<&mut Self> {
        if number == 0 {
            return Some(self);
        }
        let mut left = number - 1;
        for child in &mut self.children {
            let Node::Element(element) = child else { continue };
            let count = element.count();
            if left < count {
                return element.find_mut(left);
            }
            left -= count;
        }
        None
    }

    /// Takes an element out, which is not the first.
    fn take(&mut self, number: usize) -> Option<Self> {
        let mut left = number.checked_sub(1)?;
        for index in 0..self.children.len() {
            let Node::Element(element) = &mut self.children[index] else { continue };
            let count = element.count();
            if left == 0 {
                return match self.children.remove(index) {
                    Node::Element(element) => Some(element),
                    Node::Text(_) => None,
                };
            }
            if left < count {
                return element.take(left);
            }
            left -= count;
        }
        None
    }
}

/// Names of attributes that somebody who signs or wraps would care about.
const ATTRIBUTES: [&str; 12] = [
    "ID",
    "Id",
    "id",
    "xml:id",
    "URI",
    "Algorithm",
    "xmlns",
    "xmlns:ds",
    "xmlns:saml2p",
    "PrefixList",
    "Destination",
    "InResponseTo",
];
/// Texts that were ever used to make two readers differ.
const TEXTS: [&str; 12] = [
    "",
    " ",
    "\n",
    "<!---->",
    "<![CDATA[x]]>",
    "<?x?>",
    "&amp;",
    "&#65;",
    "&#x0;",
    "&x;",
    "\u{feff}",
    "x",
];

/// Does one thing to a message. `donor` is another message, of which parts can be taken.
pub fn change(message: &mut Element, donor: &Element, input: &mut Unstructured<'_>) -> Result<()> {
    let count = message.count();
    let one = input.int_in_range(0..=count - 1)?;
    let from = if input.ratio(1, 3)? { donor.clone() } else { message.clone() };
    let other = input.int_in_range(0..=from.count() - 1)?;
    let Some(other) = from.find(other) else { return Ok(()) };
    match input.int_in_range(0..=15)? {
        0 => drop(message.take(one)),
        // Puts a copy somewhere.
        1..=3 => {
            let Some(place) = message.find_mut(one) else { return Ok(()) };
            let at = input.int_in_range(0..=place.children.len())?;
            place.children.insert(at, Node::Element(other.clone()));
        }
        // Moves.
        4 | 5 => {
            let Some(taken) = message.take(one) else { return Ok(()) };
            let to = input.int_in_range(0..=message.count() - 1)?;
            let Some(place) = message.find_mut(to) else { return Ok(()) };
            let at = input.int_in_range(0..=place.children.len())?;
            place.children.insert(at, Node::Element(taken));
        }
        // Replaces.
        6 => {
            if let Some(place) = message.find_mut(one) {
                *place = other.clone();
            }
        }
        // Wraps, in the shell of another one.
        7 => {
            if let Some(place) = message.find_mut(one) {
                let shell = Element { children: Vec::new(), ..other.clone() };
                let inside = std::mem::replace(place, shell);
                place.children.push(Node::Element(inside));
            }
        }
        // Unwraps.
        8 => {
            if let Some(place) = message.find_mut(one)
                && let Some(Node::Element(child)) = place.children.pop()
            {
                *place = child;
            }
        }
        // Names.
        9 => {
            if let Some(place) = message.find_mut(one) {
                place.name.clone_from(&other.name);
            }
        }
        // Attributes: as another one has them, one more, one less, another order, other quotes.
        10 => {
            if let Some(place) = message.find_mut(one) {
                place.attributes.clone_from(&other.attributes);
            }
        }
        11 => {
            let name = input.choose(&ATTRIBUTES)?;
            let values = other.attributes.iter().map(|(_, value)| value.as_str());
            let values: Vec<_> = values.chain([other.name.as_str(), "", "x"]).collect();
            let value = (*input.choose(&values)?).to_owned();
            if let Some(place) = message.find_mut(one) {
                place.attributes.retain(|(known, _)| known != name);
                place.attributes.push(((*name).to_owned(), value));
            }
        }
        12 => {
            if let Some(place) = message.find_mut(one) {
                match input.int_in_range(0..=2)? {
                    0 => drop(place.attributes.pop()),
                    1 => place.attributes.reverse(),
                    _ => place.quote = '\'',
                }
            }
        }
        // Texts.
        _ => {
            let text = (*input.choose(&TEXTS)?).to_owned();
            if let Some(place) = message.find_mut(one) {
                let at = input.int_in_range(0..=place.children.len())?;
                match place.children.get_mut(at) {
                    Some(Node::Text(known)) if input.ratio(1, 2)? => {
                        let middle =
                            known.floor_char_boundary(input.int_in_range(0..=known.len())?);
                        known.insert_str(middle, &text);
                    }
                    Some(Node::Text(known)) => *known = text,
                    _ => place.children.insert(at, Node::Text(text)),
                }
            }
        }
    }
    Ok(())
}
