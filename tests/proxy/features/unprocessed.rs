//! Upstreams over HTTP/2 that did nothing with a request and say so, and those that may have.
//!
//! In frames for each of the ways to say it, and with nginx and gRPC, which say it all the time:
//! they end a connection after so many requests, or when it is old.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use super::grpc::{before, call};
use crate::harness::http_2::{
    self, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, SETTINGS, WINDOW_UPDATE,
    frame,
};
use crate::harness::tools::{self, PYTHON, Tool};
use crate::harness::{Answer, Gateway, Nginx, Plan, Program, Wire, free_address, source};

/// What the portal does with a request that it has read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Answer,
    /// RFC 9113 8.7.
    RefuseStream,
    /// GOAWAY with no stream at all as the last one that it looked at (RFC 9113 6.8).
    GoWithout,
    /// GOAWAY with this stream as the last one, and then the end.
    GoWith,
    /// Breaks off without a word.
    Close,
    /// Resets the stream for a reason that says nothing of what was done before.
    Fail,
    /// RFC 9113 7.
    RequireHttp1,
}

/// Requests in the order of their coming: by which way, and their bodies.
type Seen = Vec<(&'static str, Vec<u8>)>;

/// A portal that speaks HTTP/2, does with each request what comes next, and then answers.
pub(super) struct Portal {
    pub(super) url: String,
    /// The bodies of the requests that came, over which version.
    seen: Arc<Mutex<Seen>>,
}

impl Portal {
    pub(super) fn start(does: &[Does]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<_>>>::default();
        let does = Arc::new(Mutex::new(does.iter().copied().collect::<VecDeque<_>>()));
        let portal = Self { url, seen: Arc::clone(&seen) };
        // Both kinds of threads end with the process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (does, seen) = (Arc::clone(&does), Arc::clone(&seen));
                thread::spawn(move || {
                    let mut next = || does.lock().unwrap().pop_front().unwrap_or(Does::Answer);
                    let mut note = |version, body| seen.lock().unwrap().push((version, body));
                    serve(stream.unwrap(), &mut next, &mut note);
                });
            }
        });
        portal
    }

    pub(super) fn seen(&self) -> Vec<(&'static str, Vec<u8>)> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(
    stream: TcpStream,
    next: &mut dyn FnMut() -> Does,
    note: &mut dyn FnMut(&'static str, Vec<u8>),
) {
    let mut plain = stream.try_clone().unwrap();
    let mut wire = Wire::over(stream);
    let Ok(first) = wire.try_exactly(4) else { return };
    if first != b"PRI " {
        return serve_http1(&mut plain, &mut wire, note);
    }
    wire.exactly(20);
    // Room for a body that is larger than what is kept of it.
    wire.send(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0x10, 0, 0]));
    wire.send(&frame(WINDOW_UPDATE, 0, 0, &[0, 0x10, 0, 0]));
    let mut body = Vec::new();
    while let Ok(found) = http_2::read(&mut wire) {
        if found.kind == DATA {
            body.extend(&found.payload);
        }
        if !matches!(found.kind, HEADERS | DATA) || found.flags & END_STREAM == 0 {
            continue;
        }
        note("2", std::mem::take(&mut body));
        let reset = |code: u8| frame(RST_STREAM, 0, found.stream, &[0, 0, 0, code]);
        let go_away = |last: u32| frame(GOAWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat());
        match next() {
            // 0x88 is ":status: 200" (RFC 7541 A).
            Does::Answer => {
                wire.send(&frame(HEADERS, END_HEADERS | END_STREAM, found.stream, &[0x88]));
            }
            Does::RefuseStream => wire.send(&reset(7)),
            Does::Fail => wire.send(&reset(2)),
            Does::RequireHttp1 => wire.send(&reset(0xd)),
            Does::GoWithout => wire.send(&go_away(0)),
            Does::GoWith => {
                wire.send(&go_away(found.stream));
                return;
            }
            Does::Close => return,
        }
    }
}

fn serve_http1(
    plain: &mut TcpStream,
    wire: &mut Wire,
    note: &mut dyn FnMut(&'static str, Vec<u8>),
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(wire.exactly(1));
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    note("1.1", wire.exactly(length.map_or(0, |length| length.parse().unwrap())));
    plain.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    let _ = plain.read_to_end(&mut Vec::new());
}

fn post(gateway: &Gateway, body: &[u8]) -> Answer {
    let mut wire = gateway.connect();
    let length = body.len();
    wire.send(
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n")
            .as_bytes(),
    );
    wire.send(body);
    wire.answer("POST")
}

#[test]
fn a_request_with_which_the_upstream_did_nothing_is_sent_again_whatever_its_method() {
    for (does, is_repeated) in [
        (&[Does::RefuseStream][..], true),
        (&[Does::GoWithout], true),
        (&[Does::RefuseStream, Does::GoWithout], true),
        // Not for ever.
        (&[Does::RefuseStream, Does::RefuseStream, Does::RefuseStream], false),
        // It may have done it.
        (&[Does::GoWith], false),
        (&[Does::Close], false),
        (&[Does::Fail], false),
    ] {
        let portal = Portal::start(does);
        let gateway = before(&portal.url).start();
        let body = b"a body that is still here".to_vec();
        let answer = post(&gateway, &body);
        let expected = if is_repeated { 200 } else { 502 };
        assert_eq!(answer.status, expected, "{does:?}: {}", answer.text());
        let times = does.len() + usize::from(is_repeated);
        assert_eq!(portal.seen(), vec![("2", body); times], "{does:?}");
        // The next one is served, whatever became of this.
        assert_eq!(gateway.connect().get("localhost", "/").status, 200, "{does:?}");
    }
}

#[test]
fn a_body_that_was_too_long_to_be_kept_is_not_sent_in_part() {
    let portal = Portal::start(&[Does::RefuseStream, Does::RefuseStream]);
    let gateway = before(&portal.url).start();
    let most = vec![b'x'; 64 * 1024];
    let more = vec![b'x'; 64 * 1024 + 1];
    let answer = post(&gateway, &more);
    assert_eq!((answer.status, &*answer.reason()), (502, "upstream.unreachable"));
    assert_eq!(post(&gateway, &most).status, 200);
    assert_eq!(portal.seen(), [("2", more), ("2", most.clone()), ("2", most)]);
}

#[test]
fn an_upstream_that_requires_http_1_1_gets_it() {
    let portal = Portal::start(&[Does::RequireHttp1, Does::RequireHttp1]);
    let gateway = before(&portal.url).start();
    for _ in 0..2 {
        assert_eq!(post(&gateway, b"in either").status, 200);
    }
    let [first, second] = [("2", b"in either".to_vec()), ("1.1", b"in either".to_vec())];
    assert_eq!(portal.seen(), [first.clone(), second.clone(), first, second]);
    // It is this one's wish, not that of all.
    assert_eq!(post(&gateway, b"again").status, 200);
    assert_eq!(portal.seen().last().unwrap(), &("2", b"again".to_vec()));
}

/// Sends so many requests at the same time, one after the other each, and returns how many were not
/// answered well.
fn failed(gateway: &Gateway, clients: usize, requests: usize) -> usize {
    thread::scope(|scope| {
        let client = || {
            let mut wire = gateway.connect();
            let answers = (0..requests).map(|_| {
                wire.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
                wire.answer("POST").status
            });
            answers.filter(|status| *status != 200).count()
        };
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    })
}

#[test]
fn no_post_is_lost_before_an_nginx_that_ends_its_connections_again_and_again() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    let address = free_address();
    let nginx = Nginx::start(&format!(
        "listen {address} http2;\nkeepalive_requests 10;\nlocation / {{ return 200 well; }}"
    ));
    let gateway = before(&format!("http://{address}")).start();
    let (clients, requests) = (16, 100);
    assert_eq!(failed(&gateway, clients, requests), 0);
    // Each was done, and done once.
    gateway.connect().get("localhost", "/last");
    let log = nginx.log_until(|line| line.contains("/last"));
    let done = log.iter().filter(|line| line.contains(" 200 POST / ")).count();
    assert_eq!(done, clients * requests);
    assert!(!gateway.program.said().iter().any(|line| line.contains("server ejected")));
}

#[test]
fn no_call_is_lost_before_a_grpc_server_that_ends_its_connections_by_their_age() {
    if !tools::has(&[Tool::Python, Tool::PythonGrpc]) {
        return;
    }
    let (_portal, url) = Program::start_listening(
        Command::new(PYTHON).arg("-I").arg(source("grpc_portal.py")).arg("--young"),
    );
    let gateway = before(&url).start();
    let calls = call(&gateway, "Many").event("calls");
    assert_eq!(calls["failed"], serde_json::json!([]), "of {}", calls["made"]);
}

#[test]
fn a_server_that_takes_nothing_at_all_is_left_alone_for_a_while() {
    let bad = Portal::start(&[Does::GoWithout; 100]);
    let good = Portal::start(&[]);
    let plan = Plan::empty().upstream_on("portal", &[&bad.url, &good.url]);
    let plan = plan.with("protocol = \"http2\"\nmax_fails = 2\nfail_timeout = \"60s\"");
    let gateway = plan.route("/", "portal", "public").start();
    for _ in 0..20 {
        assert_eq!(post(&gateway, b"hello").status, 200);
    }
    assert_eq!((bad.seen().len(), good.seen().len()), (2, 20));
}
