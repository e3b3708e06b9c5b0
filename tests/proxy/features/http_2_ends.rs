//! How answers, requests and connections of HTTP/2 come to their end when their client does not
//! wait for it, or takes none of it.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::harness::http_2::{
    self, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, SETTINGS, WINDOW_UPDATE,
    begin, block, frame,
};
use crate::harness::{Plan, Script, Wire};

/// Sends the head of a request.
fn ask(wire: &mut Wire, stream: u32, method: &str, path: &str, more: &[(&str, &str)], end: u8) {
    let head = [(":method", method), (":scheme", "http"), (":path", path)];
    let more = [(":authority", "localhost")].into_iter().chain(more.iter().copied());
    let block = block(head.into_iter().chain(more));
    wire.send(&frame(HEADERS, END_HEADERS | end, stream, &block));
}

/// Reads the body of an answer. `Err` is what came of it before the stream was reset.
fn body(wire: &mut Wire, stream: u32) -> Result<String, String> {
    let mut body = String::new();
    loop {
        let found = http_2::read(wire).unwrap();
        if found.stream != stream {
            continue;
        }
        match found.kind {
            DATA => body.push_str(str::from_utf8(&found.payload).unwrap()),
            RST_STREAM => return Err(body),
            _ => {}
        }
        if matches!(found.kind, DATA | HEADERS) && found.flags & END_STREAM != 0 {
            return Ok(body);
        }
    }
}

#[test]
fn an_answer_of_which_the_last_is_not_taken_is_given_up_and_no_other() {
    let portal = Script::start(HashMap::new());
    let gateway = Plan::before(&portal.url()).listen("stall_timeout = \"1s\"").start();
    for window in [0, 3] {
        let mut wire = begin(gateway.connect());
        // RFC 9113 6.5.2: SETTINGS_INITIAL_WINDOW_SIZE.
        wire.send(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, window]));
        for stream in [1, 3] {
            ask(&mut wire, stream, "GET", "/", &[], END_STREAM);
        }
        wire.send(&frame(WINDOW_UPDATE, 0, 3, &[0, 0, 0, 5 - window]));
        assert_eq!(body(&mut wire, 3).as_deref(), Ok("plain"), "{window}");
        // What came of the other one before is skipped.
        let given_up = body(&mut wire, 1);
        assert!(given_up.is_err(), "{window}: {given_up:?}");
    }
}

#[test]
fn a_client_that_leaves_in_the_middle_of_an_upload_is_refused_as_one_that_stops_is() {
    let portal = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", portal.local_addr().unwrap());
    let gateway = Plan::before(&url).start();
    let mut wire = begin(gateway.connect());
    ask(&mut wire, 1, "POST", "/upload", &[("content-length", "1000")], 0);
    wire.send(&frame(DATA, 0, 1, b"hello"));
    let (mut upload, _) = portal.accept().unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(b"hello") {
        let mut byte = [0];
        upload.read_exact(&mut byte).unwrap();
        heard.extend(byte);
    }
    drop(wire);
    gateway.has_said(&["request.body_broken"]);
    let code = [("code", "request.body_broken")];
    assert_eq!(gateway.numbers().value("brama_refusals_total", &code), 1.0);
}

#[test]
fn a_request_that_crosses_a_word_of_leave_has_all_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // A portal that needs longer than an idle client has for its leave.
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::sleep(Duration::from_secs(6));
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nslow";
            stream.unwrap().write_all(answer).unwrap();
        }
    });
    let gateway = Plan::before(&url).listen("header_timeout = \"1s\"").start();
    let mut wire = begin(gateway.connect());
    while http_2::read(&mut wire).unwrap().kind != GOAWAY {}
    ask(&mut wire, 1, "GET", "/", &[], END_STREAM);
    assert_eq!(body(&mut wire, 1).as_deref(), Ok("slow"));
}

#[test]
fn what_came_of_an_answer_before_it_broke_off_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").unwrap();
        }
    });
    let gateway = Plan::before(&url).start();
    let mut wire = begin(gateway.connect());
    for number in 0..50 {
        let stream = 2 * number + 1;
        ask(&mut wire, stream, "GET", "/", &[], END_STREAM);
        assert_eq!(body(&mut wire, stream), Err("half".to_owned()), "stream {stream}");
    }
}

#[test]
fn a_stop_does_not_wait_for_a_client_that_is_silent_and_for_one_that_is_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head = stream.read(&mut [0; 4096]).unwrap();
            assert!(head > 0);
            // Longer than a client has for its leave, when it asks for nothing.
            thread::sleep(Duration::from_secs(7));
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nslow";
            stream.write_all(answer).unwrap();
        }
    });
    let mut gateway = Plan::before(&url).listen("drain_timeout = \"1h\"").start();
    let (mut silent, mut answered) = (begin(gateway.connect()), begin(gateway.connect()));
    // Both speak and hear an answer; then one asks for more.
    for wire in [&mut silent, &mut answered] {
        ask(wire, 1, "GET", "/", &[], END_STREAM);
        assert_eq!(body(wire, 1).as_deref(), Ok("slow"));
    }
    ask(&mut answered, 3, "GET", "/", &[], END_STREAM);
    gateway.program.signal("TERM");
    assert_eq!(body(&mut answered, 3).as_deref(), Ok("slow"));
    assert!(gateway.program.wait().success());
}
