//! Heads of requests and answers: taken whole, or refused.
//!
//! Requests:
//! 1. Every line ends with CR LF. A bare LF or a bare CR is refused as soon as it is seen.
//! 2. One empty line before the request line is passed over (RFC 9112 2.2), a second one is not. So it
//!    is before an answer, where it does no harm.
//! 3. A method is 1 to 32 capital letters, `-` or `_`, and begins with a letter. The standard
//!    allows more; some servers would turn `get` into `GET`, which policy has not seen.
//! 4. A target is visible ASCII; what it means is for others to say.
//! 5. No line is folded, no white space stands before a colon, no value holds a control
//!    character except a tab.
//!
//! Answers are read as strictly: a line feed that a portal copies from its input into a header would
//! split its answer in two.

mod answer;
mod request;

use std::sync::LazyLock;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use memchr::memmem;

pub use self::answer::AnswerHead;
pub use self::request::{RequestHead, check_http2, is_method};
use super::framing::Said;
use super::refusal::Refusal;

/// The bounds of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes in all.
    pub bytes: usize,
    /// Fields, at most [`MOST_FIELDS`].
    pub fields: usize,
    /// Bytes of the target of a request.
    pub target: usize,
}

/// The most fields that can be allowed.
pub const MOST_FIELDS: usize = 256;

impl Default for Bounds {
    fn default() -> Self {
        Self { bytes: 32 * 1024, fields: 100, target: 8 * 1024 }
    }
}

/// Looks for the end of a head piece by piece, so that no byte is looked at twice.
#[derive(Debug, Default, Clone, Copy)]
pub struct Search {
    looked_at: usize,
    line_start: usize,
}

impl Search {
    /// Looks for the end of a request's head and takes it out of the buffer.
    ///
    /// # Errors
    /// As soon as it is clear that it will be refused.
    pub fn take_request(
        &mut self,
        buffer: &mut BytesMut,
        bounds: &Bounds,
    ) -> Result<Option<RequestHead>, Refusal> {
        let end = match self.find_end(buffer)? {
            Some(end) if end <= bounds.bytes => end,
            Some(_) => return Err(Refusal::HeadTooLong(bounds.bytes)),
            None => return request::still_within(buffer, bounds).map(|()| None),
        };
        *self = Self::default();
        let mut head = buffer.split_to(end).freeze();
        if head.starts_with(b"\r\n") {
            head.advance(2);
        }
        request::parse(&head, bounds).map(Some)
    }

    /// Looks for the end of an answer's head and takes it out of the buffer.
    ///
    /// # Errors
    /// When it is malformed or too long.
    pub fn take_answer(
        &mut self,
        buffer: &mut BytesMut,
        bounds: &Bounds,
    ) -> Result<Option<AnswerHead>, Refusal> {
        match self.find_end(buffer)? {
            Some(end) if end <= bounds.bytes => {
                *self = Self::default();
                answer::parse(&buffer.split_to(end).freeze(), bounds).map(Some)
            }
            None if buffer.len() <= bounds.bytes => Ok(None),
            _ => Err(Refusal::HeadTooLong(bounds.bytes)),
        }
    }

    fn find_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        // Most heads come in one piece, without anything odd in it: two looks tell.
        if self.looked_at == 0
            && !bytes.starts_with(b"\r\n")
            && let Some(end) = END.find(bytes).map(|at| at + EMPTY.len())
            && has_whole_lines(&bytes[..end])
        {
            return Ok(Some(end));
        }
        for at in memchr::memchr_iter(b'\n', &bytes[self.looked_at..]) {
            let at = self.looked_at + at;
            if at == self.line_start || bytes[at - 1] != b'\r' {
                return Err(Refusal::Malformed("a line ends without CR"));
            }
            let is_empty = at - self.line_start == 1;
            let is_first = self.line_start == 0;
            self.line_start = at + 1;
            if is_empty && !is_first {
                return Ok(Some(at + 1));
            }
        }
        self.looked_at = bytes.len();
        Ok(None)
    }
}

/// Tells whether each line feed comes after a carriage return.
fn has_whole_lines(head: &[u8]) -> bool {
    let pairs = head.iter().zip(&head[1..]);
    // Without a branch, so that many are compared at once.
    pairs.fold(true, |whole, (&before, &byte)| whole & (byte != b'\n' || before == b'\r'))
        && head[0] != b'\n'
}

/// The end of the last line, and an empty one.
const EMPTY: &[u8] = b"\r\n\r\n";
static END: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(EMPTY));

/// Reads the fields of a trailer, which ends with an empty line.
///
/// # Errors
/// When they are malformed or too many.
pub(super) fn parse_trailer(bytes: &Bytes, bounds: &Bounds) -> Result<HeaderMap, Refusal> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let room = &mut fields[..bounds.fields.min(MOST_FIELDS)];
    match httparse::parse_headers(bytes, room) {
        Ok(httparse::Status::Complete((length, fields))) if length == bytes.len() => {
            headers(bytes, fields, |_, _| Ok(()))
        }
        _ => Err(Refusal::Framing("trailer")),
    }
}

/// Fields as slices of the head, without a copy.
fn headers(
    head: &Bytes,
    fields: &[httparse::Header<'_>],
    mut note: impl FnMut(&str, &[u8]) -> Result<(), Refusal>,
) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes())
            .map_err(|_| Refusal::Malformed("name of a field"))?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value))
            .map_err(|_| Refusal::Malformed("value of a field"))?;
        note(name.as_str(), value.as_bytes())?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// What is noted of the fields while they pass, so that none is looked for later.
#[derive(Default)]
struct Noted {
    said: Said,
    close: bool,
    keep_alive: bool,
    wants_upgrade: bool,
    holds_back: bool,
}

impl Noted {
    /// Notes one field; the name may be spelled in any case.
    fn note(&mut self, name: &str, value: &[u8]) -> Result<(), Refusal> {
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

    /// RFC 9110 7.6.1.
    fn note_connection(&mut self, value: &[u8]) {
        for token in value.split(|&byte| byte == b',') {
            let token = token.trim_ascii();
            self.close |= token.eq_ignore_ascii_case(b"close");
            self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
            self.wants_upgrade |= token.eq_ignore_ascii_case(b"upgrade");
        }
    }

    fn is_kept(&self, version: Version) -> bool {
        !self.close && (version == Version::HTTP_11 || self.keep_alive)
    }
}
