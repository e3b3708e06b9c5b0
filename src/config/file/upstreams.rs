//! `[[upstream]]`

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HumanDuration;
use crate::config::field_order::keep_order;
use crate::proxy::upstream::{self, Settings};

/// A backend that requests are handed on to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Upstream {
    /// Name by which routes call it. Required, and different from the others.
    #[schemars(example = &"portal")]
    pub name: Option<String>,
    /// Where it listens: `http://` or `https://`, host and port; or `unix:` and the path of a
    /// socket. Required, unless `servers` are given.
    ///
    /// With plain HTTP, keep it on loopback or on a network that only the gateway reaches. A name
    /// with several addresses is several servers, which share the requests.
    #[schemars(example = &"http://127.0.0.1:3000")]
    pub url: Option<String>,
    /// Whether it takes `/Tax` and `/tax` for the same, as Express does, and servers on Windows.
    ///
    /// The paths of routes that lead to it are then compared without case. A request that it would
    /// take for one of a place that no route leads to it from is denied.
    pub ignores_case: bool,
    /// Which HTTP is spoken to it.
    pub protocol: Protocol,
    /// PEM file with the authorities that may vouch for its servers.
    #[schemars(example = &"tls/internal-authority.pem")]
    pub tls_ca_file: Option<PathBuf>,
    /// Whether the authorities of this system may vouch for its servers.
    ///
    /// Left out, they may unless `tls_ca_file` is given.
    #[schemars(example = false)]
    pub tls_system_roots: Option<bool>,
    /// Name that the servers' certificates are for, when it is not the host of the address.
    #[schemars(example = &"portal.internal")]
    pub tls_server_name: Option<String>,
    /// PEM file with the certificate that is shown to its servers. Goes with `tls_client_key`.
    #[schemars(example = &"tls/gateway.pem")]
    pub tls_client_certificate: Option<PathBuf>,
    /// PEM file with the private key of `tls_client_certificate`.
    #[schemars(example = &"tls/gateway.key")]
    pub tls_client_key: Option<PathBuf>,
    /// Time that connecting may take, TLS included.
    pub connect_timeout: HumanDuration,
    /// Time until the head of its answer must be there.
    pub response_timeout: HumanDuration,
    /// Time that may pass between two pieces of a body, either way.
    pub idle_timeout: HumanDuration,
    /// Time that an idle connection is kept. Less than the servers keep it, or requests meet
    /// connections that are just being closed.
    pub keep_alive: HumanDuration,
    /// Idle connections that each worker keeps to each server.
    pub max_idle_connections: usize,
    /// Requests that may be under way at the same time, of all workers to all servers.
    ///
    /// A stream of events counts as long as it is open, a WebSocket until it is.
    pub max_requests: usize,
    /// Requests that one client may have under way: a session, or a network (`limits.ipv4_prefix`)
    /// of those who are not signed in. More are answered with 429. 0 is an eighth of
    /// `max_requests`, but at least 128.
    ///
    /// An eighth of `max_requests` and of `max_pending` is kept for citizens who are signed in.
    pub max_requests_per_client: usize,
    /// Requests that may wait for their turn when `max_requests` are under way. More are answered
    /// with 503 at once.
    pub max_pending: usize,
    /// Time that a request may wait for its turn. After it the answer is 503.
    pub pending_timeout: HumanDuration,
    /// Requests in a row that a server may fail before it gets no more for a while; 0 is any
    /// number. The only server of an upstream always gets them.
    ///
    /// To fail is to give no connection, to break it off, or not to answer in time.
    pub max_fails: u32,
    /// Time that a server gets no requests after `max_fails` failures, which must lie within as
    /// long. Each time again it is twice as long, up to 32 times. Then one request tries it.
    pub fail_timeout: HumanDuration,
    /// Time in which a server that is new or came back grows from a tenth of its share to all of
    /// it; `"0s"` is at once.
    pub slow_start: HumanDuration,
    /// Time after which the names of servers are resolved again.
    pub dns_refresh: HumanDuration,
    /// How its servers are asked how they are.
    pub health: Health,
    /// A server, in place of `url`. Repeat the block for each.
    pub servers: Vec<UpstreamServer>,
}

impl Default for Upstream {
    /// What an upstream is like of which nothing is said.
    fn default() -> Self {
        let Settings {
            name: _,
            servers: _,
            tls: _,
            protocol,
            timeouts,
            pool,
            limits,
            passive,
            health: _,
            slow_start,
            dns_refresh,
        } = Settings::new("", Vec::new());
        Self {
            name: None,
            url: None,
            ignores_case: false,
            protocol: match protocol {
                upstream::Protocol::Http1 => Protocol::Http1,
                upstream::Protocol::Http2 => Protocol::Http2,
                upstream::Protocol::Auto => Protocol::Auto,
            },
            tls_ca_file: None,
            tls_system_roots: None,
            tls_server_name: None,
            tls_client_certificate: None,
            tls_client_key: None,
            connect_timeout: timeouts.connect.into(),
            response_timeout: timeouts.response.into(),
            idle_timeout: timeouts.idle.into(),
            keep_alive: pool.keep_alive.into(),
            max_idle_connections: pool.max_idle,
            max_requests: limits.max_requests,
            max_requests_per_client: limits.max_requests_per_client,
            max_pending: limits.max_pending,
            pending_timeout: limits.pending_timeout.into(),
            max_fails: passive.max_fails,
            fail_timeout: passive.fail_timeout.into(),
            slow_start: slow_start.into(),
            dns_refresh: dns_refresh.into(),
            health: Health::default(),
            servers: Vec::new(),
        }
    }
}

/// Which HTTP an upstream is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, without TLS too. What gRPC needs.
    Http2,
    /// HTTP/2 if the server agrees to it in TLS, otherwise HTTP/1.1.
    Auto,
}

/// One of several servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct UpstreamServer {
    /// Where it listens, written like `url`. Required. All have `http://`, or all `https://`.
    #[schemars(example = &"http://10.0.0.1:3000")]
    pub address: Option<String>,
    /// Its share of the requests against that of the others, from 1 to 1000.
    pub weight: u16,
}

impl Default for UpstreamServer {
    fn default() -> Self {
        Self { address: None, weight: 1 }
    }
}

/// How servers are asked how they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Health {
    /// Path that is asked for. Left out, servers are not asked.
    ///
    /// When every server says that it is not well, requests are answered with 503 at once.
    #[schemars(example = &"/health")]
    pub path: Option<String>,
    /// The `Host` of the question. Left out, it is the server's own address.
    #[schemars(example = &"portal.example.gov.pl")]
    pub host: Option<String>,
    /// Time between two questions.
    pub interval: HumanDuration,
    /// Time that an answer may take. Not more than `interval`.
    pub timeout: HumanDuration,
    /// Good answers in a row that bring a server back.
    pub healthy: u32,
    /// Bad answers in a row that take a server out.
    pub unhealthy: u32,
    /// Statuses of good answers. Left out, every 2xx is good.
    #[schemars(example = vec![200_u16, 204])]
    pub statuses: Vec<u16>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            path: None,
            host: None,
            interval: HumanDuration::from_secs(5),
            timeout: HumanDuration::from_secs(2),
            healthy: 2,
            unhealthy: 3,
            statuses: Vec::new(),
        }
    }
}
