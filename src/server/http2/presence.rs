//! Whether a connection of HTTP/2 does anything.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::frames::Malformed;

/// What goes on on a connection.
pub(super) struct Presence {
    began: Instant,
    open: AtomicUsize,
    requests: AtomicU64,
    /// Those that the client began.
    begun: AtomicU64,
    /// Milliseconds from the beginning to the end of the last request.
    last: AtomicU64,
    /// The same of what was read last.
    heard: AtomicU64,
    /// What the connection ended for.
    refused: OnceLock<Malformed>,
}

/// A request under way.
pub(super) struct Open(Arc<Presence>);

impl Presence {
    pub(super) fn new() -> Arc<Self> {
        let (open, requests, begun, last, heard, refused) = Default::default();
        Arc::new(Self { began: Instant::now(), open, requests, begun, last, heard, refused })
    }

    /// Notes that something was read.
    pub(super) fn hear(&self) {
        self.heard.store(self.millis(), Ordering::Relaxed);
    }

    /// Returns when something was read last.
    pub(super) fn heard(&self) -> Instant {
        self.began + Duration::from_millis(self.heard.load(Ordering::Relaxed))
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes that it is idle from now on, when nothing is under way.
    pub(super) fn note(&self) {
        self.last.fetch_max(self.millis(), Ordering::Relaxed);
    }

    /// Notes that a request came.
    pub(super) fn enter(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    /// Notes that the client began so many requests, which may come or not.
    pub(super) fn begun(&self, requests: u64) {
        self.begun.fetch_add(requests, Ordering::Relaxed);
    }

    /// Notes what is refused with all that stands behind it.
    pub(super) fn refuse(&self, what: Malformed) {
        // The first one ended the connection.
        let _ = self.refused.set(what);
    }

    /// Returns what was refused, after the end of the connection.
    pub(super) fn refused(&self) -> Option<Malformed> {
        self.refused.get().copied()
    }

    /// Returns how many requests were begun and never came, after the end of the connection.
    pub(super) fn unseen(&self) -> u64 {
        let (begun, came) = (&self.begun, &self.requests);
        begun.load(Ordering::Relaxed).saturating_sub(came.load(Ordering::Relaxed))
    }

    /// Tells whether any request came.
    pub(super) fn is_used(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    /// Waits until nothing was under way for so long; for the first request, `first`.
    pub(super) async fn idle(&self, first: Duration, between: Duration) {
        loop {
            let allowed = if self.is_used() { between } else { first };
            if self.open.load(Ordering::Relaxed) > 0 {
                sleep(allowed).await;
                continue;
            }
            let since = Duration::from_millis(self.last.load(Ordering::Relaxed));
            let idle = self.began.elapsed().saturating_sub(since);
            if idle >= allowed {
                return;
            }
            sleep(allowed - idle).await;
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.note();
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_when_nothing_is_open() {
        let presence = Presence::new();
        let begin = Instant::now();
        let (first, between) = (Duration::from_secs(10), Duration::from_secs(75));
        presence.idle(first, between).await;
        assert_eq!(begin.elapsed().as_secs(), 10);
        let open = presence.enter();
        let waits = tokio::time::timeout(Duration::from_secs(500), presence.idle(first, between));
        assert!(waits.await.is_err());
        drop(open);
        let begin = Instant::now();
        presence.idle(first, between).await;
        assert_eq!(begin.elapsed().as_secs(), 75);
        // It has been idle for a while when it is asked.
        drop(presence.enter());
        let begin = Instant::now();
        sleep(Duration::from_secs(30)).await;
        presence.idle(first, between).await;
        assert_eq!(begin.elapsed().as_secs(), 75);
    }

    #[test]
    fn what_was_begun_and_never_came_is_counted_and_the_first_refusal_is_kept() {
        let presence = Presence::new();
        assert_eq!((presence.unseen(), presence.refused()), (0, None));
        presence.begun(2);
        presence.begun(1);
        assert!(!presence.is_used());
        let _open = presence.enter();
        assert!(presence.is_used());
        assert_eq!(presence.unseen(), 2);
        presence.refuse(Malformed::Fragment);
        presence.refuse(Malformed::TooLong);
        assert_eq!(presence.refused(), Some(Malformed::Fragment));
    }
}
