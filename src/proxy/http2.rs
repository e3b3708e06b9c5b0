//! HTTP/2 to an upstream (RFC 9113): one connection for many requests, gRPC among them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::answer_body::clean;
use super::attempt::Share;
use super::connection::Unanswered;
use super::error::Error;
use crate::base::body::{self, Body, BoxError};
use crate::wire::incoming::{BodyError, Incoming};
use crate::wire::patience::Patience;
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
    time: Duration,
) -> Result<Response<hyper::body::Incoming>, Unanswered> {
    let had_body = !request.body().is_end_stream();
    let answered = async {
        sender.ready().await?;
        sender.send_request(request).await
    };
    match tokio::time::timeout(time, answered).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => {
            let body = (!had_body).then(Incoming::empty);
            Err(Unanswered { error: Error::Http2(error), body })
        }
        Err(_) => Err(Unanswered { error: Error::Slow(time), body: None }),
    }
}

/// Returns the body of an answer as it comes.
pub(super) fn read(incoming: hyper::body::Incoming, share: Share, idle: Duration) -> Body {
    if incoming.is_end_stream() {
        return body::empty();
    }
    Body::stream(AnswerBody { incoming, _share: share, patience: Patience::default(), idle })
}

struct AnswerBody {
    incoming: hyper::body::Incoming,
    _share: Share,
    patience: Patience,
    idle: Duration,
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Ready(None) if !this.incoming.is_end_stream() => {
                Poll::Ready(Some(Err(BodyError::Incomplete.into())))
            }
            Poll::Ready(frame) => {
                this.patience.endless();
                Poll::Ready(frame.map(|frame| frame.map(clean).map_err(Into::into)))
            }
            Poll::Pending => {
                ready!(this.patience.poll_stalled(this.idle, cx));
                Poll::Ready(Some(Err(BodyError::Stalled(this.idle).into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
