//! HTTP/2 to an upstream (RFC 9113): one connection for many requests, gRPC among them.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::Instant;

use super::connection::{Unanswered, Watch};
use super::error::Error;
use super::in_flight::InFlight;
use super::trailer;
use super::watched::Watched;
use crate::base::body::{self, Body, BoxError};
use crate::request::lasting::{Cut, LOOK, Lasting};
use crate::wire::deadline::Deadline;
use crate::wire::incoming::{BodyError, Breaker, Incoming};
use crate::wire::stream::Stream;

/// Sends requests on a connection.
pub(super) type Sender = http2::SendRequest<Incoming>;

/// How often a silent server is asked whether it is still there, and how long it may think.
const PING: Duration = Duration::from_secs(20);
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// Begins to speak on a new connection.
pub(super) async fn begin(stream: Stream) -> Result<Sender, hyper::Error> {
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection to an upstream ended early");
        }
    });
    Ok(sender)
}

/// Sends a request and waits for the head of its answer.
pub(super) async fn exchange(
    mut sender: Sender,
    request: Request<Incoming>,
    upload: &Option<Breaker>,
    time: Duration,
    watch: &dyn Watch,
) -> Result<Response<hyper::body::Incoming>, Unanswered> {
    let had_body = !request.body().is_end_stream();
    let answered = async {
        sender.ready().await?;
        sender.send_request(request).await
    };
    let mut answered = pin!(answered);
    let deadline = Instant::now() + time;
    loop {
        let step = deadline.min(Instant::now() + LOOK);
        let answered = tokio::time::timeout_at(step, answered.as_mut());
        match answered.await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) => {
                let body = (!had_body).then(Incoming::empty);
                return Err(Unanswered { error: Error::Http2(error), body });
            }
            Err(_) if step == deadline => {
                return Err(Unanswered { error: Error::Slow(time), body: None });
            }
            Err(_) => {
                let is_under_way = upload.as_ref().is_some_and(Breaker::is_read);
                let looked = poll_fn(|cx| Poll::Ready(watch.look(is_under_way, cx)));
                if let Poll::Ready(cut) = looked.await {
                    if let Some(upload) = upload {
                        upload.break_off();
                    }
                    return Err(Unanswered { error: cut.into(), body: None });
                }
            }
        }
    }
}

/// Prepares a body to be broken off: whoever sends it goes on without us.
pub(super) fn upload(body: Incoming) -> (Incoming, Option<Breaker>) {
    if body.is_end_stream() {
        return (body, None);
    }
    let (body, breaker) = body.breakable();
    (body, Some(breaker))
}

/// Returns the body of an answer as it comes.
pub(super) fn read(
    incoming: hyper::body::Incoming,
    upload: Option<Breaker>,
    in_flight: InFlight,
    idle: Duration,
    lasting: impl FnOnce() -> Arc<Lasting>,
) -> Body {
    if incoming.is_end_stream() {
        return body::empty();
    }
    let (incoming, watched) = (Some(incoming), Watched::new(lasting()));
    let deadline = Deadline::default();
    Body::stream(AnswerBody { incoming, upload, in_flight, deadline, idle, watched })
}

struct AnswerBody {
    /// Absent when it was ended.
    incoming: Option<hyper::body::Incoming>,
    upload: Option<Breaker>,
    in_flight: InFlight,
    deadline: Deadline,
    idle: Duration,
    watched: Watched,
}

impl AnswerBody {
    fn end(&mut self, cut: Cut) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.incoming = None;
        if let Some(upload) = self.upload.take() {
            upload.break_off();
        }
        Poll::Ready(Some(Err(cut.into())))
    }
}

impl HttpBody for AnswerBody {
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
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        match Pin::new(&mut *incoming).poll_frame(cx) {
            Poll::Ready(None) if !incoming.is_end_stream() => {
                this.in_flight.lease.broke_off();
                Poll::Ready(Some(Err(BodyError::Incomplete.into())))
            }
            Poll::Ready(frame) => {
                this.deadline.clear();
                if let Poll::Ready(cut) = this.watched.passed(cx) {
                    return this.end(cut);
                }
                if matches!(frame, Some(Err(_))) {
                    this.in_flight.lease.broke_off();
                }
                Poll::Ready(frame.map(|frame| frame.map(trailer::clean).map_err(Into::into)))
            }
            Poll::Pending => match ready!(this.watched.wait(&mut this.deadline, this.idle, cx)) {
                Some(cut) => this.end(cut),
                None => {
                    this.in_flight.lease.broke_off();
                    Poll::Ready(Some(Err(BodyError::Stalled(this.idle).into())))
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_some_and(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}
