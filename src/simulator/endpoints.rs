//! HTTP around the node: which path does what.

mod browser;
mod control;
mod soap;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};

use super::bounds::BODY_BYTES;
use crate::base::body::{self, Body, ReadError, full};
use crate::pages::Page;
use crate::wire::incoming::Incoming;

pub(super) use browser::Browser;
pub(super) use soap::Soap;

/// Reads a body, or says why not.
async fn read(body: Incoming) -> Result<Bytes, StatusCode> {
    body::read(body, BODY_BYTES).await.map_err(|error| match error {
        ReadError::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
        ReadError::Broken(_) | ReadError::Slow(_) => StatusCode::BAD_REQUEST,
    })
}

/// Returns a field of a header as text.
fn field(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn answer(
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

fn page(status: StatusCode, page: Page) -> Response<Body> {
    let mut response = answer(status, "text/html; charset=utf-8", page.html);
    if let Ok(policy) = HeaderValue::try_from(page.content_security_policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
