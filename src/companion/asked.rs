//! What a proxy in front asks about: one request, named in one way.
//!
//! 1. Each value has one header that says it, exactly once and not empty; of `X-Forwarded-For` there
//!    may be several, and the last address counts. A proxy that does not write it, or lets its
//!    client write it too, gets no answer but a refusal.
//! 2. Headers of other proxies that speak of the same (`X-Original-*`, `X-Forwarded-*` and their kin,
//!    `Forwarded`) are not believed. They go on to the portal, which might: where they say something
//!    else, the request is refused and the log names the header.
//! 3. The target is what stands in the request line: visible ASCII that begins with a slash, and
//!    without `#`. What else could be read in two ways is found where every request's is
//!    ([`crate::request::path`]).

use std::net::IpAddr;

use http::header::{FORWARDED, HOST, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri, Version};

use crate::base::foreign::Foreign;
use crate::base::reason::Reason;
use crate::gateway::failure::Failure;
use crate::request::headers::forwarded::{Client, elements};
use crate::request::host::Host;
use crate::request::path;
use crate::request::service::{Peer, WantsUpgrade};

/// A request that a proxy in front has got and asks about.
#[derive(Debug)]
pub struct Asked {
    /// Its head, as far as the proxy tells it.
    pub parts: Box<Parts>,
    /// Who made it.
    pub client: Client,
}

/// What a proxy says of a request, each in its own place.
#[derive(Debug, Clone, Copy)]
pub struct Named<'n> {
    /// The method.
    pub method: &'n str,
    /// Path and query.
    pub target: &'n str,
    /// The host, with or without a port.
    pub host: &'n str,
    /// `http` or `https`.
    pub scheme: &'n str,
    /// The address of the client.
    pub client: IpAddr,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A header is not there exactly once, with a value.
    #[error("{0} is not there exactly once with a value: the proxy in front must set it")]
    NotOne(&'static str),
    /// A header says what cannot be.
    #[error("{0} says what cannot be: {1}")]
    Malformed(&'static str, Foreign),
    /// Two headers speak of the same and say different things.
    #[error(
        "{0} says something else than the proxy in front asks about; it must take that header away \
         from its clients"
    )]
    Conflict(&'static str),
    /// The question came to an address where none is answered.
    #[error("nothing is answered at this path; the proxy in front must ask at {0}")]
    Elsewhere(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::NotOne(_) | Error::Malformed(..) | Error::Elsewhere(_) => {
                Reason::CompanionHeader
            }
            Error::Conflict(_) => Reason::CompanionConflict,
        };
        Self::malformed(code, error.to_string())
    }
}

/// Headers by which proxies tell a request, by what of it they tell.
const SAME: [(&str, What); 11] = [
    ("x-original-uri", What::Target),
    ("x-original-url", What::Target),
    ("x-rewrite-url", What::Target),
    ("x-forwarded-uri", What::Target),
    ("x-original-method", What::Method),
    ("x-forwarded-method", What::Method),
    ("x-original-host", What::Host),
    ("x-forwarded-host", What::Host),
    ("x-forwarded-proto", What::Scheme),
    ("x-forwarded-scheme", What::Scheme),
    ("x-scheme", What::Scheme),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Target,
    Method,
    Host,
    Scheme,
}

/// Returns the value of a header that is there exactly once, with a value.
///
/// # Errors
/// When it is not.
pub fn one<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, Error> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Error::NotOne(name));
    };
    let text = value.to_str().map_err(|_| malformed(name, value))?;
    if text.is_empty() { Err(Error::NotOne(name)) } else { Ok(text) }
}

fn malformed(name: &'static str, value: &HeaderValue) -> Error {
    Error::Malformed(name, Foreign::new(&String::from_utf8_lossy(value.as_bytes())))
}

impl Asked {
    /// Makes the request that is asked about, from what the proxy names and what else it passes on
    /// of its client's headers.
    ///
    /// # Errors
    /// When it is no request, or two headers name different ones.
    pub fn new(named: Named<'_>, headers: HeaderMap, peer: &Peer) -> Result<Self, Failure> {
        let foreign = |text: &str| Foreign::new(text);
        let is_tls = match named.scheme {
            "https" => true,
            "http" => false,
            other => return Err(Error::Malformed("the scheme", foreign(other)).into()),
        };
        let method = Method::from_bytes(named.method.as_bytes())
            .map_err(|_| Error::Malformed("the method", foreign(named.method)))?;
        let host = Host::parse(named.host.as_bytes(), is_tls)?;
        check_target(named.target)?;
        let uri: Uri = named.target.parse().map_err(|_| path::Error::Ambiguous)?;
        if uri.path_and_query().is_none_or(|read| read.as_str() != named.target) {
            return Err(path::Error::Ambiguous.into());
        }
        check_same(&headers, &named, &host)?;
        let mut parts = empty_parts();
        parts.method = method;
        parts.uri = uri;
        parts.headers = headers;
        parts.headers.insert(HOST, host.value().clone());
        note_upgrade(&mut parts);
        let client = Client {
            address: named.client.to_canonical(),
            is_tls,
            host: Some(host),
            ..Client::direct(peer, is_tls)
        };
        Ok(Self { parts: Box::new(parts), client })
    }
}

fn empty_parts() -> Parts {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.version = Version::HTTP_11;
    parts
}

/// The reader of addresses would drop a fragment, which the portal gets (RFC 9112 3.2.1 has none).
fn check_target(target: &str) -> Result<(), path::Error> {
    if !target.starts_with('/') {
        return Err(path::Error::Relative);
    }
    match target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        true => Ok(()),
        false => Err(path::Error::Ambiguous),
    }
}

/// Refuses headers that say something else than what is asked about.
fn check_same(headers: &HeaderMap, named: &Named<'_>, host: &Host) -> Result<(), Error> {
    for (name, what) in SAME {
        for value in headers.get_all(name) {
            let value = value.to_str().map_err(|_| malformed(name, value))?;
            let is_same = match what {
                What::Target => {
                    without_origin(value) == named.target
                        && authority(value).is_none_or(|authority| is_host(authority, host))
                }
                What::Method => value == named.method,
                What::Host => is_host(value, host),
                What::Scheme => value.eq_ignore_ascii_case(named.scheme),
            };
            // An empty one says nothing: it is how some proxies take a header away.
            if !is_same && !value.is_empty() {
                return Err(Error::Conflict(name));
            }
        }
    }
    for line in headers.get_all(FORWARDED) {
        let read = line.to_str().ok().and_then(elements::parse);
        let elements = read.ok_or_else(|| malformed("forwarded", line))?;
        let differs = |element: &elements::Element<'_>| {
            element.host.is_some_and(|other| !is_host(other, host))
                || element.proto.is_some_and(|other| !other.eq_ignore_ascii_case(named.scheme))
        };
        if elements.iter().any(differs) {
            return Err(Error::Conflict("forwarded"));
        }
    }
    Ok(())
}

/// Tells whether a text names the same host, whatever port.
fn is_host(text: &str, host: &Host) -> bool {
    let read = |is_tls| Host::parse(text.as_bytes(), is_tls).ok();
    read(true).or_else(|| read(false)).is_some_and(|other| other.name() == host.name())
}

/// Returns host and port of an address; a path has none.
fn authority(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://").filter(|_| !address.starts_with('/'))?;
    Some(rest.split(['/', '?']).next().unwrap_or(rest))
}

/// Takes scheme and host off an address.
pub(super) fn without_origin(address: &str) -> &str {
    let rest = ["https://", "http://"].into_iter().find_map(|scheme| address.strip_prefix(scheme));
    match rest {
        Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => address,
    }
}

/// A handshake of RFC 6455 is one although the proxy keeps `Upgrade` to itself: its own fields say
/// so. Of one over HTTP/2 (RFC 8441) some proxies make one over HTTP/1.1 only after the question,
/// and it has no key before.
fn note_upgrade(parts: &mut Parts) {
    const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
    const OF_HANDSHAKES: [&str; 4] = [
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-protocol",
        "sec-websocket-extensions",
    ];
    let named = parts.headers.get(UPGRADE).cloned();
    let is_handshake = OF_HANDSHAKES.iter().any(|name| parts.headers.contains_key(*name));
    if let Some(wish) = named.or_else(|| is_handshake.then_some(WEBSOCKET)) {
        parts.extensions.insert(WantsUpgrade::IfPossible(wish));
    }
}
