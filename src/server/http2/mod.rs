//! A connection that speaks HTTP/2 (RFC 9113): hyper reads it, the same service answers.
//!
//! 1. Streams, resets and the bytes of heads are bounded, so that neither rapid resets nor endless
//!    CONTINUATION frames cost more than a connection.
//! 2. What HTTP/2 forbids in a request is refused by hyper's h2; what goes on to the portal is
//!    written anew, as for HTTP/1.1. What h2 passes over is refused before ([`frames`]). Cookies in
//!    several fields become one (`cookies`), and an answer has a body only where it may (`answer`).
//! 3. A peer that answers no PING, or reads nothing for [`super::limits::Limits::stall_timeout`],
//!    is gone. One that closes the window of a stream loses the answer on it (`presence`).
//! 4. A connection without a request ends as an idle one of HTTP/1.1 does.

mod answer;
mod cookies;
pub mod frames;
mod hpack;
mod huffman;
mod inspected;
mod presence;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::ext::Protocol;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio_io_timeout::TimeoutStream;
use tracing::{debug, warn};

use self::inspected::Inspected;
use self::presence::{Presence, Watched};
use super::admission::Admission;
use super::counts;
use crate::base::body::{self, Body};
use crate::base::shutdown::Shutdown;
use crate::base::{encoding, random};
use crate::request::service::{Peer, Service, WantsUpgrade};
use crate::wire::incoming::Incoming;
use crate::wire::reader::{Joined, Reader};
use crate::wire::stream::Stream;
use crate::wire::tunnel::TunnelHandover;

/// Serves a connection until it ends.
pub(super) async fn serve<S: Service>(
    stream: Joined,
    service: Arc<S>,
    peer: Peer,
    admission: &Admission,
    stop: Shutdown,
) {
    let (presence, client) = (Presence::new(), peer.address);
    run(stream, service, peer, admission, stop, &presence).await;
    if let Some(what) = presence.refused() {
        admission.counts.cut.add(counts::MALFORMED_HEAD);
        warn!(%client, %what, "a connection over HTTP/2 was cut");
    }
    let requests = presence.unseen();
    if requests > 0 {
        admission.counts.unseen.add_many(requests);
        warn!(%client, requests, "requests over HTTP/2 were refused before they were read");
    }
}

async fn run<S: Service>(
    stream: Joined,
    service: Arc<S>,
    peer: Peer,
    admission: &Admission,
    mut stop: Shutdown,
    presence: &Arc<Presence>,
) {
    let limits = admission.limits;
    let stall = limits.stall_timeout;
    let stopped = stop.clone();
    let present = Arc::clone(presence);
    let service = service_fn(move |mut request: Request<hyper::body::Incoming>| {
        let (service, peer, stopped) = (Arc::clone(&service), peer.clone(), stopped.clone());
        let open = present.enter();
        // On the heap: hyper makes a task of it, which is moved several times.
        Box::pin(async move {
            cookies::join(request.headers_mut());
            let is_extended = request.extensions().get::<Protocol>().is_some();
            let (response, lasting) = if is_extended {
                (Box::pin(connect(&*service, request, &peer, stopped)).await, None)
            } else {
                let (parts, body) = request.into_parts();
                let is_head = parts.method == Method::HEAD;
                let body = Incoming::http2(body, limits.slowest_request(&parts.headers));
                let mut answer = service.call(Box::new(parts), body, &peer).await.into();
                let lasting = answer.lasting.take();
                let mut response = answer.into_response();
                answer::fit(&mut response, is_head);
                (response, lasting)
            };
            Ok::<_, Infallible>(response.map(|body| match body {
                whole @ (Body::Whole(_) | Body::Trailed(..)) => whole,
                body => Body::stream(Watched::new(body, limits.slowest(), lasting, open)),
            }))
        })
    });
    let longest = head_room(limits.header_bytes) as usize + FRAME as usize;
    let mut stream = TimeoutStream::new(Inspected::new(stream, Arc::clone(presence), longest));
    stream.set_write_timeout(Some(stall));
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.http2_streams)
        .max_pending_accept_reset_streams(limits.http2_resets)
        .max_local_error_reset_streams(limits.http2_local_resets)
        .max_header_list_size(head_room(limits.header_bytes))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .enable_connect_protocol()
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.wait_draining() => {
            // One that has not even begun has nothing to finish.
            if !presence.is_used() {
                return;
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = presence.idle(limits.header_timeout, limits.idle_timeout) => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(FAREWELL, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        if let Some(reason) = counts::cut(&error) {
            admission.counts.cut.add(reason);
        }
        debug!(%error, "connection ended early");
    }
}

/// WebSocket over HTTP/2 (RFC 8441): to the service it is the upgrade that it is in HTTP/1.1.
async fn connect<S: Service>(
    service: &S,
    mut request: Request<hyper::body::Incoming>,
    peer: &Peer,
    mut stop: Shutdown,
) -> Response<Body> {
    let is_websocket =
        request.extensions().get::<Protocol>().is_some_and(|name| name.as_str() == "websocket");
    if !is_websocket {
        // RFC 9220 3: a protocol that is not known.
        let mut response = Response::new(body::empty());
        *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
        return response;
    }
    let upgraded = hyper::upgrade::on(&mut request);
    let (mut parts, _) = request.into_parts();
    parts.method = Method::GET;
    parts.extensions.insert(WantsUpgrade::Only(HeaderValue::from_static("websocket")));
    // RFC 8441 5.1 leaves the key out; HTTP/1.1 needs one.
    if let Ok(key) = HeaderValue::try_from(encoding::base64(&random::bytes::<16>())) {
        parts.headers.insert(SEC_WEBSOCKET_KEY, key);
    }
    let said = service.call(Box::new(parts), Incoming::empty(), peer).await;
    let mut response = said.into().into_response();
    let Some(tunnel) = response.extensions().get::<TunnelHandover>().and_then(TunnelHandover::take)
    else {
        return response;
    };
    // The request ends with the tunnel, for the access log too.
    let noted = std::mem::replace(response.body_mut(), body::empty());
    tokio::spawn(async move {
        let _noted = noted;
        match upgraded.await {
            Ok(upgraded) => {
                let (reader, writer) = Stream::split_any(TokioIo::new(upgraded));
                let near = Joined { reader: Reader::new(reader), writer };
                tunnel.copy_bidirectional(near, stop.wait()).await;
            }
            Err(error) => debug!(%error, "stream ended before it became a tunnel"),
        }
    });
    *response.status_mut() = StatusCode::OK;
    for name in [CONNECTION, UPGRADE, SEC_WEBSOCKET_ACCEPT] {
        response.headers_mut().remove(name);
    }
    response
}

/// Returns how large a head hyper takes. It is more than may pass, so that it is we who refuse what
/// is too large, with an answer, a line in the log and a count.
fn head_room(header_bytes: usize) -> u32 {
    u32::try_from(header_bytes.saturating_mul(HEAD_ROOM)).unwrap_or(u32::MAX)
}

/// How many times what a head may have is read of one.
const HEAD_ROOM: usize = 4;
/// What a client may send of one body before it was read.
const STREAM_WINDOW: u32 = 256 * 1024;
/// What a client may send on one connection before it was read.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
const FRAME: u32 = 16 * 1024;
/// What is kept of an answer that is not yet sent.
const SEND_BUFFER: usize = 64 * 1024;
/// How long an idle client may take to hear that the connection ends.
const FAREWELL: Duration = Duration::from_secs(5);
/// How often a silent peer is asked whether it is still there, and how long it may think.
const PING: Duration = Duration::from_secs(20);
