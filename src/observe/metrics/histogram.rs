//! How durations are spread over buckets, counted without a lock.
//!
//! A [`Histogram`] is two additions to cells that no other histogram shares a cache line with. Where
//! each worker has its own, no worker waits for another; what they counted is added up when somebody
//! asks ([`Spread`]). The buckets are those of Prometheus' classic histograms.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;

use super::CLASSES;

/// The upper bounds of buckets, in nanoseconds; what is longer than the last is in a bucket of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Bounds(&'static [u64]);

/// How many bounds there are at most.
pub const MOST_BOUNDS: usize = 15;

impl Bounds {
    /// Takes bounds that grow, no more than [`MOST_BOUNDS`]. Others do not compile where they are constants.
    #[must_use]
    pub const fn new(bounds: &'static [u64]) -> Self {
        assert!(!bounds.is_empty() && bounds.len() <= MOST_BOUNDS);
        let mut at = 1;
        while at < bounds.len() {
            assert!(bounds[at - 1] < bounds[at]);
            at += 1;
        }
        Self(bounds)
    }
}

/// What an answer takes: from a portal next door to one that keeps people waiting.
pub static OF_REQUESTS: Bounds = Bounds::new(&[
    MILLISECOND,
    2 * MILLISECOND + MILLISECOND / 2,
    5 * MILLISECOND,
    10 * MILLISECOND,
    25 * MILLISECOND,
    50 * MILLISECOND,
    100 * MILLISECOND,
    250 * MILLISECOND,
    500 * MILLISECOND,
    1_000 * MILLISECOND,
    2_500 * MILLISECOND,
    5_000 * MILLISECOND,
    10_000 * MILLISECOND,
    30_000 * MILLISECOND,
]);

/// What the node takes: up to the longest time that a citizen might wait.
pub static OF_THE_NODE: Bounds = Bounds::new(&[
    50 * MILLISECOND,
    100 * MILLISECOND,
    250 * MILLISECOND,
    500 * MILLISECOND,
    1_000 * MILLISECOND,
    2_500 * MILLISECOND,
    5_000 * MILLISECOND,
    10_000 * MILLISECOND,
    30_000 * MILLISECOND,
]);

/// What a store takes: from the memory of a process to a server that hangs.
pub static OF_STORES: Bounds = Bounds::new(&[
    MILLISECOND / 2,
    MILLISECOND,
    5 * MILLISECOND,
    20 * MILLISECOND,
    100 * MILLISECOND,
    250 * MILLISECOND,
    1_000 * MILLISECOND,
    2_500 * MILLISECOND,
]);

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// How durations are spread. Nothing else lies in its cache lines.
#[derive(Debug)]
#[repr(align(128))]
pub struct Histogram {
    bounds: &'static Bounds,
    nanoseconds: AtomicU64,
    buckets: [AtomicU64; MOST_BOUNDS + 1],
}

impl Histogram {
    /// Makes one that has seen nothing.
    #[must_use]
    pub fn new(bounds: &'static Bounds) -> Self {
        Self { bounds, nanoseconds: AtomicU64::new(0), buckets: Default::default() }
    }

    /// Counts a duration.
    pub fn observe(&self, took: Duration) {
        let whole = took.as_secs().saturating_mul(SECOND);
        let nanoseconds = whole.saturating_add(u64::from(took.subsec_nanos()));
        let bounds = self.bounds.0;
        let bucket = bounds.iter().position(|most| nanoseconds <= *most).unwrap_or(bounds.len());
        // There is a cell for each bound and one more.
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Returns what it has seen.
    #[must_use]
    pub fn spread(&self) -> Spread {
        let load = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        Spread {
            bounds: self.bounds,
            nanoseconds: load(&self.nanoseconds),
            buckets: self.buckets.each_ref().map(load),
        }
    }
}

/// What one histogram has seen, or several of the same bounds together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    bounds: &'static Bounds,
    nanoseconds: u64,
    buckets: [u64; MOST_BOUNDS + 1],
}

impl Spread {
    /// Has nothing in it yet.
    #[must_use]
    pub fn empty(bounds: &'static Bounds) -> Self {
        Histogram::new(bounds).spread()
    }

    /// Takes in what another histogram of the same bounds has seen.
    pub fn add(&mut self, other: &Self) {
        debug_assert!(std::ptr::eq(self.bounds, other.bounds), "bounds differ");
        self.nanoseconds = self.nanoseconds.wrapping_add(other.nanoseconds);
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket = bucket.wrapping_add(more);
        }
    }

    /// Returns what came on top of what had been seen before; all of it where less was seen than then.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let cells = self.buckets.iter().zip(&before.buckets);
        if self.bounds != before.bounds || cells.clone().any(|(now, before)| now < before) {
            return self.clone();
        }
        let mut buckets = [0; MOST_BOUNDS + 1];
        buckets.iter_mut().zip(cells).for_each(|(more, (now, before))| *more = now - before);
        let nanoseconds = self.nanoseconds.wrapping_sub(before.nanoseconds);
        Self { bounds: self.bounds, nanoseconds, buckets }
    }

    /// Returns within how many seconds that share of the durations ended, such as 0.99: the bound of the
    /// bucket that it falls into, infinite behind the last one. Nothing where there were none.
    #[must_use]
    pub fn within(&self, share: f64) -> Option<f64> {
        let wanted = ((self.count() as f64 * share).ceil() as u64).max(1);
        let mut sum = 0;
        let reached = self.buckets().into_iter().find(|(_, count)| {
            sum += count;
            sum >= wanted
        });
        reached.map(|(bound, _)| bound)
    }

    /// Returns the longest bound in seconds.
    #[must_use]
    pub fn longest(&self) -> f64 {
        self.bounds.0.last().map_or(0.0, |most| in_seconds(*most))
    }

    /// Returns how many durations there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Returns their sum in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        in_seconds(self.nanoseconds)
    }

    /// Returns each upper bound in seconds, the last one infinite, and how many durations were
    /// within it and above the one before.
    #[must_use]
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.0.iter().map(|most| in_seconds(*most));
        bounds.chain([f64::INFINITY]).zip(self.buckets).collect()
    }
}

fn in_seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / SECOND as f64
}

/// How durations of requests are spread, for each class of the status that they were answered with.
#[derive(Debug)]
pub struct ByClass([Histogram; CLASSES.len()]);

impl Default for ByClass {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Histogram::new(&OF_REQUESTS)))
    }
}

impl ByClass {
    /// Counts a request; one whose status is outside of [`CLASSES`] is not counted.
    pub fn observe(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(histogram) = self.0.get(class.wrapping_sub(1)) {
            histogram.observe(took);
        }
    }

    /// Returns what was seen, in the order of [`CLASSES`].
    #[must_use]
    pub fn spreads(&self) -> [Spread; CLASSES.len()] {
        self.0.each_ref().map(Histogram::spread)
    }
}

/// What one worker saw of an upstream.
#[derive(Debug)]
pub struct UpstreamDurations {
    /// From when a request was to go on to the end of its answer.
    pub requests: ByClass,
    /// From the first attempt to the head of the answer.
    pub first_byte: Histogram,
}

impl Default for UpstreamDurations {
    fn default() -> Self {
        Self { requests: ByClass::default(), first_byte: Histogram::new(&OF_REQUESTS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP_TO_TWO: Bounds = Bounds::new(&[MILLISECOND, 2 * MILLISECOND]);
    static BOUNDS: Bounds = UP_TO_TWO;

    fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    #[test]
    fn a_duration_is_in_the_first_bucket_that_holds_it_and_none_is_lost() {
        let histogram = Histogram::new(&BOUNDS);
        for took in [0, 1_000, 1_001, 2_000, 2_001, 5_000_000] {
            histogram.observe(micros(took));
        }
        histogram.observe(Duration::MAX);
        let spread = histogram.spread();
        assert_eq!(spread.buckets(), [(0.001, 2), (0.002, 2), (f64::INFINITY, 3)]);
        assert_eq!(spread.count(), 7);
    }

    #[test]
    fn what_workers_saw_is_added_up() {
        let workers = [Histogram::new(&BOUNDS), Histogram::new(&BOUNDS)];
        workers[0].observe(micros(500));
        workers[1].observe(micros(500));
        workers[1].observe(micros(1_500));
        let mut all = Spread::empty(&BOUNDS);
        workers.iter().for_each(|worker| all.add(&worker.spread()));
        assert_eq!(all.buckets(), [(0.001, 2), (0.002, 1), (f64::INFINITY, 0)]);
        assert!((all.seconds() - 0.0025).abs() < 1e-12, "{}", all.seconds());
    }

    #[test]
    fn what_is_more_than_before_says_within_what_most_of_it_ended() {
        let histogram = Histogram::new(&BOUNDS);
        histogram.observe(Duration::from_secs(9));
        let before = histogram.spread();
        assert_eq!(before.since(&before).within(0.5), None);
        (0..98).for_each(|_| histogram.observe(micros(500)));
        (0..2).for_each(|_| histogram.observe(micros(1_500)));
        let more = histogram.spread().since(&before);
        let found = [0.0, 0.5, 0.98, 0.99, 1.0].map(|share| more.within(share).unwrap());
        assert_eq!((more.count(), found), (100, [0.001, 0.001, 0.001, 0.002, 0.002]));
        assert!((more.seconds() - 0.052).abs() < 1e-9, "{}", more.seconds());
        assert_eq!((before.within(0.5), before.longest()), (Some(f64::INFINITY), 0.002));
        // What counts anew has fewer than before.
        assert_eq!(before.since(&histogram.spread()), before);
    }

    #[test]
    fn requests_are_apart_by_the_class_of_their_status() {
        let requests = ByClass::default();
        for status in [101, 200, 204, 503, 999] {
            requests.observe(StatusCode::from_u16(status).unwrap(), micros(1));
        }
        assert_eq!(requests.spreads().map(|spread| spread.count()), [1, 2, 0, 0, 1]);
    }

    #[test]
    fn histograms_of_two_workers_share_no_cache_line() {
        assert_eq!(align_of::<Histogram>(), 128);
        assert_eq!(size_of::<Histogram>() % 128, 0);
    }
}
