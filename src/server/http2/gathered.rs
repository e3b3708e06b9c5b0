//! A connection of HTTP/2 whose frames are gathered: what is written in one turn of it goes out in
//! one piece, so in one record of TLS and with one system call, however many streams it is of.
//!
//! h2 flushes behind each frame with data. That is passed over here, and whoever polls h2 sends what
//! was gathered once it has nothing more to do ([`Gathered::poll_send`]).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::wire::write_buffer;

/// One handle of the connection; a clone is another. None holds the lock while it waits.
pub(super) struct Gathered<S>(Arc<Mutex<Inner<S>>>);

struct Inner<S> {
    stream: S,
    /// What is not sent yet.
    held: BytesMut,
    /// It is in a buffer of the thread, to which that comes back.
    has_room: bool,
    /// The other side has to take something before more can be sent.
    is_full: bool,
    /// When it did so last.
    took: Option<Instant>,
}

impl<S> Clone for Gathered<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> Gathered<S> {
    pub(super) fn new(stream: S) -> Self {
        let (held, has_room, is_full, took) = Default::default();
        Self(Arc::new(Mutex::new(Inner { stream, held, has_room, is_full, took })))
    }

    /// Returns when the other side took something last that had waited for it.
    pub(super) fn took(&self) -> Option<Instant> {
        self.lock().took
    }

    fn lock(&self) -> MutexGuard<'_, Inner<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncWrite + Unpin> Gathered<S> {
    /// Sends what was gathered. Ready when nothing is left of it.
    pub(super) fn poll_send(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().poll_send(cx)
    }
}

impl<S: AsyncWrite + Unpin> Inner<S> {
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let polled = Pin::new(&mut self.stream).poll_write(cx, &self.held);
            let written = ready!(self.look(polled))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.held.advance(written);
        }
        if std::mem::take(&mut self.has_room) {
            write_buffer::give_back(std::mem::take(&mut self.held));
        }
        // TLS may have taken more than the socket did.
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.look(polled)
    }

    /// Notes whether the other side takes what is sent.
    fn look<T>(&mut self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_pending() {
            self.is_full = true;
        } else if self.is_full {
            (self.is_full, self.took) = (false, Some(Instant::now()));
        }
        polled
    }

    /// Gathers so many bytes, or sends what was gathered: they have to be written by themselves.
    fn poll_gather<'b>(
        &mut self,
        cx: &mut Context<'_>,
        length: usize,
        pieces: impl Iterator<Item = &'b [u8]>,
    ) -> Poll<io::Result<bool>> {
        if self.held.len() + length > MOST {
            ready!(self.poll_send(cx))?;
            if length > MOST {
                return Poll::Ready(Ok(false));
            }
        }
        if !std::mem::replace(&mut self.has_room, true) {
            self.held = write_buffer::take();
        }
        pieces.for_each(|piece| self.held.extend_from_slice(piece));
        Poll::Ready(Ok(true))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.lock();
        if ready!(inner.poll_gather(cx, bytes.len(), std::iter::once(bytes)))? {
            return Poll::Ready(Ok(bytes.len()));
        }
        let polled = Pin::new(&mut inner.stream).poll_write(cx, bytes);
        inner.look(polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.lock();
        let length = slices.iter().map(|slice| slice.len()).sum();
        if ready!(inner.poll_gather(cx, length, slices.iter().map(|slice| &**slice)))? {
            return Poll::Ready(Ok(length));
        }
        let polled = Pin::new(&mut inner.stream).poll_write_vectored(cx, slices);
        inner.look(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().stream.is_write_vectored()
    }

    /// Nothing: it is the end of a frame, not of a turn.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.lock();
        ready!(inner.poll_send(cx))?;
        Pin::new(&mut inner.stream).poll_shutdown(cx)
    }
}

/// What is gathered at most: a record of TLS. What is longer goes out as it is.
const MOST: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// Takes so much at once, and notes each write.
    struct Socket {
        writes: Vec<usize>,
        bytes: Vec<u8>,
        room: usize,
    }

    impl AsyncWrite for Socket {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Poll::Pending;
            }
            self.room -= taken;
            self.writes.push(taken);
            self.bytes.extend(&bytes[..taken]);
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn gathered(room: usize) -> Gathered<Socket> {
        Gathered::new(Socket { writes: Vec::new(), bytes: Vec::new(), room })
    }

    fn send(gathered: &Gathered<Socket>) -> Poll<io::Result<()>> {
        gathered.poll_send(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn what_is_written_in_a_turn_goes_out_in_one_piece_and_in_its_order() {
        let mut connection = gathered(usize::MAX);
        for piece in [&b"head"[..], b"data", b""] {
            connection.write_all(piece).await.unwrap();
            connection.flush().await.unwrap();
        }
        let slices = [IoSlice::new(b" and"), IoSlice::new(b" more")];
        assert_eq!(connection.write_vectored(&slices).await.unwrap(), 9);
        assert!(connection.lock().stream.writes.is_empty());
        assert!(send(&connection).is_ready());
        assert_eq!(connection.lock().stream.writes, [17]);
        assert_eq!(connection.lock().stream.bytes, b"headdata and more");
        assert!(!connection.lock().has_room, "an idle connection has no room");
    }

    #[tokio::test]
    async fn what_is_long_goes_out_behind_what_was_gathered() {
        let mut connection = gathered(usize::MAX);
        connection.write_all(b"head").await.unwrap();
        connection.write_all(&vec![b'x'; MOST + 1]).await.unwrap();
        assert_eq!(connection.lock().stream.writes, [4, MOST + 1]);
        // What would be too much together is no more than that in two pieces.
        connection.write_all(&vec![b'y'; MOST]).await.unwrap();
        connection.write_all(b"z").await.unwrap();
        assert_eq!(connection.lock().stream.writes, [4, MOST + 1, MOST]);
        connection.shutdown().await.unwrap();
        assert_eq!(connection.lock().stream.writes, [4, MOST + 1, MOST, 1]);
    }

    #[tokio::test]
    async fn room_of_which_all_was_needed_goes_back_and_what_waited_to_be_taken_is_noted() {
        let mut connection = gathered(1);
        let mut room = write_buffer::take();
        room.resize(room.capacity(), 0);
        let (place, length) = (room.as_ptr(), room.len());
        write_buffer::give_back(room);
        connection.write_all(&vec![b'x'; length]).await.unwrap();
        assert!(send(&connection).is_pending() && connection.took().is_none());
        connection.lock().stream.room = usize::MAX;
        assert!(send(&connection).is_ready());
        assert!(connection.took().is_some());
        assert_eq!(write_buffer::take().as_ptr(), place);
    }

    #[test]
    fn no_more_is_gathered_than_may_be_while_nothing_goes_out() {
        let mut connection = gathered(1);
        let mut cx = Context::from_waker(Waker::noop());
        let mut taken = 0;
        while let Poll::Ready(written) = Pin::new(&mut connection).poll_write(&mut cx, &[0; 1000]) {
            taken += written.unwrap();
            assert!(taken <= MOST + 1, "it has no end");
        }
        assert!(send(&connection).is_pending());
        connection.lock().stream.room = usize::MAX;
        assert!(send(&connection).is_ready());
        assert_eq!(connection.lock().stream.bytes.len(), taken);
    }
}
