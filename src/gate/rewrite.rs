//! The path that an upstream sees in place of the one that came: a prefix less, a prefix more.
//!
//! 1. A prefix is taken away by segments, not by letters: the canonical path begins with it, and
//!    the path as it came has the same segments (`request::path` refuses what has not, but for
//!    spellings that a lenient route takes), so `/%74ax/x` loses `/tax` as `/tax/x` does.
//!    Parameters of a segment go with it.
//! 2. What is added is a canonical path. What remains is the rest of one. So the result never has
//!    a dot segment, nor an empty one but for spellings that a lenient route takes
//!    (`gate::readings` refuses a result that begins with two slashes), and policy and upstream see
//!    the same value apart from the two prefixes.
//! 3. An empty path becomes `/`. The query stays.
//! 4. What a portal answers is mapped back: the added prefix goes, the one that was taken away
//!    comes. A path that has the latter already stays: its portal heeds `X-Forwarded-Prefix`. So
//!    does one that leads out of the added prefix, to where no route of this kind leads, and one
//!    that a browser would read in another way than it is written.
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

    /// Maps a path of the upstream back to the public one; `None` when it stays as it is.
    #[must_use]
    pub fn back(&self, path: &str) -> Option<String> {
        let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let dots = |segment: &str| {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            matches!(&*plain, "." | "..")
        };
        if !is_plain || path.split('/').any(dots) || path.starts_with("//") {
            return None;
        }
        let public = self.public(path)?;
        // It would name a host.
        (!public.starts_with("//")).then_some(public)
    }

    /// Maps the path of a cookie back; `None` when it stays as it is. One for more than the added
    /// prefix is for all that the route reaches.
    #[must_use]
    pub fn cookie_path_back(&self, path: &str) -> Option<String> {
        let is_above = below(path.trim_end_matches('/'), &self.added).is_some();
        match self.public(path) {
            // A path with a slash at its end would not be for the prefix itself (RFC 6265bis 5.1.4).
            Some(_) if path == "/" => Some(self.stripped_prefix().to_owned()),
            Some(public) => Some(public),
            None if is_above && !self.added.is_empty() => {
                let prefix = self.stripped_prefix();
                Some(if prefix.is_empty() { "/" } else { prefix }.to_owned())
            }
            None => None,
        }
    }

    fn public(&self, path: &str) -> Option<String> {
        if !path.starts_with('/') {
            return None;
        }
        let prefix = self.stripped_prefix();
        let rest = match &*self.added {
            "" if prefix.is_empty() || below(prefix, path).is_some() => return None,
            "" => path,
            added => below(added, path)?,
        };
        let public = format!("{prefix}{rest}");
        Some(if public.is_empty() { "/".to_owned() } else { public })
    }

    fn stripped_prefix(&self) -> &str {
        self.prefix.as_ref().and_then(|prefix| prefix.to_str().ok()).unwrap_or_default()
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
        // Made of parts of targets, so it is one; the root is no secret location.
        Some(PathAndQuery::try_from(target).unwrap_or(PathAndQuery::from_static("/")))
    }
}

/// Returns what of a path is below a prefix that ends at a segment, with the slash.
fn below<'p>(prefix: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
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
    fn paths_of_answers_are_mapped_back() {
        for (strip, add, path, expected) in [
            ("/tax", "", "/form", Some("/tax/form")),
            ("/tax", "", "/", Some("/tax/")),
            // Its portal heeds X-Forwarded-Prefix.
            ("/tax", "", "/tax/form", None),
            ("/tax", "", "/tax", None),
            ("/tax", "", "/taxes", Some("/tax/taxes")),
            ("", "/app", "/app/form", Some("/form")),
            ("", "/app", "/app", Some("/")),
            ("", "/app", "/app/", Some("/")),
            ("", "/app", "/other", None),
            ("", "/app", "/apple", None),
            ("/tax", "/app", "/app/form", Some("/tax/form")),
            ("/tax", "/app", "/app", Some("/tax")),
            ("/tax", "/app", "/tax/form", None),
            ("/tax", "/app", "/other", None),
            ("/żó", "", "/x", Some("/%C5%BC%C3%B3/x")),
            ("", "", "/x", None),
            // No path from the root.
            ("/tax", "", "form", None),
            ("/tax", "", "", None),
            ("/tax", "/app", "app/form", None),
            // Nothing that would lead elsewhere.
            ("", "/app", "/app//evil.example", None),
            ("", "/app", "/app/\\evil.example", None),
            ("", "/app", "/app/\t/evil.example", None),
            ("", "/app", "/app/../x", None),
            ("", "/app", "/app/%2E%2e/x", None),
            ("/tax", "", "//evil.example", None),
            ("/tax", "", "/../x", None),
        ] {
            let rewrite = Rewrite::new(if strip.is_empty() { "/x" } else { strip }, strip, add);
            let back = rewrite.unwrap().back(path);
            assert_eq!(back.as_deref(), expected, "{strip} {add} {path}");
        }
    }

    #[test]
    fn paths_of_cookies_are_mapped_back() {
        for (strip, add, path, expected) in [
            ("/tax", "", "/", Some("/tax")),
            ("/tax", "", "/form", Some("/tax/form")),
            ("/tax", "", "/tax", None),
            ("/tax", "", "/tax/", None),
            ("", "/app", "/app", Some("/")),
            ("", "/app", "/app/", Some("/")),
            ("", "/app", "/app/form", Some("/form")),
            ("", "/app", "/", Some("/")),
            ("", "/app/v2", "/app", Some("/")),
            ("", "/app/v2", "/app/", Some("/")),
            ("", "/app", "/other", None),
            ("/tax", "/app", "/app", Some("/tax")),
            ("/tax", "/app", "/", Some("/tax")),
            ("/tax", "/app", "/tax", None),
            ("", "", "/", None),
        ] {
            let rewrite = Rewrite::new(if strip.is_empty() { "/x" } else { strip }, strip, add);
            let back = rewrite.unwrap().cookie_path_back(path);
            assert_eq!(back.as_deref(), expected, "{strip} {add} {path}");
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
        let added = Rewrite::new("/tax", "", "/app").unwrap();
        assert_eq!(added.target(&PathAndQuery::from_static("/tax?q")).unwrap(), "/app/tax?q");
        assert!(!added.is_none() && !rewrite.is_none() && Rewrite::default().is_none());
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
