//! The list of cases, each with where it comes from. `docs/examine.md` has the same list.

use super::case::Expects::{Answered, AsTold, NoEffect, NoOtherPerson, Refused, SignedOut, Taken};
use super::case::Weight::{Hole, Weakness};
use super::case::{Case, Expects, Group, Story, Trial, Weight};
use crate::simulator::faults::Fault;

/// "SAML profiles" and so on are the standards of OASIS of March 2005; "the node" is what was seen of it.
const XSW: &str = "Somorovsky et al., On Breaking SAML, 2012";
const STATUS: &str = "SAML core 3.2.2.2";
const SIGNED: &str = "SAML profiles 4.1.4.3, SAML core 5.4";
const INSTANT: &str = "SAML core 1.3.3";
const HARDENED: &str = "SAML core 3.2.2; Somorovsky et al., 2012, 7 (hardened schemas)";
const CSRF: &str = "SAML profiles 4.1.4.3 (InResponseTo); CWE-352";

/// Every case, in the order in which they are tried: those that need a login before come behind it.
pub static CASES: &[Case] = &[
    story(Group::Control, Story::Nobody, AsTold, Hole, "SAML profiles 4.1.3.1"),
    story(Group::Control, Story::Control, Taken, Hole, "SAML profiles 4.1, SAML bindings 3.6"),
    story(Group::Messages, Story::AuthnRequest, AsTold, Hole, "SAML core 3.4.1; the node"),
    story(Group::Messages, Story::ArtifactResolve, AsTold, Hole, "SAML core 3.5.1; the node"),
    story(Group::Messages, Story::MessageIds, AsTold, Weakness, "SAML core 1.3.4"),
    // Unusual, and right.
    quirk(Fault::ShortContentKey, "the node, in production"),
    quirk(Fault::KeyWrap128, "XML Encryption 1.1, 5.7.2"),
    quirk(Fault::KeyWrap192, "XML Encryption 1.1, 5.7.2"),
    quirk(Fault::Content128, "XML Encryption 1.1, 5.2.4"),
    quirk(Fault::LeadingZero, "NIST SP 800-56A rev. 3, appendix C.1"),
    quirk(Fault::ReturnByGet, "SAML bindings 3.6.3"),
    quirk(Fault::AuthnInstantOld, "SAML core 2.7.2; the node"),
    quirk(Fault::AttributeWhiteSpace, "XML 1.0, 3.3.3"),
    quirk(Fault::Extensions, "SAML core 2.6.1, 2.7.3, 3.2.2"),
    quirk(Fault::SignedAssertion, "SAML core 5.2"),
    quirk(Fault::Slow, "the node, under load"),
    // The line between the two.
    row(Group::Line, Fault::ArtifactUnknown, Refused, Hole, "SAML core 3.5.3"),
    row(Group::Line, Fault::SoapFault, Refused, Hole, "SAML bindings 3.2.3.3"),
    row(Group::Line, Fault::SoapFaultNamesPerson, Refused, Hole, "SAML bindings 3.2.3.3"),
    row(Group::Line, Fault::Http500, Refused, Hole, "SAML bindings 3.2.3.3"),
    row(Group::Line, Fault::Rubbish, Refused, Hole, "SOAP 1.1, 4"),
    row(Group::Line, Fault::EmptyBody, Refused, Hole, "SOAP 1.1, 4"),
    row(Group::Line, Fault::Hangs, Refused, Hole, "CWE-400"),
    row(Group::Line, Fault::Drips, Refused, Weakness, "CWE-400"),
    row(Group::Line, Fault::TooLarge, Answered, Weakness, "CWE-400"),
    row(Group::Line, Fault::Endless, Refused, Weakness, "CWE-400"),
    // Statuses.
    row(Group::Statuses, Fault::StatusAuthnFailed, Refused, Hole, STATUS),
    row(Group::Statuses, Fault::StatusRequestDenied, Refused, Hole, STATUS),
    row(Group::Statuses, Fault::StatusUnknownPrincipal, Refused, Hole, STATUS),
    row(Group::Statuses, Fault::StatusNamesPerson, Refused, Hole, STATUS),
    row(Group::Statuses, Fault::StatusSuccessWithError, Refused, Weakness, STATUS),
    row(Group::Statuses, Fault::StatusRequester, Refused, Hole, STATUS),
    row(Group::Statuses, Fault::StatusResponder, Refused, Hole, STATUS),
    row(Group::Statuses, Fault::OuterStatusRequester, Refused, Hole, STATUS),
    row(Group::Statuses, Fault::OuterStatusResponder, Refused, Hole, STATUS),
    row(Group::Statuses, Fault::NoAssertion, Refused, Hole, "SAML profiles 4.1.4.2"),
    // Signatures.
    row(Group::Signatures, Fault::UnsignedResponse, Refused, Hole, SIGNED),
    row(Group::Signatures, Fault::UnsignedArtifactResponse, Refused, Weakness, SIGNED),
    row(Group::Signatures, Fault::UnsignedBoth, Refused, Hole, SIGNED),
    row(Group::Signatures, Fault::ForeignSignature, Refused, Hole, "SAML core 5.4.5"),
    row(Group::Signatures, Fault::ForeignInnerSignature, Refused, Hole, "SAML core 5.4.5"),
    row(Group::Signatures, Fault::ForeignAssertionSignature, Refused, Weakness, SIGNED),
    row(Group::Signatures, Fault::MovedSignature, Refused, Hole, "SAML core 3.2.2, 5.4.1"),
    row(Group::Signatures, Fault::TamperedResponse, Refused, Hole, "XML Signature 1.1, 3.2"),
    row(
        Group::Signatures,
        Fault::TamperedArtifactResponse,
        Refused,
        Weakness,
        "XML Signature 1.1, 3.2",
    ),
    row(Group::Signatures, Fault::Reindented, Refused, Hole, "XML Signature 1.1, 3.2"),
    row(
        Group::Signatures,
        Fault::DuplicateId,
        Refused,
        Weakness,
        "SAML core 1.3.4; XML 1.0, 3.3.1",
    ),
    row(Group::Signatures, Fault::TransformXslt, Refused, Hole, "SAML core 5.4.4"),
    row(
        Group::Signatures,
        Fault::Sha1Digest,
        Refused,
        Weakness,
        "NIST SP 800-131A; the node's instructions",
    ),
    row(Group::Signatures, Fault::HmacSignature, Refused, Hole, "SAML core 5.4.1"),
    row(Group::Signatures, Fault::TwoReferences, Refused, Weakness, "SAML core 5.4.2"),
    row(Group::Signatures, Fault::ExternalReference, Refused, Hole, "SAML core 5.4.2; CWE-918"),
    row(Group::Signatures, Fault::InclusiveC14n, Refused, Weakness, "SAML core 5.4.3"),
    // Signature wrapping.
    row(Group::Wrapping, Fault::Wrapped1, NoOtherPerson, Hole, XSW),
    row(Group::Wrapping, Fault::Wrapped2, NoOtherPerson, Hole, XSW),
    row(Group::Wrapping, Fault::Wrapped3, NoOtherPerson, Hole, XSW),
    row(Group::Wrapping, Fault::Wrapped4, NoOtherPerson, Hole, XSW),
    row(Group::Wrapping, Fault::Wrapped5, NoOtherPerson, Hole, XSW),
    row(Group::Wrapping, Fault::Wrapped6, NoOtherPerson, Hole, XSW),
    row(Group::Wrapping, Fault::Wrapped7, NoOtherPerson, Hole, XSW),
    row(Group::Wrapping, Fault::Wrapped8, NoOtherPerson, Hole, XSW),
    row(Group::Wrapping, Fault::Wrapped9, NoOtherPerson, Hole, XSW),
    row(Group::Wrapping, Fault::Wrapped10, NoOtherPerson, Hole, XSW),
    row(Group::Wrapping, Fault::Wrapped11, NoOtherPerson, Hole, XSW),
    row(Group::Wrapping, Fault::Wrapped12, NoOtherPerson, Hole, XSW),
    row(Group::Wrapping, Fault::Wrapped13, NoOtherPerson, Hole, XSW),
    // XML.
    row(Group::Xml, Fault::Doctype, Refused, Weakness, "SOAP 1.1, 3"),
    row(Group::Xml, Fault::EntityExpansion, Refused, Hole, "SOAP 1.1, 3; CWE-776"),
    row(Group::Xml, Fault::ExternalEntity, Refused, Hole, "SOAP 1.1, 3; CWE-611"),
    row(Group::Xml, Fault::ProcessingInstruction, Refused, Weakness, "SOAP 1.1, 3"),
    row(Group::Xml, Fault::Comment, NoOtherPerson, Hole, "CERT VU#475445"),
    row(Group::Xml, Fault::CommentInValue, NoOtherPerson, Hole, "CERT VU#475445"),
    row(Group::Xml, Fault::Cdata, NoOtherPerson, Hole, "XML 1.0, 2.7"),
    row(Group::Xml, Fault::LongNamespace, Refused, Hole, "CWE-400"),
    row(Group::Xml, Fault::LongCanonicalForm, Refused, Hole, "CWE-400"),
    row(Group::Xml, Fault::ElementWithoutPlace, Refused, Weakness, HARDENED),
    row(Group::Xml, Fault::TextBetweenElements, Refused, Weakness, HARDENED),
    row(Group::Xml, Fault::AssertionInExtensions, NoOtherPerson, Hole, HARDENED),
    row(Group::Xml, Fault::AssertionInAdvice, NoOtherPerson, Hole, "SAML core 2.6.1"),
    row(Group::Xml, Fault::TwoAssertions, NoOtherPerson, Hole, "SAML profiles 4.1.4.2"),
    row(Group::Xml, Fault::SecondSubject, Refused, Weakness, "SAML core 2.4.1"),
    row(Group::Xml, Fault::OtherStatement, NoOtherPerson, Hole, "SAML core 2.7.4"),
    // Who says it, to whom, in answer to what.
    row(Group::Addressing, Fault::NodeIssuerArtifactResponse, Refused, Weakness, "SAML core 3.2.2"),
    row(Group::Addressing, Fault::NodeIssuerResponse, Refused, Hole, "SAML profiles 4.1.4.2"),
    row(Group::Addressing, Fault::NodeIssuerAssertion, Refused, Hole, "SAML profiles 4.1.4.2"),
    row(
        Group::Addressing,
        Fault::InResponseToArtifactResponse,
        Refused,
        Weakness,
        "SAML core 3.2.2",
    ),
    row(Group::Addressing, Fault::InResponseToResponse, Refused, Weakness, "SAML core 3.2.2"),
    row(
        Group::Addressing,
        Fault::ResponseInResponseToMissing,
        Refused,
        Weakness,
        "SAML core 3.2.2",
    ),
    row(Group::Addressing, Fault::InResponseToAssertion, Refused, Hole, "SAML profiles 4.1.4.3"),
    row(Group::Addressing, Fault::InResponseToMissing, Refused, Hole, "SAML profiles 4.1.4.3"),
    row(Group::Addressing, Fault::Destination, Refused, Weakness, "SAML core 3.2.2"),
    row(Group::Addressing, Fault::Recipient, Refused, Hole, "SAML profiles 4.1.4.3"),
    row(Group::Addressing, Fault::RecipientMissing, Refused, Hole, "SAML profiles 4.1.4.2"),
    row(Group::Addressing, Fault::Audience, Refused, Hole, "SAML core 2.5.1.4"),
    row(Group::Addressing, Fault::AudienceMissing, Refused, Hole, "SAML profiles 4.1.4.2"),
    row(Group::Addressing, Fault::UnknownCondition, Refused, Weakness, "SAML core 2.5.1"),
    row(Group::Addressing, Fault::ConfirmationMethod, Refused, Hole, "SAML profiles 3.3, 4.1.4.2"),
    // Times.
    row(Group::Times, Fault::ConditionsExpired, Refused, Hole, "SAML core 2.5.1.2"),
    row(Group::Times, Fault::ConditionsNotYet, Refused, Hole, "SAML core 2.5.1.2"),
    row(Group::Times, Fault::ConditionsMissing, Refused, Hole, "SAML profiles 4.1.4.2"),
    row(Group::Times, Fault::ConditionsTooLong, Answered, Weakness, "SAML core 2.5.1.2"),
    row(Group::Times, Fault::ConfirmationExpired, Refused, Hole, "SAML profiles 4.1.4.3"),
    row(Group::Times, Fault::ConfirmationNotYet, Refused, Weakness, "SAML core 2.4.1.2"),
    row(Group::Times, Fault::ConfirmationEndMissing, Refused, Hole, "SAML profiles 4.1.4.2"),
    row(Group::Times, Fault::AuthnInstantFuture, Refused, Weakness, "SAML core 2.7.2"),
    row(Group::Times, Fault::SessionExpired, Refused, Weakness, "SAML core 2.7.2"),
    row(Group::Times, Fault::ArtifactResponseFuture, Refused, Weakness, INSTANT),
    row(Group::Times, Fault::ResponseFuture, Refused, Weakness, INSTANT),
    row(Group::Times, Fault::AssertionFuture, Refused, Weakness, INSTANT),
    row(
        Group::Times,
        Fault::TimeOfAnotherForm,
        Refused,
        Weakness,
        "SAML core 1.3.3; XML Schema 2, 3.2.7",
    ),
    // The person.
    row(Group::Person, Fault::AssuranceTooLow, Refused, Hole, "SAML core 3.3.2.2.1"),
    row(Group::Person, Fault::AssuranceUnknown, Refused, Hole, "eIDAS SAML message format 2.3"),
    row(
        Group::Person,
        Fault::AttributeMissing,
        Refused,
        Weakness,
        "eIDAS SAML attribute profile 2.2",
    ),
    row(Group::Person, Fault::AttributeRepeated, NoOtherPerson, Hole, "SAML core 2.7.3.1"),
    row(
        Group::Person,
        Fault::AttributeEmpty,
        Refused,
        Weakness,
        "eIDAS SAML attribute profile 2.2",
    ),
    row(
        Group::Person,
        Fault::BirthdateMalformed,
        Refused,
        Weakness,
        "eIDAS SAML attribute profile 2.2",
    ),
    // Encryption.
    row(
        Group::Encryption,
        Fault::PlainAssertion,
        Refused,
        Weakness,
        "SAML core 2.3.4; the node's instructions",
    ),
    row(Group::Encryption, Fault::PartyU, Refused, Weakness, "NIST SP 800-56A rev. 3, 5.8.2.1"),
    row(Group::Encryption, Fault::PartyV, Refused, Weakness, "NIST SP 800-56A rev. 3, 5.8.2.1"),
    row(Group::Encryption, Fault::OtherRecipientKey, Refused, Hole, "XML Encryption 1.1, 4.4"),
    row(
        Group::Encryption,
        Fault::Cbc,
        Refused,
        Weakness,
        "Jager, Somorovsky, How to Break XML Encryption, 2011",
    ),
    row(
        Group::Encryption,
        Fault::RsaKeyTransport,
        Refused,
        Weakness,
        "Jager et al., Bleichenbacher's Attack Strikes Again, 2012",
    ),
    row(Group::Encryption, Fault::CorruptedCiphertext, Refused, Hole, "XML Encryption 1.1, 5.2.4"),
    // Whose login it is.
    row(Group::Browser, Fault::ReplayedAssertion, Refused, Hole, "SAML profiles 4.1.4.5"),
    row(Group::Browser, Fault::EmptyId, Refused, Weakness, "SAML core 1.3.4"),
    story(
        Group::Browser,
        Story::ArtifactAgain,
        Refused,
        Hole,
        "SAML profiles 4.1.4.5, SAML bindings 3.6.5",
    ),
    story(Group::Browser, Story::LoginCsrf, Refused, Hole, CSRF),
    story(Group::Browser, Story::LoginCsrfBegun, Refused, Hole, CSRF),
    story(Group::Browser, Story::MixedRelayState, Refused, Hole, CSRF),
    story(Group::Browser, Story::Unsolicited, Refused, Hole, CSRF),
    story(Group::Browser, Story::UnsolicitedInvented, Refused, Hole, CSRF),
    row(Group::Browser, Fault::RelayStateLost, Answered, Weakness, "SAML bindings 3.6.3"),
    row(Group::Browser, Fault::RelayStateOther, Answered, Weakness, "SAML bindings 3.6.3"),
    story(Group::Browser, Story::RelayStateRedirect, NoEffect, Hole, "CWE-601"),
    story(Group::Browser, Story::ArtifactInjection, NoEffect, Hole, "CWE-91"),
    // The session.
    story(Group::Session, Story::CookieSecure, AsTold, Weakness, "RFC 6265bis, 4.1.2.5"),
    story(Group::Session, Story::CookieHttpOnly, AsTold, Weakness, "RFC 6265bis, 4.1.2.6"),
    story(Group::Session, Story::CookieSameSite, AsTold, Weakness, "RFC 6265bis, 4.1.2.7"),
    story(Group::Session, Story::Fixation, AsTold, Hole, "CWE-384"),
    // Signing out.
    story(Group::Logout, Story::Logout, SignedOut, Hole, "SAML profiles 4.4"),
    story(Group::Logout, Story::LogoutAtServer, AsTold, Hole, "CWE-613"),
    story(Group::Logout, Story::LogoutRequest, AsTold, Weakness, "SAML core 3.7.1; the node"),
    row(Group::Logout, Fault::LogoutHangs, SignedOut, Hole, "SAML profiles 4.4.3.5"),
    row(Group::Logout, Fault::LogoutFails, SignedOut, Hole, "SAML profiles 4.4.3.5"),
    row(Group::Logout, Fault::LogoutUnsigned, SignedOut, Hole, "SAML profiles 4.4.4.2"),
    row(Group::Logout, Fault::LogoutOtherIssuer, SignedOut, Hole, "SAML profiles 4.4.4.2"),
    row(Group::Logout, Fault::LogoutRubbish, SignedOut, Hole, "SAML bindings 3.2.3.3"),
    story(Group::Control, Story::ControlAfter, Taken, Hole, "CWE-400"),
];

const fn quirk(fault: Fault, source: &'static str) -> Case {
    row(Group::Quirks, fault, Taken, Hole, source)
}

const fn row(
    group: Group,
    fault: Fault,
    expects: Expects,
    weight: Weight,
    source: &'static str,
) -> Case {
    Case { group, trial: Trial::Fault(fault), expects, weight, source }
}

const fn story(
    group: Group,
    story: Story,
    expects: Expects,
    weight: Weight,
    source: &'static str,
) -> Case {
    Case { group, trial: Trial::Story(story), expects, weight, source }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::simulator::faults::Kind;

    #[test]
    fn each_fault_is_one_case_and_what_is_a_quirk_is_to_be_taken() {
        let names: HashSet<_> = CASES.iter().map(Case::name).collect();
        assert_eq!(names.len(), CASES.len(), "names are unique");
        assert!(2 * CASES.len() <= crate::simulator::crowd::CROWD, "two persons for each");
        for &fault in Fault::ALL {
            let case = CASES.iter().find(|case| case.trial == Trial::Fault(fault));
            let case = case.unwrap_or_else(|| panic!("{} is no case", fault.name()));
            assert_eq!(case.expects == Taken, fault.kind() == Kind::Quirk, "{}", fault.name());
            assert_eq!(case.expects == SignedOut, fault.kind() == Kind::Logout);
        }
    }

    /// The table of the page: name, group, weight, source.
    #[test]
    fn the_page_has_the_same_list() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examine.md");
        let page = std::fs::read_to_string(path).unwrap();
        let mut wrong = Vec::new();
        for group in Group::ALL {
            for case in CASES.iter().filter(|case| case.group == *group) {
                let row = format!(
                    "| `{}` | {} | {} | {} | {} |",
                    case.name(),
                    case.text().en,
                    case.expects.text().en,
                    case.weight.text().en,
                    case.source
                );
                if !page.lines().any(|line| line == row) {
                    wrong.push(row);
                }
            }
        }
        let rows = page.lines().filter(|line| line.starts_with("| `")).count();
        assert!(wrong.is_empty(), "docs/examine.md lacks these rows:\n{}", wrong.join("\n"));
        let options = page.lines().filter(|line| line.starts_with("| `--")).count();
        assert_eq!(rows - options, CASES.len(), "docs/examine.md has rows of no case");
    }
}
