//! Why a portal cannot be told who a citizen is.

use super::signing_key::Algorithm;

/// Why nothing can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The library refused the key.
    #[error("identity could not be signed")]
    Signing,
    /// The keys that replicas share are not known yet, because the store is away.
    #[error("identity could not be signed: there is no key for {} yet", .0.name())]
    NoKey(Algorithm),
    /// The secret of the pseudonyms that replicas share is not known yet, because the store is away.
    #[error("identity could not be told: the secret behind sub is not known yet")]
    NoSecret,
    /// The library refused the key of the backend.
    #[error("identity could not be encrypted to the backend")]
    Encryption,
    /// A value cannot stand in a header field.
    #[error("identity could not be written as a header field")]
    Unwritable,
}

impl Error {
    /// Tells whether it passes by itself, when the store is there again.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::NoKey(_) | Self::NoSecret => true,
            Self::Signing | Self::Encryption | Self::Unwritable => false,
        }
    }
}
