//! The connection to the collector: made when it is needed, kept while it works, and bounded in what
//! the other side may send.

use std::io;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HOST, TE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::answer::Outcome;
use super::{Protocol, Settings};
use crate::base::causes::in_one_line;

/// The most bytes of an answer's body that are read.
const LONGEST_ANSWER: usize = 64 * 1024;
/// The most bytes of an answer's head: as little as hyper can be told.
const LONGEST_HEAD: usize = 8 * 1024;

/// Where OTLP over gRPC is served.
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Why a batch was not sent, or not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// No connection, or it broke.
    #[error("it cannot be reached: {0}")]
    Io(#[from] io::Error),
    /// HTTP failed.
    #[error("the connection to it failed: {}", in_one_line(.0))]
    Http(#[from] hyper::Error),
    /// It does not agree to HTTP/2, which gRPC needs.
    #[error("it does not speak HTTP/2")]
    NotHttp2,
    /// It answers without end.
    #[error("its answer is longer than {LONGEST_ANSWER} bytes")]
    TooLong,
    /// The request cannot be made.
    #[error("a request cannot be made: {0}")]
    Request(#[from] http::Error),
}

/// The connection that there is, if there is one.
pub(super) struct Connection {
    sender: Option<Sender>,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>, #[expect(dead_code, reason = "held")] Driver),
    Http2(http2::SendRequest<Full<Bytes>>, #[expect(dead_code, reason = "held")] Driver),
}

type Driver = AbortOnDropHandle<()>;

impl Connection {
    pub(super) fn none() -> Self {
        Self { sender: None }
    }

    /// Ends it.
    pub(super) fn drop(&mut self) {
        self.sender = None;
    }

    /// Sends a batch and reads what is answered. When that fails the connection is no more.
    pub(super) async fn send(
        &mut self,
        settings: &Settings,
        batch: Bytes,
    ) -> Result<Outcome, Error> {
        let mut sender = match self.sender.take() {
            Some(sender) if sender.is_open() => sender,
            _ => connect(settings).await?,
        };
        let request = request(settings, batch)?;
        let answer = match &mut sender {
            Sender::Http1(sender, _) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Sender::Http2(sender, _) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let (head, body, trailer) = read(answer).await?;
        self.sender = Some(sender);
        Ok(match settings.protocol {
            Protocol::Http => Outcome::of_http(head.status, &head.headers, &body),
            Protocol::Grpc => Outcome::of_grpc(head.status, &head.headers, &body, trailer.as_ref()),
        })
    }
}

impl Sender {
    fn is_open(&self) -> bool {
        match self {
            Self::Http1(sender, _) => !sender.is_closed(),
            Self::Http2(sender, _) => !sender.is_closed(),
        }
    }
}

fn request(settings: &Settings, batch: Bytes) -> Result<Request<Full<Bytes>>, http::Error> {
    let request = Request::builder().method(Method::POST);
    let mut request = match settings.protocol {
        Protocol::Http => request
            .uri(&settings.path)
            .header(HOST, &settings.authority)
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(Full::from(batch)),
        Protocol::Grpc => {
            let scheme = if settings.tls.is_some() { "https" } else { "http" };
            request
                .uri(format!("{scheme}://{}{EXPORT}", settings.authority))
                .header(CONTENT_TYPE, "application/grpc")
                .header(TE, "trailers")
                .body(Full::from(framed(&batch)))
        }
    }?;
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(PROGRAM));
    for (name, value) in &settings.headers {
        headers.insert(name, value.clone());
    }
    Ok(request)
}

const PROGRAM: &str = concat!("brama/", env!("CARGO_PKG_VERSION"));

/// A message as it stands in a call: not compressed, and its length.
fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(0);
    // Batches are far shorter than four bytes can say.
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

async fn read(
    answer: Response<Incoming>,
) -> Result<(http::response::Parts, Vec<u8>, Option<HeaderMap>), Error> {
    let (head, mut body) = answer.into_parts();
    let (mut bytes, mut trailer) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        match frame?.into_data() {
            Ok(data) if bytes.len() + data.len() > LONGEST_ANSWER => return Err(Error::TooLong),
            Ok(data) => bytes.extend_from_slice(&data),
            Err(frame) => trailer = frame.into_trailers().ok(),
        }
    }
    Ok((head, bytes, trailer))
}

async fn connect(settings: &Settings) -> Result<Sender, Error> {
    let plain = TcpStream::connect((&*settings.host, settings.port)).await?;
    plain.set_nodelay(true)?;
    let Some((config, name)) = &settings.tls else {
        return handshake(plain, settings.protocol).await;
    };
    let mut config = config.clone();
    config.alpn_protocols = match settings.protocol {
        Protocol::Http => vec![b"http/1.1".to_vec()],
        Protocol::Grpc => vec![b"h2".to_vec()],
    };
    let stream = TlsConnector::from(Arc::new(config)).connect(name.clone(), plain).await?;
    if settings.protocol == Protocol::Grpc && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err(Error::NotHttp2);
    }
    handshake(stream, settings.protocol).await
}

async fn handshake<S>(stream: S, protocol: Protocol) -> Result<Sender, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = TokioIo::new(stream);
    // What ends a connection is told by the request that needed it.
    match protocol {
        Protocol::Http => {
            let mut builder = http1::Builder::new();
            builder.max_buf_size(LONGEST_HEAD);
            let (sender, connection) = builder.handshake(stream).await?;
            let driver = tokio::spawn(async move { drop(connection.await) });
            Ok(Sender::Http1(sender, AbortOnDropHandle::new(driver)))
        }
        Protocol::Grpc => {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            // Of an answer no more is taken into memory than is read.
            builder
                .max_header_list_size(8 * 1024)
                .initial_stream_window_size(128 * 1024)
                .initial_connection_window_size(128 * 1024);
            let (sender, connection) = builder.handshake(stream).await?;
            let driver = tokio::spawn(async move { drop(connection.await) });
            Ok(Sender::Http2(sender, AbortOnDropHandle::new(driver)))
        }
    }
}
