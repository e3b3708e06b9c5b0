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
//! Answers: 2, and anything by which an upstream could set a cookie or an identity of ours.

use http::HeaderMap;
use http::header::{
    CONNECTION, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};

use super::cookie::Cookies;
use crate::identity::headers::{Kinship, folds_to_start, kinship};

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
    pub fn code(self) -> &'static str {
        match self {
            Self::Alias => "request.identity_header_alias",
            Self::ConnectionNamesIdentity => "request.connection_names_identity",
            Self::ConnectionNamesEndToEnd => "request.connection_names_end_to_end",
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

/// RFC 9110 7.6.1 and its predecessors.
const HOP_BY_HOP: [HeaderName; 9] = [
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

/// Cleans a request before anything looks at it.
///
/// # Errors
/// When it tries to speak in our name.
pub fn clean_request(headers: &mut HeaderMap) -> Result<(), Error> {
    for named in connection_names(headers) {
        if kinship(&named) != Kinship::Foreign || claims_earlier_proxy(&named) {
            return Err(Error::ConnectionNamesIdentity);
        }
        if END_TO_END.contains(&&*named) {
            return Err(Error::ConnectionNamesEndToEnd);
        }
    }
    let mut ours = Vec::new();
    for name in headers.keys() {
        match kinship(name.as_str()) {
            Kinship::Foreign if !claims_earlier_proxy(name.as_str()) => {}
            Kinship::Alias => return Err(Error::Alias),
            Kinship::Ours | Kinship::Foreign => ours.push(name.clone()),
        }
    }
    for name in ours {
        headers.remove(name);
    }
    Ok(())
}

/// Prepares a cleaned request for its way to an upstream.
pub fn strip_for_upstream(headers: &mut HeaderMap, cookies: Cookies) {
    remove_hop_by_hop(headers);
    cookies.remove_from_request(headers);
}

/// Cleans the answer of an upstream.
pub fn clean_answer(headers: &mut HeaderMap, cookies: Cookies) {
    remove_hop_by_hop(headers);
    let ours: Vec<_> =
        headers.keys().filter(|name| kinship(name.as_str()) != Kinship::Foreign).cloned().collect();
    for name in ours {
        headers.remove(name);
    }
    if headers.contains_key(SET_COOKIE) {
        let kept: Vec<_> = headers
            .get_all(SET_COOKIE)
            .iter()
            .filter(|value| {
                let bytes = value.as_bytes();
                let end = bytes.iter().position(|&byte| byte == b'=').unwrap_or(bytes.len());
                let name = bytes[..end].trim_ascii();
                // A cookie without a name comes back as its value, which may look like ours.
                !name.is_empty() && !cookies.is_ours(name)
            })
            .cloned()
            .collect();
        headers.remove(SET_COOKIE);
        for value in kept {
            headers.append(SET_COOKIE, value);
        }
    }
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        for named in connection_names(headers) {
            headers.remove(named.as_str());
        }
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

fn connection_names(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

/// Folded as our own names are: a program behind sees `X_Forwarded_For` and `X-Forwarded-For` as
/// one variable.
fn claims_earlier_proxy(name: &str) -> bool {
    const NAMES: [&str; 15] = [
        "forwarded",
        "x-forwarded",
        // Would become the variable HTTP_PROXY of a CGI program ("httpoxy").
        "proxy",
        "x-host",
        "x-scheme",
        "x-proxyuser-ip",
        "fastly-client-ip",
        "front-end-https",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "client-ip",
        "x-request-id",
    ];
    const PREFIXES: [&str; 3] = ["x-forwarded-", "x-original-", "x-rewrite-"];
    NAMES.iter().any(|known| name.len() == known.len() && folds_to_start(name, known))
        || PREFIXES.iter().any(|prefix| folds_to_start(name, prefix))
}

#[cfg(test)]
mod tests {
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
    fn removes_what_speaks_of_one_connection() {
        let mut map = headers(&[
            ("Connection", "close, X-Own"),
            ("X-Own", "1"),
            ("Keep-Alive", "5"),
            ("TE", "trailers"),
            ("Upgrade", "h2c"),
            ("Accept", "*/*"),
        ]);
        strip_for_upstream(&mut map, Cookies::SECURE);
        assert_eq!(names(&map), ["accept"]);
    }

    #[test]
    fn an_upstream_sets_no_cookie_and_no_identity_of_ours() {
        let mut map = headers(&[
            ("Set-Cookie", "__Host-brama=evil; Path=/"),
            ("Set-Cookie", " brama-login =evil"),
            ("Set-Cookie", "=__Host-brama=evil"),
            ("Set-Cookie", "own=1"),
            ("X-Brama-Assertion", "leak"),
            ("Content-Type", "text/html"),
        ]);
        clean_answer(&mut map, Cookies::SECURE);
        assert_eq!(names(&map), ["content-type", "set-cookie"]);
        assert_eq!(map.get_all(SET_COOKIE).iter().count(), 1);
    }
}
