//! The settings of the whole program: one part per module, none of which can be wrong.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::{acme, watch};
use crate::audit::{self, keys::PersonKey};
use crate::base::encoding::sha256;
use crate::companion::Askers;
use crate::companion::front::Front;
use crate::gate::policy::Route;
use crate::identity::claims::PairwiseSecret;
use crate::identity::signing_key::SigningKey;
use crate::identity::ways::Ways;
use crate::observe::{self, access, traces};
use crate::operations::operators::Operator;
use crate::request::headers::forwarded::Believed;
use crate::server::certificates::Certificates;
use crate::server::handover::Inherited;
use crate::server::listener::Socket;
use crate::store::seal::Sealer;
use crate::{flow, gateway, proxy, server, session};

/// Everything that a gateway is told.
pub struct Settings {
    /// What the doors know of the portal.
    pub gateway: gateway::Settings,
    /// Addresses, TLS and bounds of the listeners.
    pub listen: Listen,
    /// What a login needs.
    pub flows: flow::Settings,
    /// Where the node is.
    pub node: flow::node::Settings,
    /// How the node's TLS is verified, and our client certificate.
    pub node_tls: rustls::ClientConfig,
    /// How long sessions last.
    pub session: session::Settings,
    /// Where records are kept.
    pub store: Store,
    /// Which requests go to which upstream, and what a client needs for them.
    pub routes: Vec<Route>,
    /// Groups of servers that routes lead to, by name.
    pub upstreams: Vec<proxy::upstream::Settings>,
    /// How long a signed identity lives.
    pub token_lifetime: Duration,
    /// What the ways are called in which citizens identify.
    pub ways: Ways,
    /// How long a key signs identities.
    pub key_rotation: Duration,
    /// Keys of the operator's own that sign identities in their turn.
    pub signing_keys: Vec<SigningKey>,
    /// The secret behind the pseudonyms, when it is given.
    pub pairwise_secret: Option<PairwiseSecret>,
    /// Who may ask the operations listener for what is not for everybody; nobody without.
    pub operators: Vec<Operator>,
    /// Where keys are kept between runs.
    pub state_directory: Option<PathBuf>,
    /// Format and level of the program's log, and the access log.
    pub log: Log,
    /// The audit log, where there is one.
    pub audit: Option<Audit>,
    /// How requests belong to traces.
    pub traces: traces::Settings,
    /// Certificates whose dates are watched, what readiness needs, and when an alarm begins.
    pub watch: watch::Settings,
    /// What cannot change while the program runs.
    pub fixed: Fixed,
}

/// The audit log.
#[derive(Debug)]
pub struct Audit {
    /// Where records go, and how surely.
    pub settings: audit::Settings,
    /// The keys of pseudonyms, when they are given; otherwise one is kept in the state folder.
    pub persons: Vec<PersonKey>,
}

/// Where records are kept, and how they are sealed.
#[derive(Debug, Default)]
pub struct Store {
    /// Memory, file or Redis.
    pub kind: StoreKind,
    /// What seals them, when its secrets are given; otherwise one is made and kept in the state
    /// folder or beside the file.
    pub sealer: Option<Sealer>,
}

impl Store {
    /// Tells whether replicas share it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.kind, StoreKind::Redis(_))
    }
}

/// A store for records.
#[derive(Debug, Default)]
pub enum StoreKind {
    /// The memory of this process.
    #[default]
    Memory,
    /// A file that one process at a time holds.
    File {
        /// Path of the file, resolved against the folder of the configuration.
        path: PathBuf,
        /// How long it may become.
        maximum_bytes: u64,
    },
    /// Servers of Redis or Valkey, which replicas share.
    Redis(Box<crate::store::redis::settings::Settings>),
}

impl StoreKind {
    /// Returns its name in metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::File { .. } => "file",
            Self::Redis(_) => "redis",
        }
    }
}

/// Keys of the configuration that cannot change while the program runs, with what they say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fixed(Vec<(&'static str, String)>, Vec<(&'static str, Option<[u8; 32]>)>);

impl Fixed {
    /// Notes what a key says.
    pub fn note(&mut self, key: &'static str, value: impl std::fmt::Debug) {
        self.0.push((key, format!("{value:?}")));
    }

    /// Notes what the file of a key holds: its name may be the same, and what is in it another.
    pub fn note_content(&mut self, key: &'static str, content: Option<&[u8]>) {
        self.1.push((key, content.map(sha256)));
    }

    /// Returns the keys that say something else in another configuration, and those whose files hold
    /// something else.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        fn differ<T: PartialEq>(
            one: &[(&'static str, T)],
            other: &[(&'static str, T)],
        ) -> Vec<&'static str> {
            let said = |key: &str| other.iter().find(|(k, _)| *k == key).map(|(_, value)| value);
            one.iter().filter(|(k, value)| said(k) != Some(value)).map(|(key, _)| *key).collect()
        }
        let mut keys = differ(&self.0, &other.0);
        for key in differ(&self.1, &other.1) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }
}

/// Where the gateway listens.
pub struct Listen {
    /// Plain HTTP, also behind a proxy that ends TLS; `None` when it is not configured.
    pub http: Option<Socket>,
    /// HTTP over TLS; `None` when it is not configured.
    pub https: Option<Https>,
    /// Plain HTTP on a unix socket.
    pub unix: Option<Socket>,
    /// Plain HTTP that sends every client to https.
    pub redirect: Option<Socket>,
    /// The operations listener: health, readiness, metrics and sessions.
    pub operations: Socket,
    /// The names of hosts under which operators ask, beside addresses and `localhost`.
    pub operations_hosts: Vec<String>,
    /// How TLS is spoken to operators, if it is.
    pub operations_tls: Option<OperationsTls>,
    /// How long browsers shall insist on https.
    pub hsts: Option<Duration>,
    /// Networks of proxies whose connections begin with a PROXY protocol header.
    pub proxy_protocol_from: Vec<IpNet>,
    /// Networks of proxies whose forwarded headers are believed, for what `trusted_for` names.
    pub trusted_proxies: Vec<IpNet>,
    /// What their word is believed for.
    pub trusted_for: Believed,
    /// Where other proxies ask.
    pub companions: Vec<Companion>,
    /// The number of workers; zero is one for each core.
    pub workers: usize,
    /// How many connections may wait for a worker.
    pub backlog: u32,
    /// The bounds of all listeners.
    pub limits: server::listener::Limits,
}

/// A listener at which another proxy asks.
pub struct Companion {
    /// The kind of proxy.
    pub front: Front,
    /// The address that is listened on.
    pub socket: Socket,
    /// Who may ask.
    pub askers: Askers,
    /// How TLS is spoken, if it is.
    pub tls: Option<CompanionTls>,
}

/// TLS towards proxies that ask.
pub struct CompanionTls {
    /// The certificate, which is read again when it changes.
    pub certificates: Arc<Certificates>,
    /// The authorities of the certificates that a proxy must show, in PEM; none is asked for
    /// without.
    pub authorities: Option<Vec<u8>>,
}

/// TLS towards operators.
pub struct OperationsTls {
    /// The certificate, which is read again when it changes.
    pub certificates: Arc<Certificates>,
    /// The file that it is in: our own commands take this one alone.
    pub file: PathBuf,
    /// The authorities of the certificates that operators may show, in PEM; none is asked for without.
    pub authorities: Option<Vec<u8>>,
}

/// How many connections may wait for a worker, unless something else is said.
pub const BACKLOG: u32 = 4096;

/// A listener with TLS.
pub struct Https {
    /// The address that is listened on.
    pub socket: Socket,
    /// The certificates, which are read again when they change.
    pub certificates: Arc<Certificates>,
    /// How TLS is spoken.
    pub options: server::tls::Options,
    /// The authority at which a certificate is ordered, if that is so.
    pub acme: Option<acme::Settings>,
}

impl Listen {
    /// Uses sockets that were passed to this process in place of the addresses that are given.
    ///
    /// Only what the settings ask for is taken: they say what a socket is for, and TLS needs
    /// certificates.
    pub fn inherit(&mut self, inherited: &mut Inherited) {
        for (name, socket) in [
            ("http", self.http.as_mut()),
            ("https", self.https.as_mut().map(|https| &mut https.socket)),
            ("unix", self.unix.as_mut()),
            ("redirect", self.redirect.as_mut()),
            ("operations", Some(&mut self.operations)),
        ] {
            if let Some(socket) = socket
                && let Some(passed) = inherited.take(name)
            {
                *socket = passed;
            }
        }
        for companion in &mut self.companions {
            if let Some(passed) = inherited.take(companion.front.listener()) {
                companion.socket = passed;
            }
        }
    }

    /// Listens in plain HTTP only, trusts no proxy and has the default bounds.
    #[must_use]
    pub fn plain(http: Socket, operations: Socket) -> Self {
        Self {
            http: Some(http),
            https: None,
            unix: None,
            redirect: None,
            operations,
            operations_hosts: Vec::new(),
            operations_tls: None,
            hsts: None,
            proxy_protocol_from: Vec::new(),
            trusted_proxies: Vec::new(),
            trusted_for: Believed::default(),
            companions: Vec::new(),
            workers: 0,
            backlog: BACKLOG,
            limits: server::listener::Limits::default(),
        }
    }
}

/// How the program logs.
#[derive(Debug, Clone)]
pub struct Log {
    /// One JSON object a line instead of text for people.
    pub json: bool,
    /// What is written.
    pub level: observe::Level,
    /// How each request is noted.
    pub access: access::Settings,
}
