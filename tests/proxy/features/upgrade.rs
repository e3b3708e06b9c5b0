//! A connection that becomes something else: bytes go through after 101, and not before.

use std::collections::HashMap;

use crate::harness::tools::{self, Tool};
use crate::harness::web_socket::{Version, WebSocket};
use crate::harness::{Gateway, Plan, Program, Script, Scripted, node};

/// A gateway before the portal on Node, when that is installed; `/account` needs a login.
fn start() -> Option<(Program, Gateway)> {
    if !tools::has(&[Tool::Node]) {
        return None;
    }
    let (portal, url) = node("portal.js");
    let plan = Plan::before(&url).with("upgrade = [\"own/1\", \"own\", \"second\"]");
    Some((portal, plan.route("/account", "portal", "required").start()))
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
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let scripted = Scripted { bytes: switch.to_vec(), closes: false };
    let portal = Script::start(HashMap::from([("/ws".to_owned(), scripted)]));
    let gateway = Plan::before(&portal.url()).with("upgrade = [\"own\"]").start();
    let mut wire = gateway.connect();
    wire.send(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n",
    );
    let answer = wire.answer("GET");
    assert_eq!((answer.status, &*answer.reason()), (502, "upstream.bad_answer"));
}

/// A portal that would speak anything, before a gateway with this line at its route.
fn before_one_that_switches(line: &str) -> (Script, Gateway) {
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let scripted = Scripted { bytes: switch.to_vec(), closes: false };
    let portal = Script::start(HashMap::from([("/h2c".to_owned(), scripted)]));
    let gateway = Plan::before(&portal.url()).with(line).start();
    (portal, gateway)
}

#[test]
fn http_2_in_the_clear_is_never_asked_for_and_no_request_goes_past_the_rules() {
    let (portal, gateway) = before_one_that_switches("");
    for upgrade in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Connection: Upgrade\r\nUpgrade: H2C\r\n",
        "Connection: upgrade\r\nUpgrade: own, h2c\r\n",
        "Connection: upgrade\r\nUpgrade: own\r\nUpgrade: h2c\r\n",
        "Connection: upgrade\r\nUpgrade: HTTP/2.0\r\n",
        "Connection: upgrade\r\nUpgrade: h2c/1\r\n",
        "Connection: upgrade\r\nUpgrade: \t h2c \t\r\n",
    ] {
        let mut wire = gateway.connect();
        let before = portal.heard().len();
        wire.send(format!("GET /plain HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n").as_bytes());
        let answer = wire.answer("GET");
        assert_eq!((answer.status, &*answer.text()), (200, "plain"), "{upgrade}");
        let head = portal.heard()[before].head.to_lowercase();
        assert!(!head.contains("upgrade") && !head.contains("h2c"), "{upgrade}: {head}");
        // Who goes on as if it had been agreed to speaks HTTP/1.1 without making sense.
        wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
        if let Ok(answer) = wire.try_answer("GET") {
            assert!(answer.status >= 400, "{upgrade}: {answer:?}");
        }
        assert_eq!(portal.heard().len(), before + 1, "{upgrade}");
    }
    // A portal that switches all the same is not believed.
    let mut wire = gateway.connect();
    wire.send(
        b"GET /h2c HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n\r\n",
    );
    let answer = wire.answer("GET");
    assert_eq!((answer.status, &*answer.reason()), (502, "upstream.bad_answer"));
}

#[test]
fn of_what_is_asked_for_the_portal_hears_what_the_route_names() {
    for (line, wish, heard) in [
        ("", "websocket", Some("upgrade: websocket")),
        ("", "own, WebSocket", Some("upgrade: websocket")),
        ("", "own", None),
        ("upgrade = [\"own/2\", \"own\"]", "websocket, own, own/2", Some("upgrade: own, own/2")),
        ("upgrade = [\"own/2\", \"own\"]", "websocket", None),
        ("upgrade = []", "websocket", None),
    ] {
        let (portal, gateway) = before_one_that_switches(line);
        let mut wire = gateway.connect();
        let head = "GET /plain HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\n";
        wire.send(format!("{head}Upgrade: {wish}\r\n\r\n").as_bytes());
        assert_eq!(wire.answer("GET").status, 200, "{line} {wish}");
        let head = portal.heard()[0].head.to_lowercase();
        let upgrade = head.lines().find(|line| line.starts_with("upgrade:"));
        assert_eq!(upgrade, heard, "{line} {wish}");
        assert_eq!(head.contains("connection: upgrade"), heard.is_some(), "{line} {wish}");
        // The connection is as good as before.
        assert_eq!(wire.get("localhost", "/plain").status, 200);
    }
}

/// RFC 8441 4: to a client, success is an open WebSocket.
#[test]
fn over_http_2_a_websocket_is_opened_or_refused_but_never_answered_like_a_page() {
    for (line, status, reason) in
        [("upgrade = []", "501", "request.upgrade_not_allowed"), ("", "502", "upstream.bad_answer")]
    {
        let (portal, gateway) = before_one_that_switches(line);
        assert!(WebSocket::try_open(&gateway, Version::Http2, "a=b").is_err(), "{line}");
        gateway.has_said(&["\"path\":\"/ws\"", &format!("\"status\":{status}"), reason]);
        assert_eq!(portal.heard().len(), usize::from(status == "502"), "{line}");
    }
}
