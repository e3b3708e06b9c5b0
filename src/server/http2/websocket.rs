//! WebSocket over HTTP/2 (RFC 8441): to the service it is the upgrade that it is in HTTP/1.1.

use h2::RecvStream;
use h2::ext::Protocol;
use http::header::{CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};

use super::answer::{add_date, remove_connection};
use super::cookies;
use super::duplex::Duplex;
use super::exchange::Exchange;
use crate::base::{body, encoding, random};
use crate::request::service::{Service, WantsUpgrade};
use crate::wire::incoming::Incoming;
use crate::wire::reader::{Joined, Reader};
use crate::wire::stream::Stream;
use crate::wire::tunnel::TunnelHandover;

/// Opens a tunnel where the service gives one, and answers otherwise.
pub(super) async fn open<S: Service>(
    mut exchange: Exchange<S>,
    mut parts: Box<Parts>,
    incoming: RecvStream,
    protocol: Protocol,
) {
    cookies::join(&mut parts.headers);
    if protocol.as_str() != "websocket" {
        // RFC 9220 3: a protocol that is not known.
        let mut response = Response::new(body::empty());
        *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
        return exchange.answer(response.into(), false).await;
    }
    parts.method = Method::GET;
    parts.extensions.insert(WantsUpgrade::Only(HeaderValue::from_static("websocket")));
    // RFC 8441 5.1 leaves the key out; HTTP/1.1 needs one.
    if let Ok(key) = HeaderValue::try_from(encoding::base64(&random::bytes::<16>())) {
        parts.headers.insert(SEC_WEBSOCKET_KEY, key);
    }
    let Some(answer) = exchange.ask(parts, Incoming::empty()).await else { return };
    let handover = answer.response.extensions().get::<TunnelHandover>();
    let Some(tunnel) = handover.and_then(TunnelHandover::take) else {
        return exchange.answer(answer, false).await;
    };
    // The request ends with the tunnel, for the access log and for the connection, too.
    let (mut head, noted) = answer.into_response().into_parts();
    head.status = StatusCode::OK;
    remove_connection(&mut head.headers);
    for name in [CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT] {
        head.headers.remove(name);
    }
    add_date(&mut head.headers);
    let Some(outgoing) = exchange.head(Response::from_parts(head, ()), false) else { return };
    let Exchange { common, open, .. } = exchange;
    let mut stop = common.stop.clone();
    tokio::spawn(async move {
        let _noted = (noted, open);
        let duplex = Duplex::new(incoming, outgoing, common.limits.stall_timeout);
        let reset = duplex.reset();
        let (reader, writer) = Stream::split_any(duplex);
        let near = Joined { reader: Reader::new(reader), writer };
        tokio::select! {
            // What came before the end still goes on.
            biased;
            _ = tunnel.copy_bidirectional(near, stop.wait()) => {}
            () = reset => {}
        }
    });
}
