//! What HTTP/2 leaves to whoever speaks it: cookies in crumbs, answers without a body, and heads
//! that are too large.

use std::collections::HashMap;

use tempfile::TempDir;

use crate::harness::curl::curl;
use crate::harness::http_2::{
    self, DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, begin, block, frame,
};
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Plan, Program, Script, Scripted, Tls, Wire, node};

/// What came back on a stream.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    body: String,
    /// The answer ended with its head.
    is_head_alone: bool,
    was_reset: bool,
}

/// Sends a request without a body, and reads all that comes back.
fn ask(wire: &mut Wire, stream: u32, method: &str, path: &str, more: &[(&str, &str)]) -> Came {
    let head = [(":method", method), (":scheme", "http"), (":path", path)];
    let more = [(":authority", "localhost")].into_iter().chain(more.iter().copied());
    let block = block(head.into_iter().chain(more));
    let mut pieces = block.chunks(16_000).peekable();
    let mut kind = HEADERS;
    while let Some(piece) = pieces.next() {
        let end = if pieces.peek().is_none() { END_HEADERS } else { 0 };
        let flags = if kind == HEADERS { end | END_STREAM } else { end };
        wire.send(&frame(kind, flags, stream, piece));
        kind = http_2::CONTINUATION;
    }
    let (mut body, mut is_head_alone) = (Vec::new(), false);
    loop {
        let found = http_2::read(wire).unwrap();
        if found.stream != stream {
            continue;
        }
        match found.kind {
            DATA => body.extend(found.payload),
            HEADERS => is_head_alone = found.flags & END_STREAM != 0,
            RST_STREAM => {}
            _ => continue,
        }
        let was_reset = found.kind == RST_STREAM;
        if was_reset || found.flags & END_STREAM != 0 {
            let body = String::from_utf8(body).unwrap();
            return Came { body, is_head_alone, was_reset };
        }
    }
}

#[test]
fn cookies_in_crumbs_are_one_field() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (mut portal, url) = node("recorder.js");
    let gateway = Plan::before(&url).start();
    let mut wire = begin(gateway.connect());
    // Browsers keep 180 cookies of a site, and send each as a field.
    let crumbs: Vec<_> = (0..180).map(|number| format!("c{number}=1")).collect();
    let fields: Vec<_> = crumbs.iter().map(|crumb| ("cookie", crumb.as_str())).collect();
    assert!(!ask(&mut wire, 1, "GET", "/crumbs", &fields).was_reset);
    let seen = portal.event("request");
    let is_cookie = |field: &&serde_json::Value| field[0] == "cookie";
    let cookies: Vec<_> = seen["headers"].as_array().unwrap().iter().filter(is_cookie).collect();
    assert_eq!(cookies, [&serde_json::json!(["cookie", crumbs.join("; ")])]);
    // Other fields count as ever.
    let fields: Vec<_> = crumbs.iter().map(|crumb| ("x-field", crumb.as_str())).collect();
    let refused = ask(&mut wire, 3, "GET", "/fields", &fields);
    assert!(refused.body.contains("request.header_too_large"), "{refused:?}");
}

#[test]
fn chromium_with_many_cookies_is_not_locked_out() {
    if !tools::has(&[Tool::Chromium, Tool::Node]) {
        return;
    }
    let (mut portal, url) = node("cookies.js");
    let gateway = Plan::before(&url).tls(Tls::On).start();
    let profile = TempDir::new().unwrap();
    let page = format!("https://localhost:{}/set", gateway.tls_address.unwrap().port());
    let _browser = Program::chromium(profile.path(), &page);
    assert_eq!(portal.event("cookies")["count"], 110);
}

#[test]
fn an_answer_to_head_has_no_body_whoever_gives_it() {
    let length = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_vec();
    let portal = Script::start(HashMap::from([(
        "/portal".to_owned(),
        Scripted { bytes: length, closes: false },
    )]));
    let plan = Plan::empty().upstream("portal", &portal.url());
    let plan = plan.route("/portal", "portal", "public").route("/closed", "portal", "required");
    let gateway = plan.start();
    let mut wire = begin(gateway.connect());
    let page = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];
    for (number, (path, more)) in [
        ("/portal", &page[..]),
        // Of ours: no route, a login that would be needed, the keys.
        ("/nowhere", &page),
        ("/nowhere", &[]),
        ("/closed", &[]),
        ("/.brama/jwks.json", &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let stream = u32::try_from(number).unwrap() * 4 + 1;
        let came = ask(&mut wire, stream, "HEAD", path, more);
        assert!(came.is_head_alone && !came.was_reset, "{path}: {came:?}");
        if path != "/portal" {
            // Its twin has one.
            let came = ask(&mut wire, stream + 2, "GET", path, more);
            assert!(!came.is_head_alone && !came.body.is_empty(), "{path}: {came:?}");
        }
    }
}

#[test]
fn an_answer_that_has_no_body_says_no_length() {
    if !tools::has(&[Tool::Curl]) {
        return;
    }
    let says = |status: &str| {
        let bytes = format!("HTTP/1.1 {status}\r\nContent-Length: 7\r\n\r\n").into_bytes();
        (format!("/{}", &status[..3]), Scripted { bytes, closes: false })
    };
    let portal = Script::start(HashMap::from([says("204 No Content"), says("304 Not Modified")]));
    let gateway = Plan::before(&portal.url()).start();
    for version in ["--http2-prior-knowledge", "--http1.1"] {
        // RFC 9110 8.6: with 204 never, with 304 it is what a 200 would have.
        for (path, length) in [("/204", false), ("/304", true)] {
            let fetched = curl(&gateway, &[version, path]);
            assert_eq!((fetched.exit, fetched.body.len()), (Some(0), 0), "{}", fetched.said);
            let said = fetched.said.to_ascii_lowercase();
            assert_eq!(said.contains("< content-length: 7"), length, "{version} {path}: {said}");
        }
    }
}

fn start() -> (Script, Gateway) {
    let portal = Script::start(HashMap::new());
    let gateway = Plan::before(&portal.url()).start();
    (portal, gateway)
}

#[test]
fn a_head_that_is_too_large_is_refused_with_an_answer_a_line_and_a_count() {
    let (portal, mut gateway) = start();
    let mut wire = begin(gateway.connect());
    for (number, length) in [(0, 40_000), (1, 100_000)] {
        let value = "x".repeat(length);
        let came = ask(&mut wire, number * 2 + 1, "GET", "/", &[("x-large", &value)]);
        assert!(came.body.contains("request.header_too_large"), "{length}: {came:?}");
        let is_line = |line: &str| line.contains("request.header_too_large").then_some(());
        gateway.program.wait_for(is_line);
    }
    // The connection goes on, and what is just small enough passes.
    let value = "x".repeat(30_000);
    assert_eq!(ask(&mut wire, 5, "GET", "/", &[("x-large", &value)]).body, "plain");
    let refused =
        gateway.numbers().value("brama_refusals_total", &[("code", "request.header_too_large")]);
    assert_eq!(refused, 2.0);
    assert_eq!(portal.heard().len(), 1);
}

#[test]
fn what_h2_refuses_is_counted_and_told() {
    let (portal, mut gateway) = start();
    let mut wire = begin(gateway.connect());
    // RFC 9113 8.2.2: nothing about the connection.
    for (number, name) in [(0, "connection"), (1, "upgrade")] {
        assert!(ask(&mut wire, number * 2 + 1, "GET", "/", &[(name, "close")]).was_reset, "{name}");
    }
    assert_eq!(ask(&mut wire, 5, "GET", "/", &[]).body, "plain");
    drop(wire);
    let line = |line: &str| (line.contains("HTTP/2") && line.contains("requests=2")).then_some(());
    gateway.program.wait_for(line);
    assert_eq!(gateway.numbers().value("brama_http2_requests_unseen_total", &[]), 2.0);
    assert_eq!(portal.heard().len(), 1);
}

#[test]
fn a_tunnel_says_no_length() {
    let (_portal, gateway) = start();
    // What is no length at all is no answer's business: h2 resets the stream.
    for (length, is_refused) in [("0", false), ("5", true), ("x", true)] {
        let mut wire = begin(gateway.connect());
        let head = block([
            (":method", "CONNECT"),
            (":protocol", "websocket"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "localhost"),
            ("sec-websocket-version", "13"),
            ("content-length", length),
        ]);
        // Without an end, as a tunnel begins: what comes next would be its first bytes.
        wire.send(&frame(HEADERS, END_HEADERS, 1, &head));
        let came = loop {
            let found = http_2::read(&mut wire).unwrap();
            if found.stream == 1 {
                break found;
            }
        };
        // RFC 7541 appendix A: 12 is `:status: 400`.
        let was_refused = came.kind == RST_STREAM || came.payload[0] == 0x80 | 12;
        assert_eq!(was_refused, is_refused, "{length}: {came:?}");
        assert_eq!(came.kind == RST_STREAM, length == "x", "{came:?}");
    }
    // It is refused with an answer, a line and a count, as whatever cannot be read.
    gateway.has_said(&["request.framing", "a tunnel has none"]);
    let refused = gateway.numbers().value("brama_refusals_total", &[("code", "request.framing")]);
    assert_eq!(refused, 1.0);
}
