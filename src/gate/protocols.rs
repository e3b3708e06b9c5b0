//! The protocols that a connection of a route may change to (RFC 9110 7.8).
//!
//! After the change, Brama does not read what passes. So only what a route names may be asked for;
//! everything else is left out of the request, as RFC 9110 lets a server do, and the upstream
//! answers it as any other. HTTP/2 in the clear (`h2c`) cannot be named: further requests would go
//! on in it, and no rule would see them.

use http::HeaderValue;

use crate::wire::head::is_token_byte;

/// Protocols, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocols(Vec<String>);

/// Why a protocol cannot be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not a name of a protocol.
    #[error("is not the name of a protocol")]
    NoName,
    /// It is HTTP, of which every request must be judged.
    #[error("is HTTP, of which each request must be judged")]
    Http,
}

impl Default for Protocols {
    fn default() -> Self {
        Self(vec![WEBSOCKET.to_owned()])
    }
}

impl Protocols {
    /// Takes names, with a version where it belongs to them.
    ///
    /// # Errors
    /// For each that cannot be named, its place and why.
    pub fn parse(names: &[String]) -> Result<Self, Vec<(usize, Error)>> {
        let mut errors = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let lower = name.to_ascii_lowercase();
            let main = lower.split('/').next().unwrap_or_default();
            if !is_name(&lower) {
                errors.push((index, Error::NoName));
            } else if matches!(main, "h2c" | "h2" | "h3" | "http" | "tls") {
                errors.push((index, Error::Http));
            }
        }
        if errors.is_empty() {
            Ok(Self(names.iter().map(|name| name.to_ascii_lowercase()).collect()))
        } else {
            Err(errors)
        }
    }

    /// Returns the protocol names, in lower case.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Tells whether a connection may change to it.
    #[must_use]
    pub fn has(&self, name: &[u8]) -> bool {
        self.0.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
    }

    /// Returns what remains of a wish, in the order in which it was made.
    #[must_use]
    pub fn of(&self, wish: &HeaderValue) -> Option<HeaderValue> {
        let mut names = wish.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        if names.clone().all(|name| self.has(name)) {
            return Some(wish.clone());
        }
        let first = names.find(|name| self.has(name))?.to_vec();
        let all = names.filter(|name| self.has(name)).fold(first, |mut all, name| {
            all.extend_from_slice(b", ");
            all.extend_from_slice(name);
            all
        });
        HeaderValue::try_from(all).ok()
    }
}

/// RFC 9110 7.8: a token, or two with a slash in between.
fn is_name(name: &str) -> bool {
    let is_token = |part: &str| !part.is_empty() && part.bytes().all(is_token_byte);
    name.len() <= LONGEST && name.splitn(2, '/').all(is_token)
}

/// RFC 6455, and all that a portal usually asks for.
const WEBSOCKET: &str = "websocket";
/// The longest name of a protocol, in bytes.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Protocols {
        Protocols::parse(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn of_a_wish_remains_what_is_named() {
        let both = named(&["WebSocket", "own/1"]);
        for (protocols, wish, remains) in [
            (&Protocols::default(), "websocket", Some("websocket")),
            (&Protocols::default(), "WebSocket", Some("WebSocket")),
            (&Protocols::default(), "h2c", None),
            (&Protocols::default(), "h2c, websocket", Some("websocket")),
            (&Protocols::default(), "websocket,h2c", Some("websocket")),
            (&Protocols::default(), "websocket/13", None),
            (&Protocols::default(), "websockets", None),
            (&Protocols::default(), "", None),
            (&Protocols::default(), ",", None),
            (&both, "own/1 , x, websocket", Some("own/1, websocket")),
            // As it was wished, when all of it is named.
            (&both, "own/1,WebSocket", Some("own/1,WebSocket")),
            (&both, "own", None),
            (&named(&[]), "websocket", None),
        ] {
            let wish = HeaderValue::from_static(wish);
            let expected = remains.map(HeaderValue::from_static);
            assert_eq!(protocols.of(&wish), expected, "{wish:?} of {protocols:?}");
        }
    }

    #[test]
    fn a_name_is_as_long_as_it_may_be_and_no_longer() {
        let parsed = |length| Protocols::parse(&["a".repeat(length)]);
        assert!(parsed(LONGEST).unwrap().has("a".repeat(LONGEST).as_bytes()));
        assert_eq!(parsed(LONGEST + 1), Err(vec![(0, Error::NoName)]));
    }

    #[test]
    fn http_by_another_name_and_what_is_no_name_cannot_be_named() {
        for (name, error) in [
            ("h2c", Error::Http),
            ("H2C", Error::Http),
            ("HTTP/2.0", Error::Http),
            ("TLS/1.0", Error::Http),
            ("", Error::NoName),
            ("a b", Error::NoName),
            ("a, b", Error::NoName),
            ("/1", Error::NoName),
            ("a/b/c", Error::NoName),
        ] {
            let refused = Protocols::parse(&["websocket".to_owned(), name.to_owned()]);
            assert_eq!(refused, Err(vec![(1, error)]), "{name}");
        }
    }
}
