//! What a client gets of a body that comes in pieces, and in how many writes.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::Response;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex, join};

use super::super::{Arrival, WhileIdle, serve};
use super::body::SMALL;
use crate::base::body::Body;
use crate::base::shutdown::shutdown;
use crate::request::service::{Peer, Service};
use crate::server::listener::Limits;
use crate::wire::incoming::Incoming;
use crate::wire::pace::GRACE;
use crate::wire::reader::Joined;
use crate::wire::stream::{ReadHalf, Stream, WriteHalf};

/// Answers with so many pieces of one byte, and then with nothing more for ever or with the end.
struct Drips {
    pieces: usize,
    ends: bool,
}

impl Service for Drips {
    type Said = Response<Body>;

    async fn call(&self, _: Box<Parts>, _: Incoming, _: &Peer) -> Response<Body> {
        let piece = |_| Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x")));
        let pieces = stream::iter(0..self.pieces).map(piece);
        let rest = if self.ends { stream::empty().boxed() } else { stream::pending().boxed() };
        Response::new(Body::stream(StreamBody::new(pieces.chain(rest))))
    }
}

/// Takes everything, and remembers the length of each write.
#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<usize>>>);

impl AsyncWrite for Writes {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap().push(bytes.len());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        self.0.lock().unwrap().push(length);
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Answers with large pieces, of which the last may fail.
struct Blocks {
    said: Option<usize>,
    fails: bool,
}

impl Service for Blocks {
    type Said = Response<Body>;

    async fn call(&self, _: Box<Parts>, _: Incoming, _: &Peer) -> Response<Body> {
        let block = || Ok(Frame::data(Bytes::from(vec![b'x'; BLOCK])));
        let last = if self.fails { Err(io::Error::other("broken")) } else { block() };
        let body = Body::stream(StreamBody::new(stream::iter([block(), block(), block(), last])));
        let mut response = Response::new(body);
        if let Some(length) = self.said {
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        response
    }
}

const BLOCK: usize = 10 * SMALL;

async fn serve_over<S: Service>(stream: (ReadHalf, WriteHalf), service: &S) {
    let joined = Joined::new(stream);
    let peer = Peer::new("127.0.0.1:1".parse().unwrap(), false);
    let (_stopper, stop) = shutdown();
    serve(joined, Arrival::New, WhileIdle::Stays, service, &peer, &Limits::default(), stop).await;
}

#[tokio::test(start_paused = true)]
async fn pieces_that_are_there_already_go_out_together() {
    let writes = Writes::default();
    let (mut client, ours) = duplex(1024);
    client.write_all(REQUEST).await.unwrap();
    let stream = Stream::split_any(join(ours, writes.clone()));
    // The connection ends when it was idle for long.
    serve_over(stream, &Drips { pieces: 3000, ends: true }).await;
    let writes = writes.0.lock().unwrap().clone();
    assert!(writes.iter().sum::<usize>() > 3000 * 6, "{writes:?}");
    assert!(writes.len() <= 3000 * 6 / SMALL + 2, "{writes:?}");
    assert!(writes.iter().all(|length| *length <= 2 * SMALL), "{writes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_piece_does_not_wait_for_the_next_one() {
    let (mut client, ours) = duplex(64 * 1024);
    client.write_all(REQUEST).await.unwrap();
    let service = Drips { pieces: 2, ends: false };
    let served = serve_over(Stream::split_any(ours), &service);
    let seen = async {
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n1\r\nx\r\n1\r\nx\r\n") {
            assert_ne!(client.read_buf(&mut seen).await.unwrap(), 0);
        }
    };
    tokio::select! {
        () = served => panic!("the answer ended"),
        () = seen => {}
        () = tokio::time::sleep(Duration::from_secs(1)) => panic!("the pieces wait"),
    }
}

/// Takes whatever is written, as TLS does, and has it taken by the client or not.
struct Holds {
    client_takes: bool,
}

impl AsyncWrite for Holds {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.client_takes { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn what_tls_took_and_the_client_does_not_is_given_up() {
    let limits = Limits::default();
    for client_takes in [true, false] {
        let (mut client, ours) = duplex(1024);
        client.write_all(REQUEST).await.unwrap();
        let stream = Stream::split_any(join(ours, Holds { client_takes }));
        let began = tokio::time::Instant::now();
        serve_over(stream, &Drips { pieces: 1, ends: true }).await;
        let took = began.elapsed();
        // A client that takes its answer is idle afterwards; the grace of the others is spent.
        let least = if client_takes { limits.idle_timeout } else { GRACE };
        assert!(took >= least, "{client_takes}: {took:?}");
        assert_eq!(took >= limits.idle_timeout, client_takes, "{took:?}");
    }
}

/// Returns the lengths of the writes, rounded to blocks.
async fn blocks(said: Option<usize>, fails: bool) -> Vec<usize> {
    let writes = Writes::default();
    let (mut client, ours) = duplex(1024);
    client.write_all(REQUEST).await.unwrap();
    let stream = Stream::split_any(join(ours, writes.clone()));
    serve_over(stream, &Blocks { said, fails }).await;
    let writes = writes.0.lock().unwrap();
    writes.iter().map(|length| length / BLOCK).filter(|blocks| *blocks > 0).collect()
}

#[tokio::test(start_paused = true)]
async fn the_beginning_of_a_body_goes_with_what_is_there_of_its_rest() {
    assert_eq!(blocks(Some(4 * BLOCK), false).await, [2, 1, 1]);
    // Each chunk needs a line before it.
    assert_eq!(blocks(None, false).await, [1, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn of_a_body_one_piece_is_held_once_it_has_begun() {
    let writes = Writes::default();
    let (mut client, ours) = duplex(1024);
    client.write_all(REQUEST).await.unwrap();
    let stream = Stream::split_any(join(ours, writes.clone()));
    let ahead = Arc::new(AtomicUsize::new(0));
    let service = Counts { ahead: Arc::clone(&ahead), writes };
    serve_over(stream, &service).await;
    assert_eq!(ahead.load(Ordering::Relaxed), 1, "the second goes with the head");
}

/// Answers with large pieces, and counts those that are taken before the last one is written.
struct Counts {
    ahead: Arc<AtomicUsize>,
    writes: Writes,
}

impl Service for Counts {
    type Said = Response<Body>;

    async fn call(&self, _: Box<Parts>, _: Incoming, _: &Peer) -> Response<Body> {
        let (ahead, writes) = (Arc::clone(&self.ahead), self.writes.clone());
        let pieces = stream::iter(0..8).map(move |number| {
            let written: usize = writes.0.lock().unwrap().iter().sum();
            if written < number * BLOCK {
                ahead.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Infallible>(Frame::data(Bytes::from(vec![b'x'; BLOCK])))
        });
        let mut response = Response::new(Body::stream(StreamBody::new(pieces)));
        response.headers_mut().insert(CONTENT_LENGTH, (8 * BLOCK).into());
        response
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_before_a_body_broke_still_goes_out() {
    assert_eq!(blocks(Some(4 * BLOCK), true).await, [2, 1]);
    assert_eq!(blocks(Some(3 * BLOCK), true).await, [2, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_longer_than_it_said_does_not_become_the_next_answer() {
    assert_eq!(
        blocks(Some(4 * BLOCK - 1), false).await,
        [2, 1],
        "the piece too much is not written"
    );
    assert_eq!(blocks(Some(2 * BLOCK - 1), false).await, [] as [usize; 0]);
    assert_eq!(blocks(Some(2 * BLOCK), false).await, [2], "nobody looks for more");
}

/// Serves one connection of TCP, says what the client got, and whether the end waits for the
/// client.
async fn ends(request: &[u8]) -> (String, bool) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(request).await.unwrap();
    let stream = Stream::Tcp(listener.accept().await.unwrap().0).split();
    let service = Drips { pieces: 1, ends: true };
    let mut served = std::pin::pin!(serve_over(stream, &service));
    let mut seen = Vec::new();
    // The answer and the end of the stream come while the client's side is still open.
    let has_ended = tokio::select! {
        () = &mut served => true,
        read = client.read_to_end(&mut seen) => { read.unwrap(); false }
    };
    if has_ended {
        client.read_to_end(&mut seen).await.unwrap();
    }
    let has_ended =
        has_ended || poll_fn(|cx| Poll::Ready(served.as_mut().poll(cx).is_ready())).await;
    drop(client);
    if !has_ended {
        served.await;
    }
    (String::from_utf8(seen).unwrap(), !has_ended)
}

#[tokio::test]
async fn a_client_that_asked_for_the_end_is_not_waited_for() {
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let (seen, waits) = ends(request).await;
    assert!(seen.starts_with("HTTP/1.1 200") && seen.ends_with("\r\n0\r\n\r\n"), "{seen}");
    assert!(!waits);
}

#[tokio::test]
async fn a_client_that_may_still_be_sending_is_waited_for() {
    // A reset would overtake what is said to it.
    for request in [
        &b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 70000\r\n\r\nx",
    ] {
        let (seen, waits) = ends(request).await;
        assert!(seen.starts_with("HTTP/1.1 "), "{seen}");
        assert!(waits, "{seen}");
    }
}
