//! WebSockets with real clients: Python's, and a page in Chromium.

use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::tools::{self, PYTHON, Tool};
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
    let gateway = Plan::before(&url).tls(tls).start();
    let page = match gateway.tls_address {
        Some(address) => format!("https://localhost:{}/page", address.port()),
        None => gateway.url("/page"),
    };
    let profile = TempDir::new().unwrap();
    let _browser = Program::start(
        Command::new("chromium")
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update"])
            .args(["--ignore-certificate-errors", "--disable-quic"])
            .arg("--host-resolver-rules=MAP localhost 127.0.0.1")
            // Without a driver at the other end of the pipe the browser would end at once.
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(page),
    );
    assert_eq!(portal.event("report")["text"], "closed 4000 true");
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
    let signed_out = Instant::now();
    portal.event("closed");
    client.wait_for(|line| line.starts_with("closed by the other side").then_some(()));
    assert!(signed_out.elapsed() < Duration::from_secs(2), "{:?}", signed_out.elapsed());
}
