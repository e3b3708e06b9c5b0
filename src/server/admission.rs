//! What all listeners of the program share: its bounds, what is counted, and how many are in.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ipnet::IpNet;
use rustix::io::Errno;
use tokio::sync::Semaphore;
use tracing::{error, warn};

use super::addresses::PerAddress;
use super::counts::Counts;
use super::limits::Limits;
use crate::base::reason::Reason;
use crate::request::networks::Networks;

/// What all listeners of the program share.
#[derive(Debug)]
pub struct Admission {
    pub(super) limits: Limits,
    pub(super) counts: Arc<Counts>,
    /// How many are open. A permit is taken before a client comes, so permits do not tell.
    open: AtomicUsize,
    /// When it was told last that descriptors had run out.
    told: Mutex<Option<Instant>>,
    /// When it was told last that somebody connected who may not.
    told_strangers: Mutex<Option<Instant>>,
    pub(super) permits: Arc<Semaphore>,
    pub(super) per_address: Arc<PerAddress>,
    pub(super) proxies: Networks,
}

impl Admission {
    /// Makes the shared bounds. Peers from `proxies` begin with a PROXY header; neither they nor
    /// `trusted` are counted as clients.
    #[must_use]
    pub fn new(limits: Limits, proxies: Vec<IpNet>, trusted: &[IpNet]) -> Arc<Self> {
        Self::counted(limits, proxies, trusted, Arc::default())
    }

    /// Makes bounds of their own beside these, for those who only ask. What is counted is counted
    /// together.
    #[must_use]
    pub fn beside(&self, limits: Limits) -> Arc<Self> {
        Self::counted(limits, Vec::new(), &[], Arc::clone(&self.counts))
    }

    fn counted(
        limits: Limits,
        proxies: Vec<IpNet>,
        trusted: &[IpNet],
        counts: Arc<Counts>,
    ) -> Arc<Self> {
        let exempt = [&proxies, trusted].concat();
        let per_address = PerAddress::new(limits.connections_per_address, exempt);
        let permits = Arc::new(Semaphore::new(limits.connections));
        let (per_address, proxies) = (Arc::new(per_address), Networks::new(proxies));
        let (open, told, told_strangers) = Default::default();
        Arc::new(Self { limits, counts, open, told, told_strangers, permits, per_address, proxies })
    }

    /// Has other proxies not counted as clients from now on.
    pub fn trust(&self, proxies: &[IpNet], trusted: &[IpNet]) {
        self.per_address.exempt([proxies, trusted].concat());
    }

    /// Returns the bounds of connections, requests and times.
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

    /// Counts and tells that a connection could not be accepted: every worker notices, several
    /// times a second, when the system gives no descriptors.
    pub(super) fn note_failure(&self, error: &io::Error, now: Instant) {
        self.counts.accept_errors.add();
        let errno = error.raw_os_error();
        if ![Errno::MFILE, Errno::NFILE].iter().any(|one| errno == Some(one.raw_os_error())) {
            return warn!(%error, "connection could not be accepted");
        }
        if is_due(&self.told, now) {
            error!(
                %error,
                open = self.open(),
                "no file descriptors are left, so nobody can connect: let the process have more \
                 (LimitNOFILE=), or lower listen.max_connections"
            );
        }
    }

    /// Counts and tells that a connection was closed because of where it came from.
    pub(super) fn note_stranger(&self, peer: IpAddr, now: Instant) {
        self.counts.refused.add("network");
        if is_due(&self.told_strangers, now) {
            warn!(
                reason = Reason::CompanionNotTrusted.as_str(),
                %peer,
                "a connection was closed: its peer is in none of the networks that may ask here; \
                 name the proxy in trusted of [[companion]]"
            );
        }
    }
}

/// Says whether something is to be told that was told last at that time, and notes it.
fn is_due(told: &Mutex<Option<Instant>>, now: Instant) -> bool {
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    let is_due = told.is_none_or(|told| now.saturating_duration_since(told) >= SILENCE);
    if is_due {
        *told = Some(now);
    }
    is_due
}

/// How often the same is told: that descriptors have run out, that strangers connect.
const SILENCE: Duration = Duration::from_secs(60);

/// A connection that counts as open until this is dropped.
#[derive(Debug)]
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
