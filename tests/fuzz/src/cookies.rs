//! Cookies and the headers that speak in our name.
//!
//! Nothing of ours goes on to an upstream or comes from one, whatever else stands beside it; all
//! that is not ours goes on, in its order.

use std::time::Duration;

use http::header::{CONNECTION, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::product::cookie::{MOST_BOUND, MOST_BOUND_BYTES, MOST_VALUES};
use crate::product::{Bound, Cookies, IdentityHeader, Tag, ToldNames, headers, identity_header};
use crate::within;

const KINDS: [Bound; 7] = [
    Bound::Login,
    Bound::ForeignLogin,
    Bound::Twin,
    Bound::ForeignTwin,
    Bound::Form,
    Bound::HandoffRequest,
    Bound::Home,
];

/// Looks at one input: for which scheme, then a header in each line, a cookie unless it is said
/// otherwise.
pub fn run(data: &[u8]) {
    let Some((&scheme, bytes)) = data.split_first() else { return };
    let cookies = if scheme % 2 == 0 { Cookies::SECURE } else { Cookies::PLAIN };
    let headers = headers(bytes);
    within(256 * 1024 + 256 * bytes.len(), || {
        ours_are_found_and_bounded(cookies, &headers);
        ours_do_not_pass(cookies, &headers);
    });
    answers_set_none_of_ours(cookies, &headers);
}

fn ours_are_found_and_bounded(cookies: Cookies, headers: &HeaderMap) {
    let pairs = pairs(headers);
    let sessions: Vec<_> = cookies.sessions(headers).into_iter().flatten().collect();
    assert!(sessions.len() <= MOST_VALUES);
    for value in sessions {
        assert!(pairs.iter().any(|(_, said)| *said == Some(value.as_bytes())), "{value}");
    }
    let tag = Tag::of("a handle");
    for kind in KINDS {
        assert!(cookies.bound(headers, kind, &tag).len() <= MOST_VALUES);
        let all: Vec<_> = cookies.all_bound(headers, kind).collect();
        for (tag, _) in &all {
            assert!(Tag::is_one(tag), "{tag}");
        }
        // With the new one, no more stay than there may be.
        let gone = cookies.make_room(headers, kind, (&tag, 100)).count();
        let stay: Vec<_> = all.iter().filter(|(known, _)| *known != tag.as_str()).collect();
        let is_kept_at_all = cookies.bind(kind, &tag, "x", Duration::from_secs(1)).is_some();
        if is_kept_at_all {
            let stay = &stay[gone..];
            assert!(stay.len() < MOST_BOUND);
            let bytes: usize = stay.iter().map(|(_, value)| value.len()).sum();
            assert!(bytes + 100 <= MOST_BOUND_BYTES, "{bytes}");
        }
    }
}

fn ours_do_not_pass(cookies: Cookies, headers: &HeaderMap) {
    let told = ToldNames::new([&HeaderName::from_static("x-citizen-id")]);
    let mut passed = headers.clone();
    let Ok(scan) = headers::clean_request(&mut passed, &[], &told) else { return };
    headers::strip_for_upstream(&mut passed, scan, cookies);
    // 1. Nothing of ours is left, and no header speaks in our name or of the connection.
    for name in passed.keys() {
        assert_eq!(identity_header(name.as_str()), IdentityHeader::Foreign, "{name}");
        let folded: String = name.as_str().replace('_', "-");
        assert!(!folded.starts_with("x-brama-") && folded != "x-citizen-id", "{name}");
    }
    assert!(!passed.contains_key(CONNECTION));
    let left = pairs(&passed);
    assert!(!left.iter().any(|(name, _)| cookies.is_ours(name)), "{left:?}");
    // 2. All else is there, in its order.
    let named = |name: &HeaderName| {
        let values = headers.get_all(CONNECTION).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|named| named.trim().eq_ignore_ascii_case(name.as_str()))
    };
    if !named(&COOKIE) {
        let expected: Vec<_> = pairs_of(headers, |name| !cookies.is_ours(name));
        assert_eq!(left, expected);
    }
    // 3. A second time changes nothing.
    let mut again = passed.clone();
    let scan = headers::clean_request(&mut again, &[], &told).expect("what is clean stays clean");
    headers::strip_for_upstream(&mut again, scan, cookies);
    assert_eq!(again, passed);
}

fn answers_set_none_of_ours(cookies: Cookies, headers: &HeaderMap) {
    let mut answer = HeaderMap::new();
    for (name, value) in headers {
        let name = if name == COOKIE { SET_COOKIE } else { name.clone() };
        answer.append(name, value.clone());
    }
    headers::clean_response(&mut answer, cookies);
    for (name, value) in &answer {
        assert_eq!(identity_header(name.as_str()), IdentityHeader::Foreign, "{name}");
        if *name == SET_COOKIE {
            let text = value.as_bytes();
            let end = text.iter().position(|byte| b";=".contains(byte)).unwrap_or(text.len());
            assert!(!cookies.is_ours(text[..end].trim_ascii()), "{value:?}");
        }
    }
    let mut again = answer.clone();
    headers::clean_response(&mut again, cookies);
    assert_eq!(again, answer);
}

/// Names and values of all cookies, as anybody would part them.
fn pairs(headers: &HeaderMap) -> Vec<(&[u8], Option<&[u8]>)> {
    pairs_of(headers, |_| true)
}

fn pairs_of(headers: &HeaderMap, fits: impl Fn(&[u8]) -> bool) -> Vec<(&[u8], Option<&[u8]>)> {
    let mut found = Vec::new();
    for value in headers.get_all(COOKIE) {
        for pair in value.as_bytes().split(|&byte| byte == b';').map(<[u8]>::trim_ascii) {
            let mut parts = pair.splitn(2, |&byte| byte == b'=');
            let name = parts.next().unwrap_or_default().trim_ascii();
            if !pair.is_empty() && fits(name) {
                found.push((name, parts.next().map(<[u8]>::trim_ascii)));
            }
        }
    }
    found
}

fn headers(bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|&byte| byte == b'\n').take(64) {
        let (name, value) = match line.iter().position(|&byte| byte == b':') {
            Some(end) if line.starts_with(b"+") => (&line[1..end], &line[end + 1..]),
            _ => (&b"cookie"[..], line),
        };
        let name = HeaderName::from_bytes(name);
        let value = HeaderValue::from_bytes(value.trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}
