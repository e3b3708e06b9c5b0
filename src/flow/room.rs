//! Room in a store for what strangers have us keep there, shared out by network ([`super::ledger`]).
//!
//! 1. A record goes into the books before it goes into the store, and what has to go for it is taken
//!    from the store first. So there is never more in the store than in the books.
//! 2. What could not be put into the store is in no books either.
//!
//! What it does not do: each process counts what it put itself. With several replicas at one store there
//! is room for as much at each, and after a restart what was put before counts for nobody until it
//! expires; a store that has a bound of its own holds for both.

use std::sync::Arc;

use futures_util::future::try_join_all;

use super::ledger::{Admission, Bounds, Entry, Ledger, Usage};
use crate::base::clock::Time;
use crate::base::network::Network;
use crate::store::{Key, Kind, Place, Record, Unavailable};

/// How many bytes there is room for, by what is kept. It depends on where the records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rooms {
    /// For each kind of what anybody can begin: logins that are finished, wishes, codes.
    pub begun: usize,
    /// For forms.
    pub forms: usize,
}

impl Default for Rooms {
    /// What there is room for in memory and in Redis.
    fn default() -> Self {
        Self { begun: 128 << 20, forms: 128 << 20 }
    }
}

impl Rooms {
    /// Bounds them by what a store has room for.
    #[must_use]
    pub fn within(self, begun: u64, forms: u64) -> Self {
        let fewer = |ours: usize, has: u64| ours.min(usize::try_from(has).unwrap_or(usize::MAX));
        Self { begun: fewer(self.begun, begun), forms: fewer(self.forms, forms) }
    }
}

/// Room in a store for records of one kind, shared out by network.
pub struct SharedRoom {
    place: Arc<dyn Place>,
    kind: Kind,
    ledger: Ledger,
}

/// Why something is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// There is no room, and nobody has more than this network would have.
    #[error("as much is kept as there is room for")]
    Full,
    /// The place is away.
    #[error(transparent)]
    Store(#[from] Unavailable),
}

impl From<NotKept> for Unavailable {
    fn from(not_kept: NotKept) -> Self {
        match not_kept {
            NotKept::Full => Self(not_kept.to_string()),
            NotKept::Store(away) => away,
        }
    }
}

impl SharedRoom {
    /// Makes room for records of a kind in a place.
    #[must_use]
    pub fn new(place: Arc<dyn Place>, kind: Kind, bounds: Bounds) -> Self {
        Self { place, kind, ledger: Ledger::new(bounds) }
    }

    /// Keeps a record for a network. What has to go for it is taken from the place first.
    ///
    /// # Errors
    /// When there is no room, or the place is away.
    pub async fn keep(
        &self,
        key: Key,
        record: Record,
        network: Network,
        now: Time,
    ) -> Result<(), NotKept> {
        self.make_room(key, &record, network, now).await?;
        let put = self.place.put(key, record).await;
        self.unless_kept(key, put.map(|()| true)).map(drop)
    }

    /// Keeps a record for a network unless one is there that has not expired; says whether it does.
    ///
    /// # Errors
    /// When there is no room, or the place is away.
    pub async fn keep_new(
        &self,
        key: Key,
        record: Record,
        network: Network,
        now: Time,
    ) -> Result<bool, NotKept> {
        self.make_room(key, &record, network, now).await?;
        let put = self.place.put_new(key, record, now).await;
        self.unless_kept(key, put)
    }

    /// Notes that a record was taken from the place.
    pub fn release(&self, key: Key) {
        self.ledger.release(key.digest);
    }

    /// Returns how much this process keeps here.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.ledger.usage()
    }

    /// Returns how much there may be.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.ledger.bounds()
    }

    async fn make_room(
        &self,
        key: Key,
        record: &Record,
        network: Network,
        now: Time,
    ) -> Result<(), NotKept> {
        let bytes = Bounds::weigh(record.sealed.len());
        let entry = Entry { digest: key.digest, network, bytes, expires: record.expires };
        let Admission { is_admitted, evicted } = self.ledger.admit(entry, now);
        let taken = evicted.into_iter().map(|digest| {
            let kind = self.kind;
            self.place.take(Key { kind, digest }, now)
        });
        if let Err(away) = try_join_all(taken).await {
            self.ledger.release(key.digest);
            return Err(away.into());
        }
        if is_admitted { Ok(()) } else { Err(NotKept::Full) }
    }

    /// When a record is there already, the entry stands for it.
    fn unless_kept(&self, key: Key, put: Result<bool, Unavailable>) -> Result<bool, NotKept> {
        if put.is_err() {
            self.ledger.release(key.digest);
        }
        Ok(put?)
    }
}
