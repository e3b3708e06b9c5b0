//! What all endpoints read of a request, and how they answer.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};

use crate::base::body::{self, Body, ReadError, full};
use crate::pages::Page;
use crate::simulator::bounds::BODY_BYTES;
use crate::wire::incoming::Incoming;

/// Reads a body, or says why not.
pub(super) async fn read(body: Incoming) -> Result<Bytes, StatusCode> {
    body::read(body, BODY_BYTES).await.map_err(|error| match error {
        ReadError::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
        ReadError::Broken(_) | ReadError::Slow(_) => StatusCode::BAD_REQUEST,
    })
}

/// Returns a field of a header as text.
pub(super) fn field(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

pub(super) fn answer(
    status: StatusCode,
    content_type: &'static str,
    content: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(full(content));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

pub(super) fn page(status: StatusCode, page: Page) -> Response<Body> {
    let mut response = answer(status, "text/html; charset=utf-8", page.html);
    if let Ok(policy) = HeaderValue::try_from(page.content_security_policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
