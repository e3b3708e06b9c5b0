//! How many requests an upstream gets: a bounded number under way, a bounded queue before it, a
//! bounded wait in it. What is more is refused at once, so that an upstream that grows slow does
//! not fill the gateway with requests whose clients do not wait any more.
//!
//! 1. One client has no more than its share of them ([`super::shares`]).
//! 2. Some, in the queue too, are kept for citizens who are signed in: when strangers have taken
//!    what they can, citizens still get through.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::settings::Limits;
use super::shares::{Requester, Share, Shares};
use crate::base::reason::Reason;
use crate::observe::metrics::Count;

/// A permit among the requests under way, until it is dropped.
#[derive(Debug)]
pub struct Admission {
    has_waited: bool,
    _share: Share,
    /// One of those that are for all clients, where this one is not signed in.
    _open: Option<OwnedSemaphorePermit>,
    _permit: OwnedSemaphorePermit,
}

impl Admission {
    /// Tells whether it did not come at once.
    #[must_use]
    pub fn has_waited(&self) -> bool {
        self.has_waited
    }
}

/// Why a request gets no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// All permits are taken, and so many wait already.
    #[error("{0} requests wait for their turn already")]
    QueueFull(usize),
    /// None became free in time.
    #[error("no turn came within {0:?}")]
    Waited(std::time::Duration),
    /// The client has as many under way as one may have.
    #[error("the client has {0} requests under way already")]
    Share(usize),
}

impl Busy {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(self) -> Reason {
        match self {
            Self::QueueFull(_) | Self::Waited(_) => Reason::UpstreamBusy,
            Self::Share(_) => Reason::RequestTooManyAtOnce,
        }
    }
}

/// What lets requests through.
#[derive(Debug)]
pub(super) struct Gate {
    limits: Limits,
    shares: Shares,
    permits: Arc<Semaphore>,
    /// Those that are not kept for citizens who are signed in.
    open: Arc<Semaphore>,
    pending: AtomicUsize,
    /// Those that found the queue full, those whose turn did not come in time, and those that were
    /// more than the share of their client.
    refused: [Count; 3],
}

impl Gate {
    pub(super) fn new(limits: Limits) -> Self {
        let permits = limits.max_requests.min(Semaphore::MAX_PERMITS);
        Self {
            limits,
            shares: Shares::new(limits.share()),
            permits: Arc::new(Semaphore::new(permits)),
            open: Arc::new(Semaphore::new(permits - kept(permits))),
            pending: AtomicUsize::new(0),
            refused: Default::default(),
        }
    }

    pub(super) async fn admit(&self, requester: Requester) -> Result<Admission, Busy> {
        let Some(share) = self.shares.take(requester) else {
            self.refused[2].add();
            return Err(Busy::Share(self.limits.share()));
        };
        // No request is overtaken: a permit that becomes free goes to the one that waits.
        let (all, open) = (&self.permits, (!requester.is_signed_in()).then_some(&self.open));
        let (has_waited, (_open, _permit)) = match try_take(open, all) {
            Some(taken) => (false, taken),
            None => (true, self.wait(open).await?),
        };
        Ok(Admission { has_waited, _share: share, _open, _permit })
    }

    async fn wait(&self, open: Option<&Arc<Semaphore>>) -> Result<Taken, Busy> {
        let queue = self.limits.max_pending;
        let room = if open.is_some() { queue - kept(queue) } else { queue };
        let _waiting =
            Waiting::enter(&self.pending, room).inspect_err(|_| self.refused[0].add())?;
        let turn = async {
            let open = match open {
                Some(open) => Some(Arc::clone(open).acquire_owned().await?),
                None => None,
            };
            Ok::<_, AcquireError>((open, Arc::clone(&self.permits).acquire_owned().await?))
        };
        match timeout(self.limits.pending_timeout, turn).await {
            Ok(Ok(taken)) => Ok(taken),
            // The semaphores are never closed; if they were, there would be no turn either.
            Ok(Err(_)) | Err(_) => {
                self.refused[1].add();
                Err(Busy::Waited(self.limits.pending_timeout))
            }
        }
    }

    /// Returns how many found the queue full, how many waited for nothing, and how many were more
    /// than the share of their client.
    pub(super) fn refused(&self) -> [u64; 3] {
        self.refused.each_ref().map(Count::value)
    }

    pub(super) fn requests(&self) -> usize {
        self.limits.max_requests.saturating_sub(self.permits.available_permits())
    }

    pub(super) fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }
}

/// One of those for all clients, where it takes one, and one of all.
type Taken = (Option<OwnedSemaphorePermit>, OwnedSemaphorePermit);

fn try_take(open: Option<&Arc<Semaphore>>, all: &Arc<Semaphore>) -> Option<Taken> {
    let open = match open {
        Some(open) => Some(Arc::clone(open).try_acquire_owned().ok()?),
        None => None,
    };
    Some((open, Arc::clone(all).try_acquire_owned().ok()?))
}

/// How many of a number are kept for citizens who are signed in.
fn kept(number: usize) -> usize {
    number / 8
}

/// A place in the queue. A request that is dropped leaves it.
struct Waiting<'g>(&'g AtomicUsize);

impl<'g> Waiting<'g> {
    fn enter(pending: &'g AtomicUsize, room: usize) -> Result<Self, Busy> {
        let waiting = Self(pending);
        match pending.fetch_add(1, Ordering::Relaxed) {
            before if before < room => Ok(waiting),
            _ => Err(Busy::QueueFull(room)),
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
    use crate::base::network::Network;
    use crate::session::SessionId;

    fn gate(max_requests: usize, max_pending: usize) -> Gate {
        let pending_timeout = Duration::from_secs(5);
        Gate::new(Limits { max_requests, max_pending, pending_timeout, max_requests_per_client: 0 })
    }

    fn citizen() -> Requester {
        Requester::Session(SessionId::generate().key())
    }

    fn stranger(last: u8) -> Requester {
        Requester::Network(Network::of([192, 0, 2, last].into(), 32, 56))
    }

    #[tokio::test(start_paused = true)]
    async fn when_strangers_have_taken_what_they_can_citizens_still_get_through() {
        let gate = gate(16, 8);
        let mut held = Vec::new();
        for number in 0..14 {
            held.push(gate.admit(stranger(number)).await.unwrap());
        }
        // Strangers wait, and leave room in the queue.
        let waited = gate.admit(stranger(20)).await.unwrap_err();
        assert_eq!(waited, Busy::Waited(Duration::from_secs(5)));
        held.push(gate.admit(citizen()).await.unwrap());
        held.push(gate.admit(citizen()).await.unwrap());
        assert_eq!(gate.requests(), 16);
        drop(held.remove(0));
        gate.admit(stranger(21)).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_leave_room_in_the_queue_for_citizens() {
        let gate = gate(16, 8);
        let mut held = Vec::new();
        for number in 0..14 {
            held.push(gate.admit(stranger(number)).await.unwrap());
        }
        for _ in 0..2 {
            held.push(gate.admit(citizen()).await.unwrap());
        }
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting: Vec<_> =
            (20..27).map(|number| Box::pin(gate.admit(stranger(number)))).collect();
        for stranger in &mut waiting {
            assert!(stranger.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(gate.admit(stranger(30)).await.unwrap_err(), Busy::QueueFull(7));
        let mut last = Box::pin(gate.admit(citizen()));
        assert!(last.as_mut().poll(&mut context).is_pending());
        assert_eq!(gate.admit(citizen()).await.unwrap_err(), Busy::QueueFull(8));
        assert_eq!((gate.pending(), gate.refused()), (8, [2, 0, 0]));
    }

    #[tokio::test(start_paused = true)]
    async fn one_client_has_no_more_than_its_share_signed_in_or_not() {
        for one in [citizen(), stranger(1)] {
            let limits = Limits { max_requests_per_client: 3, ..Limits::default() };
            let gate = Gate::new(limits);
            let held = [gate.admit(one).await.unwrap(), gate.admit(one).await.unwrap()];
            let last = gate.admit(one).await.unwrap();
            assert_eq!(gate.admit(one).await.unwrap_err(), Busy::Share(3));
            assert_eq!((gate.requests(), gate.refused()), (3, [0, 0, 1]));
            gate.admit(stranger(2)).await.unwrap();
            drop(last);
            gate.admit(one).await.unwrap();
            drop(held);
        }
    }

    #[test]
    fn a_share_is_an_eighth_but_enough_for_a_browser() {
        let share = |max_requests, max_requests_per_client| {
            Limits { max_requests, max_requests_per_client, ..Limits::default() }.share()
        };
        assert_eq!(share(4096, 0), 512);
        assert_eq!(share(100, 0), 128);
        assert_eq!(share(4096, 7), 7);
    }

    /// Begins to wait, and must not be done at once.
    macro_rules! waiting {
        ($name:ident, $gate:expr) => {
            let mut $name = pin!($gate.admit(citizen()));
            let mut context = Context::from_waker(Waker::noop());
            assert!($name.as_mut().poll(&mut context).is_pending());
        };
    }

    #[tokio::test(start_paused = true)]
    async fn admits_as_many_as_there_are_places_and_no_more() {
        let gate = gate(2, 0);
        let first = gate.admit(citizen()).await.unwrap();
        let _second = gate.admit(citizen()).await.unwrap();
        assert_eq!(gate.admit(citizen()).await.unwrap_err(), Busy::QueueFull(0));
        assert_eq!((gate.requests(), gate.pending()), (2, 0));
        drop(first);
        gate.admit(citizen()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_get_their_turn_in_order() {
        let gate = gate(1, 2);
        let permit = gate.admit(citizen()).await.unwrap();
        assert!(!permit.has_waited());
        waiting!(first, gate);
        waiting!(second, gate);
        assert_eq!(gate.admit(citizen()).await.unwrap_err(), Busy::QueueFull(2));
        assert_eq!(gate.pending(), 2);
        drop(permit);
        // A request that comes now does not overtake.
        let mut context = Context::from_waker(Waker::noop());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert_eq!(gate.admit(citizen()).await.unwrap_err(), Busy::QueueFull(2));
        let Poll::Ready(Ok(permit)) = first.as_mut().poll(&mut context) else {
            panic!("the permit is free")
        };
        assert_eq!(gate.pending(), 1);
        drop(permit);
        assert!(second.await.unwrap().has_waited());
        assert_eq!((gate.requests(), gate.pending()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_allowed() {
        let gate = gate(1, 1);
        let _place = gate.admit(citizen()).await.unwrap();
        let began = tokio::time::Instant::now();
        let refused = gate.admit(citizen()).await.unwrap_err();
        assert_eq!(refused, Busy::Waited(Duration::from_secs(5)));
        assert_eq!(began.elapsed().as_secs(), 5);
        assert_eq!((gate.pending(), gate.refused()), (0, [0, 1, 0]));
        assert_eq!(refused.code(), "upstream.busy");
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_leaves_the_queue() {
        let gate = gate(1, 1);
        let permit = gate.admit(citizen()).await.unwrap();
        {
            waiting!(_gone, gate);
            assert_eq!(gate.pending(), 1);
        }
        assert_eq!(gate.pending(), 0);
        drop(permit);
        gate.admit(citizen()).await.unwrap();
    }
}
