//! The assembly: settings become a gateway with its listeners. Read this second, after `lib.rs`.
//!
//! [`App::bind`] puts everything together, [`App::run`] serves (`run`): a worker a core
//! ([`crate::server::workers`]), each with a gateway of its own that shares all but the connections
//! to upstreams, and tasks beside them (`background`). A new configuration is what all workers
//! share, made anew (`renewal`); a new version of the program is a new process with the same
//! sockets (`successor`).

pub mod acme;
pub mod alarms;
mod audit;
mod background;
mod command;
mod current;
mod durations;
mod error;
mod heeded;
mod in_use;
pub mod inventory;
pub mod keys;
mod lock;
mod logins;
mod memory;
mod metrics;
mod parts;
mod renewal;
mod replicas;
mod run;
pub mod settings;
mod sockets;
pub(crate) mod state;
mod status;
mod store;
mod successor;
#[cfg(test)]
pub(crate) mod testing;
pub mod watch;
mod worker;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use self::acme::Orders;
pub use self::command::Command;
pub use self::error::Error;
use self::heeded::Heeded;
use self::inventory::Inventory;
use self::keys::Keeper;
use self::lock::Lock;
use self::metrics::Life;
pub use self::renewal::ReloadError;
use self::renewal::Renewal;
pub use self::settings::Settings;
use self::sockets::Sockets;
use self::watch::Watched;
use crate::base::clock::SharedClock;
use crate::flow::Flows;
use crate::flow::node::NodeClient;
use crate::gate::policy::{Policy, Route};
use crate::gateway::limits::Limits;
use crate::gateway::{self, Shared};
use crate::identity::claims::PairwiseSecret;
use crate::identity::token::Minter;
use crate::observe::access::AccessLog;
use crate::observe::events::Events;
use crate::observe::seldom::Seldom;
use crate::observe::traces::{Exporter, Tracer};
use crate::proxy::upstream::{self, Group, SystemLookup};
use crate::request::probes::Probes;
use crate::request::rules::{CurrentRules, Rules};
use crate::server::listener::Admission;
use crate::session::sessions::Sessions;
use crate::store::seal::Sealer;
use crate::store::shared::SharedRecord;

/// A gateway whose sockets are bound: it can be reached as soon as it runs.
pub struct App {
    shared: Arc<Shared>,
    groups: Vec<Arc<Group>>,
    renewal: Renewal,
    sockets: Sockets,
    admission: Arc<Admission>,
    keeper: Arc<Keeper>,
    heeded: Heeded,
    kept: store::OpenedStore,
    lock: Lock,
    life: Arc<Life>,
    exporter: Option<Exporter>,
}

impl App {
    /// Puts everything together and binds the sockets.
    ///
    /// # Errors
    /// When an address is taken, or kept keys cannot be read.
    pub async fn bind(settings: Settings, clock: SharedClock) -> Result<Self, Error> {
        // 1. What outlives a restart: keys, the secret behind pseudonyms, records.
        let (state, now) = (state::State::new(settings.state_directory.clone()), clock.now());
        let keys = keys::Settings::of(&settings);
        // The keeper finds out which one is kept, and replaces this one by it.
        let secret = keys.given.clone().unwrap_or_else(PairwiseSecret::pending);
        let store_secrets = settings.store.sealer.as_ref().map(Sealer::marks);
        let lock = Lock::take(&state, settings.store.is_shared()).await?;
        let audit = audit::start(settings.audit, &state, &clock).await?;
        let events = Events::new(audit::ears(&audit));
        let kinds = (&settings.session, &settings.flows);
        let kept = store::open(settings.store, &state, kinds, (&secret, &events))?;
        let shared = (kept.keys_record(), state.clone(), kept.agree(now).await?);
        let keeper = Keeper::begin(keys, secret.clone(), shared, Arc::clone(&clock)).await?;

        // 2. The portals behind, and then the sockets: whoever is in their queues waits for us.
        let groups = groups(settings.upstreams).await;
        let book = (kept.authority_record(), state);
        let (orders, listen) = orders(settings.listen, book, (&clock, &events));
        let admission = admission(&listen);
        let sockets = Sockets::bind(listen, orders.as_deref().map(Orders::challenges))?;
        let watched = watched(settings.watch, &sockets);

        // 3. What all workers share.
        let rules = rules(settings.routes, &settings.gateway);
        let kept_tokens = settings.session.maximum.saturating_mul(rules.policy.releases() as u64);
        let (keys, redis) = ((secret.clone(), Arc::clone(&keeper)), kept.redis.clone());
        let renewal = Renewal::new(settings.fixed, keys, store_secrets, redis, kept_tokens);
        let minter = Minter::new(
            settings.gateway.origin.clone(),
            secret,
            (settings.token_lifetime, settings.ways),
            keeper.keys(),
            kept_tokens,
        );
        let flows = Flows::new(
            settings.flows,
            settings.session,
            NodeClient::new(settings.node, settings.node_tls).timed_by(Arc::clone(&clock)),
            Arc::clone(&kept.sessions),
            (Arc::clone(&kept.store), kept.sealer.clone()),
            Arc::clone(&clock),
        );
        let (traces, exporter) = Tracer::new(settings.traces, Arc::clone(&clock));
        let shared = Arc::new(Shared {
            current: current(&rules, &kept.sessions, (&clock, &events)),
            rules,
            flows: Arc::new(flows),
            minter: Arc::new(minter),
            keys: keeper.keys(),
            limits: Arc::new(Limits::new(settings.gateway.limits.clone(), Arc::clone(&clock))),
            access: Arc::new(AccessLog::start(settings.log.access).map_err(Error::AccessLog)?),
            events,
            audit,
            traces: Arc::new(traces),
            via: Arc::default(),
            identity_told_next: Arc::new(Seldom::every(Duration::from_secs(60))),
            ports: Arc::new(sockets.ports()),
            probes: Arc::new(Probes::new(Arc::clone(&clock), settings.gateway.origin.clone())),
            clock,
            settings: settings.gateway,
        });

        let heeded =
            Heeded::new((watched, orders), &settings.operators, settings.log.level, &shared);
        Ok(Self {
            shared,
            groups,
            renewal,
            sockets,
            admission,
            keeper,
            heeded,
            kept,
            lock,
            life: Life::begin(now),
            exporter,
        })
    }

    /// Returns the address of the operations listener.
    #[must_use]
    pub fn operations_address(&self) -> Option<SocketAddr> {
        self.sockets.operations.address().ok()
    }

    /// Returns what the logins of all workers share, for tests that watch them.
    #[must_use]
    pub fn flows(&self) -> Arc<Flows> {
        Arc::clone(&self.shared.flows)
    }
}

/// Puts together what is watched: what the configuration names, and the pairs of listeners.
fn watched(settings: watch::Settings, sockets: &Sockets) -> Arc<Watched> {
    let watch::Settings { certificates, needs, alarms } = settings;
    let inventory = Inventory::new(certificates, sockets.certificates.all.clone());
    Watched::new(inventory, needs, alarms)
}

/// Makes what requests are judged by.
fn rules(routes: Vec<Route>, gateway: &gateway::Settings) -> Arc<Rules> {
    let may_pass_maintenance = gateway.maintenance.allow.clone();
    Arc::new(Rules { policy: Policy::new(routes), may_pass_maintenance })
}

/// Makes the rules by which what lasts is judged again.
fn current(
    rules: &Arc<Rules>,
    sessions: &Arc<Sessions>,
    (clock, events): (&SharedClock, &Arc<Events>),
) -> Arc<CurrentRules> {
    let (clock, events) = (Arc::clone(clock), Arc::clone(events));
    CurrentRules::new(Arc::clone(rules), Arc::clone(sessions), clock, events)
}

/// Counts connections by what is listened to, and knows who is no client.
fn admission(listen: &settings::Listen) -> Arc<Admission> {
    let proxies = listen.proxy_protocol_from.clone();
    Admission::new(listen.limits, proxies, &listen.trusted_proxies)
}

/// Makes who orders certificates, when that is wanted.
fn orders(
    mut listen: settings::Listen,
    kept: (Option<SharedRecord>, state::State),
    (clock, events): (&SharedClock, &Arc<Events>),
) -> (Option<Arc<Orders>>, settings::Listen) {
    let orders = listen.https.as_mut().and_then(|https| {
        let certificates = Arc::clone(&https.certificates);
        https.acme.take().map(|settings| {
            Orders::new(settings, kept, certificates, (Arc::clone(clock), Arc::clone(events)))
        })
    });
    (orders, listen)
}

/// Makes the groups of servers, with what their names mean now.
async fn groups(settings: Vec<upstream::Settings>) -> Vec<Arc<Group>> {
    let now = Instant::now();
    let groups: Vec<_> = settings.into_iter().map(|upstream| Group::new(upstream, now)).collect();
    for group in &groups {
        upstream::resolve(group, &SystemLookup).await;
    }
    groups
}
