//! The list of checks that an answer went through: what was looked at, and with what result.

use super::refusal::Refusal;
use crate::base::foreign::Foreign;

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It held.
    Passed,
    /// It did not; the answer is refused for it.
    Failed,
    /// It could not be made, because nothing was given to compare with.
    NotChecked,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// A stable name, such as `response_signature`.
    pub name: &'static str,
    /// The result.
    pub outcome: Outcome,
    /// What was seen, for people. Holds nothing about the person.
    pub detail: String,
}

/// The checks of one answer, in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub struct Checks(Vec<Check>);

impl Checks {
    /// Starts an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the checks.
    #[must_use]
    pub fn list(&self) -> &[Check] {
        &self.0
    }

    /// Returns the first check that was not made.
    #[must_use]
    pub fn first_not_made(&self) -> Option<&'static str> {
        self.0.iter().find(|check| check.outcome == Outcome::NotChecked).map(|check| check.name)
    }

    /// Notes a check that held.
    pub fn passed(&mut self, name: &'static str, detail: impl Into<String>) {
        self.0.push(Check { name, outcome: Outcome::Passed, detail: detail.into() });
    }

    /// Notes a check that nothing was given for.
    pub fn not_checked(&mut self, name: &'static str, detail: impl Into<String>) {
        self.0.push(Check { name, outcome: Outcome::NotChecked, detail: detail.into() });
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
                self.0.push(Check { name, outcome: Outcome::Failed, detail: refusal.to_string() });
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
        let shown = Foreign::new(found);
        match expected {
            None => self.not_checked(name, format!("it is \"{shown}\"")),
            Some(expected) if expected == found => self.passed(name, shown.as_str()),
            Some(expected) => {
                let refusal = refusal(shown, expected.to_owned());
                return self.note(name, Err(refusal));
            }
        }
        Ok(())
    }
}
