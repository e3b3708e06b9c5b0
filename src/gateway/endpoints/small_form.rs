//! Our own small forms, as browsers send them back.

use std::time::Duration;

use bytes::Bytes;

use crate::base::body::{self, ReadError};
use crate::gateway::forms::slow_or_broken;
use crate::wire::incoming::Incoming;

/// How long one may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(10);

/// Reads one of at most so many bytes.
///
/// # Errors
/// When it is longer, too slow, or breaks off.
pub(super) async fn read(body: Incoming, most: usize) -> Result<Bytes, ReadError> {
    body::read_within(body, most, ARRIVAL).await.map_err(slow_or_broken)
}
