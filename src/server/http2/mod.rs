//! A connection that speaks HTTP/2 (RFC 9113): h2 reads and writes its frames, the same service
//! answers.
//!
//! 1. Streams, resets and the bytes of heads are bounded, so that neither rapid resets nor endless
//!    CONTINUATION frames cost more than a connection.
//! 2. What HTTP/2 forbids in a request is refused by h2; what goes on to the portal is written
//!    anew, as for HTTP/1.1. What h2 passes over is refused before ([`frames`]). Cookies in several
//!    fields become one (`cookies`), and an answer has a body only where it may (`answer`).
//! 3. A peer that answers no PING (`alive`), or reads nothing for
//!    [`super::limits::Limits::stall_timeout`], is gone. One that closes the window of a stream
//!    loses the answer on it (`sending`).
//! 4. A connection without a request ends as an idle one of HTTP/1.1 does.
//! 5. A connection is one task, and what it writes in one turn goes out in one piece
//!    (`connection`).

mod alive;
mod answer;
mod connection;
mod cookies;
mod duplex;
mod exchange;
pub mod frames;
mod gathered;
mod hpack;
mod huffman;
mod inspected;
mod presence;
mod sending;
mod turn;
mod websocket;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::ext::Protocol;
use h2::{RecvStream, server};
use http::header::CONTENT_LENGTH;
use http::{Method, Request};
use tokio_io_timeout::TimeoutStream;
use tracing::{debug, warn};

use self::connection::{Arrived, Connection, Error, Socket, shake_hands};
use self::exchange::{Common, Exchange};
use self::gathered::Gathered;
use self::inspected::Inspected;
use self::presence::Presence;
use super::admission::Admission;
use super::counts;
use super::limits::Limits;
use crate::base::shutdown::Shutdown;
use crate::request::service::{Peer, Service};
use crate::wire::reader::Joined;
use crate::wire::refusal::Refusal;

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
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.stall_timeout));
    let socket = Gathered::new(Box::pin(stream));
    let common =
        Common { service, peer, limits, stop: stop.clone(), presence: Arc::clone(presence) };
    let (settings, longest) = (settings(&limits), longest(&limits));
    // On the heap: it needs far more room than a connection that waits.
    let shaken = tokio::select! {
        shaken = Box::pin(shake_hands(&settings, &socket, presence, longest)) => shaken,
        () = presence.idle(limits.header_timeout, limits.idle_timeout) => return,
        // One that has not even begun has nothing to finish.
        () = stop.wait_draining() => return,
    };
    let ended = match shaken {
        Ok(frames) => go_on(frames, socket, common, &mut stop).await,
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        if let Some(reason) = error.name() {
            admission.counts.cut.add(reason);
        }
        debug!(%error, "connection ended early");
    }
}

/// Serves a connection after the handshake.
async fn go_on<S: Service>(
    frames: server::Connection<Inspected<Socket>, Bytes>,
    socket: Socket,
    common: Common<S>,
    stop: &mut Shutdown,
) -> Result<(), Error> {
    let (presence, limits) = (Arc::clone(&common.presence), common.limits);
    let common = Arc::new(common);
    let begin = |arrived| begin(&common, arrived);
    let mut connection = Connection::new(frames, socket, Arc::clone(&presence), begin);
    let ended = tokio::select! {
        ended = poll_fn(|cx| connection.poll(cx)) => ended,
        () = stop.wait_draining() => {
            if !presence.is_used() {
                return Ok(());
            }
            say_farewell(&mut connection, &presence).await
        }
        () = presence.idle(limits.header_timeout, limits.idle_timeout) => {
            say_farewell(&mut connection, &presence).await
        }
    };
    connection.close();
    ended
}

/// Ends a connection as soon as nothing is under way: a client that does not answer is not waited for.
async fn say_farewell<B>(connection: &mut Connection<B>, presence: &Presence) -> Result<(), Error>
where
    B: FnMut(Arrived) -> connection::Exchange,
{
    connection.end();
    presence.note();
    tokio::select! {
        ended = poll_fn(|cx| connection.poll(cx)) => ended,
        // A request that it sent before it heard is answered.
        () = presence.idle(FAREWELL, FAREWELL) => Ok(()),
    }
}

/// Begins what becomes of a request.
fn begin<S: Service>(common: &Arc<Common<S>>, (request, respond): Arrived) -> connection::Exchange {
    let open = common.presence.enter();
    let exchange = Exchange { common: Arc::clone(common), respond, open };
    if says_length_of_tunnel(&request) {
        return Box::pin(exchange.refuse(Refusal::Framing("a tunnel has none")));
    }
    let (parts, body) = request.into_parts();
    // On the heap before the exchange is: it would be moved several times.
    let mut parts = Box::new(parts);
    match parts.extensions.remove::<Protocol>() {
        Some(protocol) => Box::pin(websocket::open(exchange, parts, body, protocol)),
        None => Box::pin(exchange.run(parts, body)),
    }
}

/// Tells whether a CONNECT says how long its body is, which it has not (RFC 9110 9.3.6): what would
/// go on as a body belongs to the tunnel.
fn says_length_of_tunnel(request: &Request<RecvStream>) -> bool {
    request.method() == Method::CONNECT
        && request.headers().get_all(CONTENT_LENGTH).iter().any(|length| length != "0")
}

/// What is agreed on with every client.
fn settings(limits: &Limits) -> server::Builder {
    let mut settings = server::Builder::new();
    settings
        .max_concurrent_streams(limits.http2_streams)
        .max_pending_accept_reset_streams(limits.http2_resets)
        .max_local_error_reset_streams(Some(limits.http2_local_resets))
        .max_header_list_size(head_room(limits.header_bytes))
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_send_buffer_size(SEND_BUFFER)
        .enable_connect_protocol();
    settings
}

/// Returns how long a head may be, packed as it comes.
fn longest(limits: &Limits) -> usize {
    head_room(limits.header_bytes) as usize + FRAME as usize
}

/// Returns how large a head h2 takes. It is more than may pass, so that it is we who refuse what
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
/// How long an idle client may take to hear that the connection ends, while it asks for nothing.
const FAREWELL: Duration = Duration::from_secs(5);
