//! What is open when a session ends or a new configuration comes: it ends within a second, unless
//! it would still pass.

use std::thread;
use std::time::{Duration, Instant};

use crate::harness::http_2::{self, DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM};
use crate::harness::tools::{self, Tool};
use crate::harness::web_socket::{Heard, Version, WebSocket};
use crate::harness::{Gateway, Plan, Program, Simulator, Wire, node, python, sign_in};

/// A gateway before the portal on Node. Everything needs a login but what is below `/open`; what is
/// below `/kept` outlives its session; `/graded` asks for more, later.
struct Place {
    portal: Program,
    _simulator: Simulator,
    gateway: Gateway,
}

fn start() -> Option<Place> {
    if !tools::has(&[Tool::Node]) {
        return None;
    }
    let (portal, url) = node("portal.js");
    let mut plan = Plan::empty().upstream("portal", &url).route("/", "portal", "required");
    for (path, access, line) in [
        ("/open", "public", ""),
        ("/gone", "public", ""),
        ("/kept", "required", "outlives_session = true\n"),
        ("/graded", "required", "assurance = \"substantial\"\n"),
        ("/worked", "public", "maintenance = false\n"),
    ] {
        let lines = format!("strip_prefix = \"{path}\"\n{line}");
        plan = plan.route(path, "portal", access).with(&lines);
    }
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).log("level = \"info\"\naccess = \"json\"").start();
    Some(Place { portal, _simulator: simulator, gateway })
}

impl Place {
    /// Sends a request over HTTP/1.1, without an end when it has a body.
    fn send(&self, method: &str, path: &str, cookie: &str, rest: &str) -> Wire {
        let (mut wire, host) = (self.gateway.connect(), self.gateway.host());
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{rest}");
        wire.send(head.as_bytes());
        wire
    }

    /// Opens a stream of events, of which the first has come.
    fn events(&self, version: Version, path: &str, cookie: &str) -> Events {
        let wire = match version {
            Version::Http1 => {
                let mut wire = self.send("GET", path, cookie, "\r\n");
                assert_eq!(wire.head().unwrap().0, 200, "{path}");
                wire
            }
            Version::Http2 => {
                let mut wire = http_2::begin(self.gateway.connect());
                let host = self.gateway.host();
                let head = [
                    (":method", "GET"),
                    (":scheme", "http"),
                    (":path", path),
                    (":authority", &*host),
                    ("cookie", cookie),
                ];
                let block = http_2::block(head);
                wire.send(&http_2::frame(HEADERS, END_HEADERS | END_STREAM, 1, &block));
                wire
            }
        };
        let mut events = Events { wire, version };
        events.hear();
        events
    }

    /// Ends a session, as its citizen would.
    fn sign_out(&self, cookie: &str) -> Instant {
        let host = self.gateway.host();
        let rest = format!(
            "Origin: http://{host}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 0\r\n\r\n"
        );
        let answer = self.send("POST", "/.brama/logout", cookie, &rest).answer("POST");
        assert!(answer.status < 400, "{} {}", answer.status, answer.text());
        Instant::now()
    }

    /// Serves by another text of the configuration. Returns when that began.
    fn reload(&mut self, changes: &[(&str, &str)]) -> Instant {
        for (from, to) in changes {
            self.gateway.edit_configuration(from, to);
        }
        self.gateway.program.signal("HUP");
        self.gateway
            .program
            .wait_for(|line| line.contains("configuration is applied").then_some(()));
        Instant::now()
    }

    /// Waits for the access line of a request that was ended for this reason.
    fn is_noted(&self, path: &str, reason: &str) {
        let (path, reason) = (format!("\"path\":\"{path}\""), format!("\"reason\":\"{reason}\""));
        self.gateway.has_said(&[&path, &reason]);
    }
}

/// A stream of events.
struct Events {
    wire: Wire,
    version: Version,
}

impl Events {
    /// Hears the next event.
    fn hear(&mut self) {
        match self.version {
            Version::Http1 => assert!(self.wire.chunk().starts_with(b"data: ")),
            Version::Http2 => loop {
                let frame = http_2::read(&mut self.wire).unwrap();
                assert_ne!(frame.kind, RST_STREAM, "{frame:?}");
                if frame.kind == DATA {
                    return assert!(frame.payload.starts_with(b"data: "));
                }
            },
        }
    }

    /// Makes sure that it ends in time, and in a way that nobody takes for its end.
    fn is_cut(&mut self, since: Instant) {
        match self.version {
            // No last chunk.
            Version::Http1 => {
                let rest = self.wire.rest().expect("the connection ends");
                assert!(!rest.ends_with(b"0\r\n\r\n"), "{rest:?}");
            }
            Version::Http2 => loop {
                let frame = http_2::read(&mut self.wire).unwrap();
                if frame.kind == RST_STREAM {
                    break;
                }
                assert!(frame.kind != DATA || frame.flags & END_STREAM == 0, "{frame:?}");
            },
        }
        in_time(since);
    }
}

fn in_time(since: Instant) {
    let took = since.elapsed();
    assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
}

const BOTH: [Version; 2] = [Version::Http1, Version::Http2];

#[test]
fn a_stream_ends_with_its_session_and_nobody_elses_does() {
    let Some(mut place) = start() else { return };
    let (anna, jan) = (sign_in(&place.gateway, "anna"), sign_in(&place.gateway, "lukasz"));
    let mut hers = BOTH.map(|version| place.events(version, "/events", &anna));
    let mut kept = BOTH.map(|version| place.events(version, "/kept/events", &anna));
    let mut his = BOTH.map(|version| place.events(version, "/events", &jan));
    let mut open = place.events(Version::Http1, "/open/events", &anna);
    let since = place.sign_out(&anna);
    hers.iter_mut().for_each(|events| events.is_cut(since));
    place.portal.tell("next");
    his.iter_mut().chain(&mut kept).chain([&mut open]).for_each(Events::hear);
    place.is_noted("/events", "session.ended_meanwhile");
    // The portal is let go as well, and the one that outlives the session is judged all the same.
    let since = place.reload(&[("path = \"/kept\"", "path = \"/kept/elsewhere\"")]);
    // Nobody's session is there any more, so what covers it now asks for one.
    kept.iter_mut().for_each(|events| events.is_cut(since));
    place.portal.tell("next");
    his.iter_mut().chain([&mut open]).for_each(Events::hear);
}

#[test]
fn a_download_that_its_client_does_not_take_ends_too() {
    let Some(place) = start() else { return };
    let anna = sign_in(&place.gateway, "anna");
    let size = 200_000_000;
    let mut download = place.send("GET", &format!("/download?size={size}"), &anna, "\r\n");
    assert_eq!(download.head().unwrap().0, 200);
    let since = place.sign_out(&anna);
    place.is_noted("/download", "session.ended_meanwhile");
    in_time(since);
    assert!(download.rest().unwrap().len() < size, "it is not whole");
}

#[test]
fn a_download_that_never_pauses_ends_too() {
    let Some(place) = start() else { return };
    let anna = sign_in(&place.gateway, "anna");
    let mut download = place.send("GET", "/download?size=100000000000", &anna, "\r\n");
    assert_eq!(download.head().unwrap().0, 200);
    // It takes what there is, all the time.
    let taken = thread::spawn(move || while download.try_exactly(1_000_000).is_ok() {});
    let since = place.sign_out(&anna);
    place.gateway.has_said(&["\"path\":\"/download\"", "session.ended_meanwhile"]);
    in_time(since);
    taken.join().unwrap();
}

#[test]
fn an_upload_under_way_is_refused_when_its_session_ends() {
    let Some(mut place) = start() else { return };
    let anna = sign_in(&place.gateway, "anna");
    let begin = "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n";
    let mut upload = place.send("POST", "/pieces", &anna, begin);
    let mut kept = place.send("POST", "/kept/pieces", &anna, begin);
    for _ in 0..2 {
        assert_eq!(place.portal.event("piece")["text"], "one");
    }
    let since = place.sign_out(&anna);
    let answer = upload.answer("POST");
    assert_eq!((answer.status, &*answer.reason()), (401, "session.ended_meanwhile"));
    in_time(since);
    kept.send(b"0\r\n\r\n");
    assert_eq!(kept.answer("POST").text(), "all");
}

#[test]
fn what_waits_for_an_answer_ends_when_it_only_reads_and_what_was_sent_has_its_outcome() {
    let Some(mut place) = start() else { return };
    let anna = sign_in(&place.gateway, "anna");
    let mut reads = place.send("GET", "/wait", &anna, "\r\n");
    let mut writes = place.send("POST", "/wait", &anna, "Content-Length: 0\r\n\r\n");
    for _ in 0..2 {
        place.portal.event("waiting");
    }
    let since = place.sign_out(&anna);
    let answer = reads.answer("GET");
    assert_eq!((answer.status, &*answer.reason()), (401, "session.ended_meanwhile"));
    in_time(since);
    place.portal.tell("answer");
    assert_eq!(writes.answer("POST").text(), "waited");
}

#[test]
fn a_new_configuration_ends_what_would_not_pass_any_more_and_nothing_else() {
    let Some(mut place) = start() else { return };
    let anna = sign_in(&place.gateway, "anna");
    let open = |place: &Place, path: &str| BOTH.map(|version| place.events(version, path, &anna));
    let mut stays: Vec<_> =
        ["/events", "/open/events"].iter().flat_map(|path| open(&place, path)).collect();
    let mut graded = open(&place, "/graded/events");
    let mut gone = open(&place, "/gone/events");
    let mut worked = open(&place, "/worked/events");
    let changes = [
        (&mut gone, ("path = \"/gone\"", "path = \"/gone/away\"")),
        (&mut graded, ("assurance = \"substantial\"", "assurance = \"high\"")),
        (&mut worked, ("maintenance = false", "maintenance = true")),
    ];
    for (ended, change) in changes {
        let since = place.reload(&[change]);
        ended.iter_mut().for_each(|events| events.is_cut(since));
        place.portal.tell("next");
        stays.iter_mut().for_each(Events::hear);
    }
    place.is_noted("/gone/events", "policy.changed_meanwhile");
    // From a network that may pass while work is under way, it would pass.
    let allowed = "[portal]\nmaintenance_allow = [\"127.0.0.1\"]\n";
    place.reload(&[("[portal]\n", allowed), ("maintenance = true", "maintenance = false")]);
    let mut worked = open(&place, "/worked/events");
    place.reload(&[("maintenance = false", "maintenance = true")]);
    let mut ended = place.events(Version::Http1, "/events", &anna);
    let since = place.sign_out(&anna);
    // When this one has ended, the others have been judged as well.
    ended.is_cut(since);
    place.portal.tell("next");
    worked.iter_mut().for_each(Events::hear);
}

#[test]
fn websockets_end_when_the_policy_does_not_let_them_in_any_more() {
    if !tools::has(&[Tool::Python, Tool::PythonWebsockets]) {
        return;
    }
    let (_portal, url) = python("websocket.py");
    let plan = Plan::empty().upstream("portal", &url).route("/ws", "portal", "required");
    let plan = plan.with("assurance = \"substantial\"");
    let simulator = Simulator::start(plan.address());
    let mut gateway = plan.node(&simulator).log("level = \"info\"\naccess = \"json\"").start();
    let anna = sign_in(&gateway, "anna");
    let mut sockets = BOTH.map(|version| WebSocket::open(&gateway, version, &anna));
    let reload = |gateway: &mut Gateway, from: &str, to: &str| {
        gateway.edit_configuration(from, to);
        gateway.program.signal("HUP");
        gateway.program.wait_for(|line| line.contains("configuration is applied").then_some(()));
        Instant::now()
    };
    // One that changes nothing for them.
    reload(&mut gateway, "[portal]\n", "[portal]\nmaintenance_retry_after = \"7m\"\n");
    sockets.iter_mut().for_each(|socket| socket.echoes("still here"));
    let since = reload(&mut gateway, "assurance = \"substantial\"", "assurance = \"high\"");
    for socket in &mut sockets {
        assert_eq!(socket.hear(), Heard::Close(1008, "not allowed any more".to_owned()));
        assert!(socket.has_ended());
    }
    in_time(since);
    for protocol in ["HTTP/1.1", "HTTP/2.0"] {
        gateway.has_said(&["\"path\":\"/ws\"", "policy.changed_meanwhile", protocol]);
    }
}

/// What a busy machine adds to any time.
const SLACK: Duration = Duration::from_millis(700);
