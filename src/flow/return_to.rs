//! Where a citizen wanted to go: a path on our own host, kept on our side, never an address.

/// A path with its query, safe to put into `Location`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTo(String);

/// The longest that is remembered; a longer one leads to the front page.
const MAXIMUM_LENGTH: usize = 4096;

impl ReturnTo {
    /// Takes a path and query from the citizen's side. Whatever could lead anywhere else than to
    /// a path of ours becomes the front page.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let local = text.starts_with('/')
            && !text.starts_with("//")
            && text.len() <= MAXIMUM_LENGTH
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
