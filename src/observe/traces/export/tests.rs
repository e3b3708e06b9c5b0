//! Tests of what a collector is sent, and of collectors that answer in every way.

use std::io::Write;
use std::sync::{Arc, Mutex};

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::base::clock::{SystemClock, Time};
use crate::observe::traces::{self, Kind, SpanCounts, Tracer};

/// What a collector received: the path, the headers, and the message.
type Received = (String, HeaderMap, Bytes);

fn settings(port: u16, protocol: Protocol) -> Settings {
    let mut token = HeaderValue::from_static("Bearer secret-of-the-collector");
    token.set_sensitive(true);
    Settings {
        protocol,
        host: "127.0.0.1".to_owned(),
        port,
        tls: None,
        authority: format!("127.0.0.1:{port}"),
        path: "/v1/traces".to_owned(),
        headers: vec![(HeaderName::from_static("authorization"), token)],
        timeout: Duration::from_secs(30),
        resource: vec![("service.name".to_owned(), "brama".to_owned())],
    }
}

fn tracer(export: Settings) -> Tracer {
    let settings = traces::Settings { propagates: true, sampling: 1.0, export: Some(export) };
    let (tracer, exporter) = Tracer::new(settings, Arc::new(SystemClock));
    tokio::spawn(exporter.unwrap().run());
    tracer
}

fn request(tracer: &Tracer) {
    let trace = tracer.begin(None, Time::from_second(1_900_000_000).unwrap()).unwrap();
    let mut span = trace.open(Kind::Client, "store get").unwrap();
    span.fail("unavailable");
    drop(span);
    trace.end("GET /tax".to_owned(), false, [("http.request.method", "GET".into())]);
}

fn counted(counts: &SpanCounts) -> (u64, u64) {
    (counts.sent.value(), counts.not_taken.value())
}

/// A collector that takes everything, over HTTP/1.1 and HTTP/2.
async fn collector() -> (u16, mpsc::UnboundedReceiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            let take = service_fn(move |request: Request<Incoming>| {
                let sender = sender.clone();
                async move { take(request, &sender).await }
            });
            let builder = auto::Builder::new(TokioExecutor::new());
            tokio::spawn(async move {
                let _ = builder.serve_connection(TokioIo::new(stream), take).await;
            });
        }
    });
    (port, receiver)
}

type Answer = http_body_util::combinators::UnsyncBoxBody<Bytes, std::convert::Infallible>;

async fn take(
    request: Request<Incoming>,
    sender: &mpsc::UnboundedSender<Received>,
) -> Result<Response<Answer>, std::convert::Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let is_call = head.headers["content-type"] == "application/grpc";
    sender.send((head.uri.path().to_owned(), head.headers, body)).unwrap();
    if !is_call {
        return Ok(Response::new(Full::default().boxed_unsync()));
    }
    let mut trailer = HeaderMap::new();
    trailer.insert("grpc-status", HeaderValue::from_static("0"));
    let frames = [Frame::data(Bytes::from_static(b"\0\0\0\0\0")), Frame::trailers(trailer)];
    let body = StreamBody::new(futures_util::stream::iter(frames.map(Ok))).boxed_unsync();
    Ok(Response::new(body))
}

#[tokio::test]
async fn a_collector_gets_what_was_done_over_either_protocol_on_one_connection() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let (port, mut received) = collector().await;
        let tracer = tracer(settings(port, protocol));
        for _ in 0..2 {
            request(&tracer);
            tracer.flush(Duration::from_secs(60)).await;
        }
        assert_eq!(counted(tracer.counts().unwrap()), (4, 0), "{protocol:?}");
        let (path, headers, mut body) = received.recv().await.unwrap();
        assert_eq!(headers["authorization"], "Bearer secret-of-the-collector");
        match protocol {
            Protocol::Http => {
                assert_eq!(path, "/v1/traces");
                assert_eq!(headers["content-type"], "application/x-protobuf");
            }
            Protocol::Grpc => {
                assert!(path.ends_with("collector.trace.v1.TraceService/Export"), "{path}");
                assert_eq!((body.get_u8(), body.get_u32() as usize), (0, body.len()));
            }
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        for said in ["service.name", "GET /tax", "store get", "error.type", "unavailable"] {
            assert!(text.contains(said), "{said}");
        }
        assert!(received.recv().await.is_some());
    }
}

/// A collector that answers every connection with these bytes, again and again or once.
async fn hostile(answer: Vec<u8>, is_endless: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 1024]).await;
                while stream.write_all(&answer).await.is_ok() && is_endless {}
                // The connection stays, and nothing more comes.
                let _ = stream.read_to_end(&mut Vec::new()).await;
            });
        }
    });
    port
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Kept {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// Sends the spans of three requests, one after the other, and returns what is counted and logged.
async fn tried(settings: Settings) -> ((u64, u64), String) {
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt().with_writer(kept.clone()).finish();
    let _here = tracing::subscriber::set_default(subscriber);
    let tracer = tracer(settings);
    for _ in 0..3 {
        request(&tracer);
        tracer.flush(Duration::from_secs(60)).await;
    }
    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    (counted(tracer.counts().unwrap()), log)
}

#[tokio::test]
async fn a_collector_that_is_away_slow_or_hostile_is_told_once_and_spans_are_lost() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let head = format!("{ok}x-a: {}\r\n", "a".repeat(100_000));
    let fields = format!("{ok}{}", "a: b\r\n".repeat(1000));
    let body = format!("{ok}Transfer-Encoding: chunked\r\n\r\n{}", "4\r\nabcd\r\n".repeat(20_000));
    for (protocol, answer, is_endless, told) in [
        (Protocol::Http, String::new(), false, "does not answer within"),
        (Protocol::Http, "nonsense\r\n\r\n".to_owned(), false, "the connection to it failed"),
        (Protocol::Http, head, false, "the connection to it failed"),
        (Protocol::Http, fields, true, "the connection to it failed"),
        (Protocol::Http, body, true, "its answer is longer than"),
        (
            Protocol::Http,
            format!("{ok}Content-Length: 9\r\n\r\nab"),
            false,
            "does not answer within",
        ),
        (Protocol::Http, "HTTP/1.1 100 Continue\r\n\r\n".to_owned(), true, ""),
        (
            Protocol::Http,
            "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n".to_owned(),
            false,
            "HTTP status 401",
        ),
        (
            Protocol::Http,
            "HTTP/1.1 301 Go\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n"
                .to_owned(),
            false,
            "HTTP status 301",
        ),
        (Protocol::Grpc, String::new(), false, "does not answer within"),
        (Protocol::Grpc, "HTTP/1.1 200 OK\r\n\r\n".to_owned(), true, "the connection to it failed"),
    ] {
        let port = hostile(answer.clone().into_bytes(), is_endless).await;
        // A machine with much to do takes its time, too.
        let is_silent = told.is_empty() || told.starts_with("does not");
        let timeout = Duration::from_millis(if is_silent { 300 } else { 30_000 });
        let ((sent, lost), log) = tried(Settings { timeout, ..settings(port, protocol) }).await;
        let answer: String = answer.chars().take(60).collect();
        assert_eq!((sent, lost), (0, 6), "{answer}");
        assert_eq!(log.matches("does not take spans").count(), 1, "{answer}: {log}");
        assert!(log.contains(told), "{answer}: {log}");
        assert!(!log.contains("secret-of-the-collector"), "{log}");
    }
    // Nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let (counts, log) = tried(settings(port, Protocol::Grpc)).await;
    assert_eq!(counts, (0, 6));
    assert!(log.contains("it cannot be reached"), "{log}");
}

#[tokio::test]
async fn a_collector_with_a_certificate_of_another_authority_gets_nothing_and_is_told() {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let mut config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            });
        }
    });
    for (authority, protocol, told) in [
        (&own, Protocol::Http, None),
        (&other, Protocol::Http, Some("invalid peer certificate")),
        (&own, Protocol::Grpc, Some("")),
    ] {
        let mut roots = RootCertStore::empty();
        roots.add(authority.cert.der().clone()).unwrap();
        let tls = rustls::ClientConfig::builder().with_root_certificates(roots);
        let name = ServerName::try_from("localhost").unwrap();
        let tls = Some((tls.with_no_client_auth(), name));
        let (counts, log) = tried(Settings { tls, ..settings(port, protocol) }).await;
        match told {
            None => assert_eq!((counts, log.as_str()), ((6, 0), "")),
            Some(told) => {
                assert_eq!(counts, (0, 6));
                assert!(log.contains(told) && log.contains("does not take spans"), "{log}");
            }
        }
    }
}

#[tokio::test]
async fn an_end_waits_for_the_collector_but_not_for_ever() {
    let port = hostile(Vec::new(), false).await;
    let slow = Settings { timeout: Duration::from_secs(60), ..settings(port, Protocol::Http) };
    let tracer = tracer(slow);
    request(&tracer);
    let began = std::time::Instant::now();
    tracer.flush(Duration::from_millis(200)).await;
    assert!(began.elapsed() < Duration::from_secs(10));
}
