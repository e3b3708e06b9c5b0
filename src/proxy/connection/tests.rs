//! Upstreams that take their time.

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;
use crate::wire::pace::Slowest;
use crate::wire::stream::ReadHalf;

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
    let answer = answer_of_one_that_pauses(TIME * 2).await;
    assert!(matches!(answer, Err(Error::Slow(TIME))), "{answer:?}");
}

#[tokio::test]
async fn a_doubtful_connection_and_one_that_waited_are_asked_about_at_the_kernel() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut upstream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let ours = listener.accept().unwrap().0;
    let watched = ours.try_clone().unwrap();
    ours.set_nonblocking(true).unwrap();
    let mut connection =
        Connection::new(Stream::Tcp(tokio::net::TcpStream::from_std(ours).unwrap()));
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
