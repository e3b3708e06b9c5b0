//! A login as the node answers it.

use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::simulator::people::{NodeStatus, PEOPLE, Person, Way};
use crate::xml::keys::Certificate;

/// A login that is to be answered.
#[derive(Debug, Clone, Copy)]
pub struct Login<'l> {
    /// The entity identifier of the node, its `Issuer`.
    pub node: &'l str,
    /// The service provider: audience, and `PartyVInfo`.
    pub service: &'l str,
    /// The address of its assertion consumer service.
    pub acs: &'l str,
    /// The `ID` of its `AuthnRequest`.
    pub request_id: &'l str,
    /// The `ID` of its `ArtifactResolve`.
    pub resolve_id: &'l str,
    /// The person who signed in, or why none did.
    pub outcome: Outcome<'l>,
    /// The way in that the person chose.
    pub way: Way,
    /// At which level of assurance.
    pub assurance: Assurance,
    /// What to tell of the person.
    pub attributes: &'l [Attribute],
    /// The certificate that the assertion is encrypted to.
    pub recipient: &'l Certificate,
    /// The `ID` of the assertion, and the session index.
    pub assertion_id: &'l str,
    /// The `ID` of the assertion before, for
    /// [`Fault::ReplayedAssertion`](crate::simulator::faults::Fault::ReplayedAssertion).
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
pub enum Outcome<'l> {
    /// This person signed in.
    Person(&'l Person),
    /// No person did, and this is the status.
    Failed(NodeStatus),
}

/// Returns a fresh identifier of an assertion, in the node's form.
#[must_use]
pub fn assertion_id() -> String {
    format!("_{}", crate::base::random::message_id())
}
