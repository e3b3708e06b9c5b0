//! The way to the node: SOAP over TLS, one attempt, bounded in time, size and number.
//!
//! 1. The server's certificate is always verified. TLS never stands in for a signature.
//! 2. One attempt: an artifact is spent by asking, and a second attempt would only hide that.
//! 3. A connection is kept for the next exchange, but not for as long as servers keep theirs: so it
//!    is we who end it, and hardly ever does one turn out dead under a request. Where it does before
//!    anything was sent on it, the exchange gets a new one. What was sent is never sent again. It
//!    lives where the client was made, and not at the worker whose citizen came first: workers end
//!    one by one, and the others still have logins to finish.
//! 4. At most so many exchanges are under way. So many others wait for their turn, each for a
//!    moment; a citizen who comes then is turned away at once. So a slow node keeps few citizens
//!    waiting, and none of them for long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, DATE};
use http::{Method, Request, StatusCode, Uri, response};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::extensions::Extensions;
use super::node_clock::{Exchanged, NodeClock};
use super::node_tls;
use crate::base::body;
use crate::base::clock::{SharedClock, SystemClock};
use crate::base::connector::{Connector, connector};
use crate::base::reason::Reason;
use crate::observe::metrics::Count;
use crate::observe::metrics::histogram::{Histogram, OF_THE_NODE, Spread};
use crate::observe::traces::{self, Kind, Open, Value};
use crate::xml::keys::Certificate;

/// Where the node is, and how long it may take.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where artifacts are resolved.
    pub resolve_url: Uri,
    /// Where sessions are ended.
    pub logout_url: Option<Uri>,
    /// How long one exchange may take, connection included.
    pub timeout: Duration,
    /// How many exchanges may be under way.
    pub maximum_concurrent: usize,
    /// How many exchanges may wait for their turn.
    pub maximum_waiting: usize,
    /// How long an exchange waits for its turn.
    pub waiting_timeout: Duration,
    /// The most bytes that are read of an answer.
    pub maximum_answer: usize,
    /// What we show to the node for TLS, if anything.
    pub client_certificate: Option<Certificate>,
}

/// Why the node gave no answer to look at.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Too many exchanges are under way, and too many wait, or this one waited too long.
    #[error("too many exchanges with the node are under way")]
    Busy,
    /// It took too long.
    #[error("node did not answer within {0:?}")]
    Timeout(Duration),
    /// There is no connection, or TLS failed: nothing was sent.
    #[error("node cannot be reached: {0}")]
    NotReached(String),
    /// The connection ended before there was an answer. What was sent on it may have arrived.
    #[error("node cannot be reached: {0}")]
    Unreachable(String),
    /// It answered with an HTTP error.
    #[error("node answered with HTTP status {0}")]
    Status(StatusCode),
    /// The answer is too long.
    #[error("answer of the node is longer than {0} bytes")]
    TooLong(usize),
    /// The answer broke off.
    #[error("answer of the node broke off")]
    Broken,
    /// The answer is compressed, although that was not asked for.
    #[error("answer of the node has a Content-Encoding, although it was asked for identity")]
    Coded,
}

impl NodeError {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(&self) -> Reason {
        match self {
            Self::Busy => Reason::LoginNodeBusy,
            Self::Timeout(_) => Reason::LoginNodeTimeout,
            Self::NotReached(_) | Self::Unreachable(_) => Reason::LoginNodeUnreachable,
            Self::Status(_) => Reason::LoginNodeHttpStatus,
            Self::TooLong(_) => Reason::LoginAnswerTooLarge,
            Self::Broken | Self::Coded => Reason::LoginNodeAnswerBroken,
        }
    }
}

/// What was seen of the exchanges with the node. Kept when the configuration changes.
#[derive(Debug, Default)]
pub struct Exchanges {
    /// What exchanges that bring an answer to a login took and led to.
    pub resolve: Seen,
    /// The same of those that end a session.
    pub logout: Seen,
    /// Those that found no place.
    pub turned_away: Count,
    /// What answers held that Brama does not read.
    pub extensions: Extensions,
    /// How the node's clock differs from ours.
    pub clock: NodeClock,
}

/// What was seen of exchanges of one purpose: how long each took, by what came of it.
#[derive(Debug)]
pub struct Seen([Histogram; RESULTS.len()]);

/// What comes of an exchange: an answer, or what [`NodeError::code`] says of one that was begun.
const RESULTS: [&str; 6] = [
    "ok",
    Reason::LoginNodeTimeout.as_str(),
    Reason::LoginNodeUnreachable.as_str(),
    Reason::LoginNodeHttpStatus.as_str(),
    Reason::LoginAnswerTooLarge.as_str(),
    Reason::LoginNodeAnswerBroken.as_str(),
];

impl Default for Seen {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Histogram::new(&OF_THE_NODE)))
    }
}

impl Seen {
    fn note(&self, took: Duration, answer: &Result<Bytes, NodeError>) {
        let result = answer.as_ref().map_or_else(|error| error.code().as_str(), |_| RESULTS[0]);
        let seen = RESULTS.iter().zip(&self.0).find(|(name, _)| **name == result);
        if let Some((_, histogram)) = seen {
            histogram.observe(took);
        }
    }

    /// Returns how long exchanges took, by `ok` or the reason code.
    pub fn by_result(&self) -> impl Iterator<Item = (&'static str, Spread)> {
        RESULTS.into_iter().zip(self.0.each_ref().map(Histogram::spread))
    }
}

/// The client of the node's SOAP services. All workers share it.
pub struct NodeClient {
    exchanges: Arc<Exchanges>,
    client: Client<Connector, Full<Bytes>>,
    /// Where its connections live.
    home: Option<Handle>,
    settings: Settings,
    permits: Arc<Semaphore>,
    queue: Semaphore,
    /// By it the node's clock is measured.
    clock: SharedClock,
}

/// A permit, one of the exchanges that may be under way. An exchange is over when its answer was
/// read.
#[derive(Debug)]
pub struct Permit {
    _held: OwnedSemaphorePermit,
    /// When the exchange was, once it was.
    exchanged: Option<Exchanged>,
}

impl Permit {
    fn new(held: OwnedSemaphorePermit) -> Self {
        Self { _held: held, exchanged: None }
    }

    /// Returns when the exchange was, by our clock; none before there was an answer.
    #[must_use]
    pub fn exchanged(&self) -> Option<Exchanged> {
        self.exchanged
    }
}

/// A logout does not keep the citizen waiting longer than this.
const LOGOUT_TIMEOUT: Duration = Duration::from_secs(5);

/// What part of the time of an exchange a connection may take: a half. So a node that is silent is
/// one that was not reached, and not one that may have been asked.
const CONNECTING: u32 = 2;

/// How long a connection waits for the next exchange: less than servers wait, of which Apache is the
/// most impatient with 5 seconds.
const KEPT: Duration = Duration::from_secs(4);

impl NodeClient {
    /// Makes a client with the settings of TLS. Its connections live as long as the runtime in which
    /// it is made.
    #[must_use]
    pub fn new(settings: Settings, tls: rustls::ClientConfig) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEPT)
            .pool_max_idle_per_host(settings.maximum_concurrent)
            // Only of requests of which nothing was sent, on a connection that was kept.
            .retry_canceled_requests(true)
            .build(connector(tls, settings.timeout / CONNECTING));
        let permits = settings.maximum_concurrent.min(Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(permits));
        let queue = Semaphore::new(settings.maximum_waiting.min(Semaphore::MAX_PERMITS));
        let exchanges = Arc::default();
        let home = Handle::try_current().ok();
        let clock = Arc::new(SystemClock);
        Self { exchanges, client, home, settings, permits, queue, clock }
    }

    /// Has the node's clock measured by this one.
    #[must_use]
    pub fn timed_by(self, clock: SharedClock) -> Self {
        Self { clock, ..self }
    }

    /// Has what it does counted together with what another one did.
    #[must_use]
    pub fn counted_in(self, exchanges: Arc<Exchanges>) -> Self {
        Self { exchanges, ..self }
    }

    /// Returns what was seen of the exchanges.
    #[must_use]
    pub fn exchanges(&self) -> &Arc<Exchanges> {
        &self.exchanges
    }

    /// Returns what it was told.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns how many exchanges may be under way.
    #[must_use]
    pub fn maximum(&self) -> usize {
        self.settings.maximum_concurrent
    }

    /// Returns how long an exchange takes at most, with the time that it waits for its turn.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.settings.timeout.saturating_add(self.settings.waiting_timeout)
    }

    /// Waits a moment for a permit among the exchanges that may be under way.
    ///
    /// # Errors
    /// When there is none, or no room to wait for one.
    pub async fn permit(&self) -> Result<Permit, NodeError> {
        // No request overtakes: a permit that is given back goes to the one that waits longest.
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(Permit::new(permit));
        }
        let permit = self.wait_for_permit().await;
        permit.inspect_err(|_| self.exchanges.turned_away.add())
    }

    async fn wait_for_permit(&self) -> Result<Permit, NodeError> {
        let _in_queue = self.queue.try_acquire().map_err(|_| NodeError::Busy)?;
        let permit = Arc::clone(&self.permits).acquire_owned();
        match timeout(self.settings.waiting_timeout, permit).await {
            Ok(Ok(permit)) => Ok(Permit::new(permit)),
            _ => Err(NodeError::Busy),
        }
    }

    /// Returns how many exchanges are under way, for metrics.
    #[must_use]
    pub fn under_way(&self) -> usize {
        let all = self.settings.maximum_concurrent.min(Semaphore::MAX_PERMITS);
        all.saturating_sub(self.permits.available_permits())
    }

    /// Sends an `ArtifactResolve` and returns the answer, unread, with the permit, which is held
    /// until it was read.
    ///
    /// # Errors
    /// When there is none.
    pub async fn resolve(
        &self,
        permit: Permit,
        soap: String,
    ) -> Result<(Bytes, Permit), NodeError> {
        let url = ("node ArtifactResolve", &self.settings.resolve_url);
        let (time, sent) = (self.settings.timeout, self.clock.now());
        let answer = self.exchange(url, soap, time, &self.exchanges.resolve).await?;
        let exchanged = Some(Exchanged { sent, received: self.clock.now() });
        Ok((answer, Permit { exchanged, ..permit }))
    }

    /// Sends a `LogoutRequest` and returns the answer, unread, with the permit, which is held
    /// until it was read.
    ///
    /// # Errors
    /// When there is none.
    pub async fn logout(&self, soap: String) -> Result<(Bytes, Permit), NodeError> {
        let Some(url) = &self.settings.logout_url else {
            return Err(NodeError::NotReached("no address for logout is configured".to_owned()));
        };
        let permit = self.permit().await?;
        let time = self.settings.timeout.min(LOGOUT_TIMEOUT);
        let answer =
            self.exchange(("node LogoutRequest", url), soap, time, &self.exchanges.logout).await?;
        Ok((answer, permit))
    }

    async fn exchange(
        &self,
        (name, url): (&'static str, &Uri),
        soap: String,
        time: Duration,
        seen: &Seen,
    ) -> Result<Bytes, NodeError> {
        let began = Instant::now();
        let mut span = traces::open(Kind::Client, name);
        let answer = timeout(time, self.send(url, soap)).await;
        let answer = answer.unwrap_or(Err(NodeError::Timeout(time)));
        if let Some(span) = &mut span {
            describe(span, url, &answer);
        }
        drop(span);
        seen.note(began.elapsed(), &answer);
        answer
    }

    async fn send(&self, url: &Uri, soap: String) -> Result<Bytes, NodeError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(url.clone())
            .header(CONTENT_TYPE, "text/xml; charset=utf-8")
            .header(ACCEPT, "text/xml")
            // RFC 9110 12.5.3: without it the node may choose any coding.
            .header(ACCEPT_ENCODING, "identity")
            // SOAP 1.1 section 6.1.1: the field is required; an empty value names no intent.
            .header("SOAPAction", "\"\"")
            .body(Full::from(soap))
            .map_err(|error| NodeError::Unreachable(error.to_string()))?;
        let asked = ask(
            self.client.clone(),
            request,
            Arc::clone(&self.clock),
            self.settings.maximum_answer,
        );
        let answer = match &self.home {
            Some(home) => AbortOnDropHandle::new(home.spawn(asked))
                .await
                .map_err(|error| NodeError::Unreachable(error.to_string()))?,
            None => asked.await,
        };
        let Answer { head, exchanged, body } = answer.map_err(|error| {
            let ours = self.settings.client_certificate.as_ref();
            let why = node_tls::explain(&error, ours);
            if error.is_connect() {
                NodeError::NotReached(why)
            } else {
                NodeError::Unreachable(why)
            }
        })?;
        if let Some(date) = head.headers.get(DATE) {
            self.exchanges.clock.note_date(exchanged, date.as_bytes());
        }
        let (status, bytes) = (head.status, body?);
        match status {
            StatusCode::OK => Ok(bytes),
            // SOAP 1.1 section 6.2: a fault comes with status 500; the reader tells what it is.
            StatusCode::INTERNAL_SERVER_ERROR if has_fault(&bytes) => Ok(bytes),
            other => Err(NodeError::Status(other)),
        }
    }
}

/// What the node answered.
struct Answer {
    head: response::Parts,
    /// When the request was sent, and when its answer began.
    exchanged: Exchanged,
    body: Result<Bytes, NodeError>,
}

/// Sends a request and reads the answer, up to so many bytes. Where the connection lives: so a worker
/// is woken once for an answer, and not for each piece of it.
async fn ask(
    client: Client<Connector, Full<Bytes>>,
    request: Request<Full<Bytes>>,
    clock: SharedClock,
    limit: usize,
) -> Result<Answer, hyper_util::client::legacy::Error> {
    let sent = clock.now();
    let (head, body) = client.request(request).await?.into_parts();
    let exchanged = Exchanged { sent, received: clock.now() };
    // Coded all the same, it is not what was signed, and no bound holds for what it opens to.
    let is_coded = head
        .headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let body = if is_coded {
        Err(NodeError::Coded)
    } else {
        body::read(body, limit).await.map_err(|error| match error {
            body::ReadError::TooLong(limit) => NodeError::TooLong(limit),
            body::ReadError::Broken(_) | body::ReadError::Slow(_) => NodeError::Broken,
        })
    };
    Ok(Answer { head, exchanged, body })
}

/// Says in the span of an exchange what it was. The node is told of no trace: it is not ours to have it
/// tell what citizens do here.
fn describe(span: &mut Open, url: &Uri, answer: &Result<Bytes, NodeError>) {
    span.set("http.request.method", "POST");
    span.set("server.address", Value::text(url.host().unwrap_or_default()));
    span.set("server.port", url.port_u16().unwrap_or(443));
    if let Err(error) = answer {
        if let NodeError::Status(status) = error {
            span.set("http.response.status_code", status.as_u16());
        }
        span.fail(error.code().as_str());
    }
}

fn has_fault(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|window| window == b"Fault>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::RootCertStore;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;
    use tokio::time::Instant;

    fn client(maximum_concurrent: usize, maximum_waiting: usize) -> NodeClient {
        let settings = Settings {
            resolve_url: Uri::from_static("https://node.example/resolve"),
            logout_url: None,
            timeout: Duration::from_secs(10),
            maximum_concurrent,
            maximum_waiting,
            waiting_timeout: Duration::from_secs(2),
            maximum_answer: 1024,
            client_certificate: None,
        };
        let tls = rustls::ClientConfig::builder()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        NodeClient::new(settings, tls)
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_gets_the_place_that_is_given_back() {
        let client = client(1, 1);
        let first = client.permit().await.unwrap();
        let (waited, ()) = tokio::join!(client.permit(), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(first);
        });
        assert!(waited.is_ok());
    }

    #[tokio::test]
    async fn what_became_of_an_exchange_is_counted_and_outlives_the_client() {
        let mut first = client(1, 0);
        first.settings.resolve_url = Uri::from_static("https://127.0.0.1:1/resolve");
        let permit = first.permit().await.unwrap();
        assert!(first.permit().await.is_err());
        assert!(first.resolve(permit, String::new()).await.is_err());
        let next = client(1, 0).counted_in(Arc::clone(first.exchanges()));
        let exchanges = next.exchanges();
        assert_eq!(exchanges.turned_away.value(), 1);
        let counts = |seen: &Seen| -> Vec<_> {
            let all = seen.by_result().map(|(result, spread)| (result, spread.count()));
            all.filter(|(_, count)| *count > 0).collect()
        };
        assert_eq!(counts(&exchanges.resolve), [("login.node_unreachable", 1)]);
        assert_eq!(counts(&exchanges.logout), []);
    }

    #[test]
    fn every_failure_of_an_exchange_that_was_begun_has_its_row() {
        let broken = "connection reset".to_owned();
        for error in [
            NodeError::Timeout(Duration::from_secs(1)),
            NodeError::NotReached(broken.clone()),
            NodeError::Unreachable(broken),
            NodeError::Status(StatusCode::BAD_GATEWAY),
            NodeError::TooLong(1),
            NodeError::Broken,
            NodeError::Coded,
        ] {
            let (seen, code) = (Seen::default(), error.code().as_str());
            seen.note(Duration::ZERO, &Err(error));
            let noted = seen.by_result().find(|(_, spread)| spread.count() == 1);
            assert_eq!(noted.map(|(result, _)| result), Some(code));
        }
    }

    #[tokio::test]
    async fn it_is_known_how_many_exchanges_may_be_and_are_under_way_and_for_how_long() {
        let client = client(3, 1);
        assert_eq!((client.maximum(), client.under_way()), (3, 0));
        assert_eq!(client.patience(), Duration::from_secs(12));
        let _permits = [client.permit().await.unwrap(), client.permit().await.unwrap()];
        assert_eq!(client.under_way(), 2);
    }

    #[tokio::test]
    async fn a_failure_of_the_server_is_read_when_it_is_a_fault() {
        for (status, body, is_read) in [
            ("200 OK", "<a/>", true),
            ("500 Error", "<soap:Fault><faultcode/></soap:Fault>", true),
            ("500 Error", "<html></html>", false),
            ("503 Away", "<soap:Fault><faultcode/></soap:Fault>", false),
        ] {
            let mut client = client(1, 0);
            let (url, _heard) = node_saying(format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
            client.settings.resolve_url = url;
            let permit = client.permit().await.unwrap();
            match client.resolve(permit, "soap".to_owned()).await {
                Ok((bytes, _permit)) => assert!(is_read && bytes == body, "{status} {body}"),
                Err(error) => {
                    assert!(!is_read && matches!(error, NodeError::Status(_)), "{status} {body}");
                }
            }
        }
    }

    /// Answers one request with these fields; returns what it heard.
    async fn node_with(fields: &str) -> (Uri, tokio::task::JoinHandle<String>) {
        node_saying(format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok")).await
    }

    /// Answers one request so; returns what it heard.
    async fn node_saying(answer: String) -> (Uri, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/resolve", listener.local_addr().unwrap());
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = Vec::new();
            while !heard.ends_with(b"soap") {
                assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(heard).unwrap()
        });
        (url.parse().unwrap(), heard)
    }

    #[tokio::test]
    async fn the_node_is_asked_for_its_answer_as_it_is_and_a_coded_one_is_refused() {
        for (fields, is_taken) in [
            ("", true),
            ("Content-Encoding: identity\r\n", true),
            ("Content-Encoding: gzip\r\n", false),
            ("Content-Encoding: br\r\n", false),
        ] {
            let mut client = client(1, 0);
            let (url, heard) = node_with(fields).await;
            client.settings.resolve_url = url;
            let permit = client.permit().await.unwrap();
            let answer = client.resolve(permit, "soap".to_owned()).await;
            match answer {
                Ok((bytes, _permit)) => assert!(is_taken && bytes == "ok", "{fields}"),
                Err(error) => assert!(!is_taken && matches!(error, NodeError::Coded), "{error}"),
            }
            let heard = heard.await.unwrap().to_lowercase();
            assert!(heard.contains("\r\naccept-encoding: identity\r\n"), "{heard}");
        }
    }

    /// What a node does with a request on a connection.
    #[derive(Clone, Copy, PartialEq)]
    enum Does {
        Answer,
        /// Answers, and then ends the connection.
        AnswerAndClose,
        Close,
    }

    /// A node that does with each request what comes next. Says of each on which connection it was.
    async fn node(does: &'static [Does]) -> (NodeClient, mpsc::UnboundedReceiver<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = client(4, 0);
        let url = format!("http://{}/resolve", listener.local_addr().unwrap());
        client.settings.resolve_url = url.parse().unwrap();
        let (seen, receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut does = does.iter();
            for connection in 0.. {
                let mut stream = listener.accept().await.unwrap().0;
                loop {
                    let (mut request, mut byte) = (Vec::new(), [0]);
                    while !request.ends_with(b"</soap>") {
                        match stream.read(&mut byte).await {
                            Ok(1) => request.push(byte[0]),
                            _ => break,
                        }
                    }
                    if request.is_empty() {
                        break;
                    }
                    seen.send(connection).unwrap();
                    let next = *does.next().unwrap();
                    if next != Does::Close {
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                        stream.write_all(answer).await.unwrap();
                    }
                    if next != Does::Answer {
                        break;
                    }
                }
            }
        });
        (client, receiver)
    }

    /// More turns than a runtime makes before it looks at its sockets.
    const TURNS: usize = 1_000;

    async fn ask(client: &NodeClient) -> Result<Bytes, NodeError> {
        let permit = client.permit().await.unwrap();
        client.resolve(permit, "<soap></soap>".to_owned()).await.map(|(bytes, _)| bytes)
    }

    #[tokio::test]
    async fn a_connection_outlives_the_worker_whose_citizen_came_first() {
        let (client, mut seen) = node(&[Does::Answer; 3]).await;
        let client = Arc::new(client);
        for _ in 0..3 {
            let client = Arc::clone(&client);
            let worker = tokio::task::spawn_blocking(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(ask(&client))
            });
            assert_eq!(worker.await.unwrap().unwrap(), "ok");
            assert_eq!(seen.recv().await, Some(0));
        }
    }

    #[tokio::test]
    async fn a_connection_is_kept_until_the_node_ends_it() {
        use Does::{Answer, AnswerAndClose};
        let (client, mut seen) = node(&[Answer, AnswerAndClose, Answer, Answer]).await;
        for connection in [0, 0, 1, 1] {
            assert_eq!(ask(&client).await.unwrap(), "ok");
            assert_eq!(seen.recv().await, Some(connection));
            // What the node does with the connection is heard of before the next exchange.
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn what_was_sent_is_not_sent_again() {
        use Does::{Answer, Close};
        let (client, mut seen) = node(&[Answer, Close, Answer]).await;
        assert!(ask(&client).await.is_ok());
        // The connection that was kept ends under the request.
        assert!(matches!(ask(&client).await, Err(NodeError::Unreachable(_))));
        assert!(ask(&client).await.is_ok());
        let connections = [seen.recv().await, seen.recv().await, seen.recv().await];
        assert_eq!(connections, [Some(0), Some(0), Some(1)]);
        assert!(seen.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_allowed() {
        let client = client(1, 1);
        let _first = client.permit().await.unwrap();
        let began = Instant::now();
        assert!(matches!(client.permit().await, Err(NodeError::Busy)));
        assert_eq!(began.elapsed().as_secs(), 2);
        // And a request that gave up makes room in the queue.
        assert!(matches!(client.permit().await, Err(NodeError::Busy)));
        assert_eq!(began.elapsed().as_secs(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_turns_away_at_once() {
        let client = client(1, 3);
        let _first = client.permit().await.unwrap();
        let began = Instant::now();
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(client.permit())).collect();
        for place in &mut waiting {
            assert!(timeout(Duration::from_millis(1), place).await.is_err());
        }
        for _ in 0..1_000 {
            assert!(matches!(client.permit().await, Err(NodeError::Busy)));
        }
        assert!(began.elapsed() < Duration::from_millis(100));
    }

    #[test]
    fn a_fault_is_told_from_another_page_by_the_name_of_its_element() {
        for (bytes, is_one) in [
            ("<soap:Fault><faultcode/></soap:Fault>", true),
            ("<Fault>", true),
            ("<Fault/>", false),
            ("<html>default</html>", false),
            ("Fault", false),
            ("", false),
        ] {
            assert_eq!(has_fault(bytes.as_bytes()), is_one, "{bytes}");
        }
    }
}
