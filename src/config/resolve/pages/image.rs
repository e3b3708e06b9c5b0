//! Logos: PNG, and SVG that is a picture and nothing else.
//!
//! Pages show them in `img`, where browsers run and fetch nothing (SVG 2, 2.5 "secure static
//! mode"), and they are served with a policy that forbids it. This check is so that nobody trusts
//! in that alone, and so that a file from elsewhere is looked at once.

use bytes::Bytes;
use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, NamespaceResolver, ResolveResult};

use crate::base::encoding::sha256;
use crate::config::resolve::context::Context;
use crate::pages::Image;

/// Resolves the image of a key.
pub(super) fn resolve(context: &mut Context<'_>, key: &str, stem: &str) -> Option<Image> {
    let pages = &context.file().pages;
    let path = if stem == "logo-light" { &pages.logo } else { &pages.logo_dark }.clone()?;
    let bytes = context.read(key, &path)?;
    let content_type = look(&bytes);
    let content_type = context.parsed(key, &path, content_type, ADVICE)?;
    let digest: String = sha256(&bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Some(Image { name: format!("{stem}-{digest}"), content: Bytes::from(bytes), content_type })
}

const ADVICE: &str = "give a PNG, or an SVG that was saved as a plain picture";

/// Says what an image is.
fn look(bytes: &[u8]) -> Result<&'static str, String> {
    if bytes.len() > MOST_BYTES {
        return Err(format!("has more than {} KiB", MOST_BYTES / 1024));
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return png(bytes).map(|()| "image/png");
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "is neither PNG nor SVG".to_owned())?;
    // RFC 7303, 3.2: the parameter goes before what the file says, so it is read as it was here.
    svg(text).map(|()| "image/svg+xml; charset=utf-8")
}

/// PNG 5.6: the first chunk is IHDR, with width and height.
fn png(bytes: &[u8]) -> Result<(), String> {
    let sizes = bytes.get(12..24).and_then(|head| head.strip_prefix(b"IHDR"));
    let sizes = sizes.ok_or("is a PNG without a header")?;
    let fits = sizes.chunks(4).all(|size| {
        let size = size.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte));
        (1..=MOST_PIXELS).contains(&size)
    });
    if fits { Ok(()) } else { Err(format!("has more than {MOST_PIXELS} pixels to a side")) }
}

/// Examines what a browser would read: well-formed XML 1.0 in UTF-8, of elements of SVG.
fn svg(text: &str) -> Result<(), String> {
    let mut reader = NsReader::from_str(text);
    let mut picture = Picture::default();
    let at = |position: u64, what: String| {
        let end = usize::try_from(position).unwrap_or(usize::MAX).min(text.len());
        let line = text.as_bytes()[..end].iter().filter(|byte| **byte == b'\n').count() + 1;
        Err(format!("line {line} {what}"))
    };
    // Another encoding is switched to by such characters, and the text is another one then.
    let is_control = |letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r');
    if let Some(position) = text.find(is_control) {
        return at(position as u64, "has a control character".to_owned());
    }
    loop {
        let begin = reader.buffer_position();
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => return at(reader.error_position(), format!("is not XML: {error}")),
        };
        if matches!(event, Event::Eof) && picture.elements > 0 && picture.open.is_empty() {
            return Ok(());
        }
        let looked = picture.look(&event, begin, reader.resolver());
        looked.or_else(|(position, what)| at(position, what))?;
    }
}

/// How much of a picture was read.
#[derive(Default)]
struct Picture {
    elements: usize,
    open: Vec<Open>,
}

/// An element that has begun and not ended.
struct Open {
    begin: u64,
    is_style: bool,
    /// Its own text, however comments, references and CDATA sections cut it up: what a browser
    /// takes for the style.
    text: String,
}

impl Picture {
    /// Looks at what comes next; says where what is wrong.
    fn look(
        &mut self,
        event: &Event<'_>,
        begin: u64,
        names: &NamespaceResolver,
    ) -> Result<(), (u64, String)> {
        let here = |what: String| (begin, what);
        match event {
            Event::Eof => return Err(here("ends before the picture does".to_owned())),
            Event::Start(tag) | Event::Empty(tag) => {
                self.elements += 1;
                if self.open.last().is_some_and(|parent| parent.is_style) {
                    return Err(here("has an element in a style".to_owned()));
                }
                element(tag, self.elements, names).map_err(here)?;
                if matches!(event, Event::Start(_)) {
                    let is_style = name(tag) == "style";
                    self.open.push(Open { begin, is_style, text: String::new() });
                }
            }
            Event::End(_) => {
                if let Some(Open { begin, text, .. }) = self.open.pop() {
                    style(&text).map_err(|what| (begin, what))?;
                }
            }
            Event::Decl(declared) => match declared.encoding() {
                None => {}
                Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("utf-8") => {}
                Some(_) => return Err(here("says that it is not in UTF-8".to_owned())),
            },
            Event::DocType(_) => return Err(here("has a document type".to_owned())),
            Event::PI(_) => return Err(here("has a processing instruction".to_owned())),
            // Each piece by itself as well, for its line. Any text may be one of a style.
            Event::Text(content) => self.text(content).map_err(here)?,
            Event::CData(content) => self.text(content).map_err(here)?,
            Event::GeneralRef(name) => {
                let letter = PREDEFINED.iter().find(|(known, _)| *known == &**name);
                let refused = || here("has a reference; write letters as themselves".to_owned());
                let (_, letter) = letter.ok_or_else(refused)?;
                self.text(letter).map_err(here)?;
            }
            Event::Comment(_) => {}
        }
        if self.open.len() > MOST_DEPTH || self.elements > MOST_ELEMENTS {
            return Err(here("is too deep or too long for a logo".to_owned()));
        }
        Ok(())
    }

    fn text(&mut self, piece: &str) -> Result<(), String> {
        if let Some(open) = self.open.last_mut() {
            open.text.push_str(piece);
        }
        style(piece)
    }
}

fn name(tag: &BytesStart<'_>) -> String {
    tag.local_name().as_ref().to_ascii_lowercase()
}

fn element(tag: &BytesStart<'_>, number: usize, names: &NamespaceResolver) -> Result<(), String> {
    let name = name(tag);
    if number == 1 && name != "svg" {
        return Err(format!("begins with <{}>, not with <svg>", shown(&name)));
    }
    if FORBIDDEN.contains(&&*name) || name.starts_with("animate") {
        return Err(format!("has <{}>, which a logo does not need", shown(&name)));
    }
    let (ResolveResult::Bound(Namespace(namespace)), _) = names.resolve_element(tag.name()) else {
        return Err(format!("has <{}> of no namespace; {PLAIN}", shown(&name)));
    };
    let is_picture = namespace == SVG && tag.name().prefix().is_none();
    if !is_picture && !DESCRIBING.contains(&namespace) {
        return Err(format!("has <{}>, which is not SVG without a prefix; {PLAIN}", shown(&name)));
    }
    for (index, attribute) in tag.attributes().enumerate() {
        let attribute = attribute.map_err(|error| format!("is not XML: {error}"))?;
        if index >= MOST_ATTRIBUTES {
            return Err("has too many attributes".to_owned());
        }
        let key = attribute.key.local_name().as_ref().to_ascii_lowercase();
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
        let value = value.map_err(|error| format!("is not XML: {error}"))?;
        self::attribute(&name, &key, value.trim())?;
    }
    Ok(())
}

fn attribute(element: &str, key: &str, value: &str) -> Result<(), String> {
    if key.starts_with("on") {
        return Err(format!("has the event handler {}", shown(key)));
    }
    let is_link = matches!(key, "href" | "src" | "base" | "action" | "formaction");
    let is_inside = value.starts_with('#') || value.is_empty();
    let is_picture = element == "image"
        && ["data:image/png;base64,", "data:image/jpeg;base64,"]
            .iter()
            .any(|kind| value.starts_with(kind));
    if is_link && !is_inside && !is_picture {
        return Err(format!("leads out of the picture by {}", shown(key)));
    }
    if is_link { Ok(()) } else { style(value) }
}

/// Refuses what fetches, in a style or in an attribute that may be one.
fn style(text: &str) -> Result<(), String> {
    let text = text.to_ascii_lowercase();
    for word in ["@import", "@font-face", "javascript:", "expression(", "image-set(", "src("] {
        if text.contains(word) {
            return Err(format!("has {word}"));
        }
    }
    // A name can be written with escapes (CSS Syntax 4.3.7), and a logo has no need of them.
    if text.contains('\\') || text.contains("/*") {
        return Err("has an escape or a comment in a style".to_owned());
    }
    for rest in text.split("url(").skip(1) {
        let target = rest.trim_start_matches(['"', '\'', ' ', '\t', '\n', '\r']);
        if !target.starts_with('#') {
            return Err("fetches something by url()".to_owned());
        }
    }
    Ok(())
}

fn shown(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).take(40).collect()
}

/// Elements that run, show what is foreign, lead elsewhere or move.
const FORBIDDEN: [&str; 16] = [
    "a",
    "audio",
    "canvas",
    "discard",
    "embed",
    "feimage",
    "foreignobject",
    "handler",
    "iframe",
    "link",
    "listener",
    "object",
    "script",
    "set",
    "switch",
    "video",
];

/// XML 1.0, 4.6.
const PREDEFINED: [(&str, &str); 5] =
    [("amp", "&"), ("apos", "'"), ("gt", ">"), ("lt", "<"), ("quot", "\"")];
const SVG: &str = "http://www.w3.org/2000/svg";
/// Namespaces of what says whose picture it is (SVG 2, 5.9 `metadata`), which nothing shows or runs.
/// Programs leave it in plain pictures.
const DESCRIBING: [&str; 4] = [
    "http://creativecommons.org/ns#",
    "http://purl.org/dc/elements/1.1/",
    "http://web.resource.org/cc/",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
];
const PLAIN: &str = "export it as plain SVG (Inkscape: \"Plain SVG\"; Illustrator: Export As)";
const MOST_BYTES: usize = 128 * 1024;
const MOST_PIXELS: u32 = 4_096;
const MOST_DEPTH: usize = 64;
const MOST_ELEMENTS: usize = 5_000;
const MOST_ATTRIBUTES: usize = 64;
