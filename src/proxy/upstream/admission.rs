//! How many requests an upstream gets: a bounded number under way, a bounded queue before it, a
//! bounded wait in it. What is more is refused at once, so that an upstream that grows slow does
//! not fill the gateway with requests that nobody waits for any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::settings::Limits;
use crate::base::reason::Reason;
use crate::observe::metrics::Count;

/// A permit among the requests under way, until it is dropped.
#[derive(Debug)]
pub struct Admission(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

/// Why a request gets no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// All permits are taken, and so many wait already.
    #[error("{0} requests wait for their turn already")]
    QueueFull(usize),
    /// None became free in time.
    #[error("no turn came within {0:?}")]
    Waited(std::time::Duration),
}

impl Busy {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(self) -> Reason {
        Reason::UpstreamBusy
    }
}

/// What lets requests through.
#[derive(Debug)]
pub(super) struct Gate {
    limits: Limits,
    permits: Arc<Semaphore>,
    pending: AtomicUsize,
    /// Those that found the queue full, and those whose turn did not come in time.
    refused: [Count; 2],
}

impl Gate {
    pub(super) fn new(limits: Limits) -> Self {
        let permits = limits.max_requests.min(Semaphore::MAX_PERMITS);
        Self {
            limits,
            permits: Arc::new(Semaphore::new(permits)),
            pending: AtomicUsize::new(0),
            refused: Default::default(),
        }
    }

    pub(super) async fn admit(&self) -> Result<Admission, Busy> {
        // Nobody is overtaken: a permit that becomes free goes to who waits.
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(Admission(permit));
        }
        let _waiting = Waiting::enter(self).inspect_err(|_| self.refused[0].add())?;
        let turn = Arc::clone(&self.permits).acquire_owned();
        match timeout(self.limits.pending_timeout, turn).await {
            Ok(Ok(permit)) => Ok(Admission(permit)),
            // The semaphore is never closed; if it were, there would be no turn either.
            Ok(Err(_)) | Err(_) => {
                self.refused[1].add();
                Err(Busy::Waited(self.limits.pending_timeout))
            }
        }
    }

    /// Returns how many found the queue full, and how many waited for nothing.
    pub(super) fn refused(&self) -> [u64; 2] {
        self.refused.each_ref().map(Count::value)
    }

    pub(super) fn requests(&self) -> usize {
        self.limits.max_requests.saturating_sub(self.permits.available_permits())
    }

    pub(super) fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }
}

/// A permit in the queue. Who goes away leaves it.
struct Waiting<'g>(&'g AtomicUsize);

impl<'g> Waiting<'g> {
    fn enter(gate: &'g Gate) -> Result<Self, Busy> {
        let waiting = Self(&gate.pending);
        match gate.pending.fetch_add(1, Ordering::Relaxed) {
            before if before < gate.limits.max_pending => Ok(waiting),
            _ => Err(Busy::QueueFull(gate.limits.max_pending)),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::*;

    fn gate(max_requests: usize, max_pending: usize) -> Gate {
        let pending_timeout = Duration::from_secs(5);
        Gate::new(Limits { max_requests, max_pending, pending_timeout })
    }

    /// Begins to wait, and must not be done at once.
    macro_rules! waiting {
        ($name:ident, $gate:expr) => {
            let mut $name = pin!($gate.admit());
            let mut context = Context::from_waker(Waker::noop());
            assert!($name.as_mut().poll(&mut context).is_pending());
        };
    }

    #[tokio::test(start_paused = true)]
    async fn admits_as_many_as_there_are_places_and_no_more() {
        let gate = gate(2, 0);
        let first = gate.admit().await.unwrap();
        let _second = gate.admit().await.unwrap();
        assert_eq!(gate.admit().await.unwrap_err(), Busy::QueueFull(0));
        assert_eq!((gate.requests(), gate.pending()), (2, 0));
        drop(first);
        gate.admit().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_get_their_turn_in_order() {
        let gate = gate(1, 2);
        let permit = gate.admit().await.unwrap();
        waiting!(first, gate);
        waiting!(second, gate);
        assert_eq!(gate.admit().await.unwrap_err(), Busy::QueueFull(2));
        assert_eq!(gate.pending(), 2);
        drop(permit);
        // Who comes now does not overtake.
        let mut context = Context::from_waker(Waker::noop());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert_eq!(gate.admit().await.unwrap_err(), Busy::QueueFull(2));
        let Poll::Ready(Ok(permit)) = first.as_mut().poll(&mut context) else {
            panic!("the permit is free")
        };
        assert_eq!(gate.pending(), 1);
        drop(permit);
        second.await.unwrap();
        assert_eq!((gate.requests(), gate.pending()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_allowed() {
        let gate = gate(1, 1);
        let _place = gate.admit().await.unwrap();
        let began = tokio::time::Instant::now();
        let refused = gate.admit().await.unwrap_err();
        assert_eq!(refused, Busy::Waited(Duration::from_secs(5)));
        assert_eq!(began.elapsed().as_secs(), 5);
        assert_eq!(gate.pending(), 0);
        assert_eq!(refused.code(), "upstream.busy");
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_leaves_the_queue() {
        let gate = gate(1, 1);
        let permit = gate.admit().await.unwrap();
        {
            waiting!(_gone, gate);
            assert_eq!(gate.pending(), 1);
        }
        assert_eq!(gate.pending(), 0);
        drop(permit);
        gate.admit().await.unwrap();
    }
}
