//! What an upstream says of a request in HTTP/2, what is made of it, and how its answer comes in.

use std::future::pending;
use std::sync::Mutex;

use h2::Reason;
use h2::server::SendResponse;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;
use crate::proxy::testing::{Right, failures_and_requests, in_flight};
use crate::proxy::upload;
use crate::proxy::upstream::Group;
use crate::wire::framing::Framing;
use crate::wire::incoming::Incoming;
use crate::wire::pace::Slowest;
use crate::wire::reader::Reader;
use crate::wire::stream::ReadHalf;

/// The time that an upstream has.
const TIME: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(10);

/// Watches, and remembers what it was told; ends the exchange at that look, counted from one.
#[derive(Default)]
struct Watcher {
    ends_at: usize,
    looks: Mutex<Vec<bool>>,
}

impl Watch for Watcher {
    fn look(&self, is_under_way: bool, _: &Context<'_>) -> Poll<Cut> {
        let mut looks = self.looks.lock().unwrap();
        looks.push(is_under_way);
        if looks.len() == self.ends_at { Poll::Ready(Cut::SessionEnded) } else { Poll::Pending }
    }

    fn cut(&self) -> Option<Cut> {
        None
    }
}

fn whole(length: usize) -> Incoming {
    Incoming::whole(Bytes::from(vec![b'x'; length]))
}

/// A body of so many bytes, and the client that sends them.
fn of_a_client(length: u64) -> (Incoming, DuplexStream) {
    let (client, source) = duplex(1024);
    let reader = Reader::new(ReadHalf::Other(Box::new(source)));
    let slowest = Slowest { stall: Duration::from_secs(3600), rate: 0 };
    (Incoming::wire(reader, Framing::Length(length), false, slowest).0, client)
}

type Answered = Result<Response<hyper::body::Incoming>, Unanswered>;

async fn ask(sender: Sender, body: Incoming, watch: &dyn Watch) -> (Answered, Upload) {
    let (body, upload) = upload::share(body);
    let request = Request::post("http://portal.test/").body(body).unwrap();
    (exchange(sender, request, &upload, TIME, watch).await, upload)
}

fn error((answered, _): (Answered, Upload)) -> Error {
    match answered {
        Ok(answered) => panic!("it was answered: {answered:?}"),
        Err(unanswered) => unanswered.error,
    }
}

/// A frame: its kind, its stream, and what is in it.
fn frame(kind: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, 0, 0, 0, 0, stream], payload].concat()
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// What comes of a request to an upstream that says this when the head is there, and hangs up.
async fn told_by(said: Vec<u8>, body: Incoming) -> (Answered, Upload) {
    let (ours, mut upstream) = duplex(64 * 1024);
    tokio::spawn(async move {
        upstream.write_all(&frame(SETTINGS, 0, &[])).await.unwrap();
        upstream.read_exact(&mut [0; b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len()]).await.unwrap();
        let mut head = [0; 9];
        while head[3] != HEADERS {
            upstream.read_exact(&mut head).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            upstream.read_exact(&mut payload).await.unwrap();
        }
        upstream.write_all(&said).await.unwrap();
        upstream.shutdown().await.unwrap();
        // What is said is heard before the end of the other direction.
        let _ = upstream.read_to_end(&mut Vec::new()).await;
    });
    ask(begin(ours).await.unwrap(), body, &Watcher::default()).await
}

fn code(reason: Reason) -> [u8; 4] {
    u32::from(reason).to_be_bytes()
}

#[tokio::test]
async fn what_an_upstream_says_that_it_did_not_do_can_be_sent_again_whole() {
    let reset = |reason| frame(RST_STREAM, 1, &code(reason));
    let goodbye =
        |last: u8, reason| frame(GOAWAY, 0, &[&[0, 0, 0, last], &code(reason)[..]].concat());
    for (said, expected, comes_back) in [
        (reset(Reason::REFUSED_STREAM), "StreamRefused", true),
        (reset(Reason::HTTP_1_1_REQUIRED), "Http1Required", true),
        (goodbye(0, Reason::NO_ERROR), "NotProcessed", true),
        (goodbye(0, Reason::ENHANCE_YOUR_CALM), "NotProcessed", true),
        // It may have been at work on these.
        (reset(Reason::INTERNAL_ERROR), "Http2", false),
        (goodbye(1, Reason::NO_ERROR), "Http2", false),
        (Vec::new(), "Http2", false),
        // It said what it may not, and we broke off.
        (frame(DATA, 0, b"x"), "Http2", false),
    ] {
        for length in [0, 3] {
            let (answered, _) = told_by(said.clone(), whole(length)).await;
            let unanswered = answered.unwrap_err();
            let found = format!("{:?}", unanswered.error);
            assert!(found.starts_with(&format!("{expected}(")), "{expected}: {found}");
            // What has no body only reads, or is not repeated by its method.
            assert_eq!(unanswered.body.is_some(), comes_back || length == 0, "{expected}");
            let Some(body) = unanswered.body else { continue };
            assert_eq!(body.collect().await.unwrap().to_bytes().len(), length);
        }
    }
}

#[tokio::test]
async fn what_was_never_handed_to_a_connection_was_not_done() {
    for knows in [true, false] {
        let (ours, upstream) = duplex(1024);
        let sender = begin(ours).await.unwrap();
        drop(upstream);
        while knows && !sender.is_closed() {
            tokio::task::yield_now().await;
        }
        let unanswered = ask(sender, whole(3), &Watcher::default()).await.0.unwrap_err();
        assert!(matches!(unanswered.error, Error::NotProcessed(_)), "{:?}", unanswered.error);
        assert!(unanswered.body.is_some());
    }
}

#[tokio::test]
async fn a_request_that_breaks_off_is_the_fault_of_its_client() {
    let sender = connected(|_, respond| keep(respond)).await;
    let (body, mut client) = of_a_client(9);
    client.write_all(b"abc").await.unwrap();
    drop(client);
    let found = error(ask(sender, body, &Watcher::default()).await);
    assert!(matches!(found, Error::Body(_)), "{found:?}");
}

/// An upstream that does this with each request.
async fn connected(
    mut serve: impl FnMut(Request<h2::RecvStream>, SendResponse<Bytes>) + Send + 'static,
) -> Sender {
    let (ours, upstream) = duplex(1024 * 1024);
    tokio::spawn(async move {
        let mut connection = h2::server::handshake(upstream).await.unwrap();
        while let Some(Ok((request, respond))) = connection.accept().await {
            serve(request, respond);
        }
    });
    begin(ours).await.unwrap()
}

/// Never lets go of something.
fn keep<T: Send + 'static>(kept: T) {
    tokio::spawn(async move {
        let _kept = kept;
        pending::<()>().await;
    });
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_says_nothing_has_its_time_and_no_more() {
    for length in [0, 3] {
        let sender = connected(|request, respond| keep((request, respond))).await;
        let (begin, watcher) = (Instant::now(), Watcher::default());
        let found = error(ask(sender, whole(length), &watcher).await);
        assert!(matches!(found, Error::Slow(TIME)), "{found:?}");
        // It took the body at once, which is seen at the end of the first time.
        assert_eq!(begin.elapsed(), if length == 0 { TIME } else { TIME + LOOK });
        let looks = watcher.looks.into_inner().unwrap();
        assert!(looks.len() >= 4 && looks.iter().all(|is_under_way| !is_under_way), "{looks:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_upstream_is_blamed_for_a_client_that_takes_its_time() {
    let sender = connected(|request, respond| keep((request, respond))).await;
    let (body, mut client) = of_a_client(2);
    let begin = Instant::now();
    tokio::spawn(async move {
        for byte in [b'a', b'b'] {
            tokio::time::sleep(TIME * 5).await;
            client.write_all(&[byte]).await.unwrap();
        }
    });
    let watcher = Watcher::default();
    let found = error(ask(sender, body, &watcher).await);
    assert!(matches!(found, Error::Slow(TIME)), "{found:?}");
    let time = begin.elapsed();
    assert!(time >= TIME * 11 && time <= TIME * 11 + LOOK * 2, "{time:?}");
    let looks = watcher.looks.into_inner().unwrap();
    assert_eq!((looks[0], looks[looks.len() - 1]), (true, false), "it was all taken at last");
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_may_not_go_on_ends_and_its_upstream_sees_that() {
    let (told, ended) = tokio::sync::oneshot::channel();
    let mut told = Some(told);
    let sender = connected(move |request, respond| {
        let told = told.take().unwrap();
        tokio::spawn(async move {
            let _respond = respond;
            let mut body = request.into_body();
            let end = loop {
                match body.data().await {
                    Some(Ok(_)) => {}
                    end => break end.map(|end| end.unwrap_err().reason()),
                }
            };
            told.send(end).unwrap();
        });
    })
    .await;
    let (body, _client) = of_a_client(2);
    let watcher = Watcher { ends_at: 2, ..Watcher::default() };
    let begin = Instant::now();
    let found = error(ask(sender, body, &watcher).await);
    assert!(matches!(found, Error::Cut(Cut::SessionEnded)), "{found:?}");
    assert_eq!(begin.elapsed(), LOOK * 2);
    assert_eq!(ended.await.unwrap(), Some(Some(Reason::CANCEL)));
    assert_eq!(begin.elapsed(), LOOK * 2, "at once");
}

/// An answer that comes in, with all that it touches.
struct Scene {
    body: Body,
    upstream: h2::SendStream<Bytes>,
    group: Arc<Group>,
    _respond: SendResponse<Bytes>,
    /// What comes of the body of the request.
    hears: h2::RecvStream,
}

impl Scene {
    async fn begin(lasting: Arc<Lasting>, body: Incoming, is_empty: bool) -> Self {
        let (hand, taken) = tokio::sync::oneshot::channel();
        let mut hand = Some(hand);
        let sender = connected(move |request, mut respond| {
            let upstream = respond.send_response(Response::new(()), is_empty).unwrap();
            let hand = hand.take().unwrap();
            assert!(hand.send((upstream, respond, request.into_body())).is_ok());
        })
        .await;
        let had_body = !body.is_end_stream();
        let (answered, upload) = ask(sender, body, &Watcher::default()).await;
        assert!(!had_body || upload.take_back().is_none(), "it is not sent again");
        let answered = answered.ok().unwrap();
        assert_eq!(answered.status(), StatusCode::OK);
        let ((in_flight, group), (upstream, _respond, hears)) =
            (in_flight().await, taken.await.unwrap());
        let (durations, status) = (Arc::default(), answered.status());
        let timing = Timing { durations: &durations, status, to_head: Duration::ZERO };
        let held = (in_flight, &timing);
        let body = read(answered.into_body(), upload, held, IDLE, || lasting);
        Self { body, upstream, group, _respond, hears }
    }

    fn says(&mut self, text: &'static str) {
        self.upstream.send_data(Bytes::from_static(text.as_bytes()), false).unwrap();
    }

    async fn next(&mut self) -> Bytes {
        self.body.frame().await.unwrap().unwrap().into_data().unwrap()
    }

    async fn error(&mut self) -> BoxError {
        self.body.frame().await.unwrap().unwrap_err()
    }

    fn failures(&self) -> u64 {
        failures_and_requests(&self.group).0
    }
}

#[tokio::test]
async fn an_answer_comes_as_it_is_and_nothing_behind_it_speaks_in_our_name() {
    let right = Right::begin().await;
    let mut scene = Scene::begin(right.lasting(), whole(3), false).await;
    assert!(!scene.body.is_end_stream());
    for text in ["a", "bc"] {
        scene.says(text);
        assert_eq!(scene.next().await, text);
    }
    let mut trailer = HeaderMap::new();
    for name in ["x-sum", "x-brama-person"] {
        trailer.insert(name, "1".parse().unwrap());
    }
    scene.upstream.send_trailers(trailer).unwrap();
    let trailer = scene.body.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailer.keys().map(ToString::to_string).collect::<Vec<_>>(), ["x-sum"]);
    assert!(scene.body.frame().await.is_none() && scene.body.is_end_stream());
    assert_eq!(scene.failures(), 0);
    // One without a body is over at once, and holds nothing of its upstream.
    let scene = Scene::begin(right.lasting(), whole(0), true).await;
    assert!(scene.body.is_end_stream() && failures_and_requests(&scene.group) == (0, 0));
}

#[tokio::test]
async fn a_server_that_breaks_off_has_failed_however_it_says_so() {
    let right = Right::begin().await;
    for reason in [Reason::INTERNAL_ERROR, Reason::CANCEL, Reason::NO_ERROR] {
        let mut scene = Scene::begin(right.lasting(), whole(3), false).await;
        scene.says("a");
        assert_eq!(scene.next().await, "a");
        scene.upstream.send_reset(reason);
        let error = scene.error().await;
        assert_eq!(scene.failures(), 1, "{reason:?}: {error}");
        assert_eq!(error.is::<BodyError>(), reason == Reason::NO_ERROR, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_falls_silent_has_failed_and_one_that_goes_on_has_not() {
    let right = Right::begin().await;
    let mut scene = Scene::begin(right.lasting(), whole(3), false).await;
    for _ in 0..4 {
        let waits = tokio::time::timeout(IDLE * 9 / 10, scene.body.frame());
        assert!(waits.await.is_err());
        scene.says("a");
        assert_eq!((scene.next().await, scene.failures()), (Bytes::from_static(b"a"), 0));
    }
    let begin = Instant::now();
    let error = scene.error().await;
    assert!(matches!(error.downcast_ref(), Some(BodyError::Stalled(IDLE))), "{error}");
    assert_eq!((begin.elapsed(), scene.failures()), (IDLE, 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_with_the_session_and_its_upstream_sees_that() {
    for (waits, is_sent) in [(true, false), (false, false), (true, true)] {
        let right = Right::begin().await;
        let (body, _client) = of_a_client(9);
        let body = if is_sent { whole(3) } else { body };
        let lasting = right.lasting();
        let mut scene = Scene::begin(Arc::clone(&lasting), body, false).await;
        scene.says("a");
        assert_eq!(scene.next().await, "a");
        right.end().await;
        let begin = Instant::now();
        if !waits {
            // Another task looked.
            scene.says("b");
            let cx = Context::from_waker(std::task::Waker::noop());
            assert!(lasting.look(&cx).is_ready());
        }
        let error = scene.error().await;
        assert!(matches!(error.downcast_ref(), Some(Cut::SessionEnded)), "{error}");
        assert_eq!(begin.elapsed(), if waits { LOOK } else { Duration::ZERO });
        scene.error().await;
        assert_eq!(scene.failures(), 0, "that is no failure of its server");
        // Neither the answer nor the request is wanted any more.
        let reset = poll_fn(|cx| scene.upstream.poll_reset(cx)).await.unwrap();
        assert_eq!(reset, Reason::CANCEL);
        if !is_sent {
            let heard = scene.hears.data().await.unwrap();
            assert!(heard.is_err(), "the request does not end as if it were whole");
        }
        assert!(begin.elapsed() <= LOOK, "{:?}", begin.elapsed());
    }
}
