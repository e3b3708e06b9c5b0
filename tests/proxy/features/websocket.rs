//! WebSockets with real clients: Python's, and a page in Chromium.

use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::http_2;
use crate::harness::tools::{self, PYTHON, Tool};
use crate::harness::web_socket::{Heard, Version, WebSocket};
use crate::harness::{Gateway, Plan, Program, Simulator, Tls, python, sign_in, source};

/// Opens a WebSocket with the library of Python, and says a few things over it.
fn talk(gateway: &Gateway, cookie: &str) -> Program {
    let url = gateway.url("/ws").replace("http://", "ws://");
    let mut client = Program::start(
        Command::new(PYTHON).arg("-I").arg(source("websocket_client.py")).args([&url, cookie]),
    );
    client.wait_for(|line| (line == "echoed").then_some(()));
    client
}

#[test]
fn python_talks_to_the_portal_and_takes_leave() {
    if !tools::has(&[Tool::Python, Tool::PythonWebsockets]) {
        return;
    }
    let (mut portal, url) = python("websocket.py");
    let gateway = Plan::before(&url).start();
    let mut client = talk(&gateway, "");
    assert_eq!(portal.event("opened")["identified"], false);
    client.tell("leave");
    client.wait_for(|line| (line == "closed: 4001").then_some(()));
    assert_eq!(portal.event("closed")["code"], 4001);
}

#[test]
fn a_page_in_chromium_talks_to_the_portal() {
    chromium_talks(Tls::Off);
}

#[test]
fn a_page_in_chromium_talks_to_the_portal_over_tls() {
    chromium_talks(Tls::On);
}

fn chromium_talks(tls: Tls) {
    if !tools::has(&[Tool::Chromium, Tool::Python, Tool::PythonWebsockets]) {
        return;
    }
    let (mut portal, url) = python("websocket.py");
    let mut gateway = Plan::before(&url).tls(tls).start();
    let page = match gateway.tls_address {
        Some(address) => format!("https://localhost:{}/page", address.port()),
        None => gateway.url("/page"),
    };
    let profile = TempDir::new().unwrap();
    let _browser = Program::chromium(profile.path(), &page);
    assert_eq!(portal.event("report")["text"], "closed 4000 true");
    if tls == Tls::On {
        // Chromium used its connection of HTTP/2 for the WebSocket too (RFC 8441).
        let over_http_2 = |line: &str| line.contains("\"/ws\"") && line.contains("HTTP/2");
        gateway.program.wait_for(|line| over_http_2(line).then_some(()));
    }
}

/// Ends a session, as its citizen would.
fn sign_out(gateway: &Gateway, cookie: &str) {
    let mut wire = gateway.connect();
    let host = gateway.host();
    wire.send(
        format!(
            "POST /.brama/logout HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\
             Sec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\nContent-Length: 0\r\n\r\n"
        )
        .as_bytes(),
    );
    let answer = wire.answer("POST");
    assert!(answer.status < 400, "{} {}", answer.status, answer.text());
}

#[test]
fn the_portal_knows_whose_websocket_it_is_and_it_ends_with_the_session() {
    if !tools::has(&[Tool::Python, Tool::PythonWebsockets]) {
        return;
    }
    let (mut portal, url) = python("websocket.py");
    let plan = Plan::empty().upstream("portal", &url).route("/", "portal", "required");
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    let cookie = sign_in(&gateway, "anna");
    let mut client = talk(&gateway, &cookie);
    assert_eq!(portal.event("opened")["identified"], true);

    let began = Instant::now();
    sign_out(&gateway, &cookie);
    let slack = SLACK + RATIO * began.elapsed();
    let signed_out = Instant::now();
    portal.event("closed");
    client.wait_for(|line| line.starts_with("closed by the other side").then_some(()));
    let took = signed_out.elapsed();
    assert!(took < Duration::from_secs(2) + slack, "{took:?}, more than two seconds and {slack:?}");
}

#[test]
fn a_connection_of_http_2_on_which_a_websocket_is_open_is_not_idle() {
    if !tools::has(&[Tool::Python, Tool::PythonWebsockets]) {
        return;
    }
    let (_portal, url) = python("websocket.py");
    let gateway = Plan::before(&url).listen("idle_timeout = \"1s\"").start();
    let mut socket = WebSocket::open(&gateway, Version::Http2, "a=b");
    socket.echoes("before");
    // Its twin, which is younger, has nothing open any more.
    let mut twin = http_2::begin(gateway.connect());
    let host = gateway.host();
    let head = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", &*host)];
    let flags = http_2::END_HEADERS | http_2::END_STREAM;
    twin.send(&http_2::frame(http_2::HEADERS, flags, 1, &http_2::block(head)));
    while http_2::read(&mut twin).unwrap().kind != http_2::GOAWAY {}
    socket.echoes("after");
    assert!(!socket.is_told_to_end());
}

/// A gateway whose portal speaks WebSocket and wants everybody signed in.
fn start_closed() -> Option<(Program, Simulator, Gateway)> {
    if !tools::has(&[Tool::Python, Tool::PythonWebsockets]) {
        return None;
    }
    let (portal, url) = python("websocket.py");
    let plan = Plan::empty().upstream("portal", &url).route("/", "portal", "required");
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    Some((portal, simulator, gateway))
}

#[test]
fn over_http_2_it_is_what_it_is_over_http_1_1_and_nobody_enters_without_a_session() {
    let Some((mut portal, _simulator, gateway)) = start_closed() else { return };
    let cookie = sign_in(&gateway, "anna");
    for version in [Version::Http1, Version::Http2] {
        assert!(WebSocket::try_open(&gateway, version, "a=b").is_err(), "{version:?}");
        let mut socket = WebSocket::open(&gateway, version, &cookie);
        // The first that the portal hears of is the second.
        assert_eq!(portal.event("opened")["identified"], true);
        for text in ["hello", "zażółć", ""] {
            socket.echoes(text);
        }
        // Without a word, as when somebody shuts the lid: the portal learns it all the same.
        drop(socket);
        portal.event("closed");
    }
}

#[test]
fn a_session_that_ends_takes_its_websockets_with_it_and_nobody_elses() {
    let Some((_portal, _simulator, gateway)) = start_closed() else { return };
    let (anna, jan) = (sign_in(&gateway, "anna"), sign_in(&gateway, "lukasz"));
    let open = |cookie: &str| {
        [Version::Http1, Version::Http2].map(|version| WebSocket::open(&gateway, version, cookie))
    };
    let (mut hers, mut his) = (open(&anna), open(&jan));
    let began = Instant::now();
    hers.iter_mut().chain(&mut his).for_each(|socket| socket.echoes("here"));
    let slack = SLACK + RATIO * began.elapsed();
    sign_out(&gateway, &anna);
    let signed_out = Instant::now();
    for socket in &mut hers {
        assert_eq!(socket.hear(), Heard::Close(1008, "session ended".to_owned()));
        assert!(socket.has_ended());
    }
    let took = signed_out.elapsed();
    assert!(took < Duration::from_secs(1) + slack, "{took:?}, more than a second and {slack:?}");
    his.iter_mut().for_each(|socket| socket.echoes("still here"));
}

#[test]
fn a_page_of_another_site_opens_no_websocket_in_a_citizens_name() {
    if !tools::has(&[Tool::Python, Tool::PythonWebsockets]) {
        return;
    }
    let (mut portal, url) = python("websocket.py");
    let listed = "upgrade_origins = [\"https://App.example.gov.pl:443\"]";
    let plan = Plan::empty().upstream("portal", &url).route("/", "portal", "required").with(listed);
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    let (own, cookie) = (format!("http://{}", gateway.host()), sign_in(&gateway, "anna"));
    for version in [Version::Http1, Version::Http2] {
        for foreign in [
            &["https://evil.example"][..],
            // The same site to `SameSite`, and so with the cookie.
            &["http://localhost:1"],
            &["http://localhost"],
            &[&*own.replace("http:", "https:")],
            &[&*format!("{own}.evil.example")],
            &["http://app.example.gov.pl"],
            &["null"],
            &[""],
            &[&*own, "https://evil.example"],
        ] {
            let opened = WebSocket::try_open_from(&gateway, version, &cookie, foreign);
            assert!(opened.is_err(), "{version:?} {foreign:?}");
            gateway.has_said(&["request.upgrade_from_elsewhere", "status=403"]);
        }
        for origins in [&[&*own][..], &["https://app.example.gov.pl"], &[]] {
            let mut socket = WebSocket::try_open_from(&gateway, version, &cookie, origins).unwrap();
            // The first that the portal hears of is this one.
            assert_eq!(portal.event("opened")["identified"], true);
            socket.echoes("hello");
            drop(socket);
            portal.event("closed");
        }
    }
}

#[test]
fn where_it_does_not_matter_who_comes_any_page_opens_a_websocket() {
    if !tools::has(&[Tool::Python, Tool::PythonWebsockets]) {
        return;
    }
    let (mut portal, url) = python("websocket.py");
    let gateway = Plan::before(&url).start();
    for version in [Version::Http1, Version::Http2] {
        let origins = ["https://elsewhere.example"];
        let mut socket = WebSocket::try_open_from(&gateway, version, "a=b", &origins).unwrap();
        assert_eq!(portal.event("opened")["identified"], false);
        socket.echoes("hello");
    }
}

#[test]
fn a_stop_says_goodbye_to_every_websocket() {
    let Some((_portal, _simulator, mut gateway)) = start_closed() else { return };
    let cookie = sign_in(&gateway, "anna");
    let mut sockets =
        [Version::Http1, Version::Http2].map(|version| WebSocket::open(&gateway, version, &cookie));
    sockets.iter_mut().for_each(|socket| socket.echoes("here"));
    gateway.program.signal("TERM");
    for socket in &mut sockets {
        assert_eq!(socket.hear(), Heard::Close(1001, "going away".to_owned()));
        assert!(socket.has_ended());
    }
    drop(sockets);
    assert!(gateway.program.wait().success());
}

/// What a busy machine adds to any time: something, and more when a word and its echo take long.
const SLACK: Duration = Duration::from_millis(500);
const RATIO: u32 = 5;
