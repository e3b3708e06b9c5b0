//! How many requests one client has under way at an upstream, so that none takes it from the
//! others.
//!
//! 1. A client is a session, or a network where no citizen is signed in: one person has one session
//!    in all their tabs, and one line to us as many addresses as it likes.
//! 2. Counters are a table of fixed size, without a lock. Two clients may meet in one counter, and
//!    then share a share; by a key of this process no client can choose which other it meets.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::base::network::Network;
use crate::session::SessionKey;

/// The client that a request counts for, as far as shares go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requester {
    /// The session of a citizen who is signed in.
    Session(SessionKey),
    /// The network of a client that is not, or of which it does not matter here.
    Network(Network),
}

impl Requester {
    /// Tells whether it is the session of a citizen who is signed in.
    #[must_use]
    pub fn is_signed_in(self) -> bool {
        matches!(self, Self::Session(_))
    }
}

/// What each client has under way.
#[derive(Debug)]
pub(super) struct Shares {
    counters: Arc<[AtomicU32]>,
    hasher: RandomState,
    most: u32,
}

/// A request that is counted for its client, until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    counters: Arc<[AtomicU32]>,
    index: usize,
}

impl Shares {
    pub(super) fn new(most: usize) -> Self {
        Self {
            counters: (0..COUNTERS).map(|_| AtomicU32::new(0)).collect(),
            hasher: RandomState::new(),
            most: u32::try_from(most).unwrap_or(u32::MAX),
        }
    }

    /// Counts one more request of a client, unless it has as many as it may.
    pub(super) fn take(&self, requester: Requester) -> Option<Share> {
        let hash = match requester {
            // A digest of a secret: as good as any hash.
            Requester::Session(key) => key.prefix(),
            Requester::Network(network) => self.hasher.hash_one(network),
        };
        // As many bits as there are counters.
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
        let index = hash as usize % COUNTERS;
        let counter = &self.counters[index];
        if counter.fetch_add(1, Ordering::Relaxed) >= self.most {
            counter.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Share { counters: Arc::clone(&self.counters), index })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.counters[self.index].fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many counters there are; far more than clients that have many requests under way.
const COUNTERS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::SessionId;

    fn network(last: u8) -> Requester {
        Requester::Network(Network::of([192, 0, 2, last].into(), 32, 56))
    }

    #[test]
    fn a_client_has_its_share_and_gets_it_back() {
        let shares = Shares::new(2);
        let (first, _second) = (shares.take(network(1)), shares.take(network(1)).unwrap());
        assert!(shares.take(network(1)).is_none(), "more than its share");
        assert!(shares.take(network(1)).is_none(), "a refusal counts nothing");
        drop(first.unwrap());
        assert!(shares.take(network(1)).is_some());
    }

    #[test]
    fn others_have_theirs_and_a_session_is_no_network() {
        let shares = Shares::new(1);
        let session = Requester::Session(SessionId::generate().key());
        let all = [network(1), session, network(2)];
        assert_eq!(all.map(Requester::is_signed_in), [false, true, false]);
        // They may meet in a counter, seldom.
        let met = (0..100).filter(|_| {
            let shares = Shares::new(1);
            let held = all.map(|one| shares.take(one));
            held.iter().any(Option::is_none)
        });
        assert!(met.count() < 5);
        let _held = shares.take(session);
        assert!(shares.take(session).is_none());
    }
}
