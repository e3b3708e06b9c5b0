//! Connections that wait for a request: they need no task, and nobody notices.

use std::thread;
use std::time::{Duration, Instant};

use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, NoAnswer, PATIENCE, Plan, Wire, node};

/// A gateway that answers by itself, with this below `[listen]`.
fn gateway(listen: &str) -> Gateway {
    Plan::empty()
        .answered("/", "respond = { status = 200, body = \"here\" }")
        .listen(listen)
        .start()
}

/// Has a connection ask once, and waits until so many wait without a task.
fn parked(gateway: &Gateway, count: usize) -> Wire {
    let mut wire = gateway.connect();
    assert_eq!(wire.get("localhost", "/").body, b"here");
    until_parked(gateway, count);
    wire
}

fn until_parked(gateway: &Gateway, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    while gateway.parked() != count {
        assert!(Instant::now() < deadline, "{} are parked, and not {count}", gateway.parked());
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn one_that_has_waited_is_answered_as_before_again_and_again() {
    let gateway = gateway("");
    let mut wire = parked(&gateway, 1);
    for _ in 0..3 {
        assert_eq!(wire.get("localhost", "/").body, b"here");
        until_parked(&gateway, 1);
    }
    // A head that comes in pieces, and two at once.
    wire.send_in_pieces(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 1);
    assert_eq!(wire.answer("GET").status, 200);
    until_parked(&gateway, 1);
    wire.send(
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    assert_eq!((wire.answer("GET").status, wire.answer("GET").status), (200, 200));
    // What is nonsense is refused as ever.
    until_parked(&gateway, 1);
    wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nA : b\r\n\r\n");
    assert_eq!(wire.answer("GET").status, 400);
    assert_eq!(wire.rest().as_deref(), Some(&b""[..]));
}

#[test]
fn one_that_says_its_last_is_answered_and_one_that_says_nothing_is_forgotten() {
    let gateway = gateway("");
    let mut asks = parked(&gateway, 1);
    asks.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    asks.finish();
    assert_eq!(asks.answer("GET").body, b"here");
    let (leaves, mut ends) = (parked(&gateway, 1), parked(&gateway, 2));
    let before = gateway.open_descriptors();
    drop(leaves);
    until_parked(&gateway, 1);
    ends.finish();
    assert_eq!(ends.rest().as_deref(), Some(&b""[..]), "it is closed on our side too");
    until_parked(&gateway, 0);
    assert!(gateway.open_descriptors() + 2 <= before);
}

#[test]
fn one_that_waits_too_long_is_closed_and_not_before() {
    let gateway = gateway("idle_timeout = \"3s\"");
    let mut wire = gateway.connect();
    assert_eq!(wire.get("localhost", "/").status, 200);
    let began = Instant::now();
    until_parked(&gateway, 1);
    assert_eq!(wire.rest().as_deref(), Some(&b""[..]));
    let waited = began.elapsed();
    assert!(waited >= Duration::from_millis(2900), "{waited:?}");
    assert!(waited < Duration::from_secs(6), "{waited:?}");
    assert_eq!(gateway.parked(), 0);
}

#[test]
fn one_that_never_asks_has_the_time_of_a_head() {
    let gateway = gateway("header_timeout = \"3s\"");
    let (mut silent, mut late) = (gateway.connect(), gateway.connect());
    until_parked(&gateway, 2);
    // Its first bytes may be those of HTTP/2 still.
    let began = Instant::now();
    late.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    assert_eq!(late.exactly(9)[3], 4, "settings");
    assert_eq!(silent.rest().as_deref(), Some(&b""[..]));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn those_that_wait_count_as_open() {
    let gateway = gateway("max_connections_per_address = 2");
    let (one, mut other) = (parked(&gateway, 1), parked(&gateway, 2));
    assert_eq!(gateway.numbers().value("brama_connections", &[]), 2.0);
    let mut third = gateway.connect();
    third.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(third.try_answer("GET").unwrap_err(), NoAnswer::Closed);
    // One that leaves makes room, and one that stays is served.
    drop(one);
    until_parked(&gateway, 1);
    assert_eq!(gateway.connect().get("localhost", "/").status, 200);
    assert_eq!(other.get("localhost", "/").status, 200);
}

#[test]
fn those_that_wait_end_with_the_gateway_and_whoever_has_asked_is_answered() {
    let mut gateway = gateway("");
    let mut silent: Vec<_> = (1..=100).map(|_| gateway.connect()).collect();
    for wire in &mut silent {
        assert_eq!(wire.get("localhost", "/").status, 200);
    }
    let mut asks: Vec<_> = (0..100).map(|_| gateway.connect()).collect();
    for wire in &mut asks {
        assert_eq!(wire.get("localhost", "/").status, 200);
    }
    until_parked(&gateway, 200);
    // While it stands still both come together: a request of each, and the stop.
    gateway.program.signal("STOP");
    for wire in &mut asks {
        wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    gateway.program.signal("TERM");
    gateway.program.signal("CONT");
    for wire in &mut asks {
        let answer = wire.answer("GET");
        assert_eq!((answer.status, &*answer.body), (200, &b"here"[..]));
    }
    for wire in &mut silent {
        assert_eq!(wire.rest().as_deref(), Some(&b""[..]));
    }
    assert!(gateway.program.wait().success());
}

#[test]
fn one_that_has_waited_is_whose_it_was() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let gateway = Plan::before(&url).listen("proxy_protocol_from = [\"127.0.0.0/8\"]").start();
    let mut wire = gateway.connect();
    wire.send(b"PROXY TCP4 192.0.2.7 198.51.100.2 50000 443\r\n");
    for _ in 0..3 {
        assert_eq!(wire.get("localhost", "/").json()["x-forwarded-for"], "192.0.2.7");
        until_parked(&gateway, 1);
    }
}
