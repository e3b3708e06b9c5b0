//! How long this process has what only one process can have: the store in a file, above all.
//!
//! When a successor takes over, it waits for the store, and this process still has requests that
//! need it. So nobody begins anything more here that needs it; what has begun comes to its end; and
//! then the store is given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedRwLockReadGuard, RwLock};
use tokio::time::timeout;

/// From the start of a process to the moment at which its successor is ready.
#[derive(Debug, Default)]
pub struct Tenure {
    holds: Arc<RwLock<()>>,
    is_over: AtomicBool,
}

/// Something that has begun, and that the store is not given up before.
#[derive(Debug)]
#[must_use]
pub struct Hold {
    _held: OwnedRwLockReadGuard<()>,
}

impl Tenure {
    /// Begins something that needs the store; none when it is a successor's affair.
    pub fn hold(&self) -> Option<Hold> {
        let held = Arc::clone(&self.holds).try_read_owned().ok()?;
        // Whoever ended it meanwhile waits for this one, or is seen here.
        (!self.is_over()).then_some(Hold { _held: held })
    }

    /// Tells whether a successor has, or is about to have, what this process had.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Ends it, and waits for what has begun, but not longer than that. Returns whether all of it
    /// came to its end.
    pub async fn end(&self, patience: Duration) -> bool {
        self.is_over.store(true, Ordering::SeqCst);
        timeout(patience, self.holds.write()).await.is_ok()
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
