//! What an answer is compared with.

use std::time::Duration;

use crate::base::clock::Time;
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;

/// What we know of the login that an answer should belong to. A login gives all of it; `explain`
/// gives what it was told, and the rest is listed as not checked.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The node's identifier: issuer at three levels, and `PartyUInfo`.
    pub node: Option<String>,
    /// Our identifier: audience, and `PartyVInfo`.
    pub service: Option<String>,
    /// The address of our assertion consumer service.
    pub acs: Option<String>,
    /// The `ID` of our `AuthnRequest`.
    pub request_id: Option<String>,
    /// The `ID` of our `ArtifactResolve`.
    pub resolve_id: Option<String>,
    /// The least level of assurance.
    pub assurance: Option<Assurance>,
    /// The earliest moment at which the citizen may have identified, on our clock, when an older
    /// login will not do.
    pub fresh_since: Option<Time>,
    /// The attributes that we asked for as required.
    pub required: Vec<Attribute>,
    /// How far the clocks may differ.
    pub skew: Duration,
    /// The most bytes that are read of an answer.
    pub maximum_bytes: usize,
    /// Whether the answer must come in a SOAP envelope.
    pub wrapping: Wrapping,
}

/// What an answer may be wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// A SOAP 1.1 envelope, as it comes over the wire.
    Soap,
    /// A SOAP envelope, or a bare `ArtifactResponse` as people save it.
    SoapOrBare,
}
