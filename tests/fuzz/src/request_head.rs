//! The head of a request of HTTP/1.1.
//!
//! What is taken is within its bounds, is read the same by a strict second reader, and however it
//! was cut into pieces; written anew it is the same again.

use bytes::BytesMut;
use http::Version;

use crate::product::{Bounds, Fields, Framing, Refusal, RequestHead, Search, outgoing};
use crate::script::pieces;
use crate::{strict, within};

/// Bounds that an input can reach.
const SMALL: Bounds = Bounds { bytes: 512, fields: 8, target: 64 };

/// Looks at one input: how it is cut, which bounds, then the head and what follows it.
pub fn run(data: &[u8]) {
    let Some(([cut, bounds], bytes)) = data.split_first_chunk() else { return };
    let bounds = if bounds % 2 == 0 { Bounds::default() } else { SMALL };
    let memory = 256 * 1024 + 64 * bytes.len();
    let (whole, length) = within(memory, || take(bytes, 0, &bounds));
    let (parts, _) = take(bytes, *cut, &bounds);

    // 1. However it comes, it is the same.
    match (&whole, &parts) {
        (Ok(Some(whole)), Ok(Some(parts))) => {
            assert!(is_same(whole, parts), "{whole:?}\n{parts:?}")
        }
        // Of one that never ends, the beginning may be too long before its first line is whole.
        (Ok(None), Ok(None) | Err(_)) | (Err(_), Err(_)) => {}
        _ => panic!("in one piece: {whole:?}\nin pieces: {parts:?}"),
    }
    let Ok(Some(head)) = whole else { return };

    // 2. Its bounds were kept.
    assert!(length <= bounds.bytes, "{length} bytes");
    assert!(head.parts.headers.len() <= bounds.fields);

    // 3. The strict reader sees the same.
    let text = &bytes[..length];
    let text = text.strip_prefix(b"\r\n").unwrap_or(text);
    let read = strict::head(text).expect("a strict reader takes it");
    let (method, target, is_11) = strict::request_line(&read.first).expect("and its first line");
    assert_eq!(head.parts.method.as_str().as_bytes(), method);
    assert!(target.len() <= bounds.target);
    assert_eq!(head.parts.version == Version::HTTP_11, is_11);
    let shown = head.parts.uri.to_string();
    let is_authority = head.parts.uri.scheme().is_some();
    // The library writes a scheme in lower case, and a slash for an empty path.
    assert!(is_authority || shown.as_bytes() == target, "{shown}");
    let ours: Vec<_> =
        head.parts.headers.iter().map(|(name, value)| (name.as_str(), value)).collect();
    assert_eq!(ours.len(), read.fields.len());
    for (name, value) in &read.fields {
        let is_it = |(known, said): &&(&str, &http::HeaderValue)| {
            known.as_bytes().eq_ignore_ascii_case(name) && said.as_bytes() == *value
        };
        assert!(ours.iter().any(|field| is_it(&field)), "a field is lost");
    }
    framing_is_plain(&head, &read);

    // 4. Written anew it is the same.
    if is_11 && !is_authority {
        let mut out = BytesMut::new();
        outgoing::request_line(&mut out, &head.parts.method, &shown);
        for (name, value) in &head.parts.headers {
            out.add(name, value);
        }
        out.extend_from_slice(b"\r\n");
        let (again, _) = take(&out, 0, &Bounds { bytes: usize::MAX, ..bounds });
        let again = again.expect("what we write, we read").expect("and it is whole");
        assert!(is_same(&head, &again), "{head:?}\n{again:?}");
    }
}

/// Takes a head out of pieces, and says how many bytes it had.
fn take(bytes: &[u8], cut: u8, bounds: &Bounds) -> (Result<Option<RequestHead>, Refusal>, usize) {
    let (mut search, mut buffer, mut came) = (Search::default(), BytesMut::new(), 0);
    for piece in pieces(bytes, cut) {
        came += piece.len();
        buffer.extend_from_slice(piece);
        match search.take_request(&mut buffer, bounds) {
            Ok(None) => {}
            result => return (result, came - buffer.len()),
        }
    }
    (Ok(None), 0)
}

fn is_same(one: &RequestHead, other: &RequestHead) -> bool {
    one.parts.method == other.parts.method
        && one.parts.uri == other.parts.uri
        && one.parts.version == other.parts.version
        && one.parts.headers == other.parts.headers
        && one.framing == other.framing
        && one.keep_alive == other.keep_alive
        && one.holds_back == other.holds_back
        && one.upgrade == other.upgrade
}

/// There is one way to say how long a body is, and that is what was taken.
fn framing_is_plain(head: &RequestHead, read: &strict::Head<'_>) {
    let values = |wanted: &str| -> Vec<&[u8]> {
        let of_name = |field: &&(&[u8], _)| field.0.eq_ignore_ascii_case(wanted.as_bytes());
        read.fields.iter().filter(of_name).map(|field| field.1).collect()
    };
    match (&values("content-length")[..], &values("transfer-encoding")[..]) {
        ([], []) => assert_eq!(head.framing, Framing::NONE),
        ([length], []) => {
            let length = std::str::from_utf8(length).unwrap().parse().unwrap();
            assert_eq!(head.framing, Framing::Length(length));
        }
        ([], [coding]) => {
            assert!(coding.eq_ignore_ascii_case(b"chunked"));
            assert_eq!((head.framing, head.parts.version), (Framing::Chunked, Version::HTTP_11));
        }
        several => panic!("two lengths were taken: {several:?}"),
    }
}
