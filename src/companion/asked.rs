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

use http::header::{HOST, UPGRADE};
use http::request::Parts;
use http::{Extensions, HeaderValue, Method, Uri, Version};

use crate::companion::error::Error;
use crate::companion::naming::{Name, Naming};
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

/// One request, as far as a proxy names it: read in one way, and contradicted by nothing.
#[derive(Debug)]
pub struct Question {
    method: Method,
    uri: Uri,
    host: Host,
    is_tls: bool,
    client: IpAddr,
    is_handshake: bool,
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

/// Headers by which proxies tell a request, by what of it they tell.
const SAME: [(Name, What); 11] = [
    (Name::OriginalUri, What::Target),
    (Name::OriginalUrl, What::Target),
    (Name::RewriteUrl, What::Target),
    (Name::ForwardedUri, What::Target),
    (Name::OriginalMethod, What::Method),
    (Name::ForwardedMethod, What::Method),
    (Name::OriginalHost, What::Host),
    (Name::ForwardedHost, What::Host),
    (Name::ForwardedProto, What::Scheme),
    (Name::ForwardedScheme, What::Scheme),
    (Name::Scheme, What::Scheme),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Target,
    Method,
    Host,
    Scheme,
}

impl Question {
    /// Reads what the proxy names, and holds it against what else it passes on of its client's
    /// headers.
    ///
    /// # Errors
    /// When it is no request, or two headers name different ones.
    pub fn read(named: Named<'_>, naming: &Naming<'_>) -> Result<Self, Failure> {
        let is_tls = match named.scheme {
            "https" => true,
            "http" => false,
            other => return Err(Error::malformed("the scheme", other.as_bytes()).into()),
        };
        let method = Method::from_bytes(named.method.as_bytes())
            .map_err(|_| Error::malformed("the method", named.method.as_bytes()))?;
        let host = Host::parse(named.host.as_bytes(), is_tls)?;
        check_target(named.target)?;
        let uri: Uri = named.target.parse().map_err(|_| path::Error::Ambiguous)?;
        if uri.path_and_query().is_none_or(|read| read.as_str() != named.target) {
            return Err(path::Error::Ambiguous.into());
        }
        check_same(naming, &named, &host, is_tls)?;
        let (client, is_handshake) = (named.client.to_canonical(), naming.is_handshake);
        Ok(Self { method, uri, host, is_tls, client, is_handshake })
    }

    /// Makes the request that is asked about of the head of the question, whose headers are its
    /// client's. What belongs to the question alone goes.
    #[must_use]
    pub fn about(self, mut parts: Box<Parts>, peer: &Peer) -> Asked {
        let Self { method, uri, host, is_tls, client, is_handshake } = self;
        (parts.method, parts.uri, parts.version) = (method, uri, Version::HTTP_11);
        parts.extensions = Extensions::new();
        parts.headers.insert(HOST, host.value().clone());
        note_upgrade(&mut parts, is_handshake);
        let direct = Client::direct(peer, is_tls);
        Asked { parts, client: Client { address: client, is_tls, host: Some(host), ..direct } }
    }
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
fn check_same(
    naming: &Naming<'_>,
    named: &Named<'_>,
    host: &Host,
    is_tls: bool,
) -> Result<(), Error> {
    let is_host = |text: &str| is_host(text, host, is_tls);
    for (name, what) in SAME {
        for value in naming.all(name) {
            let malformed = |_| Error::malformed(name.text(), value.as_bytes());
            let value = value.to_str().map_err(malformed)?;
            let is_same = match what {
                What::Target => match Address::parse(value) {
                    Some(Address { authority, target, .. }) => {
                        target == named.target && is_host(authority)
                    }
                    None => value == named.target,
                },
                What::Method => value == named.method,
                What::Host => is_host(value),
                What::Scheme => value.eq_ignore_ascii_case(named.scheme),
            };
            // An empty one says nothing: it is how some proxies take a header away.
            if !is_same && !value.is_empty() {
                return Err(Error::Conflict(name.text()));
            }
        }
    }
    for line in naming.all(Name::Forwarded) {
        let read = line.to_str().ok().and_then(elements::parse);
        let elements = read.ok_or_else(|| Error::malformed("forwarded", line.as_bytes()))?;
        let differs = |element: &elements::Element<'_>| {
            element.host.is_some_and(|other| !is_host(other))
                || element.proto.is_some_and(|other| !other.eq_ignore_ascii_case(named.scheme))
        };
        if elements.iter().any(differs) {
            return Err(Error::Conflict("forwarded"));
        }
    }
    Ok(())
}

/// Tells whether a text names the same host, whatever port.
fn is_host(text: &str, host: &Host, is_tls: bool) -> bool {
    Host::parse(text.as_bytes(), is_tls).is_ok_and(|other| other.name() == host.name())
}

/// The parts of an absolute address. Nothing is judged here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Address<'a> {
    /// `http` or `https`.
    pub(super) scheme: &'a str,
    /// Host and port.
    pub(super) authority: &'a str,
    /// Path and query.
    pub(super) target: &'a str,
}

impl<'a> Address<'a> {
    /// Takes an address apart; `None` for what is none, such as a path.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        if !matches!(scheme, "http" | "https") {
            return None;
        }
        let (authority, target) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        Some(Self { scheme, authority, target })
    }
}

/// A handshake of RFC 6455 is one although the proxy keeps `Upgrade` to itself: its own fields say
/// so. Of one over HTTP/2 (RFC 8441) some proxies make one over HTTP/1.1 only after the question,
/// and it has no key before.
fn note_upgrade(parts: &mut Parts, is_handshake: bool) {
    const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
    let named = parts.headers.get(UPGRADE).cloned();
    if let Some(wish) = named.or_else(|| is_handshake.then_some(WEBSOCKET)) {
        parts.extensions.insert(WantsUpgrade::IfPossible(wish));
    }
}
