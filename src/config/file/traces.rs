//! `[traces]`

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HumanDuration;
use crate::config::field_order::keep_order;

/// Which request led to which, from the edge to the portal, and what was done for it
/// (W3C Trace Context, OpenTelemetry). Off by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Traces {
    /// Whether every request belongs to a trace, which the logs name and the portal is told
    /// (`traceparent`), even where no spans are sent.
    ///
    /// A trace that a proxy in front began goes on where `listen.trusted_for` names `trace`. What
    /// any other client says of one is removed in either case.
    pub propagate: bool,
    /// The collector that spans are sent to (OTLP); no spans are made without.
    ///
    /// Over HTTP, `/v1/traces` is added to an address without a path.
    #[schemars(example = &"https://collector.internal:4318")]
    pub endpoint: Option<String>,
    /// How spans are sent.
    pub protocol: TraceProtocol,
    /// Of so many traces that begin here one has spans; 1 is all of them, and 0 is none.
    ///
    /// A trace that a believed proxy began has them where that proxy says so.
    pub sample_one_in: u32,
    /// File with what each request to the collector says besides, such as a token: a line
    /// `name: value` for each header.
    #[schemars(example = &"/run/credentials/brama.service/collector-headers")]
    pub headers_file: Option<PathBuf>,
    /// How long one attempt to send spans may take, connection included.
    pub timeout: HumanDuration,
    /// PEM file with authorities that certify the collector, beside those of the system.
    #[schemars(example = &"tls/collector-ca.pem")]
    pub extra_ca_file: Option<PathBuf>,
    /// Whether authorities of the system may certify the collector.
    ///
    /// With `false`, only `extra_ca_file` counts.
    pub system_roots: bool,
    /// What is said of this program with all spans: `"name: value"` for each attribute. Without
    /// `service.name` it is `brama`.
    #[schemars(example = &["deployment.environment.name: production"])]
    pub resource: Vec<String>,
}

impl Default for Traces {
    fn default() -> Self {
        Self {
            propagate: false,
            endpoint: None,
            protocol: TraceProtocol::Http,
            sample_one_in: 100,
            headers_file: None,
            timeout: HumanDuration::from(Duration::from_secs(10)),
            extra_ca_file: None,
            system_roots: true,
            resource: Vec::new(),
        }
    }
}

/// How spans are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TraceProtocol {
    /// Protobuf over HTTP/1.1; collectors listen on port 4318.
    Http,
    /// gRPC; collectors listen on port 4317.
    Grpc,
}
