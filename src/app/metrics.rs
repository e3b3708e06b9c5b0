//! The numbers of the whole program, gathered at each scrape.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Instant;

use super::acme::{Counts, Orders};
use super::current::Current;
use super::durations;
use super::inventory::{Dated, Use};
use super::keys::Keeper;
use super::logins;
use super::replicas::Replicas;
use super::watch::Watched;
use crate::audit::Status;
use crate::base::clock::{SharedClock, Time};
use crate::base::shutdown::Shutdown;
use crate::flow::node::Exchanges;
use crate::flow::node_clock::{Measured, Witness};
use crate::gateway::Shared;
use crate::observe;
use crate::observe::metrics::process::Process;
use crate::observe::metrics::{ByName, CLASSES, Count, MetricsEncoder, Scraper, Source, catalogue};
use crate::observe::traces::SpanCounts;
use crate::proxy::upstream::{self, ServerStatus, State};
use crate::server::certificates::Certificates;
use crate::server::listener::Admission;
use crate::store::metered::{Operation, Traffic};

/// The parts of the program whose numbers each scrape looks up.
pub(super) struct Metrics {
    pub(super) process: Process,
    pub(super) clock: SharedClock,
    pub(super) workers: Vec<Arc<Current>>,
    pub(super) admission: Arc<Admission>,
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) watched: Arc<Watched>,
    pub(super) stop: Shutdown,
    pub(super) life: Arc<Life>,
    /// The name of the store, and what was seen of it.
    pub(super) store: (&'static str, Arc<Traffic>),
    /// How many gateways share it.
    pub(super) replicas: Arc<Replicas>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) orders: Option<Arc<Orders>>,
}

/// What happens to the program as a whole.
pub(super) struct Life {
    began: Time,
    reloads: ByName,
    is_configuration_in_use: AtomicBool,
    /// Milliseconds since the epoch.
    configured: AtomicI64,
    successions: ByName,
}

impl Life {
    pub(super) fn begin(now: Time) -> Arc<Self> {
        Arc::new(Self {
            began: now,
            reloads: ByName::beginning_with(["applied", "refused"]),
            is_configuration_in_use: AtomicBool::new(true),
            configured: AtomicI64::new(now.as_millisecond()),
            successions: ByName::beginning_with(["ready", "failed"]),
        })
    }

    pub(super) fn began(&self) -> Time {
        self.began
    }

    /// A new configuration was read.
    pub(super) fn reloaded(&self, is_applied: bool, now: Time) {
        self.is_configuration_in_use.store(is_applied, Ordering::Relaxed);
        self.reloads.add(if is_applied { "applied" } else { "refused" });
        if is_applied {
            self.configured.store(now.as_millisecond(), Ordering::Relaxed);
        }
    }

    /// Returns when the configuration in use was applied.
    pub(super) fn configured(&self) -> Time {
        let milliseconds = self.configured.load(Ordering::Relaxed);
        Time::from_millisecond(milliseconds).unwrap_or(self.began)
    }

    /// Tells whether the configuration that was read last is the one in use.
    pub(super) fn is_configuration_in_use(&self) -> bool {
        self.is_configuration_in_use.load(Ordering::Relaxed)
    }

    /// Counts a successor that was started, and whether it became ready.
    pub(super) fn succeeded(&self, is_ready: bool) {
        self.successions.add(if is_ready { "ready" } else { "failed" });
    }
}

impl Metrics {
    /// Returns what makes the text of them.
    pub(super) fn scraper(self: &Arc<Self>) -> Scraper {
        let source: Arc<Self> = Arc::clone(self);
        Scraper::new(source)
    }
}

impl Source for Metrics {
    fn write(&self, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
        encoder.rows(&catalogue::BUILD, |rows| rows.add(&BUILT, 1.0))?;
        self.process.write(encoder)?;
        self.life(encoder)?;
        self.requests(encoder)?;
        durations::write(&self.workers, encoder)?;
        self.connections(encoder)?;
        // All workers share what is asked for here.
        let Some(worker) = self.workers.first().map(|current| current.worker()) else {
            return Ok(());
        };
        self.citizens(&worker.shared, encoder)?;
        logins::write(&worker.shared, encoder)?;
        node(&worker.shared, encoder)?;
        self.store(&worker.shared, encoder)?;
        self.certificates(encoder)?;
        let now = Instant::now();
        let upstreams: Vec<_> = worker
            .proxy
            .upstreams
            .groups()
            .map(|group| (group.settings(), group.status(now)))
            .collect();
        let settings = upstreams.iter().map(|(settings, status)| (&*status.name, settings.limits));
        let limits: Vec<_> = settings.collect();
        encoder.rows(&catalogue::UPSTREAM_REQUESTS_MAXIMUM, |rows| {
            limits.iter().try_for_each(|(name, l)| rows.add(&[name], l.max_requests as f64))
        })?;
        encoder.rows(&catalogue::UPSTREAM_PENDING_MAXIMUM, |rows| {
            limits.iter().try_for_each(|(name, l)| rows.add(&[name], l.max_pending as f64))
        })?;
        let status: Vec<_> = upstreams.into_iter().map(|(_, status)| status).collect();
        groups(&status, encoder)?;
        servers(&status, encoder)
    }
}

impl Metrics {
    fn life(&self, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
        let life = &self.life;
        encoder.one(&catalogue::WORKERS, self.workers.len() as f64)?;
        encoder.one(&catalogue::LEAVING, flag(self.stop.is_draining()))?;
        encoder.by_name(&catalogue::SUCCESSIONS, &life.successions)?;
        encoder.by_name(&catalogue::CONFIG_RELOADS, &life.reloads)?;
        let in_use = life.is_configuration_in_use.load(Ordering::Relaxed);
        encoder.one(&catalogue::CONFIG_OK, flag(in_use))?;
        let configured = life.configured.load(Ordering::Relaxed);
        encoder.one(&catalogue::CONFIG_TIME, configured as f64 / 1000.0)
    }

    fn requests(&self, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
        let workers: Vec<_> =
            self.workers.iter().map(|current| current.worker().answers.all()).collect();
        encoder.rows(&catalogue::REQUESTS, |rows| {
            for (number, class) in CLASSES.into_iter().enumerate() {
                let count: u64 = workers.iter().map(|worker| worker[number]).sum();
                rows.add(&[class], count as f64)?;
            }
            Ok(())
        })
    }

    fn connections(&self, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
        let counts = self.admission.counts();
        encoder.one(&catalogue::CONNECTIONS, self.admission.open() as f64)?;
        let maximum = self.admission.limits().connections;
        encoder.one(&catalogue::CONNECTIONS_MAXIMUM, maximum as f64)?;
        encoder.one(&catalogue::CONNECTIONS_ACCEPTED, counts.accepted.value() as f64)?;
        encoder.by_name(&catalogue::CONNECTIONS_REFUSED, &counts.refused)?;
        encoder.one(&catalogue::ACCEPT_ERRORS, counts.accept_errors.value() as f64)?;
        encoder.by_name(&catalogue::HTTP2_CUT, &counts.cut)?;
        encoder.one(&catalogue::HTTP2_UNSEEN, counts.unseen.value() as f64)
    }

    fn citizens(&self, shared: &Shared, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
        let (counts, flows) = (shared.events.counts(), &shared.flows);
        encoder.by_name(&catalogue::REQUESTS_CUT, &counts.requests_cut)?;
        encoder.by_name(&catalogue::REFUSALS, &counts.refusals)?;
        encoder.one(&catalogue::IDENTITIES_TOLD, counts.identities_told.value() as f64)?;
        encoder.one(&catalogue::LOGINS_BEGUN, counts.logins_begun.value() as f64)?;
        encoder.by_name(&catalogue::LOGINS_FINISHED, &counts.logins_finished)?;
        let others = counts.logins_of_other_browsers.value();
        encoder.one(&catalogue::LOGINS_OF_OTHER_BROWSERS, others as f64)?;
        encoder.one(&catalogue::STEP_UPS, counts.step_ups.value() as f64)?;
        encoder.by_name(&catalogue::LOGOUTS, &counts.logouts)?;
        encoder.by_name(&catalogue::DECISIONS, &counts.decisions)?;
        encoder.one(&catalogue::SESSIONS, flows.sessions.count_near() as f64)?;
        encoder.one(&catalogue::SESSIONS_MAXIMUM, flows.sessions.maximum() as f64)?;
        encoder.by_name(&catalogue::SESSIONS_ENDED, &counts.sessions_ended)?;
        encoder.one(&catalogue::SESSIONS_OWED, flows.sessions.owed() as f64)?;
        let (forms, bytes) = flows.forms.kept();
        encoder.one(&catalogue::FORMS, forms as f64)?;
        encoder.one(&catalogue::FORMS_BYTES, bytes as f64)?;
        encoder.one(&catalogue::FORMS_BYTES_MAXIMUM, flows.forms.most_bytes() as f64)?;
        encoder.one(&catalogue::FORMS_KEPT, counts.forms_kept.value() as f64)?;
        let kept = flows.histories.usage().map(|usage| usage.entries).iter().sum::<usize>();
        encoder.one(&catalogue::HISTORIES, kept as f64)?;
        encoder.one(&catalogue::HISTORIES_LOST, flows.histories.lost().value() as f64)?;
        let (networks, most) = shared.limits.networks();
        encoder.one(&catalogue::LIMIT_NETWORKS, networks as f64)?;
        encoder.one(&catalogue::LIMIT_NETWORKS_MAXIMUM, most as f64)?;
        audit(&shared.audit.status(), encoder)?;
        encoder.one(&catalogue::ACCESS_LOG_LOST, shared.access.lost() as f64)?;
        encoder.one(&catalogue::LOG_LOST, observe::lost() as f64)?;
        let spans = shared.traces.counts();
        let number = |count: fn(&SpanCounts) -> &Count| {
            spans.map_or(0.0, |counts| count(counts).value() as f64)
        };
        encoder.rows(&catalogue::SPANS, |rows| {
            rows.add(&["sent"], number(|counts| &counts.sent))?;
            rows.add(&["queue_full"], number(|counts| &counts.queue_full))?;
            rows.add(&["too_many"], number(|counts| &counts.too_many))?;
            rows.add(&["not_taken"], number(|counts| &counts.not_taken))
        })?;
        encoder.one(&catalogue::CLOCK_JUMPS, self.clock.jumps() as f64)
    }

    fn store(&self, shared: &Shared, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
        let (sessions, now) = (&shared.flows.sessions, self.clock.now());
        let is_up = !sessions.is_away();
        encoder.rows(&catalogue::STORE_UP, |rows| rows.add(&[self.store.0], flag(is_up)))?;
        encoder.one(&catalogue::STORE_EVENTS_UP, flag(sessions.hears_of_ends()))?;
        encoder.one(&catalogue::REPLICAS, self.replicas.seen().unwrap_or_default() as f64)?;
        encoder.one(&catalogue::STORE_AWAY, sessions.away_for(now).as_secs_f64())?;
        if let Some(ago) = self.store.1.since_success() {
            let last = now.as_millisecond() as f64 / 1000.0 - ago.as_secs_f64();
            encoder.one(&catalogue::STORE_LAST_SUCCESS, last)?;
        }
        encoder.rows(&catalogue::STORE_DURATION, |rows| {
            let mut all = Operation::ALL.into_iter();
            all.try_for_each(|one| {
                rows.spread(&[one.name()], &self.store.1.of(one).duration.spread())
            })
        })?;
        encoder.rows(&catalogue::STORE_ERRORS, |rows| {
            Operation::ALL.into_iter().try_for_each(|one| {
                rows.add(&[one.name()], self.store.1.of(one).errors.value() as f64)
            })
        })?;
        encoder.one(&catalogue::KEYS_KEPT, flag(self.keeper.is_kept()))
    }

    fn certificates(&self, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
        let pairs = self.certificates.as_ref().map(|pairs| pairs.status()).unwrap_or_default();
        let ends = ends(&self.watched.inventory.mattering(self.clock.now()));
        encoder.rows(&catalogue::CERTIFICATE_EXPIRY, |rows| {
            ends.iter().try_for_each(|((used_for, name, file), end)| {
                rows.add(&[used_for.name(), name, file], end.as_second() as f64)
            })
        })?;
        encoder.rows(&catalogue::ALARMS, |rows| {
            let mut all = self.watched.going_on.all().into_iter();
            all.try_for_each(|(alarm, goes_on)| rows.add(&[alarm], flag(goes_on)))
        })?;
        // Where none is ordered there is nothing that is not well.
        let orders = self.orders.as_ref().map(|orders| orders.counts());
        let number =
            |count: fn(&Counts) -> &Count| orders.map_or(0.0, |all| count(all).value() as f64);
        encoder.rows(&catalogue::CERTIFICATE_ORDERS, |rows| {
            rows.add(&["issued"], number(|all| &all.issued))?;
            rows.add(&["failed"], number(|all| &all.failed))
        })?;
        let is_well = orders.is_none_or(|all| all.is_well.load(Ordering::Relaxed));
        encoder.one(&catalogue::CERTIFICATE_ORDERS_WELL, flag(is_well))?;
        let Some(certificates) = &self.certificates else { return Ok(()) };
        let counts = certificates.counts();
        encoder.rows(&catalogue::CERTIFICATE_RELOADS, |rows| {
            rows.add(&["taken"], counts.reloaded as f64)?;
            rows.add(&["refused"], counts.refused as f64)
        })?;
        encoder.rows(&catalogue::CERTIFICATE_FAILED, |rows| {
            pairs
                .iter()
                .try_for_each(|pair| rows.add(&[&shown(&pair.certificate)], flag(pair.is_outdated)))
        })
    }
}

fn audit(audit: &Status, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
    encoder.one(&catalogue::AUDIT_WRITTEN, audit.written as f64)?;
    encoder.one(&catalogue::AUDIT_LOST, audit.lost as f64)?;
    encoder.one(&catalogue::AUDIT_FAILURES, audit.failures as f64)?;
    encoder.one(&catalogue::AUDIT_QUEUE, audit.waiting as f64)?;
    encoder.one(&catalogue::AUDIT_QUEUE_MAXIMUM, audit.most as f64)?;
    encoder.one(&catalogue::AUDIT_SYNCED, audit.synced as f64 / 1000.0)?;
    encoder.one(&catalogue::AUDIT_WELL, flag(audit.is_well))
}

/// Returns when certificates end, of those of one use and name the one that ends first: none of
/// `mattering` has another in its place. Of the pinned ones the files are as many as there were changes,
/// so they are one.
fn ends(mattering: &[Dated]) -> BTreeMap<(Use, String, String), Time> {
    let mut ends = BTreeMap::new();
    for one in mattering {
        let file = if one.used_for == Use::Node { String::new() } else { shown(&one.file) };
        let names =
            if one.names.is_empty() { std::slice::from_ref(&one.subject) } else { &one.names };
        for name in names.iter().take(MOST_NAMES) {
            let first = ends.entry((one.used_for, name.clone(), file.clone()));
            let first = first.or_insert(one.not_after);
            *first = one.not_after.min(*first);
        }
    }
    ends
}

fn clock(exchanges: &Exchanges, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
    let last = Witness::ALL.map(|witness| (witness.name(), exchanges.clock.last(witness)));
    let mut rows_of = |metric, value: fn(Measured) -> f64| {
        encoder.rows(metric, |rows| {
            last.iter().try_for_each(|(witness, measured)| {
                rows.add(&[witness], measured.map_or(0.0, value) / 1000.0)
            })
        })
    };
    rows_of(&catalogue::NODE_CLOCK_OFFSET, |measured| measured.offset as f64)?;
    rows_of(&catalogue::NODE_CLOCK_ERROR, |measured| measured.error as f64)?;
    rows_of(&catalogue::NODE_CLOCK_TIME, |measured| measured.at.as_millisecond() as f64)
}

fn node(shared: &Shared, encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
    let node = &shared.flows.node;
    let exchanges = node.exchanges();
    let purposes = [("resolve", &exchanges.resolve), ("logout", &exchanges.logout)];
    encoder.rows(&catalogue::NODE_DURATION, |rows| {
        for (purpose, seen) in purposes {
            for (result, spread) in seen.by_result() {
                rows.spread(&[purpose, result], &spread)?;
            }
        }
        Ok(())
    })?;
    encoder.rows(&catalogue::NODE_EXCHANGES, |rows| {
        for (purpose, seen) in purposes {
            for (result, spread) in seen.by_result() {
                rows.add(&[purpose, result], spread.count() as f64)?;
            }
        }
        Ok(())
    })?;
    encoder.one(&catalogue::NODE_UNDER_WAY, node.under_way() as f64)?;
    encoder.one(&catalogue::NODE_MAXIMUM, node.maximum() as f64)?;
    encoder.one(&catalogue::NODE_TURNED_AWAY, exchanges.turned_away.value() as f64)?;
    encoder.one(&catalogue::NODE_EXTENSIONS, exchanges.extensions.answers.value() as f64)?;
    clock(exchanges, encoder)
}

fn groups(groups: &[upstream::Status], encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
    encoder.rows(&catalogue::UPSTREAM_REQUESTS, |rows| {
        groups.iter().try_for_each(|group| rows.add(&[&group.name], group.requests as f64))
    })?;
    encoder.rows(&catalogue::UPSTREAM_PENDING, |rows| {
        groups.iter().try_for_each(|group| rows.add(&[&group.name], group.pending as f64))
    })?;
    encoder.rows(&catalogue::UPSTREAM_REFUSED, |rows| {
        for group in groups {
            for (reason, count) in
                ["queue_full", "waited", "client_share"].into_iter().zip(group.refused)
            {
                rows.add(&[&group.name, reason], count as f64)?;
            }
        }
        Ok(())
    })?;
    encoder.rows(&catalogue::UPSTREAM_RETRIES, |rows| {
        groups.iter().try_for_each(|group| rows.add(&[&group.name], group.retries as f64))
    })
}

/// Two names may lead to one address, and an address that left may be back: they are told as one,
/// as well as the better of them.
fn servers(groups: &[upstream::Status], encoder: &mut MetricsEncoder<'_>) -> fmt::Result {
    let mut servers: BTreeMap<(&str, &str), ServerStatus> = BTreeMap::new();
    for group in groups {
        for server in &group.servers {
            let known = servers.entry((&group.name, &server.address));
            let known = known.and_modify(|known| {
                known.in_flight += server.in_flight;
                known.failures += server.failures;
                known.ejections += server.ejections;
            });
            known.or_insert_with(|| server.clone());
        }
    }
    encoder.rows(&catalogue::SERVER_STATE, |rows| {
        for ((upstream, address), server) in &servers {
            for state in State::ALL {
                let labels = [*upstream, *address, state.name()];
                rows.add(&labels, flag(server.state == state))?;
            }
        }
        Ok(())
    })?;
    for (metric, value) in [
        (&catalogue::SERVER_REQUESTS, (|s| f64::from(s.in_flight)) as fn(&ServerStatus) -> f64),
        (&catalogue::SERVER_FAILURES, |s| s.failures as f64),
        (&catalogue::SERVER_EJECTIONS, |s| s.ejections as f64),
    ] {
        encoder.rows(metric, |rows| {
            let mut all = servers.iter();
            all.try_for_each(|((upstream, address), s)| rows.add(&[upstream, address], value(s)))
        })?;
    }
    Ok(())
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// What the program is: its version, the commit and the compiler that it was built with, as far as
/// those who built it said so (`build.rs`).
const BUILT: [&str; 3] = [env!("CARGO_PKG_VERSION"), env!("BRAMA_COMMIT"), env!("BRAMA_RUST")];

/// How many names of one certificate are told.
const MOST_NAMES: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::inventory::mattering;
    use crate::app::inventory::tests::dated;

    #[test]
    fn what_another_has_followed_is_not_told_as_ending() {
        let now = "2031-06-01T00:00:00Z".parse().unwrap();
        let over = ("2021-01-01T00:00:00Z", "2031-01-01T00:00:00Z");
        let good = ("2030-01-01T00:00:00Z", "2040-01-01T00:00:00Z");
        let future = ("2031-07-01T00:00:00Z", "2040-01-01T00:00:00Z");
        // Two roots of different names in one file, or two pinned certificates of one name.
        let root = |name: &str, dates| {
            let subject = name.to_owned();
            Dated { subject, ..dated(Use::NodeCa, "node.extra_ca_file", dates) }
        };
        let pinned =
            |number: u8, dates| dated(Use::Node, &format!("node.certificates[{number}]"), dates);
        for (all, expected) in [
            (vec![root("CN=old", over), root("CN=new", good)], vec![("CN=new", "2040")]),
            (vec![root("CN=old", over)], vec![("CN=old", "2031")]),
            (vec![pinned(0, over), pinned(1, good)], vec![("CN=test", "2040")]),
            // The next one takes no place yet.
            (vec![pinned(0, over), pinned(1, future)], vec![("CN=test", "2031")]),
        ] {
            let mattering: Vec<_> = mattering(&all, now).cloned().collect();
            let ends = ends(&mattering);
            let told: Vec<_> =
                ends.iter().map(|((_, name, _), end)| (&**name, end.to_string())).collect();
            let told: Vec<_> = told.iter().map(|(name, end)| (*name, &end[..4])).collect();
            assert_eq!(told, expected);
        }
    }
}
