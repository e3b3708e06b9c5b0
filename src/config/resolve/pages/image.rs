//! Logos: PNG, and SVG that is a picture and nothing else.
//!
//! Pages show them in `img`, where browsers run and fetch nothing (SVG 2, 2.5 "secure static
//! mode"), and they are served with a policy that forbids it. This check is so that nobody trusts
//! in that alone, and so that a file from elsewhere is looked at once.

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

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
    svg(text).map(|()| "image/svg+xml")
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

fn svg(text: &str) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut elements) = (0_usize, 0_usize);
    let at = |position: u64, what: String| {
        let end = usize::try_from(position).unwrap_or(usize::MAX).min(text.len());
        let line = text.as_bytes()[..end].iter().filter(|byte| **byte == b'\n').count() + 1;
        Err(format!("line {line} {what}"))
    };
    loop {
        let begin = reader.buffer_position();
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => return at(reader.error_position(), format!("is not XML: {error}")),
        };
        let here = |what: String| at(begin, what);
        match &event {
            Event::Eof if elements > 0 && depth == 0 => return Ok(()),
            Event::Eof => return here("ends before the picture does".to_owned()),
            Event::Start(tag) | Event::Empty(tag) => {
                elements += 1;
                element(tag, elements).or_else(here)?;
                depth += usize::from(matches!(event, Event::Start(_)));
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::DocType(_) => return here("has a document type".to_owned()),
            Event::PI(_) => return here("has a processing instruction".to_owned()),
            // Any text may be one of a style.
            Event::Text(content) => style(content).or_else(here)?,
            Event::CData(content) => style(content).or_else(here)?,
            Event::GeneralRef(name) if !PREDEFINED.contains(&&**name) => {
                return here("has a reference; write letters as themselves".to_owned());
            }
            Event::GeneralRef(_) | Event::Decl(_) | Event::Comment(_) => {}
        }
        if depth > MOST_DEPTH || elements > MOST_ELEMENTS {
            return here("is too deep or too long for a logo".to_owned());
        }
    }
}

fn name(tag: &BytesStart<'_>) -> String {
    tag.local_name().as_ref().to_ascii_lowercase()
}

fn element(tag: &BytesStart<'_>, number: usize) -> Result<(), String> {
    let name = name(tag);
    if number == 1 && name != "svg" {
        return Err(format!("begins with <{}>, not with <svg>", shown(&name)));
    }
    if FORBIDDEN.contains(&&*name) || name.starts_with("animate") {
        return Err(format!("has <{}>, which a logo does not need", shown(&name)));
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
const PREDEFINED: [&str; 5] = ["amp", "apos", "gt", "lt", "quot"];
const MOST_BYTES: usize = 128 * 1024;
const MOST_PIXELS: u32 = 4_096;
const MOST_DEPTH: usize = 64;
const MOST_ELEMENTS: usize = 5_000;
const MOST_ATTRIBUTES: usize = 64;
