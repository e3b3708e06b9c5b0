//! An upgraded connection belongs to the session in whose name it was opened, and to the policy by
//! which it was.

use std::sync::Arc;

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Response, StatusCode};

use super::connection::Connection;
use super::in_flight::InFlight;
use crate::base::body::{self, Body};
use crate::request::cookie::Cookies;
use crate::request::headers;
use crate::request::lasting::{Cut, Lasting};
use crate::wire::lines::Lines;
use crate::wire::tunnel::{Tunnel, TunnelHandover};
use crate::wire::websocket::Goodbye;

/// Packs the upstream's connection into the answer; the task with the client's side carries on.
pub(super) fn open(
    cookies: Cookies,
    lines: Lines,
    connection: Connection,
    in_flight: InFlight,
    lasting: Arc<Lasting>,
) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = lines.to_map();
    let headers = response.headers_mut();
    let protocol = headers.get(UPGRADE).cloned();
    headers::clean_response(headers, cookies);
    let is_websocket = protocol
        .as_ref()
        .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if let Some(protocol) = protocol {
        headers.insert(UPGRADE, protocol);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    // A tunnel may stay for hours, so it takes no place among the requests under way. It counts for
    // the balance as long as it is there.
    let lease = in_flight.lease;
    let ended = Box::pin(async move {
        let _lease = lease;
        match lasting.ended().await {
            Cut::SessionEnded => Goodbye::SessionEnded,
            Cut::NotAllowed => Goodbye::NotAllowed,
        }
    });
    let tunnel = Tunnel { far: connection.into_stream(), ended, is_websocket };
    response.extensions_mut().insert(TunnelHandover::new(tunnel));
    response
}
