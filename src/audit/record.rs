//! A record: what is written of one fact, and the schema of it.
//!
//! 1. One JSON object (RFC 8259) on one line, its members in the order of [`Record`]. What is not
//!    known is left out.
//! 2. Every text is bounded and printable ([`Foreign`]): at most [`MAXIMUM`] characters, so a line
//!    is never longer than [`MOST`] bytes.
//! 3. No record has a name or an identifier of a person. A person is a pseudonym
//!    ([`PersonKey`](super::keys::PersonKey)).
//!
//! [`MAXIMUM`]: crate::base::foreign::MAXIMUM

use std::borrow::Cow;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::base::foreign::Foreign;

/// The version of the format. A reader that knows another one only says so and reads nothing.
pub const VERSION: u32 = 1;

/// The most bytes of a line, its end not counted. A longer one is no record.
pub const MOST: usize = 32 * 1024;

/// What a [`Kind::Resumed`] says when the gateway found that records are gone which it had written.
pub(super) const RECORDS_MISSING: &str = "records_missing";

/// What a [`Kind::Resumed`] says when it follows on what somebody else wrote into the file.
pub(super) const FOREIGN: &str = "foreign";

/// What a record tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A stretch of the chain begins: the process started, or a new file.
    Opened,
    /// The process goes on after one that did not come to its end.
    Resumed,
    /// The last record of a file that is full, a day old, or was moved away.
    Rotated,
    /// The process came to its end.
    Closed,
    /// A signature over all that stands before.
    Checkpoint,
    /// Records are missing here: `number` of them were not kept.
    Gap,
    /// A browser was sent to the node.
    LoginStarted,
    /// The node said what an artifact stands for; nothing of it is examined yet.
    ArtifactResolved,
    /// A citizen was signed in.
    SignedIn,
    /// A login led to no session.
    LoginRefused,
    /// A request was refused of which no login is known.
    RequestRefused,
    /// Something that lasts was cut, because it may not go on.
    ResponseCut,
    /// A signed-in citizen asks for what needs a surer or a newer login.
    StepUpDemanded,
    /// The session of a citizen is about to go over to another host.
    HandOverBegun,
    /// A citizen is signed in at another host by the session of the registered one.
    HandedOver,
    /// A citizen signed out.
    SignedOut,
    /// The node did not confirm that its session ended; ours did.
    LogoutNotConfirmed,
    /// A session ended before its time.
    SessionEnded,
    /// A form was kept across a login.
    FormKept,
    /// A form was not kept.
    FormNotKept,
    /// A form that was kept went to the portal.
    FormSent,
    /// A form that was kept is lost.
    FormLost,
    /// A client told an identity as other gateways do; it was removed.
    IdentityToldByClient,
    /// A new configuration is in use.
    ConfigurationApplied,
    /// A new configuration cannot be used; the old one stays.
    ConfigurationRefused,
    /// A certificate is in use that was not before.
    CertificateLoaded,
    /// A certificate cannot be used; the one before stays.
    CertificateRefused,
    /// A certificate ends soon, has ended, begins later, was replaced or cannot be read.
    CertificateAlarm,
    /// The node's clock differs from ours by more than is settled, or does not any more.
    ClockOffset,
    /// More exchanges with the node fail than is settled, or do not any more.
    NodeTrouble,
    /// An operator did something.
    AdminActed,
}

impl Kind {
    /// Every kind, in the order in which the schema has them.
    pub const ALL: [Self; 31] = [
        Self::Opened,
        Self::Resumed,
        Self::Rotated,
        Self::Closed,
        Self::Checkpoint,
        Self::Gap,
        Self::LoginStarted,
        Self::ArtifactResolved,
        Self::SignedIn,
        Self::LoginRefused,
        Self::RequestRefused,
        Self::ResponseCut,
        Self::StepUpDemanded,
        Self::HandOverBegun,
        Self::HandedOver,
        Self::SignedOut,
        Self::LogoutNotConfirmed,
        Self::SessionEnded,
        Self::FormKept,
        Self::FormNotKept,
        Self::FormSent,
        Self::FormLost,
        Self::IdentityToldByClient,
        Self::ConfigurationApplied,
        Self::ConfigurationRefused,
        Self::CertificateLoaded,
        Self::CertificateRefused,
        Self::CertificateAlarm,
        Self::ClockOffset,
        Self::NodeTrouble,
        Self::AdminActed,
    ];

    /// Tells whether the record says something of the chain itself, and has a signature.
    #[must_use]
    pub fn is_signed(self) -> bool {
        matches!(
            self,
            Self::Opened | Self::Resumed | Self::Rotated | Self::Closed | Self::Checkpoint
        )
    }
}

/// A record, as it is written and as it is read. `version`, `chain`, `sequence` and `previous` are
/// given to it when it is written; without them it is no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Brama audit record", transform = complete)]
pub struct Record<'r> {
    /// The version of this format: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The chain that it belongs to: 22 letters of base64url.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Cow<'r, str>>,
    /// Its number in the chain, from 1 on, without a hole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// SHA-256 over the line before it in the chain, without its end, in base64url; of the first
    /// one, 32 bytes of zero.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Cow<'r, str>>,
    /// When it happened (RFC 3339, UTC).
    #[serde(borrow)]
    pub time: Cow<'r, str>,
    /// What it tells of.
    pub kind: Kind,
    /// The name of the process's host, or what the configuration calls this replica.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Cow<'r, str>>,
    /// The number of the request, as pages and the access log have it.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub request: Option<Cow<'r, str>>,
    /// The trace that the request belongs to (W3C Trace Context, `trace-id`).
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Cow<'r, str>>,
    /// The network of the client, or its address, as the configuration says.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub client: Option<Cow<'r, str>>,
    /// The host that was asked, or that a session was handed over to.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub host: Option<Cow<'r, str>>,
    /// The path prefix of the route.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub route: Option<Cow<'r, str>>,
    /// The public name of the session (`sid` in signed identities).
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Cow<'r, str>>,
    /// The `ID` of the `AuthnRequest`.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub authn_request: Option<Cow<'r, str>>,
    /// The fingerprint of the artifact.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Cow<'r, str>>,
    /// The `ID` of the assertion.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Cow<'r, str>>,
    /// The authority at which the citizen identified, as the node names it.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub way_in: Option<Cow<'r, str>>,
    /// The level of assurance.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub assurance: Option<Cow<'r, str>>,
    /// The pseudonym of the person: 22 letters of base64url.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub person: Option<Cow<'r, str>>,
    /// The name of the key that the pseudonym was made with.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub person_key: Option<Cow<'r, str>>,
    /// The name of the operator.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub admin: Option<Cow<'r, str>>,
    /// What the operator did; what a certificate is for.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub action: Option<Cow<'r, str>>,
    /// The reason code of a refusal.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'r, str>>,
    /// The HTTP status that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What came of it, in a word.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Cow<'r, str>>,
    /// How many: of sessions, of problems, of records that are missing, of bytes set aside, of what
    /// strangers caused beyond what is written one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// What it concerns: a certificate, a key, a header; of a refusal, the number that the citizen can
    /// read out.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'r, str>>,
    /// SHA-256 of a certificate, in hexadecimal.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Cow<'r, str>>,
    /// When a certificate ends (RFC 3339, UTC).
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Cow<'r, str>>,
    /// The public key of signatures in this file (Ed25519, RFC 8032), in base64url.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<Cow<'r, str>>,
    /// Ed25519 over the line up to the comma before this member, behind `brama audit 1` and a line
    /// feed, in base64url. It is the last member.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Cow<'r, str>>,
}

impl<'r> Record<'r> {
    /// Begins a record of which nothing more is known.
    #[must_use]
    pub fn new(kind: Kind, time: crate::base::clock::Time) -> Self {
        Self {
            version: None,
            chain: None,
            sequence: None,
            previous: None,
            time: Cow::Owned(format!("{time:.6}")),
            kind,
            instance: None,
            request: None,
            trace: None,
            client: None,
            host: None,
            route: None,
            sid: None,
            authn_request: None,
            artifact: None,
            assertion: None,
            way_in: None,
            assurance: None,
            person: None,
            person_key: None,
            admin: None,
            action: None,
            reason: None,
            status: None,
            outcome: None,
            number: None,
            name: None,
            sha256: None,
            not_after: None,
            public_key: None,
            signature: None,
        }
    }

    /// Reads a line; nothing when it is no record of this version.
    #[must_use]
    pub fn parse(line: &'r [u8]) -> Option<Self> {
        if line.len() > MOST {
            return None;
        }
        let record: Self = serde_json::from_slice(line).ok()?;
        let is_whole = record.version == Some(VERSION)
            && record.chain.as_deref().is_some_and(crate::base::random::is_handle)
            && record.sequence.is_some_and(|number| number > 0)
            && record.previous.is_some()
            && record.kind.is_signed() == record.signature.is_some();
        is_whole.then_some(record)
    }

    /// Writes it as JSON, without the end of a line.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // It has nothing that JSON cannot say.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Returns a text from outside as a record has it: bounded, printable, on one line;
/// nothing of an empty one.
#[must_use]
pub fn text(value: &str) -> Option<Cow<'_, str>> {
    let is_plain = |byte: u8| matches!(byte, b'!'..=b'~') && byte != b'"' && byte != b'\\';
    if value.is_empty() {
        return None;
    }
    if value.len() < crate::base::foreign::MAXIMUM && value.bytes().all(is_plain) {
        return Some(Cow::Borrowed(value));
    }
    Some(Cow::Owned(Foreign::new(value).as_str().to_owned()))
}

/// Returns the schema of a record (JSON Schema 2020-12).
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(Record<'static>)
}

/// What a type cannot say: the members that a record has when it is written, and their form.
fn complete(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    let required = ["version", "chain", "sequence", "previous", "time", "kind"];
    object.insert("required".to_owned(), serde_json::json!(required));
    let Some(members) = object.get_mut("properties").and_then(|all| all.as_object_mut()) else {
        return;
    };
    let digest = serde_json::json!("^[A-Za-z0-9_-]{43}$");
    let handle = serde_json::json!("^[A-Za-z0-9_-]{22}$");
    let hexadecimal = serde_json::json!("^[0-9a-f]{64}$");
    let signature = serde_json::json!("^[A-Za-z0-9_-]{86}$");
    for (name, member) in members.iter_mut() {
        let Some(member) = member.as_object_mut() else { continue };
        // What is not known is left out, and never null.
        if let Some(kinds) = member.get_mut("type").and_then(|kinds| kinds.as_array_mut()) {
            kinds.retain(|kind| kind != "null");
            if let [one] = kinds.as_slice() {
                let one = one.clone();
                member.insert("type".to_owned(), one);
            }
        }
        member.remove("default");
        match name.as_str() {
            "version" => drop(member.insert("const".to_owned(), VERSION.into())),
            "sequence" => drop(member.insert("minimum".to_owned(), 1.into())),
            "previous" | "public_key" => drop(member.insert("pattern".to_owned(), digest.clone())),
            "chain" | "person" => drop(member.insert("pattern".to_owned(), handle.clone())),
            "sha256" => drop(member.insert("pattern".to_owned(), hexadecimal.clone())),
            "signature" => drop(member.insert("pattern".to_owned(), signature.clone())),
            "time" | "not_after" => {
                member.insert("format".to_owned(), "date-time".into());
            }
            _ => {}
        }
    }
}
