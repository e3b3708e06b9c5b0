//! A connection of HTTP/2 that is looked at while h2 reads it ([`Frames`]).
//!
//! What is refused ends the reading of it with an error. h2 keeps only the words of that,
//! so what it was is noted beside it, for the count and the log.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::Frames;
use super::presence::Presence;

/// A connection whose requests are counted and looked at while it is read.
pub(super) struct Inspected<S> {
    stream: S,
    frames: Frames,
    presence: Arc<Presence>,
}

impl<S> Inspected<S> {
    /// `longest` is what a head may have, packed as it comes.
    pub(super) fn new(stream: S, presence: Arc<Presence>, longest: usize) -> Self {
        Self { stream, frames: Frames::new(longest), presence }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Inspected<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.presence.hear();
        let mut begun = 0;
        let passed = self.frames.pass(&buffer.filled()[before..], &mut begun);
        if begun > 0 {
            self.presence.begun(begun);
        }
        Poll::Ready(passed.map_err(|what| {
            self.presence.refuse(what);
            io::Error::new(io::ErrorKind::InvalidData, what)
        }))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Inspected<S> {
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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::super::frames::Malformed;
    use super::*;

    /// A connection with a head on each of these streams, of one byte.
    fn heads(streams: &[(u8, u8)]) -> Vec<u8> {
        let frame = |&(stream, byte): &(u8, u8)| [0, 0, 1, 1, 4, 0, 0, 0, stream, byte];
        let frames: Vec<_> = streams.iter().map(frame).collect();
        [vec![b'*'; 24], frames.concat()].concat()
    }

    #[tokio::test]
    async fn what_passes_is_read_as_it_came_and_counted() {
        let (bytes, presence) = (heads(&[(1, 0x82), (3, 0x82)]), Presence::new());
        let mut read = Vec::new();
        let mut inspected = Inspected::new(&bytes[..], Arc::clone(&presence), 1000);
        inspected.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, bytes);
        assert_eq!((presence.unseen(), presence.refused()), (2, None));
    }

    #[tokio::test]
    async fn what_is_refused_ends_the_reading_and_is_noted() {
        // There is no field of the number 0 (RFC 7541 6.1).
        let (bytes, presence) = (heads(&[(1, 0x82), (3, 0x80)]), Presence::new());
        let mut inspected = Inspected::new(&bytes[..], Arc::clone(&presence), 1000);
        let error = inspected.read(&mut [0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(presence.refused(), Some(Malformed::Unreadable));
        assert!(presence.unseen() > 0);
    }
}
