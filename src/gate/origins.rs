//! The origins of other sites whose pages may open a connection in a citizen's name.
//!
//! A browser sends the cookies of a host with a WebSocket handshake whatever page asks for it, and
//! no rule of CORS holds for what is said afterwards (RFC 6455 10.2). Pages of another port or a
//! sibling host count as the same site for `SameSite`, so a cookie alone does not keep them out.

/// Origins, as browsers write them (RFC 6454 6.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

/// The text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not the origin of a page")]
pub struct NoOrigin;

impl Origins {
    /// Takes origins: scheme, host, and the port if it is not the usual one.
    ///
    /// # Errors
    /// The places of those that are none.
    pub fn parse(texts: &[String]) -> Result<Self, Vec<(usize, NoOrigin)>> {
        let mut errors = Vec::new();
        let mut origins = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            match origin(text) {
                Some(origin) => origins.push(origin),
                None => errors.push((index, NoOrigin)),
            }
        }
        if errors.is_empty() { Ok(Self(origins)) } else { Err(errors) }
    }

    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether an `Origin` is one of them.
    #[must_use]
    pub fn has(&self, origin: &[u8]) -> bool {
        self.0.iter().any(|known| known.as_bytes() == origin)
    }
}

fn origin(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let is_plain = matches!(url.scheme(), "https" | "http")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    is_plain.then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Origins, Vec<(usize, NoOrigin)>> {
        Origins::parse(&[text.to_owned()])
    }

    #[test]
    fn an_origin_is_known_as_browsers_write_it() {
        for (text, origin) in [
            ("https://app.example.gov.pl", "https://app.example.gov.pl"),
            ("https://app.example.gov.pl/", "https://app.example.gov.pl"),
            ("HTTPS://App.Example.gov.pl:443", "https://app.example.gov.pl"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://żółw.example", "https://xn--w-uga1v8h.example"),
        ] {
            assert!(parse(text).unwrap().has(origin.as_bytes()), "{text}");
        }
        let origins = parse("https://app.example").unwrap();
        for other in [
            "http://app.example",
            "https://app.example:8443",
            "https://app.example.evil.example",
            "https://evil.example",
            "https://APP.example",
            "null",
            "",
        ] {
            assert!(!origins.has(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn what_is_no_origin_is_not_taken() {
        for text in [
            "",
            "*",
            "null",
            "app.example",
            "https://",
            "https://*/x",
            "https://a.example/path",
            "https://a.example?q",
            "https://a.example#f",
            "https://user@a.example",
            "https://:secret@a.example",
            "wss://a.example",
            "file:///x",
        ] {
            assert_eq!(parse(text), Err(vec![(0, NoOrigin)]), "{text}");
        }
    }

    #[test]
    fn none_is_known_where_none_is_named() {
        let none = Origins::parse(&[]).unwrap();
        assert!(none.is_empty() && !none.has(b"") && !none.has(b"https://app.example"));
        assert!(!parse("https://app.example").unwrap().is_empty());
    }
}
