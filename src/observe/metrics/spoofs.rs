//! Attempts to be taken for somebody else, or for the node: which refusals are such.
//!
//! They are counted where they are refused, by their codes; this puts the codes together.

use crate::base::reason::Reason;

/// What somebody tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoof {
    /// A header that tells an identity as other gateways do, which was removed.
    ForeignIdentityHeader,
    /// A header of ours, which was removed, or one that would be read as such.
    IdentityHeader,
    /// A header of a proxy in front that speaks against what the proxy itself says.
    ForwardedHeader,
    /// An answer of the node that the node did not sign, or not so.
    ForgedAnswer,
    /// An artifact or an assertion that was used before.
    ReplayedAnswer,
    /// A login, or the way to another host, that another browser began.
    OtherBrowser,
}

impl Spoof {
    /// Every kind; the metric has a row for each.
    pub const ALL: [Self; 6] = [
        Self::ForeignIdentityHeader,
        Self::IdentityHeader,
        Self::ForwardedHeader,
        Self::ForgedAnswer,
        Self::ReplayedAnswer,
        Self::OtherBrowser,
    ];

    /// Returns its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ForeignIdentityHeader => "foreign_identity_header",
            Self::IdentityHeader => "identity_header",
            Self::ForwardedHeader => "forwarded_header",
            Self::ForgedAnswer => "forged_answer",
            Self::ReplayedAnswer => "replayed_answer",
            Self::OtherBrowser => "other_browser",
        }
    }

    /// Returns the reasons for which attempts of this kind are refused. Those of headers may be
    /// removed, too, and the request goes on.
    #[must_use]
    pub fn reasons(self) -> &'static [Reason] {
        match self {
            Self::ForeignIdentityHeader => &[],
            Self::IdentityHeader => {
                &[Reason::RequestIdentityHeaderAlias, Reason::RequestConnectionNamesIdentity]
            }
            Self::ForwardedHeader => &[Reason::RequestForwardedConflict, Reason::CompanionConflict],
            Self::ForgedAnswer => &[
                Reason::LoginSignatureAlgorithm,
                Reason::LoginSignatureCount,
                Reason::LoginSignatureDigestMismatch,
                Reason::LoginSignatureDuplicateId,
                Reason::LoginSignatureMissing,
                Reason::LoginSignatureNotTrusted,
                Reason::LoginSignatureProfile,
                Reason::LoginSignatureReference,
                Reason::LoginSignatureTransform,
            ],
            Self::ReplayedAnswer => {
                &[Reason::LoginReplayedArtifact, Reason::LoginReplayedAssertion]
            }
            Self::OtherBrowser => &[
                Reason::LoginOtherBrowser,
                Reason::CrossingCodeOfOtherBrowser,
                Reason::CrossingWishOfOtherBrowser,
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_wrong_signature_is_one_and_no_reason_is_two() {
        let listed = || Spoof::ALL.iter().flat_map(|spoof| spoof.reasons());
        let all: BTreeSet<_> = listed().collect();
        assert_eq!(all.len(), listed().count());
        for reason in Reason::ALL {
            let code = reason.as_str();
            if code.starts_with("login.signature_") || code.contains("replayed") {
                assert!(all.contains(reason), "{code}");
            }
        }
        // What citizens do every day is none.
        for reason in [Reason::LoginCancelled, Reason::LoginExpired, Reason::LoginAlreadyUsed] {
            assert!(!all.contains(&reason), "{reason}");
        }
    }
}
