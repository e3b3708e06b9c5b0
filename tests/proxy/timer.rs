//! The session timer as a file that browsers fetch and keep. What it does is in `tests/browser`.

use crate::harness::{Answer, Gateway, Plan};

const SCRIPT: &str = "/.brama/session.js";

fn ask(gateway: &Gateway, method: &str, path: &str, fields: &str) -> Answer {
    let (mut wire, host) = (gateway.connect(), gateway.host());
    let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
    wire.send(
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{fields}{length}\r\n").as_bytes(),
    );
    wire.answer(method)
}

#[test]
fn the_script_is_there_for_everybody_and_says_what_it_is() {
    // Nobody is behind it: nothing of this reaches a portal.
    let gateway = Plan::before("http://127.0.0.1:9").start();
    let answer = ask(&gateway, "GET", SCRIPT, "");
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("content-type", "text/javascript; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "public, max-age=600"),
        ("vary", "Accept-Encoding"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    assert_eq!(answer.header("set-cookie"), None);
    assert!(answer.text().contains("'use strict'") && answer.text().contains("seconds_left"));

    // HEAD says the same without it.
    let head = ask(&gateway, "HEAD", SCRIPT, "");
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["etag", "content-type", "content-length"] {
        assert_eq!(head.header(name), answer.header(name), "{name}");
    }

    // The twins: another method, and a place beside it.
    let refused = ask(&gateway, "POST", SCRIPT, "");
    assert_eq!((refused.status, &*refused.reason()), (405, "request.method_not_allowed"));
    let missing = ask(&gateway, "GET", "/.brama/session.css", "");
    assert_eq!((missing.status, &*missing.reason()), (404, "request.no_such_place"));
}

#[test]
fn who_has_the_script_is_told_that_it_is_still_the_same() {
    let gateway = Plan::before("http://127.0.0.1:9").start();
    let plain = ask(&gateway, "GET", SCRIPT, "");
    let packed = ask(&gateway, "GET", SCRIPT, "Accept-Encoding: gzip, deflate, br\r\n");
    assert_eq!(
        (plain.header("content-encoding"), packed.header("content-encoding")),
        (None, Some("gzip"))
    );
    assert!(packed.body.len() < 8 * 1024, "{} bytes", packed.body.len());
    let (plain, packed) = (plain.header("etag").unwrap(), packed.header("etag").unwrap());
    assert_ne!(plain, packed);
    for (fields, status) in [
        (format!("If-None-Match: {plain}\r\n"), 304),
        (format!("If-None-Match: \"other\", W/{plain}\r\n"), 304),
        (format!("If-None-Match: {packed}\r\nAccept-Encoding: gzip\r\n"), 304),
        // Another form of it is another thing.
        (format!("If-None-Match: {packed}\r\n"), 200),
        ("If-None-Match: \"other\"\r\n".to_owned(), 200),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = ask(&gateway, method, SCRIPT, &fields);
            assert_eq!(answer.status, status, "{method} {fields}");
            assert!(answer.header("etag").is_some() && answer.header("vary").is_some());
            assert_eq!(answer.body.is_empty(), status == 304 || method == "HEAD", "{fields}");
        }
    }
}

#[test]
fn the_script_moves_with_the_prefix() {
    let mut gateway = Plan::before("http://127.0.0.1:9").start();
    gateway.edit_configuration("[portal]\n", "[portal]\nprefix = \"/gate/\"\n");
    gateway.program.signal("TERM");
    gateway.program.wait();
    gateway.start_again();
    let script = ask(&gateway, "GET", "/gate/session.js", "");
    assert_eq!(script.status, 200);
    // It finds its neighbours from its own address.
    assert!(!script.text().contains("brama/"));
    assert_eq!(ask(&gateway, "GET", SCRIPT, "").status, 502, "the portal's own place now");
}
