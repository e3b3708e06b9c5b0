//! What an upstream is told: the request as it came, less what is not for it, and what we say.

use bytes::BytesMut;
use http::header::{CONTENT_LENGTH, EXPECT, HOST};
use http::{HeaderName, HeaderValue};
use hyper::body::Body as _;

use super::connection::Outgoing;
use super::error::Error;
use crate::gate::Pass;
use crate::http::exchange::Exchange;
use crate::http::service::{HoldsBack, WantsUpgrade};
use crate::http::{Gateway, host, hygiene};
use crate::identity::headers::ASSERTION;
use crate::wire::framing::{self, Framing};
use crate::wire::incoming::Incoming;
use crate::wire::outgoing::{self, Fields};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Writes a request for an upstream that speaks HTTP/1.1.
pub(super) fn compose(
    gateway: &Gateway,
    pass: &Pass,
    exchange: &mut Exchange,
    body: Incoming,
) -> Result<Outgoing, Error> {
    let extensions = &exchange.parts.extensions;
    let upgrade = extensions.get::<WantsUpgrade>().map(|wanted| wanted.0.clone());
    let holds_back = extensions.get::<HoldsBack>().is_some() && !body.is_end_stream();
    hygiene::strip_for_upstream(&mut exchange.parts.headers, gateway.settings.cookies);

    let parts = &exchange.parts;
    let framing = match framing::length(&parts.headers) {
        Some(length) => Framing::Length(length),
        None if body.is_end_stream() => Framing::NONE,
        None => Framing::Chunked,
    };
    let mut head = BytesMut::with_capacity(ROOM);
    outgoing::request_line(&mut head, &parts.method, exchange.path_and_query());
    say(gateway, pass, exchange, &mut head)?;
    if framing == Framing::Chunked {
        outgoing::field(&mut head, "transfer-encoding", b"chunked");
    }
    if holds_back {
        outgoing::field(&mut head, "expect", b"100-continue");
    }
    if let Some(protocol) = &upgrade {
        outgoing::field(&mut head, "connection", b"upgrade");
        outgoing::field(&mut head, "upgrade", protocol.as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    let method = parts.method.clone();
    Ok(Outgoing { head, body, framing, holds_back, wants_upgrade: upgrade.is_some(), method })
}

/// Says all headers but those of the connection and of the length.
fn say(
    gateway: &Gateway,
    pass: &Pass,
    exchange: &Exchange,
    fields: &mut impl Fields,
) -> Result<(), Error> {
    let headers = &exchange.parts.headers;
    // The canonical name, so that the portal sees the host that the route was chosen by.
    let port = headers.get(HOST).and_then(|host| host.to_str().ok()).and_then(host::port);
    let host = match port {
        Some(port) => HeaderValue::try_from(format!("{}:{port}", exchange.host)),
        None => HeaderValue::from_str(&exchange.host),
    };
    if let Ok(host) = host {
        fields.add(&HOST, &host);
        fields.add(&X_FORWARDED_HOST, &host);
    }
    for (name, value) in headers {
        if !matches!(*name, HOST | EXPECT) {
            fields.add(name, value);
        }
    }
    debug_assert!(headers.get_all(CONTENT_LENGTH).iter().count() <= 1);
    if let Some(live) = pass.live() {
        let route = pass.route();
        let token = gateway.minter.token(
            live.key.bytes(),
            (route.release_number, &route.release),
            live.session.subject(),
            gateway.clock.now(),
        )?;
        fields.add(&ASSERTION, &token);
    }
    // What the citizen's browser speaks, also when something in front of us ends TLS.
    let secure = gateway.settings.origin.starts_with("https://");
    let scheme = if secure { "https" } else { "http" };
    fields.add(&X_FORWARDED_PROTO, &HeaderValue::from_static(scheme));
    for (name, text) in [
        (X_FORWARDED_FOR, exchange.peer.address.ip().to_string()),
        (X_REQUEST_ID, exchange.id.clone()),
    ] {
        if let Ok(value) = HeaderValue::try_from(text) {
            fields.add(&name, &value);
        }
    }
    Ok(())
}

/// Room for the head of a usual request with its signed identity.
const ROOM: usize = 2048;
