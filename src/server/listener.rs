//! A listener: accepts connections until told to stop, and lets them end.
//!
//! 1. At most [`Limits::connections`] are open in the whole program; the next one waits in the
//!    kernel's queue. Of one client, [`Limits::connections_per_address`]; the next one is closed.
//!    Where only some networks may connect ([`Endpoint::networks`]), everybody else's is closed as it
//!    comes: before TLS and before a head, so that strangers hold none of them.
//! 2. A PROXY header and a TLS handshake have [`Limits::handshake_timeout`] together, the head of
//!    a request [`Limits::header_timeout`] to arrive.
//! 3. A client that neither reads nor sends for [`Limits::stall_timeout`] in the middle of an
//!    exchange loses its connection.
//! 4. On stop: clients that are in the queue already, or come while others still come, are served;
//!    idle connections close, and busy ones finish within [`Limits::drain_timeout`]. The kernel
//!    accepts no client whom we do not serve. When a successor accepts, ours go on until the stop.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::accept::{Listener, PeerAddress};
pub use super::admission::Admission;
use super::admission::Open;
use super::connection::{Connection, ListenerContext, OpenPermit};
use super::parked::Parking;
pub use crate::base::shutdown::{Shutdown, ShutdownHandle, shutdown};
use crate::request::networks::Networks;
pub use crate::request::service::{Peer, Service};
pub use crate::server::limits::Limits;
pub use crate::server::socket::Socket;
use crate::wire::stream::Stream;

/// Sockets that are listened on, and the TLS that is spoken there.
#[derive(Debug)]
pub struct Endpoint {
    /// Where connections come from.
    pub listener: Listener,
    /// How TLS is spoken, if it is.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Who may connect over a network, by the peer's own address; everybody when nothing is said.
    pub networks: Option<Networks>,
}

/// Accepts connections until told to stop, then waits for the open ones within the deadline.
pub async fn run<S: Service>(
    endpoint: Endpoint,
    service: Arc<S>,
    admission: Arc<Admission>,
    mut stop: Shutdown,
) {
    let Endpoint { mut listener, tls, networks } = endpoint;
    let open = TaskTracker::new();
    let acceptor = tls.map(TlsAcceptor::from);
    let parking = if acceptor.is_none() {
        Parking::new().inspect_err(|error| warn!(%error, "idle connections keep their tasks")).ok()
    } else {
        None
    };
    let context = Arc::new(ListenerContext {
        acceptor,
        service,
        admission: Arc::clone(&admission),
        stop: stop.clone(),
        parking,
    });
    open.spawn(serve_parked(Arc::clone(&context), open.clone()));
    let start = |permit: OwnedSemaphorePermit, stream: Stream, address: PeerAddress| {
        if let (Some(networks), Some(ip)) = (&networks, address.ip())
            && !networks.contains(ip)
        {
            // Stream and permit are dropped here.
            return admission.note_stranger(ip, Instant::now());
        }
        let open_permit = OpenPermit { _permit: permit, _open: Open::begin(&admission) };
        let connection = Connection { context: Arc::clone(&context), address, open_permit };
        // On the heap: a task is moved several times until it runs, and once more when it has ended.
        open.spawn(Box::pin(connection.run(stream)));
    };
    let mut stopped = stop.clone();
    let mut stopped = pin!(stopped.wait_closing());
    loop {
        let next = async {
            let permit = Arc::clone(&admission.permits).acquire_owned().await.ok()?;
            Some((permit, listener.accept().await))
        };
        let next = tokio::select! { () = &mut stopped => break, next = next => next };
        match next {
            Some((permit, Ok((stream, address)))) => start(permit, stream, address),
            Some((_, Err(error))) => {
                // Out of descriptors, most likely: let some close before the next attempt.
                admission.note_failure(&error, Instant::now());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            None => break,
        }
    }
    // A client in the queue already believes to be connected. And a client that just read that we
    // leave connects anew, until a balancer has noticed. Where a successor has the queue too, they
    // are its clients.
    let last_call = Instant::now() + LAST_CALL;
    while !stop.has_successor() && Instant::now() < last_call {
        let next = async {
            let permit = Arc::clone(&admission.permits).acquire_owned().await.ok()?;
            Some((permit, listener.accept().await.ok()?))
        };
        let Ok(Some((permit, (stream, address)))) = timeout(SILENCE, next).await else { break };
        start(permit, stream, address);
    }
    // A client that has begun to connect is connected in a moment; no other begins.
    if listener.turn_away() {
        tokio::time::sleep(HANDSHAKE).await;
    }
    for (stream, address) in queue_of(listener, &stop) {
        // A client for which there is no permit would not have been accepted either.
        if let Ok(permit) = Arc::clone(&admission.permits).try_acquire_owned() {
            start(permit, stream, address);
        }
    }
    stop.wait().await;
    open.close();
    if timeout(admission.limits.drain_timeout, open.wait()).await.is_err() {
        warn!("requests were still open at the end of the drain time");
    }
}

/// Has connections go on that waited without a task, when something has come.
async fn serve_parked<S: Service>(context: Arc<ListenerContext<S>>, open: TaskTracker) {
    let Some(parking) = &context.parking else { return };
    let wake = |socket, known| {
        open.spawn(Box::pin(Connection::wake(Arc::clone(&context), socket, known)));
    };
    parking.serve(context.stop.clone(), wake).await;
}

/// Closes a listener, and returns the clients in its queue, unless a successor has that queue too.
fn queue_of(listener: Listener, stop: &Shutdown) -> Vec<(Stream, PeerAddress)> {
    if stop.has_successor() { Vec::new() } else { listener.close() }
}

/// Serves one listener that shares nothing with others.
pub async fn serve<S: Service>(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    service: Arc<S>,
    limits: Limits,
    stop: Shutdown,
) {
    let listener = match Listener::try_from(listener) {
        Ok(listener) => listener,
        Err(error) => return warn!(%error, "listener cannot be prepared"),
    };
    let endpoint = Endpoint { listener, tls, networks: None };
    run(endpoint, service, Admission::new(limits, Vec::new(), &[]), stop).await;
}

/// When no client has come for so long after a stop, the queue is empty.
const SILENCE: Duration = Duration::from_millis(50);
/// How long a handshake of TCP may take that has begun, with a balancer in the same building.
const HANDSHAKE: Duration = Duration::from_millis(2);
/// How long after a stop a client may still come.
const LAST_CALL: Duration = Duration::from_secs(1);
