//! Carries a request to an upstream: its head, then its body as it comes in.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use hyper::body::Body as _;
use tokio::io::AsyncWrite;

use crate::http::hygiene::may_be_in_trailer;
use crate::wire::framing::Framing;
use crate::wire::incoming::{BodyError, Incoming};
use crate::wire::outgoing;
use crate::wire::refusal::Refusal;
use crate::wire::stream::{WriteHalf, poll_write_some};

/// A request on its way.
pub(super) struct Pump {
    /// What is to be written next, in this order.
    head: BytesMut,
    data: Bytes,
    tail: &'static [u8],
    body: Incoming,
    is_chunked: bool,
    /// How much of a body of known length is still to come. A request that is not as long as it says
    /// would leave the next one on its connection to be read as the rest of it.
    left: Option<u64>,
    state: State,
}

/// What the pump waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The upstream agrees to read the body (`100 Continue`).
    Consent,
    /// The client sends more.
    Client,
    /// The upstream reads more.
    Upstream,
    /// Nothing: all of it is written.
    Done,
}

/// Which side the pump failed at.
#[derive(Debug)]
pub(super) enum Failed {
    Client(BodyError),
    Upstream(io::Error),
}

impl Pump {
    /// Makes a pump for a written head and a body.
    pub(super) fn new(head: BytesMut, body: Incoming, framing: Framing, holds_back: bool) -> Self {
        let state = if holds_back { State::Consent } else { State::Client };
        let is_chunked = framing == Framing::Chunked;
        let left = match framing {
            Framing::Length(length) => Some(length),
            Framing::Chunked | Framing::UntilClose => None,
        };
        Self { head, data: Bytes::new(), tail: b"", body, is_chunked, left, state }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Begins with the body.
    pub(super) fn consent(&mut self) {
        if self.state == State::Consent {
            self.state = State::Client;
        }
    }

    /// Gives back the body when nothing of it was asked for yet.
    pub(super) fn into_untouched(self) -> Incoming {
        self.body
    }

    /// Gives back the room of the head.
    pub(super) fn into_room(self) -> BytesMut {
        self.head
    }

    /// Writes as much as goes.
    pub(super) fn poll(
        &mut self,
        writer: &mut WriteHalf,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failed>> {
        loop {
            while self.has_something() {
                let mut all = (&mut self.head).chain(&mut self.data).chain(&mut self.tail);
                match poll_write_some(writer, cx, &mut all) {
                    Poll::Ready(Ok(0)) => {
                        return Poll::Ready(Err(Failed::Upstream(io::ErrorKind::WriteZero.into())));
                    }
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(Failed::Upstream(error))),
                    Poll::Pending => {
                        if self.state == State::Client {
                            self.state = State::Upstream;
                        }
                        return Poll::Pending;
                    }
                }
            }
            if self.state == State::Upstream {
                self.state = State::Client;
            }
            match self.state {
                State::Done | State::Consent => {
                    ready!(Pin::new(&mut *writer).poll_flush(cx)).map_err(Failed::Upstream)?;
                    return if self.state == State::Done {
                        Poll::Ready(Ok(()))
                    } else {
                        Poll::Pending
                    };
                }
                State::Client | State::Upstream => {}
            }
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => {
                    ready!(Pin::new(&mut *writer).poll_flush(cx)).map_err(Failed::Upstream)?;
                    return Poll::Pending;
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Failed::Client(error))),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => match self.count(data.len()) {
                        Ok(()) => self.data(data),
                        Err(error) => return Poll::Ready(Err(Failed::Client(error))),
                    },
                    Err(frame) => {
                        let trailer = frame.into_trailers().unwrap_or_default();
                        if !trailer.keys().all(may_be_in_trailer) {
                            let refusal =
                                Refusal::Framing("trailer has a field that belongs into the head");
                            return Poll::Ready(Err(Failed::Client(refusal.into())));
                        }
                        self.end(Some(&trailer));
                    }
                },
                Poll::Ready(None) if self.left.is_some_and(|left| left > 0) => {
                    return Poll::Ready(Err(Failed::Client(BodyError::Incomplete)));
                }
                Poll::Ready(None) => self.end(None),
            }
        }
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

    fn data(&mut self, data: Bytes) {
        if self.is_chunked {
            outgoing::chunk_size(&mut self.head, data.len());
            self.tail = b"\r\n";
        }
        self.data = data;
    }

    fn end(&mut self, trailer: Option<&http::HeaderMap>) {
        if self.is_chunked {
            outgoing::last_chunk(&mut self.head, trailer);
        }
        self.state = State::Done;
    }
}
