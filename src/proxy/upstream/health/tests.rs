//! Checks against servers that are there.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use http::Response;
use hyper::service::service_fn;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio_rustls::TlsAcceptor;

use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::super::settings::{Protocol, ServerAddress, Settings, Tls};
use super::super::status::State;
use super::super::testing::{states, until};
use super::*;

/// What a server answers with, and what it was asked.
#[derive(Default)]
struct Portal {
    /// The status; zero is to be silent.
    status: AtomicU16,
    questions: AtomicUsize,
    asked: Mutex<String>,
    /// What was agreed to in TLS.
    agreed: Mutex<Option<Vec<u8>>>,
}

impl Portal {
    fn answering(status: u16) -> Arc<Self> {
        Arc::new(Self { status: status.into(), ..Self::default() })
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    async fn serve(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        spoken: Spoken,
    ) {
        let service = service_fn(|request: Request<hyper::body::Incoming>| {
            self.questions.fetch_add(1, Ordering::SeqCst);
            let host = request.headers().get(HOST).map(|host| host.to_str().unwrap());
            let host = host.unwrap_or_else(|| request.uri().authority().unwrap().as_str());
            let path = request.uri().path_and_query().unwrap();
            *self.asked.lock().unwrap() = format!("{:?} {host} {path}", request.version());
            let status = self.status.load(Ordering::SeqCst);
            async move {
                if status == 0 {
                    std::future::pending::<()>().await;
                }
                let answer = Response::builder().status(status).body(Empty::<Bytes>::new());
                Ok::<_, Infallible>(answer.unwrap())
            }
        });
        let stream = TokioIo::new(stream);
        let _ = match spoken {
            Spoken::Http1 => {
                hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await
            }
            Spoken::Http2 => {
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(stream, service)
                    .await
            }
        };
    }

    async fn listen(self: &Arc<Self>, spoken: Spoken, tls: Option<TlsAcceptor>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let portal = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (portal, tls) = (Arc::clone(&portal), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => portal.serve(stream, spoken).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                let agreed = stream.get_ref().1.alpn_protocol();
                                *portal.agreed.lock().unwrap() = agreed.map(<[u8]>::to_vec);
                                portal.serve(stream, spoken).await;
                            }
                        }
                    }
                });
            }
        });
        address
    }
}

fn check() -> HealthCheck {
    HealthCheck {
        path: "/health?full=1".to_owned(),
        host: None,
        interval: Duration::from_millis(5),
        timeout: Duration::from_secs(5),
        healthy: 2,
        unhealthy: 3,
        statuses: Vec::new(),
    }
}

fn settings(address: ServerAddress) -> Settings {
    let mut settings = Settings::new("portal", vec![address.into()]);
    settings.health = Some(check());
    settings.slow_start = Duration::from_secs(3600);
    settings
}

fn group(settings: Settings) -> Arc<Group> {
    Group::new(settings, std::time::Instant::now())
}

fn is(state: State) -> impl Fn(&Group) -> bool {
    move |group| states(group, std::time::Instant::now())[0].1 == state
}

/// Asks once, as the first question ever.
async fn asked(settings: Settings) -> Result<(), Sick> {
    let group = group(settings);
    let set = group.set();
    let check = group.settings().health.clone().unwrap();
    timeout(check.timeout, ask(&group, &set.entries[0].server, &check))
        .await
        .unwrap_or(Err(Sick::Slow(check.timeout)))
}

#[tokio::test]
async fn a_server_goes_down_and_comes_back_as_it_answers() {
    let portal = Portal::answering(200);
    let address = portal.listen(Spoken::Http1, None).await;
    let group = group(settings(ServerAddress::Socket(address)));
    let watched = async {
        // It is well as long as nothing else is known, and after good answers.
        assert!(is(State::Up)(&group));
        while portal.questions.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
        assert!(is(State::Up)(&group));
        portal.answers(503);
        until(&group, is(State::Down)).await;
        assert!(group.choose(None, std::time::Instant::now()).is_err());
        portal.answers(204);
        until(&group, is(State::Starting)).await;
        assert!(group.choose(None, std::time::Instant::now()).is_ok());
    };
    tokio::select! {
        () = keep_asking(Arc::downgrade(&group)) => panic!("somebody holds it"),
        () = watched => {}
    }
    let asked = portal.asked.lock().unwrap().clone();
    assert_eq!(asked, format!("HTTP/1.1 {address} /health?full=1"));
}

#[test]
fn it_takes_a_row_of_answers_to_change_a_server() {
    let check = check();
    let mut row = Row { was_well: true, ..Row::default() };
    for good in [false, false, true, false, false] {
        let turn = if good { row.good(&check) } else { row.bad(&check) };
        assert_eq!(turn, Turn::Nothing);
    }
    assert_eq!(row.bad(&check), Turn::Down);
    assert_eq!(row.bad(&check), Turn::Nothing);
    assert_eq!(row.good(&check), Turn::Nothing);
    assert_eq!(row.bad(&check), Turn::Nothing);
    assert_eq!(row.good(&check), Turn::Nothing);
    assert_eq!(row.good(&check), Turn::Up);
    assert_eq!(row.good(&check), Turn::Nothing);
}

#[test]
fn one_bad_answer_is_enough_for_a_server_that_never_was_well() {
    assert_eq!(Row::default().bad(&check()), Turn::Down);
    let mut row = Row::default();
    row.good(&check());
    assert_eq!(row.bad(&check()), Turn::Nothing);
}

#[tokio::test]
async fn only_the_expected_statuses_are_good() {
    let portal = Portal::answering(401);
    let address = portal.listen(Spoken::Http1, None).await;
    let mut settings = settings(ServerAddress::Socket(address));
    assert!(matches!(asked(settings.clone()).await, Err(Sick::Status(StatusCode::UNAUTHORIZED))));
    settings.health.as_mut().unwrap().statuses = vec![StatusCode::UNAUTHORIZED];
    asked(settings.clone()).await.unwrap();
    portal.answers(200);
    assert!(matches!(asked(settings).await, Err(Sick::Status(StatusCode::OK))));
}

#[tokio::test]
async fn a_server_that_is_silent_or_away_is_not_well() {
    let portal = Portal::answering(0);
    let address = portal.listen(Spoken::Http1, None).await;
    let mut silent = settings(ServerAddress::Socket(address));
    silent.health.as_mut().unwrap().timeout = Duration::from_millis(20);
    // On a busy machine the time may be over before there is a connection.
    let slow = asked(silent).await;
    let is_slow = matches!(slow, Err(Sick::Slow(_) | Sick::Unreachable(DialError::Slow(_))));
    assert!(is_slow, "{slow:?}");

    let away = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let away = asked(settings(ServerAddress::Socket(away))).await;
    assert!(matches!(away, Err(Sick::Unreachable(DialError::Io(_)))), "{away:?}");

    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = mute.local_addr().unwrap();
    let hangs_up = tokio::spawn(async move { drop(mute.accept().await) });
    let broken = asked(settings(ServerAddress::Socket(address))).await;
    assert!(matches!(broken, Err(Sick::Broken(_))), "{broken:?}");
    hangs_up.await.unwrap();
}

#[tokio::test]
async fn asks_with_the_host_that_is_set() {
    let portal = Portal::answering(200);
    let address = portal.listen(Spoken::Http1, None).await;
    let mut settings = settings(ServerAddress::Socket(address));
    settings.health.as_mut().unwrap().host = Some(HeaderValue::from_static("portal.example"));
    asked(settings).await.unwrap();
    assert_eq!(*portal.asked.lock().unwrap(), "HTTP/1.1 portal.example /health?full=1");
}

#[tokio::test]
async fn asks_in_http2_without_tls_when_told_to() {
    let portal = Portal::answering(200);
    let address = portal.listen(Spoken::Http2, None).await;
    let mut settings = settings(ServerAddress::Socket(address));
    settings.protocol = Protocol::Http2;
    asked(settings.clone()).await.unwrap();
    assert_eq!(*portal.asked.lock().unwrap(), format!("HTTP/2.0 {address} /health?full=1"));
    settings.protocol = Protocol::Http1;
    assert!(asked(settings).await.is_err());
}

#[tokio::test]
async fn asks_over_a_socket_in_the_file_system() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let portal = Portal::answering(200);
    let served = Arc::clone(&portal);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        served.serve(stream, Spoken::Http1).await;
    });
    asked(settings(ServerAddress::Unix(path))).await.unwrap();
    assert_eq!(*portal.asked.lock().unwrap(), "HTTP/1.1 localhost /health?full=1");
    assert!(asked(settings(ServerAddress::Unix(folder.path().join("other")))).await.is_err());
}

/// A server certificate for this name, and what trusts it.
fn certified(name: &str, server_alpn: Protocol) -> (TlsAcceptor, RootCertStore) {
    let pair = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![pair.cert.der().clone()],
            PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = server_alpn.alpn();
    let mut roots = RootCertStore::empty();
    roots.add(pair.cert.der().clone()).unwrap();
    (TlsAcceptor::from(Arc::new(config)), roots)
}

fn trusting(roots: RootCertStore, protocol: Protocol, name: Option<&'static str>) -> Tls {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocol.alpn();
    let server_name = name.map(|name| ServerName::try_from(name).unwrap());
    Tls { config: Arc::new(config), server_name, made_from: [0; 32] }
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_for_the_right_name() {
    let (acceptor, roots) = certified("portal.example", Protocol::Http1);
    let portal = Portal::answering(200);
    let address = portal.listen(Spoken::Http1, Some(acceptor)).await;
    let mut settings = settings(ServerAddress::Socket(address));
    let tls = |roots, name| Some(trusting(roots, Protocol::Http1, name));

    settings.tls = tls(roots.clone(), Some("portal.example"));
    asked(settings.clone()).await.unwrap();
    // Without a name of its own it is the address that the certificate must be for.
    for (roots, name) in [
        (roots.clone(), None),
        (roots, Some("other.example")),
        (RootCertStore::empty(), Some("portal.example")),
    ] {
        settings.tls = tls(roots, name);
        let refused = asked(settings.clone()).await;
        assert!(matches!(refused, Err(Sick::Unreachable(DialError::Io(_)))), "{refused:?}");
    }
}

#[tokio::test]
async fn tls_agrees_on_the_http_that_is_spoken() {
    for (offered, wanted, spoken) in [
        (Protocol::Auto, Protocol::Auto, Some(Spoken::Http2)),
        (Protocol::Auto, Protocol::Http1, Some(Spoken::Http1)),
        (Protocol::Http1, Protocol::Auto, Some(Spoken::Http1)),
        (Protocol::Http2, Protocol::Http2, Some(Spoken::Http2)),
        (Protocol::Http1, Protocol::Http2, None),
    ] {
        let (acceptor, roots) = certified("portal.example", offered);
        let portal = Portal::answering(200);
        let address = portal.listen(spoken.unwrap_or(Spoken::Http1), Some(acceptor)).await;
        let mut settings = settings(ServerAddress::Socket(address));
        settings.protocol = wanted;
        settings.tls = Some(trusting(roots, wanted, Some("portal.example")));
        let answer = asked(settings).await;
        assert_eq!(answer.is_ok(), spoken.is_some(), "{offered:?} {wanted:?} {answer:?}");
    }
}

#[tokio::test]
async fn what_is_spoken_is_agreed_to_whatever_the_settings_of_tls_offer() {
    for (protocol, spoken, agreed) in
        [(Protocol::Http1, Spoken::Http1, "http/1.1"), (Protocol::Auto, Spoken::Http2, "h2")]
    {
        let (acceptor, roots) = certified("portal.example", Protocol::Auto);
        let portal = Portal::answering(200);
        let address = portal.listen(spoken, Some(acceptor)).await;
        let mut settings = settings(ServerAddress::Socket(address));
        settings.protocol = protocol;
        settings.tls = Some(trusting(roots, Protocol::Auto, Some("portal.example")));
        asked(settings).await.unwrap();
        assert_eq!(portal.agreed.lock().unwrap().as_deref(), Some(agreed.as_bytes()));
    }
}

#[test]
fn a_question_says_who_asks_and_whether_it_comes_over_tls() {
    let host = HeaderValue::from_static("portal.example");
    let head = String::from_utf8(to_http1("/health", &host).head.to_vec()).unwrap();
    assert!(head.to_lowercase().contains("\r\nuser-agent: brama-health-check\r\n"), "{head}");
    for (is_tls, expected) in [(true, "https"), (false, "http")] {
        let request = to_http2("/health", &host, is_tls).unwrap();
        assert_eq!(request.uri().scheme_str(), Some(expected));
    }
}

#[test]
fn an_answer_that_did_not_come_in_time_is_told_from_one_that_is_none() {
    let time = Duration::from_secs(2);
    assert!(matches!(Sick::from(Error::Slow(time)), Sick::Slow(found) if found == time));
    assert!(matches!(Sick::from(Error::NoUpgrade), Sick::Broken(Error::NoUpgrade)));
}

#[tokio::test(start_paused = true)]
async fn servers_are_asked_now_and_then_and_a_group_is_not_held_in_between() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let asked = || std::iter::from_fn(|| listener.accept().ok()).count();
    let mut settings = settings(ServerAddress::Socket(listener.local_addr().unwrap()));
    let (interval, pause) = (Duration::from_secs(3600), Duration::from_secs(10));
    settings.health.as_mut().unwrap().interval = interval;
    let group = group(settings);
    let asking = tokio::spawn(keep_asking(Arc::downgrade(&group)));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(asked(), 0, "not all of them begin at once");
    sleep(interval * 10).await;
    let rounds = asked();
    assert!((8..=13).contains(&rounds), "{rounds}");
    let kept = Arc::downgrade(&group);
    drop(group);
    // A round may have begun.
    sleep(pause).await;
    assert!(kept.upgrade().is_none());
    asking.await.unwrap();
}

#[tokio::test]
async fn nobody_asks_for_a_group_that_is_gone() {
    let group = group(settings(ServerAddress::Socket(SocketAddr::from(([127, 0, 0, 1], 9)))));
    let kept = Arc::downgrade(&group);
    drop(group);
    keep_asking(kept).await;
}
