//! Clients that dawdle, and sides that vanish.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::harness::tools::{self, Tool};
use crate::harness::{PATIENCE, Plan, Script, Wire, node};

#[test]
fn half_a_head_is_given_up_with_an_answer_and_no_head_without_one() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let gateway = Plan::before(&url).listen("header_timeout = \"1s\"").start();

    let mut half = gateway.connect();
    half.send(b"GET / HTTP/1.1\r\nHost: loc");
    let answer = half.answer("GET");
    assert_eq!((answer.status, &*answer.reason()), (408, "request.timeout"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(half.rest().as_deref(), Some(&b""[..]));

    let mut silent = gateway.connect();
    assert_eq!(silent.rest().as_deref(), Some(&b""[..]));
}

#[test]
fn a_head_that_comes_drop_by_drop_has_no_more_time_than_any_other() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let gateway = Plan::before(&url).listen("header_timeout = \"1s\"").start();
    let mut wire: Wire = gateway.connect();
    wire.patience(Duration::from_millis(50));
    let started = Instant::now();
    wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n");
    // Each round waits a little for an answer, and then sends a little more.
    let answer = loop {
        if let Ok(answer) = wire.try_answer("GET") {
            break answer;
        }
        assert!(started.elapsed() < Duration::from_secs(5), "it goes on and on");
        wire.send(b"X-A: 1\r\n");
    };
    assert_eq!((answer.status, &*answer.reason()), (408, "request.timeout"));
}

/// Returns what the kernel waits for (`timer_active` of proc_net_tcp(5)) on the established
/// connections whose local or remote port is this.
fn timers(place: usize, address: SocketAddr) -> Vec<String> {
    let end = format!(":{:04X}", address.port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter(|words| words[place].ends_with(&end) && words[3] == "01")
        .map(|words| words[5][..2].to_owned())
        .collect()
}

#[test]
fn the_kernel_asks_both_sides_whether_they_are_still_there() {
    const LOCAL: usize = 1;
    const REMOTE: usize = 2;
    const KEEP_ALIVE: &str = "02";
    let portal = Script::start(HashMap::new());
    let gateway = Plan::before(&portal.url()).start();
    let mut wire = gateway.connect();
    assert_eq!(wire.get("localhost", "/").text(), "plain");
    let deadline = Instant::now() + PATIENCE;
    for (place, address) in [(LOCAL, gateway.address), (REMOTE, portal.address)] {
        // For a moment it may wait for an acknowledgement instead.
        loop {
            let timers = timers(place, address);
            if !timers.is_empty() && timers.iter().all(|timer| timer == KEEP_ALIVE) {
                break;
            }
            assert!(Instant::now() < deadline, "{timers:?}");
        }
    }
    // The other ends, which are ours, are not watched: it is the gateway's doing.
    assert_eq!(timers(REMOTE, gateway.address), ["00"]);
    assert_eq!(timers(LOCAL, portal.address), ["00"]);
}
