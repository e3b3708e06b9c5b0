//! One request on a connection of its own: nothing is shared between steps but cookies.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use super::error::Error;
use super::settings::{Settings, Way};
use crate::base::body;
use crate::base::foreign::Foreign;

/// The status, the headers and the body of an answer.
pub(super) type Answer = (StatusCode, HeaderMap, Bytes);

/// Sends a request and reads the answer whole, within the patience of the settings.
pub(super) async fn send(
    settings: &Settings,
    url: &Url,
    mut request: Request<Full<Bytes>>,
) -> Result<Answer, Error> {
    if let Some(reach) = settings.reach(url)
        && let Way::Behind(headers) = &reach.way
    {
        // What the caller says goes before what the proxy in front would.
        for (name, value) in headers {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    let patience = settings.bounds.patience;
    match tokio::time::timeout(patience, Box::pin(exchange(settings, url, request))).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::TimedOut(patience)),
    }
}

async fn exchange(
    settings: &Settings,
    url: &Url,
    request: Request<Full<Bytes>>,
) -> Result<Answer, Error> {
    let named = |url: &Url| Foreign::new(&authority(url));
    let reach = settings.reach(url);
    let address = match reach {
        Some(reach) => reach.address,
        None if settings.is_confined => {
            return Err(Error::NotFound { host: named(url), source: None });
        }
        None => look_up(url).await?,
    };
    let stream = TcpStream::connect(address)
        .await
        .map_err(|source| Error::Unreachable { host: named(url), source })?;
    let is_behind = reach.is_some_and(|reach| matches!(reach.way, Way::Behind(_)));
    if url.scheme() != "https" || is_behind {
        return converse(settings, stream, request).await;
    }
    let tls = |source| Error::Tls { host: named(url), source };
    let no_tls = || tls(std::io::Error::other("no authorities are trusted"));
    let config = settings.tls.as_ref().ok_or_else(no_tls)?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let name =
        ServerName::try_from(host.to_owned()).map_err(|error| tls(std::io::Error::other(error)))?;
    let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await.map_err(tls)?;
    converse(settings, stream, request).await
}

async fn converse<S>(
    settings: &Settings,
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<Answer, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(Error::Http)?;
    // What is wrong with the connection, the request is told as well.
    let connection = tokio::spawn(async move { drop(connection.await) });
    let answer = async {
        let (head, body) = sender.send_request(request).await.map_err(Error::Http)?.into_parts();
        let body = body::read(body, settings.bounds.body).await.map_err(Error::Body)?;
        Ok((head.status, head.headers, body))
    };
    let answer = answer.await;
    connection.abort();
    answer
}

async fn look_up(url: &Url) -> Result<SocketAddr, Error> {
    let host = || Foreign::new(&authority(url));
    let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or_default();
    let found = tokio::net::lookup_host((name, port)).await;
    let mut found =
        found.map_err(|source| Error::NotFound { host: host(), source: Some(source) })?;
    found.next().ok_or_else(|| Error::NotFound { host: host(), source: None })
}

/// The `Host` of an address: the port only where it is not that of the scheme.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
