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
//! a browser away by a page as well. `Service-Worker-Allowed` stays for the same reason: whoever
//! can write scripts of an origin can do what a service worker can. A route can remove any of them.
//!
//! [`add_hsts`] is the one header that we add to every answer over TLS, when it is wanted.

use std::time::Duration;

use http::header::{ALT_SVC, HeaderName, SET_COOKIE, STRICT_TRANSPORT_SECURITY};
use http::{HeaderMap, HeaderValue};

use super::remove_hop_by_hop;
use crate::http::cookie::Cookies;
use crate::identity::headers::{Kinship, kinship};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Cleans the answer of an upstream.
pub fn clean_answer(headers: &mut HeaderMap, cookies: Cookies) {
    remove_hop_by_hop(headers);
    // Does not allocate unless there is something to remove.
    let mut ours = Vec::new();
    let (mut sets_cookies, mut clears) = (false, false);
    for name in headers.keys() {
        sets_cookies |= name == SET_COOKIE;
        clears |= name == CLEAR_SITE_DATA;
        if name == ALT_SVC || kinship(name.as_str()) != Kinship::Foreign {
            ours.push(name.clone());
        }
    }
    for name in ours {
        headers.remove(name);
    }
    if sets_cookies {
        keep(headers, &SET_COOKIE, |value| is_of_the_portal(value, cookies));
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

/// Tells browsers to come back over TLS only (RFC 6797 7.2: over TLS, once).
pub fn add_hsts(headers: &mut HeaderMap, value: Option<&HeaderValue>, is_tls: bool) {
    if let Some(value) = value.filter(|_| is_tls) {
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert_with(|| value.clone());
    }
}

fn is_of_the_portal(cookie: &HeaderValue, cookies: Cookies) -> bool {
    let bytes = cookie.as_bytes();
    // RFC 6265bis 5.6: the name ends at the first "=", which must come before the attributes.
    let pair = bytes.split(|&byte| byte == b';').next().unwrap_or_default();
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
    use super::*;

    fn cleaned(pairs: &[(&str, &str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        clean_answer(&mut headers, Cookies::SECURE);
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
    fn an_upstream_does_not_drop_our_cookies() {
        for (value, expected) in [
            ("\"cookies\"", None),
            ("\"*\"", Some("\"cache\", \"storage\", \"executionContexts\"")),
            ("\"cache\", \"cookies\"", Some("\"cache\"")),
            ("\"storage\"", Some("\"storage\"")),
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
    fn hsts_is_added_over_tls_unless_the_portal_says_it() {
        let value = hsts(Duration::from_secs(1));
        for (said, wanted, is_tls, expected) in [
            (None, Some(&value), true, Some("max-age=1")),
            (None, Some(&value), false, None),
            (None, None, true, None),
            (Some("max-age=2"), Some(&value), true, Some("max-age=2")),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(said) = said {
                headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(said));
            }
            add_hsts(&mut headers, wanted, is_tls);
            let there = headers.get(STRICT_TRANSPORT_SECURITY).map(|v| v.to_str().unwrap());
            assert_eq!(there, expected);
        }
    }
}
