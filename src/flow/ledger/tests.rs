use super::*;
use proptest::prelude::*;
use std::time::Duration;

use crate::base::clock::later;
use crate::base::encoding::sha256;

const LIFETIME: Duration = Duration::from_secs(60);

fn begin() -> Time {
    "2031-01-01T00:00:00Z".parse().unwrap()
}

fn network(number: u32) -> Network {
    Network::of(std::net::Ipv4Addr::from(number).into(), 32, 56)
}

fn digest(number: u64) -> Digest {
    sha256(&number.to_le_bytes())
}

fn entry(number: u64, of: u32, bytes: usize, now: Time) -> Entry {
    Entry { digest: digest(number), network: network(of), bytes, expires: later(now, LIFETIME) }
}

fn ledger(entries: usize, bytes: usize) -> Ledger {
    Ledger::new(Bounds { entries, bytes })
}

#[test]
fn whoever_floods_pushes_out_what_it_brought_itself_and_nothing_else() {
    let (ledger, now) = (ledger(100, 1_000_000), begin());
    // Honest people of five networks, before, in the middle and after.
    for number in 0..3 {
        assert!(ledger.admit(entry(number, number as u32, 10, now), now).is_admitted);
    }
    let mut gone = Vec::new();
    for number in 1000..3000 {
        let admission = ledger.admit(entry(number, 99, 10, now), now);
        assert!(admission.is_admitted, "its newest stays");
        gone.extend(admission.evicted);
        if number == 2000 {
            gone.extend(ledger.admit(entry(3, 3, 10, now), now).evicted);
        }
    }
    let admission = ledger.admit(entry(4, 4, 10, now), now);
    assert!(admission.is_admitted, "there is room for whoever has little");
    gone.extend(admission.evicted);
    assert_eq!(ledger.usage(), Usage { entries: 100, bytes: 1000, networks: 6 });
    for number in 0..5 {
        assert!(!gone.contains(&digest(number)));
        assert!(ledger.release(digest(number)));
    }
    // In the order in which they came.
    let expected: Vec<_> = (1000..2905).map(digest).collect();
    assert_eq!(gone, expected);
}

#[test]
fn bytes_are_shared_out_as_numbers_are() {
    let (ledger, now) = (ledger(1000, 1000), begin());
    for number in 0..9 {
        assert_eq!(ledger.admit(entry(number, 9, 100, now), now).evicted.len(), 0);
    }
    // Many small ones of another network have less together.
    for number in 100..110 {
        assert_eq!(ledger.admit(entry(number, 1, 10, now), now).evicted.len(), 0);
    }
    let admission = ledger.admit(entry(200, 2, 150, now), now);
    assert_eq!((admission.is_admitted, admission.evicted), (true, vec![digest(0), digest(1)]));
    assert_eq!(ledger.share_of(network(9)), (7, 700));
    // What is larger than everything is not taken in, and nothing is lost for it.
    let before = ledger.usage();
    for of in [1, 9, 77] {
        let admission = ledger.admit(entry(300, of, 1001, now), now);
        assert_eq!((admission.is_admitted, admission.evicted), (false, vec![]));
        assert_eq!(ledger.usage(), before);
    }
}

#[test]
fn where_all_have_as_much_whoever_comes_loses() {
    let (ledger, now) = (ledger(3, 1000), begin());
    for number in 0..3 {
        assert!(ledger.admit(entry(number, number as u32, 10, now), now).is_admitted);
    }
    let admission = ledger.admit(entry(3, 3, 10, now), now);
    assert_eq!(
        (admission.is_admitted, admission.evicted),
        (false, vec![]),
        "no one has more than it would"
    );
    // Whichever it is among them: here the first in the order of networks.
    let other = self::ledger(3, 1000);
    for number in 1..4 {
        assert!(other.admit(entry(number, number as u32, 10, now), now).is_admitted);
    }
    let admission = other.admit(entry(9, 0, 10, now), now);
    assert_eq!((admission.is_admitted, admission.evicted), (false, vec![]));
    // And a network that brings a second one gives up its first.
    let admission = ledger.admit(entry(4, 1, 10, now), now);
    assert_eq!((admission.is_admitted, admission.evicted), (true, vec![digest(1)]));
}

#[test]
fn what_has_expired_goes_first_and_makes_room() {
    let (ledger, now) = (ledger(2, 1000), begin());
    for number in 0..2 {
        assert!(ledger.admit(entry(number, number as u32, 10, now), now).is_admitted);
    }
    let just_before = later(now, LIFETIME - Duration::from_millis(1));
    let admission = ledger.admit(entry(2, 2, 10, just_before), just_before);
    assert_eq!((admission.is_admitted, admission.evicted), (false, vec![]));
    let end = later(now, LIFETIME);
    let admission = ledger.admit(entry(2, 2, 10, end), end);
    assert_eq!((admission.is_admitted, admission.evicted), (true, vec![digest(0), digest(1)]));
    assert_eq!(ledger.usage().entries, 1);
}

#[test]
fn an_entry_under_the_same_digest_is_replaced() {
    let (ledger, now) = (ledger(2, 100), begin());
    assert!(ledger.admit(entry(1, 1, 10, now), now).is_admitted);
    let admission = ledger.admit(entry(1, 2, 20, now), now);
    assert_eq!((admission.is_admitted, admission.evicted), (true, vec![]));
    assert_eq!(ledger.usage(), Usage { entries: 1, bytes: 20, networks: 1 });
    // When there is no room for the new one, the old one stays.
    assert!(!ledger.admit(entry(1, 2, 200, now), now).is_admitted);
    assert_eq!(ledger.share_of(network(2)), (1, 20));
    assert!(ledger.release(digest(1)) && !ledger.release(digest(1)));
    assert_eq!(ledger.usage(), Usage { entries: 0, bytes: 0, networks: 0 });
}

#[test]
fn whatever_grows_takes_from_those_that_have_more() {
    let (ledger, now) = (ledger(10, 100), begin());
    for number in 0..9 {
        assert!(ledger.admit(entry(number, 9, 10, now), now).is_admitted);
    }
    assert!(ledger.admit(entry(10, 1, 1, now), now).is_admitted);
    assert_eq!(ledger.grow(digest(10), 10, now).evicted.len(), 0);
    assert_eq!(ledger.grow(digest(10), 20, now).evicted, [digest(0)]);
    // It reaches what the other has, and then goes itself.
    let admission = ledger.grow(digest(10), 55, now);
    assert_eq!((admission.is_admitted, admission.evicted), (false, vec![digest(10)]));
    assert_eq!(ledger.share_of(network(9)), (8, 80), "and nobody lost anything for that");
    assert!(!ledger.grow(digest(10), 1, now).is_admitted, "what is gone does not come back");
}

#[test]
fn what_expires_while_it_grows_is_gone_once() {
    let (ledger, now) = (ledger(10, 100), begin());
    assert!(ledger.admit(entry(1, 1, 10, now), now).is_admitted);
    let admission = ledger.grow(digest(1), 200, later(now, LIFETIME));
    assert_eq!((admission.is_admitted, admission.evicted), (false, vec![digest(1)]));
}

#[test]
fn as_much_of_what_has_expired_goes_as_there_must_be_room_for() {
    let (ledger, now) = (ledger(100, 200), begin());
    for number in 0..20 {
        assert!(ledger.admit(entry(number, 1, 10, now), now).is_admitted);
    }
    let end = later(now, LIFETIME);
    let admission = ledger.admit(entry(20, 2, 180, end), end);
    assert_eq!(admission.evicted, (0..18).map(digest).collect::<Vec<_>>());
    assert!(admission.is_admitted);
    assert_eq!(ledger.usage(), Usage { entries: 3, bytes: 200, networks: 2 });
}

#[test]
fn of_networks_with_several_and_as_many_whoever_brings_one_more_loses() {
    let (ledger, now) = (ledger(5, 1000), begin());
    for (number, of) in [(1, 1), (2, 1), (3, 9), (4, 9), (5, 9)] {
        assert!(ledger.admit(entry(number, of, 10, now), now).is_admitted);
    }
    let admission = ledger.admit(entry(6, 1, 10, now), now);
    assert_eq!((admission.is_admitted, admission.evicted), (true, vec![digest(1)]));
}

#[test]
fn one_entry_of_a_network_counts_by_its_bytes() {
    let (ledger, now) = (ledger(10, 100), begin());
    assert!(ledger.admit(entry(1, 9, 90, now), now).is_admitted);
    let admission = ledger.admit(entry(2, 1, 20, now), now);
    assert_eq!((admission.is_admitted, admission.evicted), (true, vec![digest(1)]));
}

#[test]
fn nothing_is_known_of_what_was_released() {
    let (ledger, now) = (ledger(10, 100), begin());
    assert!(ledger.admit(entry(1, 1, 10, now), now).is_admitted);
    assert!(ledger.release(digest(1)));
    let admission = ledger.grow(digest(1), 1, now);
    assert_eq!((admission.is_admitted, admission.evicted), (false, vec![]));
}

#[derive(Debug, Clone)]
enum Act {
    Admit { number: u64, of: u32, bytes: usize },
    Grow { number: u64, bytes: usize },
    LetGo { number: u64 },
    Wait { seconds: u64 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    // Few of the networks do most of it.
    let of = prop_oneof![4 => 0..2_u32, 1 => 0..12_u32];
    let act = prop_oneof![
        8 => (0..200_u64, of, 0..120_usize)
            .prop_map(|(number, of, bytes)| Act::Admit { number, of, bytes }),
        2 => (0..200_u64, 0..120_usize).prop_map(|(number, bytes)| Act::Grow { number, bytes }),
        1 => (0..200_u64).prop_map(|number| Act::LetGo { number }),
        1 => (0..30_u64).prop_map(|seconds| Act::Wait { seconds }),
    ];
    proptest::collection::vec(act, 1..300)
}

/// What a ledger must say, kept in the simplest way.
#[derive(Default)]
struct Model(HashMap<Digest, Entry>);

impl Model {
    fn has(&self, network: Network) -> (usize, usize) {
        let of = self.0.values().filter(|entry| entry.network == network);
        of.fold((0, 0), |(count, bytes), entry| (count + 1, bytes + entry.bytes))
    }

    /// Takes away what a ledger says is gone, and makes sure that it may be.
    fn follow(&mut self, admission: &Admission, brings: Entry, bounds: Bounds, now: Time) {
        let had: HashMap<_, _> =
            self.0.values().map(|entry| (entry.network, self.has(entry.network))).collect();
        if admission.is_admitted {
            self.0.insert(brings.digest, brings);
        }
        let networks: BTreeSet<_> = self.0.values().map(|entry| entry.network).collect();
        for digest in &admission.evicted {
            let lost = self.0.remove(digest).expect("only what is kept goes");
            if lost.expires <= now || lost.network == brings.network {
                continue;
            }
            assert!(admission.is_admitted, "nothing is lost for what is not kept");
            let (count, bytes) = had[&lost.network];
            let is_more_than_its_share =
                count * networks.len() > bounds.entries || bytes * networks.len() > bounds.bytes;
            assert!(is_more_than_its_share, "{lost:?} was within its equal share");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_bounds_hold_and_no_network_loses_what_is_within_its_equal_share(acts in acts()) {
        let bounds = Bounds { entries: 40, bytes: 2000 };
        let ledger = Ledger::new(bounds);
        let (mut model, mut now) = (Model::default(), begin());
        for act in acts {
            match act {
                Act::Admit { number, of, bytes } => {
                    let brings = entry(number, of, bytes, now);
                    let admission = ledger.admit(brings, now);
                    model.follow(&admission, brings, bounds, now);
                }
                Act::Grow { number, bytes } => {
                    let Some(known) = model.0.get(&digest(number)).copied() else {
                        prop_assert!(!ledger.grow(digest(number), bytes, now).is_admitted);
                        continue;
                    };
                    let admission = ledger.grow(digest(number), bytes, now);
                    model.follow(&admission, Entry { bytes, ..known }, bounds, now);
                }
                Act::LetGo { number } => {
                    let was_there = model.0.remove(&digest(number)).is_some();
                    prop_assert_eq!(ledger.release(digest(number)), was_there);
                }
                Act::Wait { seconds } => now = later(now, Duration::from_secs(seconds)),
            }
            let kept = ledger.usage();
            prop_assert!(kept.entries <= bounds.entries && kept.bytes <= bounds.bytes);
            prop_assert_eq!(kept.entries, model.0.len());
            prop_assert_eq!(kept.bytes, model.0.values().map(|entry| entry.bytes).sum::<usize>());
            let networks: BTreeSet<_> = model.0.values().map(|entry| entry.network).collect();
            prop_assert_eq!(kept.networks, networks.len());
            for network in networks {
                prop_assert_eq!(ledger.share_of(network), model.has(network));
            }
        }
    }

    #[test]
    fn whoever_has_less_than_the_equal_share_is_taken_in(acts in acts(), of in 100..103_u32) {
        let bounds = Bounds { entries: 40, bytes: 2000 };
        let ledger = Ledger::new(bounds);
        for act in acts {
            if let Act::Admit { number, of, bytes } = act {
                let _ = ledger.admit(entry(number, of, bytes, begin()), begin());
            }
        }
        let networks = ledger.usage().networks + 1;
        let brings = entry(999, of, bounds.bytes / networks, begin());
        prop_assert!(ledger.admit(brings, begin()).is_admitted);
    }
}

#[test]
fn ten_thousand_entries_come_and_go_without_a_search() {
    let (ledger, now) = (ledger(10_000, usize::MAX), begin());
    for number in 0..20_000_u64 {
        // Every other one from a network of its own: the worst for the order of networks.
        let of = if number % 2 == 0 { 0 } else { number as u32 };
        let _ = ledger.admit(entry(number, of, 300, now), now);
    }
    assert_eq!(ledger.usage().entries, 10_000);
    let all = later(now, LIFETIME);
    let mut gone = 0;
    while ledger.usage().entries > 1 {
        gone += ledger.admit(entry(1_000_000, 7, 300, all), all).evicted.len();
    }
    assert!(gone >= 9_999);
}
