//! What comes after `101 Switching Protocols`: bytes both ways, until one side or we end it.
//!
//! 1. Not a byte of the client goes on before the portal has agreed: the tunnel is made of what
//!    is there after its 101.
//! 2. A tunnel belongs to the session in whose name it was opened, and to the policy. When the
//!    session ends, or the policy would not let it be opened any more, so does the tunnel: it comes
//!    with a future that says when, and why.
//! 3. Where the protocol is WebSocket the client is told why, with a close frame between two
//!    frames of the portal ([`super::websocket`]).

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Buf;
use tokio::io::AsyncWriteExt;

use super::reader::{Joined, Reader};
use super::stream::WriteHalf;
use super::websocket::{Frames, Goodbye};

/// The portal's side of a tunnel, with what ends it.
pub struct Tunnel {
    /// The connection to the portal.
    pub far: Joined,
    /// Is ready when the tunnel must end, and says why.
    pub ended: Pin<Box<dyn Future<Output = Goodbye> + Send>>,
    /// Whether the protocol is WebSocket.
    pub is_websocket: bool,
}

/// A tunnel on its way to the task that holds the client's side; goes with an answer.
#[derive(Clone)]
pub struct TunnelHandover(Arc<Mutex<Option<Tunnel>>>);

impl TunnelHandover {
    /// Packs a tunnel, to be taken once.
    #[must_use]
    pub fn new(tunnel: Tunnel) -> Self {
        Self(Arc::new(Mutex::new(Some(tunnel))))
    }

    /// Takes the tunnel; there is one.
    #[must_use]
    pub fn take(&self) -> Option<Tunnel> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What the client's side is told when we end a tunnel.
pub enum Ended {
    /// One of the two sides had enough.
    ByASide,
    /// We ended it, and the client is told why.
    ByUs(Goodbye),
}

impl Tunnel {
    /// Copies bytes both ways until a side closes, the session ends, or the program stops.
    pub async fn copy_bidirectional(
        self,
        mut near: Joined,
        stopping: impl Future<Output = ()>,
    ) -> Ended {
        let Self { mut far, ended, is_websocket } = self;
        let mut frames = Frames::default();
        let upwards = copy(&mut near.reader, &mut far.writer, |_| {});
        let downwards = copy(&mut far.reader, &mut near.writer, |bytes| frames.follow(bytes));
        // A side that has said its last may still listen. One whose connection broke does not, and
        // the other side learns it at once.
        let both = async { tokio::try_join!(upwards, downwards) };
        let goodbye = tokio::select! {
            biased;
            goodbye = ended => goodbye,
            () = stopping => Goodbye::Stopping,
            _ = both => return Ended::ByASide,
        };
        if is_websocket && frames.is_between() {
            let farewell = async {
                near.writer.write_all(goodbye.frame()).await?;
                near.writer.flush().await
            };
            let _ = tokio::time::timeout(FAREWELL, farewell).await;
        }
        let _ = tokio::time::timeout(FAREWELL, near.writer.shutdown()).await;
        Ended::ByUs(goodbye)
    }
}

/// How long a client may take to hear a goodbye.
const FAREWELL: Duration = Duration::from_millis(250);
const ROOM: usize = 16 * 1024;

/// Copies until the source ends, then says so to the target. Holds no memory while nothing comes.
async fn copy(
    source: &mut Reader,
    target: &mut WriteHalf,
    mut passed: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut broken = None;
    loop {
        while !source.buffer().is_empty() {
            let length = target.write(source.buffer()).await?;
            passed(&source.buffer()[..length]);
            source.buffer().advance(length);
        }
        target.flush().await?;
        if let Some(error) = broken {
            return Err(error);
        }
        source.readable().await?;
        if !source.buffer().is_empty() {
            // TLS was read into little room while it was waited for. What else is there comes along; the
            // end of it is seen again.
            let more = poll_fn(|cx| Poll::Ready(source.poll_fill(cx, ROOM))).await;
            broken = if let Poll::Ready(Err(error)) = more { Some(error) } else { None };
        } else if poll_fn(|cx| source.poll_fill(cx, ROOM)).await? == 0 {
            return target.shutdown().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::task::Context;

    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
    use tokio::net::UnixStream;
    use tokio::sync::oneshot;

    use super::*;
    use crate::wire::stream::Stream;

    /// An end of a connection as a tunnel has it, and the other one.
    fn connection() -> (Joined, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (half, writer) = Stream::Unix(ours).split();
        (Joined { reader: Reader::new(half), writer }, theirs)
    }

    /// Says the last, and returns all that the other side has heard.
    async fn heard(from: &mut UnixStream, to: &mut UnixStream, said: &str) -> String {
        from.write_all(said.as_bytes()).await.unwrap();
        from.shutdown().await.unwrap();
        let mut all = String::new();
        to.read_to_string(&mut all).await.unwrap();
        all
    }

    #[tokio::test]
    async fn bytes_go_both_ways_after_those_that_came_before_and_both_ends_are_passed_on() {
        let ((mut near, mut client), (mut far, mut portal)) = (connection(), connection());
        near.reader.buffer().extend_from_slice(b"early ");
        far.reader.buffer().extend_from_slice(b"first ");
        let tunnel = Tunnel { far, ended: Box::pin(pending()), is_websocket: false };
        let going = tokio::spawn(tunnel.copy_bidirectional(near, pending()));
        assert_eq!(heard(&mut client, &mut portal, "question").await, "early question");
        assert_eq!(heard(&mut portal, &mut client, "answer").await, "first answer");
        assert!(matches!(going.await.unwrap(), Ended::ByASide));
    }

    #[tokio::test]
    async fn what_comes_is_handed_on_at_once_whatever_holds_it_back() {
        // Both sides collect what they are given.
        let end = || {
            let (ours, theirs) = tokio::io::duplex(64);
            let (half, writer) = Stream::split_any(tokio::io::BufStream::new(ours));
            (Joined { reader: Reader::new(half), writer }, theirs)
        };
        let ((near, mut client), (far, mut portal)) = (end(), end());
        let tunnel = Tunnel { far, ended: Box::pin(pending()), is_websocket: false };
        let going = tokio::spawn(tunnel.copy_bidirectional(near, pending()));
        for _ in 0..2 {
            let mut heard = [0; 4];
            client.write_all(b"ping").await.unwrap();
            portal.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"ping");
            portal.write_all(b"pong").await.unwrap();
            client.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"pong");
        }
        drop((client, portal));
        assert!(matches!(going.await.unwrap(), Ended::ByASide));
    }

    /// Counts how often it is written to, and how much.
    struct Counted(Arc<Mutex<(usize, usize)>>);

    impl AsyncWrite for Counted {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let mut counted = self.0.lock().unwrap();
            *counted = (counted.0 + 1, counted.1 + bytes.len());
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// A connection that broke: its socket says so once.
    #[derive(Default)]
    struct Broken {
        is_told: bool,
    }

    impl AsyncRead for Broken {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let is_told = std::mem::replace(&mut self.is_told, true);
            Poll::Ready(if is_told { Ok(()) } else { Err(io::ErrorKind::ConnectionReset.into()) })
        }
    }

    #[tokio::test]
    async fn what_tls_has_goes_on_in_large_pieces() {
        const PIECE: usize = 8 * 1024;
        let (ours, mut theirs) = tokio::io::duplex(PIECE);
        let (half, _writer) = Stream::split_any(ours);
        let counted = Arc::default();
        let target = tokio::io::join(tokio::io::empty(), Counted(Arc::clone(&counted)));
        let (_half, mut writer) = Stream::split_any(target);
        let writing = async {
            for _ in 0..64 {
                theirs.write_all(&[b'x'; PIECE]).await.unwrap();
            }
            drop(theirs);
        };
        let mut reader = Reader::new(half);
        let (copied, ()) = tokio::join!(copy(&mut reader, &mut writer, |_| {}), writing);
        copied.unwrap();
        let (writes, bytes) = *counted.lock().unwrap();
        assert_eq!(bytes, 64 * PIECE);
        assert!(writes < 2 * 64, "{writes} writes for 64 pieces");
    }

    #[tokio::test]
    async fn what_came_before_a_side_broke_is_handed_on_and_the_breach_is_told() {
        let said = &[b'x'; 100][..];
        let broken =
            tokio::io::join(AsyncReadExt::chain(said, Broken::default()), tokio::io::sink());
        let (half, _writer) = Stream::split_any(broken);
        let counted = Arc::default();
        let target = tokio::io::join(tokio::io::empty(), Counted(Arc::clone(&counted)));
        let (_half, mut writer) = Stream::split_any(target);
        let copied = copy(&mut Reader::new(half), &mut writer, |_| {}).await;
        assert_eq!(copied.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(counted.lock().unwrap().1, 100);
    }

    #[tokio::test]
    async fn a_client_is_told_why_it_ends_between_two_frames_and_never_inside_one() {
        for (sent, is_websocket, is_told) in [
            (&b"\x81\x02hi"[..], true, true),
            (b"\x81\x02h", true, false),
            (b"\x81\x02hi", false, false),
        ] {
            let ((near, mut client), (far, mut portal)) = (connection(), connection());
            let (end, ended) = oneshot::channel();
            let ended = Box::pin(async { ended.await.unwrap() });
            let tunnel = Tunnel { far, ended, is_websocket };
            let going = tokio::spawn(tunnel.copy_bidirectional(near, pending()));
            portal.write_all(sent).await.unwrap();
            let mut heard = vec![0; sent.len()];
            client.read_exact(&mut heard).await.unwrap();
            assert_eq!(heard, sent);
            end.send(Goodbye::SessionEnded).unwrap();
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await.unwrap();
            let expected = if is_told { Goodbye::SessionEnded.frame() } else { b"" };
            assert_eq!(rest, expected, "{sent:?}");
            let ended = going.await.unwrap();
            assert!(matches!(ended, Ended::ByUs(Goodbye::SessionEnded)));
        }
    }

    #[tokio::test]
    async fn a_tunnel_is_taken_once_and_ends_with_the_program() {
        let ((near, mut client), (far, _portal)) = (connection(), connection());
        let tunnel = Tunnel { far, ended: Box::pin(pending()), is_websocket: true };
        let handover = TunnelHandover::new(tunnel);
        let tunnel = handover.clone().take().unwrap();
        assert!(handover.take().is_none());
        let ended = tunnel.copy_bidirectional(near, ready(())).await;
        assert!(matches!(ended, Ended::ByUs(Goodbye::Stopping)));
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, Goodbye::Stopping.frame());
    }
}
