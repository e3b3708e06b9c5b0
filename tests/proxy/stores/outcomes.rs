//! What became of a login is told to the citizen at whichever replica, also while the node is slow
//! and connections break.

use url::Url;

use super::{Replicas, replicas};
use crate::harness::{Answer, Citizen};

/// A citizen on the way back from the node, and where the login is finished.
fn on_the_way_back(replicas: &Replicas) -> (Citizen, Url) {
    let mut citizen = Citizen::at(&replicas.one.url("/"));
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
    let (mut citizen, finish) = on_the_way_back(&replicas);
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
        let (mut citizen, finish) = on_the_way_back(&replicas);
        let mut gone = citizen.asks(&finish);
        gone.finish();
        drop(gone);
        citizen.goes_to(replicas.two.address);
        assert_eq!(citizen.open(&finish).status, 200);
        assert!(citizen.session().is_some());
    }
}
