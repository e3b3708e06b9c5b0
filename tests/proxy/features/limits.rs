//! Bodies that are larger than they may be.

use crate::harness::tools::{self, Tool};
use crate::harness::{End, Gateway, Plan, Program, node};

/// A gateway that takes bodies of at most 1 KiB, before the portal on Node, when that is installed.
fn start() -> Option<(Program, Gateway)> {
    if !tools::has(&[Tool::Node]) {
        return None;
    }
    let (portal, url) = node("recorder.js");
    Some((portal, Plan::before(&url).listen("max_body = \"1 KiB\"").start()))
}

/// Asserts that the next request that the portal saw is this one.
fn saw(portal: &mut Program, target: &str) {
    assert_eq!(portal.event("request")["target"], target);
}

#[test]
fn a_body_of_just_the_right_size_passes() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(b"POST /fits HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1024\r\n\r\n");
    wire.send(&[b'x'; 1024]);
    assert_eq!(wire.answer("POST").status, 200);
    saw(&mut portal, "/fits");
    wire.send(b"POST /fits HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    wire.send(&[&b"400\r\n"[..], &[b'x'; 1024], b"\r\n0\r\n\r\n"].concat());
    assert_eq!(wire.answer("POST").status, 200);
}

#[test]
fn a_length_that_is_too_large_is_refused_before_the_body_comes() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(b"POST /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1025\r\n\r\n");
    let answer = wire.answer("POST");
    assert_eq!((answer.status, &*answer.reason()), (413, "request.body_too_large"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(wire.rest().as_deref(), Some(&b""[..]));
    assert_eq!(gateway.connect().get("localhost", "/after").status, 200);
    saw(&mut portal, "/after");
}

#[test]
fn a_client_that_asks_with_a_length_that_is_too_large_is_not_told_to_go_on() {
    let Some((_portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(
        b"POST /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1025\r\n\
          Expect: 100-continue\r\n\r\n",
    );
    let answer = wire.answer("POST");
    assert_eq!((answer.status, answer.interim), (413, vec![]));
}

#[test]
fn chunks_that_are_too_large_together_are_refused_when_they_are() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(b"POST /large HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..3 {
        wire.send(&[&b"200\r\n"[..], &[b'x'; 512], b"\r\n"].concat());
    }
    wire.send(b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let answer = wire.answer("POST");
    assert_eq!((answer.status, &*answer.reason()), (413, "request.body_too_large"));
    assert_eq!(answer.end, End::Complete);
    assert_eq!(wire.rest().as_deref(), Some(&b""[..]));
    // The portal saw a beginning at most.
    assert_eq!(gateway.connect().get("localhost", "/after").status, 200);
    saw(&mut portal, "/after");
}
