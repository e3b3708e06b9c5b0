//! What Envoy is told: a message that is a yes, or one that is a no, and never one that could be
//! taken for either.
//!
//! 1. Yes has the status 0 and every field of the route, each in place of what the client sent, an
//!    empty one too. Cookies that are none any more without ours are removed.
//! 2. It names the fields that are to go: those in the client's request that tell an identity, and
//!    other spellings of those that are set, which a program behind reads as the same
//!    ([`crate::identity::headers`]). Envoy would remove what is set as well, so none of these is
//!    among them.
//! 3. No has another status, and what the client is told: the page of the gateway, with its status.
//! 4. Both say for the log of Envoy what they know (`dynamic_metadata`): the code of a refusal, and
//!    the public name of a session.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, COOKIE, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::messages::{
    APPEND, Allowed, CheckResponse, Denied, Field, Header, HttpStatus, OVERWRITE, SetHeader,
    Status, Struct, Text, Texts,
};
use crate::base::body::{self, Body};
use crate::companion::decision;
use crate::identity::headers::ASSERTION;

/// The statuses of gRPC for a no.
const PERMISSION_DENIED: i32 = 7;
const UNAUTHENTICATED: i32 = 16;

/// The most bytes of a page that a client is told.
const PAGE: usize = 128 * 1024;

/// Spellings of the signed identity that a program may take for it.
const SPELLED: [&[u8]; 8] = [
    b"x_brama_assertion",
    b"x.brama.assertion",
    b"x-brama_assertion",
    b"x_brama-assertion",
    b"x-brama.assertion",
    b"x.brama-assertion",
    b"x_brama.assertion",
    b"x.brama_assertion",
];

const COOKIE_NAME: &[u8] = b"cookie";

/// Says yes. `taken` are the names in the client's request that are not to go on.
pub(super) fn allow(allowed: decision::Allowed, taken: &[HeaderName]) -> CheckResponse {
    // The portal need not see that there are no cookies but ours.
    let is_gone = |name: &HeaderName, value: &HeaderValue| *name == COOKIE && value.is_empty();
    let fields: Vec<_> = allowed.fields().filter(|(name, value)| !is_gone(name, value)).collect();
    let is_set = |name: &Bytes| fields.iter().any(|(set, _)| set.as_str().as_bytes() == name);
    let mut removed = Vec::with_capacity(SPELLED.len() + taken.len() + 1);
    removed.extend(SPELLED.map(Bytes::from_static));
    for (name, _) in allowed.fields().filter(|(name, _)| name.as_str().contains('-')) {
        if *name != ASSERTION {
            removed.extend(['_', '.'].map(|separator| spelled(name, separator).into()));
        }
    }
    removed.extend(taken.iter().map(|name| name.as_str().to_owned().into()));
    removed.push(Bytes::from_static(COOKIE_NAME));
    removed.retain(|name| !is_set(name));
    let headers = fields.iter().map(|(name, value)| set_header(name, value, OVERWRITE)).collect();
    CheckResponse {
        status: Some(Status { code: 0 }),
        allowed: Some(Allowed { headers, headers_to_remove: Texts(removed) }),
        denied: None,
        dynamic_metadata: allowed.session().map(|session| said("session", session)),
    }
}

/// Says no, and what the client is told.
pub(super) async fn deny(response: Response<Body>, reason: &str) -> CheckResponse {
    let (mut head, body) = response.into_parts();
    for name in [CONNECTION, CONTENT_LENGTH, SET_COOKIE, TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    // A page that is not there leaves the status and the fields.
    let page = body::read(body, PAGE).await.unwrap_or_default();
    let mut headers = Vec::with_capacity(head.headers.len());
    for name in head.headers.keys() {
        let mut action = OVERWRITE;
        for value in head.headers.get_all(name) {
            headers.push(set_header(name, value, action));
            action = APPEND;
        }
    }
    let code = match head.status {
        StatusCode::UNAUTHORIZED | StatusCode::FOUND | StatusCode::SEE_OTHER => UNAUTHENTICATED,
        _ => PERMISSION_DENIED,
    };
    CheckResponse {
        status: Some(Status { code }),
        denied: Some(Denied {
            status: Some(HttpStatus { code: head.status.as_u16().into() }),
            headers,
            body: String::from_utf8_lossy(&page).into_owned(),
        }),
        allowed: None,
        dynamic_metadata: Some(said("reason", reason)),
    }
}

fn spelled(name: &HeaderName, separator: char) -> String {
    let spell = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { separator };
    name.as_str().chars().map(spell).collect()
}

fn set_header(name: &HeaderName, value: &HeaderValue, append_action: i32) -> SetHeader {
    let header = Header {
        key: Bytes::copy_from_slice(name.as_str().as_bytes()),
        value: Bytes::copy_from_slice(value.as_bytes()),
        ..Header::default()
    };
    SetHeader { header: Some(header), append_action, keep_empty_value: true }
}

fn said(key: &'static str, value: &str) -> Struct {
    let value = Text { string_value: Bytes::copy_from_slice(value.as_bytes()) };
    let field = Field { key: Bytes::from_static(key.as_bytes()), value: Some(value) };
    Struct { fields: vec![field] }
}
