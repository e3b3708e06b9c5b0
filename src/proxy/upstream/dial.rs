//! Connects to a server: TCP or a socket in the file system, and TLS where the upstream has it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, TlsStream};

use super::server::Endpoint;
use super::settings::Protocol;
use crate::wire::disconnect;
use crate::wire::stream::Stream;

/// A connection that was just made.
#[derive(Debug)]
pub struct Dialled {
    /// The stream, of TCP, TLS or a unix socket.
    pub stream: Stream,
    /// What is spoken on it.
    pub spoken: Spoken,
}

/// Which HTTP is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// HTTP/1.1, one request at a time.
    Http1,
    /// HTTP/2, many requests at a time.
    Http2,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// No server listens there, or the network fails, or TLS does.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It takes too long.
    #[error("no connection within {0:?}")]
    Slow(Duration),
    /// The server does not agree to the only HTTP that it may be spoken to.
    #[error("server does not speak HTTP/2")]
    NotHttp2,
    /// A certificate could be for any server.
    #[error("server has no name that its certificate could be for; set tls_server_name")]
    Nameless,
}

/// Connects to a server within a time.
///
/// # Errors
/// When there is no connection.
pub async fn dial(
    endpoint: &Endpoint,
    tls: Option<(&Arc<ClientConfig>, Option<&ServerName<'static>>)>,
    protocol: Protocol,
    time: Duration,
) -> Result<Dialled, DialError> {
    let dialled = timeout(time, connect(endpoint, tls, protocol)).await;
    dialled.unwrap_or(Err(DialError::Slow(time)))
}

async fn connect(
    endpoint: &Endpoint,
    tls: Option<(&Arc<ClientConfig>, Option<&ServerName<'static>>)>,
    protocol: Protocol,
) -> Result<Dialled, DialError> {
    let plain = match endpoint {
        Endpoint::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            disconnect::watch(&stream)?;
            stream
        }
        Endpoint::Unix(path) => {
            let stream = Stream::Unix(UnixStream::connect(path).await?);
            return Ok(Dialled { stream, spoken: unencrypted(protocol) });
        }
    };
    let Some((config, name)) = tls else {
        return Ok(Dialled { stream: Stream::Tcp(plain), spoken: unencrypted(protocol) });
    };
    let name = name.ok_or(DialError::Nameless)?.clone();
    let mut config = Arc::clone(config);
    if config.alpn_protocols != protocol.alpn() {
        // One request is spoken otherwise than its upstream.
        Arc::make_mut(&mut config).alpn_protocols = protocol.alpn();
    }
    let stream = TlsConnector::from(config).connect(name, plain).await?;
    let spoken = match (stream.get_ref().1.alpn_protocol(), protocol) {
        (Some(b"h2"), Protocol::Http2 | Protocol::Auto) => Spoken::Http2,
        (_, Protocol::Http2) => return Err(DialError::NotHttp2),
        (_, Protocol::Http1 | Protocol::Auto) => Spoken::Http1,
    };
    Ok(Dialled { stream: Stream::Tls(Box::new(TlsStream::Client(stream))), spoken })
}

/// Without TLS there is nothing to agree by.
fn unencrypted(protocol: Protocol) -> Spoken {
    match protocol {
        Protocol::Http1 | Protocol::Auto => Spoken::Http1,
        Protocol::Http2 => Spoken::Http2,
    }
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;

    use super::*;

    #[tokio::test]
    async fn what_is_written_leaves_at_once_and_a_server_that_vanishes_is_found_out() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint::Tcp(listener.local_addr().unwrap());
        let time = Duration::from_secs(5);
        let dialled = dial(&endpoint, None, Protocol::Http1, time).await.unwrap();
        let Stream::Tcp(stream) = dialled.stream else { panic!("it is no socket of TCP") };
        assert!(stream.nodelay().unwrap() && SockRef::from(&stream).keepalive().unwrap());
    }
}
