//! Why a request that may pass has no answer.

use std::io;
use std::time::Duration;

use super::upstream::{Busy, DialError, NoServer};
use crate::base::reason::Reason;
use crate::identity;
use crate::request::lasting::Cut;
use crate::wire::incoming::BodyError;
use crate::wire::refusal::Refusal;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The upstream has as many requests as it may have.
    #[error("upstream is busy: {0}")]
    Busy(#[from] Busy),
    /// There is no server to ask.
    #[error("no server of the upstream can be asked: {0}")]
    NoServer(#[from] NoServer),
    /// There is no connection.
    #[error("upstream cannot be reached")]
    Connect(#[source] DialError),
    /// The connection broke before the answer began.
    #[error("upstream hung up before it answered")]
    Died(#[source] io::Error),
    /// It takes too long.
    #[error("upstream did not answer within {0:?}")]
    Slow(Duration),
    /// It answered with something that is no answer.
    #[error("answer of the upstream is refused")]
    BadAnswer(#[source] Refusal),
    /// HTTP/2 to the upstream failed.
    #[error("upstream failed in HTTP/2")]
    Http2(#[source] hyper::Error),
    /// The upstream did nothing with it, and says so.
    #[error("upstream did not process the request")]
    NotProcessed(#[source] hyper::Error),
    /// The upstream refused its stream before it did anything with it.
    #[error("upstream refused the stream of the request")]
    StreamRefused(#[source] hyper::Error),
    /// The upstream takes it in HTTP/1.1 only (RFC 9113 7).
    #[error("upstream requires HTTP/1.1 for the request")]
    Http1Required(#[source] hyper::Error),
    /// The client's body did not come to its end.
    #[error("body of the request did not come to its end")]
    Body(#[source] BodyError),
    /// It may not go on any more.
    #[error("request ended before its answer: {0}")]
    Cut(#[from] Cut),
    /// It cannot be signed.
    #[error("request could not be signed")]
    Unsigned(#[from] identity::error::Error),
    /// It asks for a protocol that its route does not name.
    #[error("route does not name the protocol that was asked for")]
    NoUpgrade,
    /// It has credentials that authenticate a connection.
    #[error("credentials are of a connection (NTLM, Negotiate), and citizens share connections")]
    ConnectionCredentials,
    /// The upstream asks for nothing but credentials that authenticate a connection.
    #[error("upstream asks for authentication of the connection (NTLM, Negotiate) only")]
    ConnectionChallenge,
    /// The upstream answered a request for another protocol as any other.
    #[error("upstream did not change to the protocol that was asked for")]
    NotUpgraded,
}

impl Error {
    /// An upstream switched protocols where that cannot be.
    pub(super) fn bad_switch() -> Self {
        Self::BadAnswer(Refusal::Malformed("101 that nobody asked for"))
    }

    /// Returns the stable reason code.
    #[must_use]
    pub fn code(&self) -> Reason {
        match self {
            Self::Busy(refused) => refused.code(),
            Self::NoServer(refused) => refused.code(),
            Self::Connect(_)
            | Self::Died(_)
            | Self::Http2(_)
            | Self::NotProcessed(_)
            | Self::StreamRefused(_)
            | Self::Http1Required(_) => Reason::UpstreamUnreachable,
            Self::Slow(_) => Reason::UpstreamTimeout,
            Self::BadAnswer(_) => Reason::UpstreamBadAnswer,
            Self::Body(error) => body_code(error),
            Self::ConnectionCredentials => Reason::RequestConnectionCredentials,
            Self::ConnectionChallenge => Reason::UpstreamConnectionChallenge,
            Self::NoUpgrade => Reason::RequestUpgradeNotAllowed,
            Self::NotUpgraded => Reason::UpstreamBadAnswer,
            Self::Unsigned(_) => Reason::IdentityCannotSign,
            Self::Cut(cut) => cut.code(),
        }
    }
}

fn body_code(error: &BodyError) -> Reason {
    match error {
        BodyError::Refused(refusal) => refusal.code(),
        BodyError::TooLong(_) => Reason::RequestBodyTooLarge,
        BodyError::Stalled(_) | BodyError::TooSlow(_) => Reason::RequestTimeout,
        BodyError::Broken(_) | BodyError::Incomplete | BodyError::Http2(_) => {
            Reason::RequestBodyBroken
        }
    }
}
