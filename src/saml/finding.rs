//! What a refusal comes down to: which check failed, what it expected, and what it found.
//!
//! 1. Every refusal says it. A new one does not compile before it does.
//! 2. It names no person: of what the node says in words of its own, and of what could be of a
//!    person, there is a digest and a length. Issuers, addresses, identifiers of messages, times and
//!    levels stand as they are, bounded and escaped ([`Foreign`]).
//! 3. The names of checks are those of an examination ([`super::checks`]). Where the list of an
//!    examination has a check that failed, that one is it.
//!
//! [`Foreign`]: crate::base::foreign::Foreign

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::refusal::{Level, Refusal, TimeBound};
use super::status::Status;
use crate::base::clock::Time;
use crate::base::encoding::{hex_lower, sha256};
use crate::base::foreign::{MAXIMUM, sentence};
use crate::xml::{decryption, signature};

/// A check that failed, with what it compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The name of the check, such as `assertion_audience`.
    pub check: Cow<'static, str>,
    /// What it expected.
    pub expected: Value,
    /// What it found.
    pub found: Value,
}

/// What a check expected or found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Nothing that could be shown: it is not there, or the check has no one value.
    Nothing,
    /// A value that says nothing about a person.
    Text(String),
    /// A moment (RFC 3339).
    Time(String),
    /// What the node says in words of its own, of which only this is kept.
    Said {
        /// What is known of it: codes of the standards, `other` for any other one.
        code: String,
        /// How many letters the text beside has; none when there is none.
        letters: usize,
        /// The first 64 bits of the SHA-256 of that text, after numbers and names were masked in it.
        sha256: String,
    },
}

impl Value {
    /// Makes a value of a text of ours that may repeat foreign ones.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(sentence(text.as_ref(), MAXIMUM))
    }

    /// Makes a value of a moment.
    #[must_use]
    pub fn time(time: Time) -> Self {
        Self::Time(time.to_string())
    }

    /// Makes a value of a number.
    #[must_use]
    pub fn number(number: usize) -> Self {
        Self::Text(number.to_string())
    }

    fn said(code: String, text: &str) -> Self {
        let sha256 = match text {
            "" => String::new(),
            text => digest(text.as_bytes()),
        };
        Self::Said { code, letters: text.chars().count(), sha256 }
    }
}

/// Returns the first 64 bits of a SHA-256, in hexadecimal digits: enough to tell two values apart.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    hex_lower(&sha256(bytes)[..8])
}

impl Finding {
    /// Makes a finding.
    #[must_use]
    pub fn new(check: &'static str, expected: Value, found: Value) -> Self {
        Self { check: Cow::Borrowed(check), expected, found }
    }

    fn found(check: &'static str, found: Value) -> Self {
        Self::new(check, Value::Nothing, found)
    }
}

impl Refusal {
    /// Returns what it comes down to.
    #[must_use]
    pub fn finding(&self) -> Finding {
        use Value::Nothing;
        let text = |text: &dyn std::fmt::Display| Value::text(text.to_string());
        match self {
            Self::Unreadable(error) => Finding::found("well_formed", text(error)),
            Self::Shape(what) => Finding::found("message_schema", Value::text(what)),
            Self::SoapFault(said) => Finding::found("soap_fault", fault(said.as_str())),
            Self::Signature(error) => of_signature(error),
            Self::Issuer { level, found, expected } => {
                Finding::new(ISSUER.of(*level), Value::text(expected), text(found))
            }
            Self::InResponseTo { level, found, expected } => {
                Finding::new(IN_RESPONSE_TO.of(*level), Value::text(expected), text(found))
            }
            Self::IssuedInFuture { level, issued } => {
                Finding::found(ISSUE_INSTANT.of(*level), Value::time(*issued))
            }
            Self::Status { level, status } => {
                Finding::new(STATUS.of(*level), Value::text("Success"), of_status(status))
            }
            Self::NoResponse => Finding::new("response_present", Value::text("Response"), Nothing),
            Self::NoAssertion => one_assertion(0),
            Self::SeveralAssertions(found) => one_assertion(*found),
            Self::PlainAssertion => Finding::new(
                "encrypted_assertion",
                Value::text("EncryptedAssertion"),
                Value::text("Assertion"),
            ),
            Self::Decryption(error) => of_decryption(error),
            Self::AssertionShape(what) => Finding::found("assertion_shape", Value::text(what)),
            Self::Audience { found, expected } => {
                Finding::new("assertion_audience", Value::text(expected), text(found))
            }
            Self::Recipient { found, expected } => {
                Finding::new("assertion_recipient", Value::text(expected), text(found))
            }
            Self::Destination { found, expected, .. } => {
                Finding::new("destination", Value::text(expected), text(found))
            }
            Self::Time { bound, limit, now } => {
                Finding::new(of_bound(*bound), Value::time(*now), Value::time(*limit))
            }
            Self::UnknownCondition(what) => {
                Finding::found("assertion_conditions", Value::text(what))
            }
            Self::AssuranceUnknown(found) => Finding::found("assurance", text(found)),
            Self::AssuranceTooLow { found, expected } => {
                Finding::new("assurance", Value::text(expected.name()), Value::text(found.name()))
            }
            Self::NotFresh { instant, since } => {
                Finding::new("authn_instant_fresh", Value::time(*since), Value::time(*instant))
            }
            Self::AttributeMissing(attribute) => {
                Finding::new("attributes", text(attribute), Nothing)
            }
            Self::AttributeRepeated(attribute) => {
                Finding::new("attributes", Value::number(1), text(attribute))
            }
            Self::AttributeMalformed(attribute) => Finding::found("attributes", text(attribute)),
            Self::ReplayedArtifact => Finding::found("artifact_unused", Nothing),
            Self::ReplayedAssertion => Finding::found("assertion_unused", Nothing),
            Self::NotChecked(check) => Finding::found("every_check_made", Value::text(check)),
        }
    }
}

/// The names of one check at each level.
struct Leveled([&'static str; 4]);

impl Leveled {
    const fn of(&self, level: Level) -> &'static str {
        match level {
            Level::ArtifactResponse => self.0[0],
            Level::Response => self.0[1],
            Level::Assertion => self.0[2],
            Level::LogoutResponse => self.0[3],
        }
    }
}

const ISSUER: Leveled = Leveled([
    "artifact_response_issuer",
    "response_issuer",
    "assertion_issuer",
    "logout_response_issuer",
]);
const IN_RESPONSE_TO: Leveled = Leveled([
    "artifact_response_in_response_to",
    "response_in_response_to",
    "assertion_in_response_to",
    "logout_response_in_response_to",
]);
const ISSUE_INSTANT: Leveled = Leveled([
    "artifact_response_issue_instant",
    "response_issue_instant",
    "assertion_issue_instant",
    "logout_response_issue_instant",
]);
const STATUS: Leveled = Leveled([
    "artifact_response_status",
    "response_status",
    "response_status",
    "logout_response_status",
]);

fn one_assertion(found: usize) -> Finding {
    Finding::new("encrypted_assertion", Value::number(1), Value::number(found))
}

fn of_bound(bound: TimeBound) -> &'static str {
    match bound {
        TimeBound::ConditionsNotBefore => "conditions_not_before",
        TimeBound::ConditionsNotOnOrAfter => "conditions_not_on_or_after",
        TimeBound::ConfirmationNotBefore => "confirmation_not_before",
        TimeBound::ConfirmationNotOnOrAfter => "confirmation_not_on_or_after",
        TimeBound::AuthnInstant => "authn_instant",
        TimeBound::SessionNotOnOrAfter => "session_not_on_or_after",
    }
}

fn of_signature(error: &signature::Error) -> Finding {
    let check = if error.concerns("Assertion") {
        "assertion_signature"
    } else if error.concerns("Response") {
        "response_signature"
    } else {
        "artifact_response_signature"
    };
    let text = |text: &dyn std::fmt::Display| Value::text(text.to_string());
    let (expected, found) = match error {
        signature::Error::Missing(element) => {
            (Value::text(format!("{element}/Signature")), Value::Nothing)
        }
        signature::Error::Count { found, expected } => {
            (Value::number(*expected), Value::number(*found))
        }
        signature::Error::DuplicateId(id) => (Value::number(1), text(id)),
        signature::Error::Profile { what, .. } => (Value::Nothing, Value::text(what)),
        signature::Error::Reference { element, uri } => (text(element), text(uri)),
        signature::Error::Algorithm { algorithm, .. } => (Value::Nothing, text(algorithm)),
        signature::Error::Transform { transform, .. } => (Value::Nothing, text(transform)),
        signature::Error::Digest(element) => (Value::Nothing, text(element)),
        signature::Error::Value { named, pinned, .. } => (Value::text(pinned), Value::text(named)),
    };
    Finding::new(check, expected, found)
}

fn of_decryption(error: &decryption::Error) -> Finding {
    match error {
        decryption::Error::Profile(what) => Finding::found("decryption", Value::text(what)),
        decryption::Error::Algorithm(found) => {
            Finding::found("decryption", Value::text(found.to_string()))
        }
        decryption::Error::Party(who) => {
            Finding::new("decryption", Value::text(who), Value::Nothing)
        }
        decryption::Error::Failed => Finding::found("decryption", Value::Nothing),
    }
}

fn of_status(status: &Status) -> Value {
    Value::said(status.known_codes(), status.message().unwrap_or_default())
}

/// SOAP 1.1 section 4.4.1 has four codes of faults.
fn fault(said: &str) -> Value {
    const KNOWN: [&str; 4] = ["VersionMismatch", "MustUnderstand", "Client", "Server"];
    let (code, text) = said.split_once(' ').unwrap_or((said, ""));
    let local = code.rsplit_once(':').map_or(code, |(_, local)| local);
    let known = KNOWN.into_iter().find(|known| *known == local).unwrap_or("other");
    Value::said(known.to_owned(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_node_says_in_its_own_words_is_kept_as_codes_a_length_and_a_digest() {
        let Value::Said { code, letters, sha256 } = fault("soap:Server Anna 44051401359") else {
            panic!("a fault is said");
        };
        assert_eq!((code.as_str(), letters, sha256.len()), ("Server", 16, 16));
        assert_eq!(fault("x"), Value::said("other".to_owned(), ""));
        let finding = Refusal::SoapFault("soap:Client Anna Nowak".into()).finding();
        let kept = serde_json::to_string(&finding).unwrap();
        assert!(kept.contains("Client") && !kept.contains("Anna"), "{kept}");
    }

    #[test]
    fn a_finding_is_read_as_it_is_written() {
        let now: Time = "2031-03-04T10:20:30Z".parse().unwrap();
        for refusal in [
            Refusal::Issuer { level: Level::Response, found: "a".into(), expected: "b".to_owned() },
            Refusal::Time { bound: TimeBound::AuthnInstant, limit: now, now },
            Refusal::NoResponse,
            Refusal::SoapFault("no".into()),
        ] {
            let finding = refusal.finding();
            let text = serde_json::to_string(&finding).unwrap();
            assert_eq!(serde_json::from_str::<Finding>(&text).unwrap(), finding, "{text}");
        }
    }
}
