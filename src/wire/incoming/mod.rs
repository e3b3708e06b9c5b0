//! Bodies as they come in, piece by piece, never held whole.

mod awaited;
mod body;
mod error;
mod http2;
mod lease;
mod progress;
mod trailer;

pub use self::body::{Incoming, TrailerRule};
pub use self::error::BodyError;
pub use self::lease::{ReaderLease, Returned};
pub use self::progress::Progress;
pub use self::trailer::retain_trailer;
