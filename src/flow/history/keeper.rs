//! Keeps histories of logins in the store, for a time, and finds them.
//!
//! 1. Nobody waits for it: a history is handed over and written behind the answer, one after the
//!    other ([`super::waiting`]). While the store is away they wait, and are found here all the
//!    same; those for which there is no room are lost, and no login is.
//! 2. Refused logins are kept in the store, where every replica finds them. Those that were well are
//!    many: they are kept in the memory of the process that finished them, cost the store nothing,
//!    and put out none that was refused. Either room is shared out by network
//!    ([`crate::flow::room`]).
//! 3. What leads to a history (the number on a page, the number of a request, a `sid`) is a record
//!    of its own, sealed like all others: who reads the store learns none of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::waiting::{Job, Waiting};
use super::{History, MOST_VISITS, Outcome, What};
use crate::base::clock::{SharedClock, Time, later};
use crate::base::network::Network;
use crate::flow::ledger::{Bounds, Usage};
use crate::flow::room::{NotKept, SharedRoom};
use crate::observe::incident;
use crate::observe::metrics::Count;
use crate::observe::seldom::Seldom;
use crate::store::memory::Memory;
use crate::store::seal::Sealer;
use crate::store::sealed::{Handle, HandleKind, JsonContent};
use crate::store::{Kind, RecordStore, Unavailable};

/// The histories of logins.
pub struct Histories {
    /// For how many seconds each is kept; none keeps nothing.
    kept_for: AtomicU64,
    refused: SharedRoom<Kept>,
    well: SharedRoom<Kept>,
    waiting: Waiting,
    is_writing: AtomicBool,
    lost: Count,
    told_next: Seldom,
    clock: SharedClock,
}

/// How long histories are kept, and in how many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounded {
    /// From the visit on that they tell of; zero keeps none.
    pub kept_for: Duration,
    /// Of refused logins and of others, each.
    pub bytes: usize,
}

impl HandleKind for Histories {
    const KIND: Kind = Kind::History;
}

/// What is kept under a handle. Variants are only ever added.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    History(Box<History>),
    /// The `ID` of the `AuthnRequest` whose history it is.
    Login(String),
}

impl JsonContent for Kept {
    type Handles = Histories;
}

type Name = Handle<Histories>;

impl Histories {
    /// Makes histories that are kept in a store.
    #[must_use]
    pub fn new(
        (store, sealer): (Arc<dyn RecordStore>, Sealer),
        bounded: Bounded,
        clock: SharedClock,
    ) -> Self {
        let bounds = Bounds { entries: MOST, bytes: bounded.bytes };
        let memory: Arc<dyn RecordStore> = Arc::new(Memory::new(MOST));
        Self {
            kept_for: AtomicU64::new(bounded.kept_for.as_secs()),
            refused: SharedRoom::new(store, sealer.clone(), bounds),
            well: SharedRoom::new(memory, sealer, bounds),
            waiting: Waiting::new(WAITING),
            is_writing: AtomicBool::new(false),
            lost: Count::default(),
            told_next: Seldom::every(Duration::from_secs(60)),
            clock,
        }
    }

    /// Keeps those that come from now on for another time.
    pub fn keep_for(&self, time: Duration) {
        self.kept_for.store(time.as_secs(), Ordering::Relaxed);
    }

    /// Returns for how long each is kept.
    #[must_use]
    pub fn kept_for(&self) -> Duration {
        Duration::from_secs(self.kept_for.load(Ordering::Relaxed))
    }

    /// Returns how many were lost: there was no room for them.
    #[must_use]
    pub fn lost(&self) -> &Count {
        &self.lost
    }

    /// Returns how much is kept of refused logins, and of others.
    #[must_use]
    pub fn usage(&self) -> [Usage; 2] {
        [self.refused.usage(), self.well.usage()]
    }

    /// Keeps a history of a client's network, some time after this returns.
    pub fn keep(self: &Arc<Self>, history: History, network: Network) {
        if self.kept_for().is_zero() {
            return;
        }
        let lost = self.waiting.push(Job { history, network }, self.clock.now());
        self.lose(lost);
        if !self.is_writing.swap(true, Ordering::AcqRel) {
            let histories = Arc::clone(self);
            tokio::spawn(async move { histories.write_all().await });
        }
    }

    /// Finds a history by the number on a page, the number of a request, a `sid` or the `ID` of an
    /// `AuthnRequest`.
    ///
    /// # Errors
    /// When the store is away, and it is not among those that wait for it.
    pub async fn find(&self, text: &str) -> Result<Option<History>, Unavailable> {
        let text = text.trim();
        let number = incident::parse(text);
        let of_request = incident::number(text);
        let is_asked = |known: &String| Some(known) == number.as_ref() || *known == of_request;
        let is_it = |history: &History| {
            history.login.as_deref() == Some(text)
                || history.session.as_deref() == Some(text)
                || history.follows.as_ref().is_some_and(is_asked)
                || history.visits.iter().any(|visit| is_asked(&visit.number))
        };
        let mut names: Vec<Name> = number.as_deref().map(of_number).into_iter().collect();
        names.extend([of_login(text), of_session(text), of_number(&of_request)]);
        // 1. What leads there itself, in this process and in the store.
        let refused = self.look_up(&self.refused, &names).await;
        let well = self.look_up(&self.well, &names).await.unwrap_or_default();
        let found = refused.as_ref().ok().cloned().flatten();
        let mut parts: Vec<_> =
            [self.waiting.find(is_it), well, found].into_iter().flatten().collect();
        // 2. Other visits of the same login.
        let Some(first) = parts.first() else { return refused };
        if let Some(login) = first.login.clone() {
            let name = [of_login(&login)];
            parts.extend(self.waiting.find(|history| history.login.as_ref() == Some(&login)));
            parts.extend(self.look_up(&self.well, &name).await.unwrap_or_default());
            parts.extend(self.look_up(&self.refused, &name).await.unwrap_or_default());
        }
        let all = parts.into_iter().reduce(|mut all, part| {
            all.join(part);
            all
        });
        Ok(all.map(|mut all| {
            all.visits.sort_by_key(|visit| visit.at);
            all
        }))
    }

    #[cfg(test)]
    pub(super) fn is_writing(&self) -> bool {
        self.is_writing.load(Ordering::Acquire)
    }

    async fn look_up(
        &self,
        room: &SharedRoom<Kept>,
        names: &[Name],
    ) -> Result<Option<History>, Unavailable> {
        let now = self.now();
        for name in names {
            let Some(found) = room.find(name, now).await? else { continue };
            let login = match found.value {
                Kept::History(history) => return Ok(Some(*history)),
                Kept::Login(login) => login,
            };
            let found = room.find(&of_login(&login), now).await?;
            if let Some(Kept::History(history)) = found.map(|found| found.value) {
                return Ok(Some(*history));
            }
        }
        Ok(None)
    }

    async fn write_all(&self) {
        loop {
            let turn = Turn(&self.is_writing);
            while let Some((digest, job)) = self.waiting.first() {
                match self.write(&job).await {
                    Ok(()) => self.waiting.done(digest),
                    Err(NotKept::Full) => {
                        self.waiting.done(digest);
                        self.lose(1);
                    }
                    Err(NotKept::Store(error)) => {
                        if self.told_next.is_due(self.clock.now()) {
                            tracing::warn!(%error, "histories of logins wait for the store");
                        }
                        tokio::time::sleep(AGAIN).await;
                    }
                }
            }
            drop(turn);
            // One may have come just now, and whoever brought it has seen that somebody writes.
            if self.waiting.first().is_none() || self.is_writing.swap(true, Ordering::AcqRel) {
                return;
            }
        }
    }

    async fn write(&self, Job { history, network }: &Job) -> Result<(), NotKept> {
        let (room, now) = (if history.is_well() { &self.well } else { &self.refused }, self.now());
        let expires = later(now, self.kept_for());
        if let Some(number) = &history.follows {
            return Ok(self.add(of_number(number), history).await?);
        }
        let kept = Kept::History(Box::new(history.clone()));
        let Some(login) = &history.login else {
            for visit in &history.visits {
                let name = of_number(&visit.number);
                room.begin(&name, &kept, expires, *network, now).await?;
            }
            return Ok(());
        };
        let name = of_login(login);
        for _ in 0..TRIES {
            if room.begin(&name, &kept, expires, *network, now).await?.is_some() {
                break;
            }
            // An earlier visit is kept; another replica may be about to add one.
            let Some(found) = room.find(&name, now).await? else { continue };
            let Kept::History(mut all) = found.value else { break };
            if history.visits.iter().all(|visit| all.visits.contains(visit)) {
                break;
            }
            all.join(history.clone());
            let all = Kept::History(all);
            if room.swap(&name, found.version, &all, expires, now).await? {
                break;
            }
        }
        let numbers = history.visits.iter().filter(|visit| !visit.number.is_empty());
        let numbers = numbers.map(|visit| of_number(&visit.number));
        let sessions = history.session.as_deref().map(of_session);
        for name in numbers.chain(sessions) {
            let leads = Kept::Login(login.clone());
            room.begin(&name, &leads, expires, *network, now).await?;
        }
        Ok(())
    }

    /// Adds visits to a history that is kept; nothing where none is, or where there are enough.
    /// Whoever knows its number can bring them, so it is kept no longer for them.
    async fn add(&self, name: Name, more: &History) -> Result<(), Unavailable> {
        let (mut name, now) = (name, self.now());
        for _ in 0..TRIES {
            let Some(found) = self.refused.find(&name, now).await? else { break };
            match found.value {
                Kept::Login(login) => name = of_login(&login),
                Kept::History(history) if history.visits.len() >= MOST_VISITS => break,
                Kept::History(mut history) => {
                    history.join(History { follows: None, ..more.clone() });
                    let kept = Kept::History(history);
                    let (version, expires) = (found.version, found.expires);
                    if self.refused.swap(&name, version, &kept, expires, now).await? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn lose(&self, number: usize) {
        self.lost.add_many(number as u64);
        if number > 0 && self.told_next.is_due(self.now()) {
            tracing::warn!(
                lost = self.lost.value(),
                "histories of logins are lost for want of room"
            );
        }
    }

    fn now(&self) -> Time {
        self.clock.now()
    }
}

/// Ends the turn of whoever writes, also when its runtime ends first.
struct Turn<'w>(&'w AtomicBool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn of_login(id: &str) -> Name {
    Handle::of(format!("login\0{id}"))
}

fn of_number(number: &str) -> Name {
    Handle::of(format!("number\0{number}"))
}

fn of_session(sid: &str) -> Name {
    Handle::of(format!("session\0{sid}"))
}

impl History {
    /// Returns about how many bytes it has.
    pub(super) fn weight(&self) -> usize {
        let of_step = |what: &What| match what {
            What::Examined { checks } => {
                checks.iter().map(|check| check.name.len() + check.seen.len() + 32).sum()
            }
            _ => 64,
        };
        let visits = self.visits.iter().map(|visit| {
            let steps: usize = visit.steps.iter().map(|step| 64 + of_step(&step.what)).sum();
            let outcome = match &visit.outcome {
                Outcome::SignedIn { .. } | Outcome::BeganAgain => 64,
                Outcome::Left { .. } => 1024,
                Outcome::Refused { detail, .. } => 1024 + detail.len(),
            };
            visit.request.len() + steps + outcome
        });
        512 + visits.sum::<usize>()
    }
}

/// How many records there may be of refused logins, and of others. Each history has two or three.
const MOST: usize = 60_000;
/// What may wait for a store that is away.
const WAITING: Bounds = Bounds { entries: 2048, bytes: 8 << 20 };
/// How soon a store that was away is asked again.
const AGAIN: Duration = Duration::from_secs(5);
/// How often a history that others change is written.
const TRIES: usize = 3;
