//! What an upstream is told: the request as it came, less what is not for it, and what we say.

use bytes::BytesMut;
use http::header::{EXPECT, HOST, TE};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use hyper::body::Body as _;

use super::connection::Outgoing;
use super::error::Error;
use super::upstream::Group;
use crate::gate::Pass;
use crate::gate::action::{Forward, HostHeader};
use crate::http::exchange::Exchange;
use crate::http::service::{HoldsBack, WantsUpgrade};
use crate::http::{Gateway, forwarded, hygiene};
use crate::identity::headers::ASSERTION;
use crate::wire::framing::{self, Framing};
use crate::wire::incoming::Incoming;
use crate::wire::outgoing::{self, Fields};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// A request, ready to be sent in either protocol.
pub(super) struct Prepared {
    method: Method,
    target: PathAndQuery,
    scheme: Scheme,
    host: HeaderValue,
    /// All but `Host` and what speaks of the connection.
    headers: HeaderMap,
    framing: Framing,
    holds_back: bool,
    takes_trailers: bool,
    upgrade: Option<HeaderValue>,
}

/// Prepares a request for its upstream.
pub(super) fn prepare(
    gateway: &Gateway,
    pass: &Pass,
    forward: &Forward,
    exchange: &mut Exchange,
    group: &Group,
    body: &Incoming,
) -> Result<Prepared, Error> {
    let route = pass.route();
    let mut headers = std::mem::take(&mut exchange.parts.headers);
    // 1. What is for one connection only, and what of it is wanted on the next.
    let extensions = &exchange.parts.extensions;
    let upgrade = extensions.get::<WantsUpgrade>().map(|wanted| wanted.0.clone());
    let holds_back = extensions.get::<HoldsBack>().is_some() && !body.is_end_stream();
    let takes_trailers = headers.get(TE).is_some_and(|te| te == TRAILERS);
    hygiene::strip_for_upstream(&mut headers, gateway.settings.cookies);
    headers.remove(EXPECT);
    let framing = match framing::length(&headers) {
        Some(length) => Framing::Length(length),
        None if body.is_end_stream() => Framing::NONE,
        None => Framing::Chunked,
    };
    // 2. Who the client is.
    let (client, host) = (&exchange.client, &exchange.host);
    let standard = gateway.settings.edge.sends_forwarded;
    forwarded::announce(&mut headers, client, host, route.rewrite.prefix(), standard);
    if let Ok(id) = HeaderValue::from_str(&exchange.id) {
        headers.insert(X_REQUEST_ID, id);
    }
    // 3. What the route adds and takes away, and last what nobody can take away.
    route.request_headers.apply(&mut headers);
    if let Some(live) = pass.live() {
        let token = gateway.minter.token(
            live.key.bytes(),
            (route.release_number, &route.release),
            live.session.subject(),
            gateway.clock.now(),
        )?;
        headers.insert(ASSERTION, token);
    }
    // 4. The canonical name, so that the portal sees the host that the route was chosen by.
    let settings = group.settings();
    let host = match &forward.host {
        HostHeader::Preserve => host.value().clone(),
        HostHeader::Fixed(host) => host.clone(),
        HostHeader::Upstream => settings
            .servers
            .first()
            .and_then(|server| HeaderValue::try_from(server.address.authority()).ok())
            .unwrap_or_else(|| host.value().clone()),
    };
    headers.remove(HOST);
    let target = exchange.parts.uri.path_and_query();
    let target = target.cloned().unwrap_or(PathAndQuery::from_static("/"));
    let target = route.rewrite.target(&target).unwrap_or(target);
    Ok(Prepared {
        method: exchange.parts.method.clone(),
        target,
        scheme: if settings.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP },
        host,
        headers,
        framing,
        holds_back,
        takes_trailers,
        upgrade,
    })
}

impl Prepared {
    /// Tells whether it may be sent again when nothing of an answer came: it only reads
    /// (RFC 9110 9.2.1), and all of it is still here.
    pub(super) fn is_repeatable(&self) -> bool {
        self.framing == Framing::NONE
            && self.upgrade.is_none()
            && matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// Writes it for HTTP/1.1.
    pub(super) fn to_http1(&self, body: Incoming) -> Outgoing {
        let mut head = BytesMut::with_capacity(ROOM);
        outgoing::request_line(&mut head, &self.method, self.target.as_str());
        head.add(&HOST, &self.host);
        for (name, value) in &self.headers {
            head.add(name, value);
        }
        if self.framing == Framing::Chunked {
            outgoing::field(&mut head, "transfer-encoding", b"chunked");
        }
        if self.holds_back {
            outgoing::field(&mut head, "expect", b"100-continue");
        }
        if let Some(protocol) = &self.upgrade {
            outgoing::field(&mut head, "connection", b"upgrade");
            outgoing::field(&mut head, "upgrade", protocol.as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        Outgoing {
            head,
            body,
            framing: self.framing,
            holds_back: self.holds_back,
            upgrade: self.upgrade.clone(),
            method: self.method.clone(),
        }
    }

    /// Makes it for HTTP/2. An upgrade is not for HTTP/2 and is left out (RFC 9113 8.6).
    pub(super) fn to_http2(&self, body: Incoming) -> Request<Incoming> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.version_mut() = Version::HTTP_2;
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(self.scheme.clone());
        // A host that was taken for canonical is an authority.
        uri.authority = http::uri::Authority::try_from(self.host.as_bytes()).ok();
        uri.path_and_query = Some(self.target.clone());
        *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
        request.headers_mut().clone_from(&self.headers);
        if self.takes_trailers {
            request.headers_mut().insert(TE, TRAILERS);
        }
        request
    }
}

/// Room for the head of a usual request with its signed identity.
const ROOM: usize = 2048;
