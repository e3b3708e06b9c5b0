//! `[listen]` and `[operations]`

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Acme, HumanDuration, HumanSize, Network};
use crate::app::settings::BACKLOG;
use crate::config::field_order::keep_order;
use crate::request::headers::forwarded;
use crate::server::listener::Limits;
use crate::server::tls;

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
    /// File of a unix socket for plain HTTP, for a proxy on the same machine.
    #[schemars(example = &"/run/brama/brama.sock")]
    pub unix: Option<PathBuf>,
    /// Users who may connect to the unix socket: the mode of its file.
    pub unix_mode: String,
    /// Address and port of a plain listener that sends every client to https, and does nothing
    /// else.
    #[schemars(example = &"0.0.0.0:80")]
    pub redirect: Option<SocketAddr>,
    /// PEM file with the certificate for citizens, followed by its intermediates.
    ///
    /// It is read again when it changes, and so are the files of `key` and `ocsp_staple`. A client
    /// that names no host, or one that no certificate is for, gets this one.
    #[schemars(example = &"tls/portal.pem")]
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key of `certificate`.
    #[schemars(example = &"tls/portal.key")]
    pub key: Option<PathBuf>,
    /// DER file with the OCSP response for `certificate`, for clients that want it stapled.
    ///
    /// The program that fetches it must write it whole, before the old one ends.
    #[schemars(example = &"tls/portal.ocsp")]
    pub ocsp_staple: Option<PathBuf>,
    /// Oldest version of TLS that is spoken.
    pub tls_minimum: TlsVersion,
    /// Whether HTTP/2 is spoken.
    pub http2: bool,
    /// How long browsers shall insist on https for the portal (HSTS), such as `"365d"`.
    ///
    /// It is hard to take back: try `"1h"` first. `"0s"` says nothing to browsers, for instance
    /// because the portal does it itself.
    #[schemars(example = &"365d")]
    pub hsts: Option<HumanDuration>,
    /// Networks of proxies that send a PROXY protocol header (version 1 or 2) on each connection.
    ///
    /// From these a connection without the header is refused. From others the header is: no other
    /// peer can claim an address.
    #[schemars(example = &["10.1.2.0/24"])]
    pub proxy_protocol_from: Vec<Network>,
    /// Networks of proxies whose `Forwarded` and `X-Forwarded-*` headers are believed, for what
    /// `trusted_for` names.
    ///
    /// Name the proxies themselves and nothing else: a peer that is listed can claim any address.
    /// They must clear what they do not write themselves of their clients' headers, `Forwarded`
    /// above all (nginx: `proxy_set_header Forwarded "";`), and pass on as `Host` the very host by
    /// which they decided (nginx: `$host`, not `$http_host`).
    #[schemars(example = &["10.1.2.0/24"])]
    pub trusted_proxies: Vec<Network>,
    /// What the headers of these proxies are believed for: `"address"` (`X-Forwarded-For`, `for=`
    /// of `Forwarded`), `"scheme"` (`X-Forwarded-Proto`, `proto=`), `"host"` (`X-Forwarded-Host`,
    /// `host=`), `"request_id"` (`X-Request-Id`), `"trace"` (`traceparent`, `tracestate`).
    ///
    /// Name only what all of them write themselves on every request. The host above all: it decides
    /// which routes hold, and a proxy that does not write `X-Forwarded-Host` passes that of its
    /// client on, who so reaches a host that the proxy would have denied. It is needed only when
    /// the proxy changes `Host`.
    pub trusted_for: Vec<Believed>,
    /// Number of workers; 0 is one for each core that the program may use.
    pub workers: usize,
    /// Connections that may wait in the kernel for a worker; `net.core.somaxconn` bounds it too.
    pub backlog: u32,
    /// Connections that may be open at once; more wait to be accepted.
    pub max_connections: usize,
    /// Connections that one client may have open: an IPv4 address, or a /64 of IPv6. 0 is any
    /// number.
    ///
    /// Offices and mobile networks share an address among many. Proxies that are listed above are
    /// not counted.
    pub max_connections_per_address: usize,
    /// Time that a TLS handshake may take, with the PROXY header before it.
    pub handshake_timeout: HumanDuration,
    /// Time a client has to send the head of a request.
    ///
    /// Keep it short: slow heads are the cheapest way to occupy a server.
    pub header_timeout: HumanDuration,
    /// Time that a connection may stay open between two requests.
    ///
    /// A balancer in front should keep its connections for less, or it will now and then use one
    /// that is just being closed.
    pub idle_timeout: HumanDuration,
    /// Time that a client may leave a body unsent or an answer unread.
    pub stall_timeout: HumanDuration,
    /// Bytes a second that a client must send of a body, or read of an answer, on the whole and
    /// only while it is waited for; the first 10 s are free. 0 is any rate.
    ///
    /// It is what ends clients that send a byte now and then only to hold what a request holds. The
    /// body of a gRPC request, a stream of messages, may be as slow as `stall_timeout` lets it.
    pub min_body_rate: u32,
    /// Time between "not ready" and the end of accepting, when the program is asked to stop.
    ///
    /// A balancer that asks for `/readyz` needs it to take the instance out; in Kubernetes `"5s"`
    /// saves the `preStop` that sleeps. `"0s"` suits systemd.
    pub drain_delay: HumanDuration,
    /// Time that running requests get to end when the program is asked to stop.
    pub drain_timeout: HumanDuration,
    /// Size that the head of a request may have: its line and its header fields.
    pub max_header: HumanSize,
    /// Number of header fields that a request may have.
    pub max_header_fields: usize,
    /// Size that the target of a request may have: path and query.
    pub max_target: HumanSize,
    /// Size that the body of a request may have. A route can say otherwise.
    ///
    /// Bodies are streamed and never kept, so this protects the portal, not the gateway.
    pub max_body: HumanSize,
    /// Requests that may be open at once on one HTTP/2 connection.
    pub http2_max_streams: u32,
    /// Requests that an HTTP/2 client may take back at once before it is cut off ("rapid reset").
    pub http2_max_resets: usize,
    /// Errors that an HTTP/2 client may make before it is cut off.
    pub http2_max_local_resets: usize,
    /// One more certificate, for other names or with another kind of key. Repeat the block for
    /// each.
    ///
    /// A client gets the certificate for the host that it names. Of two for the same name it gets
    /// ECDSA if it understands that, and else RSA.
    pub certificates: Vec<Certificate>,
    /// Certificates from an authority that issues them by itself (ACME), such as Let's Encrypt.
    pub acme: Acme,
}

impl Default for Listen {
    /// What the listeners do without a file.
    fn default() -> Self {
        let Limits {
            connections,
            connections_per_address,
            handshake_timeout,
            header_timeout,
            idle_timeout,
            stall_timeout,
            min_body_rate,
            drain_delay,
            drain_timeout,
            header_bytes,
            header_fields,
            target_bytes,
            body_bytes,
            http2,
            http2_streams,
            http2_resets,
            http2_local_resets,
        } = Limits::default();
        let size = |bytes: usize| HumanSize::from_bytes(bytes as u64);
        Self {
            http: None,
            https: None,
            unix: None,
            unix_mode: "0660".to_owned(),
            redirect: None,
            certificate: None,
            key: None,
            ocsp_staple: None,
            tls_minimum: match tls::Options::default().minimum {
                tls::Version::Tls12 => TlsVersion::Tls12,
                tls::Version::Tls13 => TlsVersion::Tls13,
            },
            http2,
            hsts: None,
            proxy_protocol_from: Vec::new(),
            trusted_proxies: Vec::new(),
            trusted_for: believed(),
            workers: 0,
            backlog: BACKLOG,
            max_connections: connections,
            max_connections_per_address: connections_per_address,
            handshake_timeout: handshake_timeout.into(),
            header_timeout: header_timeout.into(),
            idle_timeout: idle_timeout.into(),
            stall_timeout: stall_timeout.into(),
            min_body_rate,
            drain_delay: drain_delay.into(),
            drain_timeout: drain_timeout.into(),
            max_header: size(header_bytes),
            max_header_fields: header_fields,
            max_target: size(target_bytes),
            max_body: HumanSize::from_bytes(body_bytes),
            http2_max_streams: http2_streams,
            http2_max_resets: http2_resets,
            http2_max_local_resets: http2_local_resets,
            certificates: Vec::new(),
            acme: Acme::default(),
        }
    }
}

/// What proxies are believed for that are listed.
fn believed() -> Vec<Believed> {
    let forwarded::Believed { address, scheme, host, request_id, trace } = Default::default();
    let all = [
        (Believed::Address, address),
        (Believed::Scheme, scheme),
        (Believed::Host, host),
        (Believed::RequestId, request_id),
        (Believed::Trace, trace),
    ];
    all.into_iter().filter(|(_, is_believed)| *is_believed).map(|(what, _)| what).collect()
}

/// A further certificate for citizens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Certificate {
    /// PEM file with the certificate, followed by its intermediates. Required.
    #[schemars(example = &"tls/other.pem")]
    pub certificate: Option<PathBuf>,
    /// PEM file with its private key. Required.
    #[schemars(example = &"tls/other.key")]
    pub key: Option<PathBuf>,
    /// DER file with the OCSP response for it.
    #[schemars(example = &"tls/other.ocsp")]
    pub ocsp_staple: Option<PathBuf>,
}

/// What a proxy in front can be believed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Believed {
    /// The address of the client.
    Address,
    /// Whether the client spoke TLS.
    Scheme,
    /// The host that the client asked for.
    Host,
    /// The number of the request.
    RequestId,
    /// The trace that the request belongs to (`traceparent`).
    Trace,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TlsVersion {
    /// For every browser of the last ten years.
    #[serde(rename = "1.2")]
    Tls12,
    /// For those of the last five.
    #[serde(rename = "1.3")]
    Tls13,
}

/// What operators ask: health and readiness, metrics, sessions, keys, the level of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Operations {
    /// Address and port for `/livez`, `/readyz`, `/startupz`, `/metrics` and what operators ask, in
    /// plain HTTP unless `certificate` and `key` are given.
    ///
    /// Loopback by default. In a container, bind it to the pod's address and keep it out of
    /// reach of citizens.
    pub listen: SocketAddr,
    /// Names by which this listener is asked for all but health, such as that of a
    /// Service in Kubernetes. By an address of IP, and as `localhost`, it can be asked always.
    ///
    /// Any other name could be that of a foreign page whose name leads here (DNS rebinding).
    #[schemars(example = vec!["brama-operations.portal.svc"])]
    pub hosts: Vec<String>,
    /// PEM file with the certificate of this listener, which speaks TLS then. It is read again when it
    /// changes. Our own commands take this certificate and no other.
    #[schemars(example = &"operations/tls.pem")]
    pub certificate: Option<PathBuf>,
    /// PEM file with its private key.
    #[schemars(example = &"operations/tls.key")]
    pub key: Option<PathBuf>,
    /// PEM file with the authorities of the certificates that operators may show in place of a token
    /// (`certificate_name`). Give one that issues for operators only; others need a new process.
    #[schemars(example = &"operations/operators-ca.pem")]
    pub client_ca_file: Option<PathBuf>,
    /// File with the token of the operator `admin`, at least 32 characters: for listing and ending
    /// sessions, for keys, the level of the log and the status page. Without it and `operators`,
    /// that cannot be done. `brama sessions` and its like read the same file. It is read again when
    /// it changes.
    #[schemars(example = &"operations/token")]
    pub admin_token_file: Option<PathBuf>,
    /// An operator with a name and a token of their own: the name stands in the log beside what was
    /// done. Repeat the block for each.
    pub operators: Vec<Operator>,
    /// What `/readyz` needs, beside a gateway that has started and was not told to stop: `store`
    /// (away for longer than `session.grace`), `certificates` (none for citizens is valid), `keys`
    /// (those of identities are not the ones that replicas share), `audit` (the audit log cannot be
    /// written, and no login begins for that, or there is hardly room for more records).
    ///
    /// Nothing by default. Replicas share their store and their certificate: with these here, a fault
    /// of one of them takes all replicas out at once, with every public page and with the pages that
    /// say to citizens what is wrong. Never the node or the portal, for the same reason.
    #[schemars(example = vec!["store"])]
    pub ready_needs: Vec<ReadyNeed>,
    /// For how long the history of each login is kept, which `brama why` tells: 90 days at most,
    /// `"0s"` keeps none.
    ///
    /// It names no person. Histories are kept where sessions are: those in memory end with the
    /// process. The oldest make room for others, network by network.
    pub login_history: HumanDuration,
}

/// A part that readiness may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReadyNeed {
    /// Where sessions are kept.
    Store,
    /// A certificate for citizens that is valid.
    Certificates,
    /// The keys of identities.
    Keys,
    /// The audit log.
    Audit,
}

/// An operator of the operations listener.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Operator {
    /// Who it is: at most 64 letters of ASCII, digits, `.`, `-`, `_` and `@`. `admin` is whoever has
    /// the token of `admin_token_file`. Required.
    #[schemars(example = &"anna.nowak")]
    pub name: Option<String>,
    /// File with the token, at least 32 characters that were drawn at random, of nobody else.
    #[schemars(example = &"operations/anna.nowak")]
    pub token_file: Option<PathBuf>,
    /// A name in the client certificate that they show in place of a token, or beside it, as it stands in
    /// its subject alternative names: with `:` a URI, otherwise with `@` an e-mail address, otherwise a
    /// DNS name.
    #[schemars(example = &"anna.nowak@office.example")]
    pub certificate_name: Option<String>,
    /// What they may do: `"read"` to look, `"write"` to end sessions, change keys and the level of
    /// the log, have answers of the node captured, and find out whose a session is.
    pub role: OperatorRole,
}

/// What an operator may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperatorRole {
    /// Look.
    #[default]
    Read,
    /// Change as well.
    Write,
}

impl Default for Operations {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 9480));
        Self {
            listen,
            hosts: Vec::new(),
            certificate: None,
            key: None,
            client_ca_file: None,
            admin_token_file: None,
            operators: Vec::new(),
            ready_needs: Vec::new(),
            login_history: HumanDuration::from_secs(3 * 24 * 60 * 60),
        }
    }
}
