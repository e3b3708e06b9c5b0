//! The fields of a head or a trailer, and what is noted of them while they pass.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Version};

use super::bounds::{Bounds, MOST_FIELDS};
use super::names;
use crate::wire::framing::Said;
use crate::wire::refusal::Refusal;

/// Reads the fields of a trailer, which ends with an empty line.
///
/// # Errors
/// When they are malformed or too many.
pub(in crate::wire) fn parse_trailer(bytes: &Bytes, bounds: &Bounds) -> Result<HeaderMap, Refusal> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let room = &mut fields[..bounds.fields.min(MOST_FIELDS)];
    match httparse::parse_headers(bytes, room) {
        Ok(httparse::Status::Complete((length, fields))) if length == bytes.len() => {
            let mut trailer = HeaderMap::new();
            put_into(&mut trailer, bytes, fields, |_, _| Ok(()))?;
            Ok(trailer)
        }
        _ => Err(Refusal::Framing("trailer")),
    }
}

/// The kind of message that a head is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    /// Where space may stand before a colon.
    Answer,
}

/// Returns the number of the line of a refused head that is no field; that of the first line, which
/// is none, when all others are. Each line is looked at once.
pub(super) fn odd_line(head: &[u8], side: Side) -> u32 {
    let lines = head.split_inclusive(|&byte| byte == b'\n').zip(1..).skip(1);
    for (line, number) in lines.take_while(|(line, _)| *line != b"\r\n") {
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(0);
        let (name, value) = line.split_at(colon);
        let name = if side == Side::Answer { name.trim_ascii_end() } else { name };
        let alone = [name, value, b"\r\n"].concat();
        let mut field = [httparse::EMPTY_HEADER];
        if !httparse::parse_headers(&alone, &mut field).is_ok_and(|parsed| parsed.is_complete()) {
            return number;
        }
    }
    1
}

/// Puts fields into an empty map, as slices of the head, without a copy.
pub(super) fn put_into(
    headers: &mut HeaderMap,
    head: &Bytes,
    fields: &[httparse::Header<'_>],
    mut note: impl FnMut(&str, &[u8]) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    headers.reserve(fields.len());
    for field in fields {
        let name = names::name(field.name.as_bytes())
            .map_err(|_| Refusal::Malformed("name of a field"))?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value))
            .map_err(|_| Refusal::Malformed("value of a field"))?;
        note(name.as_str(), value.as_bytes())?;
        headers.append(name, value);
    }
    Ok(())
}

/// What is noted of the fields while they pass, so that none is looked for later.
#[derive(Default)]
pub(super) struct Noted {
    pub(super) said: Said,
    close: bool,
    keep_alive: bool,
    pub(super) wants_upgrade: bool,
    pub(super) holds_back: bool,
}

impl Noted {
    /// Notes one field; the name may be spelled in any case.
    pub(super) fn note(&mut self, name: &str, value: &[u8]) -> Result<(), Refusal> {
        // The length rules nearly all comparisons out.
        match name.len() {
            10 if name.eq_ignore_ascii_case("connection") => self.note_connection(value),
            6 if name.eq_ignore_ascii_case("expect") => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(Refusal::Expectation);
                }
                self.holds_back = true;
            }
            14 | 17 => self.said.note(name, value)?,
            _ => {}
        }
        Ok(())
    }

    /// Notes the options of `Connection` (RFC 9110 7.6.1) that matter to us.
    fn note_connection(&mut self, value: &[u8]) {
        for token in value.split(|&byte| byte == b',') {
            let token = token.trim_ascii();
            self.close |= token.eq_ignore_ascii_case(b"close");
            self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
            self.wants_upgrade |= token.eq_ignore_ascii_case(b"upgrade");
        }
    }

    pub(super) fn is_kept(&self, version: Version) -> bool {
        !self.close && (version == Version::HTTP_11 || self.keep_alive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_is_read_to_its_end_or_not_at_all() {
        let parse = |text: &'static str| {
            let bounds = Bounds { fields: 2, ..Bounds::default() };
            parse_trailer(&Bytes::from_static(text.as_bytes()), &bounds)
        };
        let read = parse("A: b\r\nC: d\r\n\r\n").unwrap();
        assert_eq!((read.len(), read.get("c").unwrap().as_bytes()), (2, &b"d"[..]));
        for text in [
            "A: b\r\n",
            "A: b\n\nC: d\r\n\r\n",
            "A: b\r\n\r\nC: d\r\n\r\n",
            "A: b\r\nC: d\r\nE: f\r\n\r\n",
            "A b: c\r\n\r\n",
        ] {
            assert_eq!(parse(text), Err(Refusal::Framing("trailer")), "{text:?}");
        }
    }
}
