//! The head of a request.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::header::UPGRADE;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Uri, Version};

use super::bounds::{Bounds, MOST_FIELDS};
use super::fields::{Noted, Side, odd_line, put_into};
use crate::wire::framing::Framing;
use crate::wire::refusal::Refusal;

/// What the head of a request says, beside what it is for.
#[derive(Debug)]
pub struct RequestHead {
    /// Method, target, version and headers.
    pub parts: Box<Parts>,
    /// How long the body is.
    pub framing: Framing,
    /// Whether the connection may be used again.
    pub keep_alive: bool,
    /// Whether the client holds its body back until it hears `100 Continue` (RFC 9110 10.1.1).
    pub holds_back: bool,
    /// The protocol that the client would like to go on with (RFC 9110 7.8).
    pub upgrade: Option<HeaderValue>,
}

pub(super) fn parse(head: &Bytes, bounds: &Bounds) -> Result<RequestHead, Refusal> {
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

    let mut parts = Box::new(Request::new(()).into_parts().0);
    parts.version = if parsed.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    parts.method = method;
    parts.uri = uri;
    let mut noted = Noted::default();
    put_into(&mut parts.headers, head, parsed.headers, |name, value| noted.note(name, value))?;
    let framing = noted.said.of_request(parts.version)?;
    let may_upgrade =
        noted.wants_upgrade && parts.version == Version::HTTP_11 && framing == Framing::NONE;
    Ok(RequestHead {
        framing,
        // HTTP/1.0 knew no way to keep a connection that all agreed on (RFC 9112 C.2.2).
        keep_alive: noted.is_kept(parts.version) && parts.version == Version::HTTP_11,
        // Not in HTTP/1.0 (RFC 9110 10.1.1).
        holds_back: noted.holds_back && parts.version == Version::HTTP_11,
        upgrade: may_upgrade
            .then(|| parts.headers.get(UPGRADE).filter(is_upgrade).cloned())
            .flatten(),
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
    // As long as it would be in HTTP/1.1.
    let mut length = parts.method.as_str().len() + parts.uri.path().len();
    length += parts.uri.query().map_or(0, str::len);
    let mut noted = Noted::default();
    for (name, value) in &parts.headers {
        length += name.as_str().len() + value.len() + AROUND_FIELD;
        // RFC 9113 8.2.1: no white space around a value.
        if value.as_bytes().trim_ascii().len() < value.len() {
            return Err(Refusal::Malformed("value of a field"));
        }
        noted.note(name.as_str(), value.as_bytes())?;
    }
    if length > bounds.bytes {
        return Err(Refusal::HeadTooLong(bounds.bytes));
    }
    noted.said.of_request(Version::HTTP_2).map(drop)
}

/// Refuses early what is too long already.
pub(super) fn still_within(buffer: &[u8], bounds: &Bounds) -> Result<(), Refusal> {
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

fn refusal_of_request(error: httparse::Error, head: &[u8], bounds: &Bounds) -> Refusal {
    let in_a_line = |what| Refusal::MalformedLine(what, odd_line(head, Side::Request));
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
        httparse::Error::HeaderName => in_a_line("name of a field"),
        httparse::Error::HeaderValue => in_a_line("value of a field"),
        httparse::Error::NewLine => in_a_line("end of a line"),
        httparse::Error::Token | httparse::Error::Status => Refusal::Malformed("request line"),
    }
}

fn method(text: &str) -> Option<Method> {
    let bytes = text.as_bytes();
    is_method(bytes).then(|| Method::from_bytes(bytes).ok()).flatten()
}

/// A colon, a space and the end of a line.
const AROUND_FIELD: usize = 4;
/// The most letters of a method.
const MOST_METHOD: usize = 32;

/// Tells whether a byte may stand in a token (RFC 9110 5.6.2).
#[must_use]
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Tells whether a method is one that every server reads alike.
#[must_use]
pub fn is_method(bytes: &[u8]) -> bool {
    (1..=MOST_METHOD).contains(&bytes.len())
        && bytes[0].is_ascii_uppercase()
        && bytes.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::super::Search;
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
            let is_malformed =
                matches!(refused, Err(Refusal::Malformed(_) | Refusal::MalformedLine(..)));
            assert!(is_malformed, "{text:?}: {refused:?}");
        }
        for text in ["GET / HTTP/1.2\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/0.9\r\n\r\n"] {
            assert_eq!(take(text).unwrap_err(), Refusal::Version, "{text:?}");
        }
    }

    #[test]
    fn the_line_is_named_in_which_something_is_odd() {
        for (text, line) in [
            ("GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 3),
            ("GET / HTTP/1.1\r\n A: b\r\nHost: x\r\n\r\n", 2),
            ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 3),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\nC: \u{b}\r\nD: e\r\n\r\n", 4),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 3),
            ("GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", 3),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: b\n\r\n", 3),
            ("\r\nGET / HTTP/1.1\r\nHost: x\n\r\n", 2),
            ("GET / HTTP/1.1\nHost: x\r\n\r\n", 1),
        ] {
            let refused = take(text);
            let is_named = matches!(refused, Err(Refusal::MalformedLine(_, at)) if at == line);
            assert!(is_named, "{text:?}: {refused:?}");
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
    fn a_target_is_as_long_as_it_may_be_and_may_name_its_scheme() {
        let most = Bounds::default().target;
        assert_eq!(most, 8192);
        let target = |length: usize| format!("/{}", "x".repeat(length - 1));
        assert!(take(&format!("GET {} HTTP/1.1\r\n\r\n", target(most))).unwrap().is_some());
        let longer = take(&format!("GET {} HTTP/1.1\r\n\r\n", target(most + 1)));
        assert_eq!(longer.unwrap_err(), Refusal::TargetTooLong(most));
        // A line that has not ended is waited for as long as its target may still fit.
        let begun = |length: usize| take(&format!("GET {}", target(length - 4)));
        assert!(begun(most + 64).unwrap().is_none());
        assert_eq!(begun(most + 65).unwrap_err(), Refusal::TargetTooLong(most));
        let absolute = take("GET http://portal.example/x HTTP/1.1\r\n\r\n").unwrap().unwrap();
        assert_eq!(absolute.parts.uri.path(), "/x");
    }

    #[test]
    fn an_expectation_is_that_of_leave_to_send_in_whatever_letters_and_no_other() {
        for (version, fields, holds_back) in [
            ("1.1", "", false),
            ("1.1", "Expect: 100-continue\r\n", true),
            ("1.1", "EXPECT: 100-Continue\r\n", true),
            ("1.0", "Expect: 100-continue\r\n", false),
            // Names and values of the same length, of which nothing is noted.
            ("1.1", "Accept: 100-continue\r\n", false),
            ("1.1", "Accept: 100-whatever\r\nX-Whatever: close\r\n", false),
        ] {
            let text = format!("GET / HTTP/{version}\r\n{fields}\r\n");
            let head = take(&text).unwrap().unwrap();
            assert_eq!(head.holds_back, holds_back, "{text:?}");
            assert_eq!(head.keep_alive, version == "1.1", "{text:?}");
        }
        for value in ["100-whatever", "", "100-continue, x"] {
            let refused = take(&format!("GET / HTTP/1.1\r\nExpect: {value}\r\n\r\n"));
            assert_eq!(refused.unwrap_err(), Refusal::Expectation, "{value:?}");
        }
    }

    #[test]
    fn connection_tells_whether_it_goes_on() {
        for (version, connection, kept) in [
            ("1.1", "", true),
            ("1.1", "Connection: keep-alive, Close\r\n", false),
            ("1.1", "CONNECTION: CLOSE\r\n", false),
            ("1.1", "Connection: closed\r\n", true),
            ("1.0", "", false),
            ("1.0", "Connection: Keep-Alive\r\n", false),
        ] {
            let head = take(&format!("GET / HTTP/{version}\r\n{connection}\r\n")).unwrap().unwrap();
            assert_eq!(head.keep_alive, kept, "{version} {connection}");
        }
    }

    fn http2(method: &str, target: &str, pairs: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_request_of_http2_is_held_to_the_same_bounds() {
        let bounds = Bounds { fields: 2, target: 10, bytes: 40 };
        let check = |target: &str, pairs: &[(&str, &str)]| {
            check_http2(&http2("GET", target, pairs), &bounds)
        };
        assert_eq!(check("/", &[("a", "1"), ("b", "2")]), Ok(()));
        assert_eq!(check("/", &[("a", "1"); 3]), Err(Refusal::TooManyFields(2)));
        assert_eq!(check("/345678?10", &[]), Ok(()));
        assert_eq!(check("/345678?101", &[]), Err(Refusal::TargetTooLong(10)));
        // GET, /, and each field with four bytes around it.
        let value = |length: usize| "v".repeat(length);
        assert_eq!(check("/", &[("a", &value(31))]), Ok(()));
        assert_eq!(check("/", &[("a", &value(32))]), Err(Refusal::HeadTooLong(40)));
        assert_eq!(check("/?bc", &[("a", &value(29))]), Ok(()));
        assert_eq!(check("/?bc", &[("a", &value(30))]), Err(Refusal::HeadTooLong(40)));
        assert_eq!(check("/", &[("a", &value(15)), ("b", &value(11))]), Ok(()));
        assert_eq!(
            check("/", &[("a", &value(15)), ("b", &value(12))]),
            Err(Refusal::HeadTooLong(40))
        );
    }

    #[test]
    fn a_field_of_http2_is_looked_at_as_in_http1() {
        let check =
            |pairs: &[(&str, &str)]| check_http2(&http2("POST", "/", pairs), &Bounds::default());
        for value in [" a", "a ", "\ta", " "] {
            let refused = check(&[("x", value)]);
            assert_eq!(refused, Err(Refusal::Malformed("value of a field")), "{value:?}");
        }
        assert_eq!(check(&[("x", "a b"), ("y", "")]), Ok(()));
        assert_eq!(check(&[("expect", "100-continue")]), Ok(()));
        assert_eq!(check(&[("expect", "200-ok")]), Err(Refusal::Expectation));
        assert_eq!(check(&[("content-length", "3")]), Ok(()));
        assert!(check(&[("content-length", "3"), ("content-length", "4")]).is_err());
        assert!(check(&[("content-length", "x")]).is_err());
    }

    #[test]
    fn a_host_alone_is_a_target_of_connect_and_of_nothing_else() {
        let head = |method: &str| take(&format!("{method} x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n"));
        assert_eq!(head("CONNECT").unwrap().unwrap().parts.method, Method::CONNECT);
        for method in ["GET", "OPTIONS"] {
            assert_eq!(head(method).unwrap_err(), Refusal::Malformed("target is a host"));
        }
    }

    #[test]
    fn a_version_of_http_is_told_from_what_is_none() {
        let refused = |version: &str| take(&format!("GET / {version}\r\n\r\n")).unwrap_err();
        for version in ["HTTP/2.0", "HTTP/0.9", "HTTP/3.7"] {
            assert_eq!(refused(version), Refusal::Version, "{version}");
        }
        for version in ["HTTP/2.00", "HTTP/x.0", "HTTP/2,0", "HTTP/2.x", "HTTPS/2.0", "ICAP/1.0"] {
            assert_eq!(refused(version), Refusal::Malformed("version"), "{version}");
        }
    }

    #[test]
    fn a_method_has_capital_letters_and_lines_between_them() {
        let longest = [b'A'; MOST_METHOD];
        for method in [&b"GET"[..], b"VERSION-CONTROL", b"A_B", b"A", &longest] {
            assert!(is_method(method), "{method:?}");
        }
        let longer = [b'A'; MOST_METHOD + 1];
        for method in [&b""[..], b"get", b"GeT", b"-A", b"_A", b"A.B", b"A1", b"A B", &longer] {
            assert!(!is_method(method), "{method:?}");
        }
    }

    #[test]
    fn an_upgrade_is_for_a_plain_request_of_http_1_1_and_never_to_http() {
        let upgrade = |version: &str, fields: &str| {
            let text = format!("GET / HTTP/{version}\r\nHost: x\r\n{fields}\r\n");
            take(&text).unwrap().unwrap().upgrade
        };
        let asked = "Connection: upgrade\r\nUpgrade: websocket\r\n";
        assert_eq!(upgrade("1.1", asked), Some(HeaderValue::from_static("websocket")));
        for (version, fields) in [
            ("1.0", asked.to_owned()),
            ("1.1", asked.replace("websocket", "h2c")),
            ("1.1", asked.replace("websocket", "H2C")),
            ("1.1", asked.replace("websocket", "websocket, h2c")),
            ("1.1", asked.replace("Connection: upgrade", "Connection: close")),
            ("1.1", format!("{asked}Content-Length: 3\r\n")),
            ("1.1", format!("{asked}Transfer-Encoding: chunked\r\n")),
        ] {
            assert_eq!(upgrade(version, &fields), None, "{version} {fields}");
        }
    }
}
