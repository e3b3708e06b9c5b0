//! A new configuration while the gateway runs: applied whole, or not at all.
//!
//! Sessions, what became of logins, the secret that opens those under way, what was used before, keys, and connections to upstreams that stay
//! the same are kept. What cannot change in a running process, such as an address that is listened
//! on, must be as it was; otherwise the old configuration stays, and whoever asked learns why.

use std::sync::Arc;
use std::time::Instant;

use super::current::Current;
use super::settings::{Fixed, Listen, Settings};
use crate::flow::node::NodeClient;
use crate::gate::policy::Policy;
use crate::http::Gateway;
use crate::http::lasting::Rules;
use crate::identity::claims::PairwiseSecret;
use crate::identity::token::{Minter, Tokens};
use crate::proxy::upstream::{self, Group, SystemLookup};
use crate::server::listener::Admission;
use crate::session::recent::RecentSessions;

/// What a new configuration needs of the old one.
pub(super) struct Renewal {
    fixed: Fixed,
    secret: PairwiseSecret,
    kept_tokens: u64,
}

/// The key of the secret behind the pseudonyms.
const PAIRWISE_SECRET: &str = "identity.pairwise_secret_file";

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
        admission: &Admission,
        workers: &[Arc<Current>],
    ) -> Result<Vec<Arc<Group>>, Refused> {
        // What is passed over here cannot change: all keys that it comes from are fixed.
        let Settings {
            http,
            listen,
            flows,
            node,
            node_tls,
            session: _,
            store: _,
            routes,
            upstreams,
            token_lifetime,
            key_rotation: _,
            pairwise_secret,
            admin_token: _,
            state_directory: _,
            log: _,
            fixed,
        } = settings;
        // The doors know the rest of what can change of it, by `http`.
        let Listen {
            http: _,
            https: _,
            unix: _,
            redirect: _,
            operations: _,
            hsts: _,
            proxy_protocol_from,
            trusted_proxies,
            trusted_for: _,
            workers: _,
            backlog: _,
            limits: _,
        } = listen;
        let mut changed = self.fixed.differences(&fixed);
        // The name of the file may be the same, and the secret another one. By the first, sessions are
        // found whose it is.
        if pairwise_secret.is_some_and(|secret| secret.expose() != self.secret.expose())
            && !changed.contains(&PAIRWISE_SECRET)
        {
            changed.push(PAIRWISE_SECRET);
        }
        if !changed.is_empty() {
            return Err(Refused(changed));
        }
        let Some(old) = workers.first().map(|current| current.gateway()) else {
            return Ok(Vec::new());
        };
        // 1. What all workers share, once.
        let exchanges = Arc::clone(old.flows.node.exchanges());
        let node = NodeClient::new(node, node_tls).counted_in(exchanges);
        let flows = Arc::new(old.flows.renewed(flows, node));
        // Tokens are kept by the number of their release, which may mean another one now.
        let minter = Arc::new(Minter::new(
            http.origin.clone(),
            self.secret.clone(),
            token_lifetime,
            Arc::clone(&old.ring),
            self.kept_tokens,
        ));
        let policy = Arc::new(Policy::new(routes));
        let http = Arc::new(http);
        let limits = old.limits.renewed(http.limits.clone(), &old.clock);
        let groups = old.upstreams.renewed_groups(upstreams);
        for group in &groups {
            if group.status(Instant::now()).servers.is_empty() {
                upstream::resolve(group, &SystemLookup).await;
            }
        }
        // 2. What is open already is judged anew: first, so that nothing that begins by the new rules is
        //    judged by the old ones.
        old.present.replace(Rules {
            policy: Arc::clone(&policy),
            may_pass_maintenance: http.maintenance.allow.clone(),
        });
        // 3. Who is counted as a client.
        admission.trust(&proxy_protocol_from, &trusted_proxies);
        // 4. Then each worker its own.
        for current in workers {
            let old = current.gateway();
            current.replace(Gateway {
                settings: Arc::clone(&http),
                flows: Arc::clone(&flows),
                policy: Arc::clone(&policy),
                present: Arc::clone(&old.present),
                recent: Arc::new(RecentSessions::new(flows.session_settings.idle)),
                minter: Arc::clone(&minter),
                tokens: Arc::new(Tokens::new(Arc::clone(&minter))),
                ring: Arc::clone(&old.ring),
                upstreams: Arc::new(old.upstreams.with_groups(&groups)),
                limits: Arc::clone(&limits),
                access: Arc::clone(&old.access),
                counts: Arc::clone(&old.counts),
                answers: Arc::clone(&old.answers),
                clock: Arc::clone(&old.clock),
            });
        }
        Ok(groups)
    }
}

#[cfg(test)]
mod tests;
