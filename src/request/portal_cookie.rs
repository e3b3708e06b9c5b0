//! Cookies that a portal sets for a session of its own, and that go away with ours.
//!
//! A browser takes a cookie away only under the name, path and domain with which it was set
//! (RFC 6265bis 5.7), and says none of the last two. Without a path they are taken away at the root
//! and at the paths of the routes, where a portal sets them.

use http::HeaderValue;

use crate::request::cookie::Cookies;
use crate::wire::head::is_token_byte;

/// A cookie of the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalCookie {
    name: String,
    path: Option<String>,
    domain: Option<String>,
}

/// Why a text does not name a cookie of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A name of a cookie is a token (RFC 6265 4.1.1).
    #[error("is not the name of a cookie")]
    Name,
    /// It is one of ours.
    #[error("is a cookie of the gateway")]
    Ours,
    /// Only a path and a domain say which cookie it is.
    #[error("has something else than a Path and a Domain after the name")]
    Attribute,
}

impl PortalCookie {
    /// Reads `NAME`, `NAME; Path=/app` or `NAME; Path=/app; Domain=example.gov.pl`.
    ///
    /// # Errors
    /// When it does not name a cookie of the portal.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Err(Error::Name);
        }
        if Cookies::SECURE.is_ours(name.as_bytes()) {
            return Err(Error::Ours);
        }
        let (mut path, mut domain) = (None, None);
        for part in parts {
            let (key, value) = part.split_once('=').ok_or(Error::Attribute)?;
            let is = |known: &str| key.trim().eq_ignore_ascii_case(known);
            let value = value.trim();
            let is_path = value.starts_with('/') && value.bytes().all(|b| b.is_ascii_graphic());
            let is_domain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
            match (&path, &domain) {
                (None, _) if is("path") && is_path => path = Some(value.to_owned()),
                (_, None) if is("domain") && is_domain && !value.is_empty() => {
                    domain = Some(value.to_owned());
                }
                _ => return Err(Error::Attribute),
            }
        }
        Ok(Self { name: name.to_owned(), path, domain })
    }

    /// Returns the name of the cookie.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells whether it is said at which path it is set.
    #[must_use]
    pub fn has_path(&self) -> bool {
        self.path.is_some()
    }

    /// Returns values of `Set-Cookie` that take it away: at its path, or at each of these.
    pub fn clear<'p>(
        &'p self,
        paths: impl Iterator<Item = &'p str>,
        is_secure: bool,
    ) -> impl Iterator<Item = HeaderValue> {
        let own = self.path.as_deref();
        let all = own.into_iter().chain(paths.take(if own.is_some() { 0 } else { usize::MAX }));
        all.filter_map(move |path| {
            let mut text = format!("{}=; Path={path}; Max-Age=0", self.name);
            if let Some(domain) = &self.domain {
                text.push_str("; Domain=");
                text.push_str(domain);
            }
            // Names with a prefix are taken with this attribute only (RFC 6265bis 4.1.3).
            if is_secure {
                text.push_str("; Secure");
            }
            HeaderValue::try_from(text).ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleared(text: &str, is_secure: bool) -> Vec<String> {
        let cookie = PortalCookie::parse(text).unwrap();
        let values = cookie.clear(["/", "/tax"].into_iter(), is_secure);
        values.map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_cookie_goes_from_where_it_was_set() {
        let both = ["JSESSIONID=; Path=/; Max-Age=0", "JSESSIONID=; Path=/tax; Max-Age=0"];
        assert_eq!(cleared("JSESSIONID", false), both);
        assert_eq!(cleared("__Host-id; path=/", true), ["__Host-id=; Path=/; Max-Age=0; Secure"]);
        assert_eq!(
            cleared("id ; Domain=example.gov.pl;Path=/app/", true),
            ["id=; Path=/app/; Max-Age=0; Domain=example.gov.pl; Secure"]
        );
        assert_eq!(cleared("id; Domain=.a.pl", false).len(), 2);
        for (text, has_path) in [("id", false), ("id; Domain=a.pl", false), ("id; Path=/", true)] {
            assert_eq!(PortalCookie::parse(text).unwrap().has_path(), has_path, "{text}");
        }
    }

    #[test]
    fn what_names_no_cookie_of_the_portal_is_refused() {
        for (text, error) in [
            ("", Error::Name),
            ("a b", Error::Name),
            ("a=b", Error::Name),
            ("żółw", Error::Name),
            ("; Path=/", Error::Name),
            ("brama", Error::Ours),
            ("__Host-brama", Error::Ours),
            ("__Host-brama-login-x", Error::Ours),
            ("id; Secure", Error::Attribute),
            ("id; Path=app", Error::Attribute),
            ("id; Place=/app", Error::Attribute),
            ("id; Path=", Error::Attribute),
            ("id; Path=/a b", Error::Attribute),
            ("id; Path=/a; Path=/b", Error::Attribute),
            ("id; Domain=", Error::Attribute),
            ("id; Domain=a/b", Error::Attribute),
            ("id; Max-Age=5", Error::Attribute),
            ("id;", Error::Attribute),
        ] {
            assert_eq!(PortalCookie::parse(text), Err(error), "{text}");
        }
    }
}
