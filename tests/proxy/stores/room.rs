//! What one network has us keep takes nothing from the others, wherever records are kept. The
//! client's address is what a trusted proxy in front says.

use std::fmt::Write as _;
use std::time::Instant;

use tempfile::TempDir;

use super::{is_of_portal, page};
use crate::harness::redis::{Redis, SECRET};
use crate::harness::tools::{self, Tool};
use crate::harness::{
    Answer, Citizen, Gateway, Plan, Program, Simulator, Wire, form, python, sign_in,
};

/// Whoever attacks.
const FLOOD: &str = "198.51.100.9";
/// Somebody at home.
const HOME: &str = "192.0.2.7";
const MEBIBYTE: usize = 1 << 20;

/// A gateway with one kind of store, and what keeps it alive.
struct Place {
    gateway: Gateway,
    _portal: Program,
    _simulator: Simulator,
    _redis: Option<Redis>,
    _folder: TempDir,
}

fn start(kind: &str, lines: &str) -> Place {
    start_with(kind, lines, |plan| plan)
}

fn start_with(kind: &str, lines: &str, change: impl FnOnce(Plan) -> Plan) -> Place {
    let (portal, url) = python("recorder.py");
    let folder = TempDir::new().unwrap();
    let redis = (kind == "redis").then(Redis::start);
    let store = match (kind, &redis) {
        (_, Some(redis)) => redis.store(),
        ("file", _) => {
            let path = folder.path().join("sessions.db");
            format!("kind = \"file\"\n{SECRET}\nfile = {{ path = {path:?} }}")
        }
        _ => "kind = \"memory\"".to_owned(),
    };
    let plan = super::plan(&url, &store)
        .listen("trusted_proxies = [\"127.0.0.0/8\"]")
        .with(lines)
        .log("level = \"error\"\naccess = \"off\"");
    let plan = change(plan);
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    Place { gateway, _portal: portal, _simulator: simulator, _redis: redis, _folder: folder }
}

/// Begins to send a form of so many bytes from a network, as a page of the portal would.
fn begin_form(gateway: &Gateway, from: &str, cookies: &str, length: usize, body: &[u8]) -> Wire {
    let (mut wire, host) = (gateway.connect(), gateway.host());
    let mut head = format!(
        "POST /tax/form HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {from}\r\nAccept: text/html\r\n\
         Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n"
    );
    if !cookies.is_empty() {
        write!(head, "Cookie: {cookies}\r\n").unwrap();
    }
    head.push_str("\r\n");
    wire.send(head.as_bytes());
    wire.send(body);
    wire
}

fn send_form(gateway: &Gateway, from: &str, cookies: &str, body: &[u8]) -> Answer {
    begin_form(gateway, from, cookies, body.len(), body).answer("POST")
}

fn is_kept(answer: &Answer) -> bool {
    answer.status == 200 && answer.text().contains("SAMLRequest")
}

/// Signs the writer of a form in, presses the button, and returns what the portal received.
fn send_on(gateway: &Gateway, kept: &Answer) -> String {
    let mut citizen = Citizen::at(&gateway.url("/"));
    for (_, value) in kept.headers.iter().filter(|(name, _)| name == "set-cookie") {
        let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
        citizen.keep_cookie(name, value);
    }
    let back = citizen.choose(kept, "anna");
    let arrived = citizen.return_with(&back);
    let asked = citizen.follow(&arrived);
    let (_, fields) = form(&asked.text(), &citizen.url("/"));
    let [(name, value)] = fields.as_slice() else { panic!("one field: {fields:?}") };
    let body = format!("{name}={value}");
    let sent = send_form(gateway, HOME, &citizen.cookies(), body.as_bytes());
    assert!(is_of_portal(&sent), "{}", sent.text());
    sent.json()["body"].as_str().unwrap().to_owned()
}

fn forms_are_shared_out(kind: &str) {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let place = start(kind, "[limits]\nlogin_starts = 0\n");
    let gateway = &place.gateway;
    // 1. Sixty-four that announce a mebibyte each and send one byte. What came is counted, so
    //    others are kept meanwhile; before, none was for a minute.
    let slow: Vec<_> = (0..64).map(|_| begin_form(gateway, FLOOD, "", MEBIBYTE, b"x")).collect();
    let before = send_form(gateway, HOME, "", b"who=before");
    assert!(is_kept(&before), "{kind}: {} {}", before.status, before.text());
    drop(slow);
    // 2. More than there is room for, from one network. It loses its own; before, nothing of
    //    anybody else was kept for twenty minutes.
    let large = vec![b'x'; MEBIBYTE];
    for number in 0..150 {
        assert!(is_kept(&send_form(gateway, FLOOD, "", &large)), "{kind}: {number}");
    }
    let after = send_form(gateway, HOME, "", b"who=after");
    assert!(is_kept(&after), "{kind}: {} {}", after.status, after.text());
    let kept = gateway.numbers();
    let (forms, bytes) = (kept.value("brama_forms", &[]), kept.value("brama_forms_bytes", &[]));
    eprintln!("{kind}: {forms} forms with {bytes} bytes are kept");
    assert!(bytes <= kept.value("brama_forms_bytes_maximum", &[]));
    assert!((100.0..=129.0).contains(&forms), "{forms}");
    // 3. Both of them are sent after the login.
    assert_eq!(send_on(gateway, &before), "who=before");
    assert_eq!(send_on(gateway, &after), "who=after");
}

#[test]
fn in_memory_one_network_fills_no_room_for_forms_of_others() {
    forms_are_shared_out("memory");
}

#[test]
fn in_a_file_one_network_fills_no_room_for_forms_of_others() {
    forms_are_shared_out("file");
}

#[test]
fn in_redis_one_network_fills_no_room_for_forms_of_others() {
    if tools::has(&[Tool::Redis]) {
        forms_are_shared_out("redis");
    }
}

/// A neighbour invents cookies at a process that has just been started, and a citizen behind the
/// same address goes on.
fn inventions_cost_nothing(kind: &str) {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let mut place = start(kind, "");
    let (host, anna) = (place.gateway.host(), sign_in(&place.gateway, "anna"));
    place.gateway.program.signal("TERM");
    place.gateway.program.wait();
    place.gateway.start_again();
    let gateway = &place.gateway;
    let asked = || {
        let labels = &[("operation", "get")];
        gateway
            .numbers()
            .find("brama_store_operation_duration_seconds_count", labels)
            .unwrap_or_default()
    };
    let (before, began) = (asked(), Instant::now());
    for number in 0..1300 {
        let invented = format!("brama={number:0>43}");
        assert_eq!(page(gateway, &host, "/public", &invented).status, 200, "{kind}: {number}");
        let stopped = page(gateway, &host, "/account", &invented);
        assert!(stopped.text().contains("SAMLRequest") || stopped.status == 429);
        assert!(!stopped.text().contains("session.too_many_unknown"), "{kind}: {number}");
    }
    let invented = asked() - before;
    // Before, the store was asked 1,300 times, and the citizen got 429.
    eprintln!("{kind}: the store was asked {invented} times for 1300 inventions");
    // Whatever is asked, the keys of identities are read once a second.
    let most = 10.0 + began.elapsed().as_secs_f64();
    assert!(invented < most, "{kind}: {invented} of {most}");
    let answer = page(gateway, &host, "/account", &anna);
    assert_eq!((answer.status, is_of_portal(&answer)), (200, true), "{kind}: {}", answer.text());
    assert!(asked() - before > invented, "{kind}: the twin, the store is asked about what is ours");
}

#[test]
fn with_a_file_a_neighbour_who_invents_sessions_keeps_nobody_out_after_a_restart() {
    inventions_cost_nothing("file");
}

#[test]
fn with_redis_a_neighbour_who_invents_sessions_keeps_nobody_out_after_a_restart() {
    if tools::has(&[Tool::Redis]) {
        inventions_cost_nothing("redis");
    }
}

/// A person of a network goes somewhere, or sends a form of another site.
fn go(gateway: &Gateway, from: &str, target: &str, form: Option<&[(String, String)]>) -> Answer {
    let (mut wire, host) = (gateway.connect(), gateway.host());
    let method = if form.is_some() { "POST" } else { "GET" };
    let body = form.map_or_else(String::new, |fields| {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    });
    wire.send(
        format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {from}\r\n\
             Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
    wire.answer(method)
}

/// Somebody has more logins end than there is room for, each of them twice. What became of another
/// network's login is known all the same.
fn ended_logins_are_shared_out(kind: &str) {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let limits = "[limits]\nlogin_starts = 0\nlogin_returns = 0\nlogin_failures = 0\n";
    let place = start(kind, &format!("[session]\nmaximum_pending = 50\n{limits}"));
    let gateway = &place.gateway;
    let mut citizen = Citizen::at(&gateway.url("/"));
    let page = citizen.open(&citizen.url("/.brama/login"));
    let (acs, fields) = citizen.choose(&page, "anna");
    let delivered = citizen.send(&acs, Some(&fields));
    let finish = citizen.url(delivered.header("location").unwrap());
    assert_eq!(citizen.open(&finish).status, 200);
    let session = citizen.session().expect("a session");
    for number in 0..60 {
        let page = go(gateway, FLOOD, "/.brama/login", None);
        let (_, mut fields) = form(&page.text(), &citizen.url("/"));
        fields.retain(|(name, _)| name == "RelayState");
        fields.push(("SAMLart".to_owned(), brama::base::encoding::base64(&[4; 44])));
        let answer = go(gateway, FLOOD, "/.brama/acs", Some(&fields));
        for _ in 0..2 {
            let ended = go(gateway, FLOOD, answer.header("location").unwrap(), None);
            assert!(ended.text().contains("login.other_browser"), "{kind}: {number}");
        }
    }
    // The same is told, and the node is not asked once more.
    citizen.keep_cookie("brama", "");
    assert_eq!(citizen.open(&finish).status, 200, "{kind}");
    assert_eq!(citizen.session(), Some(session), "{kind}");
    let asked = gateway
        .numbers()
        .value("brama_node_exchanges_total", &[("purpose", "resolve"), ("result", "ok")]);
    assert_eq!(asked, 1.0, "{kind}");
}

#[test]
fn in_memory_logins_that_end_take_no_room_from_those_of_others() {
    ended_logins_are_shared_out("memory");
}

#[test]
fn in_a_file_logins_that_end_take_no_room_from_those_of_others() {
    ended_logins_are_shared_out("file");
}

#[test]
fn in_redis_logins_that_end_take_no_room_from_those_of_others() {
    if tools::has(&[Tool::Redis]) {
        ended_logins_are_shared_out("redis");
    }
}

/// Somebody at another host has more wishes kept than there is room for, with the longest
/// addresses. That of another network leads on.
fn wishes_are_shared_out(kind: &str) {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let limits = "[session]\nmaximum_pending = 50\n[limits]\nlogin_starts = 0\n";
    let lines = format!(
        "[[route]]\nhost = \"portal-b.test\"\npath = \"/\"\nupstream = \"portal\"\n{limits}"
    );
    let place = start_with(kind, &lines, |plan| {
        plan.public_url("https://portal-a.example")
            .portal("other_urls = [\"https://portal-b.test\"]")
    });
    let visit = |host: &str, from: &str, target: &str| {
        let mut wire = place.gateway.connect();
        wire.send(
            format!(
                "GET {target} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {from}\r\n\
                 X-Forwarded-Proto: https\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\n\
                 Sec-Fetch-Dest: document\r\n\r\n"
            )
            .as_bytes(),
        );
        wire.answer("GET")
    };
    let wish = |from: &str, target: &str| {
        let left = visit("portal-b.test", from, target);
        let there = left.header("location").unwrap_or_else(|| panic!("{}", left.text()));
        there.strip_prefix("https://portal-a.example").expect("the registered host").to_owned()
    };
    let home = wish(HOME, "/tax");
    let first = wish(FLOOD, "/first");
    let long = format!("/{}", "a".repeat(2_000));
    for _ in 0..60 {
        wish(FLOOD, &long);
    }
    let brought = visit("portal-a.example", HOME, &home);
    assert!(brought.text().contains("SAMLRequest"), "{kind}: {}", brought.text());
    // The twin: whoever had most lost what came first.
    let gone = visit("portal-a.example", FLOOD, &first);
    assert!(gone.text().contains("crossing.unknown_wish"), "{kind}: {}", gone.text());
}

#[test]
fn in_memory_one_network_fills_no_room_for_wishes_of_others() {
    wishes_are_shared_out("memory");
}

#[test]
fn in_a_file_one_network_fills_no_room_for_wishes_of_others() {
    wishes_are_shared_out("file");
}

#[test]
fn in_redis_one_network_fills_no_room_for_wishes_of_others() {
    if tools::has(&[Tool::Redis]) {
        wishes_are_shared_out("redis");
    }
}
