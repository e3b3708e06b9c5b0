//! The headers by which proxies name a request, found in one look at all that came.
//!
//! 1. Of each name the first value is kept, and whether there are more: whoever takes one for the
//!    only one asks ([`Naming::one`]), and whoever must see all does ([`Naming::all`]).
//! 2. Nothing is judged here but that: which header is believed is said by the door, and what the
//!    others may say by [`super::asked`].

use http::{HeaderMap, HeaderValue};

use super::error::Error;

/// A header by which a request is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// `X-Original-URI`
    OriginalUri,
    /// `X-Original-URL`
    OriginalUrl,
    /// `X-Rewrite-URL`
    RewriteUrl,
    /// `X-Forwarded-Uri`
    ForwardedUri,
    /// `X-Original-Method`
    OriginalMethod,
    /// `X-Forwarded-Method`
    ForwardedMethod,
    /// `X-Original-Host`
    OriginalHost,
    /// `X-Forwarded-Host`
    ForwardedHost,
    /// `X-Forwarded-Proto`
    ForwardedProto,
    /// `X-Forwarded-Scheme`
    ForwardedScheme,
    /// `X-Scheme`
    Scheme,
    /// `Forwarded`
    Forwarded,
    /// `Host`
    Host,
}

impl Name {
    const ALL: [Self; 13] = [
        Self::OriginalUri,
        Self::OriginalUrl,
        Self::RewriteUrl,
        Self::ForwardedUri,
        Self::OriginalMethod,
        Self::ForwardedMethod,
        Self::OriginalHost,
        Self::ForwardedHost,
        Self::ForwardedProto,
        Self::ForwardedScheme,
        Self::Scheme,
        Self::Forwarded,
        Self::Host,
    ];

    /// Returns it as it is looked for and told in the log.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::OriginalUri => "x-original-uri",
            Self::OriginalUrl => "x-original-url",
            Self::RewriteUrl => "x-rewrite-url",
            Self::ForwardedUri => "x-forwarded-uri",
            Self::OriginalMethod => "x-original-method",
            Self::ForwardedMethod => "x-forwarded-method",
            Self::OriginalHost => "x-original-host",
            Self::ForwardedHost => "x-forwarded-host",
            Self::ForwardedProto => "x-forwarded-proto",
            Self::ForwardedScheme => "x-forwarded-scheme",
            Self::Scheme => "x-scheme",
            Self::Forwarded => "forwarded",
            Self::Host => "host",
        }
    }

    /// Most names that browsers send begin otherwise, or have another length.
    fn find(name: &str) -> Option<Self> {
        let of = |likely: &[Self]| likely.iter().copied().find(|known| known.text() == name);
        match (name.as_bytes().first()?, name.len()) {
            (b'h', 4) => of(&[Self::Host]),
            (b'f', 9) => of(&[Self::Forwarded]),
            (b'x', 8) => of(&[Self::Scheme]),
            (b'x', 13) => of(&[Self::RewriteUrl]),
            (b'x', 14) => of(&[Self::OriginalUri, Self::OriginalUrl]),
            (b'x', 15) => of(&[Self::OriginalHost, Self::ForwardedUri]),
            (b'x', 16) => of(&[Self::ForwardedHost]),
            (b'x', 17) => of(&[Self::ForwardedProto, Self::OriginalMethod]),
            (b'x', 18) => of(&[Self::ForwardedMethod, Self::ForwardedScheme]),
            _ => None,
        }
    }
}

/// What the headers of a question name.
#[derive(Debug)]
pub struct Naming<'h> {
    headers: &'h HeaderMap,
    first: [Option<&'h HeaderValue>; Name::ALL.len()],
    /// A bit for each name that is there more than once.
    several: u16,
    /// A field of a handshake of RFC 6455 is there.
    pub(super) is_handshake: bool,
}

impl<'h> Naming<'h> {
    /// Looks at all headers once.
    #[must_use]
    pub fn look(headers: &'h HeaderMap) -> Self {
        let (first, several) = ([None; Name::ALL.len()], 0);
        let mut naming = Self { headers, first, several, is_handshake: false };
        for (name, value) in headers {
            if let Some(name) = Name::find(name.as_str()) {
                let place = &mut naming.first[name as usize];
                naming.several |= u16::from(place.is_some()) << name as usize;
                place.get_or_insert(value);
            } else if let Some(rest) = name.as_str().strip_prefix("sec-websocket-") {
                naming.is_handshake |= OF_HANDSHAKES.contains(&rest);
            }
        }
        naming
    }

    /// Returns the value of a header that is there exactly once, with a value.
    ///
    /// # Errors
    /// When it is not.
    pub fn one(&self, name: Name) -> Result<&'h str, Error> {
        let Some(value) = self.first[name as usize].filter(|_| !self.is_several(name)) else {
            return Err(Error::NotOne(name.text()));
        };
        let text = value.to_str();
        let text = text.map_err(|_| Error::malformed(name.text(), value.as_bytes()))?;
        if text.is_empty() { Err(Error::NotOne(name.text())) } else { Ok(text) }
    }

    /// Returns all values of a header.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &'h HeaderValue> {
        let more = self.is_several(name).then(|| self.headers.get_all(name.text()));
        self.first[name as usize].into_iter().chain(more.into_iter().flatten().skip(1))
    }

    fn is_several(&self, name: Name) -> bool {
        self.several >> name as usize & 1 == 1
    }
}

/// What follows `Sec-WebSocket-` in the fields of which a handshake has one.
const OF_HANDSHAKES: [&str; 4] = ["key", "version", "protocol", "extensions"];

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(header).collect()
    }

    #[test]
    fn every_name_is_found_by_its_text_and_no_other() {
        for name in Name::ALL {
            assert_eq!(Name::find(name.text()), Some(name));
            let longer = format!("{}s", name.text());
            assert_eq!(Name::find(&longer), None, "{longer}");
            assert_eq!(Name::ALL[name as usize], name, "it has its own place");
        }
        for other in ["", "x", "xost", "x-original-urx", "x-forwarded-for", "sec-websocket-key"] {
            assert_eq!(Name::find(other), None, "{other}");
        }
    }

    #[test]
    fn one_is_there_once_with_a_value_or_is_none() {
        let (host, uri) = ("x-original-host", "x-original-uri");
        let there =
            headers(&[("accept", "*/*"), (host, "a"), (uri, "/"), (uri, "/"), ("host", "")]);
        let naming = Naming::look(&there);
        assert_eq!(naming.one(Name::OriginalHost), Ok("a"));
        for name in [Name::OriginalUri, Name::Host, Name::OriginalMethod] {
            assert_eq!(naming.one(name), Err(Error::NotOne(name.text())));
        }
        let there = [(HeaderName::from_static(host), HeaderValue::from_bytes(b"\xff").unwrap())];
        let there = there.into_iter().collect();
        let refused = Naming::look(&there).one(Name::OriginalHost);
        assert_eq!(refused, Err(Error::malformed(host, b"\xff")));
    }

    #[test]
    fn all_values_are_seen_in_their_order() {
        let host = "x-forwarded-host";
        let there =
            headers(&[(host, "a"), ("host", "d"), (host, "b"), ("accept", "*/*"), (host, "c")]);
        let naming = Naming::look(&there);
        for (name, expected) in
            [(Name::ForwardedHost, &["a", "b", "c"][..]), (Name::Host, &["d"]), (Name::Scheme, &[])]
        {
            let all: Vec<_> = naming.all(name).map(|value| value.to_str().unwrap()).collect();
            assert_eq!(all, expected, "{name:?}");
        }
    }

    #[test]
    fn a_handshake_is_known_by_each_of_its_fields() {
        for (name, expected) in [
            ("sec-websocket-key", true),
            ("sec-websocket-version", true),
            ("sec-websocket-protocol", true),
            ("sec-websocket-extensions", true),
            ("sec-websocket-accept", false),
            ("sec-fetch-mode", false),
        ] {
            let there = headers(&[("host", "a"), (name, "x")]);
            assert_eq!(Naming::look(&there).is_handshake, expected, "{name}");
        }
    }
}
