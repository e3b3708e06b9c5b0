//! HTTP at the gateway's doors: what a request is, where it goes, what is answered.
//!
//! [`stack`] is the way of every request, in one function. [`answer`] is the only file in which an
//! error becomes a status and a page.

pub mod account;
pub mod action;
pub mod admin;
pub mod answer;
pub mod cookie;
pub mod decide;
pub mod demand;
pub mod destination;
pub mod endpoints;
pub mod exchange;
pub mod forms;
pub mod forwarded;
pub mod host;
pub mod hygiene;
pub mod identity;
pub mod lasting;
pub mod limits;
pub mod networks;
pub mod operations;
pub mod passed;
pub mod path;
pub mod portals;
pub mod rules;
pub mod service;
pub mod stack;
pub mod stop;
pub mod visitor;

use std::sync::{Arc, RwLock};
use std::time::Duration;

use http::HeaderValue;

use self::limits::Limits;
use self::rules::{CurrentRules, Rules};
use crate::base::clock::SharedClock;
use crate::base::network::Network;
use crate::flow::Flows;
use crate::flow::return_to::ReturnTo;
use crate::gate::requirement::Demand;
use crate::identity::keyring::KeyRing;
use crate::identity::token::{Minter, Tokens};
use crate::observe::access::AccessLog;
use crate::observe::metrics::{Answers, Doors};
use crate::pages::Language;
use crate::proxy::upstream::Group;
use crate::proxy::{self, Proxy, Upstreams};
use crate::session::recent::RecentSessions;
use crate::wire::head::Bounds;

/// What the doors know of the portal.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name that citizens know.
    pub portal_name: String,
    /// Scheme, host and port of the registered host, without a slash at the end.
    pub origin: String,
    /// Portals on other hosts where citizens can sign in too.
    pub others: Vec<portals::OtherPortal>,
    /// The prefix of our own places, with slashes around.
    pub prefix: String,
    /// The path of the assertion consumer service.
    pub acs_path: String,
    /// What the ribbon on every page says when this is not production.
    pub test_environment: Option<String>,
    /// The names of our cookies.
    pub cookies: cookie::Cookies,
    /// What stands between browsers and us.
    pub edge: Edge,
    /// How work on the portal is told.
    pub maintenance: Maintenance,
    /// How often one network may try to sign in.
    pub limits: limits::Settings,
    /// What is told while nobody can sign in; `None` when everybody can.
    pub outage: Option<Outage>,
}

impl Settings {
    /// Tells whether a path, as it came, may be one of our own places: a handle may stand in its query.
    #[must_use]
    pub fn may_be_ours(&self, path: &str) -> bool {
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        path.starts_with(&*self.prefix) || path == self.acs_path
    }

    /// Returns the address at which a login begins that brings what is demanded.
    #[must_use]
    pub fn login_link(&self, return_to: &ReturnTo, demand: Demand) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("return_to", return_to.as_str());
        query.append_pair("assurance", demand.assurance.name());
        if let Some(age) = demand.max_age {
            query.append_pair("max_age", &age.as_secs().to_string());
        }
        format!("{}login?{}", self.prefix, query.finish())
    }
}

/// What stands between browsers and us, and what is told of it.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Proxies in front whose word on the client is taken.
    pub trusted: networks::Networks,
    /// For what it is taken.
    pub believed: forwarded::Believed,
    /// Whether upstreams get the header `Forwarded` (RFC 7239) too.
    pub sends_forwarded: bool,
    /// The value of `Strict-Transport-Security`, when it is wanted.
    pub hsts: Option<HeaderValue>,
    /// The most bytes that the body of a request may have, unless its route says otherwise.
    pub max_body: u64,
    /// The bounds of a head, for requests of HTTP/2 too.
    pub bounds: Bounds,
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            trusted: networks::Networks::default(),
            believed: forwarded::Believed::default(),
            sends_forwarded: false,
            hsts: None,
            max_body: 64 * 1024 * 1024,
            bounds: Bounds::default(),
        }
    }
}

/// How work on the portal is told.
#[derive(Debug, Clone)]
pub struct Maintenance {
    /// When to come back.
    pub retry_after: HeaderValue,
    /// Who may pass meanwhile.
    pub allow: networks::Networks,
}

impl Default for Maintenance {
    fn default() -> Self {
        Self { retry_after: HeaderValue::from_static("600"), allow: networks::Networks::default() }
    }
}

/// An outage of the node, as the operator tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// When to come back.
    pub retry_after: Duration,
    /// What happened, in Polish; `None` leaves it to us.
    pub polish: Option<String>,
    /// The same in English.
    pub english: Option<String>,
}

impl Outage {
    /// Returns what the operator says in a language.
    #[must_use]
    pub fn said(&self, language: Language) -> Option<&str> {
        match language {
            Language::Polish => self.polish.as_deref(),
            Language::English => self.english.as_deref(),
        }
    }
}

/// What all workers share. A new configuration makes a new one.
pub struct Shared {
    /// What the configuration says of the portal.
    pub settings: Settings,
    /// By what requests are judged.
    pub rules: Arc<Rules>,
    /// The rules of the moment, for what lasts.
    pub current: Arc<CurrentRules>,
    /// Login and logout.
    pub flows: Arc<Flows>,
    /// The signed identities.
    pub minter: Arc<Minter>,
    /// The keys of the signed identities.
    pub ring: Arc<RwLock<KeyRing>>,
    /// How often networks tried to sign in.
    pub limits: Arc<Limits>,
    /// Where each request is noted.
    pub access: Arc<AccessLog>,
    /// What is counted for whoever watches.
    pub counts: Arc<Doors>,
    /// The time.
    pub clock: SharedClock,
}

/// The gateway, as one worker has it: everything that a request may need.
pub struct Worker {
    /// What all workers share.
    pub shared: Arc<Shared>,
    /// The portals behind, with this worker's connections.
    pub proxy: Proxy,
    /// The sessions that this worker found last.
    pub recent: RecentSessions,
    /// The signed identities that this worker handed out last.
    pub tokens: Tokens,
    /// The answers of this worker.
    pub answers: Arc<Answers>,
}

impl Worker {
    /// Makes the gateway of a worker that has no connections yet.
    #[must_use]
    pub fn new(shared: &Arc<Shared>, groups: &[Arc<Group>]) -> Self {
        Self::with(Arc::clone(shared), Upstreams::new(groups), Arc::default())
    }

    /// Goes on by what is shared from now on. The worker keeps its connections to upstreams that stay,
    /// and what it counted.
    #[must_use]
    pub fn renewed(&self, shared: &Arc<Shared>, groups: &[Arc<Group>]) -> Self {
        let upstreams = self.proxy.upstreams.with_groups(groups);
        Self::with(Arc::clone(shared), upstreams, Arc::clone(&self.answers))
    }

    fn with(shared: Arc<Shared>, upstreams: Upstreams, answers: Arc<Answers>) -> Self {
        let edge = &shared.settings.edge;
        let settings = proxy::Settings {
            cookies: shared.settings.cookies,
            max_body: edge.max_body,
            sends_forwarded: edge.sends_forwarded,
        };
        Self {
            proxy: Proxy {
                upstreams,
                settings,
                rules: Arc::clone(&shared.rules),
                current: Arc::clone(&shared.current),
                access: Arc::clone(&shared.access),
            },
            recent: RecentSessions::new(shared.flows.session_settings.idle),
            tokens: Tokens::new(Arc::clone(&shared.minter)),
            answers,
            shared,
        }
    }

    /// Returns the network that a request comes from, by which all that is scarce is shared out.
    #[must_use]
    pub fn network(&self, exchange: &exchange::Exchange) -> Network {
        self.shared.limits.network(exchange.client.address)
    }
}
