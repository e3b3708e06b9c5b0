//! One listener: accepts, optionally does TLS, reads HTTP/1.1, stops gracefully.
//!
//! 1. At most [`Limits::connections`] are open; the next one waits in the kernel's queue.
//! 2. A handshake and a request's header each have [`Limits::header_timeout`] to arrive.
//! 3. A client that neither reads nor sends for [`Limits::stall_timeout`] in the middle of an
//!    exchange loses its connection.
//! 4. On stop: no new connection, idle ones close, busy ones finish within
//!    [`Limits::drain_timeout`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

pub use crate::base::stop::{Stop, Stopper, stop};
pub use crate::http::service::{Peer, Service};

/// The bounds of a listener.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many connections may be open.
    pub connections: usize,
    /// How long a TLS handshake, and then a request's header, may take to arrive.
    pub header_timeout: Duration,
    /// How long a client may leave an answer unread, or a request's body unsent, before the
    /// connection is given up.
    pub stall_timeout: Duration,
    /// How long open requests may go on after a stop.
    pub drain_timeout: Duration,
    /// The most bytes that a request's line and header may have.
    pub header_bytes: usize,
    /// The most fields that a request's header may have.
    pub header_fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            header_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
            header_bytes: 64 * 1024,
            header_fields: 100,
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
    let graceful = GracefulShutdown::new();
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
            watcher: graceful.watcher(),
        };
        tokio::spawn(async move {
            connection.run(stream).await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain_timeout, graceful.shutdown()).await.is_err() {
        warn!("requests were still open at the end of the drain time");
    }
}

struct Connection<S> {
    address: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    service: Arc<S>,
    limits: Limits,
    watcher: Watcher,
}

impl<S: Service> Connection<S> {
    async fn run(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        match &self.acceptor {
            None => self.http(stream, false).await,
            Some(acceptor) => {
                let handshake = acceptor.accept(stream);
                match tokio::time::timeout(self.limits.header_timeout, handshake).await {
                    Ok(Ok(stream)) => self.http(stream, true).await,
                    Ok(Err(error)) => debug!(%error, "TLS handshake failed"),
                    Err(_) => debug!("TLS handshake took too long"),
                }
            }
        }
    }

    async fn http(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        is_tls: bool,
    ) {
        let peer = Peer::new(self.address, is_tls);
        let service = Arc::clone(&self.service);
        let answer = service_fn(move |request| {
            let (service, peer) = (Arc::clone(&service), peer.clone());
            async move { Ok::<_, std::convert::Infallible>(service.call(request, peer).await) }
        });
        // A reader who stops reading gives the place back after a while.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.limits.stall_timeout));
        let stream = Box::pin(stream);
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_buf_size(self.limits.header_bytes)
            .max_headers(self.limits.header_fields)
            .serve_connection(TokioIo::new(stream), answer);
        let connection = self.watcher.watch(connection);
        if let Err(error) = connection.await {
            debug!(%error, "connection ended early");
        }
    }
}
