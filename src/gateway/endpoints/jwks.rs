//! `jwks.json`: the public keys of the signed identities (RFC 7517).

use std::sync::PoisonError;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};

use crate::base::body::{self, Body};
use crate::gateway::Worker;

/// Answers with the key set. The next key is in it long before it signs, so it may be cached.
#[must_use]
pub fn answer(worker: &Worker) -> Response<Body> {
    let set = worker.shared.ring.read().unwrap_or_else(PoisonError::into_inner).jwks();
    let mut response = Response::new(body::full(set));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
