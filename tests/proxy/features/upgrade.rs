//! A connection that becomes something else: bytes go through after 101, and not before.

use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Plan, Program, node};

/// A gateway before the portal on Node, when that is installed; `/account` needs a login.
fn start() -> Option<(Program, Gateway)> {
    if !tools::has(&[Tool::Node]) {
        return None;
    }
    let (portal, url) = node("portal.js");
    Some((portal, Plan::before(&url).route("/account", "portal", "required").start()))
}

#[test]
fn any_protocol_flows_in_both_directions_after_101() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: own/1\r\n\r\n",
    );
    let upgrade = portal.event("upgrade");
    assert_eq!(upgrade["protocol"], "own/1");
    assert_eq!(upgrade["headers"]["connection"].as_str().unwrap().to_lowercase(), "upgrade");
    portal.tell("switch");
    let (status, fields) = wire.head().unwrap();
    assert_eq!(status, 101);
    assert!(fields.contains(&("upgrade".to_owned(), "own/1".to_owned())), "{fields:?}");
    assert_eq!(wire.exactly(6), b"READY\n");
    for (sent, expected) in
        [("hello", "HELLO"), ("GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n")]
    {
        wire.send(sent.as_bytes());
        assert_eq!(wire.exactly(expected.len()), expected.as_bytes());
    }
    // The end goes through as well.
    drop(wire);
    portal.event("parted");
}

#[test]
fn bytes_before_101_wait_for_it() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\nearly",
    );
    portal.event("upgrade");
    // Another request goes there and back meanwhile.
    assert_eq!(gateway.connect().get("localhost", "/").status, 200);
    portal.tell("switch");
    assert_eq!(portal.event("switched")["early"], 0);
    assert_eq!(wire.head().unwrap().0, 101);
    assert_eq!(wire.exactly(6), b"READY\n");
    assert_eq!(wire.exactly(5), b"EARLY");
}

#[test]
fn behind_an_upgrade_that_was_refused_a_request_is_judged_as_any_other() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(
        b"GET /never HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n\
          GET /account HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    portal.event("upgrade");
    let refused = wire.answer("GET");
    assert_eq!((refused.status, &*refused.text()), (403, "no"));
    // Either the connection ended, or the gate was asked.
    if let Ok(answer) = wire.try_answer("GET") {
        assert_eq!((answer.status, &*answer.reason()), (401, "login_required"));
    }
}

#[test]
fn an_upgrade_to_a_closed_place_does_not_reach_the_portal() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(
        b"GET /account HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
          Upgrade: websocket\r\n\r\n",
    );
    assert_eq!(wire.answer("GET").status, 401);
    // Whatever had been sent to the portal would have come before this.
    let mut open = gateway.connect();
    open.send(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: second\r\n\r\n",
    );
    assert_eq!(portal.event("upgrade")["protocol"], "second");
}

#[test]
fn a_switch_to_another_protocol_than_was_asked_for_is_refused() {
    use std::collections::HashMap;

    use crate::harness::{Script, Scripted};

    let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let scripted = Scripted { bytes: switch.to_vec(), closes: false };
    let portal = Script::start(HashMap::from([("/ws".to_owned(), scripted)]));
    let gateway = Plan::before(&portal.url()).start();
    let mut wire = gateway.connect();
    wire.send(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n",
    );
    let answer = wire.answer("GET");
    assert_eq!((answer.status, &*answer.reason()), (502, "upstream.bad_answer"));
}
