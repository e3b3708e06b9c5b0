//! Everything that an answer says, before it is written.

use std::time::Duration;

use super::additions;
use super::login::{Login, Outcome, assertion_id};
use super::message::Part;
use crate::base::clock::{Time, earlier, later};
use crate::base::random::message_id;
use crate::identity::attribute::Attribute;
use crate::simulator::Error;
use crate::simulator::faults::Fault;
use crate::simulator::kit::Kit;
use crate::simulator::people::{FORGED, NodeStatus, Person};
use crate::xml::algorithms::{AES256_GCM, KW_AES256};
use crate::xml::encryption::{Content, Envelope, KeyWrap, encrypt};
use crate::xml::keys::Certificate;
use crate::xml::writer::Writer;

/// How long an assertion holds: what a genuine one says.
const VALIDITY: Duration = Duration::from_secs(50 * 60);
/// Longer than any use is remembered.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
/// Further than any allowed difference of clocks.
const FAR: Duration = Duration::from_secs(20 * 60);

/// What the two messages and the assertion say.
#[derive(Debug, Clone)]
pub(super) struct Plan<'l> {
    pub(super) outer: Part,
    /// Absent when the artifact stands for nothing.
    pub(super) inner: Option<Part>,
    pub(super) claims: Claims,
    pub(super) encryption: Encryption<'l>,
}

/// What the assertion says.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    pub(super) id: String,
    pub(super) issuer: String,
    pub(super) issued: Time,
    pub(super) name_id: String,
    pub(super) in_response_to: String,
    pub(super) recipient: String,
    pub(super) confirmation: (Option<Time>, Time),
    pub(super) conditions: (Time, Time),
    pub(super) unknown_condition: bool,
    pub(super) audience: String,
    pub(super) authn_instant: Time,
    pub(super) session_index: String,
    pub(super) session_end: Option<Time>,
    pub(super) assurance: String,
    pub(super) authority: String,
    /// Name, value, and whether a comment is put into the middle of the value.
    pub(super) attributes: Vec<(Attribute, String, bool)>,
}

/// How and for whom the assertion is sealed.
#[derive(Debug, Clone)]
pub(super) struct Encryption<'l> {
    recipient: &'l Certificate,
    party_u: String,
    party_v: String,
    key_wrap: KeyWrap,
    content: Content,
    leading_zero: bool,
}

impl<'l> Plan<'l> {
    /// Plans a right answer and lets each fault have its way with it.
    pub(super) fn new(login: &Login<'l>, kit: &'l Kit, faults: &[Fault], now: Time) -> Self {
        let status = match login.outcome {
            Outcome::Person(person) => person.status,
            Outcome::Failed(status) => Some(status),
        };
        let part = |in_response_to: &str, status| Part {
            id: message_id(),
            issuer: login.node.to_owned(),
            in_response_to: in_response_to.to_owned(),
            issued: now,
            status,
        };
        let mut plan = Self {
            outer: part(login.resolve_id, None),
            inner: Some(part(login.request_id, status)),
            claims: Claims::new(login, now),
            encryption: Encryption {
                recipient: login.recipient,
                party_u: login.node.to_owned(),
                party_v: login.service.to_owned(),
                key_wrap: KeyWrap::Aes256,
                content: Content::Aes256,
                leading_zero: false,
            },
        };
        for &fault in faults {
            plan.messages(fault, now);
            plan.encryption.apply(fault, kit);
            plan.claims.apply(fault, login, now);
        }
        plan
    }

    fn messages(&mut self, fault: Fault, now: Time) {
        if let Some(inner) = &mut self.inner {
            inner.apply(fault, now);
        }
        match fault {
            Fault::ArtifactUnknown => self.inner = None,
            Fault::OuterStatusRequester => {
                self.outer.status = Some(NodeStatus::Requester);
                self.inner = None;
            }
            Fault::OuterStatusResponder => {
                self.outer.status = Some(NodeStatus::Responder);
                self.inner = None;
            }
            Fault::NodeIssuerArtifactResponse => self.outer.issuer = OTHER_NODE.to_owned(),
            Fault::InResponseToArtifactResponse => self.outer.in_response_to = message_id(),
            Fault::ArtifactResponseFuture => self.outer.issued = later(now, FAR),
            _ => {}
        }
    }

    /// Writes what the response holds after its status: one sealed assertion, or what a fault
    /// makes of it.
    pub(super) fn write_assertions(&self, faults: &[Fault], kit: &Kit) -> Result<String, Error> {
        if self.inner.as_ref().is_none_or(|inner| inner.status.is_some()) {
            return Ok(String::new());
        }
        let has = |fault| faults.contains(&fault);
        if has(Fault::NoAssertion) {
            return Ok(String::new());
        }
        if has(Fault::PlainAssertion) {
            return Ok(self.claims.write());
        }
        let claims = additions::to_assertion(&self.claims, faults, kit)?;
        let mut sealed = self.encryption.seal(&claims)?;
        if has(Fault::TwoAssertions) {
            sealed.push_str(&self.encryption.seal(&self.claims.forged().write())?);
        }
        Ok(alter_sealed(sealed, faults))
    }

    /// Writes a sealed assertion that names somebody else.
    pub(super) fn write_forged(&self) -> Result<String, Error> {
        self.encryption.seal(&self.claims.forged().write())
    }
}

impl Part {
    /// What faults do to the inner message.
    fn apply(&mut self, fault: Fault, now: Time) {
        match fault {
            Fault::StatusAuthnFailed | Fault::StatusNamesPerson => {
                self.status = Some(NodeStatus::AuthnFailed);
            }
            Fault::StatusRequestDenied => self.status = Some(NodeStatus::RequestDenied),
            Fault::StatusUnknownPrincipal => self.status = Some(NodeStatus::UnknownPrincipal),
            Fault::StatusRequester => self.status = Some(NodeStatus::Requester),
            Fault::StatusResponder => self.status = Some(NodeStatus::Responder),
            Fault::NodeIssuerResponse => self.issuer = OTHER_NODE.to_owned(),
            Fault::InResponseToResponse => self.in_response_to = message_id(),
            Fault::ResponseFuture => self.issued = later(now, FAR),
            _ => {}
        }
    }
}

/// Somebody who is not the node.
const OTHER_NODE: &str = "inny-wezel.example";
/// Somebody who is not the service provider.
const OTHER_SERVICE: &str = "https://inna-usluga.example";

impl Claims {
    fn new(login: &Login<'_>, now: Time) -> Self {
        let person: &Person = match login.outcome {
            Outcome::Person(person) => person,
            Outcome::Failed(_) => &FORGED,
        };
        let second = Time::from_second(now.as_second()).unwrap_or(now);
        let end = later(second, VALIDITY);
        Self {
            id: login.assertion_id.to_owned(),
            issuer: login.node.to_owned(),
            issued: now,
            name_id: person.login.to_owned(),
            in_response_to: login.request_id.to_owned(),
            recipient: login.acs.to_owned(),
            confirmation: (None, end),
            conditions: (second, end),
            unknown_condition: false,
            audience: login.service.to_owned(),
            authn_instant: now,
            session_index: login.assertion_id.to_owned(),
            session_end: None,
            assurance: login.assurance.uri().to_owned(),
            authority: login.way.authority().to_owned(),
            attributes: attributes(person, login.attributes),
        }
    }

    fn apply(&mut self, fault: Fault, login: &Login<'_>, now: Time) {
        let past = earlier(now, FAR);
        let future = later(now, FAR);
        match fault {
            Fault::NodeIssuerAssertion => self.issuer = OTHER_NODE.to_owned(),
            Fault::InResponseToAssertion => self.in_response_to = message_id(),
            Fault::Audience => self.audience = OTHER_SERVICE.to_owned(),
            Fault::Recipient => self.recipient = format!("{OTHER_SERVICE}/acs"),
            Fault::ReplayedAssertion => {
                if let Some(previous) = login.previous_assertion {
                    previous.clone_into(&mut self.id);
                    previous.clone_into(&mut self.session_index);
                }
            }
            Fault::ConditionsExpired => self.conditions = (earlier(past, VALIDITY), past),
            Fault::ConditionsTooLong => self.conditions.1 = later(now, CENTURY),
            Fault::EmptyId => self.id.clear(),
            Fault::ConditionsNotYet => self.conditions.0 = future,
            Fault::ConfirmationExpired => self.confirmation.1 = past,
            Fault::ConfirmationNotYet => self.confirmation.0 = Some(future),
            Fault::AuthnInstantOld => self.authn_instant = past,
            Fault::AuthnInstantFuture => self.authn_instant = future,
            Fault::SessionExpired => self.session_end = Some(past),
            Fault::AssertionFuture => self.issued = future,
            Fault::AssuranceTooLow => {
                self.assurance = "http://eidas.europa.eu/LoA/low".to_owned();
            }
            Fault::AssuranceUnknown => {
                self.assurance = "http://eidas.europa.eu/LoA/highest".to_owned();
            }
            Fault::AttributeMissing => {
                self.attributes.retain(|(name, ..)| *name != Attribute::PersonIdentifier);
            }
            Fault::AttributeRepeated => {
                let forged = FORGED.identifier.to_owned();
                self.attributes.push((Attribute::PersonIdentifier, forged, false));
            }
            Fault::AttributeEmpty => self.change(Attribute::PersonIdentifier, |v| v.0.clear()),
            Fault::BirthdateMalformed => self.change(Attribute::DateOfBirth, |value| {
                "14.05.1884".clone_into(value.0);
            }),
            Fault::CommentInValue => {
                self.change(Attribute::PersonIdentifier, |value| *value.1 = true);
            }
            Fault::UnknownCondition => self.unknown_condition = true,
            _ => {}
        }
    }

    fn change(&mut self, attribute: Attribute, change: impl Fn((&mut String, &mut bool))) {
        for (name, value, comment) in &mut self.attributes {
            if *name == attribute {
                change((value, comment));
            }
        }
    }

    /// The same, said of somebody whom nobody signed in.
    pub(super) fn forged(&self) -> Self {
        let names: Vec<Attribute> = self.attributes.iter().map(|(name, ..)| *name).collect();
        Self {
            id: assertion_id(),
            name_id: FORGED.login.to_owned(),
            attributes: attributes(&FORGED, &names),
            ..self.clone()
        }
    }
}

/// In the order of the genuine answers.
fn attributes(person: &Person, wanted: &[Attribute]) -> Vec<(Attribute, String, bool)> {
    [
        (Attribute::FamilyName, person.family_name.to_owned()),
        // `xs:date` with a zone, as the node writes it.
        (Attribute::DateOfBirth, format!("{}Z", person.birthdate)),
        (Attribute::GivenName, person.given_name.to_owned()),
        (Attribute::PersonIdentifier, person.identifier.to_owned()),
    ]
    .into_iter()
    .filter(|(name, _)| wanted.contains(name))
    .map(|(name, value)| (name, value, false))
    .collect()
}

impl<'l> Encryption<'l> {
    fn apply(&mut self, fault: Fault, kit: &'l Kit) {
        match fault {
            Fault::ShortContentKey => self.content = Content::Aes128DeclaredAs256,
            Fault::Content128 => self.content = Content::Aes128,
            Fault::KeyWrap128 => self.key_wrap = KeyWrap::Aes128,
            Fault::KeyWrap192 => self.key_wrap = KeyWrap::Aes192,
            Fault::LeadingZero => self.leading_zero = true,
            Fault::PartyU => self.party_u = OTHER_NODE.to_owned(),
            Fault::PartyV => self.party_v = OTHER_SERVICE.to_owned(),
            Fault::OtherRecipientKey => self.recipient = kit.stranger_certificate(),
            _ => {}
        }
    }

    fn seal(&self, assertion: &str) -> Result<String, Error> {
        let recipient = self.recipient.public_key();
        let envelope = Envelope {
            key_wrap: self.key_wrap,
            content: self.content,
            leading_zero: self.leading_zero,
            ..Envelope::new(recipient, &self.party_u, &self.party_v)
        };
        let mut writer = Writer::new();
        encrypt(&mut writer, assertion.as_bytes(), &envelope)?;
        Ok(writer.finish())
    }
}

/// Faults of the encryption that a signature still covers.
fn alter_sealed(mut sealed: String, faults: &[Fault]) -> String {
    let has = |fault| faults.contains(&fault);
    if has(Fault::Cbc) {
        sealed = sealed.replace(AES256_GCM, "http://www.w3.org/2001/04/xmlenc#aes256-cbc");
    }
    if has(Fault::RsaKeyTransport) {
        sealed = sealed.replace(KW_AES256, "http://www.w3.org/2001/04/xmlenc#rsa-1_5");
    }
    if has(Fault::CorruptedCiphertext)
        && let Some(at) = sealed.rfind("<xenc:CipherValue>").map(|at| at + 118)
    {
        let other = if sealed.as_bytes().get(at) == Some(&b'A') { "B" } else { "A" };
        sealed.replace_range(at..=at, other);
    }
    sealed
}
