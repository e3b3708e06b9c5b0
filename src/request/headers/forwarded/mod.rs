//! Which client made a request, when other proxies stand in front of us; and what an upstream is
//! told.
//!
//! 1. `Forwarded` (RFC 7239) and `X-Forwarded-*` are believed only when the other end of the
//!    connection is in a network that the configuration names as a proxy's; there is none by
//!    default. [`read`] must be asked before [`crate::request::headers::clean_request`] takes these
//!    headers away from every request.
//! 2. A listed proxy is believed for what [`Believed`] names, by default the address and the
//!    scheme. The host, the number and the trace of the request are believed only when the configuration
//!    names them: a proxy that does not write them passes on what its client wrote, and it decided by the
//!    host in `Host`. What is not believed is not read, so it can neither contradict nor be
//!    malformed.
//! 3. The chain of addresses is walked from its end, over trusted addresses, up to the first other
//!    one: that is the client. What stands before it was written by the client and goes nowhere.
//! 4. Scheme and host are believed when they are told in one way: a header that tells two values is
//!    refused. `X-Forwarded-Port` and `-Prefix` are not read.
//! 5. Of the two families `X-Forwarded-*` is taken when one of its believed headers is there, and
//!    `Forwarded` when none is. They do not complete each other: whatever `Forwarded` says beside
//!    `X-Forwarded-*` must be what is taken anyway, or the request is refused.
//! 6. An upstream is told of one client: the chain begins with the address that we believe. Every
//!    value that can be is shared with the connection, the request or the configuration.
//!
//! What could break it in deployment: a network in the list from which clients come too, which
//! could then say anything; a proxy in front that passes on what its client says of the scheme, or
//! of the host where that is believed.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue};

use crate::base::reason::Reason;
use crate::observe::traces::Parent;
use crate::request::host::Host;
use crate::request::networks::Networks;
use crate::request::service::Peer;
use crate::wire::outgoing::Fields;

pub mod elements;

use self::elements::Element;

/// The client that made a request, as far as we believe.
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
    /// The trace that a proxy in front says the request belongs to.
    pub trace: Option<Box<Parent>>,
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
            trace: None,
            chain: peer.text.clone(),
        }
    }
}

/// What of a request a trusted proxy is believed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Believed {
    /// The address of the client: `X-Forwarded-For`, `for=` of `Forwarded`.
    pub address: bool,
    /// Whether the client spoke TLS: `X-Forwarded-Proto`, `proto=` of `Forwarded`.
    pub scheme: bool,
    /// The host that the client asked for: `X-Forwarded-Host`, `host=` of `Forwarded`.
    pub host: bool,
    /// The number of the request: `X-Request-Id`.
    pub request_id: bool,
    /// The trace that it belongs to: `traceparent`, `tracestate`.
    pub trace: bool,
}

impl Believed {
    /// A proxy is believed for nothing.
    pub const NOTHING: Self =
        Self { address: false, scheme: false, host: false, request_id: false, trace: false };
    /// A proxy is believed for all that it can say.
    pub const ALL: Self =
        Self { address: true, scheme: true, host: true, request_id: true, trace: true };
}

impl Default for Believed {
    /// What every proxy writes itself that ends the connections of clients.
    fn default() -> Self {
        Self { address: true, scheme: true, ..Self::NOTHING }
    }
}

/// What a trusted proxy says cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two headers, or two values of one, say different things.
    #[error("headers of the proxy in front contradict each other about the {0}")]
    Conflict(&'static str),
    /// A value is not what its header may say, such as no address.
    #[error("header of the proxy in front is malformed: {0}")]
    Malformed(&'static str),
}

impl Error {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(self) -> Reason {
        match self {
            Self::Conflict(_) => Reason::RequestForwardedConflict,
            Self::Malformed(_) => Reason::RequestForwardedMalformed,
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

/// Tells which client made a request. `is_https` is whether the portal's public address is, which
/// is what browsers speak when a proxy ends TLS in front and says nothing of it.
///
/// # Errors
/// When a trusted proxy contradicts itself.
pub fn read(
    headers: &HeaderMap,
    peer: &Peer,
    trusted: &Networks,
    believed: Believed,
    is_https: bool,
) -> Result<Client, Error> {
    let direct = Client::direct(peer, is_https);
    if !trusted.contains(direct.address) {
        return Ok(direct);
    }
    // 1. What each of the two families says of what is believed. The customary one is taken when
    //    it says anything at all, so that neither can fill the gaps of the other.
    let customary = customary(headers, trusted, believed)?;
    let standard = standard(headers, trusted, believed)?;
    let (told, other) = match customary {
        Some(told) => (told, standard),
        None => (standard, Claims::default()),
    };
    let address = told.hops.last().copied().unwrap_or(direct.address);
    let is_tls = told.is_tls.unwrap_or(direct.is_tls);
    let parse =
        |host: &str| Host::parse(host.as_bytes(), is_tls).map_err(|_| Error::Malformed("host"));
    let host = told.host.map(parse).transpose()?;
    // 2. What the other one says must be that, too.
    if other.hops.last().is_some_and(|other| *other != address) {
        return Err(Error::Conflict("address"));
    }
    if other.is_tls.is_some_and(|other| other != is_tls) {
        return Err(Error::Conflict("scheme"));
    }
    let other_host = other.host.map(parse).transpose()?;
    if other_host.is_some() && other_host != host {
        return Err(Error::Conflict("host"));
    }
    // 3. The chain for upstreams begins with the client.
    let chain = chain(&told.hops, &peer.text);
    let request_id = if believed.request_id { request_id(headers) } else { None };
    let trace = if believed.trace { Parent::read(headers).map(Box::new) } else { None };
    Ok(Client { address, is_tls, host, request_id, trace, chain })
}

/// Returns the client of a proxy that asks about its request: the last address of
/// `X-Forwarded-For`, which that proxy wrote, or, where that is another proxy that we trust, the
/// one before it.
///
/// # Errors
/// When there is none, or it is no address.
pub fn last(headers: &HeaderMap, trusted: &Networks) -> Result<IpAddr, Error> {
    let nodes = lines(headers, X_FORWARDED_FOR).rev().flat_map(|line| line.rsplit(','));
    let mut last = None;
    walk(nodes.map(|node| address(node.trim())), trusted, |hop| last = Some(hop))?;
    last.ok_or(Error::Malformed("address"))
}

/// Tells an upstream which client asks. `prefix` is what was taken off the path; with `standard`
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

/// What one family of headers says of what is believed.
#[derive(Debug, Default)]
struct Claims<'h> {
    /// Addresses from the nearest to the client.
    hops: Vec<IpAddr>,
    is_tls: Option<bool>,
    host: Option<&'h str>,
}

/// Reads `X-Forwarded-*`; `None` when no header of it is there that is believed.
fn customary<'h>(
    headers: &'h HeaderMap,
    trusted: &Networks,
    believed: Believed,
) -> Result<Option<Claims<'h>>, Error> {
    let is_said = |is_believed: bool, name: HeaderName| is_believed && headers.contains_key(name);
    let says_address = is_said(believed.address, X_FORWARDED_FOR);
    let says_scheme = is_said(believed.scheme, X_FORWARDED_PROTO);
    let says_host = is_said(believed.host, X_FORWARDED_HOST);
    if !(says_address || says_scheme || says_host) {
        return Ok(None);
    }
    let mut claims = Claims::default();
    if says_address {
        let nodes = lines(headers, X_FORWARDED_FOR).rev().flat_map(|line| line.rsplit(','));
        walk(nodes.map(|node| address(node.trim())), trusted, |hop| claims.hops.push(hop))?;
    }
    if says_scheme {
        claims.is_tls = only(headers, X_FORWARDED_PROTO, "scheme")?.map(is_tls).transpose()?;
    }
    if says_host {
        claims.host = only(headers, X_FORWARDED_HOST, "host")?;
    }
    Ok(Some(claims))
}

fn standard<'h>(
    headers: &'h HeaderMap,
    trusted: &Networks,
    believed: Believed,
) -> Result<Claims<'h>, Error> {
    if !(believed.address || believed.scheme || believed.host) {
        return Ok(Claims::default());
    }
    let mut elements: Vec<Element<'_>> = Vec::new();
    for line in headers.get_all(FORWARDED) {
        let line = line.to_str().map_err(|_| Error::Malformed("Forwarded"))?;
        elements.extend(elements::parse(line).ok_or(Error::Malformed("Forwarded"))?);
    }
    let mut hops = Vec::new();
    let nodes = elements.iter().rev().map(|one| one.node.and_then(address));
    walk(nodes, trusted, |hop| hops.push(hop))?;
    // The proxy that saw the client saw its scheme and host; the others saw each other's.
    let Some(of_client) = hops.len().checked_sub(1).and_then(|at| elements.iter().rev().nth(at))
    else {
        return Ok(Claims::default());
    };
    let scheme = of_client.proto.filter(|_| believed.scheme).map(is_tls).transpose()?;
    let host = of_client.host.filter(|_| believed.host);
    Ok(Claims { hops: if believed.address { hops } else { Vec::new() }, is_tls: scheme, host })
}

/// Goes from the nearest address over trusted ones to the first other, or to what is no address,
/// and hands out each.
fn walk(
    nodes: impl Iterator<Item = Option<IpAddr>>,
    trusted: &Networks,
    mut hop: impl FnMut(IpAddr),
) -> Result<(), Error> {
    for (number, node) in nodes.map_while(|node| node).enumerate() {
        if number == MAX_HOPS {
            return Err(Error::Malformed("too many addresses"));
        }
        hop(node);
        if !trusted.contains(node) {
            break;
        }
    }
    Ok(())
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
