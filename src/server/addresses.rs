//! How many connections each client has open, so that one of them cannot have them all.
//!
//! 1. A client is an IPv4 address, or the /64 of an IPv6 address: the owner of one address of a /64
//!    has them all.
//! 2. Clients from exempt networks are not counted: behind a proxy, all clients have one address.
//! 3. Only clients with an open connection are remembered, so the table is never larger than the
//!    number of connections. It is split, so that workers seldom wait for each other.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use ipnet::IpNet;

use crate::request::networks::Networks;

/// Counts open connections by client. Shared by all workers.
#[derive(Debug)]
pub struct PerAddress {
    limit: usize,
    exempt: ArcSwap<Networks>,
    hasher: RandomState,
    parts: [Mutex<HashMap<IpAddr, usize>>; PARTS],
}

/// One open connection of a client; dropping it gives the permit back.
#[derive(Debug)]
pub struct ConnectionPermit {
    counted: Option<(Arc<PerAddress>, IpAddr)>,
}

/// The client has as many connections as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("client has {limit} connections already")]
pub struct TooMany {
    /// How many it may have.
    pub limit: usize,
}

impl PerAddress {
    /// Makes an empty table. With a limit of zero no client is counted.
    #[must_use]
    pub fn new(limit: usize, exempt: Vec<IpNet>) -> Self {
        let parts = std::array::from_fn(|_| Mutex::default());
        let exempt = ArcSwap::from_pointee(Networks::new(exempt));
        Self { limit, exempt, hasher: RandomState::new(), parts }
    }

    /// Counts others from now on. Places that were given are kept.
    pub fn exempt(&self, networks: Vec<IpNet>) {
        self.exempt.store(Arc::new(Networks::new(networks)));
    }

    /// Gives a client a permit for one more connection.
    ///
    /// # Errors
    /// When it has too many already.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Result<ConnectionPermit, TooMany> {
        let address = address.to_canonical();
        if self.limit == 0 || self.exempt.load().contains(address) {
            return Ok(ConnectionPermit { counted: None });
        }
        let client = client(address);
        let mut part = self.part(client);
        let count = part.entry(client).or_insert(0);
        if *count >= self.limit {
            return Err(TooMany { limit: self.limit });
        }
        *count += 1;
        Ok(ConnectionPermit { counted: Some((Arc::clone(self), client)) })
    }

    /// Returns how many clients have a connection that counts.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.parts.iter().map(|part| lock(part).len()).sum()
    }

    fn part(&self, client: IpAddr) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        let hash = self.hasher.hash_one(client) as usize;
        lock(&self.parts[hash % PARTS])
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let Some((table, client)) = self.counted.take() else { return };
        if let Entry::Occupied(mut entry) = table.part(client).entry(client) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

fn client(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const PARTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn refuses_one_too_many_and_takes_the_next_when_one_has_gone() {
        let table = Arc::new(PerAddress::new(2, Vec::new()));
        let first = table.enter(address("192.0.2.1")).unwrap();
        let _second = table.enter(address("192.0.2.1")).unwrap();
        assert_eq!(table.enter(address("192.0.2.1")).unwrap_err(), TooMany { limit: 2 });
        assert!(table.enter(address("192.0.2.2")).is_ok(), "another client is not concerned");
        drop(first);
        assert!(table.enter(address("192.0.2.1")).is_ok());
    }

    #[test]
    fn one_client_is_an_ipv4_address_however_written_or_an_ipv6_network() {
        for (one, other, is_same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ] {
            let table = Arc::new(PerAddress::new(1, Vec::new()));
            let _place = table.enter(address(one)).unwrap();
            assert_eq!(table.enter(address(other)).is_err(), is_same, "{one} {other}");
        }
    }

    #[test]
    fn proxies_are_not_counted_and_neither_is_anybody_without_a_limit() {
        let proxies = Arc::new(PerAddress::new(1, vec!["10.0.0.0/8".parse().unwrap()]));
        let unlimited = Arc::new(PerAddress::new(0, Vec::new()));
        for table in [proxies, unlimited] {
            let permits: Vec<_> = (0..5).map(|_| table.enter(address("10.1.2.3"))).collect();
            assert!(permits.iter().all(Result::is_ok));
            assert_eq!(table.clients(), 0);
        }
    }

    #[test]
    fn nobody_is_remembered_when_all_have_gone() {
        let table = Arc::new(PerAddress::new(10, Vec::new()));
        let permits: Vec<_> = (0..1000_u32)
            .map(|number| table.enter(IpAddr::from((0x0a00_0000 | number).to_be_bytes())).unwrap())
            .collect();
        assert_eq!(table.clients(), 1000);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for last in 0..=255_u8 {
                        drop(table.enter(IpAddr::from([10, 9, 0, last])));
                    }
                });
            }
        });
        assert_eq!(table.clients(), 1000);
        drop(permits);
        assert_eq!(table.clients(), 0);
    }
}
