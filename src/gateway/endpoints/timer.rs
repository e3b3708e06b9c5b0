//! `session.js`: the session timer for pages of the portal. The same for every browser, so it may
//! be cached; no request for it is a sign of life, or looks at a session.

use std::io::Write as _;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::base::body::{self, Body};
use crate::base::encoding::{base64url, sha256};
use crate::pages;
use crate::request::context::RequestContext;

/// Answers with the script, or that the browser has it already (RFC 9110 13.1.2).
#[must_use]
pub fn answer(context: &RequestContext) -> Response<Body> {
    let headers = &context.parts.headers;
    let form = match accepts_gzip(headers) {
        true => SERVED.gzip.as_ref().unwrap_or(&SERVED.plain),
        false => &SERVED.plain,
    };
    let is_known = has(headers, &form.tag);
    let content = if is_known { body::empty() } else { body::full(form.content.clone()) };
    let mut response = Response::new(content);
    let answer = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&form.tag) {
        answer.insert(ETAG, tag);
    }
    for (name, value) in [
        // After an update the old script goes on for that long, which the answers of `session`
        // allow.
        (CACHE_CONTROL, "public, max-age=600"),
        (VARY, "Accept-Encoding"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        answer.insert(name, HeaderValue::from_static(value));
    }
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let script = HeaderValue::from_static("text/javascript; charset=utf-8");
    answer.insert(CONTENT_TYPE, script);
    if let Some(coding) = form.coding {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

/// One form of the script.
struct Form {
    content: Bytes,
    coding: Option<&'static str>,
    tag: String,
}

struct Served {
    plain: Form,
    gzip: Option<Form>,
}

static SERVED: LazyLock<Served> = LazyLock::new(|| {
    let script = pages::session_script().as_bytes();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let packed = encoder.write_all(script).and_then(|()| encoder.finish());
    Served {
        plain: Form::new(Bytes::from_static(script), None),
        gzip: packed.ok().map(|packed| Form::new(packed.into(), Some("gzip"))),
    }
});

impl Form {
    fn new(content: Bytes, coding: Option<&'static str>) -> Self {
        let tag = format!("\"{}\"", base64url(&sha256(&content)));
        Self { content, coding, tag }
    }
}

/// RFC 9110 12.5.3: only where gzip is named, and not with a quality of 0.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let is_gzip = |item: &str| {
        let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().trim_start_matches("q=");
        coding.trim().eq_ignore_ascii_case("gzip")
            && (weight.is_empty() || weight.bytes().any(|byte| (b'1'..=b'9').contains(&byte)))
    };
    items(headers, &ACCEPT_ENCODING).any(is_gzip)
}

/// RFC 9110 13.1.2: tags are compared weakly.
fn has(headers: &HeaderMap, tag: &str) -> bool {
    items(headers, &IF_NONE_MATCH)
        .map(|item| item.trim())
        .any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item) == tag)
}

fn items<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_small_on_the_way() {
        let gzip = SERVED.gzip.as_ref().unwrap();
        assert!(gzip.content.len() < 8 * 1024, "{} bytes", gzip.content.len());
        assert!(SERVED.plain.content.len() < 20 * 1024, "{}", SERVED.plain.content.len());
        assert_ne!(gzip.tag, SERVED.plain.tag);
    }

    #[test]
    fn gzip_is_for_those_who_name_it() {
        for (accepted, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip; q=1", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("identity", false),
            ("*", false),
            ("xgzip", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(accepts_gzip(&headers), expected, "{accepted:?}");
        }
    }

    #[test]
    fn a_tag_is_known_whole_or_not_at_all() {
        for (said, expected) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\" , \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(said));
            assert_eq!(has(&headers, "\"a\""), expected, "{said:?}");
        }
    }
}
