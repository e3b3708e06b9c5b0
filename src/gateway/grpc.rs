//! What a client of gRPC is told in place of an answer: it reads no status of HTTP, no page and no
//! JSON, but fields that stand alone in the head of an answer without a body ("Trailers-Only" in the
//! protocol of gRPC over HTTP/2).

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, Version};

use crate::base::body::{self, Body};
use crate::request::context::RequestContext;

/// Tells whether a request is one of gRPC. That is spoken over HTTP/2 only, and is not gRPC-Web,
/// whose clients read their status out of a body.
#[must_use]
pub fn is_spoken(context: &RequestContext) -> bool {
    is_call(&context.parts)
}

/// Tells whether a head is one of gRPC.
#[must_use]
pub fn is_call(parts: &Parts) -> bool {
    let is_its_kind = |kind: &HeaderValue| {
        let rest = kind.as_bytes().strip_prefix(GRPC.as_bytes());
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
    };
    parts.version == Version::HTTP_2
        && parts.method == Method::POST
        && parts.headers.get(CONTENT_TYPE).is_some_and(is_its_kind)
}

/// Refuses a request with what the status of HTTP would have been, and a stable code.
#[must_use]
pub fn refusal(status: StatusCode, code: &'static str) -> Response<Body> {
    let mut response = Response::new(body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(STATUS, HeaderValue::from(number(status)));
    headers.insert(MESSAGE, HeaderValue::from_static(code));
    response
}

/// Returns the status of gRPC for one of HTTP. Unlike gRPC's own table for proxies that do not know
/// it, this one tells a deadline and a limit from a server that is away.
fn number(status: StatusCode) -> u16 {
    match status.as_u16() {
        401 => 16,                  // UNAUTHENTICATED
        403 => 7,                   // PERMISSION_DENIED
        404 | 405 | 501 => 12,      // UNIMPLEMENTED
        408 | 504 => 4,             // DEADLINE_EXCEEDED
        409 => 10,                  // ABORTED
        413 | 414 | 429 | 431 => 8, // RESOURCE_EXHAUSTED
        502 | 503 => 14,            // UNAVAILABLE
        400 | 500 => 13,            // INTERNAL
        _ => 2,                     // UNKNOWN
    }
}

const GRPC: &str = "application/grpc";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
