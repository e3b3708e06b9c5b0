//! The ledger of what one process keeps for strangers, shared out by network: no network that keeps
//! little loses it to one that keeps much.
//!
//! A [`Ledger`] notes what this process keeps: under which digest, for which network, how many
//! bytes, and until when. It holds nothing itself. The keeper asks it first ([`Ledger::admit`]),
//! and lets go of what it names. For records in a store [`super::room`] does both.
//!
//! 1. There is a bound for the number and one for the bytes ([`Bounds`]). The memory of the ledger
//!    itself follows from the first: some 300 bytes an entry.
//! 2. What has expired goes first.
//! 3. When it is tight after that, the network that has most, counted with what it brings now,
//!    loses what it brought longest ago. Of several with as much it is the one that brings
//!    something; when it has nothing else, that is not admitted and nothing is lost for it.
//! 4. So a network with no more than its equal share of a bound (the bound, divided by the number
//!    of networks that keep something) never loses an entry to another network, whatever the others
//!    do. What is left by those with little is there for those with more.
//! 5. Every operation costs O(log n), and each entry that goes was put by one that came.

use std::collections::hash_map;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::base::clock::Time;
use crate::base::digest_hasher::BuildDigestHasher;
use crate::base::network::Network;
use crate::store::Digest;

/// How much may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most entries at a time.
    pub entries: usize,
    /// How many bytes they may have together.
    pub bytes: usize,
}

impl Bounds {
    /// Returns how much a record of so many bytes counts: what stands around it costs room too, so
    /// that very many small ones cannot cost more than the bound of bytes says.
    #[must_use]
    pub fn weigh(length: usize) -> usize {
        length.saturating_add(AROUND_A_RECORD)
    }
}

/// What is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Under which digest. It must be one of our own making (a hash of a random handle).
    pub digest: Digest,
    /// The network of the client that had us keep it.
    pub network: Network,
    /// How many bytes it has.
    pub bytes: usize,
    /// Until when it is kept.
    pub expires: Time,
}

/// What the ledger decided about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "what is evicted must not be kept any longer"]
pub struct Admission {
    /// Whether there is room for it.
    pub is_admitted: bool,
    /// What is not kept any more: it has expired, or made room.
    pub evicted: Vec<Digest>,
}

/// How much is kept at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// How many entries there are.
    pub entries: usize,
    /// How many bytes they have.
    pub bytes: usize,
    /// How many networks they are of.
    pub networks: usize,
}

/// The ledger. Shared by all workers.
pub struct Ledger {
    bounds: Bounds,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    /// In the order in which they came.
    entries: BTreeMap<Number, Entry>,
    by_digest: HashMap<Digest, Number, BuildDigestHasher>,
    by_expiry: BTreeSet<(Time, Number)>,
    shares: HashMap<Network, Share>,
    most_entries: BTreeSet<(usize, Network)>,
    most_bytes: BTreeSet<(usize, Network)>,
    bytes: usize,
    next: Number,
}

type Number = u64;

/// What one network has in the ledger.
#[derive(Default)]
struct Share {
    entries: BTreeSet<Number>,
    bytes: usize,
}

/// Of what there is more than there may be.
#[derive(Debug, Clone, Copy)]
enum Scarce {
    Entries,
    Bytes,
}

impl Ledger {
    /// Makes an empty ledger.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, books: Mutex::default() }
    }

    /// Returns the bounds that the ledger was made with.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Admits an entry when there is room for it or others must make some. One with the same digest
    /// is replaced.
    pub fn admit(&self, entry: Entry, now: Time) -> Admission {
        self.with(|books| books.admit(entry, self.bounds, now))
    }

    /// Lets an entry grow to so many bytes. One that cannot, or that makes room for its own
    /// network, is gone; one that is not there stays so.
    pub fn grow(&self, digest: Digest, bytes: usize, now: Time) -> Admission {
        self.with(|books| books.grow(digest, bytes, self.bounds, now))
    }

    /// Releases an entry, which is not kept any more; says whether it was there.
    pub fn release(&self, digest: Digest) -> bool {
        self.with(|books| books.by_digest.get(&digest).copied().and_then(|n| books.remove(n)))
            .is_some()
    }

    /// Returns how much is kept.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.with(|books| Usage {
            entries: books.entries.len(),
            bytes: books.bytes,
            networks: books.shares.len(),
        })
    }

    /// Returns how many entries of a network are kept, and how many bytes they have.
    #[must_use]
    pub fn share_of(&self, network: Network) -> (usize, usize) {
        self.with(|books| {
            books.shares.get(&network).map_or((0, 0), |share| (share.entries.len(), share.bytes))
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Books) -> T) -> T {
        act(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Books {
    fn admit(&mut self, entry: Entry, bounds: Bounds, now: Time) -> Admission {
        let replaced = self.by_digest.get(&entry.digest).copied();
        let replaced = replaced.and_then(|number| Some((number, self.remove(number)?)));
        // 1. What has expired goes: a few each time, so that none of it stays for long. Not what is
        //    replaced: under its digest is the new one.
        let mut gone = self.expired(now, AT_ONCE);
        // 2. It is noted like all others, and then there must be room.
        let number = self.next;
        self.next += 1;
        self.insert(number, entry);
        let displaced = self.make_room(number, bounds, now, &mut gone);
        let is_admitted = self.entries.contains_key(&number);
        if is_admitted {
            gone.extend(displaced.into_iter().map(|(_, entry)| entry.digest));
        } else {
            // 3. There is none: all others stay, and the one that it was to replace too.
            for (number, entry) in displaced.into_iter().chain(replaced) {
                self.insert(number, entry);
            }
        }
        Admission { is_admitted, evicted: gone }
    }

    fn grow(&mut self, digest: Digest, bytes: usize, bounds: Bounds, now: Time) -> Admission {
        let Some(number) = self.by_digest.get(&digest).copied() else {
            return Admission { is_admitted: false, evicted: Vec::new() };
        };
        let mut gone = Vec::new();
        if let Some(entry) = self.remove(number) {
            self.insert(number, Entry { bytes, ..entry });
        }
        let displaced = self.make_room(number, bounds, now, &mut gone);
        let is_admitted = self.entries.contains_key(&number);
        if is_admitted {
            gone.extend(displaced.into_iter().map(|(_, entry)| entry.digest));
        } else {
            for (number, entry) in displaced {
                self.insert(number, entry);
            }
            // It may have expired just now.
            if !gone.contains(&digest) {
                gone.push(digest);
            }
        }
        Admission { is_admitted, evicted: gone }
    }

    /// Removes entries until the bounds hold. Those that have not expired are returned, except the
    /// newcomer, which is simply not there any more when there is no room for it.
    fn make_room(
        &mut self,
        newcomer: Number,
        bounds: Bounds,
        now: Time,
        gone: &mut Vec<Digest>,
    ) -> Vec<(Number, Entry)> {
        let mut displaced = Vec::new();
        while let Some(brings) = self.entries.get(&newcomer).map(|entry| entry.network)
            && let Some(scarce) = self.scarce(bounds)
        {
            let expired = self.expired(now, 1);
            if !expired.is_empty() {
                gone.extend(expired);
                continue;
            }
            let (most, network) = match scarce {
                Scarce::Entries => self.most_entries.last(),
                Scarce::Bytes => self.most_bytes.last(),
            }
            .copied()
            .unwrap_or((0, brings));
            // Of several that have as much, it is the one that brings something.
            let network = if self.has(brings, scarce) >= most { brings } else { network };
            let share = self.shares.get(&network);
            let oldest = share.and_then(|share| share.entries.first().copied());
            let Some((oldest, entry)) =
                oldest.and_then(|oldest| Some((oldest, self.remove(oldest)?)))
            else {
                break;
            };
            if oldest != newcomer {
                displaced.push((oldest, entry));
            }
        }
        displaced
    }

    fn scarce(&self, bounds: Bounds) -> Option<Scarce> {
        if self.entries.len() > bounds.entries {
            Some(Scarce::Entries)
        } else {
            (self.bytes > bounds.bytes).then_some(Scarce::Bytes)
        }
    }

    fn has(&self, network: Network, scarce: Scarce) -> usize {
        self.shares.get(&network).map_or(0, |share| match scarce {
            Scarce::Entries => share.entries.len(),
            Scarce::Bytes => share.bytes,
        })
    }

    /// Removes up to so many that have expired.
    fn expired(&mut self, now: Time, limit: usize) -> Vec<Digest> {
        let mut gone = Vec::new();
        while gone.len() < limit
            && let Some(&(expires, number)) = self.by_expiry.first()
            && expires <= now
        {
            gone.extend(self.remove(number).map(|entry| entry.digest));
        }
        gone
    }

    fn insert(&mut self, number: Number, entry: Entry) {
        self.entries.insert(number, entry);
        self.by_digest.insert(entry.digest, number);
        self.by_expiry.insert((entry.expires, number));
        self.bytes += entry.bytes;
        self.change_share(entry.network, |share| {
            share.entries.insert(number);
            share.bytes += entry.bytes;
        });
    }

    fn remove(&mut self, number: Number) -> Option<Entry> {
        let entry = self.entries.remove(&number)?;
        self.by_digest.remove(&entry.digest);
        self.by_expiry.remove(&(entry.expires, number));
        self.bytes -= entry.bytes;
        self.change_share(entry.network, |share| {
            share.entries.remove(&number);
            share.bytes -= entry.bytes;
        });
        Some(entry)
    }

    /// Changes what a network has, and keeps the order of those that have most.
    fn change_share(&mut self, network: Network, change: impl FnOnce(&mut Share)) {
        let hash_map::Entry::Occupied(mut at) = self.shares.entry(network) else {
            let mut share = Share::default();
            change(&mut share);
            self.most_entries.insert((share.entries.len(), network));
            self.most_bytes.insert((share.bytes, network));
            self.shares.insert(network, share);
            return;
        };
        let share = at.get_mut();
        self.most_entries.remove(&(share.entries.len(), network));
        self.most_bytes.remove(&(share.bytes, network));
        change(share);
        if share.entries.is_empty() {
            at.remove();
            return;
        }
        self.most_entries.insert((share.entries.len(), network));
        self.most_bytes.insert((share.bytes, network));
    }
}

/// What keys, indexes and memory around a record take, at the most.
const AROUND_A_RECORD: usize = 512;
/// How many expired entries go when another one comes, although there is room.
const AT_ONCE: usize = 16;

#[cfg(test)]
mod tests;
