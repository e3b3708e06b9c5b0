//! What became of a login is told to the citizen at whichever replica, also while the node is slow
//! and connections break.

use std::thread::sleep;
use std::time::{Duration, Instant};

use url::Url;

use super::{plan, replicas};
use crate::harness::redis::Redis;
use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, Citizen, Gateway, PATIENCE, Simulator, python};

/// A citizen on the way back from the node, and where the login is finished.
fn on_the_way_back(gateway: &Gateway) -> (Citizen, Url) {
    let mut citizen = Citizen::at(&gateway.url("/"));
    let page = citizen.open(&citizen.url("/.brama/login"));
    let (acs, fields) = citizen.choose(&page, "anna");
    let delivered = citizen.send(&acs, Some(&fields));
    let finish = citizen.url(delivered.header("location").unwrap());
    (citizen, finish)
}

fn session(answer: &Answer) -> &str {
    let cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let mut sessions = cookies.filter(|(_, value)| value.starts_with("brama="));
    let (_, value) = sessions.next().unwrap_or_else(|| panic!("no session: {answer:?}"));
    value.split(';').next().unwrap()
}

#[test]
fn with_redis_a_double_click_at_two_replicas_signs_in_once() {
    let Some((_redis, replicas)) = replicas("recorder.py") else { return };
    replicas.simulator.always("slow");
    let (mut citizen, finish) = on_the_way_back(&replicas.one);
    let mut first = citizen.asks(&finish);
    citizen.goes_to(replicas.two.address);
    let mut second = citizen.asks(&finish);
    let answers = [first.answer("GET"), second.answer("GET")];
    assert_eq!(answers.each_ref().map(|answer| answer.status), [200, 200]);
    assert_eq!(session(&answers[0]), session(&answers[1]));
}

#[test]
fn with_redis_a_connection_that_breaks_at_one_replica_is_made_up_for_by_the_other() {
    let Some((_redis, replicas)) = replicas("recorder.py") else { return };
    replicas.simulator.always("slow");
    for _ in 0..3 {
        let (mut citizen, finish) = on_the_way_back(&replicas.one);
        let mut gone = citizen.asks(&finish);
        gone.finish();
        drop(gone);
        citizen.goes_to(replicas.two.address);
        assert_eq!(citizen.open(&finish).status, 200);
        assert!(citizen.session().is_some());
    }
}

/// Has a server do what it is told to write only when it is let go on: what was asked for has no
/// answer in time, and is done all the same.
fn hold(redis: &Redis) {
    assert!(redis.ask("CLIENT PAUSE 20000 WRITE").contains("OK"));
}

#[test]
fn with_redis_a_login_whose_claim_had_no_answer_is_finished_by_repeating_it() {
    let Some((redis, replicas)) = replicas("recorder.py") else { return };
    for gateway in [&replicas.one, &replicas.two] {
        let (mut citizen, finish) = on_the_way_back(&replicas.one);
        hold(&redis);
        let failed = citizen.send(&finish, None);
        assert!(failed.text().contains("session.store_unavailable"), "{}", failed.text());
        assert!(redis.ask("CLIENT UNPAUSE").contains("OK"));
        citizen.goes_to(gateway.address);
        let answer = citizen.send(&finish, None);
        assert_eq!(answer.status, 200, "{}", answer.text());
        // The twin: it is finished once, and told again.
        assert_eq!(session(&citizen.send(&finish, None)), session(&answer));
    }
}

#[test]
fn with_redis_a_login_that_comes_to_its_end_while_a_server_is_replaced_waits_and_signs_in() {
    let Some((redis, replicas)) = replicas("recorder.py") else { return };
    replicas.simulator.always("slow");
    let (citizen, finish) = on_the_way_back(&replicas.one);
    let mut waiting = citizen.asks(&finish);
    // It is claimed, and the node is being asked.
    redis.ask_until("KEYS *login:*", "login:");
    hold(&redis);
    sleep(Duration::from_secs(4));
    assert!(redis.ask("CLIENT UNPAUSE").contains("OK"));
    let answer = waiting.answer("GET");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let signed_in = session(&answer);
    assert!(!signed_in.is_empty());
}

#[test]
fn with_redis_away_a_login_that_comes_too_late_is_told_so_and_not_to_try_again() {
    if !tools::has(&[Tool::Faketime, Tool::Python, Tool::Redis]) {
        return;
    }
    let mut redis = Redis::start();
    let (_portal, url) = python("recorder.py");
    let plan = plan(&url, &redis.store()).with_clock();
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    let (citizen, finish) = on_the_way_back(&gateway);
    redis.kill();
    // In time, it is worth to try again.
    let answer = citizen.send(&finish, None);
    assert!(answer.text().contains("session.store_unavailable"), "{}", answer.text());
    // A clock that is corrected a little at a time is believed.
    for off in ["+40s", "+80s"] {
        gateway.set_clock(off);
        sleep(Duration::from_millis(2500));
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = citizen.send(&finish, None);
        if answer.text().contains("login.ticket_expired") {
            break;
        }
        assert!(Instant::now() < deadline, "{} {}", answer.status, answer.text());
        sleep(Duration::from_millis(100));
    }
}
