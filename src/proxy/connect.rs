//! A new connection to a server of an upstream: TCP or a Unix socket, with TLS where it is asked
//! for.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::connection::Connection;
use super::error::Error;
use crate::wire::stream::{ReadHalf, Stream, WriteHalf};

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
        Ok(Ok((reader, writer))) => Ok(Connection::new(reader, writer)),
        Ok(Err(error)) => Err(Error::Connect(error)),
        Err(_) => Err(Error::Connect(io::ErrorKind::TimedOut.into())),
    }
}

async fn stream(endpoint: &Endpoint, tls: Option<&Tls>) -> io::Result<(ReadHalf, WriteHalf)> {
    let stream = match endpoint {
        Endpoint::Unix(path) => Stream::Unix(UnixStream::connect(path).await?),
        Endpoint::Tcp(host, port) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            Stream::Tcp(stream)
        }
    };
    let Some(tls) = tls else { return Ok(stream.split()) };
    let connector = TlsConnector::from(Arc::clone(&tls.config));
    Ok(Stream::split_any(connector.connect(tls.name.clone(), stream).await?))
}
