//! A new configuration while the gateway runs: applied whole, or not at all.
//!
//! Sessions, what became of logins, the secret that opens those under way, what was used before, keys, and connections to upstreams that stay
//! the same are kept. What cannot change in a running process, such as an address that is listened
//! on, must be as it was; otherwise the old configuration stays, and whoever asked learns why.

use std::sync::Arc;
use std::time::Instant;

use super::current::Current;
use super::settings::{Fixed, Settings};
use crate::flow::node::NodeClient;
use crate::gate::policy::Policy;
use crate::gateway::Shared;
use crate::identity::claims::PairwiseSecret;
use crate::identity::token::Minter;
use crate::proxy::upstream::{self, Group, SystemLookup};
use crate::request::rules::Rules;

/// What a new configuration needs of the old one.
pub(super) struct Renewal {
    fixed: Fixed,
    secret: PairwiseSecret,
    kept_tokens: u64,
}

/// Why a new configuration is not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} cannot change while the program runs: restart it, or let a successor take over (SIGUSR2)",
    .0.join(", ")
)]
pub struct Refused(pub Vec<&'static str>);

impl Renewal {
    pub(super) fn new(fixed: Fixed, secret: PairwiseSecret, kept_tokens: u64) -> Self {
        Self { fixed, secret, kept_tokens }
    }

    /// Has every worker serve by new settings from its next request on. Returns the groups of
    /// servers, of which some may be new.
    pub(super) async fn apply(
        &self,
        settings: Settings,
        workers: &[Arc<Current>],
    ) -> Result<Vec<Arc<Group>>, Refused> {
        let changed = self.fixed.differences(&settings.fixed);
        if !changed.is_empty() {
            return Err(Refused(changed));
        }
        let Some(old) = workers.first().map(|current| current.worker()) else {
            return Ok(Vec::new());
        };
        // 1. What all workers share, once.
        let before = &old.shared;
        let exchanges = Arc::clone(before.flows.node.exchanges());
        let node = NodeClient::new(settings.node, settings.node_tls).counted_in(exchanges);
        let flows = Arc::new(before.flows.renewed(settings.flows, node));
        let secret = settings.pairwise_secret.unwrap_or_else(|| self.secret.clone());
        // Tokens are kept by the number of their release, which may mean another one now.
        let minter = Arc::new(Minter::new(
            settings.gateway.origin.clone(),
            secret,
            settings.token_lifetime,
            Arc::clone(&before.ring),
            self.kept_tokens,
        ));
        let limits = before.limits.renewed(settings.gateway.limits.clone(), &before.clock);
        let shared = Arc::new(Shared {
            rules: Arc::new(Rules {
                policy: Policy::new(settings.routes),
                may_pass_maintenance: settings.gateway.maintenance.allow.clone(),
            }),
            settings: settings.gateway,
            current: Arc::clone(&before.current),
            flows,
            minter,
            ring: Arc::clone(&before.ring),
            limits,
            access: Arc::clone(&before.access),
            counts: Arc::clone(&before.counts),
            clock: Arc::clone(&before.clock),
        });
        let groups = old.proxy.upstreams.renewed_groups(settings.upstreams);
        for group in &groups {
            if group.status(Instant::now()).servers.is_empty() {
                upstream::resolve(group, &SystemLookup).await;
            }
        }
        // 2. What is open already is judged anew: first, so that nothing that begins by the new rules is
        //    judged by the old ones.
        shared.current.replace(Arc::clone(&shared.rules));
        // 3. Then each worker its own.
        for current in workers {
            current.replace(current.worker().renewed(&shared, &groups));
        }
        Ok(groups)
    }
}
