//! One look at all names of a request's header: what is ours or claims to be is removed or refused,
//! and what matters later is noted.

use http::HeaderMap;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderName, TE, VIA};

use super::hop_by_hop::{connection_names, hop_by_hop, remove_hop_by_hop};
use crate::base::reason::Reason;
use crate::identity::foreign_headers::{known_as, tells_identity};
use crate::identity::headers::{
    BACKGROUND, IdentityHeader, PROBE, ToldNames, fold, folds_to_start, identity_header,
};
use crate::request::cookie::Cookies;
use crate::wire::chunked;

/// A request that is refused for its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A header imitates one of ours under another spelling.
    #[error("header name imitates an identity header")]
    Alias,
    /// `Connection` names one of ours, or of others that tell an identity, to have it removed.
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

/// Which of the fields that matter on the way are there: noted in one look at all names, so that
/// none is looked for in vain later.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct HeaderScan {
    /// The request says that it is no sign of life.
    pub is_background: bool,
    /// There is a `Cookie`.
    pub has_cookies: bool,
    /// There is a `Content-Length`.
    pub has_length: bool,
    /// There is an `Authorization`.
    pub has_credentials: bool,
    /// There is a `Via`.
    pub has_via: bool,
    /// There is a `TE`.
    pub has_te: bool,
    /// There is a `Destination`, which matters to some methods.
    pub has_destination: bool,
    /// The client told an identity as other gateways do, or as a route of ours does, which was taken
    /// away: the name by which that is known, without what the client made of it.
    pub told_identity: Option<&'static str>,
    /// The client told an identity in a header of ours, which was taken away.
    pub told_ours: bool,
    is_hop_by_hop: bool,
}

/// Cleans a request before anything looks at it. What earlier proxies say must be read before
/// ([`crate::request::headers::forwarded::read`]). Of the names under which others tell an identity
/// `passed` go on; `told` are those that routes of this gateway tell it under.
///
/// # Errors
/// When it tries to speak in our name.
pub fn clean_request(
    headers: &mut HeaderMap,
    passed: &[HeaderName],
    told: &ToldNames,
) -> Result<HeaderScan, Error> {
    let mut scan = HeaderScan::default();
    let mut has_connection = false;
    // Does not allocate unless there is something to remove.
    let mut ours = Vec::new();
    for name in headers.keys() {
        match *name {
            HOST => {}
            COOKIE => scan.has_cookies = true,
            CONTENT_LENGTH => scan.has_length = true,
            AUTHORIZATION => scan.has_credentials = true,
            VIA => scan.has_via = true,
            _ if hop_by_hop(name).is_some() => {
                scan.is_hop_by_hop = true;
                scan.has_te |= *name == TE;
                has_connection |= *name == CONNECTION;
            }
            _ => match identity_header(name.as_str()) {
                IdentityHeader::Foreign => match told_as(name.as_str(), told) {
                    Some(_) if passed.contains(name) => {}
                    Some(known) => {
                        scan.told_identity = Some(known);
                        ours.push(name.clone());
                    }
                    None if claims_earlier_proxy(name.as_str()) => ours.push(name.clone()),
                    None => scan.has_destination |= name.as_str() == "destination",
                },
                IdentityHeader::Alias => return Err(Error::Alias),
                IdentityHeader::Ours => {
                    scan.is_background |= *name == BACKGROUND;
                    scan.told_ours |= *name != BACKGROUND && *name != PROBE;
                    ours.push(name.clone());
                }
            },
        }
    }
    if has_connection {
        check_connection(headers, told)?;
    }
    for name in ours {
        headers.remove(name);
    }
    Ok(scan)
}

/// Tells whether a client tells an identity under a name, as we, others or routes of ours do.
#[must_use]
pub fn is_told_identity(name: &HeaderName, told: &ToldNames) -> bool {
    identity_header(name.as_str()) != IdentityHeader::Foreign
        || told_as(name.as_str(), told).is_some()
}

/// Returns the name under which others tell an identity so, or that routes of ours do.
#[must_use]
pub fn told_as(name: &str, told: &ToldNames) -> Option<&'static str> {
    known_as(name).or_else(|| told.has(name).then_some("identity_headers"))
}

fn check_connection(headers: &HeaderMap, told: &ToldNames) -> Result<(), Error> {
    for named in connection_names(headers) {
        let is_identity =
            identity_header(named) != IdentityHeader::Foreign || told_as(named, told).is_some();
        if is_identity || claims_earlier_proxy(named) {
            return Err(Error::ConnectionNamesIdentity);
        }
        if END_TO_END.iter().any(|name| named.eq_ignore_ascii_case(name)) {
            return Err(Error::ConnectionNamesEndToEnd);
        }
    }
    Ok(())
}

/// Tells whether a field may stand in a trailer: nothing there changes how a message is understood
/// or speaks in a citizen's name (RFC 9110 6.5.1).
#[must_use]
pub fn may_be_in_trailer(name: &HeaderName) -> bool {
    !chunked::FORBIDDEN.contains(name)
        && hop_by_hop(name).is_none()
        && identity_header(name.as_str()) == IdentityHeader::Foreign
        && !claims_earlier_proxy(name.as_str())
        && !tells_identity(name.as_str())
}

/// Tells whether a field may stand in the trailer of a request: nothing there tells an identity as
/// routes of this gateway do, either.
#[must_use]
pub fn may_be_in_request_trailer(name: &HeaderName, told: &ToldNames) -> bool {
    may_be_in_trailer(name) && !told.has(name.as_str())
}

/// Prepares a cleaned request for its way to an upstream. A wanted upgrade and `TE: trailers` must
/// be taken out before, when they are to go on in another form.
pub fn strip_for_upstream(headers: &mut HeaderMap, scan: HeaderScan, cookies: Cookies) {
    if scan.is_hop_by_hop {
        remove_hop_by_hop(headers);
    }
    if scan.has_cookies {
        cookies.remove_from_request(headers);
    }
}

/// Tells whether a proxy says something of the connection, or of itself, under a name. Folded as our
/// own names are: a program behind sees `X_Forwarded_For` and `X-Forwarded-For` as one variable.
fn claims_earlier_proxy(name: &str) -> bool {
    let bytes = name.as_bytes();
    let letter = |at: usize| bytes.get(at).map_or(0, |byte| fold(*byte));
    // Most names begin otherwise and are done with here.
    let (begin, names): (&str, &[&str]) = match (letter(0), letter(2)) {
        (b'x', b'f') => ("x-forwarded-", &["x-forwarded"]),
        (b'x', b'o') => ("x-original-", &[]),
        (b'x', b'r') => ("x-rewrite-", &["x-real-ip", "x-request-id"]),
        // They have Rack look for the file of an answer elsewhere, and tell the proxy of it.
        (b'x', b'a') => ("x-accel-mapping", &[]),
        (b'x', b's') => ("x-sendfile-type", &["x-scheme"]),
        (b'x', b'c') => ("x-client-ip", &["x-cluster-client-ip"]),
        (b'x', b'h') => ("x-host", &[]),
        (b'x', b'p') => ("x-proxyuser-ip", &[]),
        (b'f', b'r') => ("forwarded", &[]),
        (b'f', b's') => ("fastly-client-ip", &[]),
        (b'f', b'o') => ("front-end-https", &[]),
        // Would become the variable HTTP_PROXY of a CGI program ("httpoxy").
        (b'p', b'o') => ("proxy", &[]),
        (b't', b'u') => ("true-client-ip", &[]),
        // Which trace a request belongs to is said by proxies that are believed for it.
        (b't', b'a') => ("traceparent", &["tracestate"]),
        (b'c', b'-') => ("cf-connecting-ip", &[]),
        (b'c', b'i') => ("client-ip", &[]),
        _ => return false,
    };
    let is_whole = |known: &str| name.len() == known.len();
    let is = |known: &&str| is_whole(known) && folds_to_start(name, known);
    let is_family = begin.ends_with('-') || is_whole(begin);
    (is_family && folds_to_start(name, begin)) || names.iter().any(is)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

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
        let scan = clean_request(&mut map, &[], &ToldNames::default()).unwrap();
        assert_eq!(names(&map), ["accept"]);
        assert!(scan.told_ours);
    }

    #[test]
    fn what_our_own_pages_and_the_doctor_send_is_no_identity() {
        for (name, is_told) in [
            ("X-Brama-Background", false),
            ("X-Brama-Probe", false),
            ("X-Brama-Subject", true),
            ("X-Forwarded-For", false),
        ] {
            let mut map = headers(&[(name, "1"), ("Accept", "*/*")]);
            let scan = clean_request(&mut map, &[], &ToldNames::default()).unwrap();
            assert_eq!((names(&map), scan.told_ours), (vec!["accept"], is_told), "{name}");
        }
    }

    #[test]
    fn what_claims_to_come_from_an_earlier_proxy_is_known_by_its_whole_name_in_any_spelling() {
        let whole = [
            "X-Forwarded",
            "X-Host",
            "X-Scheme",
            "X-ProxyUser-Ip",
            "X-Real-IP",
            "X-Client-IP",
            "X-Cluster-Client-IP",
            "X-Request-Id",
            "X-Sendfile-Type",
            "X-Accel-Mapping",
            "Forwarded",
            "Proxy",
            "Fastly-Client-IP",
            "Front-End-Https",
            "True-Client-IP",
            "CF-Connecting-IP",
            "Client-IP",
            "traceparent",
            "tracestate",
        ];
        for name in whole {
            for spelled in [name.to_owned(), name.to_lowercase().replace('-', "_")] {
                assert!(claims_earlier_proxy(&spelled), "{spelled}");
            }
            assert!(!claims_earlier_proxy(&name[..name.len() - 1]), "{name}");
            let is_family = name == "X-Forwarded";
            assert!(!claims_earlier_proxy(&format!("{name}s")), "{name}");
            assert_eq!(claims_earlier_proxy(&format!("{name}-")), is_family, "{name}");
        }
        for name in ["X-Forwarded-Any", "X_Original.Any", "x-rewrite-any"] {
            assert!(claims_earlier_proxy(name), "{name}");
        }
        for name in ["", "x", "X-", "Accept", "X-Requested-With", "X-Accel", "X-Originally"] {
            assert!(!claims_earlier_proxy(name), "{name}");
        }
    }

    #[test]
    fn refuses_aliases_and_a_connection_that_names_ours() {
        for name in ["X_Brama_Assertion", "x.brama.assertion", "X-Brama_Assertion"] {
            assert_eq!(
                clean_request(&mut headers(&[(name, "x")]), &[], &ToldNames::default()),
                Err(Error::Alias),
                "{name}"
            );
        }
        for value in [
            "X-Brama-Assertion",
            "close, x_brama_assertion",
            "X-Client-Cert",
            "X-Forwarded-For",
            "close, Forwarded",
        ] {
            let mut map = headers(&[("Connection", value)]);
            assert_eq!(
                clean_request(&mut map, &[], &ToldNames::default()),
                Err(Error::ConnectionNamesIdentity),
                "{value}"
            );
        }
    }

    #[test]
    fn refuses_a_connection_that_names_what_is_for_the_portal() {
        for value in ["host", "close, Content-Length", "Cookie"] {
            let mut map = headers(&[("Connection", value)]);
            assert_eq!(
                clean_request(&mut map, &[], &ToldNames::default()),
                Err(Error::ConnectionNamesEndToEnd),
                "{value}"
            );
        }
    }

    #[test]
    fn notes_what_is_there_in_one_look() {
        let mut map = headers(&[("Cookie", "a=b"), ("content-length", "1")]);
        let scan = clean_request(&mut map, &[], &ToldNames::default()).unwrap();
        let expected = HeaderScan { has_cookies: true, has_length: true, ..HeaderScan::default() };
        assert_eq!(scan, expected);
        let mut map = headers(&[("X-Brama-Background", "1")]);
        assert!(clean_request(&mut map, &[], &ToldNames::default()).unwrap().is_background);
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
        let scan = clean_request(&mut map, &[], &ToldNames::default()).unwrap();
        assert!(scan.has_te && !scan.has_cookies && !scan.has_length);
        strip_for_upstream(&mut map, scan, Cookies::SECURE);
        assert_eq!(names(&map), ["accept"]);
    }

    #[test]
    fn what_others_tell_of_somebody_goes_on_only_where_it_is_named() {
        let name = HeaderName::from_static("remote-user");
        for (passed, goes_on) in [(&[][..], false), (std::slice::from_ref(&name), true)] {
            let mut map = headers(&[("Remote-User", "anna"), ("Accept", "*/*")]);
            let scan = clean_request(&mut map, passed, &ToldNames::default()).unwrap();
            assert_eq!(
                (scan.told_identity.is_some(), map.contains_key(&name)),
                (!goes_on, goes_on)
            );
            assert!(map.contains_key("accept"));
        }
    }

    #[test]
    fn a_longer_name_is_another_one() {
        let others = [("Client-IP-Hint", "1"), ("Proxy-Note", "1"), ("X-Host-Name", "1")];
        let mut map = headers(&others);
        let scan = clean_request(&mut map, &[], &ToldNames::default()).unwrap();
        assert_eq!(map.len(), others.len());
        assert_eq!(scan, HeaderScan::default());
    }

    #[test]
    fn a_destination_and_what_the_client_takes_of_trailers_are_noted() {
        for (name, value, has_destination, has_te) in [
            ("Destination", "/x", true, false),
            ("X-Destination", "/x", false, false),
            ("TE", "trailers", false, true),
            ("Connection", "close", false, false),
        ] {
            let scan =
                clean_request(&mut headers(&[(name, value)]), &[], &ToldNames::default()).unwrap();
            assert_eq!((scan.has_destination, scan.has_te), (has_destination, has_te), "{name}");
        }
    }

    #[test]
    fn our_cookies_do_not_go_to_an_upstream_and_its_own_do() {
        for (cookies, sent) in [
            ("__Host-brama=x; own=1", Some("own=1")),
            ("__Host-brama=x", None),
            ("own=1;; __Host-brama=x; other=2;", Some("own=1; other=2")),
            ("own=1; other=2", Some("own=1; other=2")),
        ] {
            let mut map = headers(&[("Host", "h"), ("Cookie", cookies), ("Via", "1.1 a")]);
            let scan = clean_request(&mut map, &[], &ToldNames::default()).unwrap();
            assert!(scan.has_cookies && scan.has_via && !scan.has_credentials);
            strip_for_upstream(&mut map, scan, Cookies::SECURE);
            assert_eq!(map.get(COOKIE).map(|sent| sent.to_str().unwrap()), sent, "{cookies}");
        }
        let mut map = headers(&[("Authorization", "Basic eDp5")]);
        let scan = clean_request(&mut map, &[], &ToldNames::default()).unwrap();
        assert!(scan.has_credentials && !scan.has_via && map.contains_key(AUTHORIZATION));
    }

    #[test]
    fn a_trailer_has_nothing_that_speaks_for_somebody_or_changes_the_message() {
        for (name, may) in [
            ("x-checksum", true),
            ("server-timing", true),
            ("grpc-status", true),
            ("content-length", false),
            ("host", false),
            ("set-cookie", false),
            ("connection", false),
            ("keep-alive", false),
            ("x-brama-assertion", false),
            ("x_brama_assertion", false),
            ("x-forwarded-for", false),
            ("forwarded", false),
            ("x-forwarded-user", false),
            ("remote-user", false),
        ] {
            assert_eq!(may_be_in_trailer(&HeaderName::from_static(name)), may, "{name}");
            let may_in_request =
                may_be_in_request_trailer(&HeaderName::from_static(name), &ToldNames::default());
            assert_eq!(may_in_request, may, "{name}");
        }
    }

    #[test]
    fn what_routes_tell_an_identity_under_is_told_by_no_client() {
        let told = ToldNames::new([&HeaderName::from_static("x-citizen")]);
        for (name, tells) in [
            ("x-citizen", true),
            ("x_citizen", true),
            ("x-citizens", false),
            ("x-brama-assertion", true),
            ("x_brama_assertion", true),
            ("remote-user", true),
            ("accept", false),
        ] {
            let name = HeaderName::from_static(name);
            assert_eq!(is_told_identity(&name, &told), tells, "{name}");
            assert_eq!(may_be_in_request_trailer(&name, &told), !tells, "{name}");
        }
        assert!(!is_told_identity(&HeaderName::from_static("x-citizen"), &ToldNames::default()));
    }
}
