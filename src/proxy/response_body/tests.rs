//! How an answer comes in, what ends it, and whether its connection serves again.

use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::Instant as Moment;

use super::*;
use crate::observe::metrics::histogram::UpstreamDurations;
use crate::proxy::connection::{Outgoing, Watch};
use crate::proxy::testing::{Right, failures_and_requests, in_flight};
use crate::proxy::upstream::Group;
use crate::request::lasting::LOOK;
use crate::wire::incoming::Incoming;
use crate::wire::stream::Stream;

const IDLE: Duration = Duration::from_secs(10);
/// The length of the request's body, which is more than the upstream takes at once.
const LENGTH: usize = 64 * 1024;
const REQUEST: &str = "POST / HTTP/1.1\r\n\r\n";
const HEAD: &str = "HTTP/1.1 200 OK\r\n";

struct Unwatched;

impl Watch for Unwatched {
    fn look(&self, _: bool, _: &Context<'_>) -> Poll<Cut> {
        Poll::Pending
    }

    fn cut(&self) -> Option<Cut> {
        None
    }
}

/// An answer that comes in, with all that it touches.
struct Scene {
    body: base::body::Body,
    /// What the upstream says.
    upstream: DuplexStream,
    /// What it hears.
    hears: DuplexStream,
    pool: Arc<Pool>,
    group: Arc<Group>,
    durations: Arc<UpstreamDurations>,
}

impl Scene {
    /// Begins with what an upstream says at once, to a request whose body has so many bytes.
    async fn begin(right: &Right, said: &str, length: usize) -> Self {
        Self::of(right.lasting(), said, length).await
    }

    async fn of(lasting: Arc<Lasting>, said: &str, length: usize) -> Self {
        let ((mut upstream, answers), (requests, hears)) = (duplex(1024), duplex(1024));
        upstream.write_all(said.as_bytes()).await.unwrap();
        let outgoing = Outgoing {
            head: BytesMut::from(REQUEST),
            body: Incoming::whole(Bytes::from(vec![b'x'; length])),
            framing: Framing::Length(length as u64),
            holds_back: false,
            upgrade: None,
            method: Method::POST,
        };
        let stream = Stream::split_any(tokio::io::join(answers, requests));
        let (connection, now) = (Box::new(Connection::new(stream)), Instant::now());
        let answered = connection.exchange(outgoing, IDLE / 5, now, &Unwatched).await.ok().unwrap();
        let (in_flight, group) = in_flight().await;
        let pool = Pool::new(&group);
        let (durations, status) = (Arc::default(), StatusCode::OK);
        let timing = Timing { durations: &durations, status, to_head: Duration::from_secs(2) };
        let held = (in_flight, &timing);
        let body = read(answered, held, Arc::clone(&pool), IDLE, || lasting);
        Self { body, upstream, hears, pool, group, durations }
    }

    async fn says(&mut self, said: &str) {
        self.upstream.write_all(said.as_bytes()).await.unwrap();
    }

    /// The next piece.
    async fn piece(&mut self) -> Option<Result<Bytes, BoxError>> {
        let frame = self.body.frame().await?;
        Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
    }

    async fn next(&mut self) -> String {
        String::from_utf8(self.piece().await.unwrap().unwrap().to_vec()).unwrap()
    }

    /// The error that the body ends with.
    async fn error(&mut self) -> BoxError {
        self.piece().await.unwrap().unwrap_err()
    }

    /// How many failures, and how many connections that wait.
    fn outcome(&self) -> (u64, usize) {
        (failures_and_requests(&self.group).0, self.pool.waiting())
    }

    /// How many requests were counted, none of which took less than its head.
    fn counted(&self) -> u64 {
        let seen = &self.durations.requests.spreads()[1];
        assert!(seen.seconds() >= 2.0 * seen.count() as f64);
        seen.count()
    }
}

#[tokio::test]
async fn an_answer_that_is_all_there_frees_its_connection_at_once() {
    let right = Right::begin().await;
    for (fields, behind, length, waits) in [
        ("Content-Length: 2\r\n", "", 3, 1),
        ("Content-Length: 0\r\n", "", 0, 1),
        ("Content-Length: 2\r\nConnection: close\r\n", "", 3, 0),
        ("Content-Length: 2\r\n", "HTTP/1.1 200 OK\r\n\r\n", 3, 0),
        // The request is not all there yet.
        ("Content-Length: 2\r\n", "", LENGTH, 0),
    ] {
        let expected = if fields.contains(": 0") { "" } else { "ok" };
        let said = format!("{HEAD}{fields}\r\n{expected}{behind}");
        let scene = Scene::begin(&right, &said, length).await;
        assert!(matches!(scene.body, base::body::Body::Whole(_)), "{said}");
        assert_eq!((scene.outcome(), scene.counted()), ((0, waits), 1), "{said}");
        assert_eq!(failures_and_requests(&scene.group).1, 0);
        assert_eq!(scene.body.collect().await.unwrap().to_bytes(), expected);
    }
}

#[tokio::test]
async fn an_answer_that_comes_in_frees_its_connection_when_it_has_come() {
    let right = Right::begin().await;
    for (fields, pieces, waits) in [
        ("Content-Length: 4\r\n", ["ok", "no"], 1),
        ("Transfer-Encoding: chunked\r\n", ["2\r\nok\r\n", "2\r\nno\r\n0\r\n\r\n"], 1),
        ("Content-Length: 4\r\nConnection: close\r\n", ["ok", "no"], 0),
        ("Content-Length: 4\r\n", ["ok", "noHTTP/1.1 200 OK\r\n\r\n"], 0),
    ] {
        let said = format!("{HEAD}{fields}\r\n{}", pieces[0]);
        let mut scene = Scene::begin(&right, &said, 3).await;
        let exact = fields.starts_with("Content").then_some(4);
        assert_eq!((scene.body.is_end_stream(), scene.body.size_hint().exact()), (false, exact));
        assert_eq!(scene.next().await, "ok");
        assert_eq!((scene.outcome(), scene.body.is_end_stream()), ((0, 0), false), "{said}");
        assert_eq!(scene.counted(), 0);
        scene.says(pieces[1]).await;
        assert_eq!(scene.next().await, "no");
        while !scene.body.is_end_stream() {
            assert!(scene.piece().await.is_none());
        }
        assert_eq!((scene.outcome(), scene.body.is_end_stream()), ((0, waits), true), "{said}");
        assert_eq!(scene.counted(), 1);
        assert_eq!(failures_and_requests(&scene.group).1, 0, "its place is free");
        assert!(scene.piece().await.is_none());
    }
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_leaves_none() {
    let right = Right::begin().await;
    let mut scene = Scene::begin(&right, &format!("{HEAD}\r\nok"), 3).await;
    assert_eq!(scene.next().await, "ok");
    scene.upstream.shutdown().await.unwrap();
    assert!(scene.piece().await.is_none());
    assert_eq!((scene.outcome(), scene.body.is_end_stream()), ((0, 0), true));
}

#[tokio::test]
async fn a_server_that_breaks_off_has_failed_unless_the_request_is_still_on_its_way() {
    let right = Right::begin().await;
    for (length, failures) in [(3, 1), (LENGTH, 0)] {
        let said = format!("{HEAD}Content-Length: 5\r\n\r\nok");
        let mut scene = Scene::begin(&right, &said, length).await;
        assert_eq!(scene.next().await, "ok");
        scene.upstream.shutdown().await.unwrap();
        let error = scene.error().await;
        assert!(error.downcast_ref::<BodyError>().is_some(), "{error}");
        assert!(scene.piece().await.is_none(), "nothing comes after an end");
        assert_eq!(scene.outcome(), (failures, 0), "{length}");
    }
}

#[tokio::test]
async fn the_request_goes_on_meanwhile_and_only_one_that_was_taken_frees_the_connection() {
    let right = Right::begin().await;
    let begin = || async {
        let said = format!("{HEAD}Content-Length: 4\r\n\r\nok");
        let mut scene = Scene::begin(&right, &said, LENGTH).await;
        assert_eq!(scene.next().await, "ok");
        scene
    };
    let mut taken = begin().await;
    let mut request = vec![0; REQUEST.len() + LENGTH];
    tokio::select! {
        biased;
        _ = taken.body.frame() => panic!("nothing more was said"),
        read = taken.hears.read_exact(&mut request) => assert!(read.is_ok()),
    }
    let unread = begin().await;
    let mut refused = begin().await;
    (refused.hears, _) = duplex(1);
    for (mut scene, waits) in [(taken, 1), (unread, 0), (refused, 0)] {
        scene.says("no").await;
        assert_eq!(scene.next().await, "no");
        assert_eq!(scene.outcome(), (0, waits));
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_falls_silent_has_failed_and_one_that_goes_on_has_not() {
    let right = Right::begin().await;
    let mut scene = Scene::begin(&right, &format!("{HEAD}Content-Length: 9\r\n\r\n"), 3).await;
    for _ in 0..4 {
        let waits = tokio::time::timeout(IDLE * 9 / 10, scene.body.frame());
        assert!(waits.await.is_err(), "time begins anew with each piece");
        scene.says("a").await;
        assert_eq!(scene.next().await, "a");
    }
    let begin = Moment::now();
    let error = scene.error().await;
    assert!(matches!(error.downcast_ref(), Some(BodyError::Stalled(IDLE))), "{error}");
    assert_eq!(begin.elapsed(), IDLE);
    assert_eq!(scene.outcome(), (1, 0));
    let mut heard = Vec::new();
    scene.hears.read_to_end(&mut heard).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_with_the_session_and_its_upstream_sees_that() {
    let right = Right::begin().await;
    let said = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    let mut scene = Scene::begin(&right, &said, LENGTH).await;
    assert_eq!(scene.next().await, "a");
    let waits = tokio::time::timeout(LOOK * 3, scene.body.frame());
    assert!(waits.await.is_err(), "it lasts");
    right.end().await;
    let begin = Moment::now();
    let error = scene.error().await;
    assert!(matches!(error.downcast_ref(), Some(Cut::SessionEnded)), "{error}");
    assert!(begin.elapsed() <= LOOK);
    let mut heard = Vec::new();
    scene.hears.read_to_end(&mut heard).await.unwrap();
    assert!(heard.len() < LENGTH, "what is left of the request does not come");
    assert_eq!(scene.outcome(), (0, 0));
}

#[tokio::test]
async fn an_answer_that_was_seen_to_have_no_right_any_more_says_nothing_more() {
    let right = Right::begin().await;
    let lasting = right.lasting();
    let said = format!("{HEAD}Content-Length: 9\r\n\r\na");
    let mut scene = Scene::of(Arc::clone(&lasting), &said, 3).await;
    right.end().await;
    // Another task looked.
    let cx = Context::from_waker(std::task::Waker::noop());
    assert!(lasting.look(&cx).is_ready());
    let error = scene.error().await;
    assert!(matches!(error.downcast_ref(), Some(Cut::SessionEnded)), "{error}");
}

#[tokio::test]
async fn nothing_behind_an_answer_speaks_in_our_name() {
    let right = Right::begin().await;
    let said = format!(
        "{HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nX-Brama-Person: a\r\n\r\n"
    );
    let scene = Scene::begin(&right, &said, 3).await;
    let collected = scene.body.collect().await.unwrap();
    let names: Vec<_> = collected.trailers().unwrap().keys().map(ToString::to_string).collect();
    assert_eq!(names, ["x-sum"]);
    assert_eq!(scene.pool.waiting(), 1);
}
