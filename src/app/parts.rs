//! How the parts of a running gateway are, for whoever asks about its health.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use super::current::Current;
use super::inventory::{Dated, Use, mattering};
use super::keys::Keeper;
use super::metrics::Life;
use super::watch::Watched;
use crate::audit::Status;
use crate::base::clock::Time;
use crate::base::shutdown::Shutdown;
use crate::gateway::Shared;
use crate::operations::health::{Health, Name, Needs, Part, State};
use crate::proxy::upstream::{State as ServerState, Status as GroupStatus};
use crate::store::RecordStore;

/// What is still to happen before the gateway has started.
#[derive(Debug)]
pub(super) struct Startup {
    workers: usize,
    listening: AtomicUsize,
    is_store_asked: AtomicBool,
}

impl Startup {
    /// Begins to wait for so many workers, and for the store.
    pub(super) fn waiting(workers: usize) -> Arc<Self> {
        let (listening, is_store_asked) = (AtomicUsize::new(0), AtomicBool::new(false));
        Arc::new(Self { workers, listening, is_store_asked })
    }

    /// Notes that a worker listens.
    pub(super) fn listens(&self) {
        self.listening.fetch_add(1, Ordering::Relaxed);
    }

    /// Asks the store once; that it answered, or did not, is all that is waited for. What a
    /// predecessor still has is asked for when it has let go.
    pub(super) async fn ask(self: Arc<Self>, store: Arc<dyn RecordStore>, is_opening: bool) {
        if !is_opening {
            // Whether it is away is noted where sessions ask it.
            let _ = store.check().await;
        }
        self.is_store_asked.store(true, Ordering::Relaxed);
    }

    fn part(&self) -> Part {
        let listening = self.listening.load(Ordering::Relaxed);
        let (state, detail) = match () {
            () if listening < self.workers => {
                (State::Failed, format!("{listening} of {} workers listen", self.workers))
            }
            () if !self.is_store_asked.load(Ordering::Relaxed) => {
                (State::Failed, "the store was not asked yet".to_owned())
            }
            () => (State::Ok, format!("{listening} workers listen")),
        };
        Part { name: Name::Startup, state, detail }
    }
}

/// What is looked at when somebody asks for the parts.
pub(super) struct Looked {
    stop: Shutdown,
    startup: Arc<Startup>,
    /// What of it lasts as long as the process: sessions, and how long they go on without the store.
    shared: Arc<Shared>,
    /// The name of the store.
    store: &'static str,
    keeper: Arc<Keeper>,
    watched: Arc<Watched>,
    life: Arc<Life>,
    workers: Vec<Arc<Current>>,
}

/// What is known of a gateway: what all workers share, the name of its store, who keeps the keys, what
/// is watched, and what happened to the program.
type Known<'k> = (&'k Arc<Shared>, &'static str, &'k Arc<Keeper>, &'k Arc<Watched>, &'k Arc<Life>);

impl Looked {
    pub(super) fn new(
        stop: &Shutdown,
        startup: &Arc<Startup>,
        (shared, store, keeper, watched, life): Known<'_>,
        workers: &[Arc<Current>],
    ) -> Arc<Self> {
        Arc::new(Self {
            stop: stop.clone(),
            startup: Arc::clone(startup),
            shared: Arc::clone(shared),
            store,
            keeper: Arc::clone(keeper),
            watched: Arc::clone(watched),
            life: Arc::clone(life),
            workers: workers.to_vec(),
        })
    }
}

impl Health for Looked {
    fn look(&self) -> Vec<Part> {
        let now = self.shared.clock.now();
        let part = |name, (state, detail)| Part { name, state, detail };
        let all = self.watched.inventory.all();
        let has_tls = self.watched.inventory.has_tls();
        vec![
            part(Name::Drain, self.drain()),
            self.startup.part(),
            part(Name::Store, self.store(now)),
            part(Name::Keys, self.keys()),
            part(Name::Certificates, certificates(&all, has_tls, now)),
            part(Name::Upstreams, self.upstreams()),
            part(Name::Configuration, self.configuration()),
            part(Name::Audit, self.audit()),
        ]
    }

    fn needs(&self) -> Needs {
        Needs::clone(&self.watched.needs.load())
    }
}

impl Looked {
    fn drain(&self) -> (State, String) {
        if self.stop.is_draining() {
            return (State::Failed, "it was told to stop, or has a successor".to_owned());
        }
        (State::Ok, String::new())
    }

    fn store(&self, now: Time) -> (State, String) {
        let (flows, name) = (&self.shared.flows, self.store);
        let (sessions, grace) = (&flows.sessions, flows.session_settings.grace);
        if !sessions.is_away() {
            return (State::Ok, name.to_owned());
        }
        let away = sessions.away_for(now);
        let seconds = away.as_secs();
        if away < grace {
            let left = (grace - away).as_secs();
            let what = "known sessions go on for";
            (State::Impaired, format!("{name} is away for {seconds} s, {what} {left} s more"))
        } else {
            (State::Failed, format!("{name} is away for {seconds} s, longer than session.grace"))
        }
    }

    fn keys(&self) -> (State, String) {
        if self.keeper.is_kept() {
            return (State::Ok, String::new());
        }
        (State::Failed, "a change of them would not reach other replicas".to_owned())
    }

    fn upstreams(&self) -> (State, String) {
        // All workers share them.
        let Some(worker) = self.workers.first().map(|current| current.worker()) else {
            return (State::Ok, String::new());
        };
        let now = Instant::now();
        upstreams(worker.proxy.upstreams.groups().map(|group| group.status(now)))
    }

    fn configuration(&self) -> (State, String) {
        let since = self.life.configured().strftime("%Y-%m-%dT%H:%M:%SZ");
        if self.life.is_configuration_in_use() {
            return (State::Ok, format!("in use since {since}"));
        }
        let what = "what was read last is refused, and that goes on which is in use since";
        (State::Impaired, format!("{what} {since}"))
    }

    fn audit(&self) -> (State, String) {
        let audit = &self.shared.audit;
        if !audit.is_on() {
            return (State::Ok, "there is none".to_owned());
        }
        self::audit(&audit.status(), audit.takes_logins())
    }
}

/// It does its work while records are written, or wait and there is room; not while logins are refused
/// for it, nor while there is hardly room.
fn audit(status: &Status, takes_logins: bool) -> (State, String) {
    let mut said = Vec::new();
    if !status.is_well {
        said.push("it cannot be written".to_owned());
    }
    if !status.is_well || status.is_filling() {
        let (waiting, most) = (status.waiting.div_ceil(1024), status.most / 1024);
        said.push(format!("{waiting} of {most} KiB wait"));
    }
    if !takes_logins {
        said.push("no login begins".to_owned());
    }
    if status.lost > 0 {
        said.push(format!("{} records were lost since the start", status.lost));
    }
    let state = match () {
        () if !takes_logins || (!status.is_well && status.is_filling()) => State::Failed,
        () if !said.is_empty() => State::Impaired,
        () => return (State::Ok, format!("{} records written", status.written)),
    };
    (state, said.join(", "))
}

/// Citizens are served without a warning while one of their certificates is valid; what else ends is
/// for operators to mend.
fn certificates(all: &[Dated], has_tls: bool, now: Time) -> (State, String) {
    let of_citizens = || all.iter().filter(|one| one.used_for == Use::Citizens);
    let (invalid, valid): (Vec<_>, Vec<_>) =
        mattering(all, now).partition(|one| !one.is_valid(now));
    let invalid = invalid.len();
    let next = valid.into_iter().min_by_key(|one| one.not_after);
    let next = next.map_or(String::new(), |one| {
        format!(", the next one ends in {} days ({})", one.days_left(now), one.source)
    });
    let detail = format!("{} in use, {invalid} not valid{next}", all.len());
    if has_tls && !of_citizens().any(|one| one.is_valid(now)) {
        return (State::Failed, format!("none for citizens is valid; {detail}"));
    }
    (if invalid > 0 { State::Impaired } else { State::Ok }, detail)
}

/// Names the groups that lack servers, at most [`MOST_GROUPS`].
fn upstreams(groups: impl Iterator<Item = GroupStatus>) -> (State, String) {
    let (mut state, mut lacking, mut count) = (State::Ok, Vec::new(), 0);
    for group in groups {
        count += 1;
        let is_there = |state| matches!(state, ServerState::Up | ServerState::Starting);
        let of = group.servers.iter().filter(|server| server.state != ServerState::Draining);
        let of = of.count();
        let well = group.servers.iter().filter(|server| is_there(server.state)).count();
        if well == of && of > 0 {
            continue;
        }
        state = state.max(if well == 0 { State::Failed } else { State::Impaired });
        lacking.push(format!("{} has {well} of {of} servers", group.name));
    }
    if lacking.is_empty() {
        return (state, format!("{count} have all servers"));
    }
    let more = lacking.len().saturating_sub(MOST_GROUPS);
    lacking.truncate(MOST_GROUPS);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    (state, format!("{}{more}", lacking.join(", ")))
}

/// How many groups are named.
const MOST_GROUPS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::inventory::tests::dated;

    #[test]
    fn citizens_need_one_certificate_that_is_valid() {
        let now = "2031-06-01T00:00:00Z".parse().unwrap();
        let (good, over) = (
            ("2031-01-01T00:00:00Z", "2032-01-01T00:00:00Z"),
            ("2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"),
        );
        let future = ("2031-07-01T00:00:00Z", "2032-01-01T00:00:00Z");
        let citizens = |dates| dated(Use::Citizens, "listen.certificate", dates);
        let node = |dates| dated(Use::Node, "node.certificates[0]", dates);
        for (all, has_tls, expected) in [
            (vec![citizens(good), node(good)], true, State::Ok),
            (vec![citizens(over), node(good)], true, State::Failed),
            (vec![citizens(future)], true, State::Failed),
            (vec![citizens(over), citizens(good)], true, State::Impaired),
            (vec![], true, State::Failed),
            (vec![], false, State::Ok),
            (vec![node(over)], false, State::Impaired),
            // The node has changed to the next one.
            (vec![node(over), node(good)], false, State::Ok),
        ] {
            let (state, detail) = certificates(&all, has_tls, now);
            assert_eq!(state, expected, "{detail}");
        }
    }

    #[test]
    fn an_audit_log_fails_when_logins_are_refused_for_it_or_hardly_anything_fits() {
        let well = Status { written: 7, most: 65_536, is_well: true, ..Status::default() };
        let away = Status { is_well: false, waiting: 1000, ..well };
        let full = Status { waiting: 65_000, ..away };
        for (status, takes_logins, state, said) in [
            (well, true, State::Ok, "7 records written"),
            (away, true, State::Impaired, "it cannot be written, 1 of 64 KiB wait"),
            (away, false, State::Failed, "it cannot be written, 1 of 64 KiB wait, no login begins"),
            (full, true, State::Failed, "it cannot be written, 64 of 64 KiB wait"),
            (Status { is_well: true, ..full }, true, State::Impaired, "64 of 64 KiB wait"),
            (
                Status { lost: 3, ..well },
                true,
                State::Impaired,
                "3 records were lost since the start",
            ),
        ] {
            assert_eq!(audit(&status, takes_logins), (state, said.to_owned()));
        }
    }

    #[test]
    fn a_start_waits_for_each_worker_and_for_one_answer_of_the_store() {
        let startup = Startup::waiting(2);
        let is_ok = || startup.part().state == State::Ok;
        assert!(!is_ok());
        startup.listens();
        assert!(!is_ok() && startup.part().detail.starts_with("1 of 2 workers"));
        startup.listens();
        assert!(!is_ok() && startup.part().detail.contains("store"));
        startup.is_store_asked.store(true, Ordering::Relaxed);
        assert!(is_ok());
    }
}
