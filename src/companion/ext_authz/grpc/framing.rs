//! Calls of gRPC, as they stand in HTTP/2 ("gRPC over HTTP2", the protocol of grpc.io).
//!
//! 1. A call is a POST with `application/grpc` and `te: trailers`.
//! 2. It carries one message behind a flag and a length. The flag of compression is not taken:
//!    nobody was told that it may be used. At most [`MESSAGE`] bytes are read.
//! 3. An answer is one message and a trailer that says status 0; or, in place of it, a status in the
//!    head alone.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, TE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use hyper::body::Body as HttpBody;
use prost::Message;

use crate::base::body::{self, Body, BoxError, ReadError};
use crate::base::reason::Reason;
use crate::gateway::failure::Failure;
use crate::gateway::grpc;
use crate::wire::incoming::Incoming;

/// The most bytes of a message that are read. Envoy takes heads of 60 KiB unless it is told
/// otherwise, and says of one what we need at most twice. Bodies have no business here.
pub(super) const MESSAGE: usize = 256 * 1024;
/// The flag, and the length in four bytes.
const PREFIX: usize = 5;

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const TEXT: HeaderName = HeaderName::from_static("grpc-message");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const OK: HeaderValue = HeaderValue::from_static("0");

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    InvalidArgument = 3,
    NotFound = 5,
    Unimplemented = 12,
    Unavailable = 14,
}

/// Why no message came.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// It is too long.
    #[error("the message is longer than {MESSAGE} bytes; Envoy must not send bodies along")]
    TooLong,
    /// It is compressed.
    #[error("the message is compressed, which was not agreed on")]
    Compressed,
    /// It is not one whole message.
    #[error("the call does not carry one whole message")]
    NotOne,
    /// It broke off.
    #[error("the call broke off: {0}")]
    Broken(ReadError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::malformed(Reason::CompanionHeader, error.to_string())
    }
}

/// Tells whether a request is a call.
pub(super) fn is_call(parts: &Parts) -> bool {
    grpc::is_call(parts) && parts.headers.get(TE).is_some_and(|te| te == "trailers")
}

/// Reads the message of a call.
pub(super) async fn read(headers: &HeaderMap, body: Incoming) -> Result<Bytes, Error> {
    if headers.get(ENCODING).is_some_and(|name| name != "identity") {
        return Err(Error::Compressed);
    }
    let mut whole = body::read(body, MESSAGE + PREFIX).await.map_err(|error| match error {
        ReadError::TooLong(_) => Error::TooLong,
        other => Error::Broken(other),
    })?;
    if whole.len() < PREFIX {
        return Err(Error::NotOne);
    }
    let is_compressed = whole.get_u8() != 0;
    let length = whole.get_u32();
    if is_compressed {
        return Err(Error::Compressed);
    }
    if u32::try_from(whole.len()) == Ok(length) { Ok(whole) } else { Err(Error::NotOne) }
}

/// Answers a call with a message.
pub(super) fn answer(message: &impl Message) -> Response<Body> {
    with(body::trailed(framed(message), end(None)))
}

/// Answers a call with messages that come one by one.
pub(super) fn streamed<B>(body: B) -> Response<Body>
where
    B: HttpBody<Data = Bytes, Error = BoxError> + Send + 'static,
{
    with(Body::stream(body))
}

fn with(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

/// Returns a message as it stands in a body.
pub(super) fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(PREFIX + length);
    frame.put_u8(0);
    // What we write is far shorter; a length that cannot be said is none that a reader takes.
    frame.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    message.encode_raw(&mut frame);
    frame.freeze()
}

/// Returns what stands behind the last message.
pub(super) fn end(failure: Option<Code>) -> HeaderMap {
    let mut trailer = HeaderMap::with_capacity(1);
    trailer.insert(STATUS, failure.map_or(OK, |code| HeaderValue::from(code as u16)));
    trailer
}

/// Says that a call fails, in a text without what would have to be encoded.
pub(super) fn failed(code: Code, text: &'static str) -> Response<Body> {
    let mut response = Response::new(body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, GRPC);
    headers.insert(STATUS, HeaderValue::from(code as u16));
    headers.insert(TEXT, HeaderValue::from_static(text));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_now(bytes: &[u8]) -> Result<Bytes, Error> {
        let body = Incoming::whole(Bytes::copy_from_slice(bytes));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read(&HeaderMap::new(), body))
    }

    #[test]
    fn one_whole_message_is_read_and_nothing_else() {
        assert_eq!(&*read_now(b"\0\0\0\0\x03abc").unwrap(), b"abc");
        assert_eq!(&*read_now(b"\0\0\0\0\0").unwrap(), b"");
        for other in [
            &b""[..],
            b"\0\0\0\0",
            b"\0\0\0\0\x04abc",
            b"\0\0\0\0\x02abc",
            b"\0\0\0\0\x01a\0\0\0\0\x01b",
            b"\0\xff\xff\xff\xffabc",
        ] {
            assert!(matches!(read_now(other), Err(Error::NotOne)), "{other:?}");
        }
        assert!(matches!(read_now(b"\x01\0\0\0\x03abc"), Err(Error::Compressed)));
    }

    #[test]
    fn a_message_has_a_bound() {
        let message = |length: usize| {
            let prefix = u32::try_from(length).unwrap().to_be_bytes();
            [&[0][..], &prefix, &vec![0; length]].concat()
        };
        assert_eq!(read_now(&message(MESSAGE)).unwrap().len(), MESSAGE);
        assert!(matches!(read_now(&message(MESSAGE + 1)), Err(Error::TooLong)));
    }
}
