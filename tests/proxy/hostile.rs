//! Clients that want to be in the way. The others wait no longer than usual, and when it is over
//! nothing is left of it: no connection, and no memory that has to do with how many they were.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::harness::http_2::{
    CONTINUATION, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, begin, frame,
};
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Load, PATIENCE, Plan, Program, Wire, node};

/// Within what time 99 of 100 answers for an ordinary visitor must come.
const P99: Duration = Duration::from_millis(100);
/// By how much memory may have grown, in KiB; the program is without optimisation.
const GROWTH_KIB: u64 = 48 << 10;

/// A gateway before the portal on Node, when that is installed. It has little patience.
fn start() -> Option<(Program, Gateway)> {
    if !tools::has(&[Tool::Node]) {
        return None;
    }
    let (portal, url) = node("portal.js");
    let gateway = Plan::before(&url).listen("header_timeout = \"2s\"").start();
    Some((portal, gateway))
}

/// Lets an attack happen with an ordinary visitor about, and compares before and after. What the
/// attack returns stays until the visitor has seen enough.
fn withstands<T>(gateway: &Gateway, attack: impl FnOnce() -> T) {
    // The connections of the visitor and to the portal are not the attack's.
    let warm = Load::start(gateway.address, 1, "/");
    warm.answers(200);
    warm.stop().all_answered();
    let (descriptors, memory) = (gateway.open_descriptors(), gateway.resident_kib());

    let visitor = Load::start(gateway.address, 1, "/");
    let attackers = attack();
    visitor.answers(300);
    let tally = visitor.stop();
    drop(attackers);
    tally.all_answered();
    assert!(tally.p99() < P99, "p99 was {:?} of {}", tally.p99(), tally.took.len());

    let deadline = Instant::now() + PATIENCE;
    while gateway.open_descriptors() > descriptors + 8 {
        let open = gateway.open_descriptors();
        assert!(Instant::now() < deadline, "{open} descriptors, {descriptors} before");
        std::thread::sleep(Duration::from_millis(20));
    }
    let grown = gateway.resident_kib().saturating_sub(memory);
    assert!(grown < GROWTH_KIB, "memory grew by {grown} KiB");
}

#[test]
fn five_hundred_heads_that_never_end() {
    let Some((_portal, gateway)) = start() else { return };
    withstands(&gateway, || {
        let mut wires: Vec<Wire> = (0..500).map(|_| gateway.connect()).collect();
        for wire in &mut wires {
            wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ");
        }
        // The gateway ends them all, however long they would stay.
        for wire in &mut wires {
            wire.send(b"more");
            assert!(wire.rest().is_some(), "a head without end keeps its connection");
        }
    });
}

#[test]
fn three_hundred_bodies_that_hardly_come() {
    let Some((_portal, gateway)) = start() else { return };
    withstands(&gateway, || {
        let mut wires: Vec<Wire> = (0..300).map(|_| gateway.connect()).collect();
        for wire in &mut wires {
            let head = b"POST /sum HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n";
            wire.send(head);
        }
        for _ in 0..10 {
            wires.iter_mut().for_each(|wire| wire.send(b"x"));
        }
        wires
    });
}

#[test]
fn fifty_heads_of_ten_megabytes() {
    let Some((_portal, gateway)) = start() else { return };
    let field = format!("X-A: {}\r\n", "a".repeat(1000)).repeat(100);
    withstands(&gateway, || {
        for _ in 0..50 {
            let mut wire = gateway.connect();
            wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n");
            for _ in 0..100 {
                wire.send(field.as_bytes());
            }
            assert!(wire.rest().is_some(), "a head of ten megabytes is no reason to end");
        }
    });
}

#[test]
fn five_thousand_connections_that_say_nothing() {
    let Some((_portal, gateway)) = start() else { return };
    withstands(&gateway, || {
        for _ in 0..5000 {
            drop(TcpStream::connect(gateway.address).unwrap());
        }
    });
}

#[test]
fn twenty_thousand_streams_of_http_2_that_are_taken_back_at_once() {
    let Some((_portal, gateway)) = start() else { return };
    withstands(&gateway, || {
        let mut wire = begin(gateway.connect());
        for number in 0..20_000 {
            let stream = 2 * number + 1;
            let request = frame(HEADERS, END_STREAM | END_HEADERS, stream, REQUEST);
            wire.send(&[request, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat());
        }
        assert!(wire.rest().is_some(), "rapid reset is no reason to end");
    });
}

#[test]
fn a_head_of_http_2_that_is_continued_without_end() {
    let Some((_portal, gateway)) = start() else { return };
    withstands(&gateway, || {
        let mut wire = begin(gateway.connect());
        wire.send(&frame(HEADERS, END_STREAM, 1, REQUEST));
        // A literal field without indexing: `a: a`.
        let more = frame(CONTINUATION, 0, 1, &b"\x00\x01a\x01a".repeat(100));
        for _ in 0..20_000 {
            wire.send(&more);
        }
        assert!(wire.rest().is_some(), "a head without end is no reason to end");
    });
}

/// GET, http, / of the static table, and `:authority` as a literal (RFC 7541 6).
const REQUEST: &[u8] = b"\x82\x86\x84\x41\x09localhost";
