//! The path that an upstream sees in place of the one that came: a prefix less, a prefix more.
//!
//! 1. A prefix is taken away by segments, not by letters: the canonical path begins with it, and
//!    the path as it came has the same segments (`request::path` refuses what has not), so
//!    `/%74ax/x` loses `/tax` as `/tax/x` does. Parameters of a segment go with it.
//! 2. What is added is a canonical path. What remains is the rest of one. So the result never has
//!    an empty segment or a dot segment, and policy and upstream see the same value apart from the
//!    two prefixes.
//! 3. An empty path becomes `/`. The query stays.
//!
//! A portal must know of what is taken away to write links; it is told (`X-Forwarded-Prefix`).

use http::HeaderValue;
use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// How a path is rewritten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// How many segments go.
    stripped: usize,
    /// The prefix that they were, as a portal writes it into links.
    prefix: Option<HeaderValue>,
    /// What comes before the rest; empty, or a path without a slash at its end.
    added: String,
}

/// Why a path cannot be rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The route covers locations that do not begin with the prefix.
    #[error("the path of the route does not begin with it")]
    NotOfTheRoute,
    /// What is added cannot stand in a request.
    #[error("it is not a plain path in visible ASCII")]
    NotPlain,
}

impl Rewrite {
    /// Makes one for a route. Both prefixes and the path are canonical; an empty one changes
    /// nothing.
    ///
    /// # Errors
    /// When the route has locations that do not begin with what is to go, or the added prefix would
    /// need an encoding.
    pub fn new(route: &str, strip: &str, add: &str) -> Result<Self, Error> {
        let (strip, add) = (strip.trim_end_matches('/'), add.trim_end_matches('/'));
        let covers = strip.is_empty()
            || route
                .strip_prefix(strip)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if !covers {
            return Err(Error::NotOfTheRoute);
        }
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,=:@".contains(&byte);
        if !(add.is_empty() || add.starts_with('/')) || !add.bytes().all(is_plain) {
            return Err(Error::NotPlain);
        }
        let prefix = encoded(strip);
        Ok(Self {
            stripped: strip.bytes().filter(|&byte| byte == b'/').count(),
            prefix: HeaderValue::try_from(prefix).ok().filter(|_| !strip.is_empty()),
            added: add.to_owned(),
        })
    }

    /// Tells whether a path stays as it is.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.stripped == 0 && self.added.is_empty()
    }

    /// Returns the prefix that goes, percent-encoded.
    #[must_use]
    pub fn prefix(&self) -> Option<&HeaderValue> {
        self.prefix.as_ref()
    }

    /// Rewrites a path as it came. It must be one that the route covers.
    #[must_use]
    pub fn path(&self, raw: &str) -> String {
        let rest = (0..self.stripped).try_fold(raw, |rest, _| {
            let rest = rest.strip_prefix('/')?;
            Some(rest.find('/').map_or("", |at| &rest[at..]))
        });
        let path = format!("{}{}", self.added, rest.unwrap_or(""));
        if path.is_empty() { "/".to_owned() } else { path }
    }

    /// Rewrites a target; `None` when it stays as it is.
    #[must_use]
    pub fn target(&self, raw: &PathAndQuery) -> Option<PathAndQuery> {
        if self.is_none() {
            return None;
        }
        let mut target = self.path(raw.path());
        if let Some(query) = raw.query() {
            target.push('?');
            target.push_str(query);
        }
        // Made of parts of targets, so it is one; the root is no secret location of anybody.
        Some(PathAndQuery::try_from(target).unwrap_or(PathAndQuery::from_static("/")))
    }
}

/// Returns a canonical path as it stands in an address.
#[must_use]
pub fn encoded(path: &str) -> String {
    utf8_percent_encode(path, ENCODED).to_string()
}

/// RFC 3986 2.3: what is not unreserved, but for the slashes.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_go_and_come_by_segments() {
        for (route, strip, add, raw, expected) in [
            ("/tax", "/tax", "", "/tax", "/"),
            ("/tax", "/tax", "", "/tax/", "/"),
            ("/tax", "/tax", "", "/tax/form", "/form"),
            ("/tax", "/tax", "", "/%74ax/form", "/form"),
            ("/tax", "/tax", "", "/tax;v=1/form;x=2", "/form;x=2"),
            ("/tax", "/tax/", "/", "/tax/a%20b/", "/a%20b/"),
            ("/tax", "/tax", "/app", "/tax", "/app"),
            ("/tax", "/tax", "/app/", "/tax/", "/app/"),
            ("/tax", "/tax", "/app/v2", "/tax/x", "/app/v2/x"),
            ("/tax", "", "/app", "/tax/x", "/app/tax/x"),
            ("/", "", "/app", "/", "/app/"),
            ("/a/b", "/a", "", "/a/b/c", "/b/c"),
            ("/a/b", "/a/b", "", "/a/b/c", "/c"),
            ("/żółw", "/żółw", "", "/%C5%BC%C3%B3%C5%82w/x", "/x"),
            ("/tax", "", "", "/tax/x", "/tax/x"),
        ] {
            let rewrite = Rewrite::new(route, strip, add).unwrap();
            assert_eq!(rewrite.path(raw), expected, "{route} {strip} {add} {raw}");
        }
    }

    #[test]
    fn the_query_stays() {
        let rewrite = Rewrite::new("/tax", "/tax", "").unwrap();
        let target = |raw: &'static str| rewrite.target(&PathAndQuery::from_static(raw)).unwrap();
        assert_eq!(target("/tax?a=/tax"), "/?a=/tax");
        assert_eq!(target("/tax/x?"), "/x?");
        assert_eq!(Rewrite::new("/żó", "/żó", "").unwrap().prefix().unwrap(), "/%C5%BC%C3%B3");
        assert_eq!(rewrite.prefix().unwrap(), "/tax");
        assert!(Rewrite::default().prefix().is_none());
        assert!(Rewrite::default().target(&PathAndQuery::from_static("/x")).is_none());
    }

    #[test]
    fn what_the_route_does_not_begin_with_is_not_taken_away() {
        for strip in ["/taxes", "/ta", "/tax/form", "tax", "/TAX"] {
            assert_eq!(Rewrite::new("/tax", strip, ""), Err(Error::NotOfTheRoute), "{strip}");
        }
        for add in ["app", "/ż", "/a b", "/a?b", "/a#b", "/a%20b", "/a;b", "/a\\b"] {
            assert_eq!(Rewrite::new("/tax", "", add), Err(Error::NotPlain), "{add}");
        }
    }
}
