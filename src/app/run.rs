//! The life of a gateway, from its first connection to its last.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::background::{Background, serve_operations};
use super::current::Current;
use super::heeded::Heeded;
use super::inventory::Dated;
use super::metrics::{Life, Metrics};
use super::parts::{Looked, Startup};
use super::renewal::{Renewal, Renewed};
use super::replicas::Replicas;
use super::sockets::{Closed, Sockets};
use super::successor::{Successor, VERSION};
use super::watch::Watched;
use super::worker::work;
use super::{App, Command, in_use, successor};
use crate::base::shutdown::shutdown;
use crate::flow::tenure::Tenure;
use crate::gateway::{Shared, Worker};
use crate::observe::event::Event;
use crate::observe::metrics::process::Process;
use crate::operations::audit::AuditDesk;
use crate::operations::capture::CaptureDesk;
use crate::operations::guard::Guard;
use crate::operations::keys::KeyDesk;
use crate::operations::sessions::SessionDesk;
use crate::operations::status::StatusDesk;
use crate::operations::status::facts::Source;
use crate::operations::status::history::History;
use crate::operations::why::WhyDesk;
use crate::operations::{Desks, Operations};
use crate::proxy::upstream::Group;
use crate::server::handover::HandOver;
use crate::server::listener::{Admission, Shutdown};
use crate::server::notify;
use crate::server::workers::{self, Workers};
use crate::session::sessions::Sessions;
use crate::store::RecordStore;

impl App {
    /// Serves until told to stop.
    pub async fn run(self, stop: Shutdown) {
        let (_commands, nothing) = mpsc::channel(1);
        self.run_with(stop, nothing).await;
    }

    /// Serves until told to stop, and does what it is told meanwhile. Readiness says "no" first,
    /// then connections end, and the operations listener stops last.
    pub async fn run_with(self, stop: Shutdown, commands: mpsc::Receiver<Command>) {
        let Self {
            shared,
            groups,
            renewal,
            sockets,
            admission,
            keeper,
            heeded,
            kept,
            lock,
            life,
            exporter,
        } = self;
        note_start(&sockets, &shared, &heeded.watched);
        let Sockets { workers: doors, operations, door, hand_over, certificates, .. } = sockets;
        let (limits, (stopper, stopping)) = (admission.limits(), shutdown());
        let (operations_stopper, operations_stop) = shutdown();

        // 1. The workers.
        let currents = currents(doors.len(), &shared, &groups);
        let started = start_workers(doors, &currents, &admission, &stopping);
        let Some((workers, startup)) = started else { return };

        // 2. What goes on beside them.
        let (sessions, served) = (Arc::clone(&shared.flows.sessions), Arc::clone(&shared));
        let replicas = Replicas::of(kept.redis.as_ref());
        let numbers = Arc::new(Metrics {
            process: Process::began(life.began()),
            clock: Arc::clone(&shared.clock),
            workers: currents.clone(),
            admission: Arc::clone(&admission),
            certificates: certificates.of_citizens.clone(),
            watched: Arc::clone(&heeded.watched),
            stop: stopping.clone(),
            life: Arc::clone(&life),
            store: kept.seen(),
            replicas: Arc::clone(&replicas),
            keeper: Arc::clone(&keeper),
            orders: heeded.orders.clone(),
        });
        let history = History::begin(Source::totals(&*numbers));
        let service = service(door.hosts, &heeded, (&numbers, &history), (&shared, &startup));
        let operations = serve_operations((operations, door.tls), service, limits, operations_stop);
        let mut background = Background::new(stopping, exporter);
        let asked = (startup, &kept.store);
        background.keep_records(&shared, (kept.opening, kept.agreement, lock), asked);
        background.start((keeper, certificates.all, groups), &heeded, &shared);
        background.count_replicas(replicas, kept.redis.clone());
        background.note_history(history, numbers, Arc::clone(&shared.clock));
        notify::ready();
        successor::tell_predecessor().await;

        // 3. Until it is time to stop.
        let mut running =
            Running { renewal, admission, currents, background, life, heeded, served, stop };
        let ending = running.obey(commands, hand_over, || reopen(&shared)).await;

        // 4. Leave first, so that balancers and clients can notice; then stop.
        stopper.drain();
        if ending == Ending::LeftToSuccessor {
            // New connections are the successor's, which waits for what only one process can have.
            stopper.succeed();
            operations_stopper.stop();
            // Where replicas share the store, a successor is only one more.
            let tenure = kept.redis.is_none().then_some(&*shared.flows.tenure);
            running.give_up(tenure, &sessions, &*kept.store).await;
        } else {
            notify::stopping();
        }
        // A proxy in front may be sending a request just now: each connection ends with an answer.
        tokio::time::sleep(limits.drain_delay).await;
        stopper.stop();
        workers.ended().await;
        running.end(&sessions, &shared).await;
        operations_stopper.stop();
        let _ = operations.await;
        stopped(&shared);
    }
}

/// How long a successor waits for logins and other requests that need the store: most take a
/// fraction of a second. Whoever needs it at the successor waits meanwhile, for five seconds at most
/// ([`crate::store::opening`]), so this must be less.
const LAST_REQUESTS: Duration = Duration::from_secs(3);

/// How long the end waits for the collector of traces.
const LAST_SPANS: Duration = Duration::from_secs(3);

/// Why the gateway stops to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// A command of the caller, such as a signal, told it to.
    Told,
    /// Another process has its sockets and is ready.
    LeftToSuccessor,
}

/// A gateway that serves, as commands change it.
struct Running {
    renewal: Renewal,
    admission: Arc<Admission>,
    currents: Vec<Arc<Current>>,
    background: Background,
    life: Arc<Life>,
    heeded: Heeded,
    served: Arc<Shared>,
    stop: Shutdown,
}

impl Running {
    /// Leaves to a successor what only one process can have: the store and the state folder. What
    /// has begun in the `tenure` of the store comes to its end before.
    async fn give_up(
        &mut self,
        tenure: Option<&Tenure>,
        sessions: &Sessions,
        store: &dyn RecordStore,
    ) {
        if let Some(tenure) = tenure
            && !tenure.end(LAST_REQUESTS).await
        {
            warn!("the store is left to the successor, while requests need it");
        }
        self.leave_store(sessions).await;
        store.close();
        self.background.give_up_folder();
    }

    /// Writes what the store is still to be told of sessions, and lets go of it.
    async fn leave_store(&self, sessions: &Sessions) {
        let clock = &self.served.clock;
        sessions.write_all_activity(clock.now()).await;
        sessions.leave_store(clock.now()).await;
    }

    /// Does what is still to be done once the workers have ended.
    async fn end(self, sessions: &Sessions, shared: &Shared) {
        self.leave_store(sessions).await;
        shared.access.flush();
        shared.traces.flush(LAST_SPANS).await;
        self.background.end().await;
    }

    /// Tells that a new configuration was read.
    fn reloaded(&self, is_applied: bool) {
        let now = self.served.clock.now();
        self.life.reloaded(is_applied, now);
        let event =
            if is_applied { Event::ConfigurationApplied } else { Event::ConfigurationRefused };
        self.served.events.tell(now, None, event);
    }

    /// Tells which certificates the configuration names that it did not name before.
    fn tell_what_is_new(&self, before: &[Dated]) {
        let (now, Shared { events, clock, .. }) =
            (self.heeded.watched.inventory.named(), &*self.served);
        in_use::tell(before, &now, events, clock.now());
    }

    /// Does what it is told until it has to leave.
    async fn obey(
        &mut self,
        mut commands: mpsc::Receiver<Command>,
        sockets: HandOver,
        reopen_logs: impl Fn(),
    ) -> Ending {
        loop {
            // All command senders may be gone; that is no reason to end.
            let command = tokio::select! {
                () = self.stop.wait() => return Ending::Told,
                Some(command) = commands.recv() => command,
            };
            match command {
                Command::Apply(settings, told) => {
                    notify::reloading();
                    let applied =
                        self.renewal.apply(*settings, &self.admission, &self.currents).await;
                    let applied = applied.map(|renewed| {
                        let Renewed { groups, level, ordered, watch, operators } = renewed;
                        if let (Some(orders), Some(names)) = (&self.heeded.orders, ordered) {
                            orders.want(names);
                        }
                        self.background.watch_groups(groups);
                        let before = self.heeded.watched.inventory.named();
                        self.heeded.replace(watch, &operators, level);
                        self.tell_what_is_new(&before);
                    });
                    notify::ready();
                    self.reloaded(applied.is_ok());
                    if applied.is_err() {
                        self.heeded.forget_operators();
                    }
                    let _ = told.send(applied);
                }
                Command::Refused { is_news } => {
                    if is_news {
                        self.reloaded(false);
                    }
                    self.heeded.forget_operators();
                }
                Command::ReopenLogs => reopen_logs(),
                Command::Succeed(command) => {
                    match successor::start(*command, &sockets, &mut self.stop).await {
                        Ok(Successor { process, program, version }) => {
                            info!(
                                process,
                                program,
                                version,
                                version_here = VERSION,
                                "successor is ready"
                            );
                            self.life.succeeded(true);
                            notify::successor(process);
                            sockets.complete();
                            return Ending::LeftToSuccessor;
                        }
                        Err(error) => {
                            self.life.succeeded(false);
                            warn!(%error, "no successor, so this process goes on");
                        }
                    }
                }
            }
        }
    }
}

/// Makes what operators ask.
fn service(
    hosts: Vec<String>,
    heeded: &Heeded,
    (numbers, history): (&Arc<Metrics>, &Arc<History>),
    (shared, startup): (&Arc<Shared>, &Arc<Startup>),
) -> Operations {
    let known = (shared, numbers.store.0, &numbers.keeper, &numbers.watched, &numbers.life);
    let (keeper, clock) = (Arc::clone(&numbers.keeper), || Arc::clone(&shared.clock));
    let (flows, events) = (&shared.flows, || Arc::clone(&shared.events));
    let sessions = || Arc::clone(&flows.sessions);
    let source: Arc<dyn Source> = Arc::<Metrics>::clone(numbers);
    let desks = Desks {
        health: Looked::new(&numbers.stop, startup, known, &numbers.workers),
        sessions: SessionDesk::new(sessions(), clock()),
        keys: KeyDesk::new(keeper, sessions(), clock()),
        why: WhyDesk::new(Arc::clone(&flows.histories), events(), clock()),
        audit: AuditDesk::new(Arc::clone(&shared.audit), events(), clock()),
        capture: CaptureDesk::new(Arc::clone(&flows.captures), events(), clock()),
        log: Arc::clone(&heeded.log),
        scraper: numbers.scraper(),
        status: StatusDesk::new(source, Arc::clone(history)),
        probes: Arc::clone(&shared.probes),
    };
    Operations::new(Guard::new(hosts), Arc::clone(&heeded.operators), desks)
}

/// Nothing happens any more of which a record could be made.
fn stopped(shared: &Shared) {
    shared.audit.close();
    info!("gateway stopped");
}

/// Goes on in new files where old ones were moved away.
fn reopen(shared: &Shared) {
    shared.access.reopen();
    shared.audit.reopen();
}

/// Makes what each worker serves with.
fn currents(count: usize, shared: &Arc<Shared>, groups: &[Arc<Group>]) -> Vec<Arc<Current>> {
    (0..count).map(|_| Current::new(Worker::new(shared, groups))).collect()
}

/// Starts a thread for each worker, with its sockets, and says what is waited for; tells why when that
/// cannot be.
fn start_workers(
    doors: Vec<Vec<Closed>>,
    currents: &[Arc<Current>],
    admission: &Arc<Admission>,
    stop: &Shutdown,
) -> Option<(Workers, Arc<Startup>)> {
    let startup = Startup::waiting(doors.len());
    let jobs = doors.into_iter().zip(currents).map(|(doors, current)| {
        let (current, admission) = (Arc::clone(current), Arc::clone(admission));
        let (startup, stop) = (Arc::clone(&startup), stop.clone());
        move || work(doors, current, admission, startup, stop)
    });
    let started = workers::start(jobs.collect());
    let started = started.inspect_err(|error| error!(%error, "workers cannot start")).ok();
    started.map(|workers| (workers, startup))
}

fn note_start(sockets: &Sockets, shared: &Shared, watched: &Watched) {
    info!(
        version = VERSION,
        http = sockets.address("http"),
        https = sockets.address("https"),
        unix = sockets.address("unix"),
        redirect = sockets.address("redirect"),
        companions = sockets.companions(),
        operations = sockets.operations.address().map(|a| a.to_string()).unwrap_or_default(),
        workers = sockets.workers.len(),
        "gateway started"
    );
    in_use::tell(&[], &watched.inventory.named(), &shared.events, shared.clock.now());
}
