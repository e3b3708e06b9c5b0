//! The life of one connection: which client it is from, the handshake, then the protocol that the
//! two sides agree on.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::accept::PeerAddress;
use super::addresses::{ConnectionPermit, TooMany};
use super::admission::{Admission, Open};
use super::http1::{After, Arrival, Idle, WhileIdle};
use super::parked::Parking;
use super::proxy_protocol::{self, Header};
use super::{http1, http2};
use crate::base::shutdown::Shutdown;
use crate::request::service::{Peer, Service};
use crate::wire::reader::Joined;
use crate::wire::stream::Stream;

/// What all connections of a listener have in common.
pub(super) struct ListenerContext<S> {
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) service: Arc<S>,
    pub(super) admission: Arc<Admission>,
    pub(super) stop: Shutdown,
    /// Where connections wait without a task; none with TLS, and where the system has no descriptor for it.
    pub(super) parking: Option<Parking<ParkedConnection>>,
}

/// A connection that was accepted.
pub(super) struct Connection<S> {
    pub(super) context: Arc<ListenerContext<S>>,
    pub(super) address: PeerAddress,
    pub(super) open_permit: OpenPermit,
}

/// What a connection takes of the program's number of them.
#[derive(Debug)]
pub(super) struct OpenPermit {
    pub(super) _permit: OwnedSemaphorePermit,
    pub(super) _open: Open,
}

/// What is known of a connection that is parked, besides its socket.
#[derive(Debug)]
pub(super) struct ParkedConnection {
    address: PeerAddress,
    is_first: bool,
    permit: ConnectionPermit,
    open_permit: OpenPermit,
}

/// Why a connection ends before it speaks HTTP.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Proxy(#[from] proxy_protocol::Error),
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error("TLS handshake failed: {0}")]
    Tls(#[from] std::io::Error),
    #[error("handshake took too long")]
    Slow,
}

impl Error {
    /// Returns its name in metrics.
    fn name(&self) -> &'static str {
        match self {
            Self::Proxy(_) => "proxy",
            Self::TooMany(_) => "per_address",
            Self::Tls(_) => "tls",
            Self::Slow => "handshake_timeout",
        }
    }
}

/// A connection that can speak HTTP.
struct Ready {
    stream: Joined,
    is_http2: bool,
    /// The certificate that the client showed.
    certificate: Option<Arc<[u8]>>,
    /// The client's place among its own connections.
    permit: ConnectionPermit,
}

impl Ready {
    fn plain(stream: Stream, permit: ConnectionPermit) -> Self {
        let stream = Joined::new(stream.split());
        Self { stream, is_http2: false, certificate: None, permit }
    }
}

impl<S: Service> Connection<S> {
    /// Serves it until it ends, or waits in the listener's parking.
    pub(super) async fn run(mut self, stream: Stream) {
        let Ready { stream, is_http2, certificate, permit } = match self.begin(stream).await {
            Ok(ready) => ready,
            Err(refused) => {
                self.context.admission.counts.refused.add(refused.name());
                debug!(%refused, "connection refused");
                return;
            }
        };
        let peer = self.peer().with_certificate(certificate);
        if is_http2 {
            return Box::pin(Self::go_on_as_http2(&self.context, stream, peer)).await;
        }
        self.serve(stream, Arrival::New, peer, permit).await;
    }

    /// Goes on with one that was parked, when something has come.
    pub(super) async fn wake(
        context: Arc<ListenerContext<S>>,
        socket: std::net::TcpStream,
        parked: ParkedConnection,
    ) {
        let ParkedConnection { address, is_first, permit, open_permit } = parked;
        let woken = Self { context, address, open_permit };
        match TcpStream::from_std(socket) {
            Ok(socket) => {
                let (stream, peer) = (Joined::new(Stream::Tcp(socket).split()), woken.peer());
                woken.serve(stream, Arrival::Woken { is_first }, peer, permit).await;
            }
            Err(error) => debug!(%error, "a parked connection was lost"),
        }
    }

    fn peer(&self) -> Peer {
        Peer::new(self.address.socket(), self.context.acceptor.is_some())
    }

    async fn serve(self, stream: Joined, arrival: Arrival, peer: Peer, permit: ConnectionPermit) {
        let peer = peer.with_interim();
        let context = &*self.context;
        let (service, limits) = (&*context.service, &context.admission.limits);
        let serve = |stream, arrival, while_idle| {
            http1::serve(stream, arrival, while_idle, service, &peer, limits, context.stop.clone())
        };
        let while_idle =
            if context.parking.is_some() { WhileIdle::IsParked } else { WhileIdle::Stays };
        // What one holds that is still open, and for which there was no room.
        let _still_open;
        let after = match (serve(stream, arrival, while_idle).await, &context.parking) {
            (After::Idle(idle), Some(parking)) => {
                let Idle { socket, until, is_first } = idle;
                let Self { address, open_permit, .. } = self;
                let parked = ParkedConnection { address, is_first, permit, open_permit };
                let Err((socket, parked)) = parking.park(socket, until, parked) else { return };
                _still_open = parked;
                let stream = Joined::new(Stream::Tcp(socket).split());
                serve(stream, Arrival::StillIdle { is_first, until }, WhileIdle::Stays).await
            }
            (after, _) => after,
        };
        if let After::Http2(stream) = after {
            let peer = Peer { interim: None, ..peer };
            Box::pin(Self::go_on_as_http2(context, *stream, peer)).await;
        }
    }

    async fn go_on_as_http2(context: &ListenerContext<S>, stream: Joined, peer: Peer) {
        let ListenerContext { service, admission, stop, .. } = context;
        http2::serve(stream, Arc::clone(service), peer, admission, stop.clone()).await;
    }

    async fn begin(&mut self, stream: Stream) -> Result<Ready, Error> {
        if self.context.acceptor.is_none() && !self.is_brought() {
            // Nothing is waited for.
            return Ok(Ready::plain(stream, self.enter()?));
        }
        let time = self.context.admission.limits.handshake_timeout;
        // On the heap: a handshake needs far more room than a connection that waits.
        let handshake = Box::pin(self.handshake(stream));
        tokio::time::timeout(time, handshake).await.unwrap_or(Err(Error::Slow))
    }

    /// Tells whether a proxy that we know brings a client's connection.
    fn is_brought(&self) -> bool {
        self.address.ip().is_some_and(|ip| self.context.admission.proxies.contains(ip))
    }

    /// Gives the client a place: one client cannot have all the connections.
    fn enter(&self) -> Result<ConnectionPermit, TooMany> {
        self.context.admission.per_address.enter(self.address.socket().ip())
    }

    async fn handshake(&mut self, mut stream: Stream) -> Result<Ready, Error> {
        // 1. A proxy that we know says which client's connection it brings.
        if self.is_brought()
            && let Header::Client { source, .. } = proxy_protocol::read(&mut stream).await?
        {
            self.address = PeerAddress::Tcp(source);
        }
        // 2. The client is known by now.
        let permit = self.enter()?;
        // 3. TLS, and in it the choice of the protocol.
        let Some(acceptor) = &self.context.acceptor else {
            return Ok(Ready::plain(stream, permit));
        };
        let stream = acceptor.accept(stream).await?;
        let session = stream.get_ref().1;
        let is_http2 = session.alpn_protocol() == Some(b"h2");
        let shown = session.peer_certificates().and_then(|all| all.first());
        let certificate = shown.map(|first| first.as_ref().into());
        let stream = Joined::new(Stream::split_any(stream));
        Ok(Ready { stream, is_http2, certificate, permit })
    }
}
