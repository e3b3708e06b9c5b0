//! The portals behind us, as one worker has them: groups are shared by all workers, connections are
//! not.

use std::sync::Arc;
use std::time::Instant;

use super::pool::Pool;
use super::upstream::{Group, Settings};
use crate::observe::metrics::histogram::UpstreamDurations;

/// All portals behind us, by number, with the connections of one worker.
pub struct Upstreams(Vec<Upstream>);

/// One upstream: the servers that all workers share, and the connections of this worker.
#[derive(Clone)]
pub(super) struct Upstream {
    pub(super) group: Arc<Group>,
    pub(super) pool: Arc<Pool>,
    /// What this worker saw of it.
    pub(super) durations: Arc<UpstreamDurations>,
}

impl Upstreams {
    /// Makes empty pools for a worker.
    #[must_use]
    pub fn new(groups: &[Arc<Group>]) -> Self {
        Self(groups.iter().map(Upstream::new).collect())
    }

    /// Makes the groups of a new configuration; those that stay as they are go on.
    #[must_use]
    pub fn renewed_groups(&self, settings: Vec<Settings>) -> Vec<Arc<Group>> {
        let (before, now): (Vec<_>, _) = (self.groups().cloned().collect(), Instant::now());
        settings.into_iter().map(|settings| Group::renew(&before, settings, now)).collect()
    }

    /// Goes on with other groups for the same worker; connections of those that stay are kept, and
    /// what was counted of them.
    #[must_use]
    pub fn with_groups(&self, groups: &[Arc<Group>]) -> Self {
        let upstream = |group: &Arc<Group>| {
            let old = self.0.iter().find(|upstream| Arc::ptr_eq(&upstream.group, group));
            old.map_or_else(|| Upstream::new(group), Upstream::clone)
        };
        Self(groups.iter().map(upstream).collect())
    }

    /// Returns one by its number, which the policy has from the same configuration.
    pub(super) fn get(&self, number: usize) -> &Upstream {
        &self.0[number]
    }

    /// Returns what requests are balanced over.
    pub fn groups(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.0.iter().map(|upstream| &upstream.group)
    }

    /// Returns what was seen of each upstream, by its name.
    pub fn durations(&self) -> impl Iterator<Item = (&str, &Arc<UpstreamDurations>)> {
        self.0.iter().map(|upstream| (&*upstream.group.settings().name, &upstream.durations))
    }

    /// Returns what was seen of one by its number, which the policy has from the same configuration.
    #[must_use]
    pub fn durations_of(&self, number: usize) -> &UpstreamDurations {
        &self.0[number].durations
    }

    /// Closes connections that waited too long, or whose server is gone.
    pub fn sweep(&self) {
        let now = Instant::now();
        for upstream in &self.0 {
            upstream.pool.sweep(&upstream.group, now);
        }
    }
}

impl Upstream {
    fn new(group: &Arc<Group>) -> Self {
        let (pool, durations) = (Pool::new(group), Arc::default());
        Self { group: Arc::clone(group), pool, durations }
    }
}
