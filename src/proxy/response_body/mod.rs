//! The body of an upstream's answer, as it comes in. At its end the connection goes back.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::connection::{Answered, Connection};
use super::in_flight::{InFlight, Timing};
use super::pool::Pool;
use super::request_writer::RequestWriter;
use super::trailer;
use super::watched::Watched;
use crate::base;
use crate::base::body::BoxError;
use crate::request::lasting::{Cut, Lasting};
use crate::wire::chunked::Extensions;
use crate::wire::framing::Framing;
use crate::wire::incoming::{BodyError, Progress};

/// Returns the body of an answer: whole when all of it is there already, so that the connection can
/// serve again at once; otherwise as it comes.
pub(super) fn read(
    mut answered: Answered,
    (mut in_flight, timing): (InFlight, &Timing<'_>),
    home: Arc<Pool>,
    idle: Duration,
    lasting: impl FnOnce() -> Arc<Lasting>,
) -> base::body::Body {
    let buffer = answered.connection.reader.buffer();
    if let Framing::Length(length) = answered.framing
        && length <= buffer.len() as u64
    {
        // It is not longer than the buffer.
        let length = usize::try_from(length).unwrap_or(buffer.len());
        let whole = buffer.split_to(length).freeze();
        if answered.head.keep_alive && answered.request_writer.is_none() && buffer.is_empty() {
            home.put(in_flight.lease.id(), answered.connection, in_flight.answered_at);
        }
        timing.ends_with_head();
        return base::body::full(whole);
    }
    in_flight.ends_later(timing);
    base::body::Body::stream(ResponseBody::new(answered, in_flight, home, idle, lasting()))
}

/// The body of an answer.
struct ResponseBody {
    connection: Option<Box<Connection>>,
    request_writer: Option<Box<RequestWriter>>,
    progress: Progress,
    size: SizeHint,
    keep_alive: bool,
    in_flight: Option<InFlight>,
    home: Arc<Pool>,
    idle: Duration,
    watched: Watched,
}

impl ResponseBody {
    /// Reads the body of an answer whose head is there.
    fn new(
        answered: Answered,
        in_flight: InFlight,
        home: Arc<Pool>,
        idle: Duration,
        lasting: Arc<Lasting>,
    ) -> Self {
        let Answered { head, framing, mut connection, request_writer } = answered;
        connection.deadline.clear();
        Self {
            connection: Some(connection),
            request_writer,
            progress: Progress::new(framing, Extensions::PassedOver),
            size: match framing {
                Framing::Length(length) => SizeHint::with_exact(length),
                Framing::Chunked | Framing::UntilClose => SizeHint::default(),
            },
            keep_alive: head.keep_alive && framing != Framing::UntilClose,
            in_flight: Some(in_flight),
            home,
            idle,
            watched: Watched::new(lasting),
        }
    }

    /// It may not go on: both sides see it break.
    fn end(&mut self, cut: Cut) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        (self.request_writer, self.connection) = (None, None);
        Poll::Ready(Some(Err(cut.into())))
    }

    /// The upstream did not send all of it. A request that is not all there yet may be why.
    fn broke_off(&mut self) {
        self.connection = None;
        if let Some(in_flight) = &self.in_flight
            && self.request_writer.is_none()
        {
            in_flight.lease.broke_off();
        }
    }

    /// The answer is read. The connection can serve again when the request is written as well and
    /// nothing came behind the answer.
    fn finish(&mut self) {
        let (request_writer, in_flight) = (self.request_writer.take(), self.in_flight.take());
        if let Some(in_flight) = in_flight
            && let Some(mut connection) = self.connection.take()
            && self.keep_alive
            && request_writer.is_none()
            && connection.reader.buffer().is_empty()
        {
            connection.reader.shrink();
            self.home.put(in_flight.lease.id(), connection, Instant::now());
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Some(cut) = this.watched.cut() {
            return this.end(cut);
        }
        let Some(connection) = &mut this.connection else { return Poll::Ready(None) };
        if let Some(request_writer) = &mut this.request_writer
            && let Poll::Ready(written) = request_writer.poll(&mut connection.writer, cx)
        {
            // An upstream that has answered need not read the rest.
            this.keep_alive &= written.is_ok();
            this.request_writer = None;
        }
        match this.progress.poll_piece(&mut connection.reader, cx) {
            Poll::Pending => {
                match ready!(this.watched.wait(&mut connection.deadline, this.idle, cx)) {
                    Some(cut) => this.end(cut),
                    None => {
                        this.broke_off();
                        Poll::Ready(Some(Err(BodyError::Stalled(this.idle).into())))
                    }
                }
            }
            Poll::Ready(frame) => {
                connection.deadline.clear();
                if let Poll::Ready(cut) = this.watched.passed(cx) {
                    return this.end(cut);
                }
                if this.progress.is_over() {
                    this.finish();
                }
                Poll::Ready(frame.map(|frame| match frame {
                    Ok(frame) => Ok(trailer::clean(frame)),
                    Err(error) => {
                        this.broke_off();
                        Err(error.into())
                    }
                }))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.progress.is_over()
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

#[cfg(test)]
mod tests;
