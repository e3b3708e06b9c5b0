//! How many requests a client began on a connection of HTTP/2, counted in the frames as they come.
//!
//! What breaks the rules of HTTP/2, and a head that is larger by far than it may be, is refused by
//! hyper's h2, which tells us nothing of it. The difference to what reached us shows it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::presence::Presence;

/// A connection whose requests are counted while it is read.
pub(super) struct Counted<S> {
    stream: S,
    frames: Frames,
    presence: Arc<Presence>,
}

impl<S> Counted<S> {
    pub(super) fn new(stream: S, presence: Arc<Presence>) -> Self {
        Self { stream, frames: Frames::default(), presence }
    }
}

/// Where a connection stands between its frames (RFC 9113 4.1).
struct Frames {
    /// What still comes of the preface or of a frame's payload.
    left: usize,
    head: [u8; HEAD],
    /// How much of the head is there.
    filled: usize,
    /// The last stream that a client began: their numbers only grow (RFC 9113 5.1.1).
    last: u32,
}

impl Default for Frames {
    fn default() -> Self {
        Self { left: PREFACE, head: [0; HEAD], filled: 0, last: 0 }
    }
}

impl Frames {
    /// Passes over bytes; returns how many streams they begin.
    fn pass(&mut self, mut bytes: &[u8]) -> u64 {
        let mut begun = 0;
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            self.left -= skipped;
            bytes = &bytes[skipped..];
            let taken = (HEAD - self.filled).min(bytes.len());
            if self.left > 0 || taken == 0 {
                continue;
            }
            self.head[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            bytes = &bytes[taken..];
            if self.filled < HEAD {
                continue;
            }
            self.filled = 0;
            let [a, b, c, kind, _, stream @ ..] = self.head;
            self.left = u32::from_be_bytes([0, a, b, c]) as usize;
            let stream = u32::from_be_bytes(stream) & STREAM;
            if kind == HEADERS && stream > self.last {
                self.last = stream;
                begun += 1;
            }
        }
        begun
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let begun = self.frames.pass(&buffer.filled()[before..]);
        if begun > 0 {
            self.presence.begun(begun);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The length of the client's preface (RFC 9113 3.4).
const PREFACE: usize = 24;
/// The length of the head of a frame.
const HEAD: usize = 9;
/// The bits of a stream's number; the one before them means nothing.
const STREAM: u32 = 0x7fff_ffff;
/// The type of a frame that opens a stream (RFC 9113 6.2).
const HEADERS: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, stream: u32, length: usize) -> Vec<u8> {
        let mut frame = u32::try_from(length).unwrap().to_be_bytes()[1..].to_vec();
        frame.extend([kind, 0]);
        frame.extend(stream.to_be_bytes());
        frame.extend(vec![HEADERS; length]);
        frame
    }

    #[test]
    fn streams_are_counted_when_they_begin_however_the_bytes_are_cut() {
        let mut bytes = vec![b'*'; PREFACE];
        for (kind, stream, length) in [
            (4, 0, 0),
            (HEADERS, 1, 30),
            (0, 1, 300),
            // A trailer.
            (HEADERS, 1, 5),
            (HEADERS, 3 | 1 << 31, 0),
            (9, 3, 20),
            (HEADERS, 9, 1),
        ] {
            bytes.extend(frame(kind, stream, length));
        }
        for size in [1, 2, 7, 9, 100, bytes.len()] {
            let mut frames = Frames::default();
            let begun: u64 = bytes.chunks(size).map(|piece| frames.pass(piece)).sum();
            assert_eq!((begun, frames.left, frames.filled), (3, 0, 0), "{size}");
        }
    }
}
