//! The whole examination of an answer, from bytes to a person, with the list of its checks.
//!
//! A login and `brama explain` run this one function. What makes a login stricter is what it
//! expects: a check that was not made refuses it ([`Examination::for_login`]).
//!
//! Its tests stand where its inputs are made, in `simulator/answer/tests/mod.rs`: every fault of the
//! simulated node with the reason for which it is refused.

use super::answer::Answer;
use super::assertion::Assertion;
use super::checks::Checks;
use super::expected::Expected;
use super::refusal::Refusal;
use crate::base::clock::Time;
use crate::xml::keys::DecryptionKey;
use crate::xml::scan::Limits;
use crate::xml::signature::TrustedCertificates;
use crate::xml::tree::Document;

/// The result of an examination.
#[derive(Debug)]
pub struct Examination {
    /// Every check that was made, and those that could not be.
    pub checks: Checks,
    /// The assertion, or the first reason to refuse it.
    pub outcome: Result<Assertion, Refusal>,
}

impl Examination {
    /// Returns the assertion only when every single check was made.
    ///
    /// # Errors
    /// The refusal, or the check that was left out.
    pub fn for_login(self) -> Result<Assertion, Refusal> {
        let assertion = self.outcome?;
        match self.checks.first_not_made() {
            None => Ok(assertion),
            Some(check) => Err(Refusal::NotChecked(check)),
        }
    }
}

/// Examines an answer of the node, as it came over SOAP, up to the first reason to refuse it.
#[must_use]
pub fn examine(
    answer: &[u8],
    trusted: &TrustedCertificates,
    keys: &[DecryptionKey],
    expected: &Expected,
    now: Time,
) -> Examination {
    let mut checks = Checks::new();
    let outcome = run(answer, trusted, keys, expected, now, &mut checks);
    Examination { checks, outcome }
}

fn run(
    answer: &[u8],
    trusted: &TrustedCertificates,
    keys: &[DecryptionKey],
    expected: &Expected,
    now: Time,
    checks: &mut Checks,
) -> Result<Assertion, Refusal> {
    // 1. Bytes become one tree, within bounds.
    let limits = Limits::message(expected.maximum_bytes);
    let document = Document::parse(answer, &limits).map_err(Refusal::Unreadable);
    let document = checks.note("well_formed", document)?;
    // 2. Both signatures hold, and both messages are the answer to our question.
    let answer = Answer::verify(&document, trusted, expected, now, checks)?;
    // 3. The assertion is opened.
    let opened = answer.open(keys, expected, checks)?;
    // 4. Every condition holds, and it names a person.
    Assertion::read(&opened, trusted, expected, now, checks)
}
