//! A new connection to a server of an upstream: TCP or a Unix socket, with TLS where it is asked
//! for.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::{TlsConnector, TlsStream};

use super::connection::Connection;
use super::error::Error;
use crate::wire::stream::Stream;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Endpoint {
    /// Host and port.
    Tcp(String, u16),
    /// A socket file.
    Unix(PathBuf),
}

/// How TLS is spoken to a server.
#[derive(Clone)]
pub(super) struct Tls {
    /// What is trusted and what is shown.
    pub config: Arc<rustls::ClientConfig>,
    /// The name that the server's certificate must have.
    pub name: ServerName<'static>,
}

/// Connects within a time, TLS included.
pub(super) async fn connect(
    endpoint: &Endpoint,
    tls: Option<&Tls>,
    time: Duration,
) -> Result<Connection, Error> {
    match tokio::time::timeout(time, stream(endpoint, tls)).await {
        Ok(Ok(stream)) => Ok(Connection::new(stream)),
        Ok(Err(error)) => Err(Error::Connect(error)),
        Err(_) => Err(Error::Connect(io::ErrorKind::TimedOut.into())),
    }
}

async fn stream(endpoint: &Endpoint, tls: Option<&Tls>) -> io::Result<Stream> {
    let stream = match endpoint {
        Endpoint::Unix(path) => return Ok(Stream::Unix(UnixStream::connect(path).await?)),
        Endpoint::Tcp(host, port) => TcpStream::connect((host.as_str(), *port)).await?,
    };
    stream.set_nodelay(true)?;
    let Some(tls) = tls else { return Ok(Stream::Tcp(stream)) };
    let connector = TlsConnector::from(Arc::clone(&tls.config));
    let stream = connector.connect(tls.name.clone(), stream).await?;
    Ok(Stream::Tls(Box::new(TlsStream::Client(stream))))
}
