//! The one type of HTTP body that our answers have, and bounded reading of what is sent to us.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, LengthLimitError, Limited};
use hyper::body::Body as HttpBody;

/// Whatever can go wrong while a body is read.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer: made whole by us, or streamed from an upstream.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Makes a body of bytes that are already there.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Makes an empty body.
#[must_use]
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
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
