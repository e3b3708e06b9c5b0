//! What a request holds of its upstream while it lasts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;

use super::upstream::{Admission, Lease};
use crate::observe::metrics::histogram::UpstreamDurations;

/// What a request holds of its upstream while it lasts.
pub(super) struct InFlight {
    pub(super) lease: Lease,
    /// When the head of the answer was there.
    pub(super) answered_at: Instant,
    /// Counts how long the request took, when its answer is not all there yet.
    pub(super) timer: Option<Timer>,
    /// A place among the requests under way.
    pub(super) _admission: Admission,
}

impl InFlight {
    /// Returns the name of the server for the log.
    pub(super) fn server_name(&self) -> Arc<str> {
        Arc::clone(self.lease.name())
    }

    /// Has the request counted when the last piece of its answer has gone, and this with it.
    pub(super) fn ends_later(&mut self, timing: &Timing<'_>) {
        let (durations, head_at) = (Arc::clone(timing.durations), self.answered_at);
        let Timing { status, to_head, .. } = *timing;
        self.timer = Some(Timer { durations, status, to_head, head_at });
    }
}

/// How long a request took until the head of its answer was there.
pub(super) struct Timing<'u> {
    pub(super) durations: &'u Arc<UpstreamDurations>,
    pub(super) status: StatusCode,
    pub(super) to_head: Duration,
}

impl Timing<'_> {
    /// Counts a request whose answer was all there with its head, as most are, or that is over
    /// although something follows.
    pub(super) fn ends_with_head(&self) {
        self.durations.requests.observe(self.status, self.to_head);
    }
}

/// Counts how long a request took when it is dropped.
pub(super) struct Timer {
    durations: Arc<UpstreamDurations>,
    status: StatusCode,
    to_head: Duration,
    head_at: Instant,
}

impl Drop for Timer {
    fn drop(&mut self) {
        let took = self.to_head.saturating_add(self.head_at.elapsed());
        self.durations.requests.observe(self.status, took);
    }
}
