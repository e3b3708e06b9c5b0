//! Carries a request to an upstream: its head, then its body as it comes in.
//!
//! 1. Small pieces that are there already go out in one write, with the head if it still waits: a
//!    client that sends byte by byte must not cost the upstream a packet for each.
//! 2. Nothing waits for what is not there yet.
//! 3. It is done when all has left us, not before: the connection is used again only then.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use hyper::body::Body as _;
use tokio::io::AsyncWrite;

use crate::wire::framing::Framing;
use crate::wire::incoming::{BodyError, Incoming};
use crate::wire::outgoing;
use crate::wire::stream::{WriteHalf, poll_write_some};
use crate::wire::write_buffer;

/// A request on its way.
pub(super) struct RequestWriter {
    /// What is to be written next, in this order.
    head: BytesMut,
    data: Bytes,
    tail: &'static [u8],
    body: Incoming,
    is_chunked: bool,
    /// How much of a body of known length is still to come. A request that is not as long as it
    /// says would leave the next one on its connection to be read as the rest of it.
    left: Option<u64>,
    /// Whether the body has come to its end.
    is_over: bool,
    written: u64,
    state: State,
}

/// What a writer of requests waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The upstream agrees to read the body (`100 Continue`).
    Consent,
    /// The client sends more of the body.
    Client,
    /// The upstream reads more of the body.
    Upstream,
    /// Nothing: all of it is written.
    Done,
}

/// Which side it failed at.
#[derive(Debug)]
pub(super) enum Failed {
    Client(BodyError),
    Upstream(io::Error),
}

impl RequestWriter {
    /// Makes one for a written head and a body.
    pub(super) fn new(head: BytesMut, body: Incoming, framing: Framing, holds_back: bool) -> Self {
        let state = if holds_back { State::Consent } else { State::Client };
        let is_chunked = framing == Framing::Chunked;
        let left = match framing {
            Framing::Length(length) => Some(length),
            Framing::Chunked | Framing::UntilClose => None,
        };
        Self {
            head,
            data: Bytes::new(),
            tail: b"",
            body,
            is_chunked,
            left,
            is_over: false,
            written: 0,
            state,
        }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Returns how many bytes the upstream took.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Begins to write the body, when the upstream was to agree first.
    pub(super) fn consent(&mut self) {
        if self.state == State::Consent {
            self.state = State::Client;
        }
    }

    /// Gives back the body when nothing of it was asked for yet.
    pub(super) fn into_untouched(self) -> Incoming {
        self.body
    }

    /// Writes as much as goes.
    pub(super) fn poll(
        &mut self,
        writer: &mut WriteHalf,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failed>> {
        loop {
            // 1. What the client has sent already goes out together, with the head.
            let client_waits = match self.state {
                State::Client => self.gather(cx).map_err(Failed::Client)?.is_pending(),
                State::Consent | State::Upstream | State::Done => false,
            };
            // 2. All of it is written.
            while self.has_something() {
                let mut all = (&mut self.head).chain(&mut self.data).chain(&mut self.tail);
                match poll_write_some(writer, cx, &mut all) {
                    Poll::Ready(Ok(0)) => {
                        return Poll::Ready(Err(Failed::Upstream(io::ErrorKind::WriteZero.into())));
                    }
                    Poll::Ready(Ok(count)) => self.written += count as u64,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(Failed::Upstream(error))),
                    Poll::Pending => return self.wait_for_upstream(),
                }
            }
            // 3. Nothing stays behind while nothing more comes.
            if client_waits || self.is_over || self.state == State::Consent {
                match Pin::new(&mut *writer).poll_flush(cx).map_err(Failed::Upstream)? {
                    Poll::Pending if self.is_over => return self.wait_for_upstream(),
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) if self.is_over => {
                        self.state = State::Done;
                        // The next one writes where it is still near.
                        write_buffer::give_back(std::mem::take(&mut self.head));
                        return Poll::Ready(Ok(()));
                    }
                    Poll::Ready(()) => return Poll::Pending,
                }
            }
            self.state = State::Client;
        }
    }

    /// Takes what the client has sent, until it is worth a write. Pending when there is no more of
    /// it now.
    fn gather(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        while !self.is_over && self.data.is_empty() && self.head.len() < SMALL {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)).transpose()? {
                None if self.left.is_some_and(|left| left > 0) => {
                    return Poll::Ready(Err(BodyError::Incomplete));
                }
                None => self.end(None),
                Some(frame) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => {
                        self.count(data.len())?;
                        self.add(data);
                    }
                    Err(frame) => {
                        let trailer = frame.into_trailers().unwrap_or_default();
                        self.end(Some(&trailer));
                    }
                },
            }
        }
        Poll::Ready(Ok(()))
    }

    fn wait_for_upstream(&mut self) -> Poll<Result<(), Failed>> {
        if self.state == State::Client {
            self.state = State::Upstream;
        }
        Poll::Pending
    }

    fn has_something(&self) -> bool {
        !(self.head.is_empty() && self.data.is_empty() && self.tail.is_empty())
    }

    fn count(&mut self, length: usize) -> Result<(), BodyError> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(length as u64).ok_or(BodyError::Incomplete)?;
        }
        Ok(())
    }

    /// Puts a piece behind what is to be written. It is cheaper to copy a small one than to hand it
    /// over on its own.
    fn add(&mut self, data: Bytes) {
        let tail: &[u8] = if self.is_chunked {
            outgoing::chunk_size(&mut self.head, data.len());
            b"\r\n"
        } else {
            b""
        };
        if data.len() <= SMALL {
            self.head.extend_from_slice(&data);
            self.head.extend_from_slice(tail);
        } else {
            (self.data, self.tail) = (data, tail);
        }
    }

    fn end(&mut self, trailer: Option<&http::HeaderMap>) {
        if self.is_chunked {
            outgoing::last_chunk(&mut self.head, trailer);
        }
        self.is_over = true;
    }
}

/// So much is worth a write of its own; less waits for what is there already, but for nothing else.
const SMALL: usize = 4 * 1024;

#[cfg(test)]
mod tests;
