//! What somebody tries who may reach the listener and no more, or who was an operator, or is one and would
//! not be seen.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use super::{ANNA, JAN, ask, bearer, plan, request, until};
use crate::harness::{Gateway, TOKEN, Wire};

const JSON: &str = "Content-Type: application/json";

fn status(gateway: &Gateway, token: &str) -> u16 {
    ask(gateway, "GET /keys", &[&bearer(token)], "").status
}

#[test]
fn an_operator_is_seen_at_any_level_of_the_log() {
    let gateway = plan().log("level = \"error\"").start();
    let jan = bearer(JAN);
    let act = |line: &str, body: &str| {
        let answer = ask(&gateway, line, &[&jan, JSON], body);
        assert_eq!(answer.status, 200, "{line}: {}", answer.text());
    };
    act("PUT /log/level", "{\"level\":\"error\"}");
    act("POST /sessions/owner", "{\"kind\":\"pesel\",\"identifier\":\"44051401359\"}");
    act("POST /sessions/end", "{\"all\":true}");
    act("POST /keys/backup", "{}");
    act("POST /keys/rotate", "{}");
    act("PUT /log/level", "{}");
    assert_eq!(status(&gateway, "wrong"), 401);
    for said in [
        "operator changed the level of the log",
        "operator found the digest of a person",
        "operator ended sessions",
        "operator saved the secret of the pseudonyms",
        "operator rotated keys",
    ] {
        gateway.has_said(&[said, "\"jan\""]);
    }
    gateway.has_said(&["somebody has a wrong token", "127.0.0.1"]);
    let said = gateway.program.said().join("\n");
    // What is not of operators is as configured, and nobody is named.
    assert!(!said.contains("gateway started") && !said.contains("44051401359"), "{said}");
}

#[test]
fn wrong_tokens_wait_for_each_other_and_the_right_one_for_none() {
    let gateway = plan().log("level = \"info\"").start();
    let wrong = request("GET /keys", &["Authorization: Bearer wrong"], "");
    let send = || {
        let mut wire = gateway.operations();
        wire.send(wrong.as_bytes());
        wire
    };
    // Eight have a place, and keep it although they leave; the next is refused at once.
    let mut waiting: Vec<_> = (0..8).map(|_| send()).collect();
    let first = waiting.remove(0).answer("GET");
    assert_eq!(first.status, 401);
    drop(waiting);
    let more: Vec<_> = (0..16).map(|_| send()).collect();
    let more: Vec<_> = more.into_iter().map(|mut wire| wire.answer("GET").status).collect();
    assert!(more.contains(&429), "{more:?}");
    assert_eq!(status(&gateway, JAN), 200);
    gateway.has_said(&["somebody has a wrong token", "from=127.0.0.1"]);
    gateway.has_said(&["more wrong tokens were refused at once", "more="]);
}

#[test]
fn a_token_that_is_taken_away_opens_nothing_although_the_reload_is_refused() {
    let mut gateway = plan().log("level = \"info\"").start();
    assert_eq!((status(&gateway, ANNA), status(&gateway, JAN)), (200, 200));
    // 1. The file is gone, so the configuration is refused.
    fs::remove_file(gateway.file("anna")).unwrap();
    until(|| status(&gateway, ANNA) == 401);
    let (done, said) = gateway.reload();
    assert!(!done && said.contains("cannot be read"), "{said}");
    gateway.has_said(&["operator is admitted no more", "\"anna\""]);
    assert_eq!((status(&gateway, JAN), status(&gateway, TOKEN)), (200, 200));
    // 2. The twin: it is there again.
    brama::base::private::write(&gateway.file("anna"), ANNA.as_bytes()).unwrap();
    until(|| status(&gateway, ANNA) == 200);
    // 3. A pipe in its place is not waited for.
    fs::remove_file(gateway.file("jan")).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, gateway.file("jan"), kind, mode, 0).unwrap();
    until(|| status(&gateway, JAN) == 401);
    let (done, said) = gateway.reload();
    assert!(!done && said.contains("it is no file"), "{said}");
    assert_eq!(status(&gateway, ANNA), 200);
    gateway.program.signal("TERM");
    assert!(gateway.program.wait().success());
}

#[test]
fn who_is_taken_out_while_the_body_arrives_changes_nothing() {
    let gateway = plan().log("level = \"info\"").start();
    let whole = request("PUT /log/level", &[&bearer(JAN), JSON], "{\"level\":\"warn\"}");
    let (begin, end) = whole.split_at(whole.len() - 4);
    let mut late = gateway.operations();
    let mut twin = gateway.operations();
    twin.send(begin.as_bytes());
    twin.send(end.as_bytes());
    assert_eq!(twin.answer("PUT").status, 200);
    late.send(begin.as_bytes());
    let new = "jan-the-second-0123456789abcdef0123456789";
    brama::base::private::write(&gateway.file("jan"), new.as_bytes()).unwrap();
    let (done, said) = gateway.reload();
    assert!(done, "{said}");
    late.send(end.as_bytes());
    assert_eq!(late.answer("PUT").status, 401);
    assert_eq!(status(&gateway, new), 200);
}

/// Connects from an address of loopback, of which there are many.
fn connect_from(last: u8, gateway: SocketAddr) -> Wire {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 1, last), 0)).into()).unwrap();
    socket.connect(&gateway.into()).unwrap();
    Wire::over(TcpStream::from(socket))
}

#[test]
fn one_neighbour_leaves_connections_to_the_others() {
    let gateway = plan().start();
    let _silent: Vec<_> = (0..120).map(|_| connect_from(1, gateway.operations)).collect();
    for _ in 0..20 {
        let mut wire = connect_from(2, gateway.operations);
        assert_eq!(wire.get("localhost", "/livez").status, 200);
    }
    // The twin: that one has no more of them.
    let mut more = connect_from(1, gateway.operations);
    more.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(more.try_answer("GET").is_err());
}

#[test]
fn another_version_is_no_way_around() {
    let gateway = plan().start();
    let old = |fields: &str| {
        let mut wire = gateway.operations();
        let token = bearer(JAN);
        wire.send(format!("GET /sessions HTTP/1.0\r\n{token}\r\n{fields}\r\n").as_bytes());
        wire.answer("GET").status
    };
    assert_eq!(old(""), 200);
    assert_eq!(old("Host: localhost\r\n"), 200);
    assert_eq!(old("Origin: http://evil.example\r\n"), 421);
    assert_eq!(old("Sec-Fetch-Site: cross-site\r\n"), 421);
    let mut wire = gateway.operations();
    wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    // By HTTP/1, and no frame of HTTP/2.
    assert_eq!(wire.answer("GET").status, 400);
}

#[test]
fn what_a_proxy_passes_on_is_not_from_this_machine() {
    let gateway = plan().start();
    let jan = bearer(JAN);
    for (field, expected) in [
        ("Accept: */*", 200),
        ("X-Forwarded-For: 192.0.2.1", 403),
        ("Forwarded: for=192.0.2.1", 403),
        ("Via: 1.1 proxy", 403),
    ] {
        let answer = ask(&gateway, "POST /keys/backup", &[&jan, JSON, field], "{}");
        assert_eq!(answer.status, expected, "{field}");
        assert_eq!(answer.text().contains("pairwise_secret"), expected == 200, "{field}");
        // The rest does not depend on where somebody is.
        assert_eq!(ask(&gateway, "GET /keys", &[&jan, field], "").status, 200);
    }
}
