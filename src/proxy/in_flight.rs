//! What a request holds of its upstream while it lasts.

use std::sync::Arc;
use std::time::Instant;

use super::upstream::{Admission, Group, Lease};

/// What a request holds of its upstream while it lasts.
pub(super) struct InFlight {
    pub(super) lease: Lease,
    /// When the head of the answer was there.
    pub(super) answered_at: Instant,
    /// A place among the requests under way.
    pub(super) _admission: Admission,
}

impl InFlight {
    /// Returns the name of the server for the log.
    pub(super) fn server_name(&self, group: &Group) -> Arc<str> {
        format!("{}/{}", group.settings().name, self.lease.endpoint()).into()
    }
}
