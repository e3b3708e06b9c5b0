//! gRPC, with Google's own implementation on both sides: messages one by one, and the status that
//! only the end of an answer tells.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::http_2::{self, END_HEADERS, END_STREAM, HEADERS, block, frame};
use crate::harness::tools::{self, PYTHON, Tool};
use crate::harness::{Gateway, Plan, Program, Tls, free_address, python, source};

/// How the gateway speaks to the portal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// HTTP/2 in the clear, known beforehand.
    Clear,
    /// HTTP/2 that is agreed on in TLS.
    Agreed,
}

/// A gateway before a portal of gRPC, when that is installed.
fn start(way: Way) -> Option<(Program, Gateway)> {
    if !tools::has(&[Tool::Python, Tool::PythonGrpc]) {
        return None;
    }
    if way == Way::Clear {
        let (portal, url) = python("grpc_portal.py");
        return Some((portal, before(&url).start()));
    }
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let plan = Plan::empty()
        .file("portal.pem", &made.cert.pem())
        .file("portal.key", &made.signing_key.serialize_pem());
    let (portal, url) = Program::start_listening(
        Command::new(PYTHON)
            .arg("-I")
            .arg(source("grpc_portal.py"))
            .args([plan.path("portal.pem"), plan.path("portal.key")]),
    );
    let plan = plan
        .upstream("portal", &url)
        .with("protocol = \"auto\"\ntls_ca_file = \"portal.pem\"")
        .route("/", "portal", "public")
        .tls(Tls::On);
    Some((portal, plan.start()))
}

/// A gateway that knows that its portal speaks HTTP/2.
pub(super) fn before(portal: &str) -> Plan {
    let plan = Plan::empty().upstream("portal", portal).with("protocol = \"http2\"");
    plan.route("/", "portal", "public")
}

/// Has a client make a call through the gateway: over TLS, when it listens for that.
pub(super) fn call(gateway: &Gateway, name: &str) -> Program {
    let mut command = Command::new(PYTHON);
    command.arg("-I").arg(source("grpc_client.py"));
    match gateway.tls_address {
        Some(address) => {
            command.args([format!("localhost:{}", address.port()), name.to_owned()]);
            command.arg(gateway.certificate());
        }
        None => {
            command.args([gateway.host(), name.to_owned()]);
        }
    }
    Program::start(&mut command)
}

fn a_call_is_answered(way: Way) {
    let Some((mut portal, gateway)) = start(way) else { return };
    let answer = call(&gateway, "Unary").event("answer");
    assert_eq!((answer["text"].as_str(), answer["code"].as_str()), (Some("HELLO"), Some("OK")));
    assert_eq!(answer["first"]["x-first"], "1");
    // RFC 9113 8.1: fields after the body.
    assert_eq!(answer["trailers"]["x-sum"], "42");
    assert_eq!(answer["trailers"]["x-raw-bin"], "00ff");
    let seen = portal.event("unary");
    assert_eq!(seen["custom"], "0001fe");
    assert_eq!(seen["deadline"], true);
}

#[test]
fn a_call_is_answered_over_http_2_in_the_clear() {
    a_call_is_answered(Way::Clear);
}

#[test]
fn a_call_is_answered_over_http_2_that_tls_agreed_on() {
    a_call_is_answered(Way::Agreed);
}

fn messages_arrive_one_by_one(way: Way) {
    let Some((mut portal, gateway)) = start(way) else { return };
    let mut client = call(&gateway, "Stream");
    for number in 1..=5 {
        // The next one is sent when this one has arrived.
        assert_eq!(client.event("message")["text"], format!("message {number}"));
        portal.tell("next");
    }
    assert_eq!(client.event("message")["text"], "message 6");
    portal.tell("end");
    client.event("end");
}

#[test]
fn messages_arrive_one_by_one_in_the_clear() {
    messages_arrive_one_by_one(Way::Clear);
}

#[test]
fn messages_arrive_one_by_one_over_tls() {
    messages_arrive_one_by_one(Way::Agreed);
}

#[test]
fn both_sides_talk_in_turn() {
    let Some((mut portal, gateway)) = start(Way::Clear) else { return };
    let mut client = call(&gateway, "Chat");
    for word in ["one", "two", "three"] {
        client.tell(word);
        assert_eq!(portal.event("heard")["text"], word);
        assert_eq!(client.event("message")["text"], word.to_uppercase());
    }
    client.tell("end");
    client.event("end");
}

#[test]
fn sixteen_megabytes_go_up_as_a_stream() {
    let Some((_portal, gateway)) = start(Way::Clear) else { return };
    assert_eq!(call(&gateway, "Collect").event("answer")["text"], (16 << 20).to_string());
}

#[test]
fn a_refusal_arrives_whole_before_and_after_messages() {
    let Some((_portal, gateway)) = start(Way::Clear) else { return };
    let status = call(&gateway, "Fail").event("status");
    assert_eq!((&status["code"], &status["text"]), (&"NOT_FOUND".into(), &"nie ma, zażółć".into()));
    assert_eq!(status["trailers"]["x-why"], "because");

    let mut client = call(&gateway, "FailLate");
    assert_eq!(client.event("message")["text"], "first");
    let status = client.event("status");
    assert_eq!((&status["code"], &status["text"]), (&"DATA_LOSS".into(), &"lost".into()));
}

#[test]
fn a_call_that_is_given_up_ends_at_the_portal_too() {
    let Some((mut portal, gateway)) = start(Way::Clear) else { return };
    let mut client = call(&gateway, "Cancel");
    // Nothing but the client says that it is over.
    assert_eq!(portal.event("hanging")["deadline"], false);
    client.tell("cancel");
    portal.event("gone");
}

#[test]
fn a_call_whose_time_is_over_ends_on_both_sides() {
    let Some((mut portal, gateway)) = start(Way::Clear) else { return };
    let mut client = call(&gateway, "Deadline");
    assert_eq!(portal.event("hanging")["deadline"], true);
    assert_eq!(client.event("status")["code"], "DEADLINE_EXCEEDED");
    portal.event("gone");
}

#[test]
fn a_call_to_a_closed_place_does_not_reach_the_portal() {
    if !tools::has(&[Tool::Python, Tool::PythonGrpc]) {
        return;
    }
    let (mut portal, url) = python("grpc_portal.py");
    let gateway = before(&url).route("/portal.Echo/Unary", "portal", "required").start();
    let status = call(&gateway, "Unary").event("status");
    let found = (&status["code"], &status["text"]);
    assert_eq!(found, (&"UNAUTHENTICATED".into(), &"login_required".into()));
    // Whatever had been sent to the portal would have come before this.
    let mut client = call(&gateway, "Chat");
    client.tell("next");
    assert_eq!(client.event("message")["text"], "NEXT");
    portal.event("heard");
    assert!(!portal.said().iter().any(|line| line.contains("unary")), "{:?}", portal.said());
}

#[test]
fn calls_that_would_not_pass_any_more_end_on_both_sides() {
    if !tools::has(&[Tool::Python, Tool::PythonGrpc]) {
        return;
    }
    let (mut portal, url) = python("grpc_portal.py");
    let mut gateway = before(&url).log("level = \"info\"\naccess = \"json\"").start();
    // 1. One that streams, one that talks, one that has no answer yet, and one that still sends.
    let (mut stream, mut chat) = (call(&gateway, "Stream"), call(&gateway, "Chat"));
    assert_eq!(stream.event("message")["text"], "message 1");
    chat.tell("one");
    assert_eq!(chat.event("message")["text"], "ONE");
    let mut hang = call(&gateway, "Hang");
    portal.event("hanging");
    let (mut upload, host) = (gateway.connect(), gateway.host());
    upload.send(
        format!(
            "POST /portal.Echo/Collect HTTP/1.1\r\nHost: {host}\r\nTE: trailers\r\n\
             Content-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n\
             6\r\n\0\0\0\0\x01x\r\n"
        )
        .as_bytes(),
    );
    // 2. One configuration that changes nothing, and one that does.
    let reload = |gateway: &mut Gateway, from: &str, to: &str| {
        gateway.edit_configuration(from, to);
        gateway.program.signal("HUP");
        gateway.program.wait_for(|line| line.contains("configuration is applied").then_some(()));
    };
    reload(&mut gateway, "[portal]\n", "[portal]\nmaintenance_retry_after = \"7m\"\n");
    chat.tell("two");
    assert_eq!(chat.event("message")["text"], "TWO");
    reload(&mut gateway, "access = \"public\"", "access = \"required\"");
    let since = Instant::now();
    stream.event("status");
    assert_eq!(hang.event("status")["code"], "PERMISSION_DENIED");
    assert!(!chat.wait().success(), "its call failed");
    let answer = upload.answer("POST");
    assert_eq!((answer.status, &*answer.reason()), (403, "policy.changed_meanwhile"));
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    portal.event("gone");
}

/// A refusal of the gateway reaches the client as one of gRPC: with its own code and the reason.
fn is_refused_with(gateway: &Gateway, name: &str, code: &str, reason: &str) {
    let status = call(gateway, name).event("status");
    let found = (status["code"].as_str(), status["text"].as_str());
    assert_eq!(found, (Some(code), Some(reason)));
}

#[test]
fn what_the_gateway_says_itself_is_said_in_grpc() {
    if !tools::has(&[Tool::Python, Tool::PythonGrpc]) {
        return;
    }
    let (_portal, url) = python("grpc_portal.py");
    let nobody = format!("http://{}", free_address());
    let away = before(&nobody).start();
    is_refused_with(&away, "Unary", "UNAVAILABLE", "upstream.unreachable");
    let slow = before(&url).with("response_timeout = \"300ms\"").start();
    is_refused_with(&slow, "Hang", "DEADLINE_EXCEEDED", "upstream.timeout");
    let narrow = before(&url).listen("max_body = \"4 B\"").start();
    is_refused_with(&narrow, "Unary", "RESOURCE_EXHAUSTED", "request.body_too_large");
    let elsewhere = Plan::empty().upstream("portal", &url).with("protocol = \"http2\"");
    let elsewhere = elsewhere.route("/other", "portal", "public").start();
    is_refused_with(&elsewhere, "Unary", "UNIMPLEMENTED", "request.no_route");
    // In no other form: neither a page nor JSON.
    let mut wire = http_2::begin(away.connect());
    let head = [(":method", "POST"), (":scheme", "http"), (":path", "/portal.Echo/Unary")];
    for (stream, kind, has_body) in
        [(1, "application/grpc+proto", false), (3, "application/grpc-web", true)]
    {
        let more = [(":authority", "localhost"), ("content-type", kind)];
        let block = block(head.into_iter().chain(more));
        wire.send(&frame(HEADERS, END_HEADERS | END_STREAM, stream, &block));
        let head = loop {
            let found = http_2::read(&mut wire).unwrap();
            if found.kind == HEADERS && found.stream == stream {
                break found;
            }
        };
        assert_eq!(head.flags & END_STREAM == 0, has_body, "{kind}");
    }
}
