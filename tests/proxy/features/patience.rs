//! Clients that dawdle.

use std::time::{Duration, Instant};

use crate::harness::tools::{self, Tool};
use crate::harness::{Plan, Wire, node};

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
