//! Room in a store for what strangers have us keep there under handles, shared out by network
//! ([`super::ledger`]).
//!
//! 1. A record goes into the books before it goes into the store, and what has to go for it is
//!    taken from the store first. So there is never more in the store than in the books, but for
//!    rule 3.
//! 2. What could not be put into the store is in no books either.
//! 3. When a store does not answer, it may have done all the same what it was asked for. Such a
//!    record ([`Begun::Doubtful`]) is in no books, so that an outage fills none with what is not
//!    there. It stays in the store until it expires or whoever began it gives it back, and only a
//!    bound of the store's own holds for it.
//! 4. The records are [`Handles`]' and keep its rules.
//!
//! What it does not do: each process counts what it put itself. With several replicas at one store
//! there is room for as much at each, and after a restart what was put before is counted for no
//! network until it expires; a store that has a bound of its own holds for both.

use std::sync::Arc;

use futures_util::future::try_join_all;

use super::ledger::{Admission, Bounds, Entry, Ledger, Usage};
use crate::base::clock::Time;
use crate::base::network::Network;
use crate::store::seal::Sealer;
use crate::store::sealed::{Content, Found, Handle, Handles, RandomHandle, Unwritable, Version};
use crate::store::{Digest, RecordStore, Unavailable};

/// How many bytes there is room for, by what is kept. It depends on where the records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rooms {
    /// For each kind of what any client can begin: logins that are finished, hand-offs, codes.
    pub begun: usize,
    /// For forms that are kept across a login.
    pub forms: usize,
    /// For the histories of refused logins, and for those of others, each.
    pub histories: usize,
}

impl Default for Rooms {
    /// What there is room for in memory and in Redis.
    fn default() -> Self {
        Self { begun: 128 << 20, forms: 128 << 20, histories: 16 << 20 }
    }
}

impl Rooms {
    /// Bounds them by what a store has room for.
    #[must_use]
    pub fn within(self, begun: u64, forms: u64) -> Self {
        let fewer = |ours: usize, has: u64| ours.min(usize::try_from(has).unwrap_or(usize::MAX));
        Self {
            begun: fewer(self.begun, begun),
            forms: fewer(self.forms, forms),
            histories: fewer(self.histories, begun),
        }
    }
}

/// What came of beginning a record.
#[derive(Debug)]
pub enum Begun {
    /// It is there.
    Made(Version),
    /// Another one was there, which has not expired.
    Before,
    /// The store did not answer. It may be there all the same, and would be like this.
    Doubtful(Unavailable, Version),
}

/// Room in a store for records of one kind, shared out by network.
pub struct SharedRoom<T> {
    handles: Handles<T>,
    ledger: Ledger,
}

/// Why something is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// There is no room, and no network has more than this one would have.
    #[error("as much is kept as there is room for")]
    Full,
    /// The store is away.
    #[error(transparent)]
    Store(#[from] Unavailable),
}

impl From<Unwritable> for NotKept {
    fn from(unwritable: Unwritable) -> Self {
        Self::Store(unwritable.into())
    }
}

impl From<NotKept> for Unavailable {
    fn from(not_kept: NotKept) -> Self {
        match not_kept {
            NotKept::Full => Self(not_kept.to_string()),
            NotKept::Store(away) => away,
        }
    }
}

impl<T: Content> SharedRoom<T> {
    /// Makes room for sealed records in a store.
    #[must_use]
    pub fn new(store: Arc<dyn RecordStore>, sealer: Sealer, bounds: Bounds) -> Self {
        Self { handles: Handles::new(store, sealer), ledger: Ledger::new(bounds) }
    }

    /// Begins a record for a network, under a handle that no record has.
    ///
    /// # Errors
    /// When there is no room, or it cannot be kept.
    pub async fn issue(
        &self,
        value: &T,
        expires: Time,
        network: Network,
        now: Time,
    ) -> Result<Handle<T::Handles>, NotKept>
    where
        T::Handles: RandomHandle,
    {
        let handle = Handle::generate();
        match self.begin(&handle, value, expires, network, now).await? {
            Some(_) => Ok(handle),
            None => Err(Unavailable("handle is there already".to_owned()).into()),
        }
    }

    /// Begins a record for a network under a handle; none when one is there that has not expired.
    ///
    /// # Errors
    /// When there is no room, or it cannot be kept.
    pub async fn begin(
        &self,
        handle: &Handle<T::Handles>,
        value: &T,
        expires: Time,
        network: Network,
        now: Time,
    ) -> Result<Option<Version>, NotKept> {
        match self.try_begin(handle, value, expires, network, now).await? {
            Begun::Made(version) => Ok(Some(version)),
            Begun::Before => Ok(None),
            Begun::Doubtful(away, _) => Err(away.into()),
        }
    }

    /// Begins a record as [`Self::begin`] does, for whoever has to know what may be there when the
    /// store does not answer.
    ///
    /// # Errors
    /// When there is no room, or nothing was asked of the store.
    pub async fn try_begin(
        &self,
        handle: &Handle<T::Handles>,
        value: &T,
        expires: Time,
        network: Network,
        now: Time,
    ) -> Result<Begun, NotKept> {
        let record = self.handles.record(handle, value, expires)?;
        let (digest, version) = (handle.key().digest, Version::of(&record));
        let bytes = Bounds::weigh(record.sealed.len());
        self.make_room(Entry { digest, network, bytes, expires }, now).await?;
        // When a record is there already, the entry stands for it.
        match self.handles.put_new(handle, record, now).await {
            Ok(Some(version)) => Ok(Begun::Made(version)),
            Ok(None) => Ok(Begun::Before),
            Err(away) => {
                self.ledger.release(digest);
                Ok(Begun::Doubtful(away, version))
            }
        }
    }

    /// Finds the record that a handle leads to.
    ///
    /// # Errors
    /// When nothing is known of it because the store is away.
    pub async fn find(
        &self,
        handle: &Handle<T::Handles>,
        now: Time,
    ) -> Result<Option<Found<T>>, Unavailable> {
        self.handles.find(handle, now).await
    }

    /// Has a record say something else, when it still is as it was; says whether it does. It counts
    /// for as much as it did when it began.
    ///
    /// # Errors
    /// When it cannot be kept: then the record is as it was.
    pub async fn swap(
        &self,
        handle: &Handle<T::Handles>,
        version: Version,
        value: &T,
        expires: Time,
        now: Time,
    ) -> Result<bool, Unavailable> {
        self.handles.swap(handle, version, value, expires, now).await
    }

    /// Takes a record away, and out of the books, and returns it to one caller only.
    ///
    /// # Errors
    /// When the store is away: then the record may still be there.
    pub async fn take(
        &self,
        handle: &Handle<T::Handles>,
        now: Time,
    ) -> Result<Option<T>, Unavailable> {
        let taken = self.handles.take(handle, now).await?;
        if taken.is_some() {
            self.ledger.release(handle.key().digest);
        }
        Ok(taken)
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

    async fn make_room(&self, entry: Entry, now: Time) -> Result<(), NotKept> {
        let Admission { is_admitted, evicted } = self.ledger.admit(entry, now);
        let discard = |digest: Digest| self.handles.discard(digest, now);
        if let Err(away) = try_join_all(evicted.into_iter().map(discard)).await {
            self.ledger.release(entry.digest);
            return Err(away.into());
        }
        if is_admitted { Ok(()) } else { Err(NotKept::Full) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::base::clock::later;
    use crate::flow::losing::{Line, Losing};
    use crate::store::Kind;
    use crate::store::memory::Memory;
    use crate::store::opening::opening;
    use crate::store::sealed::{HandleKind, JsonContent, Strength};

    struct Notes;

    impl HandleKind for Notes {
        const KIND: Kind = Kind::HandoffRequest;
    }

    impl RandomHandle for Notes {
        const STRENGTH: Strength = Strength::Bits128;
    }

    /// A note; some cannot be written.
    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    enum Note {
        Text(String),
        #[serde(skip_serializing)]
        Unspeakable,
    }

    impl JsonContent for Note {
        type Handles = Notes;
    }

    fn text() -> Note {
        Note::Text("a".to_owned())
    }

    fn network(number: u32) -> Network {
        Network::of(std::net::Ipv4Addr::from(number).into(), 32, 56)
    }

    fn room(store: Arc<dyn RecordStore>, entries: usize) -> (SharedRoom<Note>, Time, Time) {
        let now = "2031-01-01T00:00:00Z".parse().unwrap();
        let room = SharedRoom::new(store, Sealer::default(), Bounds { entries, bytes: 1 << 20 });
        (room, now, later(now, Duration::from_secs(60)))
    }

    #[tokio::test]
    async fn what_others_could_not_make_room_for_is_in_no_books() {
        let store = Losing::new();
        let (room, now, end) = room(store.clone(), 1);
        let value = text();
        let issue = || room.issue(&value, end, network(1), now);
        issue().await.unwrap();
        store.becomes(Line::Cut);
        assert!(matches!(issue().await, Err(NotKept::Store(_))));
        assert_eq!(room.usage().entries, 0);
        store.becomes(Line::Good);
        issue().await.unwrap();
        assert_eq!(room.usage().entries, 1);
    }

    #[tokio::test]
    async fn what_is_taken_is_in_no_books_any_more() {
        let (room, now, end) = room(Arc::new(Memory::new(10)), 10);
        let handle = Handle::generate();
        let whole = handle.with("cookie");
        room.begin(&whole, &text(), end, network(1), now).await.unwrap().unwrap();
        assert!(room.take(&handle, now).await.unwrap().is_none());
        assert_eq!(room.usage().entries, 1, "who cannot open it changes nothing");
        assert_eq!(room.take(&whole, now).await.unwrap(), Some(text()));
        assert_eq!(room.usage().entries, 0);
    }

    #[tokio::test]
    async fn a_record_that_is_there_is_in_the_books_once_and_stays_as_it_is() {
        let (room, now, end) = room(Arc::new(Memory::new(10)), 10);
        let handle = room.issue(&text(), end, network(1), now).await.unwrap();
        let other = Note::Text("b".to_owned());
        assert!(room.begin(&handle, &other, end, network(1), now).await.unwrap().is_none());
        assert_eq!(room.usage().entries, 1);
        let found = room.find(&handle, now).await.unwrap().unwrap();
        assert_eq!(found.value, text());
        assert!(room.swap(&handle, found.version, &other, end, now).await.unwrap());
        assert_eq!(room.find(&handle, now).await.unwrap().unwrap().value, other);
    }

    #[tokio::test]
    async fn what_makes_room_is_gone_from_the_store_too() {
        let (room, now, end) = room(Arc::new(Memory::new(10)), 2);
        let first = room.issue(&text(), end, network(1), now).await.unwrap();
        let second = room.issue(&text(), end, network(1), now).await.unwrap();
        let other = room.issue(&text(), end, network(2), now).await.unwrap();
        assert!(room.find(&first, now).await.unwrap().is_none(), "its network had most");
        for kept in [second, other] {
            assert!(room.find(&kept, now).await.unwrap().is_some());
        }
        // The twin: no network has more than it would.
        let refused = room.issue(&text(), end, network(3), now).await;
        assert_eq!(refused.unwrap_err(), NotKept::Full);
        assert_eq!(room.usage().entries, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_kept_is_in_no_books() {
        let (_opened, never_open) = opening();
        let (room, now, end) = room(Arc::new(never_open), 10);
        let refused = room.issue(&text(), end, network(1), now).await;
        assert!(matches!(refused, Err(NotKept::Store(_))), "{refused:?}");
        assert_eq!(room.usage().entries, 0);
    }

    #[tokio::test]
    async fn what_cannot_be_written_takes_nothing_from_anybody() {
        let (room, now, end) = room(Arc::new(Memory::new(10)), 1);
        let kept = room.issue(&text(), end, network(1), now).await.unwrap();
        let refused = room.issue(&Note::Unspeakable, end, network(1), now).await;
        assert!(matches!(refused, Err(NotKept::Store(_))), "{refused:?}");
        assert!(room.find(&kept, now).await.unwrap().is_some());
        assert_eq!(room.usage().entries, 1);
    }
}
