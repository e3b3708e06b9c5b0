//! What a store is asked for again while it does not answer, because what was spent for it cannot be had
//! a second time: the node tells once what an artifact stands for.
//!
//! A server of Redis that is replaced by another is away for some seconds. A citizen whose login comes
//! to its end just then waits for that long, and is signed in.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::store::Unavailable;

/// Asks until there is an answer, for [`PATIENCE`] at most. What is asked for must be the same when
/// it is done twice. A store that works and is full is not asked again.
///
/// # Errors
/// The last one.
pub(super) async fn insist<T, F, Fut>(mut ask: F) -> Result<T, Unavailable>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, Unavailable>>,
{
    let (end, mut pause) = (Instant::now() + PATIENCE, SOON);
    loop {
        match ask().await {
            Err(away) if !away.is_full() && Instant::now() + pause < end => {
                sleep(pause).await;
                pause = (pause * 2).min(SELDOM);
            }
            answer => return answer,
        }
    }
}

/// For how long it is asked.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// How soon it is asked again, and how seldom when it lasts.
const SOON: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_millis(800);
