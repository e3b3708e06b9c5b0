//! What is removed from the answers of upstreams, so that none speaks in our name.
//!
//! 1. Headers that speak of one connection only.
//! 2. Identity headers: what a portal repeats must not reach a browser.
//! 3. `Set-Cookie` with a name of ours, or without a name: such a cookie comes back as its value,
//!    which may look like ours. A `Domain` on another cookie does not help against the `__Host-`
//!    prefix.
//! 4. `"cookies"` and `"*"` in `Clear-Site-Data`: one portal would sign the citizen out of all, or
//!    end a login that is under way. What else `"*"` stands for remains.
//! 5. `Alt-Svc`: it would lead browsers around us to a port of the upstream (RFC 7838 2).
//!
//! `Server`, `X-Powered-By`, `Refresh`, `Link` and `Location` are the portal's to say: it can lead
//! a browser away by a page as well. `Service-Worker-Allowed` stays for the same reason: an author
//! of scripts of an origin can do what a service worker can. A route can remove any of them.
//!
//! [`add_hsts`](crate::request::service::ServiceResponse::add_hsts) is the one header that we add to every
//! answer over TLS, when it is wanted.

use std::time::Duration;

use http::header::{HeaderName, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use super::hop_by_hop::remove_hop_by_hop;
use crate::identity::headers::{IdentityHeader, identity_header};
use crate::request::cookie::Cookies;

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// What becomes of a field of an upstream's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderRule {
    /// It goes on as it came.
    Passes,
    /// It does not go on.
    Dropped,
    /// It goes on unless the cookie is ours.
    Cookie,
    /// It does not go on, and neither does what it names.
    Connection,
    /// It says how long the body is.
    Length,
    /// It goes on without what would take our cookies away.
    Clears,
    /// It goes on; so nothing is said of how the answer is kept.
    CacheControl,
    /// It goes on; so nothing is said of TLS.
    Strict,
    /// It goes on; so no date is added.
    Date,
}

/// Tells what becomes of a field of that name, in whatever case it is spelled.
#[must_use]
pub fn rule(name: &[u8]) -> HeaderRule {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    // The length rules nearly all comparisons out.
    match name.len() {
        2 if is("te") => HeaderRule::Dropped,
        4 if is("date") => HeaderRule::Date,
        7 if is("upgrade") || is("trailer") || is("alt-svc") => HeaderRule::Dropped,
        10 if is("set-cookie") => HeaderRule::Cookie,
        10 if is("connection") => HeaderRule::Connection,
        10 if is("keep-alive") => HeaderRule::Dropped,
        13 if is("cache-control") => HeaderRule::CacheControl,
        14 if is("content-length") => HeaderRule::Length,
        15 if is("clear-site-data") => HeaderRule::Clears,
        16 if is("proxy-connection") => HeaderRule::Dropped,
        17 if is("transfer-encoding") => HeaderRule::Dropped,
        18 if is("proxy-authenticate") => HeaderRule::Dropped,
        19 if is("proxy-authorization") => HeaderRule::Dropped,
        25 if is("strict-transport-security") => HeaderRule::Strict,
        _ if is_ours(name) => HeaderRule::Dropped,
        _ => HeaderRule::Passes,
    }
}

fn is_ours(name: &[u8]) -> bool {
    // Nothing else folds to the first letter of ours.
    matches!(name.first(), Some(b'x' | b'X'))
        && std::str::from_utf8(name)
            .is_ok_and(|name| identity_header(name) != IdentityHeader::Foreign)
}

/// Cleans the answer of an upstream.
pub fn clean_response(headers: &mut HeaderMap, cookies: Cookies) {
    remove_hop_by_hop(headers);
    // Does not allocate unless there is something to remove.
    let mut ours = Vec::new();
    let (mut sets_cookies, mut clears) = (false, false);
    for name in headers.keys() {
        match rule(name.as_str().as_bytes()) {
            HeaderRule::Cookie => sets_cookies = true,
            HeaderRule::Clears => clears = true,
            HeaderRule::Dropped => ours.push(name.clone()),
            _ => {}
        }
    }
    for name in ours {
        headers.remove(name);
    }
    if sets_cookies {
        keep(headers, &SET_COOKIE, |value| is_of_the_portal(value.as_bytes(), cookies));
    }
    if clears {
        clear_no_cookies(headers);
    }
}

/// Returns the value of `Strict-Transport-Security` for a time. Neither sub-domains nor lists of
/// browsers are named: both reach further than one gateway can answer for.
#[must_use]
pub fn hsts(time: Duration) -> HeaderValue {
    let value = HeaderValue::try_from(format!("max-age={}", time.as_secs()));
    value.unwrap_or(HeaderValue::from_static("max-age=0"))
}

/// Tells whether the value of `Set-Cookie` is the portal's to set.
#[must_use]
pub fn is_of_the_portal(cookie: &[u8], cookies: Cookies) -> bool {
    // RFC 6265bis 5.6: the name ends at the first "=", which must come before the attributes.
    let pair = cookie.split(|&byte| byte == b';').next().unwrap_or_default();
    let Some(end) = pair.iter().position(|&byte| byte == b'=') else { return false };
    let name = pair[..end].trim_ascii();
    !name.is_empty() && !cookies.is_ours(name)
}

fn clear_no_cookies(headers: &mut HeaderMap) {
    let kept: Vec<&str> = headers
        .get_all(CLEAR_SITE_DATA)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .flat_map(|kind| match kind.trim() {
            "\"*\"" => &["\"cache\"", "\"storage\"", "\"executionContexts\""][..],
            "\"cache\"" => &["\"cache\""],
            "\"storage\"" => &["\"storage\""],
            "\"executionContexts\"" => &["\"executionContexts\""],
            "\"clientHints\"" => &["\"clientHints\""],
            // What browsers may one day understand by other words is not for us to guess.
            _ => &[],
        })
        .copied()
        .collect();
    let value = HeaderValue::try_from(kept.join(", "));
    headers.remove(CLEAR_SITE_DATA);
    if let Some(value) = value.ok().filter(|value| !value.is_empty()) {
        headers.insert(CLEAR_SITE_DATA, value);
    }
}

/// Keeps those values of a header that fit.
fn keep(headers: &mut HeaderMap, name: &HeaderName, fits: impl Fn(&HeaderValue) -> bool) {
    if headers.get_all(name).iter().all(&fits) {
        return;
    }
    let kept: Vec<_> = headers.get_all(name).iter().filter(|value| fits(value)).cloned().collect();
    headers.remove(name);
    for value in kept {
        headers.append(name.clone(), value);
    }
}

#[cfg(test)]
mod tests {
    use http::header::CONNECTION;

    use super::super::hop_by_hop::{HOP_BY_HOP, hop_by_hop};
    use super::*;

    fn cleaned(pairs: &[(&str, &str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        clean_response(&mut headers, Cookies::SECURE);
        headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect()
    }

    #[test]
    fn an_upstream_sets_no_cookie_and_no_identity_of_ours() {
        let answer = cleaned(&[
            ("Set-Cookie", "__Host-brama=evil; Path=/"),
            ("Set-Cookie", "__Host-brama=; Max-Age=0"),
            ("Set-Cookie", " brama-login =evil"),
            ("Set-Cookie", "=__Host-brama=evil"),
            ("Set-Cookie", "__Host-brama; x=evil"),
            ("Set-Cookie", "own=1; Domain=example"),
            ("X-Brama-Assertion", "leak"),
            ("X_Brama_Subject", "leak"),
            ("Alt-Svc", "h3=\":8443\""),
            ("Content-Type", "text/html"),
        ]);
        assert_eq!(answer, ["content-type: text/html", "set-cookie: own=1; Domain=example"]);
    }

    #[test]
    fn a_name_without_a_rule_passes_whatever_its_length() {
        for length in 1..40 {
            let name = "x".repeat(length);
            assert!(matches!(rule(name.as_bytes()), HeaderRule::Passes), "{name}");
        }
    }

    #[test]
    fn an_upstream_does_not_drop_our_cookies() {
        for (value, expected) in [
            ("\"cookies\"", None),
            ("\"*\"", Some("\"cache\", \"storage\", \"executionContexts\"")),
            ("\"cache\", \"cookies\"", Some("\"cache\"")),
            ("\"storage\"", Some("\"storage\"")),
            ("\"executionContexts\"", Some("\"executionContexts\"")),
            ("\"clientHints\"", Some("\"clientHints\"")),
            ("\"Cookies\"", None),
            ("*", None),
            ("", None),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|kept| format!("clear-site-data: {kept}")).collect();
            assert_eq!(cleaned(&[("Clear-Site-Data", value)]), expected, "{value}");
        }
    }

    #[test]
    fn what_is_the_portals_to_say_passes() {
        let said = [
            "server: x",
            "x-powered-by: x",
            "refresh: 0",
            "link: <a>; rel=preload",
            "location: /a",
            "set-cookie: a=1",
            "set-cookie: b=2",
        ];
        let pairs: Vec<_> = said.iter().map(|line| line.split_once(": ").unwrap()).collect();
        assert_eq!(cleaned(&pairs), said);
    }

    #[test]
    fn each_name_that_speaks_of_one_connection_is_found_in_its_place() {
        for (at, name) in HOP_BY_HOP.iter().enumerate() {
            assert_eq!(hop_by_hop(name), Some(at), "{name}");
            // Responses that go on line by line are ruled by another table.
            let rule = rule(name.as_str().as_bytes());
            let expected =
                if *name == CONNECTION { HeaderRule::Connection } else { HeaderRule::Dropped };
            assert_eq!(rule, expected, "{name}");
        }
        assert_eq!(hop_by_hop(&http::header::ACCEPT), None);
    }
}
