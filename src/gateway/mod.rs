//! What the gateway does with a request: from its first byte to its response.
//!
//! 1. [`stack`] is the way of every request, in one function.
//! 2. [`decide`] is what every door does before a response: host, path, own endpoint, session,
//!    gate. [`visitor`] leads from a cookie to a session.
//! 3. A request that passes gets its signed [`identity`] and goes on by [`crate::proxy`]. One that
//!    does not is answered by [`denial`]. Our own [`endpoints`] sign citizens in and out.
//! 4. [`failure`] is where an error of a lower floor gets its status, and [`failure_response`]
//!    where every failure becomes a page or JSON, or what a client of [`grpc`] reads.

pub mod action;
pub mod asked_from;
pub mod authn_requirement;
pub mod challenge;
pub mod decide;
pub mod denial;
pub mod destination;
pub mod endpoints;
pub mod failure;
pub mod failure_response;
pub mod forms;
pub mod grpc;
pub mod handoff;
pub mod handshake;
pub mod history;
pub mod identity;
mod landing;
pub mod limits;
pub mod login;
pub mod portal_cookies;
pub mod portals;
pub mod ports;
mod refused;
pub mod response;
pub mod settings;
pub mod stack;
pub mod visitor;

use std::sync::Arc;

use http::HeaderName;

use self::limits::Limits;
use self::ports::Ports;
pub use self::settings::Settings;
use crate::audit::AuditLog;
use crate::base::clock::SharedClock;
use crate::base::network::Network;
use crate::flow::Flows;
use crate::identity::forms::signature::takes_its_place;
use crate::identity::keys::SigningKeys;
use crate::identity::token::{Minter, Tokens};
use crate::observe::access::AccessLog;
use crate::observe::event::Event;
use crate::observe::events::Events;
use crate::observe::metrics::ResponseCounts;
use crate::observe::metrics::histogram::ByClass;
use crate::observe::seldom::Seldom;
use crate::observe::traces::{self, Tracer};
use crate::proxy::upstream::Group;
use crate::proxy::{self, Proxy, Upstreams};
use crate::request::context::RequestContext;
use crate::request::headers;
use crate::request::probes::Probes;
use crate::request::rules::{CurrentRules, Rules};
use crate::request::via::Via;
use crate::session::recent::RecentSessions;
use crate::wire::incoming::TrailerRule;

/// What all workers share. A new configuration makes a new one.
pub struct Shared {
    /// What the configuration says of the portal.
    pub settings: Settings,
    /// By what requests are judged.
    pub rules: Arc<Rules>,
    /// The rules of the moment, for what lasts.
    pub current: Arc<CurrentRules>,
    /// Logins, logouts and hand-offs to other hosts.
    pub flows: Arc<Flows>,
    /// Signs identity tokens, and keeps those that it made.
    pub minter: Arc<Minter>,
    /// The keys of the signed identities.
    pub keys: Arc<SigningKeys>,
    /// How often networks tried to sign in.
    pub limits: Arc<Limits>,
    /// Where each request is noted.
    pub access: Arc<AccessLog>,
    /// Who is told what happens: the log, the counts, and others.
    pub events: Arc<Events>,
    /// What is written down for years.
    pub audit: Arc<AuditLog>,
    /// Says to which trace a request belongs.
    pub traces: Arc<Tracer>,
    /// What is said of us in requests that go on.
    pub via: Arc<Via>,
    /// When it is told again that a client told an identity.
    pub identity_told_next: Arc<Seldom>,
    /// The ports at which we listen.
    pub ports: Arc<Ports>,
    /// Requests by which somebody sees how requests arrive.
    pub probes: Arc<Probes>,
    /// The clock of every decision and deadline.
    pub clock: SharedClock,
}

impl Shared {
    /// Tells what happened within a request, as part of its trace: also what comes of it when all that
    /// was done for it is over.
    pub fn tell(&self, context: &RequestContext, event: Event<'_>) {
        traces::at(context.trace.as_ref(), || {
            self.events.tell(self.clock.now(), Some(context.asked()), event);
        });
    }
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
    pub answers: Arc<ResponseCounts>,
    /// How long requests took that this worker answered itself.
    pub own: Arc<ByClass>,
}

impl Worker {
    /// Makes the gateway of a worker that has no connections yet.
    #[must_use]
    pub fn new(shared: &Arc<Shared>, groups: &[Arc<Group>]) -> Self {
        Self::with(Arc::clone(shared), Upstreams::new(groups), Default::default())
    }

    /// Goes on by what is shared from now on. The worker keeps its connections to upstreams that
    /// stay, and what it counted.
    #[must_use]
    pub fn renewed(&self, shared: &Arc<Shared>, groups: &[Arc<Group>]) -> Self {
        let upstreams = self.proxy.upstreams.with_groups(groups);
        let counted = (Arc::clone(&self.answers), Arc::clone(&self.own));
        Self::with(Arc::clone(shared), upstreams, counted)
    }

    fn with(
        shared: Arc<Shared>,
        upstreams: Upstreams,
        (answers, own): (Arc<ResponseCounts>, Arc<ByClass>),
    ) -> Self {
        let (edge, limits) = (&shared.settings.edge, &shared.settings.limits);
        let settings = proxy::Settings {
            cookies: shared.settings.cookies,
            max_body: edge.max_body,
            sends_forwarded: edge.sends_forwarded,
            network_prefixes: (limits.ipv4_prefix, limits.ipv6_prefix),
        };
        let told = Arc::clone(shared.rules.policy.told_names());
        let signs = shared.rules.policy.signs();
        let may_stand = move |name: &HeaderName| {
            headers::may_be_in_request_trailer(name, &told) && !(signs && takes_its_place(name))
        };
        Self {
            proxy: Proxy {
                upstreams,
                settings,
                rules: Arc::clone(&shared.rules),
                current: Arc::clone(&shared.current),
                access: Arc::clone(&shared.access),
                via: Arc::clone(&shared.via),
                trailer_rule: Arc::new(TrailerRule::new(may_stand)),
            },
            recent: RecentSessions::new(shared.flows.session_settings.idle),
            tokens: Tokens::new(Arc::clone(&shared.minter)),
            answers,
            own,
            shared,
        }
    }

    /// Returns the network that a request comes from, by which all that is scarce is shared out.
    #[must_use]
    pub fn network(&self, context: &RequestContext) -> Network {
        self.shared.limits.network(context.client.address)
    }
}

#[cfg(test)]
mod tests;
