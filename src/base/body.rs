//! The one type of HTTP body that our answers have, and bounded reading of what is sent to us.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// Whatever can go wrong while a body is read.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer: made whole by us, or streamed from an upstream.
pub enum Body {
    /// All of it is here, and goes out in one piece; nothing when it is empty or has gone.
    Whole(Bytes),
    /// It comes piece by piece.
    Stream(UnsyncBoxBody<Bytes, BoxError>),
}

impl Body {
    /// Makes a body of the pieces of another one, such as an upstream's.
    pub fn stream<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::Stream(body.map_err(Into::into).boxed_unsync())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(body) => body.size_hint(),
        }
    }
}

/// Makes a body of bytes that are already there.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Body::Whole(bytes.into())
}

/// Makes an empty body.
#[must_use]
pub fn empty() -> Body {
    Body::Whole(Bytes::new())
}

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is longer than we take.
    #[error("body is longer than {0} bytes")]
    TooLong(usize),
    /// It takes too long.
    #[error("body did not arrive within {0:?}")]
    Slow(Duration),
    /// The other side stopped in the middle.
    #[error("body ended early")]
    Broken(#[source] BoxError),
}

/// Reads a body whole, up to a limit and within a time: what is small has no reason to take long.
///
/// # Errors
/// When it is longer, takes longer or breaks off.
pub async fn read_within<B>(body: B, limit: usize, time: Duration) -> Result<Bytes, ReadError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    match tokio::time::timeout(time, read(body, limit)).await {
        Ok(read) => read,
        Err(_) => Err(ReadError::Slow(time)),
    }
}

/// Reads a body whole, up to a limit.
///
/// # Errors
/// When it is longer or breaks off.
pub async fn read<B>(body: B, limit: usize) -> Result<Bytes, ReadError>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ReadError::TooLong(limit)),
        Err(error) => Err(ReadError::Broken(error)),
    }
}
