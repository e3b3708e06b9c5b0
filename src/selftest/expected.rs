//! What each wrong answer of the node must lead to. A test holds this table together with what the
//! gateway does.

use crate::base::reason::Reason;
use crate::simulator::faults::Fault;

/// Returns the reason for which a login with that fault is refused; `None` for what is unusual and
/// right, and for faults of a logout.
#[must_use]
pub fn reason(fault: Fault) -> Option<Reason> {
    let row = TABLE.iter().find(|(_, faults)| faults.contains(&fault))?;
    Some(row.0)
}

/// Every wrong answer, by the reason that it leads to.
const TABLE: [(Reason, &[Fault]); 55] = [
    (Reason::LoginArtifactUnknownToNode, &[Fault::ArtifactUnknown]),
    (Reason::LoginSoapFault, &[Fault::SoapFault, Fault::SoapFaultNamesPerson]),
    (Reason::LoginNodeHttpStatus, &[Fault::Http500]),
    (Reason::LoginMalformedAnswer, &[Fault::Rubbish, Fault::EmptyBody]),
    (Reason::LoginNodeTimeout, &[Fault::Hangs, Fault::Drips]),
    (Reason::LoginWrongDestination, &[Fault::Destination]),
    (Reason::LoginAnswerTooLarge, &[Fault::TooLarge, Fault::Endless]),
    (
        Reason::LoginCancelled,
        &[Fault::StatusAuthnFailed, Fault::StatusNamesPerson, Fault::StatusSuccessWithError],
    ),
    (Reason::LoginRefusedByNode, &[Fault::StatusRequestDenied]),
    (Reason::LoginUnknownPerson, &[Fault::StatusUnknownPrincipal]),
    (Reason::LoginOurRequestRefused, &[Fault::StatusRequester, Fault::OuterStatusRequester]),
    (Reason::LoginNodeFailed, &[Fault::StatusResponder, Fault::OuterStatusResponder]),
    (
        Reason::LoginSignatureMissing,
        &[
            Fault::UnsignedResponse,
            Fault::UnsignedArtifactResponse,
            Fault::UnsignedBoth,
            Fault::MovedSignature,
            Fault::Wrapped4,
            Fault::Wrapped13,
        ],
    ),
    (
        Reason::LoginSignatureNotTrusted,
        &[Fault::ForeignSignature, Fault::ForeignInnerSignature, Fault::ForeignAssertionSignature],
    ),
    (
        Reason::LoginSignatureDigestMismatch,
        &[
            Fault::TamperedResponse,
            Fault::TamperedArtifactResponse,
            Fault::Reindented,
            Fault::Wrapped9,
            Fault::Wrapped10,
            Fault::Wrapped11,
        ],
    ),
    (Reason::LoginSignatureDuplicateId, &[Fault::DuplicateId, Fault::Wrapped7, Fault::Wrapped8]),
    (Reason::LoginSignatureTransform, &[Fault::TransformXslt]),
    (
        Reason::LoginSignatureAlgorithm,
        &[Fault::Sha1Digest, Fault::HmacSignature, Fault::InclusiveC14n],
    ),
    (Reason::LoginSignatureProfile, &[Fault::TwoReferences, Fault::Wrapped1, Fault::Wrapped6]),
    (
        Reason::LoginSignatureReference,
        &[Fault::ExternalReference, Fault::Wrapped2, Fault::Wrapped5],
    ),
    (
        Reason::LoginUnexpectedAnswer,
        &[
            Fault::ResponseInResponseToMissing,
            Fault::Wrapped3,
            Fault::Wrapped12,
            Fault::ElementWithoutPlace,
            Fault::TextBetweenElements,
            Fault::AssertionInExtensions,
        ],
    ),
    (Reason::LoginSeveralAssertions, &[Fault::TwoAssertions]),
    (Reason::LoginAssertionNotEncrypted, &[Fault::PlainAssertion]),
    (Reason::LoginNoAssertion, &[Fault::NoAssertion]),
    (
        Reason::LoginUnexpectedAssertion,
        &[
            Fault::InResponseToMissing,
            Fault::RecipientMissing,
            Fault::AudienceMissing,
            Fault::ConfirmationMethod,
            Fault::ConditionsMissing,
            Fault::ConfirmationEndMissing,
            Fault::AssertionInAdvice,
            Fault::SecondSubject,
            Fault::OtherStatement,
            Fault::ConditionsTooLong,
            Fault::TimeOfAnotherForm,
            Fault::EmptyId,
            Fault::CommentInValue,
        ],
    ),
    (
        Reason::LoginXmlConstructNotAllowed,
        &[
            Fault::EntityExpansion,
            Fault::ExternalEntity,
            Fault::Doctype,
            Fault::ProcessingInstruction,
            Fault::Comment,
            Fault::Cdata,
            Fault::LongNamespace,
        ],
    ),
    (Reason::LoginXmlLimit, &[Fault::LongCanonicalForm]),
    (Reason::LoginArtifactResponseIssuer, &[Fault::NodeIssuerArtifactResponse]),
    (Reason::LoginResponseIssuer, &[Fault::NodeIssuerResponse]),
    (Reason::LoginAssertionIssuer, &[Fault::NodeIssuerAssertion]),
    (Reason::LoginArtifactResponseInResponseTo, &[Fault::InResponseToArtifactResponse]),
    (Reason::LoginResponseInResponseTo, &[Fault::InResponseToResponse]),
    (Reason::LoginAssertionInResponseTo, &[Fault::InResponseToAssertion]),
    (Reason::LoginWrongAudience, &[Fault::Audience]),
    (Reason::LoginWrongRecipient, &[Fault::Recipient]),
    (Reason::LoginReplayedAssertion, &[Fault::ReplayedAssertion]),
    (Reason::LoginConditionsNotOnOrAfter, &[Fault::ConditionsExpired]),
    (Reason::LoginConditionsNotBefore, &[Fault::ConditionsNotYet]),
    (Reason::LoginConfirmationNotOnOrAfter, &[Fault::ConfirmationExpired]),
    (Reason::LoginConfirmationNotBefore, &[Fault::ConfirmationNotYet]),
    (Reason::LoginAuthnInstantInFuture, &[Fault::AuthnInstantFuture]),
    (Reason::LoginSessionNotOnOrAfter, &[Fault::SessionExpired]),
    (Reason::LoginArtifactResponseIssuedInFuture, &[Fault::ArtifactResponseFuture]),
    (Reason::LoginResponseIssuedInFuture, &[Fault::ResponseFuture]),
    (Reason::LoginAssertionIssuedInFuture, &[Fault::AssertionFuture]),
    (Reason::LoginAssuranceTooLow, &[Fault::AssuranceTooLow]),
    (Reason::LoginAssuranceUnknown, &[Fault::AssuranceUnknown]),
    (Reason::LoginAttributeMissing, &[Fault::AttributeMissing]),
    (Reason::LoginAttributeRepeated, &[Fault::AttributeRepeated]),
    (Reason::LoginAttributeMalformed, &[Fault::AttributeEmpty, Fault::BirthdateMalformed]),
    (Reason::LoginUnknownCondition, &[Fault::UnknownCondition]),
    (Reason::LoginEncryptionParty, &[Fault::PartyU, Fault::PartyV]),
    (Reason::LoginDecryptionFailed, &[Fault::OtherRecipientKey, Fault::CorruptedCiphertext]),
    (Reason::LoginEncryptionAlgorithm, &[Fault::Cbc, Fault::RsaKeyTransport]),
    (Reason::LoginUnknownRelayState, &[Fault::RelayStateLost, Fault::RelayStateOther]),
];
