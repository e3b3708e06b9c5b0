//! Where a citizen wanted to go: a path on our own host, sealed in the cookie of its login, never
//! an address.

/// A path with its query, safe to put into `Location`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// The longest that is remembered: it travels in a cookie, of which browsers take 4096 bytes
    /// and proxies in front some 8 KiB in all.
    pub const MAXIMUM_LENGTH: usize = 2048;

    /// Takes a path and query from the citizen's side. Whatever could lead anywhere else than to a
    /// path of ours becomes the front page. What is too long loses its query and fragment; a path
    /// that is too long by itself becomes the front page.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let local = text.starts_with('/')
            && !text.starts_with("//")
            // Browsers take a backslash for a slash and drop tabs and line ends.
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if !local {
            return Self::front_page();
        }
        let path = || &text[..text.find(['?', '#']).unwrap_or(text.len())];
        let short = if text.len() > Self::MAXIMUM_LENGTH { path() } else { text };
        if short.len() > Self::MAXIMUM_LENGTH { Self::front_page() } else { Self(short.to_owned()) }
    }

    /// Returns the front page, for a path that is none of ours, too long or not known.
    #[must_use]
    pub fn front_page() -> Self {
        Self("/".to_owned())
    }

    /// Returns the path with what follows it; it begins with one slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_paths_of_ours() {
        for path in ["/", "/tax?year=2031&x=%C5%BB", "/a/b#c", "/.brama/session"] {
            assert_eq!(ReturnTo::parse(path).as_str(), path);
        }
    }

    #[test]
    fn of_a_long_one_the_path_is_kept_or_nothing() {
        let query = format!("/tax?q={}", "x".repeat(2041));
        assert_eq!(query.len(), 2048);
        assert_eq!(ReturnTo::parse(&query).as_str(), query);
        let fragment = format!("/tax#{}", "x".repeat(3000));
        for long in [&format!("{query}x"), &fragment, &format!("{query}#x")] {
            assert_eq!(ReturnTo::parse(long).as_str(), "/tax", "{long}");
        }
        let path = format!("/{}", "a".repeat(2047));
        assert_eq!(ReturnTo::parse(&path).as_str(), path);
        assert_eq!(ReturnTo::parse(&format!("{path}?{path}")).as_str(), path);
        assert_eq!(ReturnTo::parse(&format!("{path}a?q=1")), ReturnTo::front_page());
    }

    #[test]
    fn nothing_leads_away() {
        let long = format!("/{}", "a".repeat(5000));
        for path in [
            "",
            "tax",
            "//evil.example",
            "///evil.example",
            "https://evil.example/",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x=1",
            "javascript:alert(1)",
            "/żółw",
            " /",
            "/a b",
            &long,
        ] {
            assert_eq!(ReturnTo::parse(path), ReturnTo::front_page(), "{path:?}");
        }
    }
}
