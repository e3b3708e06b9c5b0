//! The fields of an upstream's answer that go on as they came, without a map in between.

use crate::request::cookie::Cookies;
use crate::request::headers::hop_by_hop::names_a_field;
use crate::request::headers::response::{HeaderRule, is_of_the_portal, rule};
use crate::wire::lines::Lines;
use crate::wire::outgoing;
use bytes::BytesMut;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, STRICT_TRANSPORT_SECURITY};
use http::{HeaderMap, HeaderValue};

/// Fields that were cleaned, and what is added to them.
#[derive(Debug, Default)]
pub struct RawHeaders {
    lines: Lines,
    cache_control: Option<&'static str>,
    strict: Option<HeaderValue>,
    length: Option<u64>,
    is_dated: bool,
    is_cache_controlled: bool,
    is_strict: bool,
}

impl RawHeaders {
    /// Cleans the fields of an answer as [`crate::request::headers::clean_response`] does; `length`
    /// is what they say of the body. Gives the lines back when one of them must be changed, not
    /// only left out.
    ///
    /// # Errors
    /// The lines, as they were.
    pub fn of(lines: Lines, length: Option<u64>, cookies: Cookies) -> Result<Self, Lines> {
        let needs_change = lines.iter().any(|(name, value)| match name.len() {
            // "Connection" may name others.
            10 if rule(name) == HeaderRule::Connection => !is_plain_connection(value),
            15 => rule(name) == HeaderRule::Clears,
            _ => false,
        });
        if needs_change {
            return Err(lines);
        }
        let mut passed = Self { lines, length, ..Self::default() };
        let Self { lines, is_dated, is_cache_controlled, is_strict, .. } = &mut passed;
        lines.retain(|name, value| match rule(name) {
            HeaderRule::Passes => true,
            HeaderRule::Dropped
            | HeaderRule::Connection
            | HeaderRule::Length
            | HeaderRule::Clears => false,
            HeaderRule::Cookie => is_of_the_portal(value, cookies),
            HeaderRule::Date => !std::mem::replace(is_dated, true),
            HeaderRule::CacheControl => {
                *is_cache_controlled = true;
                true
            }
            HeaderRule::Strict => {
                *is_strict = true;
                true
            }
        });
        Ok(passed)
    }

    /// Says how browsers keep the answer, unless it says so itself.
    pub fn control_cache(&mut self, value: &'static str) {
        if !self.is_cache_controlled {
            self.cache_control = Some(value);
        }
    }

    /// Says that browsers come back over TLS only, unless the answer says so itself.
    pub fn be_strict(&mut self, value: HeaderValue) {
        if !self.is_strict {
            self.strict = Some(value);
        }
    }

    /// Tells whether there is a `Date`.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.is_dated
    }

    /// Returns the length that the upstream said, which is not among the fields.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Writes all but the length.
    pub fn write(&self, out: &mut BytesMut) {
        self.lines.write(out);
        if let Some(value) = self.cache_control {
            outgoing::field(out, "cache-control", value.as_bytes());
        }
        if let Some(value) = &self.strict {
            outgoing::field(out, "strict-transport-security", value.as_bytes());
        }
    }

    /// Puts all, the length too, into a map.
    pub fn put_into(self, headers: &mut HeaderMap) {
        self.lines.put_into(headers);
        let cache_control = self.cache_control.map(HeaderValue::from_static);
        headers.extend(cache_control.map(|value| (CACHE_CONTROL, value)));
        headers.extend(self.strict.map(|value| (STRICT_TRANSPORT_SECURITY, value)));
        if let Some(length) = self.length {
            headers.insert(CONTENT_LENGTH, length.into());
        }
    }
}

fn is_plain_connection(value: &[u8]) -> bool {
    !value.split(|&byte| byte == b',').any(|option| names_a_field(option.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::headers::clean_response;
    use crate::wire::head::{Bounds, Search};

    fn lines(fields: &[&str]) -> Lines {
        let head = format!("HTTP/1.1 200 OK\r\n{}\r\n\r\n", fields.join("\r\n"));
        let head = Search::default().take_answer(&mut BytesMut::from(&*head), &Bounds::default());
        head.unwrap().unwrap().lines
    }

    fn written(passed: &RawHeaders) -> String {
        let mut out = BytesMut::new();
        passed.write(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    const COOKIES: Cookies = Cookies::SECURE;

    #[test]
    fn line_by_line_or_in_a_map_the_same_fields_go_on() {
        let fields = [
            "Content-Type: text/html",
            "Set-Cookie: __Host-brama=evil",
            "SET-COOKIE: own=1",
            "X-Brama-Assertion: leak",
            "x_brama_subject: leak",
            "Keep-Alive: timeout=5",
            "Connection: keep-alive",
            "Proxy-Authenticate: Basic",
            "Trailer: X",
            "TE: trailers",
            "Upgrade: h2c",
            "Alt-Svc: h3=\":8443\"",
            "Content-Length: 3",
            "ETag: \"x\"",
        ];
        let passed = RawHeaders::of(lines(&fields), Some(3), COOKIES).unwrap();
        assert_eq!(passed.length(), Some(3));
        let expected = "Content-Type: text/html\r\nSET-COOKIE: own=1\r\nETag: \"x\"\r\n";
        assert_eq!(written(&passed), expected);
        let mut cleaned = lines(&fields).to_map();
        clean_response(&mut cleaned, COOKIES);
        let mut map = HeaderMap::new();
        passed.put_into(&mut map);
        assert_eq!(map, cleaned);
    }

    #[test]
    fn what_must_be_changed_is_given_back_whole() {
        for field in ["Connection: X-Own", "Connection: close, x", "Clear-Site-Data: \"*\""] {
            let lines = RawHeaders::of(lines(&["A: b", field]), None, COOKIES).unwrap_err();
            assert_eq!(lines.iter().count(), 2, "{field}");
        }
        for field in ["Connection: close", "Connection: Keep-Alive,", "Connections: x"] {
            assert!(RawHeaders::of(lines(&["A: b", field]), None, COOKIES).is_ok(), "{field}");
        }
    }

    #[test]
    fn what_the_portal_says_itself_is_not_said_again() {
        let said = ["cache-control: no-cache", "strict-transport-security: max-age=1", "date: x"];
        for (fields, expected) in [
            (
                &said[..],
                "cache-control: no-cache\r\nstrict-transport-security: max-age=1\r\ndate: x\r\n",
            ),
            (&[], "cache-control: private\r\nstrict-transport-security: max-age=2\r\n"),
        ] {
            let mut passed = RawHeaders::of(lines(fields), None, COOKIES).unwrap();
            passed.control_cache("private");
            passed.be_strict(HeaderValue::from_static("max-age=2"));
            assert_eq!(written(&passed), expected);
            assert_eq!(passed.is_dated(), !fields.is_empty());
            let mut map = HeaderMap::new();
            passed.put_into(&mut map);
            assert_eq!(map.len(), expected.lines().count());
        }
    }
}
