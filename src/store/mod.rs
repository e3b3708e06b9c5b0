//! Stores for records: what is kept beyond one request, in this process, on its disk, or where
//! other replicas find it too.
//!
//! 1. A record is found by its kind and a digest. Neither says anything about a person, and no
//!    secret can be computed from it.
//! 2. What matters in a record was sealed by the module that keeps it; a store sees bytes. What is
//!    not sealed is its label, and that is for operators to see.
//! 3. Each operation is whole or not at all, also between replicas: [`RecordStore::take`] gives a
//!    record to one caller, [`RecordStore::put_new`] succeeds for one.
//! 4. What has expired is not there, by the time that the caller says. When it really goes away is
//!    a matter of tidiness.
//! 5. A store that is away says so within a bounded time ([`Unavailable`]); it never says that
//!    there is nothing when it does not know.
//! 6. A module that keeps copies listens to [`RecordStore::watch`].
//!
//! Every store passes the same contract, with a clock that tests move (`contract`).

pub mod agreement;
pub mod file;
pub mod mark;
pub mod memory;
pub mod metered;
pub mod opening;
pub mod redis;
pub mod seal;
pub mod sealed;
pub mod shared;

#[cfg(test)]
pub(crate) mod contract;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use tokio::sync::broadcast;

use crate::base::clock::Time;

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A citizen who is signed in.
    Session,
    /// What became of a login.
    Login,
    /// Something that must not be used twice.
    Used,
    /// What a citizen typed into a form before the session ended.
    Form,
    /// A code that hands a session to another host, once.
    Code,
    /// Why a session was ended from outside, for the page that tells the citizen.
    Ended,
    /// A request to be signed in at another host than the registered one.
    HandoffRequest,
    /// A second cookie, of another host, that leads to a session.
    LinkedSession,
    /// What happened to a login, for the operator.
    History,
}

impl Kind {
    /// Every kind, in the order in which they are declared.
    pub const ALL: [Self; 9] = [
        Self::Session,
        Self::Login,
        Self::Used,
        Self::Form,
        Self::Code,
        Self::Ended,
        Self::HandoffRequest,
        Self::LinkedSession,
        Self::History,
    ];

    /// Returns the name in keys and files; never changed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Login => "login",
            Self::Used => "used",
            Self::Form => "form",
            Self::Code => "code",
            Self::Ended => "ended",
            Self::HandoffRequest => "wish",
            Self::LinkedSession => "branch",
            Self::History => "history",
        }
    }
}

/// What a record is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// What it is for.
    pub kind: Kind,
    /// A digest of the secret that leads to it.
    pub digest: Digest,
}

/// A digest of 256 bits.
pub type Digest = [u8; 32];

/// One record, as a store keeps it under its [`Key`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What matters, sealed by a [`seal::Sealer`].
    pub sealed: Bytes,
    /// What operators may see, not sealed.
    pub label: Bytes,
    /// The person it is of: a keyed digest, by which all records of one person are found.
    pub owner: Option<Digest>,
    /// Milliseconds since the epoch of the last sign of life.
    pub alive: i64,
    /// When it is not there any more.
    pub expires: Time,
}

/// New times of a record that is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// The record that has new times.
    pub key: Key,
    /// The last sign of life; an earlier one than is known changes nothing.
    pub alive: i64,
    /// When it is not there any more, unless that is known to be later.
    pub expires: Time,
}

/// What happened to records in a store, by whichever replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A record was taken away, or made room for others. Copies of it are worthless.
    Gone(Key),
    /// Something may have been missed: every copy must be asked for again.
    Missed,
}

/// The store cannot be reached, is full, or takes too long. No citizen is signed in or out for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("store cannot be used: {0}")]
pub struct Unavailable(pub String);

impl Unavailable {
    /// The store works, and has no room for more of a kind.
    #[must_use]
    pub fn full() -> Self {
        Self(FULL.to_owned())
    }

    /// Tells whether the store works, and has no room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0 == FULL
    }
}

const FULL: &str = "it is full";

/// What a store does takes time.
pub type Work<'p, T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send + 'p>>;

/// Where records are kept. No operation has a default here: a decorator of a store passes each of
/// them on, and does not compile before it does.
pub trait RecordStore: Send + Sync + 'static {
    /// Keeps a record, in the place of one that may be there. Others may have to make room for it;
    /// then all who watch are told of those.
    fn put(&self, key: Key, record: Record) -> Work<'_, ()>;

    /// Keeps a record unless one is there that has not expired; says whether it does.
    fn put_new(&self, key: Key, record: Record, now: Time) -> Work<'_, bool>;

    /// Keeps a record in the place of one whose sealed bytes are those; says whether it does.
    fn swap(&self, key: Key, sealed: Bytes, record: Record, now: Time) -> Work<'_, bool>;

    /// Returns a record, unless it has expired by then.
    fn get(&self, key: Key, now: Time) -> Work<'_, Option<Record>>;

    /// Takes a record away and returns it, to one caller only; tells all listeners.
    fn take(&self, key: Key, now: Time) -> Work<'_, Option<Record>>;

    /// Sets new times of many records at once. Those that are gone stay gone.
    fn touch(&self, touches: Vec<Touch>) -> Work<'_, ()>;

    /// Returns up to `limit` records of a kind that belong to an owner.
    fn owned(
        &self,
        kind: Kind,
        owner: Digest,
        limit: usize,
        now: Time,
    ) -> Work<'_, Vec<(Digest, Record)>>;

    /// Returns a page of the records of a kind, in a stable order, behind where `after` left off.
    /// The page may be shorter than `limit` although more follow; nothing to go on with means the
    /// end.
    fn list(&self, kind: Kind, after: Option<String>, limit: usize, now: Time) -> Work<'_, Page>;

    /// Tells whether listeners hear of everything at the moment. When they do not, copies are worth
    /// asking for again and again.
    fn is_watching(&self) -> bool;

    /// Tells what happens to records, from now on.
    fn watch(&self) -> broadcast::Receiver<Event>;

    /// Tells whether the store can be reached; for readiness. Asks it.
    fn check(&self) -> Work<'_, ()>;

    /// Lets go of what another process waits for. Nothing can be kept here any more.
    fn close(&self);
}

/// A page of records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The records of the page, each with the digest that it is kept under.
    pub records: Vec<(Digest, Record)>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<String>,
}

/// How many events may wait for a listener; a slower one hears [`Event::Missed`] by the channel's
/// own lag.
pub const EVENTS: usize = 4096;
