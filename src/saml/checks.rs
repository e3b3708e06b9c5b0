//! The list of checks that an answer went through: what was looked at, and with what result.

use super::refusal::Refusal;
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
