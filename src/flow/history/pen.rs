//! Writes the history of a login while it goes on.
//!
//! A login goes on although its request may end ([`crate::flow::finish`]), so a pen is shared by
//! both, and what is written after the visit was kept is lost with it.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Check, History, MOST_STEPS, Outcome, Step, Visit, What};
use crate::base::clock::Time;
use crate::saml::checks::Checks;

/// Writes one visit of a login. One that nobody gave paper writes nothing.
#[derive(Debug, Clone, Default)]
pub struct Pen(Option<Arc<Mutex<Draft>>>);

#[derive(Debug, Default)]
struct Draft {
    about: History,
    steps: Vec<Step>,
}

impl Pen {
    /// Makes a pen without paper.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Begins an empty history.
    #[must_use]
    pub fn begin() -> Self {
        Self(Some(Arc::default()))
    }

    /// Notes what is known of the login.
    pub fn note(&self, know: impl FnOnce(&mut History)) {
        if let Some(draft) = &self.0 {
            know(&mut draft.lock().unwrap_or_else(PoisonError::into_inner).about);
        }
    }

    /// Notes that something happened.
    pub fn step(&self, at: Time, what: What) {
        let Some(draft) = &self.0 else { return };
        let steps = &mut draft.lock().unwrap_or_else(PoisonError::into_inner).steps;
        if steps.len() < MOST_STEPS {
            steps.push(Step { at, what });
        }
    }

    /// Notes the checks of an examination.
    pub fn examined(&self, at: Time, checks: &Checks) {
        if self.0.is_some() {
            let checks = checks.list().iter().take(MOST_CHECKS).map(Check::from).collect();
            self.step(at, What::Examined { checks });
        }
    }

    /// Tells whether nobody else writes with it any more.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.0.as_ref().is_some_and(|draft| Arc::strong_count(draft) == 1)
    }

    /// Ends the visit, with when it began and when the citizen was told; none when nothing is written.
    #[must_use]
    pub fn end(
        &self,
        (at, told): (Time, Time),
        (number, request): (String, String),
        outcome: Outcome,
    ) -> Option<History> {
        let draft = self.0.as_ref()?;
        let mut draft = draft.lock().unwrap_or_else(PoisonError::into_inner);
        let Draft { about, steps } = std::mem::take(&mut *draft);
        let outcome = exactly(outcome, &steps);
        let visits = vec![Visit { at, told: Some(told), number, request, steps, outcome }];
        Some(History { visits, ..about })
    }
}

/// Where the list of an examination has a check that failed, that one is meant.
fn exactly(mut outcome: Outcome, steps: &[Step]) -> Outcome {
    let failed = steps.iter().rev().find_map(|step| match &step.what {
        What::Examined { checks } => checks.iter().rev().find(|check| check.is_held == Some(false)),
        _ => None,
    });
    if let (Outcome::Refused { finding, .. } | Outcome::Left { finding, .. }, Some(failed)) =
        (&mut outcome, failed)
        && let Some(finding) = finding
    {
        finding.check = failed.name.clone();
    }
    outcome
}

/// An examination has some forty checks.
const MOST_CHECKS: usize = 64;
