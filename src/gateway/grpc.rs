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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_status_that_its_client_knows() {
        for (status, expected) in [
            (400, "13"),
            (401, "16"),
            (403, "7"),
            (404, "12"),
            (405, "12"),
            (408, "4"),
            (409, "10"),
            (413, "8"),
            (414, "8"),
            (418, "2"),
            (429, "8"),
            (431, "8"),
            (500, "13"),
            (501, "12"),
            (502, "14"),
            (503, "14"),
            (504, "4"),
        ] {
            let refused = refusal(StatusCode::from_u16(status).unwrap(), "request.no_route");
            assert_eq!(refused.status(), StatusCode::OK);
            for (name, value) in [
                ("grpc-status", expected),
                ("grpc-message", "request.no_route"),
                ("content-type", "application/grpc"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(refused.headers()[name], value, "{status}");
            }
        }
    }

    #[test]
    fn a_call_is_a_post_of_http_2_of_its_kind() {
        for (version, method, kind, is_one) in [
            (Version::HTTP_2, Method::POST, "application/grpc", true),
            (Version::HTTP_2, Method::POST, "application/grpc+proto", true),
            (Version::HTTP_2, Method::POST, "application/grpc;a=b", true),
            (Version::HTTP_2, Method::POST, "application/grpc-web", false),
            (Version::HTTP_2, Method::POST, "text/plain", false),
            (Version::HTTP_2, Method::GET, "application/grpc", false),
            (Version::HTTP_11, Method::POST, "application/grpc", false),
        ] {
            let request = http::Request::builder().version(version).method(&method);
            let (parts, ()) = request.header(CONTENT_TYPE, kind).body(()).unwrap().into_parts();
            assert_eq!(is_call(&parts), is_one, "{version:?} {method} {kind}");
        }
    }
}
