//! What is removed from requests and answers that pass through, on every path.
//!
//! Requests:
//! 1. A header whose name folds to one of ours ([`crate::identity::headers`]): removed when it is
//!    spelled as ours, refused when it is an alias, refused when `Connection` names it.
//! 2. Headers that speak of one connection only (RFC 9110 7.6.1), and those that `Connection`
//!    names; this happens before anything of ours is set, so a client cannot name ours away.
//! 3. Everything that claims what an earlier proxy saw, because nobody is believed by default.
//! 4. Our cookies.
//!
//! Answers: see [`answer`].

pub mod answer;
pub mod method;

use http::HeaderMap;
use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

pub use self::answer::clean_answer;

use super::cookie::Cookies;
use crate::base::reason::Reason;
use crate::identity::headers::{BACKGROUND, Kinship, folds_to_start, kinship};
use crate::wire::chunked;

/// A request that is refused for its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A header imitates one of ours under another spelling.
    #[error("header name imitates an identity header")]
    Alias,
    /// `Connection` names one of ours, to have it removed.
    #[error("Connection names an identity header")]
    ConnectionNamesIdentity,
    /// `Connection` names a header that is for the portal, to have it removed.
    #[error("Connection names a header that is not of the connection")]
    ConnectionNamesEndToEnd,
}

impl Error {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(self) -> Reason {
        match self {
            Self::Alias => Reason::RequestIdentityHeaderAlias,
            Self::ConnectionNamesIdentity => Reason::RequestConnectionNamesIdentity,
            Self::ConnectionNamesEndToEnd => Reason::RequestConnectionNamesEndToEnd,
        }
    }
}

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// RFC 9110 7.6.1: these must not be named in `Connection`; what happens to a request without them
/// would be for the client to choose.
const END_TO_END: [&str; 8] = [
    "host",
    "content-length",
    "content-type",
    "cookie",
    "authorization",
    "origin",
    "cache-control",
    "expect",
];

const HOP_BY_HOP_COUNT: usize = 9;

/// RFC 9110 7.6.1 and its predecessors.
const HOP_BY_HOP: [HeaderName; HOP_BY_HOP_COUNT] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The place of a name in the list, by one comparison of text for nearly every name.
fn hop_by_hop(name: &HeaderName) -> Option<usize> {
    Some(match name.as_str() {
        "connection" => 0,
        "keep-alive" => 1,
        "proxy-connection" => 2,
        "proxy-authenticate" => 3,
        "proxy-authorization" => 4,
        "te" => 5,
        "trailer" => 6,
        "transfer-encoding" => 7,
        "upgrade" => 8,
        _ => return None,
    })
}

/// Which of the fields that matter on the way are there: noted in one look at all names, so that
/// none is looked for in vain later.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Census {
    /// The request says that it is no sign of life.
    pub is_background: bool,
    /// There are cookies.
    pub has_cookies: bool,
    /// There is a `Content-Length`.
    pub has_length: bool,
    /// There is a `TE`.
    pub has_te: bool,
    /// There is a `Destination`, which matters to some methods.
    pub has_destination: bool,
    is_hop_by_hop: bool,
}

/// Cleans a request before anything looks at it. What earlier proxies say must be read before
/// ([`super::forwarded::read`]).
///
/// # Errors
/// When it tries to speak in our name.
pub fn clean_request(headers: &mut HeaderMap) -> Result<Census, Error> {
    let mut census = Census::default();
    let mut has_connection = false;
    // Does not allocate unless there is something to remove.
    let mut ours = Vec::new();
    for name in headers.keys() {
        match *name {
            HOST => {}
            COOKIE => census.has_cookies = true,
            CONTENT_LENGTH => census.has_length = true,
            _ if hop_by_hop(name).is_some() => {
                census.is_hop_by_hop = true;
                census.has_te |= *name == TE;
                has_connection |= *name == CONNECTION;
            }
            _ => match kinship(name.as_str()) {
                Kinship::Foreign if !claims_earlier_proxy(name.as_str()) => {
                    census.has_destination |= name.as_str() == "destination";
                }
                Kinship::Alias => return Err(Error::Alias),
                Kinship::Ours | Kinship::Foreign => {
                    census.is_background |= *name == BACKGROUND;
                    ours.push(name.clone());
                }
            },
        }
    }
    if has_connection {
        check_connection(headers)?;
    }
    for name in ours {
        headers.remove(name);
    }
    Ok(census)
}

fn check_connection(headers: &HeaderMap) -> Result<(), Error> {
    for named in connection_names(headers) {
        if kinship(named) != Kinship::Foreign || claims_earlier_proxy(named) {
            return Err(Error::ConnectionNamesIdentity);
        }
        if END_TO_END.iter().any(|name| named.eq_ignore_ascii_case(name)) {
            return Err(Error::ConnectionNamesEndToEnd);
        }
    }
    Ok(())
}

/// Tells whether a field may stand in a trailer: nothing there changes how a message is understood
/// or speaks in somebody's name (RFC 9110 6.5.1).
#[must_use]
pub fn may_be_in_trailer(name: &HeaderName) -> bool {
    !chunked::FORBIDDEN.contains(name)
        && hop_by_hop(name).is_none()
        && kinship(name.as_str()) == Kinship::Foreign
        && !claims_earlier_proxy(name.as_str())
}

/// Prepares a cleaned request for its way to an upstream. A wanted upgrade and `TE: trailers` must
/// be taken out before, when they are to go on in another form.
pub fn strip_for_upstream(headers: &mut HeaderMap, census: Census, cookies: Cookies) {
    if census.is_hop_by_hop {
        remove_hop_by_hop(headers);
    }
    if census.has_cookies {
        cookies.remove_from_request(headers);
    }
}

/// Removes what speaks of one connection only, and what `Connection` names.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // One look at each name, so that a message without any costs no search for nine.
    let mut found = [false; HOP_BY_HOP_COUNT];
    for name in headers.keys() {
        if let Some(at) = hop_by_hop(name) {
            found[at] = true;
        }
    }
    if found[0] {
        let named: Vec<_> = connection_names(headers)
            .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for (name, found) in HOP_BY_HOP.iter().zip(found) {
        if found {
            headers.remove(name);
        }
    }
}

/// The names in `Connection`, but for those that are no names of headers in practice.
fn connection_names(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|option| names_a_field(option.as_bytes()))
}

/// Tells whether an option of `Connection` stands for another field; those that speak of the
/// connection itself do not.
pub(super) fn names_a_field(option: &[u8]) -> bool {
    !option.is_empty()
        && !option.eq_ignore_ascii_case(b"keep-alive")
        && !option.eq_ignore_ascii_case(b"close")
}

/// Folded as our own names are: a program behind sees `X_Forwarded_For` and `X-Forwarded-For` as
/// one variable.
fn claims_earlier_proxy(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "forwarded",
        // Would become the variable HTTP_PROXY of a CGI program ("httpoxy").
        "proxy",
        "fastly-client-ip",
        "front-end-https",
        "true-client-ip",
        "cf-connecting-ip",
        "client-ip",
    ];
    const X_NAMES: [&str; 8] = [
        "x-forwarded",
        "x-host",
        "x-scheme",
        "x-proxyuser-ip",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-request-id",
    ];
    const X_PREFIXES: [&str; 3] = ["x-forwarded-", "x-original-", "x-rewrite-"];
    let is = |known: &&str| name.len() == known.len() && folds_to_start(name, known);
    // Most names begin otherwise and are done with here.
    match name.as_bytes().first() {
        Some(b'x' | b'X') => {
            X_PREFIXES.iter().any(|prefix| folds_to_start(name, prefix)) || X_NAMES.iter().any(is)
        }
        Some(b'f' | b'F' | b'p' | b'P' | b't' | b'T' | b'c' | b'C') => NAMES.iter().any(is),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::answer::Fate;
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                (name, HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    fn names(map: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = map.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn removes_our_names_and_claims_of_earlier_proxies() {
        let mut map = headers(&[
            ("X-Brama-Assertion", "forged"),
            ("X-Brama-Subject", "forged"),
            ("Forwarded", "for=1.2.3.4"),
            ("X-Forwarded-User", "admin"),
            ("X-Original-URL", "/admin"),
            ("X_Forwarded_For", "1.2.3.4"),
            ("X.Real_IP", "1.2.3.4"),
            ("True-Client-IP", "1.2.3.4"),
            ("X_Request_ID", "mine"),
            ("X-Forwarded", "for=1.2.3.4"),
            ("Client_IP", "1.2.3.4"),
            ("Proxy", "evil.example"),
            ("Accept", "*/*"),
        ]);
        clean_request(&mut map).unwrap();
        assert_eq!(names(&map), ["accept"]);
    }

    #[test]
    fn refuses_aliases_and_a_connection_that_names_ours() {
        for name in ["X_Brama_Assertion", "x.brama.assertion", "X-Brama_Assertion"] {
            assert_eq!(clean_request(&mut headers(&[(name, "x")])), Err(Error::Alias), "{name}");
        }
        for value in ["X-Brama-Assertion", "close, x_brama_assertion"] {
            let mut map = headers(&[("Connection", value)]);
            assert_eq!(clean_request(&mut map), Err(Error::ConnectionNamesIdentity), "{value}");
        }
    }

    #[test]
    fn refuses_a_connection_that_names_what_is_for_the_portal() {
        for value in ["host", "close, Content-Length", "Cookie"] {
            let mut map = headers(&[("Connection", value)]);
            assert_eq!(clean_request(&mut map), Err(Error::ConnectionNamesEndToEnd), "{value}");
        }
    }

    #[test]
    fn each_name_that_speaks_of_one_connection_is_found_in_its_place() {
        for (at, name) in HOP_BY_HOP.iter().enumerate() {
            assert_eq!(hop_by_hop(name), Some(at), "{name}");
            // Answers that go on line by line are ruled by another table.
            let fate = answer::fate(name.as_str().as_bytes());
            let expected = if *name == CONNECTION { Fate::Connection } else { Fate::Dropped };
            assert_eq!(fate, expected, "{name}");
        }
        assert_eq!(hop_by_hop(&http::header::ACCEPT), None);
    }

    #[test]
    fn notes_what_is_there_in_one_look() {
        let mut map = headers(&[("Cookie", "a=b"), ("content-length", "1")]);
        let census = clean_request(&mut map).unwrap();
        let expected = Census { has_cookies: true, has_length: true, ..Census::default() };
        assert_eq!(census, expected);
        let mut map = headers(&[("X-Brama-Background", "1")]);
        assert!(clean_request(&mut map).unwrap().is_background);
        assert!(map.is_empty(), "it is for us alone");
    }

    #[test]
    fn removes_what_speaks_of_one_connection() {
        let mut map = headers(&[
            ("Connection", "close, X-Own"),
            ("X-Own", "1"),
            ("Keep-Alive", "5"),
            ("TE", "trailers"),
            ("Upgrade", "h2c"),
            ("Accept", "*/*"),
        ]);
        let census = clean_request(&mut map).unwrap();
        assert!(census.has_te && !census.has_cookies && !census.has_length);
        strip_for_upstream(&mut map, census, Cookies::SECURE);
        assert_eq!(names(&map), ["accept"]);
    }
}
