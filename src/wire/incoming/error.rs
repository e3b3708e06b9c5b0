//! What can go wrong with a body.

use std::io;
use std::time::Duration;

use crate::wire::pace::TooSlow;
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
    /// It comes slower than it may.
    #[error("the body comes slower than {0} bytes a second")]
    TooSlow(u32),
    /// There is more of it than is allowed.
    #[error("body is longer than {0} bytes")]
    TooLong(u64),
    /// HTTP/2 has its own reasons.
    #[error("stream of HTTP/2 broke in the middle of a body")]
    Http2(#[from] h2::Error),
}

impl From<TooSlow> for BodyError {
    fn from(slow: TooSlow) -> Self {
        match slow {
            TooSlow::Silent(stall) => Self::Stalled(stall),
            TooSlow::Rate(rate) => Self::TooSlow(rate),
        }
    }
}
