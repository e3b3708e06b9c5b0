//! How many gateways share the store, as the store knows them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::store::redis::Redis;

/// How many gateways share the store.
#[derive(Debug)]
pub(super) struct Replicas(AtomicU64);

impl Replicas {
    /// Begins to count them where they share a server, and is the only one otherwise.
    pub(super) fn of(redis: Option<&Arc<Redis>>) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(if redis.is_some() { UNKNOWN } else { 1 })))
    }

    /// Returns how many were seen last; nothing when that is not known.
    pub(super) fn seen(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|count| *count != UNKNOWN)
    }

    /// Counts them again and again, for as long as it is waited for.
    pub(super) async fn keep(self: Arc<Self>, redis: Arc<Redis>) {
        let mut counted: Option<Instant> = None;
        loop {
            // Before this process is among those that listen, there is one more than are counted.
            if !redis.is_watching() {
                counted = None;
                self.0.store(UNKNOWN, Ordering::Relaxed);
            } else if counted.is_none_or(|counted| counted.elapsed() >= EVERY) {
                let count = redis.listeners().await.ok();
                counted = count.map(|_| Instant::now());
                self.0.store(count.unwrap_or(UNKNOWN), Ordering::Relaxed);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

const UNKNOWN: u64 = 0;
const EVERY: Duration = Duration::from_secs(15);
/// How often it is seen whether they can be counted.
const LOOK: Duration = Duration::from_secs(1);
