//! What goes out, written byte by byte from what was understood.

use bytes::{BufMut, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

/// Takes the headers of a message: as bytes for HTTP/1.1, as a map for HTTP/2.
pub trait Fields {
    /// Adds a field, also beside one of the same name.
    fn add(&mut self, name: &HeaderName, value: &HeaderValue);

    /// Takes one more, of visible ASCII. Anything else is left out.
    fn add_text(&mut self, name: &HeaderName, text: &[u8]);
}

impl Fields for HeaderMap {
    fn add(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.append(name, value.clone());
    }

    fn add_text(&mut self, name: &HeaderName, text: &[u8]) {
        if is_visible(text)
            && let Ok(value) = HeaderValue::from_bytes(text)
        {
            self.append(name, value);
        }
    }
}

impl Fields for BytesMut {
    fn add(&mut self, name: &HeaderName, value: &HeaderValue) {
        field(self, name.as_str(), value.as_bytes());
    }

    fn add_text(&mut self, name: &HeaderName, text: &[u8]) {
        if is_visible(text) {
            field(self, name.as_str(), text);
        }
    }
}

/// Without an early end, so that many bytes are looked at with one instruction.
fn is_visible(text: &[u8]) -> bool {
    text.iter().fold(true, |visible, byte| visible & byte.is_ascii_graphic())
}

/// Writes one field as a line of a head.
pub fn field(out: &mut BytesMut, name: impl AsRef<[u8]>, value: &[u8]) {
    let name = name.as_ref();
    out.reserve(name.len() + value.len() + 4);
    out.put_slice(name);
    out.put_slice(b": ");
    out.put_slice(value);
    out.put_slice(b"\r\n");
}

/// Writes a request line.
pub fn request_line(out: &mut BytesMut, method: &Method, target: &str) {
    out.reserve(method.as_str().len() + target.len() + 12);
    out.put_slice(method.as_str().as_bytes());
    out.put_u8(b' ');
    out.put_slice(target.as_bytes());
    out.put_slice(b" HTTP/1.1\r\n");
}

/// Writes a status line.
pub fn status_line(out: &mut BytesMut, status: StatusCode) {
    out.put_slice(b"HTTP/1.1 ");
    out.put_slice(status.as_str().as_bytes());
    out.put_u8(b' ');
    out.put_slice(status.canonical_reason().unwrap_or("-").as_bytes());
    out.put_slice(b"\r\n");
}

/// Writes the head of a response that has nothing to say of a body: an interim one, or one behind
/// which a tunnel begins.
pub fn head_alone<'f>(
    out: &mut BytesMut,
    status: StatusCode,
    fields: impl IntoIterator<Item = (&'f HeaderName, &'f HeaderValue)>,
) {
    status_line(out, status);
    fields.into_iter().for_each(|(name, value)| out.add(name, value));
    out.put_slice(b"\r\n");
}

/// Writes the field `Content-Length`.
pub fn content_length(out: &mut BytesMut, length: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut left = length;
    loop {
        at -= 1;
        // The remainder of a division by ten is one digit.
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    field(out, "content-length", &digits[at..]);
}

/// Writes the line before the data of a chunk.
pub fn chunk_size(out: &mut BytesMut, size: usize) {
    let mut digits = [0; 16];
    let mut at = digits.len();
    let mut left = size;
    loop {
        at -= 1;
        digits[at] = b"0123456789abcdef"[left & 15];
        left >>= 4;
        if left == 0 {
            break;
        }
    }
    out.put_slice(&digits[at..]);
    out.put_slice(b"\r\n");
}

/// Writes the last chunk with its trailer.
pub fn last_chunk(out: &mut BytesMut, trailer: Option<&HeaderMap>) {
    out.put_slice(b"0\r\n");
    for (name, value) in trailer.into_iter().flatten() {
        out.add(name, value);
    }
    out.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for number in [0, 9, 10, 65_536, u64::MAX] {
            let mut out = BytesMut::new();
            content_length(&mut out, number);
            assert_eq!(out, format!("content-length: {number}\r\n").as_bytes());
        }
        for number in [1, 15, 16, 4096, usize::MAX] {
            let mut out = BytesMut::new();
            chunk_size(&mut out, number);
            assert_eq!(out, format!("{number:x}\r\n").as_bytes());
        }
    }

    #[test]
    fn a_text_that_would_end_its_line_is_left_out() {
        for (text, is_added) in [("4bf92f35", true), ("a\r\nx: y", false), ("a\nb", false)] {
            let (mut out, mut map) = (BytesMut::new(), HeaderMap::new());
            out.add_text(&http::header::VIA, text.as_bytes());
            map.add_text(&http::header::VIA, text.as_bytes());
            let expected = if is_added { format!("via: {text}\r\n") } else { String::new() };
            assert_eq!(out, expected.as_bytes());
            assert_eq!(
                map.get("via").map(HeaderValue::as_bytes),
                is_added.then_some(text.as_bytes())
            );
        }
    }

    #[test]
    fn a_head_and_a_trailer_are_written_exactly() {
        let mut out = BytesMut::new();
        status_line(&mut out, StatusCode::NOT_FOUND);
        out.add(&http::header::VIA, &HeaderValue::from_static("x"));
        assert_eq!(out, &b"HTTP/1.1 404 Not Found\r\nvia: x\r\n"[..]);
        let mut out = BytesMut::new();
        request_line(&mut out, &Method::GET, "/a?b");
        assert_eq!(out, &b"GET /a?b HTTP/1.1\r\n"[..]);
        let trailer = HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("1"))]);
        let mut out = BytesMut::new();
        last_chunk(&mut out, Some(&trailer));
        assert_eq!(out, &b"0\r\netag: 1\r\n\r\n"[..]);
    }
}
