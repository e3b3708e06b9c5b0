//! Records that strangers cause: so many a minute, from one network and from all, and one record
//! that says how many more there were. The access log has each of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::clock::Time;
use crate::observe::access::masked;

/// What strangers caused in a minute.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    /// Records of all networks.
    all: u32,
    /// Records by network: no more than there are records.
    networks: HashMap<IpAddr, u32>,
    /// How many were not written, and are not told yet.
    more: u64,
}

impl Strangers {
    /// Tells whether a record is written that a client caused; counts it when it is not.
    pub(super) fn admits(&self, client: Option<IpAddr>, now: Time) -> bool {
        let mut minute = self.lock();
        let number = now.as_second().div_euclid(60);
        if minute.number != number {
            *minute = Minute { number, more: minute.more, ..Minute::default() };
        }
        let network = client.map(masked);
        let told = network.and_then(|network| minute.networks.get(&network)).copied();
        let told = told.unwrap_or_default();
        if minute.all >= MOST || told >= MOST_OF_ONE {
            minute.more += 1;
            return false;
        }
        minute.all += 1;
        if let Some(network) = network {
            minute.networks.insert(network, told + 1);
        }
        true
    }

    /// Returns, once, how many more there were than were written, when that minute is over.
    pub(super) fn more(&self, now: Time) -> Option<u64> {
        let mut minute = self.lock();
        let is_over = minute.more > 0 && minute.number != now.as_second().div_euclid(60);
        is_over.then(|| std::mem::take(&mut minute.more))
    }

    /// The same, whether the minute is over or not.
    pub(super) fn rest(&self) -> Option<u64> {
        let more = std::mem::take(&mut self.lock().more);
        (more > 0).then_some(more)
    }

    fn lock(&self) -> MutexGuard<'_, Minute> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The most records a minute that strangers cause: of all networks, and of one.
const MOST: u32 = 300;
const MOST_OF_ONE: u32 = 30;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn client(network: u32) -> Option<IpAddr> {
        Some(Ipv4Addr::from_bits(0x0a00_0007 + (network << 8)).into())
    }

    #[test]
    fn a_network_has_so_many_a_minute_and_the_rest_is_told_once_in_sum() {
        let (strangers, now) = (Strangers::default(), Time::UNIX_EPOCH);
        let written = (0..1000).filter(|_| strangers.admits(client(1), now)).count();
        assert_eq!(written, 30);
        assert!(strangers.admits(client(2), now), "another network has its own");
        assert_eq!(strangers.more(now), None);
        let later = Time::from_second(60).unwrap();
        assert_eq!((strangers.more(later), strangers.more(later)), (Some(970), None));
        assert!(strangers.admits(client(1), later));
        assert_eq!(strangers.rest(), None);
    }

    #[test]
    fn all_networks_together_have_so_many_a_minute() {
        let (strangers, now) = (Strangers::default(), Time::UNIX_EPOCH);
        let written = (0..5000).filter(|&network| strangers.admits(client(network), now)).count();
        assert_eq!(written, 300);
        assert_eq!(strangers.lock().networks.len(), 300);
        assert_eq!((strangers.rest(), strangers.rest()), (Some(4700), None));
    }
}
