//! What the status page says of this gateway, from the same parts as its numbers.

use std::collections::BTreeMap;
use std::time::Instant;

use super::inventory::Use;
use super::metrics::Metrics;
use crate::base::clock::Time;
use crate::flow::node::{Exchanges, Seen};
use crate::observe::metrics::histogram::{OF_REQUESTS, OF_STORES, OF_THE_NODE, Spread};
use crate::operations::status::durations::{Spreads, What};
use crate::operations::status::facts::{
    Certificate, Facts, Server, Source, Store, Totals, Upstream,
};
use crate::proxy::upstream::{State, Status};
use crate::store::metered::Operation;

impl Source for Metrics {
    fn facts(&self) -> Facts {
        let now = self.clock.now();
        let worker = self.workers.first().map(|current| current.worker());
        let going_on = self.watched.going_on.all().into_iter();
        let mut facts = Facts {
            now,
            portal: String::new(),
            environment: None,
            version: env!("CARGO_PKG_VERSION"),
            began: self.life.began(),
            configured: self.life.configured(),
            is_configuration_in_use: self.life.is_configuration_in_use(),
            is_leaving: self.stop.is_draining(),
            sessions: (0, 0),
            connections: (self.admission.open() as u64, self.admission.limits().connections as u64),
            exchanges: (0, 0),
            store: Store {
                name: self.store.0,
                is_up: true,
                hears: true,
                replicas: self.replicas.seen(),
            },
            are_keys_kept: self.keeper.is_kept(),
            is_audit_well: true,
            alarms: going_on.filter(|(_, goes_on)| *goes_on).map(|(alarm, _)| alarm).collect(),
            certificates: self.certificates_mattering(now),
            upstreams: Vec::new(),
            totals: self.totals(),
        };
        let Some(worker) = worker else { return facts };
        let (shared, flows) = (&worker.shared, &worker.shared.flows);
        facts.portal.clone_from(&shared.settings.portal_name);
        facts.environment.clone_from(&shared.settings.test_environment);
        facts.sessions = (flows.sessions.count_near() as u64, flows.sessions.maximum());
        facts.exchanges = (flows.node.under_way() as u64, flows.node.maximum() as u64);
        facts.is_audit_well = shared.audit.status().is_well;
        facts.store.is_up = !flows.sessions.is_away();
        facts.store.hears = flows.sessions.hears_of_ends();
        let groups = worker.proxy.upstreams.groups();
        facts.upstreams = groups.map(|group| upstream(group.status(Instant::now()))).collect();
        facts
    }

    fn totals(&self) -> Totals {
        let Some(worker) = self.workers.first().map(|current| current.worker()) else {
            return Totals::default();
        };
        let (counts, flows) = (worker.shared.events.counts(), &worker.shared.flows);
        let exchanges = flows.node.exchanges();
        let (mut good, mut bad) = (0, exchanges.turned_away.value());
        for (result, seen) in exchanges.resolve.by_result().chain(exchanges.logout.by_result()) {
            *(if result == "ok" { &mut good } else { &mut bad }) += seen.count();
        }
        Totals {
            begun: counts.logins_begun.value(),
            signed_in: counts.logins_finished.all().iter().map(|(_, count)| count).sum(),
            refused: counts.refusals.all(),
            exchanges: (good, bad),
            durations: self.spreads(exchanges),
        }
    }
}

impl Metrics {
    /// Returns how long things took: requests by upstream, exchanges with the node, and the store.
    fn spreads(&self, exchanges: &Exchanges) -> Spreads {
        let together = |bounds, all: &mut dyn Iterator<Item = Spread>| {
            let mut sum = Spread::empty(bounds);
            all.for_each(|one| sum.add(&one));
            sum
        };
        let mut upstreams = BTreeMap::<String, Spread>::new();
        for worker in self.workers.iter().map(|current| current.worker()) {
            for (name, durations) in worker.proxy.upstreams.durations() {
                let known = upstreams.entry(name.to_owned());
                let sum = known.or_insert_with(|| Spread::empty(&OF_REQUESTS));
                durations.requests.spreads().iter().for_each(|one| sum.add(one));
            }
        }
        let node = |seen: &Seen| together(&OF_THE_NODE, &mut seen.by_result().map(|(_, one)| one));
        // Whether the store is there is asked all the time, by nobody who waits.
        let asked = Operation::ALL.into_iter().filter(|one| *one != Operation::Check);
        let store = &mut asked.map(|one| self.store.1.of(one).duration.spread());
        let fixed = [
            (What::Resolve, node(&exchanges.resolve)),
            (What::Logout, node(&exchanges.logout)),
            (What::Store, together(&OF_STORES, store)),
        ];
        let upstreams = upstreams.into_iter().map(|(name, sum)| (What::Upstream(name), sum));
        fixed.into_iter().chain(upstreams).collect()
    }

    /// Returns the certificates in use that no other one has followed; of one use and name, the one
    /// that ends first.
    fn certificates_mattering(&self, now: Time) -> Vec<Certificate> {
        let mut first: BTreeMap<(Use, String), Time> = BTreeMap::new();
        for found in self.watched.inventory.mattering(now) {
            let known = first.entry((found.used_for, found.subject)).or_insert(found.not_after);
            *known = (*known).min(found.not_after);
        }
        let told = first.into_iter().map(|((used_for, name), not_after)| Certificate {
            used_for: used_for.name(),
            name,
            not_after,
        });
        told.collect()
    }
}

fn upstream(status: Status) -> Upstream {
    let servers = status.servers.into_iter().map(|server| Server {
        address: server.address,
        state: server.state.name(),
        is_well: matches!(server.state, State::Up | State::Starting),
        requests: server.in_flight,
    });
    Upstream { name: status.name, pending: status.pending, servers: servers.collect() }
}
