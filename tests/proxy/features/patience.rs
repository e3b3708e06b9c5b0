//! Clients that dawdle, and sides that vanish.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::curl::curl_over_tls;
use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, End, PATIENCE, Plan, Script, Tls, Wire, node};

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

/// Sends one more piece of a body each second until there is an answer, for at most so many.
fn drip(wire: &mut Wire, piece: &[u8], pieces: usize) -> Option<Answer> {
    wire.patience(Duration::from_secs(1));
    for _ in 0..pieces {
        wire.send(piece);
        if let Ok(answer) = wire.try_answer("POST") {
            return Some(answer);
        }
    }
    None
}

#[test]
fn a_body_that_only_drips_is_given_up_and_one_that_is_slow_is_not() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let gateway = Plan::before(&url).listen("min_body_rate = 1000").start();
    let begin = |length: usize| {
        let mut wire = gateway.connect();
        let head =
            format!("POST /sum HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
        wire.send(head.as_bytes());
        wire
    };
    let (mut dripping, mut slow) = (begin(1_000_000), begin(15 * 2000));
    let started = Instant::now();
    let answers = thread::scope(|scope| {
        let dripping = scope.spawn(|| drip(&mut dripping, b"x", 30));
        let slow = scope.spawn(|| drip(&mut slow, &[b'x'; 2000], 15));
        [dripping.join().unwrap(), slow.join().unwrap()]
    });
    let [refused, taken] = answers.map(|answer| answer.expect("an answer"));
    assert_eq!((refused.status, &*refused.reason()), (408, "request.timeout"));
    assert_eq!((taken.status, taken.text().len()), (200, 64));
    assert!(started.elapsed() > Duration::from_secs(10), "the grace was not given");
}

#[test]
fn an_answer_that_is_hardly_read_breaks_off_and_one_that_is_read_does_not() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    // What lies in the buffers of kernels counts as read, so the rate is high here.
    let gateway = Plan::before(&url).listen("min_body_rate = 4000000").start();
    let ask = |wire: &mut Wire| {
        wire.send(b"GET /download?size=100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    };
    let (mut slow, started) = (gateway.connect(), Instant::now());
    ask(&mut slow);
    let (status, _) = slow.head().unwrap();
    assert_eq!(status, 200);
    let mut fast = gateway.connect();
    ask(&mut fast);
    assert_eq!(fast.answer("GET").end, End::Complete);
    // A little each second keeps it from being silent.
    slow.patience(Duration::from_secs(1));
    while is_established(gateway.address, &slow) {
        assert!(started.elapsed() < Duration::from_secs(50), "it goes on and on");
        let _ = slow.try_exactly(100_000);
        thread::park_timeout(Duration::from_secs(1));
    }
    assert!(started.elapsed() > Duration::from_secs(9), "the grace was not given");
    assert!(slow.rest().expect("the end").len() < 50_000_000);
}

#[test]
fn an_answer_over_tls_that_nobody_reads_breaks_off_and_one_that_is_read_does_not() {
    const LOCAL: usize = 1;
    if !tools::has(&[Tool::Node, Tool::OpenSsl, Tool::Curl]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let gateway = Plan::before(&url).tls(Tls::On).listen("stall_timeout = \"1s\"").start();
    let address = gateway.tls_address.unwrap();
    let read = curl_over_tls(&gateway, &["--http1.1", "/download?size=3000000"]);
    assert_eq!((read.status, read.exit, read.body.len()), (200, Some(0), 3_000_000));
    // It reads no more itself when what it prints is not read, and a pipe holds little.
    let mut silent = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &address.to_string(), "-servername", "localhost"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let request = b"GET /download?size=100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    silent.stdin.as_mut().unwrap().write_all(request).unwrap();
    let deadline = Instant::now() + PATIENCE;
    for is_open in [true, false] {
        while timers(LOCAL, address).is_empty() == is_open {
            assert!(Instant::now() < deadline, "open: {is_open}");
            thread::park_timeout(Duration::from_millis(20));
        }
    }
    silent.kill().unwrap();
    silent.wait().unwrap();
}

/// Tells whether the kernel still has the gateway's end of a connection open.
fn is_established(gateway: SocketAddr, client: &Wire) -> bool {
    let [local, remote] = [gateway, client.address()].map(|end| format!(":{:04X}", end.port()));
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .any(|words| words[1].ends_with(&local) && words[2].ends_with(&remote) && words[3] == "01")
}

/// Returns what the kernel waits for (`timer_active` of proc_net_tcp(5)) on the established
/// connections whose local or remote port is this.
fn timers(place: usize, address: SocketAddr) -> Vec<String> {
    let end = format!(":{:04X}", address.port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter(|words| words[place].ends_with(&end) && words[3] == "01")
        .map(|words| words[5][..2].to_owned())
        .collect()
}

#[test]
fn the_kernel_asks_both_sides_whether_they_are_still_there() {
    const LOCAL: usize = 1;
    const REMOTE: usize = 2;
    const KEEP_ALIVE: &str = "02";
    let portal = Script::start(HashMap::new());
    let gateway = Plan::before(&portal.url()).start();
    let mut wire = gateway.connect();
    assert_eq!(wire.get("localhost", "/").text(), "plain");
    let deadline = Instant::now() + PATIENCE;
    for (place, address) in [(LOCAL, gateway.address), (REMOTE, portal.address)] {
        // For a moment it may wait for an acknowledgement instead.
        loop {
            let timers = timers(place, address);
            if !timers.is_empty() && timers.iter().all(|timer| timer == KEEP_ALIVE) {
                break;
            }
            assert!(Instant::now() < deadline, "{timers:?}");
        }
    }
    // The other ends, which are ours, are not watched: it is the gateway's doing.
    assert_eq!(timers(REMOTE, gateway.address), ["00"]);
    assert_eq!(timers(LOCAL, portal.address), ["00"]);
}
