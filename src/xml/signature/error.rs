//! Why a signature is not accepted.

use crate::base::foreign::Foreign;

/// Why a signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no signature as a direct child.
    #[error("element {0} has no signature of its own")]
    Missing(Foreign),
    /// The document has signatures that belong to no element that we read.
    #[error("message has {found} signatures, expected {expected}")]
    Count {
        /// How many signatures the document has.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Two elements have the same ID.
    #[error("identifier \"{0}\" occurs more than once")]
    DuplicateId(Foreign),
    /// The signature's shape is not of the profile.
    #[error("signature of {element}: {what}")]
    Profile {
        /// The element that is signed.
        element: Foreign,
        /// What is not as the profile has it.
        what: String,
    },
    /// The reference does not name the element.
    #[error("signature of {element} refers to \"{uri}\", not to its element")]
    Reference {
        /// The element that is signed.
        element: Foreign,
        /// The `URI` of its reference.
        uri: Foreign,
    },
    /// An algorithm is not on the allow-list.
    #[error("signature of {element} uses {algorithm}, which is not allowed")]
    Algorithm {
        /// The element that is signed.
        element: Foreign,
        /// The identifier of the algorithm.
        algorithm: Foreign,
    },
    /// A transform is not one of the two.
    #[error("signature of {element} has the transform {transform}, which is not allowed")]
    Transform {
        /// The element that is signed.
        element: Foreign,
        /// The identifier of the transform.
        transform: Foreign,
    },
    /// What is signed was changed after it was signed.
    #[error("digest of {0} does not match: it was changed after it was signed")]
    Digest(Foreign),
    /// None of the pinned certificates made the signature.
    #[error(
        "signature of {element} was not made by a pinned certificate: it names {named}; pinned \
         {pinned}"
    )]
    Value {
        /// The element that is signed.
        element: Foreign,
        /// The certificate in its `KeyInfo`, which is not believed.
        named: String,
        /// The pinned certificates, a few of them by name.
        pinned: String,
    },
}

impl Error {
    /// Tells whether the error is about the element of that name.
    #[must_use]
    pub fn concerns(&self, name: &str) -> bool {
        match self {
            Self::Missing(element)
            | Self::Digest(element)
            | Self::Value { element, .. }
            | Self::Profile { element, .. }
            | Self::Reference { element, .. }
            | Self::Algorithm { element, .. }
            | Self::Transform { element, .. } => element.as_str() == name,
            Self::Count { .. } | Self::DuplicateId(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_concerns_the_element_that_it_names() {
        let (element, value) = (Foreign::new("Response"), || Foreign::new("x"));
        for error in [
            Error::Missing(element.clone()),
            Error::Digest(element.clone()),
            Error::Algorithm { element: element.clone(), algorithm: value() },
            Error::Reference { element: element.clone(), uri: value() },
        ] {
            assert!(error.concerns("Response") && !error.concerns("ArtifactResponse"), "{error}");
        }
        for error in [Error::Count { found: 1, expected: 2 }, Error::DuplicateId(element)] {
            assert!(!error.concerns("Response"), "{error}");
        }
    }
}
