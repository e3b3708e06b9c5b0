//! A connection as one task: it reads frames, lets the streams go on that can, and sends what they
//! wrote in one piece.
//!
//! 1. The streams are polled in their place, each when it was woken. None has a task or a channel,
//!    and what they send goes out in the turn in which they send it.
//! 2. The rounds of a turn are bounded: other connections have their turn, too.

use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake as _, Waker};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::CatchUnwind;
use futures_util::stream::{FuturesUnordered, Stream as _};
use h2::{Reason, RecvStream, server};
use http::Request;
use tokio_io_timeout::TimeoutStream;

use super::alive::Alive;
use super::gathered::Gathered;
use super::inspected::Inspected;
use super::presence::Presence;
use super::turn::{Part, Turn};
use crate::wire::reader::Joined;

/// What frames are read from and written to.
pub(super) type Socket = Gathered<Pin<Box<TimeoutStream<Joined>>>>;

/// A request that has not been looked at yet, and the way of its answer.
pub(super) type Arrived = (Request<RecvStream>, server::SendResponse<Bytes>);

/// What happens to one request until its answer was handed over.
pub(super) type Exchange = Pin<Box<dyn Future<Output = ()> + Send>>;

type Guarded = CatchUnwind<AssertUnwindSafe<Exchange>>;

/// A connection after the handshake.
pub(super) struct Connection<B> {
    frames: server::Connection<Inspected<Socket>, Bytes>,
    socket: Socket,
    exchanges: FuturesUnordered<Guarded>,
    begin: B,
    alive: Option<Alive>,
    presence: Arc<Presence>,
    turn: Arc<Turn>,
    frames_part: Arc<Part>,
    exchanges_part: Arc<Part>,
    is_silent: bool,
}

/// Why a connection ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Http2(#[from] h2::Error),
    #[error("what was written could not be sent")]
    Socket(#[from] io::Error),
    #[error("a PING was not answered")]
    NoPong,
}

impl Error {
    /// Says why we cut a connection, if it was we who did. RFC 9113 7 has the names.
    pub(super) fn name(&self) -> Option<&'static str> {
        match self {
            Self::NoPong => Some("no_pong"),
            Self::Http2(error) => error.is_library().then(|| name(error.reason())),
            Self::Socket(_) => None,
        }
    }
}

fn name(reason: Option<Reason>) -> &'static str {
    match reason {
        Some(Reason::ENHANCE_YOUR_CALM) => "enhance_your_calm",
        Some(Reason::PROTOCOL_ERROR) => "protocol_error",
        Some(Reason::FLOW_CONTROL_ERROR) => "flow_control_error",
        Some(Reason::FRAME_SIZE_ERROR) => "frame_size_error",
        Some(Reason::COMPRESSION_ERROR) => "compression_error",
        Some(Reason::STREAM_CLOSED) => "stream_closed",
        _ => "other",
    }
}

/// Shakes hands (RFC 9113 3.4): the settings go out, and the client's preface comes.
pub(super) async fn shake_hands(
    settings: &server::Builder,
    socket: &Socket,
    presence: &Arc<Presence>,
    longest: usize,
) -> Result<server::Connection<Inspected<Socket>, Bytes>, Error> {
    let inspected = Inspected::new(socket.clone(), Arc::clone(presence), longest);
    let mut handshake = settings.handshake(inspected);
    std::future::poll_fn(|cx| {
        let done = Pin::new(&mut handshake).poll(cx);
        match socket.poll_send(cx) {
            Poll::Ready(Err(error)) if done.is_pending() => Poll::Ready(Err(error.into())),
            _ => done.map_err(Error::from),
        }
    })
    .await
}

impl<B: FnMut(Arrived) -> Exchange> Connection<B> {
    /// `begin` is what becomes of a request.
    pub(super) fn new(
        mut frames: server::Connection<Inspected<Socket>, Bytes>,
        socket: Socket,
        presence: Arc<Presence>,
        begin: B,
    ) -> Self {
        let turn = Arc::new(Turn::default());
        Self {
            alive: frames.ping_pong().map(Alive::new),
            frames,
            socket,
            exchanges: FuturesUnordered::new(),
            begin,
            presence,
            frames_part: Part::new(&turn),
            exchanges_part: Part::new(&turn),
            turn,
            is_silent: false,
        }
    }

    /// Takes no new requests, and ends when those that came are answered (RFC 9113 6.8).
    pub(super) fn end(&mut self) {
        self.frames.graceful_shutdown();
        self.frames_part.wake_by_ref();
    }

    /// Ends the connection for the streams, too: each hears of it, and notes what that means to it.
    pub(super) fn close(self) {
        let Self { frames, mut exchanges, exchanges_part, .. } = self;
        drop(frames);
        let waker = Waker::from(Arc::clone(&exchanges_part));
        for _ in 0..ROUNDS {
            if exchanges_part.take_woken() {
                poll_all(&mut exchanges, &waker);
            }
        }
    }

    /// Is ready when the connection has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.turn.begin(cx.waker());
        let ended = self.poll_parts();
        self.turn.end([&self.frames_part, &self.exchanges_part]);
        ended
    }

    fn poll_parts(&mut self) -> Poll<Result<(), Error>> {
        let [frames, exchanges] =
            [&self.frames_part, &self.exchanges_part].map(|part| Waker::from(Arc::clone(part)));
        let mut cx = Context::from_waker(&frames);
        let mut ended = Poll::Pending;
        for _ in 0..ROUNDS {
            let has_exchanges = self.exchanges_part.take_woken();
            if has_exchanges {
                poll_all(&mut self.exchanges, &exchanges);
            }
            let has_frames = self.frames_part.take_woken();
            if has_frames {
                ended = self.poll_frames(&mut cx);
            }
            if ended.is_ready() || !(has_exchanges || has_frames) {
                break;
            }
        }
        if let Some(alive) = &mut self.alive
            && alive.poll_silent(&self.presence, || self.socket.took(), &mut cx).is_ready()
        {
            (self.alive, self.is_silent) = (None, true);
            self.frames.abrupt_shutdown(Reason::NO_ERROR);
            frames.wake_by_ref();
        }
        match self.socket.poll_send(&mut cx) {
            Poll::Ready(Err(error)) if ended.is_pending() => Poll::Ready(Err(error.into())),
            _ => ended,
        }
    }

    /// Reads and writes frames, and begins what came; is ready at the end of the connection.
    fn poll_frames(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match self.frames.poll_accept(cx) {
                Poll::Ready(Some(Ok(arrived))) => {
                    // One that panics takes only its own stream along.
                    let exchange = AssertUnwindSafe((self.begin)(arrived)).catch_unwind();
                    self.exchanges.push(exchange);
                    self.exchanges_part.wake_by_ref();
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error.into())),
                Poll::Ready(None) if self.is_silent => return Poll::Ready(Err(Error::NoPong)),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// Lets the streams go on that were woken.
fn poll_all(exchanges: &mut FuturesUnordered<Guarded>, waker: &Waker) {
    let mut cx = Context::from_waker(waker);
    while let Poll::Ready(Some(_)) = Pin::new(&mut *exchanges).poll_next(&mut cx) {}
}

/// How often streams and frames have their go in a turn.
const ROUNDS: usize = 4;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use h2::client::{ResponseFuture, SendRequest};
    use http::Response;
    use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

    use super::*;
    use crate::wire::reader::Reader;
    use crate::wire::stream::Stream;

    /// Counts how often something is written.
    struct Counted(DuplexStream, Arc<AtomicUsize>);

    impl AsyncRead for Counted {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buffer)
        }
    }

    impl AsyncWrite for Counted {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Pin::new(&mut self.0).poll_write(cx, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }

    /// Answers each request with a body, and counts what is written to the client.
    fn serve(ours: DuplexStream) -> (Arc<AtomicUsize>, Arc<Presence>) {
        let (writes, presence) = (Arc::new(AtomicUsize::new(0)), Presence::new());
        let (reader, writer) = Stream::split_any(Counted(ours, Arc::clone(&writes)));
        let joined = Joined { reader: Reader::new(reader), writer };
        let socket = Gathered::new(Box::pin(TimeoutStream::new(joined)));
        let heard = Arc::clone(&presence);
        tokio::spawn(async move {
            let settings = server::Builder::new();
            let frames = shake_hands(&settings, &socket, &heard, 1000).await.unwrap();
            let begin = |(request, mut respond): Arrived| -> Exchange {
                Box::pin(async move {
                    tokio::task::yield_now().await;
                    let length = request.uri().path()[1..].parse().unwrap_or(1000);
                    assert_ne!(length, 13, "a handler has its faults");
                    let mut stream = respond.send_response(Response::new(()), false).unwrap();
                    stream.send_data(vec![0; length].into(), true).unwrap();
                })
            };
            let mut connection = Connection::new(frames, socket, heard, begin);
            std::future::poll_fn(|cx| connection.poll(cx)).await
        });
        (writes, presence)
    }

    #[tokio::test]
    async fn answers_of_one_turn_go_out_in_one_piece() {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (writes, _) = serve(ours);
        let (client, connection) = h2::client::handshake(theirs).await.unwrap();
        tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        assert_eq!(read(ask(&mut client, 1000)).await.unwrap(), 1000);
        let before = writes.load(Ordering::Relaxed);
        let answers: Vec<_> = (0..4).map(|_| ask(&mut client, 1000)).collect();
        for answer in answers {
            assert_eq!(read(answer).await.unwrap(), 1000);
        }
        assert_eq!(writes.load(Ordering::Relaxed) - before, 1);
    }

    /// Asks for so many bytes.
    fn ask(client: &mut SendRequest<Bytes>, length: usize) -> ResponseFuture {
        let request = Request::get(format!("https://portal.test/{length}")).body(()).unwrap();
        client.send_request(request, true).unwrap().0
    }

    async fn read(answer: ResponseFuture) -> Result<usize, h2::Error> {
        let mut body = answer.await?.into_body();
        Ok(body.data().await.unwrap()?.len())
    }

    #[tokio::test]
    async fn a_panic_takes_its_own_stream_and_no_other() {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let _ = serve(ours);
        let (mut client, connection) = h2::client::handshake(theirs).await.unwrap();
        tokio::spawn(connection);
        let answers = [1000, 13, 2000].map(|length| ask(&mut client, length));
        let mut came = Vec::new();
        for answer in answers {
            came.push(read(answer).await.map_err(|error| error.reason()));
        }
        assert_eq!(came, [Ok(1000), Err(Some(Reason::CANCEL)), Ok(2000)]);
        assert_eq!(read(ask(&mut client, 1)).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_something_is_there_before_its_answer_can_be() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (ours, mut theirs) = tokio::io::duplex(1 << 10);
        let _ = serve(ours);
        // Windows that hold back nothing, and GET /60000 (RFC 7541 6).
        theirs.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let head = b"\x82\x87\x04\x06/60000\x41\x0bportal.test";
        let length = u8::try_from(head.len()).unwrap();
        theirs.write_all(&[0, 0, length, 1, 5, 0, 0, 0, 1]).await.unwrap();
        theirs.write_all(head).await.unwrap();
        // A PING waits behind all of it for five minutes.
        let mut came = 0;
        while came < 60_000 {
            let read = theirs.read(&mut [0; 1000]).await.unwrap();
            assert!(read > 0, "it was given up after {came}");
            came += read;
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_answers_no_ping_is_gone_and_one_that_does_is_not() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let minutes = Duration::from_secs(180);
        // h2 answers by itself.
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (_, presence) = serve(ours);
        let (_client, connection) = h2::client::handshake(theirs).await.unwrap();
        let there = tokio::time::timeout(minutes, connection).await;
        assert!(there.is_err(), "it is still there");
        assert!(presence.heard().elapsed() < Duration::from_secs(30));
        // Somebody else says nothing but hello.
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        let _ = serve(ours);
        theirs.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let begin = tokio::time::Instant::now();
        theirs.read_to_end(&mut Vec::new()).await.unwrap();
        assert_eq!(begin.elapsed().as_secs(), 40);
    }
}
