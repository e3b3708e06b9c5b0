//! Our two cookies: the session, and the binding of a login to a browser.
//!
//! On HTTPS both have the `__Host-` prefix: no other host, not even a sub-domain, can set them
//! (RFC 6265bis 4.1.3.2). On plain HTTP, which is for loopback only, browsers differ in whether
//! they take such cookies, so the names are plain there.

use std::time::Duration;

use bytes::BytesMut;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The names of our cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cookies {
    session: &'static str,
    binding: &'static str,
    attributes: &'static str,
}

impl Cookies {
    /// For a portal on HTTPS.
    pub const SECURE: Self = Self {
        session: "__Host-brama",
        binding: "__Host-brama-login",
        attributes: "; Path=/; Secure; HttpOnly; SameSite=Lax",
    };
    /// For a portal on plain HTTP on loopback.
    pub const PLAIN: Self = Self {
        session: "brama",
        binding: "brama-login",
        attributes: "; Path=/; HttpOnly; SameSite=Lax",
    };

    /// Returns the value of the session cookie.
    #[must_use]
    pub fn session(self, headers: &HeaderMap) -> Option<&str> {
        find(headers, self.session)
    }

    /// Returns the value of the binding cookie.
    #[must_use]
    pub fn binding(self, headers: &HeaderMap) -> Option<&str> {
        find(headers, self.binding)
    }

    /// Sets the session cookie, which goes away with the browser.
    #[must_use]
    pub fn set_session(self, value: &str) -> HeaderValue {
        sensitive(format!("{}={value}{}", self.session, self.attributes))
    }

    /// Sets the binding cookie.
    #[must_use]
    pub fn set_binding(self, value: &str, lifetime: Duration) -> HeaderValue {
        let seconds = lifetime.as_secs();
        sensitive(format!("{}={value}{}; Max-Age={seconds}", self.binding, self.attributes))
    }

    /// Takes the session cookie away.
    #[must_use]
    pub fn clear_session(self) -> HeaderValue {
        sensitive(format!("{}={}; Max-Age=0", self.session, self.attributes))
    }

    /// Removes our cookies from a request that goes on to an upstream.
    pub fn remove_from_request(self, headers: &mut HeaderMap) {
        let (mut count, mut has_ours, mut kept) = (0, false, BytesMut::new());
        for value in headers.get_all(COOKIE) {
            count += 1;
            for pair in pairs(value.as_bytes()) {
                // Few names of others begin like one of ours.
                if matches!(pair.first(), Some(b'b' | b'_')) && self.is_ours(name(pair)) {
                    has_ours = true;
                } else if !pair.is_empty() {
                    if kept.is_empty() {
                        kept.reserve(value.len());
                    } else {
                        kept.extend_from_slice(b"; ");
                    }
                    kept.extend_from_slice(pair);
                }
            }
        }
        // RFC 9113 8.2.3: what HTTP/2 brings in pieces goes on in one.
        if !has_ours && count < 2 {
            return;
        }
        if kept.is_empty() {
            headers.remove(COOKIE);
        } else if let Ok(value) = HeaderValue::from_maybe_shared(kept.freeze()) {
            headers.insert(COOKIE, value);
        } else {
            headers.remove(COOKIE);
        }
    }

    /// Tells whether a cookie of that name is ours, whichever scheme it was made for.
    #[must_use]
    pub fn is_ours(self, name: &[u8]) -> bool {
        let name = name.strip_prefix(b"__Host-").unwrap_or(name);
        matches!(name, b"brama" | b"brama-login")
    }
}

/// The value of a cookie that is there exactly once. Two of one name cannot both be ours. Other
/// cookies may hold whatever bytes they like.
fn find<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let mut found = None;
    for value in headers.get_all(COOKIE) {
        for pair in pairs(value.as_bytes()) {
            let Some(rest) = pair.strip_prefix(wanted.as_bytes()) else { continue };
            let Some(value) = rest.trim_ascii_start().strip_prefix(b"=") else { continue };
            if found.replace(value.trim_ascii_start()).is_some() {
                return None;
            }
        }
    }
    std::str::from_utf8(found?).ok()
}

/// Parts the value of a `Cookie` header into pairs.
fn pairs(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let here = rest?;
        let end = memchr::memchr(b';', here);
        rest = end.map(|end| &here[end + 1..]);
        Some(here[..end.unwrap_or(here.len())].trim_ascii())
    })
}

fn name(pair: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'=', pair).unwrap_or(pair.len());
    pair[..end].trim_ascii()
}

fn sensitive(text: String) -> HeaderValue {
    let mut value = HeaderValue::try_from(text).expect("our cookies are visible ASCII");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&'static str]) -> HeaderMap {
        cookies.iter().map(|value| (COOKIE, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn finds_a_cookie_that_is_there_once() {
        let cookies = Cookies::SECURE;
        assert_eq!(cookies.session(&headers(&["a=1; __Host-brama=x; b=2"])), Some("x"));
        assert_eq!(cookies.session(&headers(&["a=1", "__Host-brama=x"])), Some("x"));
        for none in [vec![], vec!["a=1"], vec!["__Host-bramax=1"], vec!["xx__Host-brama=1"]] {
            assert_eq!(cookies.session(&headers(&none)), None);
        }
        assert_eq!(cookies.session(&headers(&["__Host-brama=x; __Host-brama=y"])), None);
        assert_eq!(cookies.session(&headers(&["brama=x"])), None, "not on HTTPS");
        assert_eq!(cookies.session(&headers(&[" ;__Host-brama = x ;"])), Some("x"));
        for none in ["__Host-brama", "__Host-brama x=1", "__Host-brama-login=1", "=__Host-brama=1"]
        {
            assert_eq!(cookies.session(&headers(&[none])), None, "{none}");
        }
        let foreign = HeaderValue::from_bytes("lang=Żółw; __Host-brama=x".as_bytes()).unwrap();
        let map = HeaderMap::from_iter([(COOKIE, foreign)]);
        assert_eq!(cookies.session(&map), Some("x"), "whatever letters another cookie has");
    }

    #[test]
    fn removes_ours_and_leaves_the_portals() {
        let mut map = headers(&["a=1; __Host-brama=x;b=2", "__Host-brama-login=y; brama=z; c"]);
        Cookies::SECURE.remove_from_request(&mut map);
        assert_eq!(map.get(COOKIE).unwrap(), "a=1; b=2; c");
        for (cookies, left) in [
            (vec!["brama"], None),
            (vec![" brama-login = 1 ;"], None),
            (vec!["bramax=1; __Host-b=2;=brama"], Some("bramax=1; __Host-b=2;=brama")),
            (vec!["a=1", "b=2"], Some("a=1; b=2")),
            (vec!["a=1", "brama=2"], Some("a=1")),
            (vec![" ; ", ""], None),
        ] {
            let mut map = headers(&cookies);
            Cookies::PLAIN.remove_from_request(&mut map);
            assert_eq!(map.get(COOKIE).map(|value| value.to_str().unwrap()), left, "{cookies:?}");
            assert!(map.get_all(COOKIE).iter().count() < 2, "{cookies:?}");
        }
        let mut only_ours = headers(&["__Host-brama=x"]);
        Cookies::SECURE.remove_from_request(&mut only_ours);
        assert!(only_ours.get(COOKIE).is_none());
    }

    #[test]
    fn secure_cookies_have_every_attribute_of_the_host_prefix() {
        let set = Cookies::SECURE.set_session("x");
        let text = set.to_str().unwrap();
        for part in ["__Host-brama=x", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("Domain"));
    }
}
