//! `Via`: through which gateways a request came (RFC 9110 7.6.3).
//!
//! 1. A gateway must say in each request that it passes on that it did. We say it under a
//!    pseudonym, in which nothing of the host is told, and say nothing to clients.
//! 2. A request that names us came back to us: it would go round until something gives way. Each
//!    process has a name of its own, so a chain of gateways with one configuration is no loop; one
//!    that leads over several processes is found when it meets one of them again.

use http::header::VIA;
use http::{HeaderMap, HeaderValue, Version};

use crate::base::encoding::base64url;
use crate::base::random;

/// What we say of ourselves.
#[derive(Debug, Clone)]
pub struct Via {
    name: String,
    http_10: HeaderValue,
    http_11: HeaderValue,
    http_2: HeaderValue,
}

impl Default for Via {
    fn default() -> Self {
        Self::named(&base64url(&random::bytes::<9>()))
    }
}

impl Via {
    /// Makes one; the name is a token.
    fn named(name: &str) -> Self {
        let name = format!("brama-{name}");
        let value = |version: &str| HeaderValue::try_from(format!("{version} {name}"));
        let value = |version| value(version).unwrap_or(HeaderValue::from_static("1.1 brama"));
        Self { http_10: value("1.0"), http_11: value("1.1"), http_2: value("2.0"), name }
    }

    /// Returns what is said of a request that came in a version of HTTP.
    #[must_use]
    pub fn of(&self, version: Version) -> &HeaderValue {
        match version {
            Version::HTTP_2 => &self.http_2,
            Version::HTTP_11 => &self.http_11,
            _ => &self.http_10,
        }
    }

    /// Tells whether a request came through us before.
    #[must_use]
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        let is_between = |byte: &u8| matches!(byte, b' ' | b'\t' | b',' | b':' | b'(' | b')');
        let is_ours = |word: &[u8]| word == self.name.as_bytes();
        let mut values = headers.get_all(VIA).iter();
        values.any(|value| value.as_bytes().split(is_between).any(is_ours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(via: &Via, values: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(VIA, value.parse().unwrap());
        }
        via.is_in(&headers)
    }

    #[test]
    fn a_request_that_came_through_us_is_known_and_no_other_is() {
        let via = Via::named("abc");
        assert_eq!(via.of(Version::HTTP_11), "1.1 brama-abc");
        assert_eq!(via.of(Version::HTTP_2), "2.0 brama-abc");
        for values in [
            &["1.1 brama-abc"][..],
            &["1.0 fred, 1.1 brama-abc (x), 2.0 other"],
            &["1.0 fred", "HTTP/1.1 brama-abc:80"],
            &["1.1\tbrama-abc,1.1 x"],
        ] {
            assert!(is_in(&via, values), "{values:?}");
        }
        for values in [&[][..], &["1.1 brama-abcd"], &["1.1 x-brama-abc"], &["1.1 brama", "abc"]] {
            assert!(!is_in(&via, values), "{values:?}");
        }
        assert!(!is_in(&via, &[Via::default().of(Version::HTTP_11).to_str().unwrap()]));
    }
}
