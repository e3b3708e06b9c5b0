//! A connection that speaks HTTP/2 (RFC 9113): hyper reads it, the same service answers.
//!
//! 1. Streams, resets and the bytes of heads are bounded, so that neither rapid resets nor endless
//!    CONTINUATION frames cost more than a connection.
//! 2. What HTTP/2 forbids in a request is refused by hyper's h2; what goes on to the portal is
//!    written anew, as for HTTP/1.1.
//! 3. A peer that answers no PING, or reads nothing for [`Limits::stall_timeout`], is gone.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio_io_timeout::TimeoutStream;
use tracing::debug;

use super::listener::Limits;
use crate::base::stop::Stop;
use crate::http::service::{Peer, Service};
use crate::wire::incoming::Incoming;
use crate::wire::reader::Joined;

/// Serves a connection until it ends.
pub(super) async fn serve<S: Service>(
    stream: Joined,
    service: Arc<S>,
    peer: Peer,
    limits: &Limits,
    mut stop: Stop,
) {
    let stall = limits.stall_timeout;
    let answer = service_fn(move |request: Request<hyper::body::Incoming>| {
        let service = Arc::clone(&service);
        async move {
            let request = request.map(|body| Incoming::http2(body, stall));
            Ok::<_, Infallible>(service.call(request, peer).await)
        }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(stall));
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.http2_streams)
        .max_pending_accept_reset_streams(limits.http2_resets)
        .max_local_error_reset_streams(limits.http2_local_resets)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .enable_connect_protocol()
        .serve_connection(TokioIo::new(Box::pin(stream)), answer);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.wait_leaving() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "connection ended early");
    }
}

/// What a client may send of one body before it was read.
const STREAM_WINDOW: u32 = 256 * 1024;
/// What a client may send on one connection before it was read.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
const FRAME: u32 = 16 * 1024;
/// What is kept of an answer that is not yet sent.
const SEND_BUFFER: usize = 64 * 1024;
/// How often a silent peer is asked whether it is still there, and how long it may think.
const PING: Duration = Duration::from_secs(20);
