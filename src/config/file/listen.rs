//! `[listen]` and `[operations]`

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HumanDuration;
use crate::config::shape::keep_order;

/// Where the gateway listens for citizens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Listen {
    /// Address and port for plain HTTP.
    ///
    /// For a gateway beside the portal or behind a proxy that ends TLS. Keep it on loopback or on
    /// a network that only the proxy reaches: session cookies travel over it.
    #[schemars(example = &"127.0.0.1:8080")]
    pub http: Option<SocketAddr>,
    /// Address and port for HTTPS; needs `certificate` and `key`.
    #[schemars(example = &"0.0.0.0:443")]
    pub https: Option<SocketAddr>,
    /// PEM file with the certificate for citizens, followed by its intermediates.
    #[schemars(example = &"tls/portal.pem")]
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key of `certificate`.
    #[schemars(example = &"tls/portal.key")]
    pub key: Option<PathBuf>,
    /// Connections that may be open at once; more wait to be accepted.
    pub max_connections: usize,
    /// Time a client has to send the head of a request.
    ///
    /// Keep it short: slow heads are the cheapest way to occupy a server.
    pub header_timeout: HumanDuration,
    /// Time that running requests get to end when the program is asked to stop.
    pub drain_timeout: HumanDuration,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            http: None,
            https: None,
            certificate: None,
            key: None,
            max_connections: 10_000,
            header_timeout: HumanDuration::from_secs(10),
            drain_timeout: HumanDuration::from_secs(30),
        }
    }
}

/// Where operators look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Operations {
    /// Address and port for `/healthz` and `/readyz`, in plain HTTP.
    ///
    /// Loopback by default. In a container, bind it to the pod's address and keep it out of
    /// reach of citizens.
    pub listen: SocketAddr,
}

impl Default for Operations {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9480)) }
    }
}
