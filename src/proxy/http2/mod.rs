//! HTTP/2 to an upstream (RFC 9113): one connection for many requests, gRPC among them.
//!
//! An upstream may say that it did nothing with a request, and then it is so, whatever the method
//! (RFC 9113 8.7): its stream is above the last one of a GOAWAY, or was refused. That is not the
//! same as a connection that broke, of which it is not known what was done before.

use std::error::Error as _;
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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::connection::{Unanswered, Watch};
use super::error::Error;
use super::in_flight::{InFlight, Timing};
use super::trailer;
use super::upload::{Sending, Upload};
use super::watched::Watched;
use crate::base::body::{self, Body, BoxError};
use crate::request::lasting::{Cut, LOOK, Lasting};
use crate::wire::deadline::Deadline;
use crate::wire::incoming::BodyError;

/// Sends requests on a connection.
pub(super) type Sender = http2::SendRequest<Sending>;

/// How often a silent server is asked whether it is still there, and how long it may think.
const PING: Duration = Duration::from_secs(20);
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// Begins to speak on a new connection.
pub(super) async fn begin<S>(stream: S) -> Result<Sender, hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
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
    request: Request<Sending>,
    upload: &Upload,
    time: Duration,
    watch: &dyn Watch,
) -> Result<Response<hyper::body::Incoming>, Unanswered> {
    let had_body = !request.body().is_end_stream();
    let mut answered = pin!(sender.send_request(request));
    let mut deadline = Instant::now() + time;
    loop {
        let step = deadline.min(Instant::now() + LOOK);
        let answered = tokio::time::timeout_at(step, answered.as_mut());
        match answered.await {
            Ok(Ok(response)) => {
                upload.answered();
                return Ok(response);
            }
            Ok(Err(error)) => return Err(unanswered(error, upload, had_body)),
            // Time counts while the upstream is to do something, from what it did last.
            Err(_) if upload.is_going_on() => deadline = Instant::now() + time,
            Err(_) if step == deadline => return Err(Error::Slow(time).into()),
            Err(_) => {}
        }
        let looked = poll_fn(|cx| Poll::Ready(watch.look(upload.is_under_way(), cx)));
        if let Poll::Ready(cut) = looked.await {
            upload.break_off();
            return Err(Error::from(cut).into());
        }
    }
}

/// Says why there is no answer, and gives the body back where the request could be sent again.
fn unanswered(error: hyper::Error, upload: &Upload, had_body: bool) -> Unanswered {
    let is_cut_short = upload.is_cut_short();
    let error = match upload.failed() {
        Some(error) => return Error::Body(error).into(),
        None => told(error),
    };
    let body = match error {
        Error::Http2(_) if had_body => None,
        _ => upload.take_back(),
    };
    Unanswered { error, body, is_cut_short }
}

/// Tells what the upstream may have done with a request that it did not answer.
fn told(error: hyper::Error) -> Error {
    // Hyper never handed it to the connection.
    if error.is_canceled() {
        return Error::NotProcessed(error);
    }
    let mut cause = error.source();
    while let Some(found) = cause {
        if let Some(found) = found.downcast_ref::<h2::Error>() {
            return match found.reason() {
                _ if !found.is_remote() => Error::Http2(error),
                Some(h2::Reason::HTTP_1_1_REQUIRED) => Error::Http1Required(error),
                // RFC 9113 6.8: h2 tells this only to streams above the last one that is named.
                _ if found.is_go_away() => Error::NotProcessed(error),
                // RFC 9113 8.7.
                Some(h2::Reason::REFUSED_STREAM) => Error::StreamRefused(error),
                _ => Error::Http2(error),
            };
        }
        cause = found.source();
    }
    Error::Http2(error)
}

/// Returns the body of an answer as it comes.
pub(super) fn read(
    incoming: hyper::body::Incoming,
    upload: Upload,
    (mut in_flight, timing): (InFlight, &Timing<'_>),
    idle: Duration,
    lasting: impl FnOnce() -> Arc<Lasting>,
) -> Body {
    if incoming.is_end_stream() {
        timing.ends_with_head();
        return body::empty();
    }
    in_flight.ends_later(timing);
    let (incoming, watched) = (Some(incoming), Watched::new(lasting()));
    let deadline = Deadline::default();
    Body::stream(ResponseBody { incoming, upload, in_flight, deadline, idle, watched })
}

struct ResponseBody {
    /// Absent when it was ended.
    incoming: Option<hyper::body::Incoming>,
    upload: Upload,
    in_flight: InFlight,
    deadline: Deadline,
    idle: Duration,
    watched: Watched,
}

impl ResponseBody {
    fn end(&mut self, cut: Cut) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.incoming = None;
        self.upload.break_off();
        Poll::Ready(Some(Err(cut.into())))
    }
}

impl HttpBody for ResponseBody {
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

#[cfg(test)]
mod tests;
