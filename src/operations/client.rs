//! Asks the operations listener of a gateway, for the commands that need it.
//!
//! 1. One connection for each question, bounded in time and in bytes; over TLS where the configuration
//!    has a certificate for the listener, which is the only one that is taken.
//! 2. A problem is told as the gateway tells it: what happened, and what to do ([`super::problem`]).

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::address::reachable;
use super::probes::ASKS;
use crate::base::body;
use crate::base::causes::in_one_line;
use crate::base::secret::Secret;
use crate::server::tls;

/// Asks the operations listener of one gateway.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    token: Option<HeaderValue>,
    time: Duration,
    most: usize,
}

/// What a gateway answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// It took longer than this.
    Slow(Duration),
    /// There is no connection, or it broke.
    Broken(String),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slow(time) => write!(f, "no answer within {time:?}"),
            Self::Broken(what) => f.write_str(what),
        }
    }
}

impl Client {
    /// Asks what listens there, each question within [`PATIENCE`] and without a token.
    #[must_use]
    pub fn new(listens: SocketAddr) -> Self {
        Self { address: reachable(listens), tls: None, token: None, time: PATIENCE, most: MOST }
    }

    /// Speaks TLS with whoever has the first certificate of this file, and with nobody else. Without a
    /// file, it is plain HTTP.
    ///
    /// # Errors
    /// When there is no certificate in the file.
    pub fn pinned(self, file: Option<&Path>) -> Result<Self, String> {
        let Some(file) = file else { return Ok(self) };
        let shown = file.display();
        let pem = std::fs::read(file).map_err(|error| format!("{shown}: {error}"))?;
        let config = tls::pinned(&pem).map_err(|error| format!("{shown}: {error}"))?;
        Ok(Self { tls: Some(Arc::new(config)), ..self })
    }

    /// Returns the URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    /// Asks with the token of an operator. One that no header may have is none.
    #[must_use]
    pub fn with_token(self, token: &Secret<Vec<u8>>) -> Self {
        let value = Secret::new([b"Bearer ".as_slice(), token.expose()].concat());
        let mut token = HeaderValue::from_bytes(value.expose()).ok();
        if let Some(token) = &mut token {
            token.set_sensitive(true);
        }
        Self { token, ..self }
    }

    /// Gives each answer so much time.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Returns where it asks.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks.
    ///
    /// # Errors
    /// When there is no answer, or it is longer than [`MOST`].
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, NoAnswer> {
        let asked = timeout(self.time, self.exchange(method, path, body)).await;
        asked.unwrap_or(Err(NoAnswer::Slow(self.time)))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, NoAnswer> {
        let broken = |error: std::io::Error| NoAnswer::Broken(error.to_string());
        let stream = TcpStream::connect(self.address).await.map_err(broken)?;
        let request = self.request(method, path, body)?;
        match &self.tls {
            None => self.send(stream, request).await,
            Some(config) => {
                // The certificate is known, whatever it is called.
                let name = ServerName::from(self.address.ip());
                let connector = TlsConnector::from(Arc::clone(config));
                let stream = connector.connect(name, stream).await.map_err(broken)?;
                self.send(stream, request).await
            }
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Request<Full<Bytes>>, NoAnswer> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(HOST, self.address.to_string()).header(ASKS, "1");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let request = request.body(Full::new(body));
        request.map_err(|error| NoAnswer::Broken(error.to_string()))
    }

    async fn send<S>(&self, stream: S, request: Request<Full<Bytes>>) -> Result<Answer, NoAnswer>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        let answer = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let status = answer.status();
        let body = body::read(answer.into_body(), self.most).await;
        Ok(Answer { status, body: body.map_err(|error| NoAnswer::Broken(in_one_line(&error)))? })
    }
}

impl Answer {
    /// Returns the body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns the status, and the code of a problem where there is one.
    #[must_use]
    pub fn told(&self) -> String {
        let value = self.json();
        let code = value.get("code").and_then(Value::as_str);
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        match code.filter(|code| code.len() < 100 && code.bytes().all(is_plain)) {
            Some(code) => format!("HTTP {} ({code})", self.status.as_u16()),
            None => format!("HTTP {}", self.status.as_u16()),
        }
    }

    /// Returns the body of a good answer.
    ///
    /// # Errors
    /// Why it is none: the status, what happened, and what to do.
    pub fn good(&self) -> Result<Value, String> {
        let value = self.json();
        if self.status.is_success() {
            return Ok(value);
        }
        let said = |name: &str| value.get(name).and_then(Value::as_str);
        let detail = said("detail").unwrap_or("it says no");
        Err(match said("advice") {
            Some(advice) => format!("{}: {detail}: {advice}", self.status),
            None => format!("{}: {detail}", self.status),
        })
    }
}

fn broken(error: &hyper::Error) -> NoAnswer {
    NoAnswer::Broken(in_one_line(error))
}

/// How long an answer may take, unless something else is said.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// The most bytes of an answer.
pub const MOST: usize = 8 * 1024 * 1024;
