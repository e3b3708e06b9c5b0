//! What comes of one exchange: with upstreams that answer well and badly, early and late, that take
//! their time, and that break off.

use std::sync::Mutex;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::wire::pace::Slowest;
use crate::wire::stream::Stream;

/// The time that an upstream has.
const TIME: Duration = Duration::from_secs(2);
/// The length of the request's body.
const LENGTH: usize = 64 * 1024;

/// Watches over nothing: no request is ever cut.
struct Unwatched;

impl Watch for Unwatched {
    fn look(&self, _: bool, _: &Context<'_>) -> Poll<Cut> {
        Poll::Pending
    }

    fn cut(&self) -> Option<Cut> {
        None
    }
}

/// Sends a request to an upstream that takes 1 KiB at a time, with a pause after each, and then
/// answers.
async fn answer_of_one_that_pauses(pause: Duration) -> Result<StatusCode, Error> {
    let (mut client, source) = duplex(LENGTH);
    client.write_all(&[b'x'; LENGTH]).await.unwrap();
    let reader = Reader::new(ReadHalf::Other(Box::new(source)));
    let framing = Framing::Length(LENGTH as u64);
    let (body, _lent) =
        Incoming::wire(reader, framing, false, Slowest { stall: Duration::from_secs(60), rate: 0 });
    let (mut upstream, ours) = duplex(1024);
    let (reader, writer) = Stream::split_any(ours);
    let (reader, deadline) = (Reader::new(reader), Deadline::default());
    let connection = Box::new(Connection { reader, writer, deadline, is_doubtful: true });
    let head = BytesMut::from("POST / HTTP/1.1\r\n\r\n");
    let expected = head.len() + LENGTH;
    tokio::spawn(async move {
        let (mut taken, mut piece) = (0, [0; 1024]);
        while taken < expected {
            taken += upstream.read(&mut piece).await.unwrap();
            tokio::time::sleep(pause).await;
        }
        upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let method = Method::POST;
    let outgoing = Outgoing { head, body, framing, holds_back: false, upgrade: None, method };
    let answered = connection.exchange(outgoing, TIME, Instant::now().into_std(), &Unwatched).await;
    answered.map(|answered| answered.head.status).map_err(|unanswered| unanswered.error)
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_reads_slowly_but_goes_on_is_waited_for() {
    let begin = Instant::now();
    let answer = answer_of_one_that_pauses(TIME / 4).await;
    assert_eq!(answer.unwrap(), StatusCode::OK);
    assert!(begin.elapsed() > TIME * 10, "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_stands_still_in_the_middle_of_a_request_is_not() {
    let begin = Instant::now();
    let answer = answer_of_one_that_pauses(TIME * 2).await;
    assert!(matches!(answer, Err(Error::Slow(TIME))), "{answer:?}");
    assert_eq!(begin.elapsed(), TIME);
}

#[tokio::test]
async fn a_doubtful_connection_and_one_that_waited_are_asked_about_at_the_kernel() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut upstream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let ours = listener.accept().unwrap().0;
    let watched = ours.try_clone().unwrap();
    ours.set_nonblocking(true).unwrap();
    let mut connection =
        Connection::new(Stream::Tcp(tokio::net::TcpStream::from_std(ours).unwrap()).split());
    assert!(connection.is_silent(LULL));
    io::Write::write_all(&mut upstream, b"unasked").unwrap();
    // It is there, but the runtime has had no turn to hear of it.
    watched.set_nonblocking(false).unwrap();
    assert_eq!(watched.peek(&mut [0; 7]).unwrap(), 7);
    watched.set_nonblocking(true).unwrap();
    for (is_doubtful, waited) in [(true, Duration::ZERO), (false, LULL)] {
        connection.is_doubtful = is_doubtful;
        assert!(!connection.is_silent(waited), "{is_doubtful} {waited:?}");
    }
}

/// Watches, and remembers what it was told; ends the exchange at that look, counted from one.
#[derive(Default)]
struct Watcher {
    ends_at: usize,
    /// It was seen elsewhere that it must end.
    is_cut: bool,
    looks: Mutex<Vec<bool>>,
    interim: Mutex<Vec<u16>>,
}

impl Watch for Watcher {
    fn look(&self, is_under_way: bool, _: &Context<'_>) -> Poll<Cut> {
        let mut looks = self.looks.lock().unwrap();
        looks.push(is_under_way);
        if looks.len() == self.ends_at { Poll::Ready(Cut::SessionEnded) } else { Poll::Pending }
    }

    fn cut(&self) -> Option<Cut> {
        self.is_cut.then_some(Cut::NotAllowed)
    }

    fn interim(&self, head: &ResponseHead) {
        self.interim.lock().unwrap().push(head.status.as_u16());
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
const HINTS: &str = "HTTP/1.1 103 Early Hints\r\n\r\n";
const NOTHING: Duration = Duration::ZERO;

fn get() -> Outgoing {
    Outgoing {
        head: BytesMut::from("GET / HTTP/1.1\r\n\r\n"),
        body: Incoming::empty(),
        framing: Framing::NONE,
        holds_back: false,
        upgrade: None,
        method: Method::GET,
    }
}

/// A request with a body of that many bytes, which are all there.
fn post(length: usize) -> Outgoing {
    let body = Incoming::whole(Bytes::from(vec![b'x'; length]));
    posted(body, length)
}

fn posted(body: Incoming, length: usize) -> Outgoing {
    let head = BytesMut::from("POST / HTTP/1.1\r\n\r\n");
    let framing = Framing::Length(length as u64);
    Outgoing { head, body, framing, method: Method::POST, ..get() }
}

/// A request whose client is to send so many bytes, and the client.
fn post_of_a_client(length: usize) -> (Outgoing, DuplexStream) {
    let (client, source) = duplex(LENGTH);
    let reader = Reader::new(ReadHalf::Other(Box::new(source)));
    let slowest = Slowest { stall: Duration::from_secs(3600), rate: 0 };
    let (body, _) = Incoming::wire(reader, Framing::Length(length as u64), false, slowest);
    (posted(body, length), client)
}

fn holding_back(outgoing: Outgoing) -> Outgoing {
    Outgoing { holds_back: true, ..outgoing }
}

fn upgrading(protocols: &'static str) -> Outgoing {
    Outgoing { upgrade: Some(HeaderValue::from_static(protocols)), ..get() }
}

/// A connection, and its upstream, which has room for so much that it does not read.
fn connected(room: usize) -> (Box<Connection>, DuplexStream) {
    let (upstream, ours) = duplex(room);
    let (reader, writer) = Stream::split_any(ours);
    let (reader, deadline) = (Reader::new(reader), Deadline::default());
    (Box::new(Connection { reader, writer, deadline, is_doubtful: false }), upstream)
}

async fn exchange(
    connection: Box<Connection>,
    outgoing: Outgoing,
    watch: &dyn Watch,
) -> Result<Answered, Unanswered> {
    connection.exchange(outgoing, TIME, Instant::now().into_std(), watch).await
}

/// What comes of a request to an upstream that says this at once and hangs up.
async fn answer(outgoing: Outgoing, said: &str) -> Result<Answered, Unanswered> {
    let (connection, mut upstream) = connected(LENGTH);
    upstream.write_all(said.as_bytes()).await.unwrap();
    upstream.shutdown().await.unwrap();
    exchange(connection, outgoing, &Unwatched).await
}

fn error(result: Result<Answered, Unanswered>) -> Error {
    match result {
        Ok(answered) => panic!("it was answered: {:?}", answered.head),
        Err(unanswered) => unanswered.error,
    }
}

#[tokio::test]
async fn an_answer_counts_and_what_is_none_does_not() {
    assert_eq!(answer(get(), OK).await.ok().unwrap().head.status, StatusCode::OK);
    assert!(matches!(error(answer(get(), "").await), Error::Died(_)));
    for said in ["HTTP/1.1 200 OK\r\n", "nonsense\r\n\r\n", HINTS.trim_end()] {
        let refused = error(answer(get(), said).await);
        assert!(matches!(refused, Error::BadAnswer(_)), "{said}: {refused:?}");
    }
    let two = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert!(matches!(error(answer(get(), two).await), Error::BadAnswer(_)));
}

#[tokio::test]
async fn protocols_are_switched_to_one_that_was_asked_for_and_to_no_other() {
    let switch = |protocol: &str| {
        format!("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n{protocol}\r\n")
    };
    for (outgoing, said, is_wanted) in [
        (upgrading("websocket"), "Upgrade: websocket\r\n", true),
        (upgrading("h2c, websocket"), "Upgrade:  WebSocket\r\n", true),
        (upgrading("chat"), "Upgrade: websocket\r\n", false),
        (upgrading("websocket"), "", false),
        (get(), "Upgrade: websocket\r\n", false),
    ] {
        let found = answer(outgoing, &switch(said)).await;
        assert_eq!(found.is_ok(), is_wanted, "{said}");
        match found {
            Ok(answered) => assert_eq!(answered.head.status, StatusCode::SWITCHING_PROTOCOLS),
            found => assert!(matches!(error(found), Error::BadAnswer(_)), "{said}"),
        }
    }
}

#[tokio::test]
async fn interim_answers_go_on_to_the_client_but_for_100_and_there_may_be_so_many() {
    for interim in [HINTS, CONTINUE] {
        for (count, is_well) in [(MOST_INTERIM, true), (MOST_INTERIM + 1, false)] {
            let (connection, mut upstream) = connected(LENGTH);
            upstream.write_all((interim.repeat(count) + OK).as_bytes()).await.unwrap();
            let watcher = Watcher::default();
            let answered = exchange(connection, get(), &watcher).await;
            assert_eq!(answered.is_ok(), is_well, "{count} of {interim}");
            assert!(is_well || matches!(error(answered), Error::BadAnswer(_)));
            let told = watcher.interim.into_inner().unwrap();
            let expected = if interim == HINTS { vec![103; MOST_INTERIM] } else { Vec::new() };
            assert_eq!(told, expected, "{count} of {interim}");
        }
    }
}

#[tokio::test]
async fn a_connection_is_in_doubt_after_what_two_sides_could_count_in_two_ways() {
    let head = Outgoing { method: Method::HEAD, ..get() };
    let switch = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\n\r\n";
    for (outgoing, said, is_doubtful) in [
        (get(), OK.to_owned(), false),
        (get(), format!("{HINTS}{OK}"), true),
        (get(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(), true),
        (get(), "HTTP/1.1 204 No Content\r\n\r\n".to_owned(), true),
        (head, OK.to_owned(), true),
        (post(3), OK.to_owned(), true),
        (upgrading("a"), switch.to_owned(), true),
        (upgrading("a"), OK.to_owned(), true),
    ] {
        let answered = answer(outgoing, &said).await.ok().unwrap();
        assert_eq!(answered.connection.is_doubtful, is_doubtful, "{said}");
        assert!(answered.request_writer.is_none() && answered.head.keep_alive, "{said}");
    }
}

#[tokio::test]
async fn what_is_still_to_be_written_goes_on_after_an_early_answer() {
    let (connection, mut upstream) = connected(1024);
    upstream.write_all(OK.as_bytes()).await.unwrap();
    let early = exchange(connection, post(LENGTH), &Unwatched).await.ok().unwrap();
    assert!(early.request_writer.is_some() && early.head.keep_alive);
    // One that answered and hung up gets no more, and is not used again.
    let (connection, mut upstream) = connected(1024);
    upstream.write_all(OK.as_bytes()).await.unwrap();
    drop(upstream);
    let gone = exchange(connection, post(LENGTH), &Unwatched).await.ok().unwrap();
    assert!(gone.request_writer.is_none() && !gone.head.keep_alive);
}

#[tokio::test]
async fn what_can_be_sent_again_comes_back_and_what_broke_in_the_middle_says_so() {
    let (unread, _client) = post_of_a_client(9);
    for (outgoing, room, comes_back, is_cut_short) in [
        (get(), 1024, true, false),
        // Not of a body that may have been read, wherever it broke off.
        (post(9), 1024, false, false),
        (post(LENGTH), 1024, false, true),
        (unread, 1024, false, true),
        (holding_back(post(9)), 1024, true, false),
        (get(), 4, true, false),
    ] {
        let (connection, mut upstream) = connected(room);
        let what = format!("{} {:?} {room}", outgoing.method, outgoing.framing);
        let asked = tokio::spawn(async move { exchange(connection, outgoing, &Unwatched).await });
        upstream.read_u8().await.unwrap();
        drop(upstream);
        let unanswered = asked.await.unwrap().err().unwrap();
        assert!(matches!(unanswered.error, Error::Died(_)), "{what}: {:?}", unanswered.error);
        assert_eq!(unanswered.body.is_some(), comes_back, "{what}");
        assert_eq!(unanswered.is_cut_short, is_cut_short, "{what}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_the_fault_of_the_client() {
    let (outgoing, mut client) = post_of_a_client(9);
    let (connection, _upstream) = connected(1024);
    client.write_all(b"abc").await.unwrap();
    drop(client);
    let found = error(exchange(connection, outgoing, &Unwatched).await);
    assert!(matches!(found, Error::Body(_)), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_says_nothing_is_waited_for_from_when_the_request_began() {
    for earlier in [NOTHING, TIME / 2] {
        let (connection, _upstream) = connected(1024);
        let (begin, now) = (Instant::now(), Instant::now().into_std());
        let now = now.checked_sub(earlier).unwrap();
        let found = error(connection.exchange(get(), TIME, now, &Unwatched).await);
        assert!(matches!(found, Error::Slow(TIME)), "{found:?}");
        assert_eq!(begin.elapsed(), TIME - earlier);
    }
}

#[tokio::test(start_paused = true)]
async fn no_upstream_is_blamed_for_a_client_that_takes_its_time() {
    let (outgoing, mut client) = post_of_a_client(2);
    let (connection, mut upstream) = connected(1024);
    let begin = Instant::now();
    tokio::spawn(async move {
        for byte in [b'a', b'b'] {
            tokio::time::sleep(TIME * 10).await;
            client.write_all(&[byte]).await.unwrap();
        }
        std::future::pending::<()>().await;
    });
    let found = error(exchange(connection, outgoing, &Unwatched).await);
    assert!(matches!(found, Error::Slow(TIME)), "{found:?}");
    // It counts from the moment at which all of it was written.
    assert_eq!(begin.elapsed(), TIME * 21);
    let mut taken = Vec::new();
    upstream.read_to_end(&mut taken).await.unwrap();
    assert!(taken.ends_with(b"\r\n\r\nab"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_held_back_goes_when_it_is_asked_for_or_after_a_while() {
    for (pause, expected) in [(CONSENT / 2, CONSENT / 2), (CONSENT * 9, CONSENT)] {
        let (connection, mut upstream) = connected(1024);
        let upstream = tokio::spawn(async move {
            let mut taken = vec![0; post(0).head.len()];
            upstream.read_exact(&mut taken).await.unwrap();
            let begin = Instant::now();
            let body = async {
                upstream.read_exact(&mut taken[..3]).await.unwrap();
                begin.elapsed()
            };
            let waited = match tokio::time::timeout(pause, body).await {
                Ok(waited) => waited,
                Err(_) => {
                    upstream.write_all(CONTINUE.as_bytes()).await.unwrap();
                    upstream.read_exact(&mut taken[..3]).await.unwrap();
                    begin.elapsed()
                }
            };
            upstream.write_all(OK.as_bytes()).await.unwrap();
            waited
        });
        let answered = exchange(connection, holding_back(post(3)), &Unwatched).await;
        assert_eq!(answered.ok().unwrap().head.status, StatusCode::OK);
        assert_eq!(upstream.await.unwrap().as_millis(), expected.as_millis());
    }
    // The time of the upstream begins anew with the body.
    let ((connection, _upstream), begin) = (connected(1024), Instant::now());
    assert!(matches!(
        error(exchange(connection, holding_back(post(3)), &Unwatched).await),
        Error::Slow(TIME)
    ));
    assert_eq!(begin.elapsed(), CONSENT + TIME);
    // So it does when the body was asked for and went at once.
    let (connection, mut upstream) = connected(1024);
    upstream.write_all(CONTINUE.as_bytes()).await.unwrap();
    let begin = Instant::now();
    let found = error(exchange(connection, holding_back(post(3)), &Unwatched).await);
    assert!(matches!(found, Error::Slow(TIME)), "{found:?}");
    assert_eq!(begin.elapsed(), TIME);
    // One that has less time than that has not more because of it.
    let ((connection, _upstream), begin) = (connected(1024), Instant::now());
    let (time, now) = (CONSENT / 4, Instant::now().into_std());
    let found = connection.exchange(holding_back(post(3)), time, now, &Unwatched).await;
    assert!(matches!(error(found), Error::Slow(_)));
    assert_eq!(begin.elapsed(), time * 2);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_stopped_reading_has_a_little_time_for_its_last_word() {
    let small = || holding_back(post(3));
    for (outgoing, time, expected, says) in [
        (post(LENGTH), LAST_WORD * 2, LAST_WORD, false),
        (post(LENGTH), LAST_WORD / 2, LAST_WORD / 2, false),
        (post(LENGTH), LAST_WORD * 2, LAST_WORD, true),
        // Nobody waits for leave to send it the body.
        (small(), LAST_WORD * 2, LAST_WORD, false),
        (small(), LAST_WORD * 2, LAST_WORD, true),
    ] {
        // It reads nothing more, but does not hang up.
        let (mut upstream, from) = duplex(1024);
        let (reader, writer) = Stream::split_any(tokio::io::join(from, duplex(1).0));
        let (reader, deadline) = (Reader::new(reader), Deadline::default());
        let connection = Box::new(Connection { reader, writer, deadline, is_doubtful: true });
        let (begin, now) = (Instant::now(), Instant::now().into_std());
        let asked = connection.exchange(outgoing, time, now, &Unwatched);
        let said = async {
            if says {
                tokio::time::sleep(expected - Duration::from_millis(10)).await;
                upstream.write_all(OK.as_bytes()).await.unwrap();
            }
        };
        let (answered, ()) = tokio::join!(asked, said);
        assert_eq!(answered.is_ok(), says);
        if !says {
            let error = error(answered);
            let Error::Died(error) = &error else { panic!("{error:?}") };
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            assert_eq!(begin.elapsed(), expected);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_exchange_is_looked_at_while_it_lasts_and_ends_when_it_may_not_go_on() {
    let (outgoing, _client) = post_of_a_client(2);
    for (outgoing, is_under_way) in [(get(), false), (outgoing, true), (post(LENGTH), true)] {
        let (connection, _upstream) = connected(1024);
        let watcher = Watcher { ends_at: 3, ..Watcher::default() };
        let begin = Instant::now();
        let found = error(exchange(connection, outgoing, &watcher).await);
        assert!(matches!(found, Error::Cut(Cut::SessionEnded)), "{found:?}");
        assert_eq!(begin.elapsed(), LOOK * 3);
        assert_eq!(watcher.looks.into_inner().unwrap(), [is_under_way; 3]);
    }
    // What was seen elsewhere ends it too.
    let (connection, _upstream) = connected(1024);
    let watcher = Watcher { is_cut: true, ..Watcher::default() };
    let begin = Instant::now();
    let found = error(exchange(connection, get(), &watcher).await);
    assert!(matches!(found, Error::Cut(Cut::NotAllowed)), "{found:?}");
    assert_eq!(begin.elapsed(), NOTHING);
}
