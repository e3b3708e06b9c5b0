//! How long this process has what only one process can have: the store in a file, above all.
//!
//! When a successor takes over, it waits for the store, and this process still has requests that
//! need it. So nobody begins anything more here that needs it; what has begun comes to its end; and
//! then the store is given up.

use std::time::Duration;

use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// From the start of a process to the moment at which its successor is ready.
#[derive(Debug, Default)]
pub struct Tenure(TaskTracker);

/// Something that has begun, and that the store is not given up before.
#[derive(Debug, Clone)]
#[must_use]
pub struct Hold(#[expect(dead_code, reason = "held, not read")] TaskTrackerToken);

impl Tenure {
    /// Begins something that needs the store; none when it is a successor's affair.
    pub fn hold(&self) -> Option<Hold> {
        let held = self.0.token();
        // Whoever ended it meanwhile waits for this one, or is seen here.
        (!self.is_over()).then_some(Hold(held))
    }

    /// Tells whether a successor has, or is about to have, what this process had.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_closed()
    }

    /// Ends it, and waits for what has begun, but not longer than that. Returns whether all of it
    /// came to its end.
    pub async fn end(&self, patience: Duration) -> bool {
        self.0.close();
        timeout(patience, self.0.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_has_begun_comes_to_its_end_and_nothing_more_begins() {
        let tenure = Tenure::default();
        let (one, other) = (tenure.hold().unwrap(), tenure.hold().unwrap());
        drop(one);
        let (ended, ()) = tokio::join!(tenure.end(Duration::from_secs(3)), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(tenure.is_over() && tenure.hold().is_none());
            drop(other);
        });
        assert!(ended && tenure.hold().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_not_waited_for() {
        let tenure = Tenure::default();
        let hold = tenure.hold();
        assert!(!tenure.end(Duration::from_secs(3)).await);
        drop(hold);
        assert!(tenure.hold().is_none(), "it does not begin again");
    }
}
