//! Why a question cannot be read, in words for whoever runs the proxy in front.

use crate::base::foreign::Foreign;
use crate::base::reason::Reason;
use crate::gateway::failure::Failure;

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A header is not there exactly once, with a value.
    #[error("{0} is not there exactly once with a value: the proxy in front must set it")]
    NotOne(&'static str),
    /// A header says what cannot be.
    #[error("{0} says what cannot be: {1}")]
    Malformed(&'static str, Foreign),
    /// Two headers speak of the same and say different things.
    #[error(
        "{0} says something else than the proxy in front asks about; it must take that header away \
         from its clients"
    )]
    Conflict(&'static str),
    /// The question came to an address where none is answered.
    #[error("nothing is answered at this path; the proxy in front must ask at {0}")]
    Elsewhere(&'static str),
}

impl Error {
    /// Says what cannot be, as far as it can be repeated.
    #[must_use]
    pub fn malformed(name: &'static str, value: &[u8]) -> Self {
        Self::Malformed(name, Foreign::new(&String::from_utf8_lossy(value)))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::NotOne(_) | Error::Malformed(..) | Error::Elsewhere(_) => {
                Reason::CompanionHeader
            }
            Error::Conflict(_) => Reason::CompanionConflict,
        };
        Self::malformed(code, error.to_string())
    }
}
