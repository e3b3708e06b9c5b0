//! Connections to portals: used again, over sockets of the file system, and after an end.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc;
use std::thread;

use crate::harness::tools::{self, Tool};
use crate::harness::{Nginx, Plan};

/// Returns the numbers of the connections over which nginx was asked for these paths.
fn connections(lines: &[String], path: &str) -> HashSet<String> {
    lines
        .iter()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .filter(|words| words[4].starts_with(path))
        .map(|words| words[0].to_owned())
        .collect()
}

#[test]
fn many_requests_share_one_connection_to_the_portal() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    let nginx = Nginx::start("location / { return 200 nginx; }");
    let gateway = Plan::before(&nginx.url).start();
    let mut wire = gateway.connect();
    for number in 0..50 {
        assert_eq!(wire.get("localhost", &format!("/many/{number}")).text(), "nginx");
    }
    let lines = nginx.log_until(|line| line.contains("/many/49"));
    assert_eq!(connections(&lines, "/many/").len(), 1, "{lines:?}");
}

#[test]
fn clients_that_come_one_after_another_share_connections_to_the_portal() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    let nginx = Nginx::start("location / { return 200 nginx; }");
    let gateway = Plan::before(&nginx.url).start();
    for number in 0..50 {
        let answer = gateway.connect().get("localhost", &format!("/many/{number}"));
        assert_eq!(answer.text(), "nginx");
    }
    let lines = nginx.log_until(|line| line.contains("/many/49"));
    // At most one for each worker.
    let workers = thread::available_parallelism().unwrap().get();
    let used = connections(&lines, "/many/").len();
    assert!(used <= workers, "{used} connections for {workers} workers");
}

#[test]
fn a_portal_on_a_socket_of_the_file_system_is_reached() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    let nginx = Nginx::start("location / { return 200 $http_host; }");
    let gateway = Plan::before(&nginx.unix_url).start();
    let mut wire = gateway.connect();
    let host = gateway.host();
    for number in 0..10 {
        let answer = wire.get(&host, &format!("/many/{number}"));
        assert_eq!((answer.status, answer.text()), (200, host.clone()));
    }
    let lines = nginx.log_until(|line| line.contains("/many/9"));
    assert_eq!(connections(&lines, "/many/").len(), 1, "{lines:?}");
}

#[test]
fn a_portal_that_ends_connections_fails_no_request() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    // nginx announces the end with the last answer on a connection.
    let nginx = Nginx::start("keepalive_requests 3;\nlocation / { return 200 nginx; }");
    let gateway = Plan::before(&nginx.url).start();
    let mut wire = gateway.connect();
    for number in 0..50 {
        assert_eq!(wire.get("localhost", &format!("/many/{number}")).text(), "nginx");
    }
}

/// Answers the next request with the word `own`; `None` when the connection ends first.
fn answer_one(stream: &mut UnixStream) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown").ok()
}

#[test]
fn a_second_answer_that_nobody_asked_for_reaches_nobody() {
    let plan = Plan::empty();
    let socket = plan.path("portal.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let url = format!("unix:{}", socket.display());
    let plan = plan.upstream("portal", &url).route("/", "portal", "public");
    let gateway = plan.listen("workers = 1").start();
    // On each connection one request gets two answers, the second when we say so. What is written
    // to a socket of the file system is there at once.
    let (speak, is_to_speak) = mpsc::channel::<()>();
    let (said, has_said) = mpsc::channel();
    let portal = thread::spawn(move || {
        let mut connections = 0;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            connections += 1;
            if answer_one(&mut stream).is_none() || is_to_speak.recv().is_err() {
                return connections;
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray").unwrap();
            said.send(stream).unwrap();
        }
        connections
    });
    let mut streams = Vec::new();
    for _ in 0..30 {
        let answer = gateway.connect().get("localhost", "/");
        assert_eq!((answer.status, &*answer.text()), (200, "own"));
        speak.send(()).unwrap();
        streams.push(has_said.recv().unwrap());
    }
    assert_eq!(gateway.connect().get("localhost", "/").text(), "own");
    drop(speak);
    assert_eq!(portal.join().unwrap(), 31);
    // On none of the others came a second request.
    for mut stream in streams {
        stream.set_nonblocking(true).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    }
}

#[test]
fn a_portal_that_says_nothing_unasked_keeps_its_connection() {
    let plan = Plan::empty();
    let socket = plan.path("portal.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let url = format!("unix:{}", socket.display());
    let plan = plan.upstream("portal", &url).route("/", "portal", "public");
    let gateway = plan.listen("workers = 1").start();
    // Ends with the process, after the gateway.
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        while answer_one(&mut stream).is_some() {}
    });
    for _ in 0..30 {
        assert_eq!(gateway.connect().get("localhost", "/").text(), "own");
    }
}
