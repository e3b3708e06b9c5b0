//! What a network may do, and that the number of networks changes nothing for any of them.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;

use crate::base::clock::{Clock, ManualClock, Time};
use crate::gateway::limits::*;

struct World {
    clock: Arc<ManualClock>,
    limits: Limits,
}

fn world(settings: Settings) -> World {
    let clock = Arc::new(ManualClock::at("2031-01-01T00:00:00Z".parse().unwrap()));
    let limits = Limits::new(settings, clock.clone());
    World { clock, limits }
}

/// Ten starts, ten returns and ten failures in a minute.
fn ten() -> Settings {
    let ten = NonZeroU32::new(10);
    Settings { starts: ten, returns: ten, failures: ten, ..Settings::default() }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// How many of these starts are allowed.
fn starts(limits: &Limits, client: &str, tries: usize) -> usize {
    (0..tries).filter(|_| limits.start(address(client), Origin::Own).is_ok()).count()
}

#[test]
fn a_network_begins_so_many_at_once_and_then_evenly() {
    let w = world(ten());
    assert_eq!(starts(&w.limits, "192.0.2.7", 30), 10);
    let refused = w.limits.start(address("192.0.2.7"), Origin::Own).unwrap_err();
    assert_eq!(refused.counted, Counted::Start);
    assert_eq!(refused.wait, Duration::from_secs(6), "a tenth of a minute");
    w.clock.advance(Duration::from_millis(5_999));
    assert_eq!(starts(&w.limits, "192.0.2.7", 1), 0);
    w.clock.advance(Duration::from_millis(1));
    assert_eq!(starts(&w.limits, "192.0.2.7", 5), 1);
    w.clock.advance(Duration::from_secs(60));
    assert_eq!(starts(&w.limits, "192.0.2.7", 30), 10);
}

#[test]
fn what_one_network_does_is_not_held_against_another() {
    let w = world(ten());
    assert_eq!(starts(&w.limits, "192.0.2.7", 30), 10);
    for (client, allowed) in [
        ("192.0.2.8", 10),
        ("::ffff:192.0.2.7", 0),
        ("2001:db8:0:100::1", 10),
        ("2001:db8:0:1ff:ffff::9", 0),
        ("2001:db8:0:200::1", 10),
    ] {
        assert_eq!(starts(&w.limits, client, 30), allowed, "{client}");
    }
}

#[test]
fn the_size_of_a_network_is_a_setting() {
    let w = world(Settings { ipv4_prefix: 24, ipv6_prefix: 48, ..ten() });
    for (client, allowed) in [
        ("192.0.2.7", 10),
        ("192.0.2.200", 0),
        ("192.0.3.7", 10),
        ("2001:db8:0:1::1", 10),
        ("2001:db8:0:2::1", 0),
        ("2001:db8:1::1", 10),
    ] {
        assert_eq!(starts(&w.limits, client, 30), allowed, "{client}");
    }
}

#[test]
fn excepted_networks_and_limits_of_zero_count_nothing() {
    let except = Networks::new(vec!["10.0.0.0/8".parse().unwrap()]);
    let w = world(Settings { except, ..ten() });
    assert_eq!(starts(&w.limits, "10.1.2.3", 100), 100);
    assert_eq!(starts(&w.limits, "11.1.2.3", 100), 10);
    let w = world(Settings { starts: None, failures: None, ..ten() });
    assert_eq!(starts(&w.limits, "11.1.2.3", 100), 100);
    (0..100).for_each(|_| w.limits.fail(address("11.1.2.3")));
    assert_eq!(w.limits.may_try(address("11.1.2.3")), Ok(()));
}

#[test]
fn the_three_counts_are_apart() {
    let w = world(ten());
    let client = address("192.0.2.7");
    assert_eq!(starts(&w.limits, "192.0.2.7", 30), 10);
    let returns = (0..30).filter(|_| w.limits.come_back(client).is_ok()).count();
    assert_eq!(returns, 10);
    assert_eq!(w.limits.may_try(client), Ok(()));
}

#[test]
fn too_many_refused_logins_close_the_way_for_a_moment() {
    let w = world(ten());
    let client = address("192.0.2.7");
    (0..10).for_each(|_| w.limits.fail(client));
    assert_eq!(w.limits.may_try(client), Ok(()), "ten are allowed");
    w.limits.fail(client);
    let refused = w.limits.may_try(client).unwrap_err();
    assert_eq!(refused.counted, Counted::Failure);
    assert!(refused.wait > Duration::from_secs(5) && refused.wait <= Duration::from_millis(6_001));
    assert_eq!(w.limits.may_try(address("192.0.2.8")), Ok(()), "another network");
    w.clock.advance(refused.wait);
    assert_eq!(w.limits.may_try(client), Ok(()));
}

#[test]
fn a_flood_from_ever_new_networks_neither_grows_nor_shuts_out() {
    let w = world(Settings { networks: 100, ..ten() });
    let mut busy = 0;
    for number in 0..20_000_u128 {
        let flood = Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) | (number << 72));
        assert_eq!(w.limits.start(flood.into(), Origin::Own), Ok(()), "a new network may begin");
        // A network that floods by itself meanwhile is not forgotten.
        busy += starts(&w.limits, "192.0.2.7", 1);
        // The bound is kept up with in the flow of calls; a little may be waiting.
        assert!(w.limits.seen.entry_count() <= 100 + SLACK, "{}", w.limits.seen.entry_count());
    }
    w.limits.seen.run_pending_tasks();
    assert!(w.limits.seen.entry_count() <= 100);
    assert_eq!(busy, 10, "its ten of the minute in which the flood came");
    assert_eq!(starts(&w.limits, "198.51.100.1", 30), 10, "an honest network, after the flood");
}

/// Entries that the cache may hold until it tidies up.
const SLACK: u64 = 1_000;

#[test]
fn a_forgotten_network_begins_anew() {
    let w = world(Settings { networks: 1, ..ten() });
    assert_eq!(starts(&w.limits, "192.0.2.7", 30), 10);
    w.limits.seen.run_pending_tasks();
    for last in 0..50 {
        let _ = w.limits.start(Ipv4Addr::new(198, 51, 100, last).into(), Origin::Own);
        w.limits.seen.run_pending_tasks();
    }
    assert_eq!(starts(&w.limits, "192.0.2.7", 30), 10);
}

/// A clock that can be set back.
struct Settable(Mutex<Time>);

impl Clock for Settable {
    fn now(&self) -> Time {
        *self.0.lock().unwrap()
    }
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out() {
    let noon: Time = "2031-01-01T12:00:00Z".parse().unwrap();
    let clock = Arc::new(Settable(Mutex::new(noon)));
    let limits = Limits::new(ten(), clock.clone());
    assert_eq!(starts(&limits, "192.0.2.7", 30), 10);
    *clock.0.lock().unwrap() = "2031-01-01T03:00:00Z".parse().unwrap();
    assert_eq!(starts(&limits, "192.0.2.7", 1), 0);
    *clock.0.lock().unwrap() = "2031-01-01T03:00:06Z".parse().unwrap();
    assert_eq!(starts(&limits, "192.0.2.7", 5), 1);
}

#[test]
fn the_same_settings_forget_nothing_and_others_begin_anew() {
    let w = world(ten());
    let clock: SharedClock = w.clock.clone();
    let limits = Arc::new(w.limits);
    assert_eq!(starts(&limits, "192.0.2.7", 30), 10);
    assert_eq!(starts(&limits.renewed(ten(), &clock), "192.0.2.7", 1), 0);
    let other = Settings { ipv4_prefix: 24, ..ten() };
    assert_eq!(starts(&limits.renewed(other, &clock), "192.0.2.7", 1), 1);
}

#[test]
fn many_threads_share_one_count() {
    let w = world(Settings { starts: NonZeroU32::new(1_000), ..Settings::default() });
    let allowed: usize = std::thread::scope(|scope| {
        let tries = || starts(&w.limits, "192.0.2.7", 1_000);
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(tries)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(allowed, 1_000);
}

#[test]
fn a_network_that_invents_sessions_has_the_store_asked_no_more_for_a_moment() {
    let ten = NonZeroU32::new(10);
    let w = world(Settings { unknown_sessions: ten, ..Settings::default() });
    let client = address("192.0.2.7");
    (0..10).for_each(|_| w.limits.asked_in_vain(client));
    assert_eq!(w.limits.may_ask(client), Ok(()), "ten are allowed");
    w.limits.asked_in_vain(client);
    let refused = w.limits.may_ask(client).unwrap_err();
    assert_eq!(refused.counted, Counted::UnknownSession);
    assert!(refused.wait > Duration::from_secs(5) && refused.wait <= Duration::from_millis(6_001));
    assert_eq!(w.limits.may_ask(address("192.0.2.8")), Ok(()), "another network");
    assert_eq!(w.limits.may_try(client), Ok(()), "a login may be finished");
    w.clock.advance(refused.wait);
    assert_eq!(w.limits.may_ask(client), Ok(()));
}

#[test]
fn who_is_excepted_or_not_limited_may_name_any_number_of_sessions() {
    let client = address("192.0.2.7");
    let except = Networks::new(vec!["192.0.2.0/24".parse().unwrap()]);
    let one = NonZeroU32::new(1);
    for settings in [
        Settings { unknown_sessions: one, except, ..Settings::default() },
        Settings { unknown_sessions: None, ..Settings::default() },
    ] {
        let w = world(settings);
        (0..100).for_each(|_| w.limits.asked_in_vain(client));
        assert_eq!(w.limits.may_ask(client), Ok(()));
    }
}
