//! `jwks.json`: the public keys of the signed identities (RFC 7517), and where a library finds them
//! that is told the issuer alone (OpenID Connect Discovery 4).
//!
//! 1. The next key is in the set long before it signs, so the set may be cached (`FRESH`).
//! 2. While a retired key is on its way out the set is not fresh for anybody: a cache asks again.
//! 3. A client that has the set already learns that by its `ETag` (RFC 9110 13.1.2).
//! 4. As long as no keys are known, there is no set: an empty one would be believed.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::json;

use crate::base::body::{self, Body};
use crate::base::encoding::{base64url, sha256};
use crate::gateway::{Worker, response};
use crate::request::context::RequestContext;

/// The places on the registered host that are known to libraries (RFC 8615), when they are wanted.
pub const WELL_KNOWN_KEYS: &str = "/.well-known/jwks.json";
/// See [`WELL_KNOWN_KEYS`].
pub const WELL_KNOWN_ISSUER: &str = "/.well-known/openid-configuration";

/// How long the set may be cached. It is what backends are told to cache it for.
const FRESH: &str = "public, max-age=300";
/// A cache keeps the set and asks each time whether it is still that (RFC 9111 5.2.2.4).
const CHANGING: &str = "public, no-cache";

/// Answers with the key set.
#[must_use]
pub fn answer(worker: &Worker, context: &RequestContext) -> Response<Body> {
    let now = worker.shared.clock.now();
    let (set, is_settled) = {
        let ring = worker.shared.keys.ring();
        if ring.is_empty() {
            return unknown();
        }
        (ring.jwks(now), ring.is_settled())
    };
    let cached = HeaderValue::from_static(if is_settled { FRESH } else { CHANGING });
    with_tag(&context.parts.headers, set, ("application/jwk-set+json", cached))
}

/// Answers with what a library needs to know of the issuer. There is nothing to sign in at: a token
/// comes with each request that the gateway passes on.
#[must_use]
pub fn issuer(worker: &Worker, context: &RequestContext) -> Response<Body> {
    let origin = &worker.shared.settings.origin;
    let algorithms: Vec<_> =
        worker.shared.keys.ring().algorithms().map(|algorithm| algorithm.name()).collect();
    if algorithms.is_empty() {
        return unknown();
    }
    let told = json!({
        "issuer": origin,
        "jwks_uri": format!("{origin}{WELL_KNOWN_KEYS}"),
        "subject_types_supported": ["pairwise"],
        "response_types_supported": [],
        "id_token_signing_alg_values_supported": algorithms,
    });
    let cached = HeaderValue::from_static(FRESH);
    with_tag(&context.parts.headers, told.to_string(), ("application/json", cached))
}

fn with_tag(
    asked: &HeaderMap,
    text: String,
    (content_type, cached): (&'static str, HeaderValue),
) -> Response<Body> {
    let tag = format!("\"{}\"", base64url(&sha256(text.as_bytes())[..16]));
    let is_known = asked.get_all(IF_NONE_MATCH).iter().any(|known| names(known, &tag));
    let mut response = if is_known {
        let mut response = Response::new(body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(body::full(text));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        response
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, cached);
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

/// Tells whether one of the tags is that one. What makes a tag weak does not count (RFC 9110
/// 13.1.2); none of ours has a comma in it.
fn names(known: &HeaderValue, tag: &str) -> bool {
    let known = known.to_str().unwrap_or_default();
    let mut tags = known.split(',').map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// The keys that replicas share were not read yet, because the store is away.
fn unknown() -> Response<Body> {
    let told = json!({ "error": "keys are not known yet, because the session store is away" });
    let mut response = response::json(StatusCode::SERVICE_UNAVAILABLE, &told);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_has_the_set_says_so_in_any_way_that_there_is() {
        for (known, is_it) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("\"b\" ,W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
            ("\"a", false),
        ] {
            assert_eq!(names(&HeaderValue::from_static(known), "\"a\""), is_it, "{known}");
        }
    }
}
