//! What answers of the node held that Brama does not read: extensions, in places that are meant for
//! them.
//!
//! The node may send more than was seen of it, so no login is refused for them. They are counted,
//! and each kind is told once, so that an operator looks whether it matters.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::observe::metrics::Count;
use crate::saml::checks::Unread;

/// What was seen of them. Kept when the configuration changes.
#[derive(Debug, Default)]
pub struct Extensions {
    /// Answers that held at least one.
    pub answers: Count,
    told: Mutex<BTreeSet<String>>,
}

/// How many kinds are told, at most.
const MAXIMUM_TOLD: usize = 100;

impl Extensions {
    /// Counts an answer that held some, and tells of those that were not told before.
    pub fn note(&self, unread: &Unread) {
        if unread.count() == 0 {
            return;
        }
        self.answers.add();
        for what in self.news(unread) {
            tracing::warn!(%what, "answer of the node holds what is not read");
        }
    }

    fn news<'u>(&self, unread: &'u Unread) -> Vec<&'u String> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |what: &&String| told.len() < MAXIMUM_TOLD && told.insert((*what).clone());
        unread.names().iter().filter(is_new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::checks::Checks;

    fn answer(names: &[&str]) -> Checks {
        let mut checks = Checks::new();
        names.iter().for_each(|name| checks.tolerate((*name).to_owned()));
        checks
    }

    #[test]
    fn each_kind_is_told_once_and_each_answer_counted() {
        let seen = Extensions::default();
        assert_eq!(seen.news(answer(&["a", "b", "a"]).unread()), ["a", "b"]);
        assert_eq!(seen.news(answer(&["b", "c"]).unread()), ["c"]);
        seen.note(answer(&[]).unread());
        assert_eq!(seen.answers.value(), 0);
        seen.note(answer(&["b"]).unread());
        seen.note(answer(&["b", "d"]).unread());
        assert_eq!(seen.answers.value(), 2);
    }

    #[test]
    fn no_more_kinds_are_told_than_are_remembered() {
        let seen = Extensions::default();
        let mut told = 0;
        for number in 0..2 * MAXIMUM_TOLD {
            told += seen.news(answer(&[&number.to_string()]).unread()).len();
        }
        assert_eq!(told, MAXIMUM_TOLD);
    }
}
