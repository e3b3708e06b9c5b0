//! Why an answer of the node does not sign a citizen in.
//!
//! Every refusal has a stable code for logs, metrics and pages, and a [`Kind`] that tells which
//! page a citizen sees. The messages are for the operator; they hold no name, no identifier of a
//! person and no key.

use super::kind::Kind;
use super::status::Status;
use crate::base::clock::Time;
use crate::base::foreign::Foreign;
use crate::base::reason::Reason;
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::xml::{decryption, scan, signature, tree};

/// The messages and parts of messages that carry the same kinds of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The outer message, made for our `ArtifactResolve`.
    ArtifactResponse,
    /// The message inside, made for our `AuthnRequest`.
    Response,
    /// The decrypted assertion, which has no signature of its own.
    Assertion,
    /// The answer to our `LogoutRequest`.
    LogoutResponse,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ArtifactResponse => "ArtifactResponse",
            Self::Response => "Response",
            Self::Assertion => "assertion",
            Self::LogoutResponse => "LogoutResponse",
        })
    }
}

/// Why an answer is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The bytes are not a message that we would read.
    #[error("answer cannot be read: {0}")]
    Unreadable(tree::Error),
    /// The message is not the one that belongs here, or its shape is wrong.
    #[error("answer has an unexpected shape: {0}")]
    Shape(String),
    /// The node answered with a SOAP fault.
    #[error("node answered with a SOAP fault: {0}")]
    SoapFault(Foreign),
    /// A signature is missing or wrong.
    #[error("{0}")]
    Signature(#[from] signature::Error),
    /// The issuer is not the node.
    #[error("{level} was issued by \"{found}\", expected \"{expected}\"")]
    Issuer {
        /// The message that has the issuer.
        level: Level,
        /// The `Issuer` that was found.
        found: Foreign,
        /// The entity identifier of the node.
        expected: String,
    },
    /// It answers another request.
    #[error("{level} answers request \"{found}\", expected \"{expected}\"")]
    InResponseTo {
        /// The message that has the `InResponseTo`.
        level: Level,
        /// The request that it answers.
        found: Foreign,
        /// The `ID` of our request.
        expected: String,
    },
    /// It is dated in the future.
    #[error("{level} was issued at {issued}, which is later than now and the allowed skew")]
    IssuedInFuture {
        /// The message that has the date.
        level: Level,
        /// The `IssueInstant` that it says.
        issued: Time,
    },
    /// The node reports that there was no login.
    #[error("node reports {status} on the {level}")]
    Status {
        /// The message that has the status.
        level: Level,
        /// The codes and the text of the status.
        status: Status,
    },
    /// The artifact stands for nothing (any more).
    #[error("node knows nothing under this artifact")]
    NoResponse,
    /// A response that says success has no assertion.
    #[error("Response has no EncryptedAssertion")]
    NoAssertion,
    /// There is more than one assertion.
    #[error("Response has {0} assertions, expected one")]
    SeveralAssertions(usize),
    /// The assertion is not encrypted.
    #[error("Response has an assertion that is not encrypted")]
    PlainAssertion,
    /// The encryption is not of the profile, or cannot be opened.
    #[error("{0}")]
    Decryption(#[from] decryption::Error),
    /// The decrypted text is not an assertion of the expected shape.
    #[error("decrypted assertion has an unexpected shape: {0}")]
    AssertionShape(String),
    /// The assertion is for another service provider.
    #[error("assertion is for audience \"{found}\", expected \"{expected}\"")]
    Audience {
        /// The `Audience` that was found.
        found: Foreign,
        /// The identifier under which we are registered.
        expected: String,
    },
    /// The assertion is to be delivered elsewhere.
    #[error("assertion is for recipient \"{found}\", expected \"{expected}\"")]
    Recipient {
        /// The `Recipient` that was found.
        found: Foreign,
        /// Our assertion consumer service.
        expected: String,
    },
    /// The response was made to be delivered elsewhere.
    #[error("{level} is for destination \"{found}\", expected \"{expected}\"")]
    Destination {
        /// The message that has the destination.
        level: Level,
        /// The `Destination` that was found.
        found: Foreign,
        /// Our assertion consumer service.
        expected: String,
    },
    /// A bound of time is not kept.
    #[error("{bound} is {limit}, and it is {now}")]
    Time {
        /// The attribute that sets the bound.
        bound: TimeBound,
        /// The value of the attribute.
        limit: Time,
        /// The time of the check.
        now: Time,
    },
    /// A condition that we do not know.
    #[error("assertion has the unknown condition {0}")]
    UnknownCondition(String),
    /// The level of assurance is none that we know.
    #[error("level of assurance \"{0}\" is unknown")]
    AssuranceUnknown(Foreign),
    /// The login was weaker than asked for.
    #[error("level of assurance is {found}, asked for at least {expected}")]
    AssuranceTooLow {
        /// The level that the assertion says.
        found: Assurance,
        /// The least level that was asked for.
        expected: Assurance,
    },
    /// The citizen identified before this login began, though they were to do so anew.
    #[error("citizen identified at {instant}, and was asked to do so anew at {since}")]
    NotFresh {
        /// The `AuthnInstant` of the assertion.
        instant: Time,
        /// When the login began.
        since: Time,
    },
    /// A required attribute is not there.
    #[error("attribute {0} is missing")]
    AttributeMissing(Attribute),
    /// An attribute is there more than once.
    #[error("attribute {0} is there more than once")]
    AttributeRepeated(Attribute),
    /// An attribute has no usable value.
    #[error("attribute {0} has no usable value")]
    AttributeMalformed(Attribute),
    /// The artifact was presented before.
    #[error("artifact was presented before")]
    ReplayedArtifact,
    /// The assertion was used before.
    #[error("assertion was used before")]
    ReplayedAssertion,
    /// A login may not leave a check out.
    #[error("check {0} was not made")]
    NotChecked(&'static str),
}

/// The bounds of time in an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeBound {
    /// `Conditions/@NotBefore`: the assertion is not valid yet.
    ConditionsNotBefore,
    /// `Conditions/@NotOnOrAfter`: the assertion is not valid any more.
    ConditionsNotOnOrAfter,
    /// `SubjectConfirmationData/@NotBefore`: it may not be presented yet.
    ConfirmationNotBefore,
    /// `SubjectConfirmationData/@NotOnOrAfter`: it may not be presented any more.
    ConfirmationNotOnOrAfter,
    /// `AuthnStatement/@AuthnInstant`: the citizen identified in the future.
    AuthnInstant,
    /// `AuthnStatement/@SessionNotOnOrAfter`: the session at the node is over.
    SessionNotOnOrAfter,
}

impl std::fmt::Display for TimeBound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ConditionsNotBefore => "Conditions/@NotBefore",
            Self::ConditionsNotOnOrAfter => "Conditions/@NotOnOrAfter",
            Self::ConfirmationNotBefore => "SubjectConfirmationData/@NotBefore",
            Self::ConfirmationNotOnOrAfter => "SubjectConfirmationData/@NotOnOrAfter",
            Self::AuthnInstant => "AuthnStatement/@AuthnInstant",
            Self::SessionNotOnOrAfter => "AuthnStatement/@SessionNotOnOrAfter",
        })
    }
}

impl Refusal {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Reason {
        use Level::{ArtifactResponse, Assertion, LogoutResponse, Response};
        match self {
            Self::Unreadable(error) => unreadable_code(error),
            // It signs no citizen in or out: what it is refused for stands in the log.
            Self::Shape(_)
            | Self::Issuer { level: LogoutResponse, .. }
            | Self::InResponseTo { level: LogoutResponse, .. }
            | Self::IssuedInFuture { level: LogoutResponse, .. } => Reason::LoginUnexpectedAnswer,
            Self::SoapFault(_) => Reason::LoginSoapFault,
            Self::Signature(error) => signature_code(error),
            Self::Issuer { level: ArtifactResponse, .. } => Reason::LoginArtifactResponseIssuer,
            Self::Issuer { level: Response, .. } => Reason::LoginResponseIssuer,
            Self::Issuer { level: Assertion, .. } => Reason::LoginAssertionIssuer,
            Self::InResponseTo { level: ArtifactResponse, .. } => {
                Reason::LoginArtifactResponseInResponseTo
            }
            Self::InResponseTo { level: Response, .. } => Reason::LoginResponseInResponseTo,
            Self::InResponseTo { level: Assertion, .. } => Reason::LoginAssertionInResponseTo,
            Self::IssuedInFuture { level: ArtifactResponse, .. } => {
                Reason::LoginArtifactResponseIssuedInFuture
            }
            Self::IssuedInFuture { level: Response, .. } => Reason::LoginResponseIssuedInFuture,
            Self::IssuedInFuture { level: Assertion, .. } => Reason::LoginAssertionIssuedInFuture,
            Self::Status { status, .. } => status.code(),
            Self::NoResponse => Reason::LoginArtifactUnknownToNode,
            Self::NoAssertion => Reason::LoginNoAssertion,
            Self::SeveralAssertions(_) => Reason::LoginSeveralAssertions,
            Self::PlainAssertion => Reason::LoginAssertionNotEncrypted,
            Self::Decryption(error) => decryption_code(error),
            Self::AssertionShape(_) => Reason::LoginUnexpectedAssertion,
            Self::Audience { .. } => Reason::LoginWrongAudience,
            Self::Recipient { .. } => Reason::LoginWrongRecipient,
            Self::Destination { .. } => Reason::LoginWrongDestination,
            Self::Time { bound, .. } => time_code(*bound),
            Self::UnknownCondition(_) => Reason::LoginUnknownCondition,
            Self::AssuranceUnknown(_) => Reason::LoginAssuranceUnknown,
            Self::AssuranceTooLow { .. } => Reason::LoginAssuranceTooLow,
            Self::NotFresh { .. } => Reason::LoginNotFresh,
            Self::AttributeMissing(_) => Reason::LoginAttributeMissing,
            Self::AttributeRepeated(_) => Reason::LoginAttributeRepeated,
            Self::AttributeMalformed(_) => Reason::LoginAttributeMalformed,
            Self::ReplayedArtifact => Reason::LoginReplayedArtifact,
            Self::ReplayedAssertion => Reason::LoginReplayedAssertion,
            Self::NotChecked(_) => Reason::LoginCheckNotMade,
        }
    }

    /// Returns what the refusal means for the citizen.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Status { status, .. } => status.kind(),
            Self::AssuranceTooLow { .. } => Kind::AssuranceTooLow,
            Self::NotFresh { .. } => Kind::NotFresh,
            Self::SoapFault(_) => Kind::NodeFault,
            Self::NoResponse => Kind::ArtifactExpired,
            Self::AttributeMissing(Attribute::PersonIdentifier) => Kind::NoIdentifier,
            Self::AttributeMissing(_) => Kind::DataMissing,
            _ => Kind::AnswerRefused,
        }
    }
}

fn unreadable_code(error: &tree::Error) -> Reason {
    match error {
        tree::Error::Scan(scan::Error::TooLong { .. }) => Reason::LoginAnswerTooLarge,
        tree::Error::Scan(scan::Error::Forbidden(_)) => Reason::LoginXmlConstructNotAllowed,
        tree::Error::Scan(scan::Error::TooMany { .. }) => Reason::LoginXmlLimit,
        _ => Reason::LoginMalformedAnswer,
    }
}

fn signature_code(error: &signature::Error) -> Reason {
    match error {
        signature::Error::Missing(_) => Reason::LoginSignatureMissing,
        signature::Error::Count { .. } => Reason::LoginSignatureCount,
        signature::Error::DuplicateId(_) => Reason::LoginSignatureDuplicateId,
        signature::Error::Profile { .. } => Reason::LoginSignatureProfile,
        signature::Error::Reference { .. } => Reason::LoginSignatureReference,
        signature::Error::Algorithm { .. } => Reason::LoginSignatureAlgorithm,
        signature::Error::Transform { .. } => Reason::LoginSignatureTransform,
        signature::Error::Digest(_) => Reason::LoginSignatureDigestMismatch,
        signature::Error::Value { .. } => Reason::LoginSignatureNotTrusted,
    }
}

fn decryption_code(error: &decryption::Error) -> Reason {
    match error {
        decryption::Error::Profile(_) => Reason::LoginEncryptionProfile,
        decryption::Error::Algorithm(_) => Reason::LoginEncryptionAlgorithm,
        decryption::Error::Party(_) => Reason::LoginEncryptionParty,
        decryption::Error::Failed => Reason::LoginDecryptionFailed,
    }
}

fn time_code(bound: TimeBound) -> Reason {
    match bound {
        TimeBound::ConditionsNotBefore => Reason::LoginConditionsNotBefore,
        TimeBound::ConditionsNotOnOrAfter => Reason::LoginConditionsNotOnOrAfter,
        TimeBound::ConfirmationNotBefore => Reason::LoginConfirmationNotBefore,
        TimeBound::ConfirmationNotOnOrAfter => Reason::LoginConfirmationNotOnOrAfter,
        TimeBound::AuthnInstant => Reason::LoginAuthnInstantInFuture,
        TimeBound::SessionNotOnOrAfter => Reason::LoginSessionNotOnOrAfter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_means_one_thing_to_the_citizen() {
        let (found, expected) = (Assurance::Low, Assurance::High);
        let time: Time = "2031-03-04T10:20:30Z".parse().unwrap();
        for (refusal, kind) in [
            (Refusal::AssuranceTooLow { found, expected }, Kind::AssuranceTooLow),
            (Refusal::NotFresh { instant: time, since: time }, Kind::NotFresh),
            (Refusal::SoapFault("no".into()), Kind::NodeFault),
            (Refusal::NoResponse, Kind::ArtifactExpired),
            (Refusal::AttributeMissing(Attribute::PersonIdentifier), Kind::NoIdentifier),
            (Refusal::AttributeMissing(Attribute::FamilyName), Kind::DataMissing),
            (Refusal::AttributeRepeated(Attribute::FamilyName), Kind::AnswerRefused),
            (Refusal::ReplayedAssertion, Kind::AnswerRefused),
        ] {
            assert_eq!(refusal.kind(), kind, "{refusal}");
        }
    }

    #[test]
    fn what_cannot_be_read_has_a_code_for_why() {
        let code = |error: scan::Error| Refusal::Unreadable(error.into()).code();
        let (what, limit) = ("elements", 1);
        assert_eq!(code(scan::Error::TooLong { length: 2, limit }), Reason::LoginAnswerTooLarge);
        assert_eq!(code(scan::Error::TooMany { what, limit }), Reason::LoginXmlLimit);
        let forbidden = scan::Error::Forbidden(scan::Forbidden::Comment);
        assert_eq!(code(forbidden), Reason::LoginXmlConstructNotAllowed);
        assert_eq!(code(scan::Error::NotUtf8), Reason::LoginMalformedAnswer);
    }
}
