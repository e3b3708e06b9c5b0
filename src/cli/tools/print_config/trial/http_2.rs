//! The handshake of a WebSocket over HTTP/2: an extended `CONNECT` (RFC 8441).

use std::io;
use std::sync::Arc;

use h2::ext::Protocol;
use h2::{Ping, PingPong};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::client::{Client, Heard, PATIENCE};

/// Makes a handshake at a path, with these fields. `None` when the other side does not speak that.
///
/// # Errors
/// When nobody is there, or no answer comes.
pub(super) fn handshake(client: &Client, target: &str, fields: &str) -> io::Result<Option<Heard>> {
    let stream = client.connect()?;
    stream.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let speak = async {
        let stream = TcpStream::from_std(stream)?;
        let Some((config, name)) = &client.tls else {
            return shake(stream, client, target, fields).await;
        };
        let mut config = (**config).clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        // A server without HTTP/2 may end it here.
        let connector = TlsConnector::from(Arc::new(config));
        let Ok(stream) = connector.connect(name.clone(), stream).await else { return Ok(None) };
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => shake(stream, client, target, fields).await,
            _ => Ok(None),
        }
    };
    runtime.block_on(async { timeout(PATIENCE, speak).await })?
}

async fn shake(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    client: &Client,
    target: &str,
    fields: &str,
) -> io::Result<Option<Heard>> {
    let Ok((mut sender, mut connection)) = h2::client::handshake(stream).await else {
        return Ok(None);
    };
    let ping = connection.ping_pong();
    tokio::spawn(async move {
        // How it ends is seen by what is sent over it.
        let _ = connection.await;
    });
    // The first that comes are its settings, so they are known when it has answered.
    if !is_answered(ping).await || !sender.is_extended_connect_protocol_enabled() {
        return Ok(None);
    }
    let scheme = client.url.scheme();
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("{scheme}://{}{target}", client.authority()))
        .extension(Protocol::from_static("websocket"));
    for (name, value) in fields.lines().filter_map(|line| line.split_once(": ")) {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(io::Error::other)?;
        request = request.header(name, HeaderValue::from_str(value).map_err(io::Error::other)?);
    }
    let request = request.body(()).map_err(io::Error::other)?;
    let (response, _stream) = sender.send_request(request, false).map_err(io::Error::other)?;
    // A reset is a refusal without a word.
    Ok(Some(response.await.map_or_else(|_| Heard::default(), |response| heard(&response))))
}

async fn is_answered(ping: Option<PingPong>) -> bool {
    match ping {
        Some(mut ping) => ping.ping(Ping::opaque()).await.is_ok(),
        None => false,
    }
}

fn heard<B>(response: &Response<B>) -> Heard {
    let mut head = String::from("HTTP/2\r\n");
    for (name, value) in response.headers() {
        head.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes())));
    }
    Heard { status: response.status().as_u16(), head, text: String::new() }
}
