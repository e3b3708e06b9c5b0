//! The life of one connection: the handshake, then the protocol that the two sides agree on.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsStream};
use tracing::debug;

use super::listener::Limits;
use super::{http1, http2};
use crate::base::stop::Stop;
use crate::http::service::{Peer, Service};
use crate::wire::reader::{Joined, Reader};
use crate::wire::stream::Stream;

/// A connection that was accepted.
pub(super) struct Connection<S> {
    pub(super) address: SocketAddr,
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) service: Arc<S>,
    pub(super) limits: Limits,
    pub(super) stop: Stop,
}

impl<S: Service> Connection<S> {
    /// Serves it until it ends.
    pub(super) async fn run(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let peer = Peer { address: self.address, is_tls: self.acceptor.is_some() };
        let (stream, is_http2) = match &self.acceptor {
            None => (Stream::Tcp(stream), false),
            Some(acceptor) => {
                let handshake = acceptor.accept(stream);
                match tokio::time::timeout(self.limits.handshake_timeout, handshake).await {
                    Ok(Ok(stream)) => {
                        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                        (Stream::Tls(Box::new(TlsStream::Server(stream))), is_http2)
                    }
                    Ok(Err(error)) => {
                        debug!(%error, "TLS handshake failed");
                        return;
                    }
                    Err(_) => {
                        debug!("TLS handshake took too long");
                        return;
                    }
                }
            }
        };
        let (reader, writer) = stream.split();
        let stream = Joined { reader: Reader::new(reader), writer };
        if is_http2 {
            http2::serve(stream, self.service, peer, &self.limits, self.stop).await;
            return;
        }
        let after = http1::serve(stream, &*self.service, peer, &self.limits, self.stop.clone());
        match after.await {
            http1::After::Closed => {}
            http1::After::Http2(stream) => {
                http2::serve(stream, self.service, peer, &self.limits, self.stop).await;
            }
        }
    }
}
