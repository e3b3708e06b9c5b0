//! One connection to an upstream that speaks HTTP/1.1, and one exchange on it.
//!
//! 1. The request goes out while the answer is awaited: an upstream may answer early, and a
//!    client need not send what the upstream does not want. What it said before it stopped reading
//!    counts, not that it did.
//! 2. Of interim answers (RFC 9110 15.2), `100` ends here: it lets the body go. The others go on as
//!    they come, and there may be so many. `101` counts only when an upgrade was asked for.
//! 3. A connection is used again only when the whole request was written, the whole answer read,
//!    and nothing came after it.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use http::{HeaderValue, Method, StatusCode};
use tokio::time::Instant;

use super::error::Error;
use super::request_writer::{Failed, RequestWriter, State};
use crate::request::lasting::{Cut, LOOK};
use crate::wire::deadline::{Deadline, Woken};
use crate::wire::framing::Framing;
use crate::wire::head::{Bounds, ResponseHead, Search};
use crate::wire::incoming::Incoming;
use crate::wire::reader::{Joined, Reader};
use crate::wire::refusal::Refusal;
use crate::wire::stream::{ReadHalf, WriteHalf};

/// A connection to an upstream.
pub(super) struct Connection {
    pub(super) reader: Reader,
    pub(super) writer: WriteHalf,
    pub(super) deadline: Deadline,
    /// The two sides could have counted its last exchange in two ways.
    is_doubtful: bool,
}

/// A request as it is to be written.
pub(super) struct Outgoing {
    pub(super) head: BytesMut,
    pub(super) body: Incoming,
    pub(super) framing: Framing,
    pub(super) holds_back: bool,
    pub(super) upgrade: Option<HeaderValue>,
    pub(super) method: Method,
}

/// An answer whose head is there.
pub(super) struct Answered {
    pub(super) head: ResponseHead,
    pub(super) framing: Framing,
    pub(super) connection: Box<Connection>,
    /// What of the request is still on its way.
    pub(super) request_writer: Option<Box<RequestWriter>>,
}

/// Watches over an exchange: whether it may go on.
pub(super) trait Watch: Sync {
    /// Looks again; ready when it may not. `is_under_way` says that not all of the request has left
    /// us.
    fn look(&self, is_under_way: bool, cx: &Context<'_>) -> Poll<Cut>;

    /// Tells whether that was seen before.
    fn cut(&self) -> Option<Cut>;

    /// Takes an interim answer for the client; by default it is dropped.
    fn interim(&self, _head: &ResponseHead) {}
}

/// An exchange without an answer.
pub(super) struct Unanswered {
    pub(super) error: Error,
    /// The body, when all of it is still here: then the request could be sent again.
    pub(super) body: Option<Incoming>,
    /// The request did not get to its end: so the upstream may have had reason to break off.
    pub(super) is_cut_short: bool,
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self { error, body: None, is_cut_short: false }
    }
}

impl Connection {
    /// Begins with the two halves of a stream.
    pub(super) fn new((reader, writer): (ReadHalf, WriteHalf)) -> Self {
        let (reader, deadline) = (Reader::new(reader), Deadline::default());
        Self { reader, writer, deadline, is_doubtful: true }
    }

    /// Tells whether it can be used: nothing was sent on it unasked, and the server did not hang
    /// up.
    ///
    /// What was sent unasked could be taken for the answer to the next request, which may be
    /// another citizen's. So the kernel is asked, at the price of a system call, after an exchange
    /// of which the two sides could have thought differently, and when it waited for longer than a
    /// busy connection does. After any other, nothing is to come, and what the runtime heard is
    /// enough.
    pub(super) fn is_silent(&mut self, waited: Duration) -> bool {
        if self.is_doubtful || waited >= LULL {
            self.reader.is_silent()
        } else {
            self.reader.seems_silent()
        }
    }

    pub(super) fn into_stream(self) -> Joined {
        Joined { reader: self.reader, writer: self.writer }
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn exchange(
        mut self: Box<Self>,
        request: Outgoing,
        time: Duration,
        now: std::time::Instant,
        watch: &dyn Watch,
    ) -> Result<Answered, Unanswered> {
        let Outgoing { head, body, framing, holds_back, upgrade, method } = request;
        let had_body = framing != Framing::NONE;
        self.is_doubtful = had_body || upgrade.is_some();
        let mut request_writer = RequestWriter::new(head, body, framing, holds_back);
        let mut awaited =
            Awaited { search: Search::default(), upgrade, interim: MOST_INTERIM, broken: None };
        let mut touched = false;
        let time_first = if holds_back { CONSENT.min(time) } else { time };
        self.deadline.until(Instant::from_std(now) + time_first);
        let answered = poll_fn(|cx| {
            self.poll_answer(&mut request_writer, &mut awaited, &mut touched, time, watch, cx)
        });
        match answered.await {
            Err(error) => {
                let is_cut_short = had_body && touched && request_writer.state() != State::Done;
                let body = (!touched || !had_body).then(|| request_writer.into_untouched());
                Err(Unanswered { error, body, is_cut_short })
            }
            Ok(mut head) => match head.said.of_answer(head.version, head.status, &method) {
                Err(refusal) => Err(Error::BadAnswer(refusal).into()),
                Ok(framing) => {
                    self.is_doubtful |= framing == Framing::NONE || awaited.interim < MOST_INTERIM;
                    head.keep_alive &= awaited.broken.is_none();
                    let request_writer = match request_writer.state() {
                        State::Done => None,
                        _ if awaited.broken.is_some() => None,
                        _ => Some(Box::new(request_writer)),
                    };
                    Ok(Answered { head, framing, connection: self, request_writer })
                }
            },
        }
    }

    fn poll_answer(
        &mut self,
        request_writer: &mut RequestWriter,
        awaited: &mut Awaited,
        touched: &mut bool,
        time: Duration,
        watch: &dyn Watch,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, Error>> {
        // 1. The request goes on.
        let (before, written) = (request_writer.state(), request_writer.written());
        if before != State::Done && awaited.broken.is_none() {
            match request_writer.poll(&mut self.writer, cx) {
                Poll::Ready(Err(Failed::Client(error))) => {
                    return Poll::Ready(Err(Error::Body(error)));
                }
                // It may have answered before it stopped reading, and what it said may still be on
                // its way to us.
                Poll::Ready(Err(Failed::Upstream(error))) => awaited.broken = Some(error),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
            let is_first = !std::mem::replace(touched, request_writer.state() != State::Consent);
            // Time counts while the upstream is to do something, from what it did last; the
            // deadline of what is written at once was just set.
            match request_writer.state() {
                _ if awaited.broken.is_some() => self.deadline.renew(LAST_WORD.min(time)),
                State::Client => self.deadline.clear(),
                State::Consent => {}
                after @ (State::Upstream | State::Done) => {
                    let is_moved = (before, written) != (after, request_writer.written());
                    if is_moved && (!is_first || self.deadline.is_endless()) {
                        self.deadline.renew(time);
                    }
                }
            }
        }
        // 2. The answer comes.
        match self.poll_head(awaited, request_writer, watch, cx) {
            Poll::Ready(Err(Error::Died(error))) => {
                return Poll::Ready(Err(Error::Died(awaited.broken.take().unwrap_or(error))));
            }
            Poll::Ready(head) => return Poll::Ready(head),
            Poll::Pending => {}
        }
        // 3. Not for ever, and not when it may not any more.
        if let Some(cut) = watch.cut() {
            return Poll::Ready(Err(cut.into()));
        }
        loop {
            match ready!(self.deadline.poll_look(LOOK, cx)) {
                Woken::ToLook => {
                    if let Poll::Ready(cut) = watch.look(request_writer.state() != State::Done, cx)
                    {
                        return Poll::Ready(Err(cut.into()));
                    }
                }
                Woken::Over
                    if awaited.broken.is_none() && request_writer.state() == State::Consent =>
                {
                    // RFC 9110 10.1.1: a client need not wait for a 100 indefinitely.
                    request_writer.consent();
                    self.deadline.renew(time);
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Woken::Over => {
                    let error = awaited.broken.take().map_or(Error::Slow(time), Error::Died);
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    fn poll_head(
        &mut self,
        awaited: &mut Awaited,
        request_writer: &mut RequestWriter,
        watch: &dyn Watch,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, Error>> {
        loop {
            match awaited.search.take_answer(self.reader.buffer(), &BOUNDS) {
                Err(refusal) => return Poll::Ready(Err(Error::BadAnswer(refusal))),
                Ok(Some(head)) if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                    let is_wanted = awaited.wants(head.lines.get("upgrade"));
                    return Poll::Ready(if is_wanted {
                        Ok(head)
                    } else {
                        Err(Error::bad_switch())
                    });
                }
                Ok(Some(head)) if head.status.is_informational() && awaited.interim == 0 => {
                    let refusal = Refusal::Malformed("interim answers without end");
                    return Poll::Ready(Err(Error::BadAnswer(refusal)));
                }
                Ok(Some(head)) if head.status == StatusCode::CONTINUE => {
                    awaited.interim -= 1;
                    request_writer.consent();
                    self.deadline.clear();
                    // The body is asked for before an answer that came in the same piece is
                    // taken: a client that holds it back would wait for leave in vain.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Ok(Some(head)) if head.status.is_informational() => {
                    awaited.interim -= 1;
                    watch.interim(&head);
                    continue;
                }
                Ok(Some(head)) => return Poll::Ready(Ok(head)),
                Ok(None) => {}
            }
            match self.reader.poll_fill(cx, ROOM) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0)) if self.reader.buffer().is_empty() => {
                    return Poll::Ready(Err(Error::Died(io::ErrorKind::UnexpectedEof.into())));
                }
                Poll::Ready(Ok(0)) => {
                    let refusal = Refusal::Malformed("head of the answer ends early");
                    return Poll::Ready(Err(Error::BadAnswer(refusal)));
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Error::Died(error))),
            }
        }
    }
}

/// What is still waited for in an exchange.
struct Awaited {
    search: Search,
    /// The protocols that the client would like to go on with.
    upgrade: Option<HeaderValue>,
    /// How many interim answers may still come.
    interim: usize,
    /// Why nothing more is written.
    broken: Option<io::Error>,
}

impl Awaited {
    /// Tells whether an answer switches to a protocol that the client named.
    fn wants(&self, chosen: Option<&[u8]>) -> bool {
        let (Some(wanted), Some(chosen)) = (&self.upgrade, chosen) else {
            return false;
        };
        wanted
            .as_bytes()
            .split(|&byte| byte == b',')
            .any(|name| name.trim_ascii().eq_ignore_ascii_case(chosen.trim_ascii()))
    }
}

/// A busy connection waits for less than this between two requests.
const LULL: Duration = Duration::from_millis(10);
/// How many interim answers may come before the answer.
const MOST_INTERIM: usize = 16;
/// How long an upstream may think about a body that the client holds back.
const CONSENT: Duration = Duration::from_secs(1);
/// How long the answer of an upstream that stopped reading may still be on its way.
const LAST_WORD: Duration = Duration::from_secs(5);
/// Bounds of the head of an answer.
const BOUNDS: Bounds = Bounds { bytes: 64 * 1024, fields: 200, target: 0 };
/// Room for a head and the beginning of a body.
const ROOM: usize = 16 * 1024;

#[cfg(test)]
mod tests;
