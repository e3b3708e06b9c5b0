//! The fields of a head as they stand in it, for those that go on as they came: no map is made of
//! them, and their spelling stays.
//!
//! They were checked when they were read. What goes out is written anew from names and values, so
//! white space around a value does not travel.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::outgoing;
use super::refusal::Refusal;

/// Fields, in their order.
#[derive(Debug, Default, Clone)]
pub struct Lines {
    head: Bytes,
    spans: Vec<Span>,
}

/// Where a field stands in its head.
#[derive(Debug, Clone, Copy)]
struct Span {
    name: u32,
    name_length: u32,
    value: u32,
    value_length: u32,
}

impl Lines {
    /// Begins with none of the fields of a head.
    pub(super) fn of(head: &Bytes, fields: usize) -> Self {
        Self { head: head.clone(), spans: Vec::with_capacity(fields) }
    }

    /// Adds a field, both parts of which are slices of the head.
    pub(super) fn add(&mut self, name: &str, value: &[u8]) -> Result<(), Refusal> {
        // A head is far shorter than four gigabytes.
        let begin = self.head.as_ptr() as usize;
        let span = |slice: &[u8]| {
            let at = (slice.as_ptr() as usize).checked_sub(begin)?;
            let end = at.checked_add(slice.len()).filter(|end| *end <= self.head.len())?;
            Some((u32::try_from(at).ok()?, u32::try_from(end - at).ok()?))
        };
        let spans = span(name.as_bytes()).zip(span(value));
        let ((name, name_length), (value, value_length)) =
            spans.ok_or(Refusal::Malformed("field outside of its head"))?;
        self.spans.push(Span { name, name_length, value, value_length });
        Ok(())
    }

    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Returns names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.spans.iter().map(|span| read(&self.head, *span))
    }

    /// Returns the value of the first field of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|field| field.0.eq_ignore_ascii_case(name.as_bytes())).map(|field| field.1)
    }

    /// Keeps only those fields that fit.
    pub fn retain(&mut self, mut fits: impl FnMut(&[u8], &[u8]) -> bool) {
        let Self { head, spans } = self;
        spans.retain(|span| {
            let (name, value) = read(head, *span);
            fits(name, value)
        });
    }

    /// Makes a map of them.
    #[must_use]
    pub fn to_map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        self.put_into(&mut map);
        map
    }

    /// Puts them into a map, beside what is there of the same names.
    pub fn put_into(&self, map: &mut HeaderMap) {
        if self.is_empty() {
            return;
        }
        map.reserve(self.spans.len() + MORE);
        for (name, value) in self.iter() {
            let name = HeaderName::from_bytes(name);
            let value = HeaderValue::from_maybe_shared(self.head.slice_ref(value));
            // Both were checked when they were read.
            if let (Ok(name), Ok(value)) = (name, value) {
                map.append(name, value);
            }
        }
    }

    /// Writes the fields in the order in which they stood.
    pub fn write(&self, out: &mut BytesMut) {
        // Some more than is needed, once.
        out.reserve(self.head.len() + 4 * self.spans.len());
        for (name, value) in self.iter() {
            outgoing::field(out, name, value);
        }
    }
}

/// Room for a date, a length and the like, so that a map does not grow again.
const MORE: usize = 4;

fn read(head: &[u8], span: Span) -> (&[u8], &[u8]) {
    let slice = |at: u32, length: u32| &head[at as usize..(at + length) as usize];
    (slice(span.name, span.name_length), slice(span.value, span.value_length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(head: &'static str) -> Lines {
        let bytes = Bytes::from_static(head.as_bytes());
        let mut lines = Lines::of(&bytes, 2);
        for line in head.lines() {
            let (name, value) = line.split_once(':').unwrap();
            lines.add(name, value.trim().as_bytes()).unwrap();
        }
        lines
    }

    #[test]
    fn fields_go_on_in_their_order_and_spelling() {
        let mut lines = lines("ETag:  \"x\" \r\nSet-Cookie: a\r\nset-cookie: b\r\nX: ");
        assert_eq!(lines.get("SET-COOKIE"), Some(&b"a"[..]));
        assert_eq!(lines.to_map().get_all("set-cookie").iter().count(), 2);
        lines.retain(|name, value| name != b"Set-Cookie" && value != b"");
        let mut out = BytesMut::new();
        lines.write(&mut out);
        assert_eq!(out, &b"ETag: \"x\"\r\nset-cookie: b\r\n"[..]);
        assert!(lines.get("x").is_none() && !lines.is_empty());
        lines.retain(|_, _| false);
        assert!(lines.is_empty());
    }

    #[test]
    fn a_field_of_another_head_is_refused() {
        let mut lines = lines("A: b");
        let other = String::from("C: d");
        assert!(lines.add(&other[..1], &other.as_bytes()[3..]).is_err());
    }
}
