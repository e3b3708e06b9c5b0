//! What can go wrong with a body.

use std::io;
use std::time::Duration;

use crate::wire::refusal::Refusal;

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Its coding is wrong.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The connection is broken.
    #[error("connection broke in the middle of a body")]
    Broken(#[from] io::Error),
    /// The other side stopped before the end.
    #[error("body ended early")]
    Incomplete,
    /// Nothing came for too long.
    #[error("nothing of the body came within {0:?}")]
    Stalled(Duration),
    /// There is more of it than is allowed.
    #[error("body is longer than {0} bytes")]
    TooLong(u64),
    /// HTTP/2 has its own reasons.
    #[error("stream of HTTP/2 broke in the middle of a body")]
    Http2(#[from] hyper::Error),
}
