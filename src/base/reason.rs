//! Why something was refused: every reason code, declared once.
//!
//! 1. What refuses names a [`Reason`], so a code that is not in this list does not compile.
//! 2. Everything else is made from the list: the metric stands at zero for each of them, and tests
//!    compare the manual with it and ask that each is used.
//! 3. Codes are stable: they are in logs, on pages, in JSON and in the statistics of operators.

use std::fmt;

macro_rules! reasons {
    ($($reason:ident: $area:ident = $code:literal,)*) => {
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

            /// Returns what it is about: what stands before the dot of its code.
            #[must_use]
            pub const fn area(self) -> Area {
                match self {
                    $(Self::$reason => Area::$area,)*
                }
            }
        }
    };
}

/// What a reason is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// A question of a proxy that asks.
    Companion,
    /// The way of a session to another host.
    Crossing,
    /// A form that is kept across a login.
    Form,
    /// The signed identity of a request.
    Identity,
    /// A login.
    Login,
    /// The rules of a route.
    Policy,
    /// A request, whoever makes it.
    Request,
    /// The session of a citizen.
    Session,
    /// The portal behind us.
    Upstream,
}

reasons! {
    CompanionConflict: Companion = "companion.conflict",
    CompanionHeader: Companion = "companion.header",
    CompanionNotTrusted: Companion = "companion.not_trusted",
    CompanionUpgrade: Companion = "companion.upgrade",
    CrossingCodeExpired: Crossing = "crossing.code_expired",
    CrossingCodeForOtherHost: Crossing = "crossing.code_for_other_host",
    CrossingCodeOfOtherBrowser: Crossing = "crossing.code_of_other_browser",
    CrossingCodeUsed: Crossing = "crossing.code_used",
    CrossingNoNavigation: Crossing = "crossing.no_navigation",
    CrossingSessionEnded: Crossing = "crossing.session_ended",
    CrossingTooManyTries: Crossing = "crossing.too_many_tries",
    CrossingUnknownCode: Crossing = "crossing.unknown_code",
    CrossingUnknownHost: Crossing = "crossing.unknown_host",
    CrossingUnknownWish: Crossing = "crossing.unknown_wish",
    CrossingWishExpired: Crossing = "crossing.wish_expired",
    CrossingWishOfOtherBrowser: Crossing = "crossing.wish_of_other_browser",
    CrossingWishUsed: Crossing = "crossing.wish_used",
    FormBroken: Form = "form.broken",
    FormFromElsewhere: Form = "form.from_elsewhere",
    FormTooLarge: Form = "form.too_large",
    FormTooSlow: Form = "form.too_slow",
    FormUnknown: Form = "form.unknown",
    IdentityCannotSign: Identity = "identity.cannot_sign",
    LoginAlreadyUsed: Login = "login.already_used",
    LoginAnswerTooLarge: Login = "login.answer_too_large",
    LoginArtifactResponseInResponseTo: Login = "login.artifact_response_in_response_to",
    LoginArtifactResponseIssuedInFuture: Login = "login.artifact_response_issued_in_future",
    LoginArtifactResponseIssuer: Login = "login.artifact_response_issuer",
    LoginArtifactUnknownToNode: Login = "login.artifact_unknown_to_node",
    LoginAssertionInResponseTo: Login = "login.assertion_in_response_to",
    LoginAssertionIssuedInFuture: Login = "login.assertion_issued_in_future",
    LoginAssertionIssuer: Login = "login.assertion_issuer",
    LoginAssertionNotEncrypted: Login = "login.assertion_not_encrypted",
    LoginAssuranceTooLow: Login = "login.assurance_too_low",
    LoginAssuranceUnknown: Login = "login.assurance_unknown",
    LoginAttributeMalformed: Login = "login.attribute_malformed",
    LoginAttributeMissing: Login = "login.attribute_missing",
    LoginAttributeRepeated: Login = "login.attribute_repeated",
    LoginAuditUnavailable: Login = "login.audit_unavailable",
    LoginAuthnInstantInFuture: Login = "login.authn_instant_in_future",
    LoginCancelled: Login = "login.cancelled",
    LoginCannotSign: Login = "login.cannot_sign",
    LoginCheckNotMade: Login = "login.check_not_made",
    LoginConditionsNotBefore: Login = "login.conditions_not_before",
    LoginConditionsNotOnOrAfter: Login = "login.conditions_not_on_or_after",
    LoginConfirmationNotBefore: Login = "login.confirmation_not_before",
    LoginConfirmationNotOnOrAfter: Login = "login.confirmation_not_on_or_after",
    LoginDecryptionFailed: Login = "login.decryption_failed",
    LoginEncryptionAlgorithm: Login = "login.encryption_algorithm",
    LoginEncryptionParty: Login = "login.encryption_party",
    LoginEncryptionProfile: Login = "login.encryption_profile",
    LoginExpired: Login = "login.expired",
    LoginFormBroken: Login = "login.form_broken",
    LoginFormTooLarge: Login = "login.form_too_large",
    LoginFormTooSlow: Login = "login.form_too_slow",
    LoginMalformedAnswer: Login = "login.malformed_answer",
    LoginMalformedArtifact: Login = "login.malformed_artifact",
    LoginNoAssertion: Login = "login.no_assertion",
    LoginNoNavigation: Login = "login.no_navigation",
    LoginNoTicket: Login = "login.no_ticket",
    LoginNodeAnswerBroken: Login = "login.node_answer_broken",
    LoginNodeBusy: Login = "login.node_busy",
    LoginNodeFailed: Login = "login.node_failed",
    LoginNodeHttpStatus: Login = "login.node_http_status",
    LoginNodeTimeout: Login = "login.node_timeout",
    LoginNodeUnreachable: Login = "login.node_unreachable",
    LoginNotAForm: Login = "login.not_a_form",
    LoginNotFresh: Login = "login.not_fresh",
    LoginOtherBrowser: Login = "login.other_browser",
    LoginOtherNodeStatus: Login = "login.other_node_status",
    LoginOtherPerson: Login = "login.other_person",
    LoginOurRequestRefused: Login = "login.our_request_refused",
    LoginOutage: Login = "login.outage",
    LoginRefusedByNode: Login = "login.refused_by_node",
    LoginReplayGuardFull: Login = "login.replay_guard_full",
    LoginReplayedArtifact: Login = "login.replayed_artifact",
    LoginReplayedAssertion: Login = "login.replayed_assertion",
    LoginResponseInResponseTo: Login = "login.response_in_response_to",
    LoginResponseIssuedInFuture: Login = "login.response_issued_in_future",
    LoginResponseIssuer: Login = "login.response_issuer",
    LoginSessionNotOnOrAfter: Login = "login.session_not_on_or_after",
    LoginSeveralAssertions: Login = "login.several_assertions",
    LoginSignatureAlgorithm: Login = "login.signature_algorithm",
    LoginSignatureCount: Login = "login.signature_count",
    LoginSignatureDigestMismatch: Login = "login.signature_digest_mismatch",
    LoginSignatureDuplicateId: Login = "login.signature_duplicate_id",
    LoginSignatureMissing: Login = "login.signature_missing",
    LoginSignatureNotTrusted: Login = "login.signature_not_trusted",
    LoginSignatureProfile: Login = "login.signature_profile",
    LoginSignatureReference: Login = "login.signature_reference",
    LoginSignatureTransform: Login = "login.signature_transform",
    LoginSoapFault: Login = "login.soap_fault",
    LoginTicketExpired: Login = "login.ticket_expired",
    LoginTooManyFailures: Login = "login.too_many_failures",
    LoginTooManyReturns: Login = "login.too_many_returns",
    LoginTooManyStarts: Login = "login.too_many_starts",
    LoginUnexpectedAnswer: Login = "login.unexpected_answer",
    LoginUnexpectedAssertion: Login = "login.unexpected_assertion",
    LoginUnknownCondition: Login = "login.unknown_condition",
    LoginUnknownPerson: Login = "login.unknown_person",
    LoginUnknownRelayState: Login = "login.unknown_relay_state",
    LoginWrongAudience: Login = "login.wrong_audience",
    LoginWrongDestination: Login = "login.wrong_destination",
    LoginWrongRecipient: Login = "login.wrong_recipient",
    LoginXmlConstructNotAllowed: Login = "login.xml_construct_not_allowed",
    LoginXmlLimit: Login = "login.xml_limit",
    PolicyBirthdateUnknown: Policy = "policy.birthdate_unknown",
    PolicyChangedMeanwhile: Policy = "policy.changed_meanwhile",
    PolicyNoPesel: Policy = "policy.no_pesel",
    PolicyNotAdult: Policy = "policy.not_adult",
    PolicyWayNotAllowed: Policy = "policy.way_not_allowed",
    RequestAmbiguousPath: Request = "request.ambiguous_path",
    RequestAmbiguousQuery: Request = "request.ambiguous_query",
    RequestAssurance: Request = "request.assurance",
    RequestBodyBroken: Request = "request.body_broken",
    RequestBodyTooLarge: Request = "request.body_too_large",
    RequestConnectionCredentials: Request = "request.connection_credentials",
    RequestConnectionNamesEndToEnd: Request = "request.connection_names_end_to_end",
    RequestConnectionNamesIdentity: Request = "request.connection_names_identity",
    RequestDestination: Request = "request.destination",
    RequestDestinationNotAllowed: Request = "request.destination_not_allowed",
    RequestExpectation: Request = "request.expectation",
    RequestFormWithoutSession: Request = "request.form_without_session",
    RequestForwardedConflict: Request = "request.forwarded_conflict",
    RequestForwardedMalformed: Request = "request.forwarded_malformed",
    RequestFrameWithoutSession: Request = "request.frame_without_session",
    RequestFraming: Request = "request.framing",
    RequestHeaderTooLarge: Request = "request.header_too_large",
    RequestHost: Request = "request.host",
    RequestIdentityHeaderAlias: Request = "request.identity_header_alias",
    RequestLoop: Request = "request.loop",
    RequestMaintenance: Request = "request.maintenance",
    RequestMalformed: Request = "request.malformed",
    RequestMaxAge: Request = "request.max_age",
    RequestMethodNotAllowed: Request = "request.method_not_allowed",
    RequestMethodOverride: Request = "request.method_override",
    RequestMisdirected: Request = "request.misdirected",
    RequestNoRoute: Request = "request.no_route",
    RequestNoSuchPlace: Request = "request.no_such_place",
    RequestSecondPlace: Request = "request.second_place",
    RequestTargetTooLong: Request = "request.target_too_long",
    RequestTimeout: Request = "request.timeout",
    RequestTooManyAtOnce: Request = "request.too_many_at_once",
    RequestUpgradeFromElsewhere: Request = "request.upgrade_from_elsewhere",
    RequestUpgradeNotAllowed: Request = "request.upgrade_not_allowed",
    RequestVersion: Request = "request.version",
    SessionEndedByOperator: Session = "session.ended_by_operator",
    SessionEndedMeanwhile: Session = "session.ended_meanwhile",
    SessionKeepaliveFromElsewhere: Session = "session.keepalive_from_elsewhere",
    SessionSignedOutElsewhere: Session = "session.signed_out_elsewhere",
    SessionStoreUnavailable: Session = "session.store_unavailable",
    SessionTooManyUnknown: Session = "session.too_many_unknown",
    UpstreamBadAnswer: Upstream = "upstream.bad_answer",
    UpstreamBusy: Upstream = "upstream.busy",
    UpstreamConnectionChallenge: Upstream = "upstream.connection_challenge",
    UpstreamNoHealthyServer: Upstream = "upstream.no_healthy_server",
    UpstreamTimeout: Upstream = "upstream.timeout",
    UpstreamUnreachable: Upstream = "upstream.unreachable",
}

impl Reason {
    /// Tells whether it is why a login does not begin, go on or finish.
    #[must_use]
    pub fn is_of_login(self) -> bool {
        self.area() == Area::Login
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
            assert_eq!(format!("{:?}", reason.area()).to_lowercase(), family, "{reason}");
        }
    }
}
