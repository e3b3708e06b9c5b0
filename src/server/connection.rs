//! The life of one connection: which client it is from, the handshake, then the protocol that the
//! two sides agree on.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::accept::PeerAddress;
use super::addresses::TooMany;
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
    _permit: super::addresses::ConnectionPermit,
}

impl<S: Service> Connection<S> {
    /// Serves it until it ends.
    pub(super) async fn run(mut self, stream: Stream) {
        // On the heap: a handshake needs far more room than a connection that waits.
        let ready = match Box::pin(self.begin(stream)).await {
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
            Box::pin(http2::serve(stream, self.service, peer, &self.admission, self.stop)).await;
            return;
        }
        let peer = peer.with_interim();
        let served = http1::serve(stream, &*self.service, &peer, limits, self.stop.clone());
        match served.await {
            http1::After::Closed => {}
            http1::After::Http2(stream) => {
                let peer = Peer { interim: None, ..peer };
                let admission = &self.admission;
                Box::pin(http2::serve(*stream, self.service, peer, admission, self.stop)).await;
            }
        }
    }

    async fn begin(&mut self, stream: Stream) -> Result<Ready, Error> {
        let time = self.admission.limits.handshake_timeout;
        tokio::time::timeout(time, self.handshake(stream)).await.unwrap_or(Err(Error::Slow))
    }

    async fn handshake(&mut self, mut stream: Stream) -> Result<Ready, Error> {
        // 1. A proxy that we know says which client's connection it brings.
        if let Some(ip) = self.address.ip()
            && self.admission.proxies.contains(ip)
            && let Header::Client { source, .. } = proxy_protocol::read(&mut stream).await?
        {
            self.address = PeerAddress::Tcp(source);
        }
        // 2. One client cannot have all the connections.
        let permit = self.admission.per_address.enter(self.address.socket().ip())?;
        // 3. TLS, and in it the choice of the protocol.
        let (reader, writer, is_http2, certificate) = match &self.acceptor {
            None => {
                let (reader, writer) = stream.split();
                (reader, writer, false, None)
            }
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
