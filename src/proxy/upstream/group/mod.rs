//! The servers of an upstream, and which of them a request goes to.
//!
//! 1. Servers take turns by weight. The one whose turn it is gives way to another that would be no
//!    busier than it with the request added, busy being requests under way against weight. So idle
//!    servers share by weight exactly, equal ones are never more than a request apart, and a server
//!    in its slow start is not flooded for being idle.
//! 2. A server that failed its requests gets none while there is another; when the time is over,
//!    one request tries it ([`super::standing`]). When all have failed theirs, all are asked as if
//!    nothing was: to be ejected is a reason to prefer others, never to refuse.
//! 3. A server that the health checks call down gets nothing. When all are down, none is asked, and
//!    the client learns it at once.
//! 4. The server to avoid is avoided while there is another that is well.
//! 5. A server that left the group keeps the requests that it has and gets no more.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tracing::info;

use super::admission::{Admission, Busy, Gate};
use super::core::Core;
use super::lease::Lease;
use super::server::{Endpoint, Server, ServerId, UnderWay};
use super::settings::{ServerAddress, Settings};
use super::shares::Requester;
use super::standing::{Access, FULL, Kind, Moment, Rules, Standing};
use crate::base::reason::Reason;
use crate::observe::metrics::Count;

/// An upstream: shared by all workers, and kept while its settings stay as they are.
#[derive(Debug)]
pub struct Group {
    settings: Settings,
    pub(super) core: Arc<Core>,
    pub(super) gate: Gate,
    set: ArcSwap<Set>,
    /// What is behind each configured server. A task that changes the set holds the lock.
    known: Mutex<Vec<Vec<Endpoint>>>,
    /// Counts requests, to tell which server has its turn.
    turn: AtomicU64,
    /// Attempts after the first one.
    pub(super) retries: Count,
}

/// The servers of a moment.
#[derive(Debug, Default)]
pub(super) struct Set {
    pub(super) entries: Vec<Entry>,
    /// Servers that left, of which only their requests hold on.
    pub(super) leaving: Vec<(usize, Weak<Server>)>,
}

/// A server in the set.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) server: Arc<Server>,
    /// The number of the configured server that it stands for.
    source: usize,
    /// Its weight, in parts of [`FULL`].
    weight: u32,
}

/// Why there is no server to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoServer {
    /// No name could be resolved so far.
    #[error("no name of a server could be resolved")]
    Unresolved,
    /// The health checks call every server down.
    #[error("health checks call every server down")]
    AllDown,
}

impl NoServer {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(self) -> Reason {
        Reason::UpstreamNoHealthyServer
    }
}

impl Group {
    /// Makes a group. Servers behind names join it when these are resolved: see
    /// [`resolve()`](super::resolve()).
    #[must_use]
    pub fn new(settings: Settings, now: Instant) -> Arc<Self> {
        let rules = Rules::new(settings.passive, settings.slow_start);
        let core = Core::new(settings.name.clone(), rules, now);
        let fixed = settings.servers.iter().map(|server| match &server.address {
            ServerAddress::Name { .. } => None,
            ServerAddress::Socket(address) => Some(vec![Endpoint::Tcp(*address)]),
            ServerAddress::Unix(path) => Some(vec![Endpoint::Unix(path.as_path().into())]),
        });
        let fixed: Vec<_> = fixed.collect();
        let group = Self {
            core: Arc::new(core),
            gate: Gate::new(settings.limits),
            set: ArcSwap::default(),
            known: Mutex::new(vec![Vec::new(); fixed.len()]),
            turn: AtomicU64::new(0),
            retries: Count::default(),
            settings,
        };
        group.put(fixed, now);
        Arc::new(group)
    }

    /// Returns the group of before if it was made from the same settings, with all that it has
    /// learnt; otherwise a new one.
    #[must_use]
    pub fn renew(before: &[Arc<Self>], settings: Settings, now: Instant) -> Arc<Self> {
        let same = before.iter().find(|group| group.settings == settings);
        same.map_or_else(|| Self::new(settings, now), Arc::clone)
    }

    /// Returns what it was told.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Gets a permit among the requests under way.
    ///
    /// # Errors
    /// When there is none within the time that a request may wait.
    pub async fn admit(&self, requester: Requester) -> Result<Admission, Busy> {
        self.gate.admit(requester).await
    }

    /// Chooses the server for a request, one that is not `avoid` if possible.
    ///
    /// # Errors
    /// When there is none, or all are down.
    pub fn choose(&self, avoid: Option<ServerId>, now: Instant) -> Result<Lease, NoServer> {
        let set = self.set.load();
        let entries = set.entries.as_slice();
        let moment = || self.core.moment(now);
        let access = |entry: &Entry| entry.server.standing.access(moment);
        // A group of one has no choice.
        if let [only] = entries {
            return match access(only) {
                Access::Down => Err(NoServer::AllDown),
                _ => Ok(self.lease(only, Kind::Sole)),
            };
        }
        // A second attempt is no time for trials.
        if avoid.is_none()
            && let Some(tried) = entries.iter().find(|entry| {
                access(entry) == Access::TrialDue
                    && entry.server.standing.take_trial(moment(), &self.core.rules)
            })
        {
            return Ok(self.lease(tried, Kind::Trial));
        }
        let other = |entry: &Entry| Some(entry.server.id) != avoid;
        let well = |entry: &Entry| access(entry) == Access::Open;
        let up = |entry: &Entry| access(entry) != Access::Down;
        // The first of these is the way of nearly all requests.
        let found = self.pick(entries, |entry| other(entry) && well(entry), moment);
        if let Some(entry) = found.or_else(|| self.pick(entries, well, moment)) {
            return Ok(self.lease(entry, Kind::Usual));
        }
        let found = self.pick(entries, |entry| other(entry) && up(entry), moment);
        match found.or_else(|| self.pick(entries, up, moment)) {
            Some(entry) => Ok(self.lease(entry, Kind::LastResort)),
            None if entries.is_empty() => Err(NoServer::Unresolved),
            None => Err(NoServer::AllDown),
        }
    }

    fn lease(&self, entry: &Entry, kind: Kind) -> Lease {
        Lease::new(Arc::clone(&entry.server), kind)
    }

    /// Picks one of the servers that fit, by turn and load.
    fn pick<'e>(
        &self,
        entries: &'e [Entry],
        fits: impl Fn(&Entry) -> bool,
        now: impl Fn() -> Moment,
    ) -> Option<&'e Entry> {
        let weight = |entry: &Entry| match fits(entry) {
            true => {
                u64::from(entry.weight)
                    * u64::from(entry.server.standing.share(&now, &self.core.rules))
            }
            false => 0,
        };
        // 1. Which server has its turn? Steps of the golden ratio visit each part of the whole as
        //    often as it is large, and spread the visits evenly.
        let total: u64 = entries.iter().map(weight).sum();
        let step = self.turn.fetch_add(1, Ordering::Relaxed).wrapping_mul(GOLDEN_STEP);
        let mut point = scaled(step, total);
        let mut turn = None;
        for (index, entry) in entries.iter().enumerate() {
            let weight = weight(entry);
            if weight == 0 {
                continue;
            }
            // If the weights shrank since they were added up, the last one stays.
            turn = Some((index, weight));
            if point < weight {
                break;
            }
            point -= weight;
        }
        let (turn, turn_weight) = turn?;
        // 2. Would another be no busier than it is already? An idle one gives way to none.
        let mut best = (&entries[turn], requests(&entries[turn]), turn_weight);
        if best.1 == 0 {
            return Some(best.0);
        }
        for entry in entries[turn + 1..].iter().chain(&entries[..turn]) {
            // One that does not fit weighs nothing, and is busier with one request than any.
            let (weight, requests) = (weight(entry), requests(entry) + 1);
            if requests * best.2 <= best.1 * weight {
                best = (entry, requests, weight);
            }
        }
        Some(best.0)
    }

    /// Counts an attempt after the first one.
    pub fn note_retry(&self) {
        self.retries.add();
    }

    /// Tells whether a server belongs to the group. Connections to others are not worth keeping.
    #[must_use]
    pub fn holds(&self, id: ServerId) -> bool {
        self.set.load().entries.iter().any(|entry| entry.server.id == id)
    }

    /// Returns what tells of changes: servers that came, left, went down or came back.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.core.changes()
    }

    pub(super) fn set(&self) -> Arc<Set> {
        self.set.load_full()
    }

    /// Puts in what is behind each configured server now; `None` leaves what was. Servers that are
    /// in the group already stay as they are.
    pub(super) fn put(&self, found: Vec<Option<Vec<Endpoint>>>, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.set.load_full();
        let first: Vec<bool> = known.iter().map(Vec::is_empty).collect();
        for (known, found) in known.iter_mut().zip(found) {
            if let Some(found) = found.filter(|found| !found.is_empty()) {
                *known = found;
            }
        }
        let mut entries = Vec::new();
        for (source, endpoints) in known.iter().enumerate() {
            for endpoint in endpoints {
                let server = before.find(source, endpoint).unwrap_or_else(|| {
                    self.server(source, endpoint, (!first[source]).then_some(now))
                });
                let weight = self.weight(source, endpoints.len());
                entries.push(Entry { server, source, weight });
            }
        }
        let ids = |entries: &[Entry]| -> Vec<_> { entries.iter().map(|e| e.server.id).collect() };
        if ids(&entries) == ids(&before.entries) {
            return;
        }
        let staying: HashSet<_> = ids(&entries).into_iter().collect();
        let mut leaving = before.leaving.clone();
        for entry in before.entries.iter().filter(|entry| !staying.contains(&entry.server.id)) {
            info!(upstream = self.core.name, server = %entry.server.endpoint, "server left");
            leaving.push((entry.source, Arc::downgrade(&entry.server)));
        }
        // Those that have no request any more are gone, and those that came back stay.
        leaving.retain(|(_, server)| {
            server.upgrade().is_some_and(|server| !staying.contains(&server.id))
        });
        self.set.store(Arc::new(Set { entries, leaving }));
        self.core.changed();
    }

    fn server(&self, source: usize, endpoint: &Endpoint, new: Option<Instant>) -> Arc<Server> {
        let own_name = || self.settings.servers[source].address.tls_name();
        let tls = self.settings.tls.as_ref();
        let tls_name = tls.and_then(|tls| tls.server_name.clone().or_else(own_name));
        let standing = match new {
            None => Standing::settled(),
            Some(now) => {
                info!(upstream = self.core.name, server = %endpoint, "server joined");
                Standing::fresh(self.core.moment(now))
            }
        };
        Arc::new(Server {
            core: Arc::clone(&self.core),
            id: ServerId::next(),
            endpoint: endpoint.clone(),
            name: format!("{}/{endpoint}", self.settings.name).into(),
            authority: self.settings.servers[source].address.authority(),
            tls_name,
            in_flight: UnderWay::default(),
            failures: AtomicU64::new(0),
            ejections: Count::default(),
            standing,
        })
    }

    /// The servers behind one name share its weight.
    fn weight(&self, source: usize, servers: usize) -> u32 {
        let whole = u32::from(self.settings.servers[source].weight) * FULL;
        (whole / u32::try_from(servers).unwrap_or(u32::MAX)).max(1)
    }
}

impl Set {
    fn find(&self, source: usize, endpoint: &Endpoint) -> Option<Arc<Server>> {
        let here = self.entries.iter().map(|entry| (entry.source, Some(Arc::clone(&entry.server))));
        let leaving = self.leaving.iter().map(|(source, server)| (*source, server.upgrade()));
        here.chain(leaving)
            .filter(|(of, _)| *of == source)
            .find_map(|(_, server)| server.filter(|server| server.endpoint == *endpoint))
    }
}

/// 2^64 over the golden ratio, made odd.
const GOLDEN_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// Returns what a number of the whole range is in a smaller one.
fn scaled(number: u64, range: u64) -> u64 {
    ((u128::from(number) * u128::from(range)) >> 64) as u64
}

fn requests(entry: &Entry) -> u64 {
    u64::from(entry.server.in_flight.0.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests;
