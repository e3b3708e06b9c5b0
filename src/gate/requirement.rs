//! What a rule asks of a citizen who is signed in, and what is missing when one may not pass.
//!
//! 1. What no login can mend comes first: a citizen who is too young is not sent to the node for
//!    it.
//! 2. The level and the age of the login come next, in one way to the node for both.
//! 3. The way in comes last, because the way to the node for 2 may have been another one. No
//!    citizen is sent to the node for it without being asked: the citizen chooses the way there,
//!    and could choose the wrong one for ever.

use std::time::Duration;

use super::majority::is_adult;
use super::visitor::Visitor;
use crate::base::clock::Time;
use crate::base::reason::Reason;
use crate::identity::assurance::Assurance;

/// What a rule asks of a citizen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The least level of assurance.
    pub assurance: Assurance,
    /// How long ago the citizen may have identified, at the most.
    pub max_age: Option<Duration>,
    /// The authenticating authorities that are taken; all, when it is empty.
    pub authorities: Vec<String>,
    /// What must be so of the person.
    pub attributes: Vec<Attribute>,
}

/// What must be so of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// The person is 18 or older, today in Poland.
    Adult,
    /// The person has a PESEL.
    Pesel,
}

/// What a login must bring so that the citizen may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthnRequirement {
    /// The least level of assurance.
    pub assurance: Assurance,
    /// How long ago the citizen may have identified, at the most.
    pub max_age: Option<Duration>,
}

impl AuthnRequirement {
    /// Tells whether a citizen who identified then, at that level, need not do so again. A login
    /// that may be no moment old must always be a new one.
    #[must_use]
    pub fn is_met(&self, assurance: Assurance, authenticated: Time, now: Time) -> bool {
        let is_recent =
            |age: Duration| !age.is_zero() && now.duration_since(authenticated) <= signed(age);
        assurance >= self.assurance && self.max_age.is_none_or(is_recent)
    }

    /// Returns what brings both: the higher level, and the lesser age.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let max_age = match (self.max_age, other.max_age) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self { assurance: self.assurance.max(other.assurance), max_age }
    }
}

impl From<Assurance> for AuthnRequirement {
    fn from(assurance: Assurance) -> Self {
        Self { assurance, max_age: None }
    }
}

/// Why a signed-in citizen may not pass. None of it is mended by being sent to the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The person is not 18 yet.
    #[error("citizen is not an adult")]
    NotAdult,
    /// Whether the person is an adult is not known: the session has no date of birth.
    #[error("date of birth is not known")]
    BirthdateUnknown,
    /// The person has no PESEL, or the way by which they came does not tell it; a login by another
    /// one must have this level.
    #[error("citizen has no PESEL")]
    NoPesel(Assurance),
    /// The citizen identified by a way that is not taken here; a login by another one must have
    /// this level.
    #[error("citizen came by an authority that is not allowed here")]
    WayNotAllowed(Assurance),
}

impl Refusal {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(self) -> Reason {
        match self {
            Self::NotAdult => Reason::PolicyNotAdult,
            Self::BirthdateUnknown => Reason::PolicyBirthdateUnknown,
            Self::NoPesel(_) => Reason::PolicyNoPesel,
            Self::WayNotAllowed(_) => Reason::PolicyWayNotAllowed,
        }
    }
}

/// What keeps a citizen from passing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmet {
    /// A login would help.
    Login(AuthnRequirement),
    /// Nothing that we could do would.
    Refused(Refusal),
}

impl Requirement {
    /// Asks for a level and nothing more.
    #[must_use]
    pub fn level(assurance: Assurance) -> Self {
        Self { assurance, max_age: None, authorities: Vec::new(), attributes: Vec::new() }
    }

    /// Tells whether a citizen who fulfils it fulfils another one.
    #[must_use]
    pub fn asks_as_much_as(&self, other: &Self) -> bool {
        let is_as_recent = match (self.max_age, other.max_age) {
            (_, None) => true,
            (Some(one), Some(other)) => one <= other,
            (None, Some(_)) => false,
        };
        let has_as_few = other.authorities.is_empty()
            || (!self.authorities.is_empty()
                && self.authorities.iter().all(|one| other.authorities.contains(one)));
        self.assurance >= other.assurance
            && is_as_recent
            && has_as_few
            && other.attributes.iter().all(|attribute| self.attributes.contains(attribute))
    }

    /// Returns what a login must bring.
    #[must_use]
    pub fn requirement(&self) -> AuthnRequirement {
        AuthnRequirement { assurance: self.assurance, max_age: self.max_age }
    }

    /// Checks a citizen.
    ///
    /// # Errors
    /// The first thing that is missing.
    pub fn check(&self, visitor: &Visitor<'_>, now: Time) -> Result<(), Unmet> {
        for attribute in &self.attributes {
            attribute.check(visitor, self.assurance, now).map_err(Unmet::Refused)?;
        }
        let requirement = self.requirement();
        if !requirement.is_met(visitor.assurance, visitor.authenticated, now) {
            return Err(Unmet::Login(requirement));
        }
        let is_taken = |authority| self.authorities.iter().any(|taken| taken == authority);
        if self.authorities.is_empty() || visitor.authority.is_some_and(is_taken) {
            Ok(())
        } else {
            Err(Unmet::Refused(Refusal::WayNotAllowed(self.assurance)))
        }
    }
}

impl Attribute {
    fn check(self, visitor: &Visitor<'_>, assurance: Assurance, now: Time) -> Result<(), Refusal> {
        match self {
            Self::Adult => match visitor.birthdate {
                None => Err(Refusal::BirthdateUnknown),
                Some(birthdate) if is_adult(birthdate, now) => Ok(()),
                Some(_) => Err(Refusal::NotAdult),
            },
            Self::Pesel if visitor.has_pesel => Ok(()),
            Self::Pesel => Err(Refusal::NoPesel(assurance)),
        }
    }
}

fn signed(duration: Duration) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_brings_both_is_the_higher_level_and_the_lesser_age() {
        let requirement = |assurance, age: Option<u64>| AuthnRequirement {
            assurance,
            max_age: age.map(Duration::from_secs),
        };
        let (low, high) = (Assurance::Low, Assurance::High);
        for (one, other, both) in [
            (requirement(low, None), requirement(high, None), requirement(high, None)),
            (requirement(high, None), requirement(low, Some(60)), requirement(high, Some(60))),
            (requirement(low, Some(600)), requirement(low, Some(60)), requirement(low, Some(60))),
            (requirement(low, Some(0)), requirement(high, Some(60)), requirement(high, Some(0))),
        ] {
            assert_eq!((one.and(other), other.and(one)), (both, both));
        }
    }

    #[test]
    fn a_requirement_asks_as_much_as_another_when_whoever_fulfils_it_fulfils_that() {
        let low = Requirement::level(Assurance::Low);
        let aged =
            |seconds| Requirement { max_age: Some(Duration::from_secs(seconds)), ..low.clone() };
        let by = |names: &[&str]| Requirement {
            authorities: names.iter().map(|&name| name.into()).collect(),
            ..low.clone()
        };
        let with = |attributes: &[Attribute]| Requirement {
            attributes: attributes.to_vec(),
            ..low.clone()
        };
        let high = Requirement::level(Assurance::High);
        let (adult, pesel) = (Attribute::Adult, Attribute::Pesel);
        for (one, other, does, is_mutual) in [
            (&low, &low, true, true),
            (&high, &low, true, false),
            (&aged(60), &low, true, false),
            (&aged(60), &aged(60), true, true),
            (&aged(60), &aged(61), true, false),
            (&by(&["a"]), &low, true, false),
            (&by(&["a"]), &by(&["a", "b"]), true, false),
            (&by(&["a", "b"]), &by(&["b", "a"]), true, true),
            (&by(&["a"]), &by(&["b"]), false, false),
            (&by(&["a", "c"]), &by(&["a", "b"]), false, false),
            (&with(&[adult]), &low, true, false),
            (&with(&[adult, pesel]), &with(&[pesel]), true, false),
            (&with(&[adult]), &with(&[pesel]), false, false),
            (&aged(60), &high, false, false),
        ] {
            assert_eq!(one.asks_as_much_as(other), does, "{one:?} {other:?}");
            assert_eq!(other.asks_as_much_as(one), is_mutual, "{other:?} {one:?}");
        }
    }
}
