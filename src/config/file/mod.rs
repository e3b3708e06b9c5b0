//! The file as it is written: one struct for each section, one field for each key.
//!
//! 1. Nothing here is checked beyond its type. A required key may be missing and a path may name
//!    nothing: resolving the file into settings finds that.
//! 2. Defaults are the safe choice, and the comment at the field says what they are good for.
//!    The comments are what operators read in `config/reference.toml`.
//! 3. Durations and sizes carry their unit: `"15m"`, `"256 KiB"`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::field_order::keep_order;

mod acme;
mod alarms;
mod audit;
mod companion;
mod duration;
mod identity;
mod limits;
mod listen;
mod log;
mod network;
mod node;
mod pages;
mod portal;
mod routes;
mod service;
mod session;
mod size;
mod store;
mod told;
mod traces;
mod upstreams;

pub use acme::Acme;
pub use alarms::Alarms;
pub use audit::{Audit, AuditSync, AuditTarget};
pub use companion::{Companion, FrontProxy};
pub use duration::{HumanDuration, HumanDurationError};
pub use identity::Identity;
pub use limits::Limits;
pub use listen::{
    Believed, Certificate, Listen, Operations, Operator, OperatorRole, ReadyNeed, TlsVersion,
};
pub use log::{AccessAddresses, AccessFormat, Log, LogFormat};
pub use network::{Network, NetworkError};
pub use node::{Environment, ExpiredCertificate, Node, OutageMessage};
pub use pages::{Colours, Footer, Landing, LandingText, LocalAddress, LocalNumber, Pages};
pub use portal::Portal;
pub use routes::{
    Access, Claim, Headers, LenientPath, Redirect, Requirement, Respond, Route, TokenAlgorithm,
};
pub use service::{Assurance, Attribute, P12, Service, ServiceKind};
pub use session::{OtherPerson, Session};
pub use size::{HumanSize, HumanSizeError};
pub use store::{FileStore, RedisMode, RedisStore, Store, StoreKind};
pub use told::{
    HeaderEncoding, HeaderPreset, IdentityForm, IdentityHeaders, IdentitySignature,
    SignatureAlgorithm,
};
pub use traces::{TraceProtocol, Traces};
pub use upstreams::{Health, Protocol, Upstream, UpstreamServer};

/// The whole configuration file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Brama configuration", transform = keep_order::<Self>)]
pub struct File {
    /// The portal as citizens see it from outside.
    pub portal: Portal,
    /// How the pages that the gateway itself shows to citizens look, and where they lead.
    pub pages: Pages,
    /// Where the gateway listens for citizens.
    ///
    /// At least one of `http`, `https` and `unix` is needed. Sockets that systemd passes under
    /// the name of such a key are used in place of what the key says.
    pub listen: Listen,
    /// Where operators look: health and readiness.
    pub operations: Operations,
    /// The national node: which environment, and how its answers are checked.
    pub node: Node,
    /// We as a service provider: what was registered with the operator of the node.
    pub service: Service,
    /// How long a citizen stays signed in.
    pub session: Session,
    /// Where sessions, what became of logins, forms, and what must not be used twice are kept.
    pub store: Store,
    /// How often one network may try to sign in, so that none takes it from the others.
    ///
    /// More is answered with 429 and `Retry-After`. A number is for a minute: as many at once, and
    /// then evenly. 0 is any number.
    pub limits: Limits,
    /// The signed identity that goes to upstreams with each request.
    pub identity: Identity,
    /// What the program says about itself.
    pub log: Log,
    /// What is written down for years of logins, sessions and what operators did.
    pub audit: Audit,
    /// Which request led to which, from the edge to the portal, and what was done for it
    /// (W3C Trace Context, OpenTelemetry). Off by default.
    pub traces: Traces,
    /// When the log says that something goes wrong: the clock, the node. Certificates that end are
    /// told in any case.
    pub alarms: Alarms,
    /// A listener at which another proxy that stands in front asks whether a request may pass, and
    /// as whom. Repeat the block for each kind of proxy.
    ///
    /// Routes without `upstream`, `redirect` and `respond` are for these: the proxy hands their
    /// requests on itself.
    pub companion: Vec<Companion>,
    /// A backend that requests are handed on to. Repeat the block for each.
    #[serde(rename = "upstream")]
    pub upstreams: Vec<Upstream>,
    /// Which requests go to which upstream, and who may make them. Repeat the block for each.
    ///
    /// The longest path that fits wins, and among routes of the same path the one that names the
    /// method. A request that no route fits is answered with 404, one with a method that no route
    /// of its path is for with 405. `brama explain-policy` says which route decides and why.
    #[serde(rename = "route")]
    pub routes: Vec<Route>,
}
