//! The head of an answer of HTTP/1.1, as an upstream or the node sends it.
//!
//! What is taken is within its bounds, is read the same by a strict second reader, and however it
//! was cut into pieces; written anew it is the same again.

use bytes::BytesMut;
use http::{Method, Version};

use crate::product::{ResponseHead, Bounds, Refusal, Search, outgoing};
use crate::script::pieces;
use crate::{strict, within};

/// Bounds that an input can reach.
const SMALL: Bounds = Bounds { bytes: 512, fields: 8, target: 0 };

/// Looks at one input: how it is cut, which bounds, then the head and what follows it.
pub fn run(data: &[u8]) {
    let Some(([cut, bounds], bytes)) = data.split_first_chunk() else { return };
    let bounds = if bounds % 2 == 0 { Bounds::default() } else { SMALL };
    let memory = 256 * 1024 + 64 * bytes.len();
    let (whole, length) = within(memory, || take(bytes, 0, &bounds));
    let (parts, _) = take(bytes, *cut, &bounds);

    // 1. However it comes, it is the same.
    match (&whole, &parts) {
        (Ok(Some(whole)), Ok(Some(parts))) => assert_eq!(said(whole), said(parts)),
        (Ok(None), Ok(None)) | (Err(_), Err(_)) => {}
        _ => panic!("in one piece: {whole:?}\nin pieces: {parts:?}"),
    }
    let Ok(Some(head)) = whole else { return };

    // 2. Its bounds were kept.
    assert!(length <= bounds.bytes, "{length} bytes");
    assert!(head.lines.iter().count() <= bounds.fields);

    // 3. The strict reader sees the same. One empty line before it is passed over, and further
    //    spaces before the status are taken.
    let text = &bytes[..length];
    let text = text.strip_prefix(b"\r\n").unwrap_or(text);
    let read = strict::head_of_answer(text).expect("a strict reader takes it");
    let first: Vec<_> = match &read.first[..] {
        [version, rest @ ..] => {
            let spaces = rest.iter().take_while(|part| part.is_empty()).count();
            std::iter::once(*version).chain(rest[spaces..].iter().copied()).collect()
        }
        [] => Vec::new(),
    };
    let (status, is_11) = strict::status_line(&first).expect("and its first line");
    assert_eq!(head.status.as_u16(), status);
    assert_eq!(head.version == Version::HTTP_11, is_11);
    assert_eq!(head.lines.iter().collect::<Vec<_>>(), read.fields);
    assert_eq!(head.lines.to_map().len(), read.fields.len());

    // 4. Written anew it is the same.
    let mut out = BytesMut::new();
    outgoing::status_line(&mut out, head.status);
    for (name, value) in head.lines.iter() {
        outgoing::field(&mut out, name, value);
    }
    out.extend_from_slice(b"\r\n");
    let (again, _) = take(&out, 0, &Bounds { bytes: usize::MAX, ..bounds });
    let again = again.expect("what we write, we read").expect("and it is whole");
    assert_eq!(head.lines.to_map(), again.lines.to_map());
    if is_11 {
        assert_eq!(said(&head), said(&again));
    }
}

fn take(bytes: &[u8], cut: u8, bounds: &Bounds) -> (Result<Option<ResponseHead>, Refusal>, usize) {
    let (mut search, mut buffer, mut came) = (Search::default(), BytesMut::new(), 0);
    for piece in pieces(bytes, cut) {
        came += piece.len();
        buffer.extend_from_slice(piece);
        match search.take_answer(&mut buffer, bounds) {
            Ok(None) => {}
            result => return (result, came - buffer.len()),
        }
    }
    (Ok(None), 0)
}

/// What matters of a head.
fn said(head: &ResponseHead) -> impl PartialEq + std::fmt::Debug {
    let framing = |method| head.said.of_answer(head.version, head.status, &method).ok();
    let framings = [Method::GET, Method::HEAD].map(framing);
    (head.status, head.version, head.lines.to_map(), framings, head.keep_alive)
}
