//! The life of one connection: which client it is from, the handshake, then the protocol that the
//! two sides agree on.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::accept::PeerAddress;
use super::addresses::{ConnectionPermit, TooMany};
use super::admission::Admission;
use super::proxy_protocol::{self, Header};
use super::{http1, http2};
use crate::base::shutdown::Shutdown;
use crate::request::service::{Peer, Service};
use crate::wire::reader::{Joined, Reader};
use crate::wire::stream::{ReadHalf, Stream, WriteHalf};

/// A connection that was accepted.
pub(super) struct Connection<S> {
    pub(super) address: PeerAddress,
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) service: Arc<S>,
    pub(super) admission: Arc<Admission>,
    pub(super) stop: Shutdown,
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
    reader: ReadHalf,
    writer: WriteHalf,
    is_http2: bool,
    /// The certificate that the client showed.
    certificate: Option<Arc<[u8]>>,
    /// The client's place among its own connections.
    _permit: ConnectionPermit,
}

impl Ready {
    fn plain(stream: Stream, permit: ConnectionPermit) -> Self {
        let (reader, writer) = stream.split();
        Self { reader, writer, is_http2: false, certificate: None, _permit: permit }
    }
}

impl<S: Service> Connection<S> {
    /// Serves it until it ends.
    pub(super) async fn run(&mut self, stream: Stream) {
        let ready = match self.begin(stream).await {
            Ok(ready) => ready,
            Err(refused) => {
                self.admission.counts.refused.add(refused.name());
                debug!(%refused, "connection refused");
                return;
            }
        };
        let peer = Peer::new(self.address.socket(), self.acceptor.is_some())
            .with_certificate(ready.certificate);
        let limits = &self.admission.limits;
        let stream = Joined { reader: Reader::new(ready.reader), writer: ready.writer };
        if ready.is_http2 {
            return Box::pin(self.go_on_as_http2(stream, peer)).await;
        }
        let peer = peer.with_interim();
        let served = http1::serve(stream, &*self.service, &peer, limits, self.stop.clone());
        match served.await {
            http1::After::Closed => {}
            http1::After::Http2(stream) => {
                let peer = Peer { interim: None, ..peer };
                Box::pin(self.go_on_as_http2(*stream, peer)).await;
            }
        }
    }

    async fn go_on_as_http2(&self, stream: Joined, peer: Peer) {
        let service = Arc::clone(&self.service);
        http2::serve(stream, service, peer, &self.admission, self.stop.clone()).await;
    }

    async fn begin(&mut self, stream: Stream) -> Result<Ready, Error> {
        if self.acceptor.is_none() && !self.is_brought() {
            // Nothing is waited for.
            return Ok(Ready::plain(stream, self.enter()?));
        }
        let time = self.admission.limits.handshake_timeout;
        // On the heap: a handshake needs far more room than a connection that waits.
        let handshake = Box::pin(self.handshake(stream));
        tokio::time::timeout(time, handshake).await.unwrap_or(Err(Error::Slow))
    }

    /// Tells whether a proxy that we know brings a client's connection.
    fn is_brought(&self) -> bool {
        self.address.ip().is_some_and(|ip| self.admission.proxies.contains(ip))
    }

    /// Gives the client a place: one client cannot have all the connections.
    fn enter(&self) -> Result<ConnectionPermit, TooMany> {
        self.admission.per_address.enter(self.address.socket().ip())
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
        let (reader, writer, is_http2, certificate) = match &self.acceptor {
            None => return Ok(Ready::plain(stream, permit)),
            Some(acceptor) => {
                let stream = acceptor.accept(stream).await?;
                let session = stream.get_ref().1;
                let is_http2 = session.alpn_protocol() == Some(b"h2");
                let shown = session.peer_certificates().and_then(|all| all.first());
                let certificate = shown.map(|first| first.as_ref().into());
                let (reader, writer) = Stream::split_any(stream);
                (reader, writer, is_http2, certificate)
            }
        };
        Ok(Ready { reader, writer, is_http2, certificate, _permit: permit })
    }
}
