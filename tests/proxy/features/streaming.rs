//! Bytes go on when they come, in both directions, and nothing waits for an end.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::harness::curl::curl;
use crate::harness::http_2::{self, DATA, END_HEADERS, HEADERS, RST_STREAM, block, frame};
use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, End, Gateway, Plan, Program, Wire, node};

/// A gateway before the portal on Node, when that is installed.
fn start() -> Option<(Program, Gateway)> {
    if !tools::has(&[Tool::Node]) {
        return None;
    }
    let (portal, url) = node("portal.js");
    Some((portal, Plan::before(&url).start()))
}

/// Begins a request in chunks, of which the head is sent.
fn begin(gateway: &Gateway, path: &str) -> Wire {
    let mut wire = gateway.connect();
    wire.send(
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            .as_bytes(),
    );
    wire
}

#[test]
fn an_event_arrives_before_the_next_one_is_sent() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(wire.head().unwrap().0, 200);
    assert_eq!(wire.chunk(), b"data: 1\n\n");
    for number in 2..5 {
        portal.tell("next");
        assert_eq!(wire.chunk(), format!("data: {number}\n\n").as_bytes());
    }
}

#[test]
fn a_piece_of_a_request_arrives_before_the_next_one_is_sent() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = begin(&gateway, "/pieces");
    for piece in ["one", "two", "six"] {
        wire.send(format!("3\r\n{piece}\r\n").as_bytes());
        assert_eq!(portal.event("piece")["text"], piece);
    }
    wire.send(b"0\r\n\r\n");
    assert_eq!(wire.answer("POST").text(), "all");
}

#[test]
fn request_and_answer_flow_at_the_same_time() {
    let Some((_portal, gateway)) = start() else { return };
    let mut wire = begin(&gateway, "/echo");
    assert_eq!(wire.head().unwrap().0, 200);
    for piece in ["one", "two", "six"] {
        wire.send(format!("3\r\n{piece}\r\n").as_bytes());
        assert_eq!(wire.chunk(), piece.as_bytes());
    }
    wire.send(b"0\r\n\r\n");
    assert_eq!(wire.exactly(5), b"0\r\n\r\n");
    // The connection is as good as before.
    assert_eq!(wire.get("localhost", "/").status, 200);
}

#[test]
fn a_client_that_asks_may_send_its_body() {
    let Some((_portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\
          Expect: 100-continue\r\n\r\n",
    );
    assert_eq!(wire.head().unwrap().0, 100);
    wire.send(b"hello");
    assert_eq!(wire.answer("POST").text(), "hello");
    assert_eq!(wire.get("localhost", "/").status, 200);
}

#[test]
fn bodies_in_pieces_of_one_byte_arrive_whole_in_both_directions() {
    let Some((_portal, gateway)) = start() else { return };
    let text: String = ('a'..='z').cycle().take(20_000).collect();
    let chunks: String = text.chars().map(|letter| format!("1\r\n{letter}\r\n")).collect();
    let whole = format!("{chunks}0\r\n\r\n");
    // However they are cut on the way: as many as fit, or hardly any at once.
    for size in [whole.len(), 1000, 7] {
        let mut wire = begin(&gateway, "/echo");
        thread::scope(|scope| {
            let mut sender = wire.another();
            let whole = whole.as_bytes();
            scope.spawn(move || sender.send_in_pieces(whole, size));
            let answer = wire.answer("POST");
            assert_eq!((answer.end, answer.text() == text), (End::Complete, true), "{size}");
        });
        // The connection is as good as before.
        assert_eq!(wire.get("localhost", "/").status, 200);
    }
}

/// What a client gets that holds its body back until it may send it, and what of it the portal
/// sees, when the portal answers at once and asks for nothing.
fn final_answer_before_leave(answer: &str) -> (Gateway, Wire, Answer, String) {
    let portal = TcpListener::bind("127.0.0.1:0").unwrap();
    let gateway = Plan::before(&format!("http://{}", portal.local_addr().unwrap())).start();
    let mut wire = gateway.connect();
    wire.send(
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\
          Expect: 100-continue\r\n\r\n",
    );
    let (mut connection, _) = portal.accept().unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        seen.push(byte[0]);
    }
    connection.write_all(answer.as_bytes()).unwrap();
    let answer = wire.answer("POST");
    // The connection is not good for another request, and is closed.
    connection.read_to_end(&mut seen).unwrap();
    (gateway, wire, answer, String::from_utf8_lossy(&seen).into_owned())
}

#[test]
fn a_client_that_asks_and_is_answered_is_not_told_to_send_its_body() {
    for (status, line) in [(413, "413 Content Too Large"), (200, "200 OK")] {
        let answer = format!("HTTP/1.1 {line}\r\nContent-Length: 4\r\n\r\ndone");
        let (_gateway, mut wire, answer, seen) = final_answer_before_leave(&answer);
        assert_eq!((answer.status, &*answer.text()), (status, "done"));
        assert!(answer.interim.is_empty(), "{status}: {:?}", answer.interim);
        assert!(seen.contains("expect: 100-continue") && seen.ends_with("\r\n\r\n"), "{seen}");
        // Nor is what it sends next taken for the body, or for a request.
        wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        wire.finish();
        assert_eq!(wire.rest().as_deref(), Some(&b""[..]), "{status}");
    }
}

#[test]
fn a_client_that_asks_at_a_closed_door_is_told_so_before_its_body() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let plan = Plan::empty().upstream("portal", &url).route("/", "portal", "required");
    let gateway = plan.start();
    let mut wire = gateway.connect();
    wire.send(
        b"POST /sum HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\
          Expect: 100-continue\r\n\r\n",
    );
    let answer = wire.answer("POST");
    assert_eq!((answer.status, answer.interim), (401, vec![]));
}

#[test]
fn an_answer_before_the_end_of_the_request_arrives() {
    let Some((_portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(b"POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 67108864\r\n\r\n");
    wire.send(&vec![b'x'; 100_000]);
    let answer = wire.answer("POST");
    assert_eq!((answer.status, &*answer.text()), (413, "too large for us"));
    // What is left of the body is never taken for a request.
    wire.send(b"GET /sum HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wire.finish();
    assert_eq!(wire.rest().as_deref(), Some(&b""[..]));
}

#[test]
fn curl_sees_an_early_answer_to_a_large_upload() {
    if !tools::has(&[Tool::Curl]) {
        return;
    }
    let Some((_portal, gateway)) = start() else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(64 << 20).unwrap();
    let path = file.path().to_str().unwrap();
    let options = ["--http1.1", "--header", "Expect:", "--upload-file", path, "/early"];
    let fetched = curl(&gateway, &options);
    assert_eq!(fetched.status, 413, "{}", fetched.said);
    assert_eq!(fetched.text(), "too large for us", "{}", fetched.said);
}

/// In frames: curl 7.88 forgets an answer that is followed by a reset, before nginx too.
#[test]
fn an_early_answer_over_http_2_is_whole_before_the_stream_is_reset_without_an_error() {
    let Some((_portal, gateway)) = start() else { return };
    let mut wire = http_2::begin(gateway.connect());
    let head = [(":method", "PUT"), (":scheme", "http"), (":path", "/early")];
    let length = [(":authority", "localhost"), ("content-length", "67108864")];
    let block = block(head.into_iter().chain(length));
    wire.send(&frame(HEADERS, END_HEADERS, 1, &block));
    wire.send(&frame(DATA, 0, 1, &[b'x'; 16_000]));
    let mut body = Vec::new();
    let mut frames = Vec::new();
    while !frames.contains(&RST_STREAM) {
        let frame = http_2::read(&mut wire).unwrap();
        if frame.stream != 1 || !matches!(frame.kind, HEADERS | DATA | RST_STREAM) {
            continue;
        }
        frames.push(frame.kind);
        match frame.kind {
            DATA => body.extend(frame.payload),
            // RFC 9113 8.1: NO_ERROR, and not before the end of the answer.
            RST_STREAM => assert_eq!(frame.payload, [0; 4]),
            _ => {}
        }
    }
    assert_eq!(frames.first(), Some(&HEADERS), "{frames:?}");
    assert_eq!(String::from_utf8_lossy(&body), "too large for us");
}

/// What a portal gets of an upload over HTTP/2 that is reset without an error (RFC 9113 8.1) after
/// its first bytes: read raw, until the gateway closes the connection.
fn portal_sees_of_a_reset(length: Option<&str>) -> String {
    let portal = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", portal.local_addr().unwrap());
    let gateway = Plan::before(&url).start();
    let mut wire = http_2::begin(gateway.connect());
    let head = [(":method", "POST"), (":scheme", "http"), (":path", "/x")];
    let more = [(":authority", "localhost")].into_iter();
    let more = more.chain(length.map(|length| ("content-length", length)));
    let block = block(head.into_iter().chain(more));
    wire.send(&frame(HEADERS, END_HEADERS, 1, &block));
    wire.send(&frame(DATA, 0, 1, b"partial"));
    let (mut connection, _) = portal.accept().unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"partial") && !seen.ends_with(b"partial\r\n") {
        let mut piece = [0; 4096];
        let read = connection.read(&mut piece).unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&piece[..read]);
    }
    wire.send(&frame(RST_STREAM, 0, 1, &[0; 4]));
    // Whatever else comes, up to the end.
    connection.read_to_end(&mut seen).unwrap();
    String::from_utf8_lossy(&seen).into_owned()
}

#[test]
fn an_upload_that_is_reset_without_an_error_is_not_whole_at_the_portal() {
    let chunked = portal_sees_of_a_reset(None);
    assert!(chunked.contains("transfer-encoding: chunked"), "{chunked}");
    assert!(!chunked.contains("\r\n0\r\n"), "{chunked}");
    // The connection ended, so that the next request is not read as the rest of this one.
    let with_length = portal_sees_of_a_reset(Some("1000"));
    assert!(with_length.ends_with("partial"), "{with_length}");
}

#[test]
fn what_a_portal_says_before_its_answer_arrives_before_it() {
    let portal = TcpListener::bind("127.0.0.1:0").unwrap();
    let gateway = Plan::before(&format!("http://{}", portal.local_addr().unwrap()))
        .with("response_headers.remove = [\"X-Inside\"]")
        .start();
    for version in ["1.1", "1.0"] {
        let mut wire = gateway.connect();
        wire.send(format!("GET / HTTP/{version}\r\nHost: localhost\r\n\r\n").as_bytes());
        let (mut connection, _) = portal.accept().unwrap();
        connection
            .write_all(
                b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\
                  Link: </a.css>; rel=preload\r\nX-Inside: 1\r\nX-Brama-Assertion: forged\r\n\
                  Set-Cookie: brama=forged\r\nContent-Length: 5\r\nConnection: close\r\n\r\n",
            )
            .unwrap();
        let rest = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
        if version == "1.1" {
            // They are there before the portal has thought of an answer.
            assert_eq!(wire.head().unwrap(), (102, vec![]));
            let link = ("link".to_owned(), "</a.css>; rel=preload".to_owned());
            assert_eq!(wire.head().unwrap(), (103, vec![link]));
        }
        connection.write_all(rest).unwrap();
        let answer = wire.answer("GET");
        assert_eq!((answer.status, &*answer.text(), answer.interim), (200, "hello", vec![]));
    }
}

#[test]
fn a_client_that_goes_ends_its_request_at_the_portal() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(b"GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n");
    portal.event("hanging");
    drop(wire);
    portal.event("gone");
}

#[test]
fn a_client_that_goes_in_the_middle_of_an_answer_ends_it_at_the_portal() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(b"GET /drip HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(wire.head().unwrap().0, 200);
    assert_eq!(wire.chunk(), b"drop");
    drop(wire);
    portal.event("gone");
}

#[test]
fn a_portal_that_dies_in_the_middle_of_an_answer_leaves_no_whole_one() {
    let Some((portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(b"GET /drip HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wire.patience(Duration::from_secs(5));
    drop(portal);
    // It may die before or after the beginning of the answer came through.
    if let Ok(answer) = wire.try_answer("GET") {
        assert!(answer.end == End::Broken || answer.status == 502, "{answer:?}");
    }
}
