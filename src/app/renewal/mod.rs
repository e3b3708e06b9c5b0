//! A new configuration while the gateway runs: applied whole, or not at all.
//!
//! Sessions, what became of logins, the secret that opens those under way, what was used before,
//! keys, and connections to upstreams that stay the same are kept. What cannot change in a running
//! process, such as an address that is listened on, must be as it was; otherwise the old
//! configuration stays, and the caller of the reload learns why.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use tracing::warn;

use super::current::Current;
use super::keys::{self, Keeper};
use super::settings::{Fixed, Listen, Log, Settings, Store, StoreKind};
use super::watch;
use crate::base::causes::in_one_line;
use crate::flow::node::NodeClient;
use crate::gate::policy::{Policy, Route};
use crate::gateway::Shared;
use crate::identity::claims::PairwiseSecret;
use crate::identity::token::Minter;
use crate::identity::ways::Ways;
use crate::operations::operators::Operator;
use crate::proxy::upstream::{self, Group, SystemLookup};
use crate::request::rules::Rules;
use crate::server::listener::Admission;
use crate::store::Digest;
use crate::store::redis::Redis;
use crate::store::redis::settings::ConnectError;
use crate::store::seal::Sealer;
use crate::{flow, gateway, observe};

/// What a new configuration needs of the old one.
pub(super) struct Renewal {
    fixed: Fixed,
    secret: PairwiseSecret,
    keeper: Arc<Keeper>,
    /// Marks of the secrets that seal records, when they are given.
    store_secrets: Option<Vec<Digest>>,
    /// Where records are kept, when that is Redis.
    redis: Option<Arc<Redis>>,
    kept_tokens: u64,
}

/// The key of the secrets that seal records.
const STORE_SECRETS: &str = "store.secret_files";
/// The key of the secret behind the pseudonyms.
const PAIRWISE_SECRET: &str = "identity.pairwise_secret_file";

/// Why a new configuration is not applied.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// These keys have other values.
    #[error(
        "{} cannot change while the program runs: restart it, or let a successor take over (SIGUSR2)",
        .0.join(", ")
    )]
    Fixed(Vec<&'static str>),
    /// The files of Redis were good when the configuration was read, and are not any more. They are
    /// tried again.
    #[error("store.redis names files that changed while they were read")]
    Redis(#[source] ConnectError),
}

/// What is new, for others than the workers.
#[derive(Debug)]
pub(super) struct Renewed {
    /// The groups of servers, of which some may be watched over already.
    pub(super) groups: Vec<Arc<Group>>,
    /// What is logged.
    pub(super) level: observe::Level,
    /// The names that a certificate is ordered for, where one is.
    pub(super) ordered: Option<Vec<String>>,
    /// What is watched.
    pub(super) watch: watch::Settings,
    /// Who may ask the operations listener.
    pub(super) operators: Vec<Operator>,
}

/// What of the settings can change while the program runs.
struct LiveSettings {
    gateway: gateway::Settings,
    flows: flow::Settings,
    node: (flow::node::Settings, rustls::ClientConfig),
    routes: Vec<Route>,
    upstreams: Vec<upstream::Settings>,
    token_lifetime: Duration,
    ways: Ways,
    store: StoreKind,
    level: observe::Level,
    /// Peers that begin with a PROXY header, and proxies that are trusted: none is a client.
    counted: (Vec<IpNet>, Vec<IpNet>),
    ordered: Option<Vec<String>>,
    watch: watch::Settings,
    operators: Vec<Operator>,
}

impl Renewal {
    pub(super) fn new(
        fixed: Fixed,
        (secret, keeper): (PairwiseSecret, Arc<Keeper>),
        store_secrets: Option<Vec<Digest>>,
        redis: Option<Arc<Redis>>,
        kept_tokens: u64,
    ) -> Self {
        Self { fixed, secret, keeper, store_secrets, redis, kept_tokens }
    }

    /// Has every worker serve by new settings from its next request on.
    pub(super) async fn apply(
        &self,
        settings: Settings,
        admission: &Admission,
        workers: &[Arc<Current>],
    ) -> Result<Renewed, ReloadError> {
        let LiveSettings {
            gateway,
            flows,
            node,
            routes,
            upstreams,
            token_lifetime,
            ways,
            store,
            level,
            counted,
            ordered,
            watch,
            operators,
        } = self.take(settings)?;
        self.renew_redis(&store)?;
        let Some(old) = workers.first().map(|current| current.worker()) else {
            return Ok(Renewed { groups: Vec::new(), level, ordered, watch, operators });
        };
        // 1. What all workers share, once.
        let before = &old.shared;
        let exchanges = Arc::clone(before.flows.node.exchanges());
        let node = NodeClient::new(node.0, node.1).counted_in(exchanges);
        let node = node.timed_by(Arc::clone(&before.clock));
        let flows = Arc::new(before.flows.renewed(flows, node));
        self.require_keys(&routes).await;
        // Tokens are kept by the number of their release, which may mean another one now.
        let minter = Arc::new(Minter::new(
            gateway.origin.clone(),
            self.secret.clone(),
            (token_lifetime, ways),
            Arc::clone(&before.keys),
            self.kept_tokens,
        ));
        let limits = before.limits.renewed(gateway.limits.clone(), &before.clock);
        let shared = Arc::new(Shared {
            rules: Arc::new(Rules {
                policy: Policy::new(routes),
                may_pass_maintenance: gateway.maintenance.allow.clone(),
            }),
            settings: gateway,
            current: Arc::clone(&before.current),
            flows,
            minter,
            keys: Arc::clone(&before.keys),
            limits,
            access: Arc::clone(&before.access),
            events: Arc::clone(&before.events),
            audit: Arc::clone(&before.audit),
            traces: Arc::clone(&before.traces),
            via: Arc::clone(&before.via),
            identity_told_next: Arc::clone(&before.identity_told_next),
            ports: Arc::clone(&before.ports),
            probes: Arc::clone(&before.probes),
            clock: Arc::clone(&before.clock),
        });
        let groups = old.proxy.upstreams.renewed_groups(upstreams);
        for group in &groups {
            if group.status(Instant::now()).servers.is_empty() {
                upstream::resolve(group, &SystemLookup).await;
            }
        }
        // 2. What is open already is judged anew: first, so that nothing that begins by the new
        //    rules is judged by the old ones.
        shared.current.replace(Arc::clone(&shared.rules));
        // 3. Which peers are counted as clients.
        admission.trust(&counted.0, &counted.1);
        // 4. Then each worker its own.
        for current in workers {
            current.replace(current.worker().renewed(&shared, &groups));
        }
        Ok(Renewed { groups, level, ordered, watch, operators })
    }

    /// Has keys sign as the routes need them. While the store is away, those sign that there are.
    async fn require_keys(&self, routes: &[Route]) {
        if let Err(error) = self.keeper.require(&keys::algorithms(routes)).await {
            warn!(error = in_one_line(&error), "keys of identities are as before");
        }
    }

    /// Has Redis reached with the passwords and certificates that are in the files now. Where that
    /// fails, everything is as before, and nothing of the new configuration may apply.
    fn renew_redis(&self, store: &StoreKind) -> Result<(), ReloadError> {
        let (Some(redis), StoreKind::Redis(settings)) = (&self.redis, store) else { return Ok(()) };
        redis.renew(settings).map_err(ReloadError::Redis)
    }

    /// Takes what can change out of new settings.
    fn take(&self, settings: Settings) -> Result<LiveSettings, ReloadError> {
        // What is passed over here cannot change: all keys that it comes from are fixed, by name. Of
        // what their files hold, two secrets are looked at below, and Redis is told of the rest.
        let Settings {
            gateway,
            listen,
            flows,
            node,
            node_tls,
            session: _,
            store: Store { kind: store, sealer },
            routes,
            upstreams,
            token_lifetime,
            ways,
            key_rotation: _,
            signing_keys: _,
            pairwise_secret,
            operators,
            state_directory: _,
            log: Log { level, json: _, access: _ },
            audit: _,
            traces: _,
            watch,
            fixed,
        } = settings;
        // The rest of what can change of it is in `gateway`.
        let Listen {
            http: _,
            https,
            unix: _,
            redirect: _,
            operations: _,
            operations_hosts: _,
            operations_tls: _,
            hsts: _,
            proxy_protocol_from,
            trusted_proxies,
            trusted_for: _,
            companions: _,
            workers: _,
            backlog: _,
            limits: _,
        } = listen;
        let mut changed = self.fixed.differences(&fixed);
        // The name of a file may be the same, and what is in it another. By the pairwise secret,
        // sessions are found whose it is; records are sealed by all parts of the program.
        let is_other_secret = pairwise_secret.is_some_and(|secret| !secret.is(&self.secret));
        let is_other_sealer = sealer.as_ref().map(Sealer::marks) != self.store_secrets;
        for (key, is_other) in
            [(PAIRWISE_SECRET, is_other_secret), (STORE_SECRETS, is_other_sealer)]
        {
            if is_other && !changed.contains(&key) {
                changed.push(key);
            }
        }
        if !changed.is_empty() {
            return Err(ReloadError::Fixed(changed));
        }
        Ok(LiveSettings {
            gateway,
            flows,
            node: (node, node_tls),
            routes,
            upstreams,
            token_lifetime,
            ways,
            store,
            level,
            counted: (proxy_protocol_from, trusted_proxies),
            ordered: https.and_then(|https| https.acme).map(|acme| acme.names),
            watch,
            operators,
        })
    }
}

#[cfg(test)]
mod tests;
