//! A stream of HTTP/2 as a connection of its own, for what comes after an extended CONNECT.
//!
//! Its end is END_STREAM, and a connection that breaks is a reset with CANCEL (RFC 8441 5), both
//! ways. Nobody waits for a client that takes nothing for longer than it may.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use h2::{Reason, RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::deadline::Deadline;

/// Both directions of a stream.
pub(super) struct Duplex {
    incoming: RecvStream,
    /// What came and was not read yet.
    rest: Bytes,
    outgoing: Arc<Mutex<SendStream<Bytes>>>,
    has_ended: bool,
    /// How long the client may take nothing of what is sent to it.
    stall: Duration,
    deadline: Deadline,
}

impl Duplex {
    pub(super) fn new(incoming: RecvStream, outgoing: SendStream<Bytes>, stall: Duration) -> Self {
        let (rest, outgoing) = (Bytes::new(), Arc::new(Mutex::new(outgoing)));
        Self { incoming, rest, outgoing, has_ended: false, stall, deadline: Deadline::default() }
    }

    /// Is ready when the client took the stream back, or its connection has ended: nobody may read
    /// or write at that moment.
    pub(super) fn reset(&self) -> impl Future<Output = ()> + Send + use<> {
        let outgoing = Arc::clone(&self.outgoing);
        poll_fn(move |cx| lock(&outgoing).poll_reset(cx).map(|_| ()))
    }

    /// Says that nothing more comes, once.
    fn end(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.has_ended, true) {
            return Ok(());
        }
        lock(&self.outgoing).send_data(Bytes::new(), true).map_err(broken)
    }
}

fn lock(outgoing: &Mutex<SendStream<Bytes>>) -> MutexGuard<'_, SendStream<Bytes>> {
    outgoing.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AsyncRead for Duplex {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.incoming.poll_data(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(Ok(data)) => self.rest = data,
                // RFC 9113 8.1: nothing more is wanted, and nothing was wrong.
                Some(Err(error)) if error.reason() == Some(Reason::NO_ERROR) => {
                    return Poll::Ready(Ok(()));
                }
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
            }
        }
        let length = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        // Nothing is to be said of a stream that has ended.
        let _ = self.incoming.flow_control().release_capacity(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Duplex {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self { outgoing, has_ended, stall, deadline, .. } = &mut *self;
        let mut outgoing = lock(outgoing);
        if outgoing.poll_reset(cx).is_ready() || *has_ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        outgoing.reserve_capacity(bytes.len().min(PIECE));
        while outgoing.capacity() == 0 {
            match outgoing.poll_capacity(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(broken(error))),
                Poll::Ready(None) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
                Poll::Pending => {
                    ready!(deadline.poll_stalled(*stall, cx));
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        deadline.clear();
        let length = bytes.len().min(PIECE).min(outgoing.capacity());
        outgoing.send_data(Bytes::copy_from_slice(&bytes[..length]), false).map_err(broken)?;
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.end())
    }
}

impl Drop for Duplex {
    fn drop(&mut self) {
        // Who did not say that it has ended has broken off.
        if !self.has_ended {
            lock(&self.outgoing).send_reset(Reason::CANCEL);
        }
    }
}

fn broken(error: h2::Error) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, error)
}

/// What is handed over at once.
const PIECE: usize = 16 * 1024;
