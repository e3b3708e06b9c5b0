//! The gateway and its portals come and go, and no visitor notices.

use std::time::Instant;

use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Load, PATIENCE, Plan, Program, node};

/// A gateway before the portal on Node, when that is installed; `/account` needs a login.
fn start() -> Option<(Program, Gateway)> {
    if !tools::has(&[Tool::Node]) {
        return None;
    }
    let (portal, url) = node("portal.js");
    Some((portal, Plan::before(&url).route("/account", "portal", "required").start()))
}

/// Asks for a page until its status is this.
fn wait_for_status(gateway: &Gateway, path: &str, status: u16) {
    let deadline = Instant::now() + PATIENCE;
    while gateway.connect().get("localhost", path).status != status {
        assert!(Instant::now() < deadline, "{path} does not become {status}");
    }
}

#[test]
fn a_new_configuration_is_applied_under_load_and_no_request_fails() {
    let Some((_portal, mut gateway)) = start() else { return };
    wait_for_status(&gateway, "/account", 401);
    let load = Load::start(gateway.address, 4, "/");
    load.answers(200);
    gateway.edit_configuration("access = \"required\"", "access = \"public\"");
    gateway.program.signal("HUP");
    wait_for_status(&gateway, "/account", 404);
    load.answers(200);
    // And back, and back again.
    for _ in 0..5 {
        gateway.edit_configuration("path = \"/account\"", "path = \"/elsewhere\"");
        gateway.program.signal("HUP");
        load.answers(50);
        gateway.edit_configuration("path = \"/elsewhere\"", "path = \"/account\"");
        gateway.program.signal("HUP");
        load.answers(50);
    }
    assert!(!gateway.program.has_ended());
    load.stop().all_answered();
}

#[test]
fn a_request_under_way_outlives_a_new_configuration() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    portal.event("waiting");
    gateway.edit_configuration("access = \"required\"", "access = \"public\"");
    gateway.program.signal("HUP");
    wait_for_status(&gateway, "/account", 404);
    portal.tell("answer");
    assert_eq!(wire.answer("GET").text(), "waited");
}

#[test]
fn a_configuration_that_is_wrong_changes_nothing() {
    let Some((_portal, mut gateway)) = start() else { return };
    gateway.edit_configuration("access = \"required\"", "access = \"sometimes\"");
    gateway.program.signal("HUP");
    // It says where the mistake is.
    gateway.program.wait_for(|line| line.contains("sometimes").then_some(()));
    assert_eq!(gateway.connect().get("localhost", "/account").status, 401);
    assert_eq!(gateway.connect().get("localhost", "/").status, 200);
}

#[test]
fn a_stop_shows_in_readiness_first_and_lets_requests_end() {
    let Some((mut portal, mut gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    portal.event("waiting");
    gateway.program.signal("TERM");
    let deadline = Instant::now() + PATIENCE;
    while gateway.is_ready() {
        assert!(Instant::now() < deadline, "it still says that it is ready");
    }
    assert!(!gateway.program.has_ended(), "it ended with a request under way");
    portal.tell("answer");
    let answer = wire.answer("GET");
    assert_eq!(answer.text(), "waited");
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(gateway.program.wait().success());
}

#[test]
fn a_stop_under_load_fails_no_request() {
    let Some((_portal, mut gateway)) = start() else { return };
    let load = Load::start(gateway.address, 4, "/");
    load.answers(400);
    gateway.program.signal("TERM");
    let deadline = Instant::now() + PATIENCE;
    while gateway.is_ready() {
        assert!(Instant::now() < deadline, "it still says that it is ready");
    }
    load.connect_no_more();
    assert!(gateway.program.wait().success());
    load.stop().all_answered();
}

#[test]
fn one_of_two_servers_dies_and_no_reading_request_fails() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let ((first, first_url), (_second, second_url)) = (node("portal.js"), node("portal.js"));
    let plan = Plan::empty().upstream_on("portal", &[&first_url, &second_url]);
    let gateway = plan.route("/", "portal", "public").start();
    let load = Load::start(gateway.address, 4, "/");
    load.answers(400);
    // As by kill -9.
    drop(first);
    load.answers(1000);
    load.stop().all_answered();
}
