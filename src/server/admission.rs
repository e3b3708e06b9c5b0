//! What all listeners of the program share: its bounds, what is counted, and how many are in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ipnet::IpNet;
use tokio::sync::Semaphore;

use super::addresses::PerAddress;
use super::counts::Counts;
use super::limits::Limits;
use crate::request::networks::Networks;

/// What all listeners of the program share.
#[derive(Debug)]
pub struct Admission {
    pub(super) limits: Limits,
    pub(super) counts: Counts,
    /// How many are open. A permit is taken before somebody comes, so permits do not tell.
    open: AtomicUsize,
    pub(super) permits: Arc<Semaphore>,
    pub(super) per_address: Arc<PerAddress>,
    pub(super) proxies: Networks,
}

impl Admission {
    /// Makes the shared bounds. Peers from `proxies` begin with a PROXY header; neither they nor
    /// `trusted` are counted as clients.
    #[must_use]
    pub fn new(limits: Limits, proxies: Vec<IpNet>, trusted: &[IpNet]) -> Arc<Self> {
        let exempt = [&proxies, trusted].concat();
        let per_address = PerAddress::new(limits.connections_per_address, exempt);
        let permits = Arc::new(Semaphore::new(limits.connections));
        let (per_address, proxies) = (Arc::new(per_address), Networks::new(proxies));
        let (counts, open) = Default::default();
        Arc::new(Self { limits, counts, open, permits, per_address, proxies })
    }

    /// Has other proxies not counted as clients from now on.
    pub fn trust(&self, proxies: &[IpNet], trusted: &[IpNet]) {
        self.per_address.exempt([proxies, trusted].concat());
    }

    /// Returns the bounds.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Returns what was counted.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Returns how many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

/// A connection that counts as open until this is dropped.
pub(super) struct Open(Arc<Admission>);

impl Open {
    pub(super) fn begin(admission: &Arc<Admission>) -> Self {
        admission.counts.accepted.add();
        admission.open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(admission))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
