//! How long requests took, as all workers together saw it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::current::Current;
use crate::observe::metrics::histogram::{OF_REQUESTS, Spread};
use crate::observe::metrics::{CLASSES, MetricsEncoder, catalogue};

/// What all workers saw of one upstream.
struct Seen {
    requests: [Spread; CLASSES.len()],
    first_byte: Spread,
}

impl Default for Seen {
    fn default() -> Self {
        let empty = || Spread::empty(&OF_REQUESTS);
        Self { requests: std::array::from_fn(|_| empty()), first_byte: empty() }
    }
}

impl Seen {
    fn add(&mut self, requests: &[Spread; CLASSES.len()]) {
        self.requests.iter_mut().zip(requests).for_each(|(all, one)| all.add(one));
    }
}

/// Writes how long requests took: those that Brama answered itself without a name, then those of
/// each upstream.
pub(super) fn write(workers: &[Arc<Current>], encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
    let (mut own, mut upstreams) = (Seen::default(), BTreeMap::<String, Seen>::new());
    for worker in workers.iter().map(|current| current.worker()) {
        own.add(&worker.own.spreads());
        for (name, durations) in worker.proxy.upstreams.durations() {
            let seen = upstreams.entry(name.to_owned()).or_default();
            seen.add(&durations.requests.spreads());
            seen.first_byte.add(&durations.first_byte.spread());
        }
    }
    let own = [("", &own)].into_iter();
    let all = own.chain(upstreams.iter().map(|(name, seen)| (name.as_str(), seen)));
    encoder.rows(&catalogue::REQUEST_DURATION, |rows| {
        for (name, seen) in all {
            for (class, spread) in CLASSES.into_iter().zip(&seen.requests) {
                // An upgrade is seldom; all others begin at zero.
                if class != "1xx" || spread.count() > 0 {
                    rows.spread(&[name, class], spread)?;
                }
            }
        }
        Ok(())
    })?;
    encoder.rows(&catalogue::UPSTREAM_FIRST_BYTE, |rows| {
        upstreams.iter().try_for_each(|(name, seen)| rows.spread(&[name], &seen.first_byte))
    })
}
