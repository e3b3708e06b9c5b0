//! What the program tells of itself in numbers, for Prometheus and its kin.
//!
//! 1. No number says anything about a person: no name, no address, no id of a session or a request.
//! 2. Every label has few values, all of them known from the code, from the configuration, or from
//!    what names in the configuration resolve to. No client chooses one. [`ByName`] takes nothing
//!    but names that are written in the code.
//! 3. What stands somewhere already is looked up at each scrape, and costs nothing until then. What
//!    must be counted is counted where it is rare; a request that simply passes costs a few additions
//!    to memory of its own worker.
//! 4. Every metric is in the [`catalogue`], and only what is there can be told. The manual has the
//!    same list ([`crate::manual::metrics`]).
//! 5. An answer has at most so many rows ([`MOST_ROWS`]), and says how many it left out.
//!
//! The text is made by the crate of the Prometheus project. Numbers that lie above this floor are
//! written by a [`Source`] from there.

pub mod catalogue;
mod encoder;
pub mod histogram;
pub mod logins;
pub mod process;
pub mod spoofs;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use http::StatusCode;

use super::access::Ended;
use super::event::EndedBy;
use crate::base::reason::Reason;

pub use self::encoder::{Format, MOST_ROWS, MetricsEncoder, Samples, Scraper, Source};
use self::logins::Logins;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds one to the number.
    pub fn add(&self) {
        self.add_many(1);
    }

    /// Adds so many to the number.
    pub fn add_many(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Returns how many there were.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts by a name that is written in the code.
#[derive(Debug, Default)]
pub struct ByName(RwLock<BTreeMap<&'static str, Count>>);

impl ByName {
    /// Begins with these at zero, so that their first increase is seen.
    #[must_use]
    pub fn beginning_with(names: impl IntoIterator<Item = &'static str>) -> Self {
        let zero = |name| (name, Count::default());
        Self(RwLock::new(names.into_iter().map(zero).collect()))
    }

    /// Adds one to the number of this name; a name that is new begins at zero.
    pub fn add(&self, name: &'static str) {
        if let Some(count) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return count.add();
        }
        self.0.write().unwrap_or_else(PoisonError::into_inner).entry(name).or_default().add();
    }

    /// Returns all of them, in the order of their names.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        let counts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(name, count)| (*name, count.value())).collect()
    }
}

/// How many answers one worker gave, by the first digit of their status. No other worker writes
/// here, and nothing else is near, so that counting one is a matter of nanoseconds.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct ResponseCounts([AtomicU64; CLASSES.len()]);

/// The classes of statuses (RFC 9110 15).
pub const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

impl ResponseCounts {
    /// Adds one to the class of a status; a status outside of [`CLASSES`] is not counted.
    pub fn add(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(count) = self.0.get(class.wrapping_sub(1)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns how many there were, in the order of [`CLASSES`].
    #[must_use]
    pub fn all(&self) -> [u64; CLASSES.len()] {
        self.0.each_ref().map(|count| count.load(Ordering::Relaxed))
    }
}

/// The levels of assurance, as events name them.
pub const LEVELS: [&str; 3] = ["low", "substantial", "high"];

/// What the gateway counts. Shared by all workers, and kept when the configuration changes.
#[derive(Debug)]
pub struct GatewayCounts {
    /// Requests whose answer did not come to its end, by what ended them.
    pub requests_cut: ByName,
    /// Refusals, by their reason code.
    pub refusals: ByName,
    /// Browsers that were sent to the node.
    pub logins_begun: Count,
    /// Citizens who came back and were signed in, by level.
    pub logins_finished: ByName,
    /// Logins, by how they ended.
    pub logins: Logins,
    /// Logins that ended because their answer came to another browser than the one that began them.
    pub logins_of_other_browsers: Count,
    /// Requests of signed-in citizens that need a surer or a newer login.
    pub step_ups: Count,
    /// Sign-outs, by what became of them.
    pub logouts: ByName,
    /// Sessions that ended here before their time, by who ended them.
    pub sessions_ended: ByName,
    /// Forms that were kept across a login.
    pub forms_kept: Count,
    /// Requests in which a client told an identity as other gateways do.
    pub identities_told: Count,
    /// Requests in which a client told an identity in a header of ours.
    pub identities_forged: Count,
    /// Questions of proxies in front, by what was answered.
    pub decisions: ByName,
}

impl Default for GatewayCounts {
    fn default() -> Self {
        let outcomes = [
            "signed_out_everywhere",
            "node_did_not_confirm",
            "node_not_asked",
            "not_written",
            "not_signed_in",
        ];
        Self {
            requests_cut: ByName::beginning_with(Ended::ALL.map(Ended::name)),
            refusals: ByName::beginning_with(Reason::ALL.iter().map(|reason| reason.as_str())),
            logins_begun: Count::default(),
            logins_finished: ByName::beginning_with(LEVELS),
            logins: Logins::default(),
            logins_of_other_browsers: Count::default(),
            step_ups: Count::default(),
            logouts: ByName::beginning_with(outcomes),
            sessions_ended: ByName::beginning_with(EndedBy::ALL.map(EndedBy::name)),
            forms_kept: Count::default(),
            identities_told: Count::default(),
            identities_forged: Count::default(),
            decisions: ByName::beginning_with(["allowed", "denied", "refused"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_the_class_of_their_status() {
        let answers = ResponseCounts::default();
        for status in [100, 200, 204, 404, 599, 999] {
            answers.add(StatusCode::from_u16(status).unwrap());
        }
        assert_eq!(answers.all(), [1, 2, 0, 1, 1]);
    }

    #[test]
    fn names_are_counted_apart_and_those_known_from_the_beginning_stand_at_zero() {
        let counts = ByName::beginning_with(["b"]);
        counts.add("c");
        counts.add("a");
        counts.add("c");
        assert_eq!(counts.all(), [("a", 1), ("b", 0), ("c", 2)]);
    }
}
