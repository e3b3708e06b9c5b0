//! A body of HTTP/2.
//!
//! A client that is answered before it has sent all of its body may not have looked for an answer
//! yet. A reset right behind the answer is allowed (RFC 9113 8.1), and some clients forget the
//! answer over it (curl 7.88). So what is not wanted is read on for a while, as it is on a
//! connection of HTTP/1.1, and thrown away.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, RecvStream};
use hyper::body::{Frame, SizeHint};
use tokio::runtime::Handle;

use super::awaited::Awaited;
use super::error::BodyError;
use crate::wire::pace::Slowest;

/// A body of HTTP/2.
pub(super) struct Http2Body {
    /// Absent when it is read on in the background.
    stream: Option<RecvStream>,
    /// What still comes, where a length was said.
    left: Option<u64>,
    client: Awaited,
}

impl Http2Body {
    pub(super) fn new(stream: RecvStream, length: Option<u64>, slowest: Slowest) -> Self {
        Self { stream: Some(stream), left: length, client: Awaited::new(slowest) }
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        match poll_frame(stream, cx) {
            Poll::Pending => Poll::Ready(Some(Err(ready!(self.client.poll_wait(cx)).into()))),
            // A stream that was reset, even without an error, has not come to its end.
            Poll::Ready(None) if !stream.is_end_stream() => {
                Poll::Ready(Some(Err(BodyError::Incomplete)))
            }
            Poll::Ready(frame) => {
                let frame = frame.map(|frame| frame.map_err(BodyError::from));
                self.client.moved(frame.as_ref());
                let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
                let length = data.map_or(0, Bytes::len) as u64;
                self.left = self.left.map(|left| left.saturating_sub(length));
                Poll::Ready(frame)
            }
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.stream.as_ref().is_none_or(RecvStream::is_end_stream)
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Takes what comes next: data, and the trailer behind it. Nothing when the client needs not send
/// the rest (RFC 9113 8.1).
fn poll_frame(
    stream: &mut RecvStream,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
    let frame = match ready!(stream.poll_data(cx)) {
        Some(Ok(data)) => {
            // Nothing is to be said of a stream that has ended.
            let _ = stream.flow_control().release_capacity(data.len());
            Some(Ok(Frame::data(data)))
        }
        Some(Err(error)) => Some(Err(error)),
        None => ready!(stream.poll_trailers(cx)).transpose().map(|end| end.map(Frame::trailers)),
    };
    let is_needless = |error: &h2::Error| error.reason() == Some(Reason::NO_ERROR);
    Poll::Ready(frame.filter(|frame| !frame.as_ref().is_err_and(is_needless)))
}

impl Drop for Http2Body {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take()
            && !stream.is_end_stream()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(tokio::time::timeout(LINGER, read_on(stream)));
        }
    }
}

/// Reads what is not wanted. The stream counts among those of its connection until it is done.
async fn read_on(mut stream: RecvStream) {
    let mut left = LINGER_BYTES;
    while let Some(Ok(frame)) = poll_fn(|cx| poll_frame(&mut stream, cx)).await {
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
