//! One listener: accepts connections until told to stop, and lets them end.
//!
//! 1. At most [`Limits::connections`] are open; the next one waits in the kernel's queue.
//! 2. A handshake has [`Limits::handshake_timeout`], the head of a request
//!    [`Limits::header_timeout`] to arrive.
//! 3. A client that neither reads nor sends for [`Limits::stall_timeout`] in the middle of an
//!    exchange loses its connection.
//! 4. On stop: no new connection, idle ones close, busy ones finish within
//!    [`Limits::drain_timeout`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::connection::Connection;

pub use crate::base::stop::{Stop, Stopper, stop};
pub use crate::http::service::{Peer, Service};

/// The bounds of a listener.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many connections may be open.
    pub connections: usize,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// How long the head of a request may take to arrive, from its first byte on.
    pub header_timeout: Duration,
    /// How long a connection may wait for its next request.
    pub idle_timeout: Duration,
    /// How long a client may leave an answer unread, or a request's body unsent, before the
    /// connection is given up.
    pub stall_timeout: Duration,
    /// How long open requests may go on after a stop.
    pub drain_timeout: Duration,
    /// The most bytes that a request's line and header may have.
    pub header_bytes: usize,
    /// The most fields that a request's header may have.
    pub header_fields: usize,
    /// The most bytes that the target of a request may have.
    pub target_bytes: usize,
    /// Whether HTTP/2 is spoken.
    pub http2: bool,
    /// How many requests of one HTTP/2 connection may be under way.
    pub http2_streams: u32,
    /// How many streams a client may open and reset before they were looked at (CVE-2023-44487).
    pub http2_resets: usize,
    /// How many streams we may have to reset for a client's mistakes before it has to go.
    pub http2_local_resets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
            header_bytes: 32 * 1024,
            header_fields: 100,
            target_bytes: 8 * 1024,
            http2: true,
            http2_streams: 100,
            http2_resets: 20,
            http2_local_resets: 128,
        }
    }
}

/// Where to listen: an address that is still to be bound, or a socket that already is.
#[derive(Debug)]
pub enum Socket {
    /// An address.
    Address(SocketAddr),
    /// A bound socket, for instance because its port had to be known beforehand.
    Bound(std::net::TcpListener),
}

impl Socket {
    /// Binds a socket now, so that its port is known.
    ///
    /// # Errors
    /// When the address is taken.
    pub fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self::Bound(listener))
    }

    /// Returns the address.
    ///
    /// # Errors
    /// When the system does not know it.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        match self {
            Self::Address(address) => Ok(*address),
            Self::Bound(listener) => listener.local_addr(),
        }
    }

    /// Returns the listener, binding it when that was not done before.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn into_listener(self) -> std::io::Result<TcpListener> {
        match self {
            Self::Address(address) => TcpListener::bind(address).await,
            Self::Bound(listener) => TcpListener::from_std(listener),
        }
    }
}

impl From<SocketAddr> for Socket {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}

/// Accepts connections until told to stop, then waits for the open ones within the deadline.
pub async fn serve<S: Service>(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    service: Arc<S>,
    limits: Limits,
    mut stop: Stop,
) {
    let acceptor = tls.map(TlsAcceptor::from);
    let places = Arc::new(Semaphore::new(limits.connections));
    let open = TaskTracker::new();
    loop {
        let place = tokio::select! {
            () = stop.wait() => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        let (stream, address) = tokio::select! {
            () = stop.wait() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, most likely: let some close before the next attempt.
                    warn!(%error, "connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let connection = Connection {
            address,
            acceptor: acceptor.clone(),
            service: Arc::clone(&service),
            limits,
            stop: stop.clone(),
        };
        open.spawn(async move {
            connection.run(stream).await;
            drop(place);
        });
    }
    drop(listener);
    open.close();
    if tokio::time::timeout(limits.drain_timeout, open.wait()).await.is_err() {
        warn!("requests were still open at the end of the drain time");
    }
}
