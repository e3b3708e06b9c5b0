//! Where a citizen wanted to go: a path on our own host, kept on our side, never an address.

/// A path with its query, safe to put into `Location`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// The longest that is remembered: it travels in a cookie, of which browsers take 4096 bytes and
    /// proxies in front some 8 KiB in all.
    pub const MAXIMUM_LENGTH: usize = 2048;

    /// Takes a path and query from the citizen's side. Whatever could lead anywhere else than to
    /// a path of ours becomes the front page. What is too long loses its query; a path that is too long
    /// by itself becomes the front page.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = match text.split_once('?') {
            Some((path, _)) if text.len() > Self::MAXIMUM_LENGTH => path,
            _ => text,
        };
        let local = text.starts_with('/')
            && !text.starts_with("//")
            && text.len() <= Self::MAXIMUM_LENGTH
            // Browsers take a backslash for a slash and drop tabs and line ends.
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if local { Self(text.to_owned()) } else { Self::front_page() }
    }

    /// The front page.
    #[must_use]
    pub fn front_page() -> Self {
        Self("/".to_owned())
    }

    /// Returns the path.
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
    fn a_long_address_loses_its_query() {
        let longest = format!("/tax?x={}", "a".repeat(ReturnTo::MAXIMUM_LENGTH - 7));
        assert_eq!(ReturnTo::parse(&longest).as_str(), longest);
        assert_eq!(ReturnTo::parse(&format!("{longest}a")).as_str(), "/tax");
        let path = format!("/{}", "a".repeat(ReturnTo::MAXIMUM_LENGTH));
        assert_eq!(ReturnTo::parse(&format!("{path}?x=1")), ReturnTo::front_page());
        let outside = format!("https://evil.example/?{}", "a".repeat(4000));
        assert_eq!(ReturnTo::parse(&outside), ReturnTo::front_page());
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
