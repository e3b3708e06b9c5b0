//! Why a hand-off does not go on.

use crate::base::reason::Reason;
use crate::store::Unavailable;

/// Why a hand-off does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandoffRefusal {
    /// No hand-off is known under this handle.
    #[error("no wish is known under this handle")]
    UnknownRequest,
    /// The login for it took too long.
    #[error("wish was made too long ago")]
    RequestExpired,
    /// It was fulfilled before.
    #[error("wish was fulfilled before")]
    RequestUsed,
    /// Another browser brought it first.
    #[error("wish was brought by another browser")]
    RequestOfOtherBrowser,
    /// It led to the node again and again, and never to a session that will do.
    #[error("wish led to the node too often")]
    TooManyTries,
    /// Such a code was never made, or it was long ago.
    #[error("no such code is known")]
    UnknownCode,
    /// The code came too late.
    #[error("code was made too long ago")]
    CodeExpired,
    /// The code came a second time.
    #[error("code was used before")]
    CodeUsed,
    /// The code was made for another host.
    #[error("code was made for another host")]
    CodeForOtherHost,
    /// The browser is not the one that asked for the hand-off.
    #[error("code was made for another browser")]
    CodeOfOtherBrowser,
    /// The session ended on the way.
    #[error("session has ended on the way")]
    SessionEnded,
    /// Nothing is known, because the store is away.
    #[error("{0}")]
    Store(#[from] Unavailable),
}

impl HandoffRefusal {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(&self) -> Reason {
        match self {
            Self::UnknownRequest => Reason::CrossingUnknownWish,
            Self::RequestExpired => Reason::CrossingWishExpired,
            Self::RequestUsed => Reason::CrossingWishUsed,
            Self::RequestOfOtherBrowser => Reason::CrossingWishOfOtherBrowser,
            Self::TooManyTries => Reason::CrossingTooManyTries,
            Self::UnknownCode => Reason::CrossingUnknownCode,
            Self::CodeExpired => Reason::CrossingCodeExpired,
            Self::CodeUsed => Reason::CrossingCodeUsed,
            Self::CodeForOtherHost => Reason::CrossingCodeForOtherHost,
            Self::CodeOfOtherBrowser => Reason::CrossingCodeOfOtherBrowser,
            Self::SessionEnded => Reason::CrossingSessionEnded,
            Self::Store(_) => Reason::SessionStoreUnavailable,
        }
    }
}
