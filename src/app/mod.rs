//! The assembly: settings become a gateway with its listeners. Read this second, after `lib.rs`.
//!
//! [`App::bind`] puts everything together, [`App::run`] serves: a worker a core
//! ([`crate::server::workers`]), each with a gateway of its own that shares all but the
//! connections to upstreams. A new configuration is a new gateway for each worker (`renewal`); a
//! new version of the program is a new process with the same sockets (`successor`).

mod current;
mod keys;
mod metrics;
mod renewal;
pub mod settings;
mod sockets;
pub(crate) mod state;
mod store;
mod successor;

use std::net::SocketAddr;
use std::sync::{Arc, RwLock, Weak};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use self::current::{Current, ToHttps};
use self::metrics::{Life, Numbers};
pub use self::renewal::Refused;
use self::renewal::Renewal;
pub use self::settings::Settings;
use self::sockets::{Closed, Purpose, Sockets};
use self::state::StateError;
use crate::base::clock::SharedClock;
use crate::base::secret::Secret;
use crate::base::stop::stop as new_stop;
use crate::flow::Flows;
use crate::flow::node::NodeClient;
use crate::gate::policy::Policy;
use crate::http::Gateway;
use crate::http::admin::Admin;
use crate::http::lasting::{Present, Rules};
use crate::http::limits::Limits;
use crate::http::operations::Operations;
use crate::identity::token::{Minter, Tokens};
use crate::observe::access::AccessLog;
use crate::observe::metrics::process::Process;
use crate::proxy::Upstreams;
use crate::proxy::upstream::{self, Group, SystemLookup};
use crate::server::listener::{self, Admission, Stop};
use crate::server::{certificates, handover, notify, tls, workers};
use crate::session::recent::RecentSessions;

/// A gateway whose sockets are bound: it can be reached as soon as it runs.
pub struct App {
    gateway: Gateway,
    renewal: Renewal,
    sockets: Sockets,
    admission: Arc<Admission>,
    state: state::State,
    clock: SharedClock,
    admin_token: Option<Secret<Vec<u8>>>,
    kept: store::Kept,
    life: Arc<Life>,
}

/// What a running gateway can be told.
pub enum Command {
    /// Serve by new settings from the next request on; the answer says whether that was possible.
    Apply(Box<Settings>, oneshot::Sender<Result<(), Refused>>),
    /// A new configuration was found to be wrong, so nothing is applied. It is told in the metrics.
    Refused,
    /// Go on in a new file of the access log: the old one was moved away.
    ReopenLogs,
    /// Start this program with the same sockets, and leave when it is ready.
    Succeed(Box<std::process::Command>),
}

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address cannot be listened on.
    #[error("cannot listen on {name}: {source}")]
    Listen {
        /// The address.
        name: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Sockets cannot be kept for a successor.
    #[error(transparent)]
    HandOver(#[from] handover::Error),
    /// The access log cannot be written.
    #[error("access log cannot be written: {0}")]
    AccessLog(std::io::Error),
    /// What is kept between runs cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The place where records are kept cannot be opened.
    #[error(transparent)]
    Store(crate::store::file::OpenError),
    /// The servers where records are kept can never be reached.
    #[error("session store: {0}")]
    Redis(#[source] crate::store::redis::settings::ConnectError),
    /// Other replicas have other secrets.
    #[error(transparent)]
    Secrets(crate::store::agreement::Disagreement),
}

impl App {
    /// Puts everything together and binds the sockets.
    ///
    /// # Errors
    /// When an address is taken, or kept keys cannot be read.
    pub async fn bind(settings: Settings, clock: SharedClock) -> Result<Self, Error> {
        let now = clock.now();
        let state = state::State::new(settings.state_directory.clone());
        let ring = Arc::new(RwLock::new(state.key_ring(settings.key_rotation, now)?));
        let secret = match settings.pairwise_secret.clone() {
            Some(secret) => secret,
            None => state.pairwise_secret()?,
        };

        let kept =
            store::open(settings.store, &state, &settings.session, &settings.flows, &secret)?;
        kept.agree(now).await?;
        let sessions = Arc::clone(&kept.sessions);
        let node = NodeClient::new(settings.node, settings.node_tls);
        let policy = Arc::new(Policy::new(settings.routes));
        let kept_tokens = settings.session.maximum.saturating_mul(policy.releases() as u64);
        let renewal = Renewal::new(settings.fixed, secret.clone(), kept_tokens);
        let minter = Arc::new(Minter::new(
            settings.http.origin.clone(),
            secret,
            settings.token_lifetime,
            Arc::clone(&ring),
            kept_tokens,
        ));
        let recent = RecentSessions::new(settings.session.idle);
        let records = (Arc::clone(&kept.place), kept.sealer.clone());
        let flows = Flows::new(
            settings.flows,
            settings.session,
            node,
            sessions,
            records,
            Arc::clone(&clock),
        );
        let limits = Limits::new(settings.http.limits.clone(), Arc::clone(&clock));
        let present = Present::new(Rules {
            policy: Arc::clone(&policy),
            may_pass_maintenance: settings.http.maintenance.allow.clone(),
        });
        let gateway = Gateway {
            settings: Arc::new(settings.http),
            flows: Arc::new(flows),
            present,
            policy,
            recent: Arc::new(recent),
            tokens: Arc::new(Tokens::new(Arc::clone(&minter))),
            minter,
            ring,
            upstreams: Arc::new(Upstreams::new(settings.upstreams)),
            limits: Arc::new(limits),
            access: Arc::new(AccessLog::start(settings.log.access).map_err(Error::AccessLog)?),
            counts: Arc::default(),
            answers: Arc::default(),
            clock: Arc::clone(&clock),
        };
        for group in gateway.upstreams.groups() {
            upstream::resolve(group, &SystemLookup).await;
        }
        let listen = settings.listen;
        let (proxies, trusted) = (listen.proxy_protocol_from.clone(), &listen.trusted_proxies);
        let admission = Admission::new(listen.limits, proxies, trusted);
        let sockets = Sockets::bind(listen)?;
        let admin_token = settings.admin_token;
        let life = Life::begin(now);
        Ok(Self { gateway, renewal, sockets, admission, state, clock, admin_token, kept, life })
    }

    /// Returns the address of the operations listener.
    #[must_use]
    pub fn operations_address(&self) -> Option<SocketAddr> {
        self.sockets.operations.address().ok()
    }

    /// Returns what the logins of all workers share, for whoever watches them.
    #[must_use]
    pub fn flows(&self) -> Arc<Flows> {
        Arc::clone(&self.gateway.flows)
    }

    /// Serves until told to stop.
    pub async fn run(self, stop: Stop) {
        let (_commands, nothing) = mpsc::channel(1);
        self.run_with(stop, nothing).await;
    }

    /// Serves until told to stop, and does what it is told meanwhile. Readiness says "no" first,
    /// then connections end, and the operations listener stops last.
    pub async fn run_with(self, mut stop: Stop, mut commands: mpsc::Receiver<Command>) {
        let Self { gateway, renewal, sockets, admission, state, clock, admin_token, kept, life } =
            self;
        info!(
            http = sockets.address("http"),
            https = sockets.address("https"),
            unix = sockets.address("unix"),
            redirect = sockets.address("redirect"),
            operations = sockets.operations.address().map(|a| a.to_string()).unwrap_or_default(),
            workers = sockets.workers.len(),
            "gateway started"
        );
        let Sockets { workers: doors, operations, hand_over, certificates, .. } = sockets;
        let limits = admission.limits();
        let (stopper, stopping) = new_stop();

        // 1. The workers.
        let currents: Vec<_> = doors.iter().map(|_| Current::new(gateway.for_worker())).collect();
        let jobs = doors.into_iter().zip(&currents).map(|(doors, current)| {
            let (current, admission, stop) =
                (Arc::clone(current), Arc::clone(&admission), stopping.clone());
            move || work(doors, current, admission, stop)
        });
        let workers = match workers::start(jobs.collect()) {
            Ok(workers) => workers,
            Err(error) => {
                error!(%error, "workers cannot start");
                return;
            }
        };

        // 2. What goes on beside them.
        let (operations_stopper, operations_stop) = new_stop();
        let admin =
            Admin::new(admin_token, Arc::clone(&gateway.flows.sessions), Arc::clone(&clock));
        let (store, traffic) = kept.seen();
        let numbers = Numbers {
            process: Process::began(life.began()),
            clock: Arc::clone(&clock),
            workers: currents.clone(),
            admission: Arc::clone(&admission),
            certificates: certificates.clone(),
            stop: stopping.clone(),
            life: Arc::clone(&life),
            store,
            traffic,
        };
        let answers = Arc::new(Operations::new(stopping.clone(), admin, numbers.scraper()));
        let operations = tokio::spawn(async move {
            match operations.into_listener() {
                Ok(listener) => {
                    let door = listener::Door { listener, tls: None };
                    let bounds = listener::Limits {
                        connections: 100,
                        connections_per_address: 0,
                        drain_timeout: Duration::from_secs(1),
                        ..limits
                    };
                    let admission = Admission::new(bounds, Vec::new(), &[]);
                    listener::attend(door, answers, admission, operations_stop).await;
                }
                Err(error) => error!(%error, "operations listener cannot start"),
            }
        });
        let mut beside = JoinSet::new();
        let sessions = Arc::clone(&gateway.flows.sessions);
        beside.spawn(Arc::clone(&sessions).attend(Arc::clone(&clock)));
        if let Some(opening) = kept.opening {
            beside.spawn(opening.run());
        }
        if let Some(agreement) = kept.agreement {
            beside.spawn(agreement.keep(Arc::clone(&clock)));
        }
        beside.spawn(keys::rotate(Arc::clone(&gateway.ring), state, Arc::clone(&clock)));
        if let Some(certificates) = certificates {
            beside.spawn(certificates::watch(certificates, LOOK_AT_FILES, stopping.clone()));
        }
        let mut watched = Vec::new();
        for group in gateway.upstreams.groups() {
            watch_group(group, &mut watched, &stopping, &mut beside);
        }
        if let Some(period) = notify::watchdog() {
            beside.spawn(async move {
                loop {
                    tokio::time::sleep(period).await;
                    notify::alive();
                }
            });
        }
        notify::ready();
        successor::tell_predecessor().await;

        // 3. Until it is time to stop.
        let mut hand_over = Some(hand_over);
        let left_to_successor = loop {
            // Nobody who could tell anything any more is no reason to end.
            let command = tokio::select! {
                () = stop.wait() => break false,
                Some(command) = commands.recv() => command,
            };
            match command {
                Command::Apply(settings, told) => {
                    notify::reloading();
                    let applied = renewal.apply(*settings, &admission, &currents).await;
                    let applied = applied.map(|groups| {
                        for group in groups {
                            watch_group(&group, &mut watched, &stopping, &mut beside);
                        }
                    });
                    notify::ready();
                    life.reloaded(applied.is_ok(), clock.now());
                    let _ = told.send(applied);
                }
                Command::Refused => life.reloaded(false, clock.now()),
                Command::ReopenLogs => gateway.access.reopen(),
                Command::Succeed(command) => {
                    let Some(sockets) = &hand_over else { continue };
                    match successor::start(*command, sockets, &mut stop).await {
                        Ok(process) => {
                            info!(process, "successor is ready");
                            life.succeeded(true);
                            notify::successor(process);
                            if let Some(sockets) = hand_over.take() {
                                sockets.complete();
                            }
                            break true;
                        }
                        Err(error) => {
                            life.succeeded(false);
                            warn!(%error, "no successor, so this process goes on");
                        }
                    }
                }
            }
        };

        // 4. Leave first, so that whoever sends requests can notice; then stop.
        drop(hand_over);
        stopper.leave();
        if left_to_successor {
            // The successor waits for what only one process can have.
            sessions.tell_all(clock.now()).await;
            kept.place.close();
            operations_stopper.stop();
        } else {
            notify::stopping();
            tokio::time::sleep(limits.drain_delay).await;
        }
        stopper.stop();
        workers.ended().await;
        sessions.tell_all(clock.now()).await;
        gateway.access.flush();
        beside.shutdown().await;
        operations_stopper.stop();
        let _ = operations.await;
        info!("gateway stopped");
    }
}

/// Begins to watch over a group, unless that was begun before.
fn watch_group(
    group: &Arc<Group>,
    watched: &mut Vec<Weak<Group>>,
    stop: &Stop,
    beside: &mut JoinSet<()>,
) {
    watched.retain(|known| known.strong_count() > 0);
    if watched.iter().any(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(group))) {
        return;
    }
    watched.push(Arc::downgrade(group));
    beside.spawn(upstream::watch(group, stop.clone()));
}

/// What a worker does: it attends its doors, and tidies up.
async fn work(doors: Vec<Closed>, current: Arc<Current>, admission: Arc<Admission>, stop: Stop) {
    // A channel of its own: asking it costs no other worker anything.
    let (stopper, stopping) = new_stop();
    tokio::spawn(stop.pass_on(stopper));
    let mut attended = JoinSet::new();
    for door in doors {
        let purpose = door.purpose();
        let door = match door.open() {
            Ok(door) => door,
            Err(error) => {
                error!(%error, "a worker cannot listen");
                continue;
            }
        };
        let (current, admission) = (Arc::clone(&current), Arc::clone(&admission));
        let stop = stopping.clone();
        match purpose {
            Purpose::Portal => {
                attended.spawn(listener::attend(door, current, admission, stop));
            }
            Purpose::Redirect => {
                let service = Arc::new(ToHttps(current));
                attended.spawn(listener::attend(door, service, admission, stop));
            }
        }
    }
    let tidy = async {
        loop {
            tokio::time::sleep(TIDY).await;
            current.gateway().upstreams.sweep();
        }
    };
    let all = async { while attended.join_next().await.is_some() {} };
    tokio::select! {
        () = all => {}
        () = tidy => {}
    }
}

/// How often the files of certificates are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(2);
/// How often connections to upstreams that waited too long are closed.
const TIDY: Duration = Duration::from_secs(5);
