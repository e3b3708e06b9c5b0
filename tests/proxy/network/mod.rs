//! Hosts of their own (network namespaces): `HAProxy` at the edge, two replicas, Redis, the node. What
//! a citizen who is signed in, one who signs in just then, and one who signed out see when a host, or
//! the way between two, is lost: the table in `docs/replicas.md`, row by row.

mod hosts;
mod site;

use std::time::{Duration, Instant};

use hosts::{Host, Loss, in_a_network_of_its_own};
use site::{
    NODE_TIMEOUT, Seen, Site, ask, issued_at, patiently, seen, until_not_connected_to_node,
};

use crate::harness::{Citizen, Gateway, PATIENCE};

/// What somebody sees whose request needs a store that is away.
fn put_off() -> Seen {
    Seen::Page(503, "session.store_unavailable".to_owned())
}

/// Signs a person in at the edge, and out again.
fn signed_out(site: &Site) -> String {
    let cookie = site.citizen().sign_in("lukasz");
    assert_eq!(site.sign_out(&cookie).status, 200);
    site.until(&cookie, &Seen::SignIn, &[Seen::Portal]);
    cookie
}

/// Somebody who has chosen who they are at the node, and comes back from there next.
fn on_the_way(site: &Site) -> (Citizen, (url::Url, Vec<(String, String)>)) {
    let mut citizen = site.citizen();
    let begun = citizen.open(&citizen.url("/account"));
    let back = citizen.choose(&begun, "anna");
    (citizen, back)
}

/// Everybody at both replicas: who is signed in goes on, who is not is led to the node.
fn everything_works(site: &Site, signed_in: &str, signed_out: &str) {
    let deadline = Instant::now() + PATIENCE;
    for gateway in [&site.one, &site.two] {
        for (cookie, wanted) in [(signed_in, Seen::Portal), (signed_out, Seen::SignIn)] {
            while site.sees_at(gateway, "/account", cookie) != wanted {
                assert!(
                    Instant::now() < deadline,
                    "{:?}",
                    site.sees_at(gateway, "/account", cookie)
                );
            }
        }
    }
    let cookie = site.citizen().sign_in("anna");
    site.until(&cookie, &Seen::Portal, &[]);
    assert_eq!(site.sign_out(&cookie).status, 200);
    // An end is told to all within a second.
    let took = site.until(&cookie, &Seen::SignIn, &[Seen::Portal]);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn a_citizen_signs_in_at_the_edge_and_every_replica_knows_them() {
    in_a_network_of_its_own(
        "network::a_citizen_signs_in_at_the_edge_and_every_replica_knows_them",
        || {
            let site = Site::start("+0");
            let signed_out = signed_out(&site);
            let cookie = site.citizen().sign_in("anna");
            everything_works(&site, &cookie, &signed_out);
            for (path, cookie) in [("/account", ""), ("/account", "brama=forged")] {
                assert_eq!(site.sees(path, cookie), Seen::SignIn);
            }
            // The portal is told of the citizen's address, not of the edge's.
            let page = ask(site.front, "/account", &cookie).unwrap().text();
            assert!(page.contains("10.77.1.1"), "{page}");
        },
    );
}

#[test]
fn a_replica_is_killed() {
    in_a_network_of_its_own("network::a_replica_is_killed", || {
        let mut site = Site::start("+0");
        let signed_out = signed_out(&site);
        let cookie = site.citizen().sign_in("anna");
        let (mut late, back) = on_the_way(&site);
        // 1. Who is signed in does not notice: what is safe to repeat is repeated.
        let load = site.visits(&cookie, 100);
        load.answers(50);
        site.one.program.signal("KILL");
        site.one.program.wait();
        // 2. Nor does who comes back from the node now, who begins now, or who signed out.
        late.return_with(&back);
        assert_eq!(site.sees("/account", &late.session().unwrap()), Seen::Portal);
        site.citizen().sign_in("anna");
        assert_eq!(site.sees("/account", &signed_out), Seen::SignIn);
        site.until_edge_has("brama/one", "DOWN");
        load.answers(50);
        site.one.start_again();
        site.until_edge_has("brama/one", "UP");
        load.answers(50);
        let tally = load.stop();
        eprintln!("killed: {} answers, p99 {:?}", tally.took.len(), tally.p99());
        tally.all_answered();
        everything_works(&site, &cookie, &signed_out);
    });
}

#[test]
fn a_replica_is_killed_while_it_asks_the_node() {
    in_a_network_of_its_own("network::a_replica_is_killed_while_it_asks_the_node", || {
        let mut site = Site::start("+0");
        // What the node has an answer for from now on takes two seconds.
        site.simulator.always("slow");
        let (late, back) = on_the_way(&site);
        let delivered = late.send(&back.0, Some(&back.1));
        let finish = late.url(delivered.header("location").unwrap());
        let mut wire = late.asks(&finish);
        let first = site.who_asks_the_node();
        let killed = if first { &mut site.one } else { &mut site.two };
        killed.program.signal("KILL");
        killed.program.wait();
        // The other one is asked instead, and waits for what became of it. Nobody knows: the artifact
        // may be spent.
        let began = Instant::now();
        let answer = patiently(&mut wire, "GET").unwrap();
        eprintln!("killed while it asked: told after {:?}", began.elapsed());
        assert_eq!(seen(&answer), Seen::Page(409, "login.already_used".to_owned()));
        assert!(late.session().is_none());
        // So they begin again.
        let cookie = site.citizen().sign_in("anna");
        assert_eq!(site.sees("/account", &cookie), Seen::Portal);
    });
}

#[test]
fn the_host_of_a_replica_vanishes() {
    in_a_network_of_its_own("network::the_host_of_a_replica_vanishes", || {
        let site = Site::start("+0");
        let signed_out = signed_out(&site);
        let cookie = site.citizen().sign_in("anna");
        let (mut late, back) = on_the_way(&site);
        let load = site.visits(&cookie, 100);
        load.answers(50);
        site.network.lose(Host::One);
        load.answers(50);
        late.return_with(&back);
        assert_eq!(site.sees("/account", &late.session().unwrap()), Seen::Portal);
        site.citizen().sign_in("anna");
        assert_eq!(site.sees("/account", &signed_out), Seen::SignIn);
        site.until_edge_has("brama/one", "DOWN");
        load.answers(50);
        site.network.find(Host::One);
        site.until_edge_has("brama/one", "UP");
        load.answers(50);
        let tally = load.stop();
        tally.all_answered();
        // The request that was under way there: its silence is noticed, and it is repeated.
        let longest = *tally.took.iter().max().unwrap();
        eprintln!("vanished: the longest of {} answers took {longest:?}", tally.took.len());
        assert!(longest < Duration::from_secs(8), "{longest:?}");
        everything_works(&site, &cookie, &signed_out);
    });
}

/// One of the replicas loses Redis.
fn one_is_cut_off_from_redis(loss: Loss) {
    let site = Site::start("+0");
    let signed_out = signed_out(&site);
    let cookie = site.citizen().sign_in("anna");
    everything_works(&site, &cookie, &signed_out);
    let unseen = site.citizen().sign_in("anna");
    let (mut late, back) = on_the_way(&site);
    let began = Instant::now();
    site.network.cut(Host::One, Host::Redis, loss);
    // 1. Who was here goes on at once and all the time, at either replica.
    let load = site.visits(&cookie, 50);
    // 2. Who needs the store may be put off until the edge has noticed, and is never led to the node
    //    when signed in.
    let found = Seen::Portal;
    while !site.edge_has("brama/one", "DOWN") {
        let seen = site.sees("/account", &unseen);
        assert!(seen == found || seen == put_off(), "{seen:?}");
    }
    site.until_edge_has("brama/one", "DOWN");
    eprintln!("{loss:?}: the edge noticed after {:?}", began.elapsed());
    // 3. From then on everything works: the other replica does it.
    late.return_with(&back);
    let came_late = late.session().unwrap();
    let ended = site.citizen().sign_in("lukasz");
    for _ in 0..4 {
        assert_eq!(site.sees("/account", &came_late), Seen::Portal);
        assert_eq!(site.sees("/account", &signed_out), Seen::SignIn);
        assert_eq!(site.sees("/account", &ended), Seen::Portal);
    }
    assert_eq!(site.sign_out(&ended).status, 200);
    site.until(&ended, &Seen::SignIn, &[Seen::Portal]);
    // 4. The replica that is cut off lets nobody in whom it does not know.
    for unknown in [&came_late, &ended] {
        assert_eq!(site.sees_at(&site.one, "/account", unknown), put_off());
    }
    assert_eq!(site.sees_at(&site.one, "/account", &cookie), Seen::Portal);
    site.network.mend(Host::One, Host::Redis, loss);
    let began = Instant::now();
    site.until_edge_has("brama/one", "UP");
    eprintln!("{loss:?}: the edge has it back after {:?}", began.elapsed());
    load.stop().all_answered();
    for gone in [&signed_out, &ended] {
        everything_works(&site, &cookie, gone);
    }
}

#[test]
fn one_replica_is_cut_off_from_redis_without_a_word() {
    in_a_network_of_its_own("network::one_replica_is_cut_off_from_redis_without_a_word", || {
        one_is_cut_off_from_redis(Loss::Silent);
    });
}

#[test]
fn one_replica_is_told_that_there_is_no_way_to_redis() {
    in_a_network_of_its_own("network::one_replica_is_told_that_there_is_no_way_to_redis", || {
        one_is_cut_off_from_redis(Loss::Told);
    });
}

#[test]
fn all_replicas_are_cut_off_from_redis() {
    in_a_network_of_its_own("network::all_replicas_are_cut_off_from_redis", || {
        let site = Site::start("+0");
        let signed_out = signed_out(&site);
        let cookie = site.citizen().sign_in("anna");
        everything_works(&site, &cookie, &signed_out);
        let (late, back) = on_the_way(&site);
        for host in [Host::One, Host::Two] {
            site.network.cut(host, Host::Redis, Loss::Silent);
        }
        let load = site.visits(&cookie, 50);
        load.answers(10);
        for server in ["brama/one", "brama/two"] {
            site.until_edge_has(server, "DOWN");
        }
        // Everybody else is put off, by a page of ours; public pages go on.
        for _ in 0..4 {
            for put_off_with in ["", &signed_out] {
                assert_eq!(site.sees("/account", put_off_with), put_off());
            }
            assert_eq!(site.sees("/public/x", ""), Seen::Portal);
            assert_eq!(seen(&site.sign_out(&cookie)), put_off());
        }
        let delivered = late.send(&back.0, Some(&back.1));
        let finish = late.url(delivered.header("location").unwrap());
        assert_eq!(seen(&late.send(&finish, None)), put_off());
        for host in [Host::One, Host::Two] {
            site.network.mend(host, Host::Redis, Loss::Silent);
        }
        for server in ["brama/one", "brama/two"] {
            site.until_edge_has(server, "UP");
        }
        // Who was on the way arrives by repeating what failed.
        let arrived = late.send(&finish, None);
        assert_eq!(arrived.status, 200, "{}", arrived.text());
        load.stop().all_answered();
        everything_works(&site, &cookie, &signed_out);
    });
}

/// All replicas lose the node; browsers do not.
fn cut_off_from_the_node(loss: Loss) {
    let site = Site::start("+0");
    let signed_out = signed_out(&site);
    let cookie = site.citizen().sign_in("anna");
    let lukasz = site.citizen().sign_in("lukasz");
    everything_works(&site, &cookie, &signed_out);
    let (late, back) = on_the_way(&site);
    [&site.one, &site.two].into_iter().for_each(until_not_connected_to_node);
    for host in [Host::One, Host::Two] {
        site.network.cut(host, Host::Node, loss);
    }
    let load = site.visits(&cookie, 50);
    // 1. Who signs in just then is told.
    let began = Instant::now();
    let delivered = late.send(&back.0, Some(&back.1));
    let finish = late.url(delivered.header("location").unwrap());
    let told = late.send(&finish, None);
    assert_eq!(seen(&told), Seen::Page(502, "login.node_unreachable".to_owned()));
    assert!(began.elapsed() < NODE_TIMEOUT, "{:?}", began.elapsed());
    // 2. Who signs out is signed out here.
    let began = Instant::now();
    let page = site.sign_out(&lukasz);
    eprintln!("{loss:?}: signed out after {:?}", began.elapsed());
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Wylogowano z tego portalu"), "{}", page.text());
    site.until(&lukasz, &Seen::SignIn, &[]);
    assert_eq!(site.sees("/account", &signed_out), Seen::SignIn);
    for host in [Host::One, Host::Two] {
        site.network.mend(host, Host::Node, loss);
    }
    // 3. Nothing was sent, so nothing is spent: who repeats what failed arrives.
    let arrived = late.send(&finish, None);
    assert_eq!(arrived.status, 200, "{}", arrived.text());
    assert!(arrived.header("set-cookie").is_some_and(|cookie| cookie.starts_with("brama=")));
    load.stop().all_answered();
    everything_works(&site, &cookie, &signed_out);
}

#[test]
fn the_replicas_are_cut_off_from_the_node_without_a_word() {
    in_a_network_of_its_own(
        "network::the_replicas_are_cut_off_from_the_node_without_a_word",
        || {
            cut_off_from_the_node(Loss::Silent);
        },
    );
}

#[test]
fn the_replicas_are_told_that_there_is_no_way_to_the_node() {
    in_a_network_of_its_own(
        "network::the_replicas_are_told_that_there_is_no_way_to_the_node",
        || {
            cut_off_from_the_node(Loss::Told);
        },
    );
}

#[test]
fn a_way_to_the_node_that_is_lost_under_a_question_loses_that_login() {
    let test = "network::a_way_to_the_node_that_is_lost_under_a_question_loses_that_login";
    in_a_network_of_its_own(test, || {
        let site = Site::start("+0");
        // What the node has an answer for from now on takes two seconds.
        site.simulator.always("slow");
        let (mut late, back) = on_the_way(&site);
        let delivered = late.send(&back.0, Some(&back.1));
        let finish = late.url(delivered.header("location").unwrap());
        let mut wire = late.asks(&finish);
        site.who_asks_the_node();
        for host in [Host::One, Host::Two] {
            site.network.cut(host, Host::Node, Loss::Silent);
        }
        let slow = Seen::Page(504, "login.node_timeout".to_owned());
        assert_eq!(seen(&patiently(&mut wire, "GET").unwrap()), slow);
        for host in [Host::One, Host::Two] {
            site.network.mend(host, Host::Node, Loss::Silent);
        }
        // The artifact may be spent: the same browser is told the same, and begins again.
        assert_eq!(seen(&late.send(&finish, None)), slow);
        let cookie = late.sign_in("anna");
        assert_eq!(site.sees("/account", &cookie), Seen::Portal);
    });
}

/// The clock of the second replica is off, by less than `service.clock_skew`.
fn clock_is_off(seconds: i64) {
    let site = Site::start(&format!("{seconds:+}"));
    let cookies: Vec<_> = (0..4).map(|_| site.citizen().sign_in("anna")).collect();
    let signed_out = signed_out(&site);
    for cookie in &cookies {
        everything_works(&site, cookie, &signed_out);
    }
    // Both say the same of when it ends.
    let left = |gateway: &Gateway, cookie: &str| {
        let answer = ask(gateway.address, "/.brama/session", cookie).unwrap();
        answer.json()["seconds_left"].as_i64().unwrap()
    };
    for cookie in &cookies {
        for gateway in [&site.one, &site.two] {
            let left = left(gateway, cookie);
            assert!((880..=900).contains(&left), "{left}");
        }
    }
    // What the portal is told is of the time of the replica.
    let apart = issued_at(&site.two, &cookies[0]) - issued_at(&site.one, &cookies[0]);
    assert!((35..=45).contains(&(apart * seconds.signum())), "{apart}");
}

#[test]
fn the_clock_of_a_replica_is_40_seconds_ahead() {
    in_a_network_of_its_own("network::the_clock_of_a_replica_is_40_seconds_ahead", || {
        clock_is_off(40);
    });
}

#[test]
fn the_clock_of_a_replica_is_40_seconds_behind() {
    in_a_network_of_its_own("network::the_clock_of_a_replica_is_40_seconds_behind", || {
        clock_is_off(-40);
    });
}
