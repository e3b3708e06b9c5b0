//! Who the client is, when other proxies stand in front of us; and what an upstream is told of it.
//!
//! 1. `Forwarded` (RFC 7239) and `X-Forwarded-*` are believed only when the other end of the
//!    connection is in a network that the configuration
//!    names as a proxy's; there is none by default. [`read`] must be asked
//!    before [`super::hygiene::clean_request`] takes these headers away from every request.
//! 2. The chain of addresses is walked from its end, over trusted addresses, up to the first other
//!    one: that is the client. What stands before it was written by the client and goes nowhere.
//! 3. Scheme and host are believed when they are told in one way: a header that tells two values,
//!    or two headers that disagree, are refused. `X-Forwarded-Port` and `-Prefix` are not read.
//! 4. An upstream is told of one client: the chain begins with the address that we believe. Every
//!    value that can be is shared with the connection, the request or the configuration.
//!
//! What could break it in deployment: a network in the list from which clients come too, who could
//! then say anything; a proxy in front that passes on what its client says of the scheme.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue};

use super::host::{self, Host};
use super::networks::Networks;
use super::service::Peer;
use crate::wire::outgoing::Fields;

pub mod elements;

use self::elements::Element;

/// Who made a request, as far as we believe.
#[derive(Debug, Clone)]
pub struct Client {
    /// The address of the browser.
    pub address: IpAddr,
    /// Whether the browser's connection is encrypted, wherever that ends.
    pub is_tls: bool,
    /// The host that the browser asked for, when a proxy in front tells.
    pub host: Option<Host>,
    /// The number that a proxy in front gave the request.
    pub request_id: Option<String>,
    /// The value of `X-Forwarded-For` for upstreams.
    pub chain: HeaderValue,
}

impl Client {
    /// Takes the other end of the connection for the client.
    #[must_use]
    pub fn direct(peer: &Peer, is_https: bool) -> Self {
        Self {
            address: peer.address.ip(),
            is_tls: peer.is_tls || is_https,
            host: None,
            request_id: None,
            chain: peer.text.clone(),
        }
    }
}

/// What a trusted proxy says cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two headers, or two values of one, say different things.
    #[error("headers of the proxy in front contradict each other about the {0}")]
    Conflict(&'static str),
    /// A value is none.
    #[error("header of the proxy in front is malformed: {0}")]
    Malformed(&'static str),
}

impl Error {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Conflict(_) => "request.forwarded_conflict",
            Self::Malformed(_) => "request.forwarded_malformed",
        }
    }
}

/// The most trusted addresses in one chain.
pub const MAX_HOPS: usize = 16;
/// The longest number that a proxy in front may give a request.
pub const MAX_REQUEST_ID: usize = 64;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Tells who made a request. `is_https` is whether the portal's public address is, which is what
/// browsers speak when a proxy ends TLS in front and says nothing of it.
///
/// # Errors
/// When a trusted proxy contradicts itself.
pub fn read(
    headers: &HeaderMap,
    peer: &Peer,
    trusted: &Networks,
    is_https: bool,
) -> Result<Client, Error> {
    let direct = Client::direct(peer, is_https);
    if !trusted.contains(direct.address) {
        return Ok(direct);
    }
    // 1. What each of the two families says.
    let (old, new) = (customary(headers, trusted)?, standard(headers, trusted)?);
    // 2. They may complete each other, but not contradict.
    let hops = match (old.hops.is_empty(), new.hops.is_empty()) {
        (false, false) if old.hops.last() != new.hops.last() => {
            return Err(Error::Conflict("address"));
        }
        (true, _) => new.hops,
        (false, _) => old.hops,
    };
    let is_tls = agreed(old.is_tls, new.is_tls, "scheme")?.unwrap_or(direct.is_tls);
    let parse =
        |host: Option<&str>| host.map(|host| Host::parse(host.as_bytes(), is_tls)).transpose();
    let malformed = |_: host::Error| Error::Malformed("host");
    let host =
        agreed(parse(old.host).map_err(malformed)?, parse(new.host).map_err(malformed)?, "host")?;
    // 3. The chain for upstreams begins with the client.
    let chain = chain(&hops, &peer.text);
    Ok(Client {
        address: hops.last().copied().unwrap_or(direct.address),
        is_tls,
        host,
        request_id: request_id(headers),
        chain,
    })
}

/// Tells an upstream who the client is. `prefix` is what was taken off the path; with `standard`
/// the header of RFC 7239 is said too. None of these names may be there already.
pub fn announce(
    fields: &mut impl Fields,
    client: &Client,
    host: &Host,
    prefix: Option<&HeaderValue>,
    standard: bool,
) {
    const HTTP: HeaderValue = HeaderValue::from_static("http");
    const HTTPS: HeaderValue = HeaderValue::from_static("https");
    let scheme = if client.is_tls { HTTPS } else { HTTP };
    fields.add(&X_FORWARDED_FOR, &client.chain);
    fields.add(&X_FORWARDED_PROTO, &scheme);
    fields.add(&X_FORWARDED_HOST, host.value());
    if let Some(prefix) = prefix {
        fields.add(&X_FORWARDED_PREFIX, prefix);
    }
    if standard {
        let scheme = if client.is_tls { "https" } else { "http" };
        let value = elements::write(client.chain.to_str().unwrap_or(""), host.authority(), scheme);
        if let Ok(value) = HeaderValue::try_from(value) {
            fields.add(&FORWARDED, &value);
        }
    }
}

/// What one family of headers says.
#[derive(Debug, Default)]
struct Claims<'h> {
    /// Addresses from the nearest to the client.
    hops: Vec<IpAddr>,
    is_tls: Option<bool>,
    host: Option<&'h str>,
}

fn customary<'h>(headers: &'h HeaderMap, trusted: &Networks) -> Result<Claims<'h>, Error> {
    let nodes = lines(headers, X_FORWARDED_FOR).rev().flat_map(|line| line.rsplit(','));
    let hops = walk(nodes.map(|node| address(node.trim())), trusted)?;
    let scheme = only(headers, X_FORWARDED_PROTO, "scheme")?.map(is_tls).transpose()?;
    let host = only(headers, X_FORWARDED_HOST, "host")?;
    Ok(Claims { hops, is_tls: scheme, host })
}

fn standard<'h>(headers: &'h HeaderMap, trusted: &Networks) -> Result<Claims<'h>, Error> {
    let mut elements: Vec<Element<'_>> = Vec::new();
    for line in headers.get_all(FORWARDED) {
        let line = line.to_str().map_err(|_| Error::Malformed("Forwarded"))?;
        elements.extend(elements::parse(line).ok_or(Error::Malformed("Forwarded"))?);
    }
    let hops = walk(elements.iter().rev().map(|one| one.node.and_then(address)), trusted)?;
    // The proxy that saw the client saw its scheme and host; the others saw each other's.
    let Some(of_client) = hops.len().checked_sub(1).and_then(|at| elements.iter().rev().nth(at))
    else {
        return Ok(Claims::default());
    };
    let scheme = of_client.proto.map(is_tls).transpose()?;
    Ok(Claims { hops, is_tls: scheme, host: of_client.host })
}

/// Goes from the nearest address over trusted ones to the first other, or to what is no address.
fn walk(
    nodes: impl Iterator<Item = Option<IpAddr>>,
    trusted: &Networks,
) -> Result<Vec<IpAddr>, Error> {
    let mut hops = Vec::new();
    for node in nodes.map_while(|node| node) {
        if hops.len() == MAX_HOPS {
            return Err(Error::Malformed("too many addresses"));
        }
        hops.push(node);
        if !trusted.contains(node) {
            break;
        }
    }
    Ok(hops)
}

/// An address with or without port; `None` for `unknown` and for names (RFC 7239 6).
fn address(node: &str) -> Option<IpAddr> {
    let bare = node.strip_prefix('[').and_then(|node| node.strip_suffix(']')).unwrap_or(node);
    let address = bare.parse().or_else(|_| node.parse().map(|socket: SocketAddr| socket.ip()));
    Some(address.ok()?.to_canonical())
}

fn chain(hops: &[IpAddr], peer: &HeaderValue) -> HeaderValue {
    if hops.is_empty() {
        return peer.clone();
    }
    let mut text = String::new();
    for hop in hops.iter().rev() {
        text.push_str(&hop.to_string());
        text.push_str(", ");
    }
    text.push_str(peer.to_str().unwrap_or("unknown"));
    HeaderValue::try_from(text).unwrap_or_else(|_| peer.clone())
}

fn lines(headers: &HeaderMap, name: HeaderName) -> impl DoubleEndedIterator<Item = &str> {
    // What is no text is no address either, and ends the walk.
    headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"))
}

/// The one value of a header. Several that are the same are one.
fn only<'h>(
    headers: &'h HeaderMap,
    name: HeaderName,
    what: &'static str,
) -> Result<Option<&'h str>, Error> {
    let mut values = lines(headers, name).flat_map(|line| line.split(',')).map(str::trim);
    let first = values.next();
    if values.any(|value| Some(value) != first) { Err(Error::Conflict(what)) } else { Ok(first) }
}

fn agreed<T: PartialEq>(
    one: Option<T>,
    other: Option<T>,
    what: &'static str,
) -> Result<Option<T>, Error> {
    match (&one, &other) {
        (Some(a), Some(b)) if a != b => Err(Error::Conflict(what)),
        _ => Ok(one.or(other)),
    }
}

fn is_tls(scheme: &str) -> Result<bool, Error> {
    // Some proxies name the scheme of a WebSocket's address.
    let is = |known: &str| scheme.eq_ignore_ascii_case(known);
    match () {
        () if is("https") || is("wss") => Ok(true),
        () if is("http") || is("ws") => Ok(false),
        () => Err(Error::Malformed("scheme")),
    }
}

/// A number of letters that are safe in logs and pages; anything else is not taken.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let mut ids = headers.get_all(X_REQUEST_ID).iter();
    let (Some(id), None) = (ids.next(), ids.next()) else { return None };
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let id = id.to_str().ok()?;
    let fits = (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(is_safe);
    fits.then(|| id.to_owned())
}

#[cfg(test)]
mod tests;
