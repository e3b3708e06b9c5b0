//! Who finishes a login is who began it and who delivered its answer: at whichever replica,
//! wherever records are kept, and after a restart.

use tempfile::TempDir;

use super::{plan, replicas};
use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, Citizen, Gateway, Simulator, python};

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    let found = (answer.status, answer.text().contains(code));
    assert_eq!(found, (status, true), "{}", answer.text());
}

/// Follows a story of a thief and a citizen; each step may be at another replica.
fn a_thief_gets_nothing(origin: &str, [begins, delivers, finishes, asks]: [&Gateway; 4]) {
    let (mut thief, mut citizen) = (Citizen::at(origin), Citizen::at(origin));
    // 1. The thief begins; the citizen's browser takes the request to the node.
    thief.goes_to(begins.address);
    let page = thief.open(&thief.url("/.brama/login"));
    let (acs, fields) = citizen.choose(&page, "anna");
    let state = &fields.iter().find(|(name, _)| name == "RelayState").unwrap().1;
    let finish = thief.url(&format!("/.brama/finish?state={state}"));
    thief.goes_to(asks.address);
    refused(&thief.send(&finish, None), 403, "login.no_ticket");
    // 2. The citizen's browser delivers, and is told that nothing was given to anybody.
    citizen.goes_to(delivers.address);
    let ticket = citizen.send(&acs, Some(&fields));
    let ticket = citizen.url(ticket.header("location").unwrap());
    refused(&thief.send(&finish, None), 403, "login.no_ticket");
    citizen.goes_to(finishes.address);
    refused(&citizen.send(&ticket, None), 403, "login.other_browser");
    // 3. Nobody finishes it any more, at no replica, even with the ticket or the artifact.
    for gateway in [begins, delivers, finishes, asks] {
        thief.goes_to(gateway.address);
        refused(&thief.send(&finish, None), 403, "login.no_ticket");
        refused(&thief.send(&ticket, None), 403, "login.other_browser");
        let own = thief.send(&acs, Some(&fields));
        let own = thief.url(own.header("location").unwrap());
        refused(&thief.send(&own, None), 403, "login.other_browser");
    }
    assert_eq!(thief.session(), None);
    // 4. The twin: whoever does both is signed in, at whichever.
    let mut citizen = Citizen::at(origin);
    citizen.goes_to(begins.address);
    let page = citizen.open(&citizen.url("/.brama/login"));
    let back = citizen.choose(&page, "anna");
    citizen.goes_to(delivers.address);
    let ticket = citizen.send(&back.0, Some(&back.1));
    let ticket = citizen.url(ticket.header("location").unwrap());
    citizen.goes_to(finishes.address);
    assert_eq!(citizen.open(&ticket).status, 200);
    let session = citizen.session().expect("a session");
    // 5. And is told the same by another one.
    citizen.goes_to(asks.address);
    assert_eq!(citizen.open(&ticket).status, 200);
    assert_eq!(citizen.session(), Some(session));
}

#[test]
fn with_redis_a_thief_gets_nothing_at_either_replica() {
    let Some((_redis, replicas)) = replicas("recorder.py") else { return };
    let (one, two) = (&replicas.one, &replicas.two);
    let origin = one.url("/");
    for order in
        [[one, one, one, one], [one, two, one, two], [two, one, two, one], [one, one, two, two]]
    {
        a_thief_gets_nothing(&origin, order);
    }
}

#[test]
fn with_a_file_a_thief_gets_nothing_and_a_login_outlives_kill_9() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("sessions.db");
    let plan = plan(&url, &format!("kind = \"file\"\nfile = {{ path = {file:?} }}"));
    let simulator = Simulator::start(plan.address());
    let mut gateway = plan.node(&simulator).start();
    let origin = gateway.url("/");
    a_thief_gets_nothing(&origin, [&gateway; 4]);
    // What was ended stays ended, and what was begun or delivered goes on.
    let (mut thief, mut citizen) = (Citizen::at(&origin), Citizen::at(&origin));
    let page = thief.open(&thief.url("/.brama/login"));
    let (acs, fields) = citizen.choose(&page, "anna");
    let ticket = citizen.send(&acs, Some(&fields));
    let ticket = citizen.url(ticket.header("location").unwrap());
    refused(&citizen.send(&ticket, None), 403, "login.other_browser");
    let page = citizen.open(&citizen.url("/.brama/login"));
    gateway.program.signal("KILL");
    gateway.program.wait();
    gateway.start_again();
    refused(&thief.send(&ticket, None), 403, "login.other_browser");
    let back = citizen.choose(&page, "anna");
    let delivered = citizen.send(&back.0, Some(&back.1));
    gateway.program.signal("KILL");
    gateway.program.wait();
    gateway.start_again();
    let ticket = citizen.url(delivered.header("location").unwrap());
    assert_eq!(citizen.open(&ticket).status, 200);
    assert!(citizen.session().is_some());
}
