//! Which server a request goes to, what happens when there is none, and TLS on the way to it.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crate::harness::tools::{self, Tool};
use crate::harness::{
    Answer, Authority, Gateway, Nginx, PATIENCE, Plan, Program, Script, Scripted, Simulator, Wire,
    free_address, node, sign_in,
};

/// A server of nginx that says its name, and that it is well as long as it has a file `health`.
fn named(name: &str) -> Nginx {
    let nginx = Nginx::start(&format!(
        "location / {{ return 200 {name}; }}\nlocation = /health {{ try_files /health =503; }}"
    ));
    get_well(&nginx);
    nginx
}

fn get_well(nginx: &Nginx) {
    fs::write(nginx.root().join("health"), "well").unwrap();
}

fn fall_ill(nginx: &Nginx) {
    fs::remove_file(nginx.root().join("health")).unwrap();
}

/// A portal with what it answers to some paths.
fn script<const N: usize>(lines: [(&str, &str); N]) -> Script {
    let line = |(path, bytes): (&str, &str)| {
        (path.to_owned(), Scripted { bytes: bytes.as_bytes().to_vec(), closes: bytes.is_empty() })
    };
    Script::start(lines.into_iter().map(line).collect::<HashMap<_, _>>())
}

fn before(upstream: &str) -> Gateway {
    Plan::empty().upstream_with("portal", upstream).route("/", "portal", "public").start()
}

/// Returns how many of so many answers, one after another, are the word.
fn count(gateway: &Gateway, requests: usize, word: &str) -> usize {
    let mut wire = gateway.connect();
    (0..requests).filter(|_| wire.get("localhost", "/").text() == word).count()
}

/// Asks until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not happen: {what}");
    }
}

fn two(first: &Nginx, second: &Nginx) -> String {
    format!("servers = [{{ address = \"{}\" }}, {{ address = \"{}\" }}]", first.url, second.url)
}

#[test]
fn servers_share_requests_by_weight() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    let (heavy, light) = (named("heavy"), named("light"));
    let gateway = before(&format!(
        "servers = [{{ address = \"{}\", weight = 3 }}, {{ address = \"{}\" }}]",
        heavy.url, light.url
    ));
    let heavy = count(&gateway, 80, "heavy");
    assert!((58..=62).contains(&heavy), "{heavy} of 80, with a weight of 3 to 1");
}

#[test]
fn a_server_that_is_busy_gets_nothing_while_another_is_idle() {
    let unfinished = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx";
    let servers = [(); 2].map(|()| script([("/unfinished", unfinished)]));
    let urls = [servers[0].url(), servers[1].url()];
    let plan = Plan::empty().upstream_on("portal", &[&urls[0], &urls[1]]);
    let gateway = plan.route("/", "portal", "public").start();
    let mut busy = gateway.connect();
    busy.send(b"GET /unfinished HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(busy.head().unwrap().0, 200);
    assert_eq!(count(&gateway, 20, "plain"), 20);
    let mut heard = servers.each_ref().map(|server| server.heard().len());
    heard.sort_unstable();
    assert_eq!(heard, [1, 20]);
    // When it is idle again it gets its share again.
    drop(busy);
    until("both are asked", || {
        let before = servers.each_ref().map(|server| server.heard().len());
        count(&gateway, 4, "plain");
        servers.iter().zip(before).all(|(server, before)| server.heard().len() > before)
    });
}

#[test]
fn a_server_that_is_not_well_gets_nothing_and_comes_back_slowly() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    let (first, second) = (named("first"), named("second"));
    let gateway = before(&format!(
        "{}\nslow_start = \"30s\"\n[upstream.health]\npath = \"/health\"\ninterval = \"100ms\"\n\
         timeout = \"100ms\"\nhealthy = 2\nunhealthy = 2",
        two(&first, &second)
    ));
    assert!((19..=21).contains(&count(&gateway, 40, "first")));
    fall_ill(&first);
    until("the first gets nothing", || count(&gateway, 20, "second") == 20);
    assert_eq!(count(&gateway, 100, "second"), 100);
    get_well(&first);
    until("the first is back", || count(&gateway, 1, "first") == 1);
    // A tenth of its share at first.
    let first_gets = count(&gateway, 110, "first");
    assert!((1..=25).contains(&first_gets), "{first_gets} of 110");
    // When none is well, everybody learns it at once, and when to come back.
    fall_ill(&first);
    fall_ill(&second);
    until("nobody is asked", || gateway.connect().get("localhost", "/").status == 503);
    let answer = gateway.connect().get("localhost", "/");
    is_refused(&answer, 503, "upstream.no_healthy_server");
    let mut citizen = gateway.connect();
    citizen.send(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\n\
          Sec-Fetch-Dest: document\r\n\r\n",
    );
    let page = citizen.answer("GET");
    assert_eq!((page.status, page.header("retry-after").is_some()), (503, true));
    assert!(page.text().contains("upstream.no_healthy_server"), "{}", page.text());
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    get_well(&second);
    until("the second is back", || count(&gateway, 1, "second") == 1);
}

fn is_refused(answer: &Answer, status: u16, reason: &str) {
    assert_eq!((answer.status, &*answer.reason()), (status, reason));
    if status == 503 {
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
}

#[test]
fn a_server_that_fails_is_left_alone_for_a_while() {
    for (lines, expected) in [
        // So many failures as are allowed, and no more.
        ("max_fails = 3\nfail_timeout = \"60s\"", 3..=3),
        // Without such a rule it gets about half of the requests, and fails them all.
        ("max_fails = 0", 15..=25),
    ] {
        let (good, bad) = (script([]), script([("/", "this is no answer\r\n\r\n")]));
        let servers = format!(
            "servers = [{{ address = \"{}\" }}, {{ address = \"{}\" }}]",
            good.url(),
            bad.url()
        );
        let gateway = before(&format!("{servers}\n{lines}"));
        let failed = (0..40)
            .filter(|_| {
                let answer = gateway.connect().get("localhost", "/");
                assert!(matches!(answer.status, 200 | 502), "{answer:?}");
                answer.status == 502
            })
            .count();
        assert!(expected.contains(&failed), "{failed} of 40 with {lines}");
    }
}

#[test]
fn no_more_requests_are_under_way_and_no_more_wait_than_may() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (mut portal, url) = node("portal.js");
    let gateway = before(&format!(
        "url = \"{url}\"\nmax_requests = 1\nmax_pending = 1\npending_timeout = \"1s\""
    ));
    let send = |path: &str| {
        let mut wire = gateway.connect();
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        wire
    };
    let mut under_way = send("/wait");
    portal.event("waiting");
    // Two come: one waits and gives up after a second, the other is refused at once. Which of them
    // came first is not for us to know.
    let mut later: [Wire; 2] = [send("/"), send("/")];
    for wire in &mut later {
        is_refused(&wire.answer("GET"), 503, "upstream.busy");
    }
    // Who waits gets its turn.
    let mut next = send("/sum");
    portal.tell("answer");
    assert_eq!(under_way.answer("GET").text(), "waited");
    assert_eq!(next.answer("GET").status, 200);
    assert_eq!(gateway.connect().get("localhost", "/").status, 200);
}

/// A gateway whose portal takes few requests, and what strangers hold of them.
struct Crowded {
    gateway: Gateway,
    anna: String,
    _simulator: Simulator,
    _portal: Program,
}

impl Crowded {
    fn with(limits: &str) -> Self {
        let plan = Plan::empty();
        let simulator = Simulator::start(plan.address());
        let (portal, url) = node("portal.js");
        let plan = plan
            .node(&simulator)
            .upstream_with("portal", &format!("url = \"{url}\"\n{limits}"))
            .route("/", "portal", "public")
            .route("/mine", "portal", "required")
            .with("strip_prefix = \"/mine\"");
        let gateway = plan.start();
        let anna = sign_in(&gateway, "anna");
        Self { gateway, anna, _simulator: simulator, _portal: portal }
    }

    /// Sends a form that does not come to its end.
    fn hold(&self) -> Wire {
        let mut wire = self.gateway.connect();
        wire.send(b"POST /sum HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nx");
        wire
    }

    fn get(&self, path: &str, cookie: &str) -> Answer {
        let mut wire = self.gateway.connect();
        let host = self.gateway.host();
        wire.send(
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes(),
        );
        wire.answer("GET")
    }
}

#[test]
fn one_client_takes_its_share_of_an_upstream_and_not_that_of_others() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let crowded = Crowded::with("max_requests_per_client = 4");
    let refused = || crowded.get("/", "a=b");
    // A request that asks takes a part of the share itself, and one that is to hold it may find it
    // full for a moment.
    let mut held: Vec<Wire> = Vec::new();
    until("four are under way", || {
        held.push(crowded.hold());
        refused().status == 429
    });
    is_refused(&refused(), 429, "request.too_many_at_once");
    assert_eq!(crowded.get("/mine/", &crowded.anna).status, 200, "a citizen is no stranger");
    held.iter_mut().for_each(|wire| wire.send(b"y"));
    let all: Vec<u16> = held.iter_mut().map(|wire| wire.answer("POST").status).collect();
    assert!(all.iter().all(|status| [200, 429].contains(status)), "{all:?}");
    assert!(all.iter().filter(|status| **status == 200).count() >= 3, "{all:?}");
    until("the share is given back", || refused().status == 200);
}

#[test]
fn strangers_who_take_all_they_can_leave_room_for_citizens() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let crowded = Crowded::with("max_requests = 16\nmax_pending = 8\npending_timeout = \"500ms\"");
    let held: Vec<Wire> = (0..14).map(|_| crowded.hold()).collect();
    until("fourteen are under way", || crowded.get("/", "a=b").status == 503);
    is_refused(&crowded.get("/", "a=b"), 503, "upstream.busy");
    for _ in 0..5 {
        assert_eq!(crowded.get("/mine/", &crowded.anna).status, 200);
    }
    drop(held);
    until("they have gone", || crowded.get("/", "a=b").status == 200);
}

#[test]
fn a_name_is_reached_at_whichever_of_its_addresses_answers() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    let nginx = named("nginx");
    // nginx listens at 127.0.0.1 only; `localhost` may be ::1 as well.
    let gateway = Plan::before(&nginx.url.replace("127.0.0.1", "localhost")).start();
    for _ in 0..20 {
        for method in ["GET", "POST"] {
            let mut wire = gateway.connect();
            let request =
                format!("{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
            wire.send(request.as_bytes());
            assert_eq!(wire.answer(method).text(), "nginx", "{method}");
        }
    }
}

#[test]
fn a_reading_request_is_sent_again_when_its_connection_breaks_and_a_writing_one_is_not() {
    let portal = script([("/dies", "")]);
    let gateway = Plan::before(&portal.url()).start();
    let mut wire = gateway.connect();
    for (method, expected) in [("GET", 2), ("HEAD", 2), ("OPTIONS", 2), ("POST", 1), ("DELETE", 1)]
    {
        // There is a connection that waits.
        assert_eq!(wire.get("localhost", "/").text(), "plain");
        let request =
            format!("{method} /dies HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        let mut fresh = gateway.connect();
        fresh.send(request.as_bytes());
        assert_eq!(fresh.answer(method).status, 502, "{method}");
        let heard = portal.heard();
        let sent = heard.iter().filter(|heard| heard.path == "/dies" && heard.method == method);
        let connections: Vec<_> = sent.map(|heard| heard.connection).collect();
        assert_eq!(connections.len(), expected, "{method}: {connections:?}");
        assert!(connections.windows(2).all(|pair| pair[0] != pair[1]), "{connections:?}");
    }
}

/// A portal that answers the first request on each connection, and closes it when the second has
/// come whole: not a byte of that one is answered. Says of each request its method and the number
/// of its connection.
fn that_answers_once() -> (String, mpsc::Receiver<(String, usize)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (say, said) = mpsc::channel();
    // Ends with the process.
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (mut stream, say) = (stream.unwrap(), say.clone());
            thread::spawn(move || {
                for is_first in [true, false] {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let mut byte = [0];
                        if stream.read_exact(&mut byte).is_err() {
                            return;
                        }
                        head.push(byte[0]);
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    let method = head.split(' ').next().unwrap_or_default().to_owned();
                    let _ = say.send((method, number));
                    if is_first {
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nown";
                        stream.write_all(answer).unwrap();
                    }
                }
            });
        }
    });
    (url, said)
}

#[test]
fn a_connection_that_waited_and_breaks_costs_no_reading_request_and_no_writing_one_is_repeated() {
    let (url, heard) = that_answers_once();
    let gateway = Plan::before(&url).listen("workers = 1").start();
    let send = |method: &str| {
        let mut wire = gateway.connect();
        let request =
            format!("{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        wire.send(request.as_bytes());
        let answer = wire.answer(method);
        (answer.status, heard.try_iter().collect::<Vec<_>>())
    };
    let on = |method: &str, connections: &[usize]| {
        connections.iter().map(|number| (method.to_owned(), *number)).collect::<Vec<_>>()
    };
    // The first makes a connection, the next finds it.
    assert_eq!(send("POST"), (200, on("POST", &[0])));
    assert_eq!(send("GET"), (200, on("GET", &[0, 1])));
    assert_eq!(send("POST"), (502, on("POST", &[1])));
    assert_eq!(send("GET"), (200, on("GET", &[2])));
    assert_eq!(send("DELETE"), (502, on("DELETE", &[2])));
}

#[test]
fn a_portal_that_thinks_for_too_long_is_not_waited_for() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (mut portal, url) = node("portal.js");
    let gateway = before(&format!("url = \"{url}\"\nresponse_timeout = \"1s\""));
    let answer = gateway.connect().get("localhost", "/hang");
    is_refused(&answer, 504, "upstream.timeout");
    portal.event("gone");
    assert_eq!(gateway.connect().get("localhost", "/").status, 200);
}

#[test]
fn both_ends_of_the_way_to_the_portal_prove_who_they_are() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    let (ours, theirs) = (Authority::new(), Authority::new());
    ours.issue("portal.internal");
    ours.issue("gateway.internal");
    theirs.issue("gateway.internal");
    let address = free_address();
    let _nginx = Nginx::start(&format!(
        "listen {address} ssl;\nssl_certificate {};\nssl_certificate_key {};\n\
         ssl_client_certificate {};\nssl_verify_client on;\n\
         location / {{ return 200 \"$ssl_client_s_dn $ssl_server_name\"; }}",
        ours.path("portal.internal.pem"),
        ours.path("portal.internal.key"),
        ours.path("ca.pem"),
    ));
    let ask = |authority: &Authority, name: &str, client: Option<&Authority>| {
        let client = client.map_or_else(String::new, |client| {
            format!(
                "tls_client_certificate = \"{}\"\ntls_client_key = \"{}\"\n",
                client.path("gateway.internal.pem"),
                client.path("gateway.internal.key")
            )
        });
        let gateway = before(&format!(
            "url = \"https://{address}\"\ntls_server_name = \"{name}\"\n\
             tls_ca_file = \"{}\"\n{client}",
            authority.path("ca.pem")
        ));
        gateway.connect().get("localhost", "/")
    };
    let answer = ask(&ours, "portal.internal", Some(&ours));
    assert_eq!((answer.status, &*answer.text()), (200, "CN=gateway.internal portal.internal"));
    // nginx says itself that it wants a certificate, or another one.
    for client in [None, Some(&theirs)] {
        let answer = ask(&ours, "portal.internal", client);
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains("nginx"), "{}", answer.text());
    }
    // A portal that nobody vouches for, or another one than was meant, is not asked.
    is_refused(&ask(&theirs, "portal.internal", Some(&ours)), 502, "upstream.unreachable");
    is_refused(&ask(&ours, "other.internal", Some(&ours)), 502, "upstream.unreachable");
}
