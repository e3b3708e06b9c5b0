//! The simulated node's answers: built right, made wrong on purpose, never sent from here.
//!
//! Pure but for randomness: no I/O and no clock, so a test can have any answer as bytes.
//!
//! The shape is that of the genuine answers: fourteen prefixes on the `ArtifactResponse`, all on
//! one line, both messages signed (the inner one first, because the outer digest covers its
//! signature), one encrypted assertion that has no signature of its own.

mod alter;
mod assertion;
mod message;
mod plan;
mod wire;
mod wrapping;

use super::Error;
use super::faults::Fault;
use super::kit::Kit;
use super::people::{NodeStatus, PEOPLE, Person, Way};
use crate::base::clock::Time;
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::xml::keys::Certificate;

use alter::Alteration;
use message::{Seal, artifact_response, response};
use plan::Plan;

pub use message::{LogoutAnswer, logout, only_status};
pub use wire::{http_status, soap_fault};

/// A login that is to be answered.
#[derive(Debug, Clone, Copy)]
pub struct Login<'l> {
    /// The node's issuer.
    pub node: &'l str,
    /// The service provider: audience, and `PartyVInfo`.
    pub service: &'l str,
    /// The address of its assertion consumer service.
    pub acs: &'l str,
    /// The `ID` of its `AuthnRequest`.
    pub request_id: &'l str,
    /// The `ID` of its `ArtifactResolve`.
    pub resolve_id: &'l str,
    /// Who signed in, or why nobody did.
    pub outcome: Outcome,
    /// By which way.
    pub way: Way,
    /// At which level of assurance.
    pub assurance: Assurance,
    /// What to tell of the person.
    pub attributes: &'l [Attribute],
    /// The certificate that the assertion is encrypted to.
    pub recipient: &'l Certificate,
    /// The `ID` of the assertion, and the session index.
    pub assertion_id: &'l str,
    /// The `ID` of the assertion before, for [`Fault::ReplayedAssertion`].
    pub previous_assertion: Option<&'l str>,
}

impl<'l> Login<'l> {
    /// The login of the first person at the highest level, to an invented address; for tests and
    /// measurements, which change what they are about.
    #[must_use]
    pub fn example(node: &'l str, service: &'l str, recipient: &'l Certificate) -> Self {
        Self {
            node,
            service,
            acs: "https://portal.example/acs",
            request_id: "ID-request",
            resolve_id: "ID-resolve",
            outcome: Outcome::Person(&PEOPLE[0]),
            way: Way::ALL[0],
            assurance: Assurance::High,
            attributes: &Attribute::ALL,
            recipient,
            assertion_id: "_ID-assertion",
            previous_assertion: None,
        }
    }
}

/// How a login ended at the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody signed in.
    Person(&'static Person),
    /// Nobody did.
    Failed(NodeStatus),
}

/// Returns a fresh identifier of an assertion, in the node's form.
#[must_use]
pub fn assertion_id() -> String {
    format!("_{}", crate::base::random::message_id())
}

/// Builds the whole answer to an `ArtifactResolve`: a SOAP envelope, or what a fault puts in its
/// place.
///
/// # Errors
/// When the recipient's key is unusable.
pub fn build(login: &Login<'_>, kit: &Kit, faults: &[Fault], now: Time) -> Result<Vec<u8>, Error> {
    // 1. Some answers are no message at all.
    if let Some(bytes) = wire::instead(faults) {
        return Ok(bytes);
    }
    // 2. Everything that will be said, right but for the faults.
    let plan = Plan::new(login, kit, faults, now);
    let inside = match &plan.inner {
        Some(inner) => {
            let sealed = plan.write_assertions(faults)?;
            response(inner, seal(faults, kit, Layer::Inner), &sealed)
        }
        None => String::new(),
    };
    let template = artifact_response(&plan.outer, seal(faults, kit, Layer::Outer), &inside);
    let template = alter::before_signing(template, faults);

    // 3. The inner signature, then the outer one. Some faults come in between, so that only the
    //    check of the inner message can find them.
    let alteration = Alteration::new(&plan, faults)?;
    let mut text = template;
    if let (Some(inner), Some(signer)) = (&plan.inner, signer(faults, kit, Layer::Inner)) {
        text = signer.sign(&text, &[&inner.id])?;
    }
    text = alteration.between(text);
    if let Some(signer) = signer(faults, kit, Layer::Outer) {
        text = signer.sign(&text, &[&plan.outer.id])?;
    }
    text = alteration.after(text);

    // 4. The envelope.
    Ok(wire::envelope(&text, &alteration, faults))
}

/// The two messages of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Outer,
    Inner,
}

fn signer<'k>(
    faults: &[Fault],
    kit: &'k Kit,
    layer: Layer,
) -> Option<&'k crate::xml::signer::Signer> {
    let has = |fault| faults.contains(&fault);
    let (unsigned, foreign) = match layer {
        Layer::Outer => (Fault::UnsignedArtifactResponse, false),
        Layer::Inner => (Fault::UnsignedResponse, has(Fault::ForeignInnerSignature)),
    };
    if has(unsigned) || has(Fault::UnsignedBoth) {
        None
    } else if foreign || has(Fault::ForeignSignature) {
        Some(kit.stranger_signer())
    } else {
        Some(kit.node_signer())
    }
}

fn seal<'k>(faults: &[Fault], kit: &'k Kit, layer: Layer) -> Seal<'k> {
    signer(faults, kit, layer).map_or(Seal::None, Seal::Template)
}

#[cfg(test)]
mod tests;
