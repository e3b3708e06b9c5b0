//! `[[companion]]`

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Network;
use crate::companion::front::Front;
use crate::config::field_order::keep_order;

/// A listener at which another proxy asks whether a request may pass, and as whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Companion {
    /// The kind of proxy that asks. Required; one block for each kind.
    #[schemars(example = FrontProxy::Nginx)]
    pub proxy: Option<FrontProxy>,
    /// Address and port. This or `unix` is required.
    #[schemars(example = &"127.0.0.1:9080")]
    pub listen: Option<SocketAddr>,
    /// File of a unix socket, for a proxy on the same machine. Who may use it is said by its mode.
    #[schemars(example = &"/run/brama/decide.sock")]
    pub unix: Option<PathBuf>,
    /// Users who may connect to the unix socket: the mode of its file.
    pub unix_mode: String,
    /// Networks of the proxies that may ask at `listen`.
    ///
    /// Whoever may ask learns whether a cookie is good, and gets signed identities for it. Name
    /// the proxies and nothing else. By default this machine alone.
    #[schemars(example = &["10.1.2.0/24"])]
    pub trusted: Vec<Network>,
    /// PEM file with the certificate of the listener, when the proxy asks by TLS.
    #[schemars(example = &"tls/companion.pem")]
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key of `certificate`.
    #[schemars(example = &"tls/companion.key")]
    pub key: Option<PathBuf>,
    /// PEM file with the authorities of the certificates that proxies must show. It is read at the
    /// start.
    ///
    /// With it, `trusted` need not name networks: the certificate says who asks.
    #[schemars(example = &"tls/proxies-ca.pem")]
    pub client_ca_file: Option<PathBuf>,
}

impl Default for Companion {
    fn default() -> Self {
        Self {
            proxy: None,
            listen: None,
            unix: None,
            unix_mode: "0660".to_owned(),
            trusted: Vec::new(),
            certificate: None,
            key: None,
            client_ca_file: None,
        }
    }
}

/// A kind of proxy that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FrontProxy {
    /// nginx, Angie, OpenResty (`auth_request`).
    Nginx,
    /// ingress-nginx (`auth-url`).
    IngressNginx,
    /// HAProxy (the action that `brama print-config haproxy --lua` prints).
    Haproxy,
    /// Traefik (`ForwardAuth`).
    Traefik,
    /// Caddy (`forward_auth`).
    Caddy,
    /// Envoy (`ext_authz` over HTTP).
    Envoy,
    /// Envoy (`ext_authz` over gRPC).
    EnvoyGrpc,
}

impl From<FrontProxy> for Front {
    fn from(proxy: FrontProxy) -> Self {
        match proxy {
            FrontProxy::Nginx => Self::Nginx,
            FrontProxy::IngressNginx => Self::IngressNginx,
            FrontProxy::Haproxy => Self::Haproxy,
            FrontProxy::Traefik => Self::Traefik,
            FrontProxy::Caddy => Self::Caddy,
            FrontProxy::Envoy => Self::Envoy,
            FrontProxy::EnvoyGrpc => Self::EnvoyGrpc,
        }
    }
}
