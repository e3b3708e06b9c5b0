//! Histories that wait to be written to the store, shared out by network: no network that has few
//! waiting loses one to a network that has many.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::History;
use crate::base::clock::{Time, later};
use crate::base::network::Network;
use crate::base::random;
use crate::flow::ledger::{Bounds, Entry, Ledger};
use crate::store::Digest;

/// One history that is to be kept.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) history: History,
    pub(super) network: Network,
}

/// Those that wait, in the order in which they came.
pub(super) struct Waiting {
    ledger: Ledger,
    jobs: Mutex<Jobs>,
}

#[derive(Default)]
struct Jobs {
    by_digest: HashMap<Digest, Arc<Job>>,
    order: VecDeque<Digest>,
}

impl Waiting {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { ledger: Ledger::new(bounds), jobs: Mutex::default() }
    }

    /// Has a history wait; returns how many are lost for it, itself among them.
    pub(super) fn push(&self, job: Job, now: Time) -> usize {
        let digest: Digest = random::bytes();
        let bytes = Bounds::weigh(job.history.weight());
        let entry = Entry { digest, network: job.network, bytes, expires: later(now, LONGEST) };
        let admission = self.ledger.admit(entry, now);
        self.with(|jobs| {
            let evicted = admission.evicted.iter().filter(|gone| jobs.remove(gone)).count();
            if !admission.is_admitted {
                return evicted + 1;
            }
            jobs.by_digest.insert(digest, Arc::new(job));
            jobs.order.push_back(digest);
            evicted
        })
    }

    /// Returns the one that waits longest; it goes on waiting until it is done.
    pub(super) fn first(&self) -> Option<(Digest, Arc<Job>)> {
        self.with(|jobs| {
            while let Some(digest) = jobs.order.front().copied() {
                if let Some(job) = jobs.by_digest.get(&digest) {
                    return Some((digest, Arc::clone(job)));
                }
                jobs.order.pop_front();
            }
            None
        })
    }

    pub(super) fn done(&self, digest: Digest) {
        self.ledger.release(digest);
        self.with(|jobs| jobs.remove(&digest));
    }

    /// Finds what waits and has a property.
    pub(super) fn find(&self, is_it: impl Fn(&History) -> bool) -> Option<History> {
        self.with(|jobs| {
            jobs.order
                .iter()
                .filter_map(|digest| jobs.by_digest.get(digest))
                .map(|job| &job.history)
                .filter(|history| is_it(history))
                .cloned()
                .reduce(|mut all, more| {
                    all.join(more);
                    all
                })
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Jobs) -> T) -> T {
        act(&mut self.jobs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Jobs {
    fn remove(&mut self, digest: &Digest) -> bool {
        let is_there = self.by_digest.remove(digest).is_some();
        // The places of those that are gone are taken from the front only.
        if self.order.len() > 2 * self.by_digest.len() + 64 {
            self.order.retain(|digest| self.by_digest.contains_key(digest));
        }
        is_there
    }
}

/// How long one waits for a store that is away.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(3600);
