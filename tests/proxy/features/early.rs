//! Answers that come while the request is still on its way, from servers that do not read it; and
//! requests that end before their end. What a client does is no fault of a server.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use super::grpc::before;
use super::unprocessed::Portal;
use crate::harness::curl::curl;
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Plan, Program, node, python};

/// More than fits into all buffers on the way.
const UPLOAD: usize = 5 << 20;

/// Two servers of the same kind, and a gateway that leaves one alone after its first failure.
fn start(server: fn() -> (Program, String)) -> ([Program; 2], Gateway) {
    let [(first, one), (second, two)] = [server(), server()];
    let plan = Plan::empty().upstream_on("portal", &[&one, &two]);
    let plan = plan.with("max_fails = 1\nfail_timeout = \"60s\"");
    ([first, second], plan.route("/", "portal", "public").start())
}

fn nobody_is_ejected(gateway: &Gateway) {
    let said = gateway.program.said();
    assert!(!said.iter().any(|line| line.contains("server ejected")), "{said:?}");
}

fn every_answer_arrives(server: fn() -> (Program, String)) {
    let (_servers, gateway) = start(server);
    let upload = vec![b'x'; UPLOAD];
    for number in 0..30 {
        let mut wire = gateway.connect();
        wire.send(
            format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {UPLOAD}\r\n\r\n")
                .as_bytes(),
        );
        let answer = thread::scope(|scope| {
            let mut sender = wire.another();
            let upload = &upload;
            scope.spawn(move || sender.send_in_pieces(upload, 64 * 1024));
            wire.answer("POST")
        });
        let found = (answer.status, &*answer.text());
        assert_eq!(found, (413, "too large for us"), "upload {number}");
    }
    assert_eq!(gateway.connect().get("localhost", "/").text(), "well");
    nobody_is_ejected(&gateway);
}

#[test]
fn what_node_says_to_an_upload_that_it_does_not_read_arrives() {
    if tools::has(&[Tool::Node]) {
        every_answer_arrives(|| node("early.js"));
    }
}

#[test]
fn what_python_says_to_an_upload_that_it_does_not_read_arrives() {
    if tools::has(&[Tool::Python]) {
        every_answer_arrives(|| python("early.py"));
    }
}

#[test]
fn curl_reads_such_an_answer_over_either_http() {
    if !tools::has(&[Tool::Node, Tool::Curl]) {
        return;
    }
    let (_servers, gateway) = start(|| node("early.js"));
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(UPLOAD as u64).unwrap();
    let upload = format!("@{}", file.path().display());
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        for _ in 0..10 {
            let options = [version, "--header", "Expect:", "--data-binary", &upload, "/"];
            let fetched = curl(&gateway, &options);
            assert_eq!(fetched.status, 413, "{version}: {}", fetched.said);
            assert_eq!(fetched.text(), "too large for us", "{version}: {}", fetched.said);
        }
    }
    nobody_is_ejected(&gateway);
}

#[test]
fn a_server_that_says_nothing_to_an_upload_is_not_left_alone_for_it() {
    // It reads the head of a POST and closes; a GET it answers.
    let server = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, mut method) = (stream.unwrap(), [0; 4]);
                if stream.read_exact(&mut method).is_ok() && method == *b"GET " {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell");
                    let _ = stream.read(&mut [0; 4096]);
                }
            }
        });
        url
    };
    let plan = Plan::empty().upstream_on("portal", &[&server(), &server()]);
    let plan = plan.with("max_fails = 1\nfail_timeout = \"60s\"");
    let gateway = plan.route("/", "portal", "public").start();
    for _ in 0..5 {
        let mut wire = gateway.connect();
        wire.send(
            format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {UPLOAD}\r\n\r\n")
                .as_bytes(),
        );
        wire.send(&[b'x'; 1000]);
        assert_eq!(wire.answer("POST").status, 502);
    }
    nobody_is_ejected(&gateway);
}

#[test]
fn a_body_that_is_too_long_is_the_clients_doing_over_http_2_too() {
    let portal = Portal::start(&[]);
    let gateway = before(&portal.url).listen("max_body = \"1 KiB\"").start();
    for _ in 0..5 {
        let mut wire = gateway.connect();
        wire.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
        wire.send(&[&b"401\r\n"[..], &[b'x'; 1025], b"\r\n"].concat());
        let answer = wire.answer("POST");
        assert_eq!((answer.status, &*answer.reason()), (413, "request.body_too_large"));
    }
    assert_eq!(gateway.connect().get("localhost", "/").status, 200);
    nobody_is_ejected(&gateway);
    // Nothing of it was taken for a whole request.
    assert_eq!(portal.seen(), [("2", vec![])]);
}
