//! What an upstream gets, and in how many writes.

use std::future::poll_fn;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex};

use super::*;
use crate::wire::pace::Slowest;
use crate::wire::reader::Reader;
use crate::wire::stream::{ReadHalf, Stream};

/// An upstream that takes everything, and remembers each write.
#[derive(Clone, Default)]
struct Upstream {
    writes: Arc<Mutex<Vec<Vec<u8>>>>,
    /// How often it still holds something back when it is told not to, as TLS does.
    holds_back: Arc<AtomicUsize>,
}

impl Upstream {
    fn writer(&self) -> WriteHalf {
        Stream::split_any(self.clone()).1
    }

    fn writes(&self) -> Vec<Vec<u8>> {
        self.writes.lock().unwrap().clone()
    }
}

impl AsyncRead for Upstream {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Upstream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes = slices.iter().flat_map(|slice| slice.to_vec()).collect::<Vec<_>>();
        let length = bytes.len();
        self.writes.lock().unwrap().push(bytes);
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let less = |left: usize| left.checked_sub(1);
        if self.holds_back.fetch_update(Relaxed, Relaxed, less).is_ok() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const HEAD: &str = "POST / HTTP/1.1\r\n\r\n";

/// A request whose body comes as chunks, and its client.
fn chunked(framing: Framing) -> (RequestWriter, DuplexStream) {
    let (client, source) = duplex(1 << 20);
    let reader = Reader::new(ReadHalf::Other(Box::new(source)));
    let (body, _) = Incoming::wire(
        reader,
        Framing::Chunked,
        false,
        Slowest { stall: Duration::from_secs(60), rate: 0 },
    );
    (RequestWriter::new(BytesMut::from(HEAD), body, framing, false), client)
}

async fn poll_once(
    request_writer: &mut RequestWriter,
    writer: &mut WriteHalf,
) -> Poll<Result<(), Failed>> {
    poll_fn(|cx| Poll::Ready(request_writer.poll(writer, cx))).await
}

fn text(writes: &[Vec<u8>]) -> String {
    String::from_utf8(writes.concat()).unwrap()
}

#[tokio::test]
async fn bytes_that_come_one_by_one_and_are_there_already_go_out_together() {
    for framing in [Framing::Chunked, Framing::Length(3000)] {
        let (upstream, (mut request_writer, mut client)) = (Upstream::default(), chunked(framing));
        client.write_all("1\r\nx\r\n".repeat(3000).as_bytes()).await.unwrap();
        client.write_all(b"0\r\n\r\n").await.unwrap();
        let mut writer = upstream.writer();
        assert!(poll_once(&mut request_writer, &mut writer).await.is_ready());
        assert_eq!(request_writer.state(), State::Done);
        let (writes, is_chunked) = (upstream.writes(), framing == Framing::Chunked);
        let most = if is_chunked { 3000 * 6 / SMALL + 1 } else { 1 };
        assert!(writes.len() <= most, "{} writes", writes.len());
        assert!(writes.iter().all(|write| write.len() <= 2 * SMALL));
        let sent = text(&writes);
        let expected = if is_chunked {
            format!("{HEAD}{}0\r\n\r\n", "1\r\nx\r\n".repeat(3000))
        } else {
            format!("{HEAD}{}", "x".repeat(3000))
        };
        assert!(sent == expected, "{} bytes", sent.len());
    }
}

#[tokio::test]
async fn a_piece_does_not_wait_for_the_next_one() {
    let (upstream, (mut request_writer, mut client)) =
        (Upstream::default(), chunked(Framing::Chunked));
    let mut writer = upstream.writer();
    assert!(poll_once(&mut request_writer, &mut writer).await.is_pending());
    assert_eq!(text(&upstream.writes()), HEAD, "the head waits for nobody");
    for (number, piece) in ["1\r\na\r\n", "2\r\nbc\r\n", "0\r\n\r\n"].into_iter().enumerate() {
        client.write_all(piece.as_bytes()).await.unwrap();
        let is_last = piece.starts_with('0');
        assert_eq!(poll_once(&mut request_writer, &mut writer).await.is_ready(), is_last);
        let writes = upstream.writes();
        assert_eq!((writes.len(), &*writes[number + 1]), (number + 2, piece.as_bytes()));
    }
}

#[tokio::test]
async fn a_large_piece_is_not_copied_and_goes_out_with_what_frames_it() {
    let (upstream, (mut request_writer, mut client)) =
        (Upstream::default(), chunked(Framing::Chunked));
    let large = format!("1\r\na\r\n{:x}\r\n{}\r\n0\r\n\r\n", SMALL + 1, "y".repeat(SMALL + 1));
    client.write_all(large.as_bytes()).await.unwrap();
    let mut writer = upstream.writer();
    assert!(poll_once(&mut request_writer, &mut writer).await.is_ready());
    let writes = upstream.writes();
    assert_eq!((writes.len(), text(&writes)), (2, format!("{HEAD}{large}")));
}

#[tokio::test]
async fn a_body_that_is_shorter_or_longer_than_it_was_said_to_be_does_not_pass() {
    for length in [2, 4] {
        let (upstream, (mut request_writer, mut client)) =
            (Upstream::default(), chunked(Framing::Length(length)));
        client.write_all(b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n").await.unwrap();
        let written = poll_once(&mut request_writer, &mut upstream.writer()).await;
        assert!(matches!(written, Poll::Ready(Err(Failed::Client(BodyError::Incomplete)))));
    }
}

#[tokio::test]
async fn it_is_not_done_before_the_upstream_has_taken_the_end() {
    let (mut upstream, ours) = duplex(8);
    let mut writer = Stream::split_any(ours).1;
    let (mut request_writer, mut client) = chunked(Framing::Chunked);
    client.write_all(b"1\r\na\r\n0\r\n\r\n").await.unwrap();
    let mut taken = Vec::new();
    while poll_once(&mut request_writer, &mut writer).await.is_pending() {
        // To agree changes nothing where that was not waited for.
        request_writer.consent();
        assert_eq!(request_writer.state(), State::Upstream, "{}", taken.escape_ascii());
        let mut piece = [0; 8];
        let length = upstream.read(&mut piece).await.unwrap();
        taken.extend_from_slice(&piece[..length]);
    }
    request_writer.consent();
    assert_eq!(request_writer.state(), State::Done);
    drop(writer);
    drop(request_writer);
    upstream.read_to_end(&mut taken).await.unwrap();
    assert_eq!(String::from_utf8(taken).unwrap(), format!("{HEAD}1\r\na\r\n0\r\n\r\n"));
}

#[tokio::test]
async fn it_is_not_done_before_what_is_held_back_has_left() {
    let (upstream, (mut request_writer, mut client)) =
        (Upstream::default(), chunked(Framing::Chunked));
    client.write_all(b"0\r\n\r\n").await.unwrap();
    upstream.holds_back.store(2, Relaxed);
    let mut writer = upstream.writer();
    for _ in 0..2 {
        assert!(poll_once(&mut request_writer, &mut writer).await.is_pending());
        assert_eq!(request_writer.state(), State::Upstream);
    }
    assert!(poll_once(&mut request_writer, &mut writer).await.is_ready());
    assert_eq!(request_writer.state(), State::Done);
}

#[tokio::test]
async fn what_is_held_back_in_the_middle_is_not_the_upstreams_delay() {
    let (upstream, (mut request_writer, mut client)) =
        (Upstream::default(), chunked(Framing::Chunked));
    client.write_all(b"1\r\na\r\n").await.unwrap();
    upstream.holds_back.store(1, Relaxed);
    assert!(poll_once(&mut request_writer, &mut upstream.writer()).await.is_pending());
    assert_eq!(request_writer.state(), State::Client);
}

/// Polls until it is done, while the upstream reads; returns what it got of that.
async fn taken(
    request_writer: &mut RequestWriter,
    writer: &mut WriteHalf,
    upstream: &mut DuplexStream,
    room: usize,
) -> String {
    let (mut taken, before) = (Vec::new(), request_writer.written());
    while poll_once(request_writer, writer).await.is_pending() {
        let mut piece = vec![0; room];
        let length = upstream.read(&mut piece).await.unwrap();
        taken.extend_from_slice(&piece[..length]);
    }
    while taken.len() < usize::try_from(request_writer.written() - before).unwrap() {
        taken.push(upstream.read_u8().await.unwrap());
    }
    String::from_utf8(taken).unwrap()
}

#[tokio::test]
async fn what_stands_behind_a_piece_and_behind_the_body_is_written_too() {
    let piece = format!("{:x}\r\n{}", SMALL + 1, "y".repeat(SMALL + 1));
    let text = format!("{piece}\r\n0\r\nx-sum: 1\r\n\r\n");
    // All but the end of the piece fits.
    let room = HEAD.len() + piece.len();
    let (mut upstream, ours) = duplex(room);
    let mut writer = Stream::split_any(ours).1;
    let (mut request_writer, mut client) = chunked(Framing::Chunked);
    client.write_all(text.as_bytes()).await.unwrap();
    let taken = taken(&mut request_writer, &mut writer, &mut upstream, room).await;
    assert_eq!(taken, format!("{HEAD}{text}"));
}

#[tokio::test]
async fn a_body_is_held_back_however_slowly_its_head_is_taken() {
    let (mut upstream, ours) = duplex(8);
    let mut writer = Stream::split_any(ours).1;
    let body = Incoming::whole(Bytes::from_static(b"abc"));
    let mut request_writer =
        RequestWriter::new(BytesMut::from(HEAD), body, Framing::Length(3), true);
    let mut head = vec![0; HEAD.len()];
    for piece in head.chunks_mut(8) {
        assert!(poll_once(&mut request_writer, &mut writer).await.is_pending());
        assert_eq!(request_writer.state(), State::Consent);
        upstream.read_exact(piece).await.unwrap();
    }
    assert!(poll_once(&mut request_writer, &mut writer).await.is_pending());
    assert_eq!((head.as_slice(), request_writer.written()), (HEAD.as_bytes(), HEAD.len() as u64));
    request_writer.consent();
    assert_eq!(taken(&mut request_writer, &mut writer, &mut upstream, 8).await, "abc");
}

#[tokio::test]
async fn a_piece_without_bytes_does_not_end_a_body() {
    // Of HTTP/2, where a frame may be empty.
    let (ours, theirs) = duplex(1 << 16);
    let (hand, body) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut connection = h2::server::handshake(ours).await.unwrap();
        let (request, _respond) = connection.accept().await.unwrap().unwrap();
        hand.send(request.into_body()).unwrap();
        while connection.accept().await.is_some() {}
    });
    let (mut client, connection) = h2::client::handshake(theirs).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::post("https://portal.test/").body(()).unwrap();
    let (_answer, mut sends) = client.send_request(request, false).unwrap();
    sends.send_data(Bytes::new(), false).unwrap();
    sends.send_data(Bytes::from_static(b"abc"), false).unwrap();
    sends.send_data(Bytes::new(), true).unwrap();
    let slowest = Slowest { stall: Duration::from_secs(60), rate: 0 };
    let body = Incoming::http2(body.await.unwrap(), None, slowest);
    let mut request_writer =
        RequestWriter::new(BytesMut::from(HEAD), body, Framing::Chunked, false);
    let upstream = Upstream::default();
    let mut writer = upstream.writer();
    poll_fn(|cx| request_writer.poll(&mut writer, cx)).await.unwrap();
    assert_eq!(text(&upstream.writes()), format!("{HEAD}3\r\nabc\r\n0\r\n\r\n"));
}
