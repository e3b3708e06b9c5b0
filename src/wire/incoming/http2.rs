//! A body of HTTP/2.
//!
//! A client that is answered before it has sent all of its body may not have looked for an answer
//! yet. A reset right behind the answer is allowed (RFC 9113 8.1), and some clients forget the
//! answer over it (curl 7.88). So what is not wanted is read on for a while, as it is on a
//! connection of HTTP/1.1, and thrown away.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::runtime::Handle;

use super::awaited::Awaited;
use super::error::BodyError;
use crate::wire::pace::Slowest;

/// A body of HTTP/2.
pub(super) struct Http2Body {
    /// Absent when it is read on in the background.
    body: Option<hyper::body::Incoming>,
    client: Awaited,
}

impl Http2Body {
    pub(super) fn new(body: hyper::body::Incoming, slowest: Slowest) -> Self {
        Self { body: Some(body), client: Awaited::new(slowest) }
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Pending => Poll::Ready(Some(Err(ready!(self.client.poll_wait(cx)).into()))),
            // A stream that was reset, even without an error, has not come to its end.
            Poll::Ready(None) if !body.is_end_stream() => {
                Poll::Ready(Some(Err(BodyError::Incomplete)))
            }
            Poll::Ready(frame) => {
                let frame = frame.map(|frame| frame.map_err(BodyError::from));
                self.client.moved(frame.as_ref());
                Poll::Ready(frame)
            }
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for Http2Body {
    fn drop(&mut self) {
        if let Some(body) = self.body.take()
            && !body.is_end_stream()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(tokio::time::timeout(LINGER, read_on(body)));
        }
    }
}

/// Reads what is not wanted. The stream counts among those of its connection until it is done.
async fn read_on(mut body: hyper::body::Incoming) {
    let mut left = LINGER_BYTES;
    while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(still) => left = still,
            None => return,
        }
    }
}

/// How long, and how much, is still read of a body that is not wanted.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 * 1024 * 1024;
