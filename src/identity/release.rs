//! What one backend is told of citizens: one release per route.

use super::claims::PersonalClaim;
use super::forms::Form;
use super::signing_key::Algorithm;

/// Which claims which backend is told, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The `aud` claim: which backend the token is for.
    pub audience: String,
    /// The personal claims that this backend gets, beside the pseudonym.
    pub claims: Vec<PersonalClaim>,
    /// The forms in which it is told; nothing without one.
    pub forms: Vec<Form>,
    /// How the token is signed.
    pub algorithm: Algorithm,
}

impl Release {
    /// Makes one for a backend that is told by the signed token alone.
    #[must_use]
    pub fn by_assertion(audience: &str, claims: Vec<PersonalClaim>) -> Self {
        Self {
            audience: audience.to_owned(),
            claims,
            forms: vec![Form::Assertion],
            algorithm: Algorithm::Es256,
        }
    }
}
