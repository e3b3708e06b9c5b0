//! Everything that an answer says, before it is written.

use super::additions;
use super::claims::{Claims, FAR, OTHER_NODE, OTHER_SERVICE};
use super::login::{Login, Outcome};
use super::message::Part;
use crate::base::clock::{Time, later};
use crate::base::random::message_id;
use crate::simulator::Error;
use crate::simulator::faults::Fault;
use crate::simulator::kit::Kit;
use crate::simulator::people::NodeStatus;
use crate::xml::algorithms::{AES256_GCM, KW_AES256};
use crate::xml::encryption::{Content, Envelope, KeyWrap, encrypt};
use crate::xml::keys::Certificate;
use crate::xml::writer::Writer;

/// What the two messages and the assertion say.
#[derive(Debug, Clone)]
pub(super) struct Plan<'l> {
    pub(super) outer: Part,
    /// Absent when the artifact stands for nothing.
    pub(super) inner: Option<Part>,
    pub(super) claims: Claims,
    pub(super) encryption: Encryption<'l>,
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
    /// makes of it. Returns the assertion before it was sealed as well.
    pub(super) fn write_assertions(
        &self,
        faults: &[Fault],
        kit: &Kit,
    ) -> Result<(String, Option<String>), Error> {
        if self.inner.as_ref().is_none_or(|inner| inner.status.is_some()) {
            return Ok((String::new(), None));
        }
        let has = |fault| faults.contains(&fault);
        if has(Fault::NoAssertion) {
            return Ok((String::new(), None));
        }
        if has(Fault::PlainAssertion) {
            let plain = self.claims.write();
            return Ok((plain.clone(), Some(plain)));
        }
        let claims = additions::to_assertion(&self.claims, faults, kit)?;
        let mut sealed = self.encryption.seal(&claims)?;
        if has(Fault::TwoAssertions) {
            sealed.push_str(&self.encryption.seal(&self.claims.forged().write())?);
        }
        Ok((alter_sealed(sealed, faults), Some(claims)))
    }

    /// Writes a sealed assertion that names another person.
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

    pub(super) fn seal(&self, assertion: &str) -> Result<String, Error> {
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
