//! A whole answer of HTTP/1.1, as an upstream or the node sends it: head, body, trailer.
//!
//! Hyper is given the same bytes. An answer that our reading brings to its end, hyper must read as
//! the same one.

use std::future::poll_fn;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Version};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;

use crate::product::{Bounds, Extensions, Progress, Reader, Search, Stream};
use crate::script::{Script, block_on};

#[derive(Debug, PartialEq, Eq)]
struct Heard {
    status: StatusCode,
    version: Version,
    headers: HeaderMap,
    body: Vec<u8>,
    trailer: HeaderMap,
}

/// Looks at one input: how it is cut, what was asked, then all that the server says.
pub fn run(data: &[u8]) {
    let Some(([cut, asked], bytes)) = data.split_first_chunk() else { return };
    let method = if asked % 4 == 0 { Method::HEAD } else { Method::GET };
    // 1. However it comes, it is the same.
    let ours = block_on(by_us(bytes, 0, &method));
    let parts = block_on(by_us(bytes, *cut, &method));
    assert_eq!(ours, parts, "cut by {cut}");
    let Some(ours) = ours else { return };
    // A change of protocol is none of hyper's without more; it refuses more spaces before a status.
    if ours.status == StatusCode::SWITCHING_PROTOCOLS || has_spaces(bytes) {
        return;
    }
    // 2. Hyper reads the same.
    let theirs = block_on(by_hyper(bytes, &method)).expect("hyper reads it too");
    assert_eq!(ours, theirs);
}

async fn by_us(bytes: &[u8], cut: u8, method: &Method) -> Option<Heard> {
    let (reader, _writer) = Stream::split_any(Script::new(bytes, cut).0);
    let mut reader = Reader::new(reader);
    let mut search = Search::default();
    let head = loop {
        match search.take_answer(reader.buffer(), &Bounds::default()).ok()? {
            Some(head) if head.status.is_informational() && head.status != 101 => {}
            Some(head) => break head,
            None => match poll_fn(|cx| reader.poll_fill(cx, 8192)).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            },
        }
    };
    let framing = head.said.of_answer(head.version, head.status, method).ok()?;
    let mut progress = Progress::new(framing, Extensions::PassedOver);
    let (mut body, mut trailer) = (Vec::new(), HeaderMap::new());
    while let Some(frame) = poll_fn(|cx| progress.poll_piece(&mut reader, cx)).await {
        match frame.ok()?.into_data() {
            Ok(data) => body.extend_from_slice(&data),
            Err(frame) => trailer = frame.into_trailers().ok()?,
        }
    }
    let (status, version) = (head.status, head.version);
    Some(Heard { status, version, headers: head.lines.to_map(), body, trailer })
}

async fn by_hyper(bytes: &[u8], method: &Method) -> Result<Heard, hyper::Error> {
    let io = TokioIo::new(Script::new(bytes, 0).0.answering());
    let mut builder = hyper::client::conn::http1::Builder::new();
    // As a proxy must (RFC 9112 5.1), and as we do.
    builder.allow_spaces_after_header_name_in_responses(true);
    let (mut sender, connection) = builder.max_headers(256).handshake(io).await?;
    let request = Request::builder().method(method).uri("/").header("host", "a");
    let request = request.body(Empty::<Bytes>::new()).expect("it is a request");
    let ask = async {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let whole = body.collect().await?;
        let trailer = whole.trailers().cloned().unwrap_or_default();
        let body = whole.to_bytes().to_vec();
        let (status, version) = (parts.status, parts.version);
        Ok(Heard { status, version, headers: parts.headers, body, trailer })
    };
    let (answer, _) = tokio::join!(ask, connection);
    answer
}

/// Tells whether more than one space stands before a status.
fn has_spaces(bytes: &[u8]) -> bool {
    bytes.windows(7).any(|part| part.starts_with(b"/1.") && part[4..].starts_with(b"  "))
}
