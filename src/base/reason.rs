//! Why something was refused: every reason code, declared once.
//!
//! 1. What refuses names a [`Reason`], so a code that is not in this list does not compile.
//! 2. Everything else is made from the list: the metric stands at zero for each of them, and tests
//!    compare the manual with it and ask that each is used.
//! 3. Codes are stable: they are in logs, on pages, in JSON and in the statistics of operators.

use std::fmt;

macro_rules! reasons {
    ($($reason:ident = $code:literal,)*) => {
        /// A reason code of a refusal that a client can see.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = concat!("`", $code, "`")] $reason,)*
        }

        impl Reason {
            /// Every reason, in the order in which they are declared.
            pub const ALL: &'static [Self] = &[$(Self::$reason),*];

            /// Returns the code as it is written everywhere.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$reason => $code,)*
                }
            }
        }
    };
}

reasons! {
    CompanionConflict = "companion.conflict",
    CompanionHeader = "companion.header",
    CompanionNotTrusted = "companion.not_trusted",
    CompanionUpgrade = "companion.upgrade",
    CrossingCodeExpired = "crossing.code_expired",
    CrossingCodeForOtherHost = "crossing.code_for_other_host",
    CrossingCodeOfOtherBrowser = "crossing.code_of_other_browser",
    CrossingCodeUsed = "crossing.code_used",
    CrossingNoNavigation = "crossing.no_navigation",
    CrossingSessionEnded = "crossing.session_ended",
    CrossingTooManyTries = "crossing.too_many_tries",
    CrossingUnknownCode = "crossing.unknown_code",
    CrossingUnknownHost = "crossing.unknown_host",
    CrossingUnknownWish = "crossing.unknown_wish",
    CrossingWishExpired = "crossing.wish_expired",
    CrossingWishOfOtherBrowser = "crossing.wish_of_other_browser",
    CrossingWishUsed = "crossing.wish_used",
    FormBroken = "form.broken",
    FormFromElsewhere = "form.from_elsewhere",
    FormTooLarge = "form.too_large",
    FormTooSlow = "form.too_slow",
    FormUnknown = "form.unknown",
    IdentityCannotSign = "identity.cannot_sign",
    LoginAlreadyUsed = "login.already_used",
    LoginAnswerTooLarge = "login.answer_too_large",
    LoginArtifactResponseInResponseTo = "login.artifact_response_in_response_to",
    LoginArtifactResponseIssuedInFuture = "login.artifact_response_issued_in_future",
    LoginArtifactResponseIssuer = "login.artifact_response_issuer",
    LoginArtifactUnknownToNode = "login.artifact_unknown_to_node",
    LoginAssertionInResponseTo = "login.assertion_in_response_to",
    LoginAssertionIssuedInFuture = "login.assertion_issued_in_future",
    LoginAssertionIssuer = "login.assertion_issuer",
    LoginAssertionNotEncrypted = "login.assertion_not_encrypted",
    LoginAssuranceTooLow = "login.assurance_too_low",
    LoginAssuranceUnknown = "login.assurance_unknown",
    LoginAttributeMalformed = "login.attribute_malformed",
    LoginAttributeMissing = "login.attribute_missing",
    LoginAttributeRepeated = "login.attribute_repeated",
    LoginAuditUnavailable = "login.audit_unavailable",
    LoginAuthnInstantInFuture = "login.authn_instant_in_future",
    LoginCancelled = "login.cancelled",
    LoginCannotSign = "login.cannot_sign",
    LoginCheckNotMade = "login.check_not_made",
    LoginConditionsNotBefore = "login.conditions_not_before",
    LoginConditionsNotOnOrAfter = "login.conditions_not_on_or_after",
    LoginConfirmationNotBefore = "login.confirmation_not_before",
    LoginConfirmationNotOnOrAfter = "login.confirmation_not_on_or_after",
    LoginDecryptionFailed = "login.decryption_failed",
    LoginEncryptionAlgorithm = "login.encryption_algorithm",
    LoginEncryptionParty = "login.encryption_party",
    LoginEncryptionProfile = "login.encryption_profile",
    LoginExpired = "login.expired",
    LoginFormBroken = "login.form_broken",
    LoginFormTooLarge = "login.form_too_large",
    LoginFormTooSlow = "login.form_too_slow",
    LoginMalformedAnswer = "login.malformed_answer",
    LoginMalformedArtifact = "login.malformed_artifact",
    LoginNoAssertion = "login.no_assertion",
    LoginNoNavigation = "login.no_navigation",
    LoginNoTicket = "login.no_ticket",
    LoginNodeAnswerBroken = "login.node_answer_broken",
    LoginNodeBusy = "login.node_busy",
    LoginNodeFailed = "login.node_failed",
    LoginNodeHttpStatus = "login.node_http_status",
    LoginNodeTimeout = "login.node_timeout",
    LoginNodeUnreachable = "login.node_unreachable",
    LoginNotAForm = "login.not_a_form",
    LoginNotFresh = "login.not_fresh",
    LoginOtherBrowser = "login.other_browser",
    LoginOtherNodeStatus = "login.other_node_status",
    LoginOtherPerson = "login.other_person",
    LoginOurRequestRefused = "login.our_request_refused",
    LoginOutage = "login.outage",
    LoginRefusedByNode = "login.refused_by_node",
    LoginReplayGuardFull = "login.replay_guard_full",
    LoginReplayedArtifact = "login.replayed_artifact",
    LoginReplayedAssertion = "login.replayed_assertion",
    LoginResponseInResponseTo = "login.response_in_response_to",
    LoginResponseIssuedInFuture = "login.response_issued_in_future",
    LoginResponseIssuer = "login.response_issuer",
    LoginSessionNotOnOrAfter = "login.session_not_on_or_after",
    LoginSeveralAssertions = "login.several_assertions",
    LoginSignatureAlgorithm = "login.signature_algorithm",
    LoginSignatureCount = "login.signature_count",
    LoginSignatureDigestMismatch = "login.signature_digest_mismatch",
    LoginSignatureDuplicateId = "login.signature_duplicate_id",
    LoginSignatureMissing = "login.signature_missing",
    LoginSignatureNotTrusted = "login.signature_not_trusted",
    LoginSignatureProfile = "login.signature_profile",
    LoginSignatureReference = "login.signature_reference",
    LoginSignatureTransform = "login.signature_transform",
    LoginSoapFault = "login.soap_fault",
    LoginTicketExpired = "login.ticket_expired",
    LoginTooManyFailures = "login.too_many_failures",
    LoginTooManyReturns = "login.too_many_returns",
    LoginTooManyStarts = "login.too_many_starts",
    LoginUnexpectedAnswer = "login.unexpected_answer",
    LoginUnexpectedAssertion = "login.unexpected_assertion",
    LoginUnknownCondition = "login.unknown_condition",
    LoginUnknownPerson = "login.unknown_person",
    LoginUnknownRelayState = "login.unknown_relay_state",
    LoginWrongAudience = "login.wrong_audience",
    LoginWrongDestination = "login.wrong_destination",
    LoginWrongRecipient = "login.wrong_recipient",
    LoginXmlConstructNotAllowed = "login.xml_construct_not_allowed",
    LoginXmlLimit = "login.xml_limit",
    PolicyBirthdateUnknown = "policy.birthdate_unknown",
    PolicyChangedMeanwhile = "policy.changed_meanwhile",
    PolicyNoPesel = "policy.no_pesel",
    PolicyNotAdult = "policy.not_adult",
    PolicyWayNotAllowed = "policy.way_not_allowed",
    RequestAmbiguousPath = "request.ambiguous_path",
    RequestAmbiguousQuery = "request.ambiguous_query",
    RequestAssurance = "request.assurance",
    RequestBodyBroken = "request.body_broken",
    RequestBodyTooLarge = "request.body_too_large",
    RequestConnectionCredentials = "request.connection_credentials",
    RequestConnectionNamesEndToEnd = "request.connection_names_end_to_end",
    RequestConnectionNamesIdentity = "request.connection_names_identity",
    RequestDestination = "request.destination",
    RequestDestinationNotAllowed = "request.destination_not_allowed",
    RequestExpectation = "request.expectation",
    RequestFormWithoutSession = "request.form_without_session",
    RequestForwardedConflict = "request.forwarded_conflict",
    RequestForwardedMalformed = "request.forwarded_malformed",
    RequestFrameWithoutSession = "request.frame_without_session",
    RequestFraming = "request.framing",
    RequestHeaderTooLarge = "request.header_too_large",
    RequestHost = "request.host",
    RequestIdentityHeaderAlias = "request.identity_header_alias",
    RequestLoop = "request.loop",
    RequestMaintenance = "request.maintenance",
    RequestMalformed = "request.malformed",
    RequestMaxAge = "request.max_age",
    RequestMethodNotAllowed = "request.method_not_allowed",
    RequestMethodOverride = "request.method_override",
    RequestMisdirected = "request.misdirected",
    RequestNoRoute = "request.no_route",
    RequestNoSuchPlace = "request.no_such_place",
    RequestSecondPlace = "request.second_place",
    RequestTargetTooLong = "request.target_too_long",
    RequestTimeout = "request.timeout",
    RequestTooManyAtOnce = "request.too_many_at_once",
    RequestUpgradeFromElsewhere = "request.upgrade_from_elsewhere",
    RequestUpgradeNotAllowed = "request.upgrade_not_allowed",
    RequestVersion = "request.version",
    SessionEndedByOperator = "session.ended_by_operator",
    SessionEndedMeanwhile = "session.ended_meanwhile",
    SessionKeepaliveFromElsewhere = "session.keepalive_from_elsewhere",
    SessionSignedOutElsewhere = "session.signed_out_elsewhere",
    SessionStoreUnavailable = "session.store_unavailable",
    SessionTooManyUnknown = "session.too_many_unknown",
    UpstreamBadAnswer = "upstream.bad_answer",
    UpstreamBusy = "upstream.busy",
    UpstreamConnectionChallenge = "upstream.connection_challenge",
    UpstreamNoHealthyServer = "upstream.no_healthy_server",
    UpstreamTimeout = "upstream.timeout",
    UpstreamUnreachable = "upstream.unreachable",
}

impl Reason {
    /// Tells whether it is why a login does not begin, go on or finish.
    #[must_use]
    pub fn is_of_login(self) -> bool {
        self.as_str().starts_with("login.")
    }

    /// Returns the reason of a code as [`Self::as_str`] writes it; `None` when no reason has it.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl PartialEq<&str> for Reason {
    fn eq(&self, code: &&str) -> bool {
        self.as_str() == *code
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_code_is_read_as_it_is_written_and_stands_for_one_reason() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
        }
        let codes: HashSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert_eq!(Reason::parse("login.nothing"), None);
    }

    #[test]
    fn codes_are_a_family_and_a_name() {
        for reason in Reason::ALL {
            let (family, name) = reason.as_str().split_once('.').unwrap();
            let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(is_plain(family) && is_plain(name) && !name.is_empty(), "{reason}");
        }
    }
}
