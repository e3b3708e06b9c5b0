//! Which server gets the next request.

use std::collections::HashMap;
use std::time::Duration;

use super::super::lease::ServerError;
use super::super::status::State;
use super::super::testing::{states, weighted};
use super::*;

/// A group with a clock that stands until it is moved.
struct World {
    group: Arc<Group>,
    now: Instant,
}

impl World {
    fn new(settings: Settings) -> Self {
        let now = Instant::now();
        Self { group: Group::new(settings, now), now }
    }

    fn equal(servers: usize) -> Self {
        Self::new(weighted(&vec![1; servers]))
    }

    fn pass(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
    }

    fn choose(&self) -> Lease {
        self.group.choose(None, self.now).unwrap()
    }

    /// How often each server is chosen when every request ends before the next one begins.
    fn shares(&self, requests: usize) -> Vec<usize> {
        let ports: Vec<_> = (0..requests).map(|_| port(&self.choose())).collect();
        count(&ports, self.group.set().entries.len())
    }

    /// Lets requests to one server fail.
    fn fail(&self, at: u16, times: usize) {
        let mut all: Vec<_> = Vec::new();
        let mut failed = 0;
        while failed < times {
            let mut lease = self.choose();
            if port(&lease) == at {
                lease.failed(ServerError::Timeout, self.now);
                failed += 1;
            } else {
                all.push(lease);
            }
        }
    }

    fn take_down(&self, at: u16) {
        let set = self.group.set();
        set.entries[usize::from(at) - 1].server.standing.take_down();
    }

    fn states(&self) -> Vec<State> {
        states(&self.group, self.now).into_iter().map(|(_, state)| state).collect()
    }
}

fn port(lease: &Lease) -> u16 {
    match lease.endpoint() {
        Endpoint::Tcp(address) => address.port(),
        Endpoint::Unix(_) => 0,
    }
}

fn count(ports: &[u16], servers: usize) -> Vec<usize> {
    (1..).take(servers).map(|one| ports.iter().filter(|port| **port == one).count()).collect()
}

#[test]
fn idle_servers_take_turns() {
    for servers in 1..=5 {
        let shares = World::equal(servers).shares(60);
        assert!(shares.iter().all(|share| share.abs_diff(60 / servers) <= 2), "{shares:?}");
    }
    let world = World::equal(2);
    let ports: Vec<_> = (0..12).map(|_| port(&world.choose())).collect();
    assert!(!ports.windows(3).any(|three| three == [three[0]; 3]), "{ports:?}");
}

#[test]
fn idle_servers_share_by_weight() {
    assert!(World::new(weighted(&[3, 1])).shares(400)[0].abs_diff(300) <= 2);
    let shares = World::new(weighted(&[1000, 1])).shares(10_010);
    assert!((8..=12).contains(&shares[1]), "{shares:?}");
    let shares = World::new(weighted(&[5, 3, 2])).shares(1000);
    for (share, expected) in shares.iter().zip([500, 300, 200]) {
        assert!(share.abs_diff(expected) <= 3, "{shares:?}");
    }
}

#[test]
fn the_least_busy_server_is_chosen() {
    let world = World::equal(3);
    let mut leases: Vec<_> = (0..30).map(|_| world.choose()).collect();
    let ports: Vec<_> = leases.iter().map(port).collect();
    assert_eq!(count(&ports, 3), [10, 10, 10]);
    // One of them is done with all, and gets the next ones until it has as many.
    leases.retain(|lease| port(lease) != 2);
    for _ in 0..10 {
        leases.push(world.choose());
        assert_eq!(port(leases.last().unwrap()), 2);
    }
    let ports: Vec<_> = leases.iter().map(port).collect();
    assert_eq!(count(&ports, 3), [10, 10, 10]);
}

#[test]
fn busy_is_relative_to_weight() {
    let world = World::new(weighted(&[3, 1]));
    let leases: Vec<_> = (0..40).map(|_| world.choose()).collect();
    let ports: Vec<_> = leases.iter().map(port).collect();
    assert!(count(&ports, 2)[0].abs_diff(30) <= 1, "{ports:?}");
}

#[test]
fn a_request_is_counted_until_its_lease_is_dropped() {
    let world = World::equal(1);
    let leases = [world.choose(), world.choose()];
    assert_eq!(world.group.status(world.now).servers[0].in_flight, 2);
    drop(leases);
    assert_eq!(world.group.status(world.now).servers[0].in_flight, 0);
}

#[test]
fn a_server_that_fails_gets_nothing_until_its_time_is_over() {
    let mut world = World::equal(2);
    world.fail(1, 2);
    assert_eq!(world.states(), [State::Up, State::Up]);
    world.fail(1, 1);
    assert_eq!(world.states(), [State::Ejected, State::Up]);
    assert_eq!(world.shares(10), [0, 10]);
    world.pass(9.9);
    assert_eq!(world.shares(10), [0, 10]);
    world.pass(0.2);
    // Half open: one request tries it, the others go elsewhere.
    let mut trial = world.choose();
    assert_eq!(port(&trial), 1);
    assert_eq!(world.shares(10), [0, 10]);
    trial.succeeded(world.now);
    assert_eq!(world.states(), [State::Up, State::Up]);
}

#[test]
fn a_trial_that_fails_puts_a_server_out_for_twice_as_long() {
    let mut world = World::equal(2);
    world.fail(1, 3);
    world.pass(10.1);
    let mut trial = world.choose();
    trial.failed(ServerError::Connect, world.now);
    drop(trial);
    world.pass(19.9);
    assert_eq!(world.shares(10), [0, 10]);
    world.pass(0.2);
    assert_eq!(port(&world.choose()), 1);
}

#[test]
fn a_trial_that_went_well_says_nothing_about_what_comes_after_it() {
    let mut world = World::equal(2);
    world.fail(1, 3);
    world.pass(10.1);
    let mut trial = world.choose();
    trial.succeeded(world.now);
    world.fail(1, 3);
    drop(trial);
    assert_eq!(world.shares(10), [0, 10]);
}

#[test]
fn a_trial_whose_client_went_away_leaves_the_next_one_to_try() {
    let mut world = World::equal(2);
    world.fail(1, 3);
    world.pass(10.1);
    assert_eq!(port(&world.choose()), 1);
    assert_eq!(port(&world.choose()), 1);
    assert_eq!(world.states(), [State::Ejected, State::Up]);
}

#[test]
fn a_second_attempt_is_no_trial() {
    let mut world = World::equal(2);
    world.fail(1, 3);
    world.pass(10.1);
    let first = world.group.set().entries[1].server.id;
    // Better the server that just failed once than the one known as bad.
    let again = world.group.choose(Some(first), world.now).unwrap();
    assert_eq!(port(&again), 2);
}

#[test]
fn a_server_that_is_down_is_not_tried_when_its_time_is_over() {
    let mut world = World::equal(2);
    world.fail(1, 3);
    world.take_down(1);
    world.pass(10.1);
    assert_eq!(world.states(), [State::Down, State::Up]);
    assert_eq!(world.shares(10), [0, 10]);
}

#[test]
fn a_second_attempt_goes_to_another_server_also_where_none_is_busy_or_all_are_out() {
    let world = World::equal(2);
    let again = |world: &World| {
        let first = world.choose().id();
        (first, world.group.choose(Some(first), world.now).unwrap().id())
    };
    for _ in 0..20 {
        let (first, second) = again(&world);
        assert_ne!(first, second);
    }
    world.fail(1, 3);
    world.fail(2, 3);
    assert_eq!(world.states(), [State::Ejected, State::Ejected]);
    for _ in 0..20 {
        let (first, second) = again(&world);
        assert_ne!(first, second);
    }
}

#[test]
fn a_second_attempt_goes_to_another_server_if_there_is_one() {
    for servers in [2, 3] {
        let world = World::equal(servers);
        for _ in 0..20 {
            let first = world.choose();
            let second = world.group.choose(Some(first.id()), world.now).unwrap();
            assert_ne!(first.id(), second.id());
        }
    }
    let world = World::equal(1);
    let first = world.choose();
    assert_eq!(world.group.choose(Some(first.id()), world.now).unwrap().id(), first.id());
}

#[test]
fn when_all_are_ejected_all_are_asked() {
    let world = World::equal(2);
    world.fail(1, 3);
    world.fail(2, 3);
    assert_eq!(world.states(), [State::Ejected, State::Ejected]);
    assert_eq!(world.shares(10), [5, 5]);
    // A server that answers is back.
    let mut lease = world.choose();
    let back = port(&lease);
    lease.succeeded(world.now);
    drop(lease);
    let ports: Vec<_> = (0..10).map(|_| port(&world.choose())).collect();
    assert_eq!(ports, [back; 10]);
}

#[test]
fn the_only_server_is_never_ejected() {
    let world = World::equal(1);
    world.fail(1, 100);
    assert_eq!(world.states(), [State::Up]);
    assert_eq!(world.shares(10), [10]);
}

#[test]
fn a_server_that_is_down_gets_nothing_even_as_the_last() {
    let world = World::equal(3);
    world.take_down(1);
    assert_eq!(world.states(), [State::Down, State::Up, State::Up]);
    assert_eq!(world.shares(10), [0, 5, 5]);
    world.fail(2, 3);
    world.fail(3, 3);
    assert_eq!(world.shares(10), [0, 5, 5], "ejected ones are still better");
    world.take_down(2);
    world.take_down(3);
    let refused = world.group.choose(None, world.now).unwrap_err();
    assert_eq!(refused, NoServer::AllDown);
    assert_eq!(refused.code(), "upstream.no_healthy_server");
}

#[test]
fn the_only_server_can_be_down() {
    let world = World::equal(1);
    world.take_down(1);
    assert_eq!(world.group.choose(None, world.now).unwrap_err(), NoServer::AllDown);
}

#[test]
fn a_name_that_was_never_resolved_has_no_server() {
    let address = ServerAddress::Name { host: "portal".to_owned(), port: 80 };
    let world = World::new(Settings::new("portal", vec![address.into()]));
    let refused = world.group.choose(None, world.now).unwrap_err();
    assert_eq!(refused, NoServer::Unresolved);
    assert_eq!(refused.code(), "upstream.no_healthy_server");
}

#[test]
fn a_server_that_came_back_gets_more_and_more() {
    let mut settings = weighted(&[1, 1]);
    settings.slow_start = Duration::from_secs(10);
    let mut world = World::new(settings);
    assert!(world.shares(100)[0].abs_diff(50) <= 1, "at the beginning nobody is new");
    world.take_down(1);
    world.group.set().entries[0].server.standing.bring_up(world.group.core.moment(world.now));
    assert_eq!(world.states(), [State::Starting, State::Up]);
    // A tenth of its weight is an eleventh of all; half of its weight is a third.
    for (seconds, expected) in [(0.0, 91), (5.0, 333), (5.0, 500)] {
        world.pass(seconds);
        assert!(world.shares(1000)[0].abs_diff(expected) <= 3, "{:?}", world.shares(1000));
    }
    assert_eq!(world.states(), [State::Up, State::Up]);
}

#[test]
fn a_server_in_its_slow_start_is_not_flooded_for_being_idle() {
    let mut settings = weighted(&[1, 1]);
    settings.slow_start = Duration::from_secs(10);
    let world = World::new(settings);
    world.group.set().entries[0].server.standing.bring_up(world.group.core.moment(world.now));
    let leases: Vec<_> = (0..22).map(|_| world.choose()).collect();
    let ports: Vec<_> = leases.iter().map(port).collect();
    assert!((1..=3).contains(&count(&ports, 2)[0]), "it gets a little: {ports:?}");
}

#[test]
fn a_group_with_the_same_settings_is_kept_with_all_that_it_learnt() {
    let world = World::equal(2);
    world.fail(1, 3);
    let before = [Arc::clone(&world.group)];
    let kept = Group::renew(&before, weighted(&[1, 1]), world.now);
    assert!(Arc::ptr_eq(&kept, &world.group));
    for different in [weighted(&[1, 2]), weighted(&[1]), {
        let mut settings = weighted(&[1, 1]);
        settings.timeouts.response += Duration::from_secs(1);
        settings
    }] {
        let new = Group::renew(&before, different, world.now);
        assert!(!Arc::ptr_eq(&new, &world.group));
    }
}

#[test]
fn no_two_servers_share_an_id() {
    let ids: HashMap<_, _> = (0..10)
        .flat_map(|_| World::equal(3).group.status(Instant::now()).servers)
        .map(|server| (server.id, ()))
        .collect();
    assert_eq!(ids.len(), 30);
}
