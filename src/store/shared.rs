//! One record that all replicas share: read and changed by each of them, sealed, never listed.
//!
//! 1. It changes only from what the caller read (compare and set), whole or not at all. Of two
//!    replicas that change it at the same time, one is the first, and the other reads it again.
//! 2. It is sealed with the servers' secrets alone, once with each that the writer has
//!    ([`Sealer::singly`]): a replica that has one of them reads it, so secrets rotate.
//! 3. It does not end. Those who share it put it back when the store lost it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::seal::Sealer;
use super::{Key, Kind, Record, RecordStore, Unavailable};
use crate::base::clock::{Time, later};
use crate::base::encoding::{hex_lower, sha256};
use crate::base::secret::Secret;

/// A record that replicas share.
pub struct SharedRecord {
    store: Arc<dyn RecordStore>,
    sealer: Sealer,
    key: Key,
    name: &'static str,
}

/// The record as it was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it says; `None` when no secret of ours opens it.
    pub plain: Option<Secret<Vec<u8>>>,
    /// Whether it is sealed with each of our secrets.
    pub is_for_all: bool,
    /// Whether it is sealed with others too.
    pub has_others: bool,
    /// Needed to change it.
    pub version: Version,
}

/// How the record was. It is changed only if it still is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(Bytes);

impl SharedRecord {
    /// Knows the record of that name.
    #[must_use]
    pub fn new(store: Arc<dyn RecordStore>, sealer: Sealer, name: &'static str) -> Self {
        // Among what no operator lists and nothing makes room for.
        let key = Key { kind: Kind::Used, digest: sha256(name.as_bytes()) };
        Self { store, sealer, key, name }
    }

    /// Returns how the key of it ends in Redis, for operators.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{{{}:{}}}", self.key.kind.name(), hex_lower(&self.key.digest))
    }

    /// Reads it; nothing when there is none. What is as in `known` is not opened.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn read(
        &self,
        known: Option<&Version>,
        now: Time,
    ) -> Result<Option<Found>, Unavailable> {
        let record = self.store.get(self.key, now).await?;
        Ok(record.map(|record| {
            let version = Version(record.sealed);
            if known == Some(&version) {
                return Found { plain: None, is_for_all: true, has_others: false, version };
            }
            let copies = copies(&version.0);
            let mine: Vec<_> = self.sealer.singly().into_iter().take(MOST).collect();
            let is_for_all =
                mine.iter().all(|one| copies.iter().any(|copy| one.is_sealed_here(copy)));
            let has_others =
                copies.iter().any(|copy| !mine.iter().any(|one| one.is_sealed_here(copy)));
            let secret = self.name.as_bytes();
            let plain =
                copies.iter().find_map(|copy| self.sealer.open(self.key, secret, copy).ok());
            Found { plain, is_for_all, has_others, version }
        }))
    }

    /// Writes it, in the place of what it was, or where there was none; says whether that was still
    /// so.
    ///
    /// # Errors
    /// When the store is away: then it may have been written.
    pub async fn write(
        &self,
        was: Option<Version>,
        plain: &[u8],
        now: Time,
    ) -> Result<Option<Version>, Unavailable> {
        let mut sealed = Vec::new();
        for sealer in self.sealer.singly().into_iter().take(MOST) {
            let copy = sealer.seal(self.key, self.name.as_bytes(), plain);
            let length = u32::try_from(copy.len()).map_err(|_| Unavailable::full())?;
            sealed.extend_from_slice(&length.to_be_bytes());
            sealed.extend_from_slice(&copy);
        }
        if sealed.len() > MOST_BYTES {
            return Err(Unavailable::full());
        }
        let sealed = Bytes::from(sealed);
        let record = Record {
            sealed: sealed.clone(),
            label: Bytes::new(),
            owner: None,
            alive: now.as_millisecond(),
            expires: later(now, LIFE),
        };
        let is_written = match was {
            Some(Version(was)) => self.store.swap(self.key, was, record, now).await?,
            None => self.store.put_new(self.key, record, now).await?,
        };
        Ok(is_written.then_some(Version(sealed)))
    }
}

/// Returns the copies in what is kept, each with its length in front. What does not end as it
/// should has fewer; what is longer than anything that is written here has none.
fn copies(mut kept: &[u8]) -> Vec<&[u8]> {
    let mut copies = Vec::new();
    if kept.len() > MOST_BYTES {
        return copies;
    }
    while let Some((length, rest)) = kept.split_first_chunk::<4>()
        && let Some((copy, rest)) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)
        && copies.len() < MOST
    {
        copies.push(copy);
        kept = rest;
    }
    copies
}

/// How long it is kept although nobody changes it: longer than any gateway is in use.
const LIFE: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
/// The most copies.
const MOST: usize = 16;
/// The most bytes of all copies together. A copy of a ring with three algorithms, each of which was
/// rotated as often as it may be, has less than a hundredth of that.
const MOST_BYTES: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::super::memory::Memory;
    use super::*;

    fn sealer(secrets: &[u8]) -> Sealer {
        Sealer::new(secrets.iter().map(|byte| Secret::new(vec![*byte; 32])).collect())
    }

    fn share(store: &Arc<Memory>, secrets: &[u8]) -> SharedRecord {
        SharedRecord::new(Arc::clone(store) as _, sealer(secrets), "test")
    }

    fn says(found: Option<Found>) -> Option<Vec<u8>> {
        found.and_then(|found| found.plain).map(|plain| plain.expose().clone())
    }

    #[tokio::test]
    async fn it_changes_for_one_of_two_who_read_the_same() {
        let (store, now) = (Arc::new(Memory::new(10)), contract::begin());
        let (one, two) = (share(&store, &[1]), share(&store, &[1]));
        assert!(one.read(None, now).await.unwrap().is_none());
        let first = one.write(None, b"first", now).await.unwrap().unwrap();
        assert_eq!(two.write(None, b"other", now).await, Ok(None));
        let found = two.read(None, now).await.unwrap().unwrap();
        assert_eq!(found.version, first);
        assert!(two.write(Some(found.version), b"second", now).await.unwrap().is_some());
        assert_eq!(one.write(Some(first), b"third", now).await, Ok(None));
        assert_eq!(says(one.read(None, now).await.unwrap()), Some(b"second".to_vec()));
        let years = later(now, LIFE / 2);
        assert_eq!(says(one.read(None, years).await.unwrap()), Some(b"second".to_vec()));
    }

    #[tokio::test]
    async fn secrets_rotate_and_nobody_else_reads_it() {
        let (store, now) = (Arc::new(Memory::new(10)), contract::begin());
        share(&store, &[1]).write(None, b"plain", now).await.unwrap();
        let found = share(&store, &[2, 1]).read(None, now).await.unwrap().unwrap();
        assert!(!found.is_for_all, "those who have the new one alone could not read it");
        let rotating = share(&store, &[2, 1]);
        rotating.write(Some(found.version), b"plain", now).await.unwrap().unwrap();
        for secrets in [&[1][..], &[2], &[2, 1], &[1, 2]] {
            let found = share(&store, secrets).read(None, now).await.unwrap().unwrap();
            assert!(found.is_for_all, "{secrets:?}");
            assert_eq!(says(Some(found)), Some(b"plain".to_vec()), "{secrets:?}");
        }
        // A copy is known that was sealed with a secret which is not ours, and it goes by a change.
        let one = share(&store, &[2]);
        let found = one.read(None, now).await.unwrap().unwrap();
        assert!(found.is_for_all && found.has_others);
        assert!(!rotating.read(None, now).await.unwrap().unwrap().has_others);
        one.write(Some(found.version), b"plain", now).await.unwrap().unwrap();
        assert!(!one.read(None, now).await.unwrap().unwrap().has_others);
        assert!(says(share(&store, &[1]).read(None, now).await.unwrap()).is_none());
        let found = share(&store, &[3]).read(None, now).await.unwrap();
        assert!(found.is_some() && says(found).is_none());
        let other = SharedRecord::new(store, sealer(&[1]), "another");
        assert!(other.read(None, now).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn it_has_no_more_bytes_than_it_may() {
        let (store, now) = (Arc::new(Memory::new(10)), contract::begin());
        let record = share(&store, &[1]);
        let most = vec![7; MOST_BYTES - 100];
        let version = record.write(None, &most, now).await.unwrap().unwrap();
        assert_eq!(says(record.read(None, now).await.unwrap()), Some(most));
        let more = vec![7; MOST_BYTES];
        assert!(record.write(Some(version.clone()), &more, now).await.unwrap_err().is_full());
        // A copy that is good, and whatever follows.
        let longer = [&version.0[..], &[0; 200]].concat();
        let put = Record { sealed: Bytes::from(longer), ..contract::record(b"", now, 60) };
        store.put(record.key, put).await.unwrap();
        assert!(says(record.read(None, now).await.unwrap()).is_none());
    }

    #[tokio::test]
    async fn more_secrets_than_it_has_room_for_are_those_that_it_has() {
        let (store, now) = (Arc::new(Memory::new(10)), contract::begin());
        let secrets: Vec<u8> = (1..=20).collect();
        let record = share(&store, &secrets);
        record.write(None, b"plain", now).await.unwrap().unwrap();
        let found = record.read(None, now).await.unwrap().unwrap();
        assert!(found.is_for_all && !found.has_others, "or it would be written again and again");
    }

    #[tokio::test]
    async fn what_somebody_writes_there_is_not_read() {
        let (store, now) = (Arc::new(Memory::new(10)), contract::begin());
        let record = share(&store, &[1]);
        for sealed in [&b""[..], b"short", &[0; 400], &[0xff; 4096]] {
            let put =
                Record { sealed: Bytes::copy_from_slice(sealed), ..contract::record(b"", now, 60) };
            store.put(record.key, put).await.unwrap();
            let found = record.read(None, now).await.unwrap();
            assert!(found.is_some() && says(found).is_none());
        }
    }
}
