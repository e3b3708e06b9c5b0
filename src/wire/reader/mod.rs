//! The reading half of a connection with what has come in and is not yet used.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::io::poll_read_buf;

use super::stream::{ReadHalf, WriteHalf};

/// A reading half and its buffer.
pub struct Reader {
    half: ReadHalf,
    buffer: BytesMut,
}

impl Reader {
    /// Makes a reader of a fresh connection.
    #[must_use]
    pub fn new(half: ReadHalf) -> Self {
        Self { half, buffer: BytesMut::new() }
    }

    /// What has come in and is not yet used.
    #[must_use]
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Tells whether everything that has come in was used, on a connection that ends with its
    /// socket: TLS has a last word of its own (RFC 8446 6.1).
    #[must_use]
    pub fn is_socket_without_rest(&self) -> bool {
        self.buffer.is_empty() && self.half.is_socket()
    }

    /// Tells whether it reads a socket of TCP with nothing between that and HTTP, and everything that has come in
    /// was used.
    #[must_use]
    pub fn is_parkable(&self) -> bool {
        self.buffer.is_empty() && self.half.is_tcp()
    }

    /// Reads once, into room for `room` bytes or more, and says how much came; nothing means that
    /// the other side has said its last.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>, room: usize) -> Poll<io::Result<usize>> {
        // Room that is not read any more is used again from its beginning: it is near.
        let begins_anew = self.buffer.is_empty() && self.buffer.try_reclaim(room);
        if !begins_anew && self.buffer.capacity() - self.buffer.len() < room / 2 {
            self.buffer.reserve(room);
        }
        poll_read_buf(Pin::new(&mut self.half), cx, &mut self.buffer)
    }

    /// Waits for something to read without holding memory for it. What TLS had to read to know is
    /// in the buffer afterwards.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn readable(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        if self.half.is_socket() {
            return self.half.readable().await;
        }
        // TLS can tell only by reading; the rest of what comes is read into room of its own.
        std::future::poll_fn(|cx| self.poll_fill(cx, FIRST)).await.map(drop)
    }

    /// Tells whether a connection on which nothing should come is in that state: nothing was sent,
    /// and the other side did not hang up. One that is not cannot be used any more.
    ///
    /// The kernel is asked, so it costs a system call.
    #[must_use]
    pub fn is_silent(&mut self) -> bool {
        self.seems_silent() && self.half.is_drained()
    }

    /// Tells the same, as far as the runtime has heard: it hears of what comes only between two
    /// turns of a worker.
    #[must_use]
    pub fn seems_silent(&mut self) -> bool {
        if !self.buffer.is_empty() {
            return false;
        }
        if self.half.is_socket() {
            return self.half.is_unheard();
        }
        // TLS may have had something to say to itself, such as a session ticket.
        self.poll_fill(&mut Context::from_waker(Waker::noop()), 1024).is_pending()
    }

    /// Gives back the memory that a large body needed.
    pub fn shrink(&mut self) {
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT {
            self.buffer = BytesMut::new();
        }
    }
}

/// What is read at first of a connection that waited: many wait, and each holds so much.
const FIRST: usize = 64;
/// A buffer of this size is kept for the next message.
const KEPT: usize = 16 * 1024;

/// Both halves together again: what came in already is read first.
pub struct Joined {
    /// The half that is read, with what came in already.
    pub reader: Reader,
    /// The half that is written.
    pub writer: WriteHalf,
}

impl Joined {
    /// Joins the halves of a fresh connection.
    #[must_use]
    pub fn new((reader, writer): (ReadHalf, WriteHalf)) -> Self {
        Self { reader: Reader::new(reader), writer }
    }

    /// Returns the socket of TCP that this is, and nothing when it is anything else, or not all of what came in
    /// was used.
    #[must_use]
    pub fn into_socket(self) -> Option<TcpStream> {
        if self.reader.is_parkable() { self.reader.half.into_socket(self.writer) } else { None }
    }
}

impl AsyncRead for Joined {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Reader { half, buffer } = &mut self.reader;
        if buffer.is_empty() {
            return Pin::new(half).poll_read(cx, target);
        }
        let length = buffer.len().min(target.remaining());
        target.put_slice(&buffer[..length]);
        buffer.advance(length);
        if buffer.is_empty() {
            *buffer = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Joined {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.writer.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
