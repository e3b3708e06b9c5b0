//! The same for HTTP/2: what must not be taken down to HTTP/1.1, where it would mean something
//! else.

use std::fmt::Write as _;
use std::time::Duration;

use super::judge::Judge;
use super::verdict::Verdict;
use crate::harness::cases::{self, Case};
use crate::harness::http_2::{
    DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, begin, block, field, frame, read,
};
use crate::harness::tools::{self, Tool};
use crate::harness::{Nginx, Wire, free_address, node};

#[test]
fn what_http_2_can_say_and_http_1_cannot_goes_nowhere() {
    if !tools::has(&[Tool::Node, Tool::Python]) {
        return;
    }
    let mut judges = [Judge::node(), Judge::python()];
    let cases = cases::read(include_str!("http_2.txt"));
    let mut report = String::new();
    for case in &cases {
        for judge in &mut judges {
            if let Err(what) = try_case(case, judge) {
                let _ = writeln!(report, "  {}\n    {}: {what}", case.name, judge.name);
            }
        }
    }
    assert!(report.is_empty(), "of {} cases:\n{report}", cases.len());
}

fn try_case(case: &Case, judge: &mut Judge) -> Result<(), String> {
    let is_refused = case.expected == ["refused"];
    let verdict = if is_refused { Verdict::default() } else { Verdict::read(&case.expected) };
    let mut wire = begin(judge.gateway.connect());
    wire.patience(Duration::from_secs(3));
    wire.send(&request(case));
    let answer = answer(&mut wire);
    let seen = judge.seen()?;
    if seen.len() != verdict.passes.len() {
        return Err(format!("the portal saw {seen:?}"));
    }
    for (passed, seen) in verdict.passes.iter().zip(&seen) {
        passed.check(seen)?;
    }
    match answer? {
        // The portal says in its answer what it saw.
        Some(body) if body.contains("\"target\"") == is_refused => Err(format!("answered {body}")),
        None if !is_refused => Err("the stream was reset".to_owned()),
        _ => Ok(()),
    }
}

/// Returns the frames of a case on stream 1.
fn request(case: &Case) -> Vec<u8> {
    let end = case.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let head = &case.bytes[..end.unwrap_or(case.bytes.len())];
    let body = end.map(|end| &case.bytes[end + 4..]);
    let mut block = Vec::new();
    for line in String::from_utf8_lossy(head).split("\r\n").filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").expect("name: value");
        block.extend(field(name.as_bytes(), value.as_bytes()));
    }
    let flags = if body.is_some() { END_HEADERS } else { END_HEADERS | END_STREAM };
    let mut frames = frame(HEADERS, flags, 1, &block);
    if let Some(body) = body {
        frames.extend(frame(DATA, END_STREAM, 1, body));
    }
    frames
}

/// Reads the body of the answer on stream 1. `None` when there is none because the stream or the
/// connection was ended.
fn answer(wire: &mut Wire) -> Result<Option<String>, String> {
    let mut body = Vec::new();
    loop {
        let Ok(frame) = read(wire) else {
            // The end of the connection; or silence, which is no answer to anything.
            return wire.rest().map(|_| None).ok_or_else(|| "no answer".to_owned());
        };
        match (frame.kind, frame.stream) {
            (DATA, 1) => body.extend(&frame.payload),
            (RST_STREAM, 1) if body.is_empty() => return Ok(None),
            (GOAWAY, _) => return Ok(None),
            _ => {}
        }
        if matches!(frame.kind, DATA | HEADERS) && frame.flags & END_STREAM != 0 {
            return Ok(Some(String::from_utf8_lossy(&body).into_owned()));
        }
    }
}

#[test]
fn a_trailer_has_no_pseudo_fields() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let mut judge = Judge::node();
    let head =
        [(":method", "POST"), (":scheme", "http"), (":path", "/x"), (":authority", "localhost")];
    for (field, passes) in
        [(("x-sum", "1"), true), ((":path", "/y"), false), ((":own", "1"), false)]
    {
        let mut wire = begin(judge.gateway.connect());
        wire.patience(Duration::from_secs(3));
        let mut frames = frame(HEADERS, END_HEADERS, 1, &block(head));
        frames.extend(frame(DATA, 0, 1, b"hello"));
        frames.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &block([field])));
        wire.send(&frames);
        let answer = answer(&mut wire).unwrap();
        assert_eq!(answer.is_some_and(|body| body.contains("\"target\"")), passes, "{field:?}");
        assert_eq!(judge.seen().unwrap().len() == 1, passes, "{field:?}");
        if !passes {
            let told = |line: &str| line.contains("a trailer has a pseudo-field").then_some(());
            judge.gateway.program.wait_for(told);
        }
    }
    assert_eq!(cut(&judge), 2.0);
}

#[test]
fn a_head_that_we_refuse_is_counted_and_told() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let mut judge = Judge::node();
    let head = |path| {
        block([
            (":method", "GET"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
        ])
    };
    let (plain, bad) = (head("/x"), head("/x#y"));
    let unseen =
        |judge: &Judge| judge.gateway.numbers().value("brama_http2_requests_unseen_total", &[]);
    for (heads, refused) in [(&[&plain][..], 0.0), (&[&bad], 1.0), (&[&plain, &bad, &plain], 2.0)] {
        let (unseen_before, cut_before) = (unseen(&judge), cut(&judge));
        let mut wire = begin(judge.gateway.connect());
        wire.patience(Duration::from_secs(3));
        let frames: Vec<_> = (1..)
            .step_by(2)
            .zip(heads)
            .map(|(stream, head)| frame(HEADERS, END_HEADERS | END_STREAM, stream, head))
            .collect();
        // In one piece: those before the bad one go with it.
        wire.send(&frames.concat());
        let is_answered = answer(&mut wire).unwrap().is_some();
        assert_eq!(is_answered, refused == 0.0, "{refused}");
        drop(wire);
        assert_eq!(judge.seen().unwrap().len() == 1, refused == 0.0, "{refused}");
        if refused > 0.0 {
            let told = |line: &str| line.contains("a path has a fragment").then_some(());
            judge.gateway.program.wait_for(told);
            let number = format!("requests={refused}");
            let told = |line: &str| line.contains(&number).then_some(());
            judge.gateway.program.wait_for(told);
        }
        assert_eq!(unseen(&judge) - unseen_before, refused);
        assert_eq!(cut(&judge) - cut_before, f64::from(refused > 0.0));
    }
}

/// Returns how many connections were cut for a head.
fn cut(judge: &Judge) -> f64 {
    let reason = [("reason", "malformed_head")];
    judge.gateway.numbers().value("brama_http2_connections_cut_total", &reason)
}

/// These tests are not what fails: nginx understands their frames.
#[test]
fn nginx_takes_what_is_to_pass() {
    if !tools::has(&[Tool::Node, Tool::Nginx]) {
        return;
    }
    let (mut portal, url) = node("recorder.js");
    let address = free_address();
    let nginx = Nginx::start(&format!(
        "listen {address} http2;\nlocation / {{ proxy_pass {url}; proxy_http_version 1.1; }}"
    ));
    for case in cases::read(include_str!("http_2.txt")) {
        // nginx takes no host beside the authority, which RFC 9113 8.3.1 allows.
        let has_host = case.bytes.windows(8).any(|bytes| bytes == b"\r\nhost: ");
        if case.expected == ["refused"] || has_host {
            continue;
        }
        let mut wire = begin(Wire::connect(address));
        wire.send(&request(&case));
        let body = answer(&mut wire).unwrap().expect("an answer");
        assert!(body.contains("\"target\":\"/x\""), "{}: {body}", case.name);
        assert_eq!(portal.event("request")["target"], "/x", "{}", case.name);
    }
    drop(nginx);
}
