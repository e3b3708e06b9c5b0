//! The list of checks that an answer went through: what was looked at, and with what result.

use super::refusal::Refusal;
use crate::base::clock::Time;
use crate::base::foreign::Foreign;

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What was looked at is as expected.
    Passed,
    /// It did not; the answer is refused for it.
    Failed,
    /// It could not be made, because nothing was given to compare with.
    NotChecked,
}

/// One check of an answer: its name, its result, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// A stable name, such as `response_signature`.
    pub name: &'static str,
    /// Whether it held, failed or could not be made.
    pub outcome: Outcome,
    /// What was seen, for people. Holds nothing about the person.
    pub detail: String,
}

/// The checks of one answer, in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    made: Vec<Check>,
    unread: Unread,
    message_issued: Option<Time>,
}

/// What an answer holds in places for extensions, and Brama does not read.
#[derive(Debug, Clone, Default)]
pub struct Unread {
    names: Vec<String>,
    count: usize,
}

/// How many of them are named.
const MAXIMUM_NAMED: usize = 20;

impl Unread {
    /// Returns what it is, each once; not more than some.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns how many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }
}

impl Checks {
    /// Starts an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the checks that were made so far, in their order.
    #[must_use]
    pub fn list(&self) -> &[Check] {
        &self.made
    }

    /// Returns what is in places for extensions.
    #[must_use]
    pub fn unread(&self) -> &Unread {
        &self.unread
    }

    /// Returns when the verified message says that it was issued; none before it was verified.
    #[must_use]
    pub fn message_issued(&self) -> Option<Time> {
        self.message_issued
    }

    /// Notes when the verified message says that it was issued.
    pub(super) fn note_message_issued(&mut self, issued: Time) {
        self.message_issued = Some(issued);
    }

    /// Notes something in a place for extensions, by a name that is fit for a log.
    pub fn tolerate(&mut self, name: String) {
        self.unread.count += 1;
        if self.unread.names.len() < MAXIMUM_NAMED && !self.unread.names.contains(&name) {
            self.unread.names.push(name);
        }
    }

    /// Notes a check of what has its place, with what is tolerated.
    ///
    /// # Errors
    /// The refusal, as given.
    pub fn note_places(
        &mut self,
        name: &'static str,
        result: Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        match result {
            Ok(()) if self.unread.count > 0 => {
                let (count, names) = (self.unread.count, self.unread.names.join(", "));
                self.passed(name, format!("{count} things are not read: {names}"));
                Ok(())
            }
            result => self.note(name, result),
        }
    }

    /// Returns the first check that was not made.
    #[must_use]
    pub fn first_not_made(&self) -> Option<&'static str> {
        self.made.iter().find(|check| check.outcome == Outcome::NotChecked).map(|check| check.name)
    }

    /// Notes a check that held.
    pub fn passed(&mut self, name: &'static str, detail: impl Into<String>) {
        self.made.push(Check { name, outcome: Outcome::Passed, detail: detail.into() });
    }

    /// Notes a check that nothing was given for.
    pub fn not_checked(&mut self, name: &'static str, detail: impl Into<String>) {
        self.made.push(Check { name, outcome: Outcome::NotChecked, detail: detail.into() });
    }

    /// Notes the result of a check that ends the examination when it fails.
    ///
    /// # Errors
    /// The refusal, as given.
    pub fn note<T>(
        &mut self,
        name: &'static str,
        result: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        match &result {
            Ok(_) => self.passed(name, ""),
            Err(refusal) => {
                self.made.push(Check {
                    name,
                    outcome: Outcome::Failed,
                    detail: refusal.to_string(),
                });
            }
        }
        result
    }

    /// Compares what was found with what was expected, when something was.
    ///
    /// # Errors
    /// The refusal, when they differ.
    pub fn compare(
        &mut self,
        name: &'static str,
        found: &str,
        expected: Option<&str>,
        refusal: impl FnOnce(Foreign, String) -> Refusal,
    ) -> Result<(), Refusal> {
        match expected {
            None => self.not_checked(name, format!("it is \"{}\"", Foreign::new(found))),
            Some(expected) if expected == found => self.passed(name, expected),
            Some(expected) => {
                let refusal = refusal(Foreign::new(found), expected.to_owned());
                return self.note(name, Err(refusal));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(checks: &Checks) -> (Outcome, &str) {
        let check = checks.list().last().unwrap();
        (check.outcome, &check.detail)
    }

    #[test]
    fn what_is_not_read_is_counted_and_each_name_told_once_up_to_a_number() {
        let mut checks = Checks::new();
        checks.note_places("places", Ok(())).unwrap();
        assert_eq!(last(&checks), (Outcome::Passed, ""));
        for name in ["a", "b", "a"] {
            checks.tolerate(name.to_owned());
        }
        assert_eq!((checks.unread().count(), checks.unread().names().len()), (3, 2));
        checks.note_places("places", Ok(())).unwrap();
        assert_eq!(last(&checks), (Outcome::Passed, "3 things are not read: a, b"));
        checks.note_places("places", Err(Refusal::NoResponse)).unwrap_err();
        assert_eq!(last(&checks).0, Outcome::Failed);

        for number in 0..2 * MAXIMUM_NAMED {
            checks.tolerate(number.to_string());
        }
        assert_eq!(checks.unread().names().len(), MAXIMUM_NAMED);
        assert_eq!(checks.unread().count(), 3 + 2 * MAXIMUM_NAMED);
    }

    #[test]
    fn what_is_compared_with_nothing_is_no_check_that_was_made() {
        let refusal = |found, expected| Refusal::Recipient { found, expected };
        let mut checks = Checks::new();
        checks.compare("same", "a", Some("a"), refusal).unwrap();
        assert_eq!(last(&checks), (Outcome::Passed, "a"));
        assert_eq!(checks.first_not_made(), None);
        checks.compare("unknown", "b", None, refusal).unwrap();
        checks.not_checked("later", "");
        assert_eq!(checks.list()[1].outcome, Outcome::NotChecked);
        assert_eq!(checks.list()[1].detail, "it is \"b\"");
        assert_eq!(checks.first_not_made(), Some("unknown"));
        let other = checks.compare("other", "b", Some("a"), refusal).unwrap_err();
        assert_eq!(other, Refusal::Recipient { found: "b".into(), expected: "a".to_owned() });
        assert_eq!(last(&checks), (Outcome::Failed, other.to_string().as_str()));
    }
}
