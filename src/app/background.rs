//! What goes on beside the workers: each a task of its own, until the program ends.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tracing::error;

use super::alarms::Alarms;
use super::heeded::Heeded;
use super::inventory::Served;
use super::keys::Keeper;
use super::lock::Lock;
use super::memory;
use super::parts::Startup;
use super::replicas::Replicas;
use super::store::Opening;
use crate::base::clock::SharedClock;
use crate::base::shutdown::Shutdown;
use crate::gateway::Shared;
use crate::observe::traces::Exporter;
use crate::operations::Operations;
use crate::operations::status::facts::Source;
use crate::operations::status::history::History;
use crate::proxy::upstream::{self, Group};
use crate::server::certificates;
use crate::server::listener::{self, Admission};
use crate::server::notify;
use crate::server::socket::Bound;
use crate::store::RecordStore;
use crate::store::agreement::Agreement;
use crate::store::redis::Redis;

/// Tasks beside the workers.
pub(super) struct Background {
    tasks: JoinSet<()>,
    /// The groups of servers that are watched over.
    watched: Vec<Weak<Group>>,
    /// The task that holds the state folder.
    lock: Option<AbortHandle>,
    stop: Shutdown,
}

impl Background {
    /// Begins with none; the watch over servers ends with `stop`, all else with [`Self::end`].
    /// Spans go to a collector where one is wanted.
    pub(super) fn new(stop: Shutdown, exporter: Option<Exporter>) -> Self {
        let mut tasks = JoinSet::new();
        if let Some(exporter) = exporter {
            tasks.spawn(exporter.run());
        }
        Self { tasks, watched: Vec::new(), lock: None, stop }
    }

    /// Holds the state folder, and keeps the records: what sessions have to tell the store and hear
    /// of it, what is still to be opened, what there is to agree on with other replicas, and that
    /// the store was asked.
    pub(super) fn keep_records(
        &mut self,
        shared: &Shared,
        (opening, agreement, lock): (Option<Opening>, Option<Agreement>, Lock),
        (startup, store): (Arc<Startup>, &Arc<dyn RecordStore>),
    ) {
        self.tasks.spawn(startup.ask(Arc::clone(store), opening.is_some()));
        self.lock = Some(self.tasks.spawn(lock.hold()));
        let clock = || Arc::clone(&shared.clock);
        self.tasks.spawn(Arc::clone(&shared.flows.sessions).serve(clock()));
        if let Some(opening) = opening {
            self.tasks.spawn(opening.run());
        }
        if let Some(agreement) = agreement {
            self.tasks.spawn(agreement.keep(clock()));
        }
    }

    /// Begins what every gateway has: the rotation of keys, memory that is given back, alarms, the watches
    /// over files and servers, and the word to the watchdog; and orders of certificates, where they are wanted.
    pub(super) fn start(
        &mut self,
        (keeper, certificates, groups): (Arc<Keeper>, Vec<Served>, Vec<Arc<Group>>),
        heeded: &Heeded,
        shared: &Shared,
    ) {
        self.tasks.spawn(keeper.keep());
        self.tasks.spawn(memory::give_back());
        self.tasks.spawn(Alarms::new(&heeded.watched, shared).watch(self.stop.clone()));
        if let Some(orders) = heeded.orders.clone() {
            self.tasks.spawn(orders.keep(self.stop.clone()));
        }
        self.watch_certificates(certificates, shared);
        self.watch_groups(groups);
        self.tell_watchdog();
    }

    /// Takes certificates anew when their files change.
    fn watch_certificates(&mut self, certificates: Vec<Served>, shared: &Shared) {
        for (used_for, certificates) in certificates {
            let watched = (used_for.name(), certificates);
            let told = (Arc::clone(&shared.events), Arc::clone(&shared.clock));
            let stop = self.stop.clone();
            self.tasks.spawn(certificates::watch(watched, LOOK_AT_FILES, told, stop));
        }
    }

    /// Watches over groups of servers; over each once, for as long as it is held elsewhere.
    pub(super) fn watch_groups(&mut self, groups: Vec<Arc<Group>>) {
        self.watched.retain(|known| known.strong_count() > 0);
        for group in groups {
            let is_watched =
                |known: &Weak<Group>| std::ptr::eq(known.as_ptr(), Arc::as_ptr(&group));
            if !self.watched.iter().any(is_watched) {
                self.watched.push(Arc::downgrade(&group));
                self.tasks.spawn(upstream::watch(&group, self.stop.clone()));
            }
        }
    }

    /// Notes what happens in each minute, for the status page.
    pub(super) fn note_history(
        &mut self,
        history: Arc<History>,
        source: Arc<dyn Source>,
        clock: SharedClock,
    ) {
        self.tasks.spawn(history.keep(source, move || clock.now()));
    }

    /// Counts the gateways that share a server of records.
    pub(super) fn count_replicas(&mut self, replicas: Arc<Replicas>, redis: Option<Arc<Redis>>) {
        if let Some(redis) = redis {
            self.tasks.spawn(replicas.keep(redis));
        }
    }

    /// Tells the service manager that the program is alive, when it wants to know.
    fn tell_watchdog(&mut self) {
        if let Some(period) = notify::watchdog() {
            self.tasks.spawn(async move {
                loop {
                    tokio::time::sleep(period).await;
                    notify::alive();
                }
            });
        }
    }

    /// Leaves the state folder to a successor.
    pub(super) fn give_up_folder(&mut self) {
        if let Some(lock) = self.lock.take() {
            lock.abort();
        }
    }

    /// Ends all tasks that still run.
    pub(super) async fn end(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Serves the operations listener, which has few connections and ends last.
pub(super) fn serve_operations(
    (socket, tls): (Bound, Option<Arc<rustls::ServerConfig>>),
    service: Operations,
    limits: listener::Limits,
    stop: Shutdown,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        match socket.into_listener() {
            Ok(listener) => {
                let endpoint = listener::Endpoint { listener, tls, networks: None };
                let bounds = listener::Limits {
                    connections: MOST_OPERATORS,
                    connections_per_address: MOST_OF_ONE_ADDRESS,
                    idle_timeout: limits.idle_timeout.min(IDLE),
                    drain_timeout: Duration::from_secs(1),
                    // Programs ask little, and one protocol has fewer ways to be asked.
                    http2: false,
                    ..limits
                };
                let admission = Admission::new(bounds, Vec::new(), &[]);
                listener::run(endpoint, Arc::new(service), admission, stop).await;
            }
            Err(error) => error!(%error, "operations listener cannot start"),
        }
    })
}

/// How often the files of certificates are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(2);
/// How many connections the operations listener has at most.
const MOST_OPERATORS: usize = 100;
/// How many of them one address has, so that no neighbour takes all of them.
const MOST_OF_ONE_ADDRESS: usize = 25;
/// How long one of them stays open between two requests.
const IDLE: Duration = Duration::from_secs(20);
