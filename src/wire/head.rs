//! Heads of requests and answers: taken whole, or refused.
//!
//! Requests:
//! 1. Every line ends with CR LF. A bare LF or a bare CR is refused as soon as it is seen.
//! 2. One empty line before the request line is passed over (RFC 9112 2.2), a second one is not.
//! 3. A method is 1 to 32 capital letters, `-` or `_`, and begins with a letter. The standard
//!    allows more; some servers would turn `get` into `GET`, which policy has not seen.
//! 4. A target is visible ASCII; what it means is for others to say.
//! 5. No line is folded, no white space stands before a colon, no value holds a control
//!    character except a tab.
//!
//! Answers are read as strictly: a line feed that a portal copies from its input into a header would
//! split its answer in two.

use std::mem::MaybeUninit;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONNECTION, EXPECT, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};

use super::framing::{Framing, Said};
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

/// What the head of a request says, beside what it is for.
#[derive(Debug)]
pub struct RequestHead {
    /// Method, target, version and headers.
    pub parts: Parts,
    /// How long the body is.
    pub framing: Framing,
    /// Whether the connection may be used again.
    pub keep_alive: bool,
    /// Whether the client holds its body back until it hears `100 Continue` (RFC 9110 10.1.1).
    pub holds_back: bool,
    /// The protocol that the client would like to go on with (RFC 9110 7.8).
    pub upgrade: Option<HeaderValue>,
}

/// What the head of an answer says.
#[derive(Debug)]
pub struct AnswerHead {
    /// The status.
    pub status: StatusCode,
    /// The version.
    pub version: Version,
    /// The headers.
    pub headers: HeaderMap,
    /// What they say of the length of the body.
    pub said: Said,
    /// Whether the connection may be used again.
    pub keep_alive: bool,
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
            None => return still_within(buffer, bounds).map(|()| None),
        };
        *self = Self::default();
        let mut head = buffer.split_to(end).freeze();
        if head.starts_with(b"\r\n") {
            head.advance(2);
        }
        parse_request(&head, bounds).map(Some)
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
                parse_answer(&buffer.split_to(end).freeze(), bounds).map(Some)
            }
            None if buffer.len() <= bounds.bytes => Ok(None),
            _ => Err(Refusal::HeadTooLong(bounds.bytes)),
        }
    }

    fn find_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
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

/// Refuses early what is too long already.
fn still_within(buffer: &[u8], bounds: &Bounds) -> Result<(), Refusal> {
    let line = buffer.strip_prefix(b"\r\n").unwrap_or(buffer);
    if line.get(..=MOST_METHOD).is_some_and(|start| memchr::memchr(b' ', start).is_none()) {
        return Err(Refusal::Malformed("method"));
    }
    // A method, two spaces and the version.
    const AROUND_TARGET: usize = 64;
    if buffer.len() > bounds.target + AROUND_TARGET && memchr::memchr(b'\n', &buffer[2..]).is_none()
    {
        return Err(Refusal::TargetTooLong(bounds.target));
    }
    if buffer.len() > bounds.bytes { Err(Refusal::HeadTooLong(bounds.bytes)) } else { Ok(()) }
}

fn parse_request(head: &Bytes, bounds: &Bounds) -> Result<RequestHead, Refusal> {
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut []);
    let room = &mut fields[..bounds.fields.min(MOST_FIELDS)];
    match parsed.parse_with_uninit_headers(head, room) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Refusal::Malformed("head does not end where it seems to")),
        Err(error) => return Err(refusal_of_request(error, head, bounds)),
    }
    let method = parsed.method.and_then(method).ok_or(Refusal::Malformed("method"))?;
    let target = parsed.path.ok_or(Refusal::Malformed("target"))?;
    if target.len() > bounds.target {
        return Err(Refusal::TargetTooLong(bounds.target));
    }
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::Malformed("target holds more than visible ASCII"));
    }
    // "http" cuts a fragment off, which the next server may not.
    if target.contains('#') {
        return Err(Refusal::Malformed("target has a fragment"));
    }
    let uri = Uri::from_maybe_shared(head.slice_ref(target.as_bytes()))
        .map_err(|_| Refusal::Malformed("target"))?;
    // RFC 9112 3.2.3: a host alone is for CONNECT.
    if uri.scheme().is_none() && uri.authority().is_some() && method != Method::CONNECT {
        return Err(Refusal::Malformed("target is a host"));
    }

    let (mut parts, ()) = Request::new(()).into_parts();
    parts.version = if parsed.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    parts.method = method;
    parts.uri = uri;
    let mut noted = Noted::default();
    parts.headers = headers(head, parsed.headers, |name, value| noted.note(name, value))?;
    let framing = noted.said.of_request(parts.version)?;
    let may_upgrade =
        noted.wants_upgrade && parts.version == Version::HTTP_11 && framing == Framing::NONE;
    Ok(RequestHead {
        framing,
        // HTTP/1.0 knew no way to keep a connection that all agreed on (RFC 9112 C.2.2).
        keep_alive: noted.is_kept(parts.version) && parts.version == Version::HTTP_11,
        // Not in HTTP/1.0 (RFC 9110 10.1.1).
        holds_back: noted.holds_back && parts.version == Version::HTTP_11,
        upgrade: parts.headers.get(UPGRADE).filter(|_| may_upgrade).filter(is_upgrade).cloned(),
        parts,
    })
}

/// HTTP/2 is not begun like this any more (RFC 9113 3.1), and would lead past everything here.
fn is_upgrade(protocol: &&HeaderValue) -> bool {
    !protocol.as_bytes().split(|&b| b == b',').any(|p| p.trim_ascii().eq_ignore_ascii_case(b"h2c"))
}

/// Holds the head of a request of HTTP/2 to what holds for HTTP/1.1: it may go on in that.
///
/// # Errors
/// When it is malformed, too long, or unclear about the length of its body.
pub fn check_http2(parts: &Parts, bounds: &Bounds) -> Result<(), Refusal> {
    if parts.headers.len() > bounds.fields {
        return Err(Refusal::TooManyFields(bounds.fields));
    }
    if parts.uri.path_and_query().is_some_and(|target| target.as_str().len() > bounds.target) {
        return Err(Refusal::TargetTooLong(bounds.target));
    }
    let mut noted = Noted::default();
    for (name, value) in &parts.headers {
        // RFC 9113 8.2.1: no white space around a value.
        if value.as_bytes().trim_ascii().len() < value.len() {
            return Err(Refusal::Malformed("value of a field"));
        }
        noted.note(name, value)?;
    }
    noted.said.of_request(Version::HTTP_2).map(drop)
}

fn refusal_of_request(error: httparse::Error, head: &[u8], bounds: &Bounds) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::TooManyFields(bounds.fields),
        httparse::Error::Version => {
            let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
            let version = line.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
            let is_http = line.iter().filter(|&&byte| byte == b' ').count() == 2
                && version.len() == 8
                && version.starts_with(b"HTTP/")
                && version[5].is_ascii_digit()
                && version[6] == b'.'
                && version[7].is_ascii_digit();
            if is_http { Refusal::Version } else { Refusal::Malformed("version") }
        }
        httparse::Error::HeaderName => Refusal::Malformed("name of a field"),
        httparse::Error::HeaderValue => Refusal::Malformed("value of a field"),
        httparse::Error::NewLine => Refusal::Malformed("end of a line"),
        httparse::Error::Token | httparse::Error::Status => Refusal::Malformed("request line"),
    }
}

fn parse_answer(head: &Bytes, bounds: &Bounds) -> Result<AnswerHead, Refusal> {
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let mut config = httparse::ParserConfig::default();
    config.allow_multiple_spaces_in_response_status_delimiters(true);
    let room = &mut fields[..bounds.fields.min(MOST_FIELDS)];
    match config.parse_response_with_uninit_headers(&mut parsed, head, room) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal::TooManyFields(bounds.fields));
        }
        _ => return Err(Refusal::Malformed("head of the answer")),
    }
    let status = parsed
        .code
        .filter(|code| (100..600).contains(code))
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or(Refusal::Malformed("status"))?;
    let version = if parsed.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    let mut noted = Noted::default();
    let headers = headers(head, parsed.headers, |name, value| noted.note(name, value))?;
    let keep_alive = noted.is_kept(version);
    Ok(AnswerHead { status, version, headers, said: noted.said, keep_alive })
}

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
    mut note: impl FnMut(&HeaderName, &HeaderValue) -> Result<(), Refusal>,
) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes())
            .map_err(|_| Refusal::Malformed("name of a field"))?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value))
            .map_err(|_| Refusal::Malformed("value of a field"))?;
        note(&name, &value)?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn method(text: &str) -> Option<Method> {
    let bytes = text.as_bytes();
    is_method(bytes).then(|| Method::from_bytes(bytes).ok()).flatten()
}

/// The most letters of a method.
const MOST_METHOD: usize = 32;

/// Tells whether a method is one that everybody reads alike.
#[must_use]
pub fn is_method(bytes: &[u8]) -> bool {
    (1..=MOST_METHOD).contains(&bytes.len())
        && bytes[0].is_ascii_uppercase()
        && bytes.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'))
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
    fn note(&mut self, name: &HeaderName, value: &HeaderValue) -> Result<(), Refusal> {
        if *name == CONNECTION {
            // RFC 9110 7.6.1.
            for token in value.as_bytes().split(|&byte| byte == b',') {
                let token = token.trim_ascii();
                self.close |= token.eq_ignore_ascii_case(b"close");
                self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                self.wants_upgrade |= token.eq_ignore_ascii_case(b"upgrade");
            }
        } else if *name == EXPECT {
            if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") {
                return Err(Refusal::Expectation);
            }
            self.holds_back = true;
        }
        self.said.note(name, value)
    }

    fn is_kept(&self, version: Version) -> bool {
        !self.close && (version == Version::HTTP_11 || self.keep_alive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(text: &str) -> Result<Option<RequestHead>, Refusal> {
        let mut buffer = BytesMut::from(text);
        Search::default().take_request(&mut buffer, &Bounds::default())
    }

    #[test]
    fn takes_a_head_and_leaves_what_follows() {
        let text = "\r\nPOST /a?b=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
        let mut buffer = BytesMut::from(text);
        let head = Search::default().take_request(&mut buffer, &Bounds::default());
        let head = head.unwrap().unwrap();
        assert_eq!(head.parts.method, Method::POST);
        assert_eq!(head.parts.uri, "/a?b=1");
        assert_eq!(head.framing, Framing::Length(3));
        assert!(head.keep_alive);
        assert_eq!(&buffer[..], b"abc");
    }

    #[test]
    fn a_head_that_comes_byte_by_byte_is_the_same_head() {
        let text =
            "\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
        let (mut buffer, mut search) = (BytesMut::new(), Search::default());
        for (at, byte) in text.bytes().enumerate() {
            buffer.extend_from_slice(&[byte]);
            let head = search.take_request(&mut buffer, &Bounds::default()).unwrap();
            assert_eq!(head.is_some(), at + 1 == text.len(), "{at}");
            if let Some(head) = head {
                assert_eq!(head.upgrade.unwrap(), "websocket");
            }
        }
    }

    #[test]
    fn refuses_what_two_parsers_could_read_in_two_ways() {
        for text in [
            "GET / HTTP/1.1\nHost: x\n\n",
            "GET / HTTP/1.1\r\nHost: x\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
            "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "\nGET / HTTP/1.1\r\n\r\n",
            "get / HTTP/1.1\r\n\r\n",
            "GET  / HTTP/1.1\r\n\r\n",
            "GET /  HTTP/1.1\r\n\r\n",
            "GET\t/ HTTP/1.1\r\n\r\n",
            " GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1 \r\n\r\n",
            "GET /\r\n\r\n",
            "GET / http/1.1\r\n\r\n",
            "GET /# HTTP/1.1\r\n\r\n",
            "GET x HTTP/1.1\r\n\r\n",
            "GET x:80 HTTP/1.1\r\n\r\n",
            "GET /\u{7f} HTTP/1.1\r\n\r\n",
            "GET /ż HTTP/1.1\r\n\r\n",
            "G@T / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nA : b\r\n\r\n",
            "GET / HTTP/1.1\r\n A: b\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
            "GET / HTTP/1.1\r\n: b\r\n\r\n",
            "GET / HTTP/1.1\r\nA\r\n\r\n",
            "GET / HTTP/1.1\r\nA: \0\r\n\r\n",
            "GET / HTTP/1.1\r\nA: \u{b}\r\n\r\n",
            "GET / HTTP/1.1\r\nA(: b\r\n\r\n",
        ] {
            let refused = take(text);
            assert!(matches!(refused, Err(Refusal::Malformed(_))), "{text:?}: {refused:?}");
        }
        for text in ["GET / HTTP/1.2\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/0.9\r\n\r\n"] {
            assert_eq!(take(text).unwrap_err(), Refusal::Version, "{text:?}");
        }
    }

    #[test]
    fn a_head_is_bounded_while_it_comes() {
        let bounds = Bounds { bytes: 1000, fields: 3, target: 100 };
        let take = |text: String| {
            Search::default().take_request(&mut BytesMut::from(&*text), &bounds).map(|_| ())
        };
        assert_eq!(take(format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(99))), Ok(()));
        for method in [33, 5000].map(|length| "A".repeat(length)) {
            let endless = Err(Refusal::Malformed("method"));
            assert_eq!(take(method.clone()), endless);
            assert_eq!(take(format!("\r\n{method}")), endless);
            assert_eq!(take(format!("{} ", &method[1..33])), Ok(()));
        }
        let too_long = Err(Refusal::TargetTooLong(100));
        assert_eq!(take(format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100))), too_long);
        assert_eq!(take(format!("GET /{}", "a".repeat(500))), too_long);
        let field = |length: usize| format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(length));
        assert_eq!(take(field(500)), Ok(()));
        assert_eq!(take(field(1000)), Err(Refusal::HeadTooLong(1000)));
        assert_eq!(take(format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(3))), Ok(()));
        let four = take(format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(4)));
        assert_eq!(four, Err(Refusal::TooManyFields(3)));
    }

    #[test]
    fn connection_tells_whether_it_goes_on() {
        for (version, connection, kept) in [
            ("1.1", "", true),
            ("1.1", "Connection: keep-alive, Close\r\n", false),
            ("1.0", "", false),
            ("1.0", "Connection: Keep-Alive\r\n", false),
        ] {
            let head = take(&format!("GET / HTTP/{version}\r\n{connection}\r\n")).unwrap().unwrap();
            assert_eq!(head.keep_alive, kept, "{version} {connection}");
        }
    }

    #[test]
    fn an_answer_is_read_as_strictly() {
        let take = |text: &str| {
            Search::default().take_answer(&mut BytesMut::from(text), &Bounds::default())
        };
        let answer = take("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody").unwrap().unwrap();
        assert_eq!((answer.status, &answer.headers["a"]), (StatusCode::OK, &"b".parse().unwrap()));
        for text in [
            "HTTP/1.1 200 OK\r\nA: b\n\r\n",
            "HTTP/1.1 999 x\r\n\r\n",
            "hello\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        ] {
            assert!(take(text).is_err(), "{text:?}");
        }
        assert!(take("HTTP/1.1 200 OK\r\n").unwrap().is_none());
    }
}
