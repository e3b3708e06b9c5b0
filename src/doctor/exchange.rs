//! One question over HTTP/1.1 on a connection of its own, bounded in time and size.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::tls;

/// The most bytes of an answer that are read.
pub(super) const MOST: usize = 256 * 1024;

/// An answer, read as far as [`MOST`].
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there is none.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// It took too long.
    Slow(Duration),
    /// The other side ended TLS, which says why.
    Tls(rustls::Error),
    /// Anything else.
    Broken(String),
}

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Slow(time) => write!(f, "no answer within {time:?}"),
            Self::Tls(error) => write!(f, "TLS: {error}"),
            Self::Broken(what) => f.write_str(what),
        }
    }
}

impl Answer {
    /// Returns the text of a header, when it is there.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the reason code of an answer of a gateway, such as `request.no_route`.
    pub(super) fn code(&self) -> Option<String> {
        let value: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        let code = value.get("error")?.as_str()?;
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_');
        (code.len() < 100 && code.bytes().all(is_plain)).then(|| code.to_owned())
    }

    /// Returns the status, and the reason code when there is one.
    pub(super) fn told(&self) -> String {
        match self.code() {
            Some(code) => format!("HTTP {} ({code})", self.status.as_u16()),
            None => format!("HTTP {}", self.status.as_u16()),
        }
    }
}

/// Asks on a connection, which ends with the answer.
pub(super) async fn ask<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    time: Duration,
) -> Result<Answer, NoAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    timeout(time, exchange(stream, request)).await.unwrap_or(Err(NoAnswer::Slow(time)))
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, NoAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let connection = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(connection));
    let answer = match sender.send_request(request).await {
        Ok(answer) => answer,
        Err(error) => {
            // What ended the connection says more than that it ended.
            let cause = match connection.await {
                Ok(Err(cause)) => broken(&cause),
                _ => broken(&error),
            };
            return Err(cause);
        }
    };
    let (parts, mut body) = answer.into_parts();
    let mut read = BytesMut::new();
    while read.len() < MOST
        && let Some(frame) = body.frame().await
    {
        // A body that breaks off says what it says.
        let Ok(frame) = frame else { break };
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data[..data.len().min(MOST - read.len())]);
        }
    }
    Ok(Answer { status: parts.status, headers: parts.headers, body: read.freeze() })
}

fn broken(error: &hyper::Error) -> NoAnswer {
    match tls::cause(error) {
        Some(cause) => NoAnswer::Tls(cause.clone()),
        None => NoAnswer::Broken(crate::base::causes::in_one_line(error)),
    }
}
