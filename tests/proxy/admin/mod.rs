//! The operations listener: who may ask what, what a page can make a browser ask, what is sent.

mod alone;
mod audit;
mod certificates;
mod document;
mod hostile;
mod status;

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Answer, Gateway, Plan, TOKEN, Wire};

/// A gateway with two operators beside `admin`.
fn start() -> Gateway {
    plan().start()
}

fn plan() -> Plan {
    operated(Plan::before("http://127.0.0.1:9"))
}

/// Lets `admin`, `anna` and `jan` operate it.
fn operated(plan: Plan) -> Plan {
    plan.operated()
        .file("anna", ANNA)
        .file("jan", JAN)
        .environment("BRAMA__OPERATIONS__OPERATORS__0__NAME", "anna")
        .environment("BRAMA__OPERATIONS__OPERATORS__0__TOKEN_FILE", "anna")
        .environment("BRAMA__OPERATIONS__OPERATORS__1__NAME", "jan")
        .environment("BRAMA__OPERATIONS__OPERATORS__1__TOKEN_FILE", "jan")
        .environment("BRAMA__OPERATIONS__OPERATORS__1__ROLE", "write")
}

/// The token of an operator who may look.
const ANNA: &str = "anna-0123456789abcdef0123456789abcdef";
/// The token of one who may change as well.
const JAN: &str = "jan-0123456789abcdef0123456789abcdef";

/// Fields of a request.
type Fields<'f> = &'f [&'f str];

/// A request, with whatever fields.
fn request(line: &str, fields: &[&str], body: &str) -> String {
    let has_host = fields.iter().any(|field| field.starts_with("Host:"));
    let host = if has_host { "" } else { "Host: localhost\r\n" };
    let length = if body.is_empty() { String::new() } else { length(body) };
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    format!("{line} HTTP/1.1\r\n{host}{fields}{length}\r\n{body}")
}

fn length(body: &str) -> String {
    format!("Content-Length: {}\r\n", body.len())
}

fn ask(gateway: &Gateway, line: &str, fields: &[&str], body: &str) -> Answer {
    let mut wire = gateway.operations();
    wire.send(request(line, fields, body).as_bytes());
    wire.answer(line.split(' ').next().unwrap())
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

#[test]
fn each_operator_may_what_the_role_says_and_the_log_names_them() {
    let gateway = plan().log("level = \"info\"").start();
    let json = "Content-Type: application/json";
    let (admin, anna, jan) = (bearer(TOKEN), bearer(ANNA), bearer(JAN));
    let everybody = json!({ "all": true }).to_string();
    let quiet = json!({ "level": "warn" }).to_string();
    for (line, token, body, expected) in [
        ("GET /sessions", &admin, "", 200),
        ("GET /sessions", &anna, "", 200),
        ("HEAD /sessions", &anna, "", 200),
        ("GET /keys", &anna, "", 200),
        ("GET /keys/jwks", &anna, "", 200),
        ("GET /log/level", &anna, "", 200),
        ("POST /sessions/end", &anna, &everybody, 403),
        ("POST /sessions/owner", &anna, "{\"kind\":\"pesel\",\"identifier\":\"1\"}", 403),
        ("DELETE /sessions/ab", &anna, "", 403),
        ("POST /keys/rotate", &anna, "{}", 403),
        ("POST /keys/backup", &anna, "{}", 403),
        ("PUT /log/level", &anna, &quiet, 403),
        ("POST /audit/find", &anna, "{}", 403),
        ("POST /capture", &anna, "{\"answers\":1,\"seconds\":60}", 403),
        ("GET /capture", &anna, "", 403),
        ("GET /capture/x", &anna, "", 403),
        ("DELETE /capture", &anna, "", 403),
        ("POST /sessions/end", &jan, &everybody, 200),
        ("POST /sessions/end", &admin, &everybody, 200),
        ("DELETE /sessions/ab", &jan, "", 400),
        ("PUT /log/level", &jan, "{\"level\":\"info\"}", 200),
        ("POST /capture", &jan, "{\"answers\":1,\"seconds\":60}", 200),
        ("GET /capture", &jan, "", 200),
        ("DELETE /capture", &jan, "", 200),
        ("GET /why/RBW3FHWH", &jan, "", 404),
        ("POST /audit/find", &jan, "{}", 409),
    ] {
        let answer = ask(&gateway, line, &[token, json], body);
        assert_eq!(answer.status, expected, "{line} {token}: {}", answer.text());
    }
    for operator in ["\"admin\"", "\"jan\""] {
        gateway.has_said(&["operator ended sessions", operator]);
    }
    for said in ["operator has answers of the node captured", "operator asked about a login"] {
        gateway.has_said(&[said, "\"jan\""]);
    }
    let said = gateway.program.said().join("\n");
    assert!(!said.contains("\"anna\""), "{said}");
    // What opens the door stands nowhere.
    for token in [TOKEN, ANNA, JAN] {
        assert!(!said.contains(token));
    }
}

#[test]
fn a_problem_says_what_happened_and_what_to_do() {
    let gateway = start();
    let (right, anna) = (bearer(JAN), bearer(ANNA));
    let json = "Content-Type: application/json";
    let many = "{\"answers\":21,\"seconds\":60}";
    let long = format!("{{\"owner\":\"{}\"}}", "a".repeat(5000));
    for (line, fields, body, status, code) in [
        ("GET /sessions", vec![], "", 401, "unauthorized"),
        ("GET /sessions", vec!["Authorization: Bearer wrong"], "", 401, "unauthorized"),
        ("GET /sessions", vec![&*right, &*right], "", 401, "unauthorized"),
        ("GET /nothing", vec![&*right], "", 404, "not_found"),
        ("PUT /sessions", vec![&*right], "", 405, "method_not_allowed"),
        ("GET /sessions?limit=0", vec![&*right], "", 400, "malformed"),
        ("GET /sessions?limit=1&limit=1", vec![&*right], "", 400, "malformed"),
        ("GET /sessions?name=Anna", vec![&*right], "", 400, "malformed"),
        ("GET /sessions/abc", vec![&*right], "", 400, "malformed"),
        (
            "GET /sessions/0000000000000000000000000000000000000000000000000000000000000000",
            vec![&*right],
            "",
            404,
            "no_such",
        ),
        ("POST /sessions/end", vec![&*right], "{\"all\":true}", 415, "media_type"),
        ("POST /sessions/end", vec![&*right, "Content-Type: text/plain"], "{}", 415, "media_type"),
        ("POST /sessions/end", vec![&*right, json], "", 400, "malformed"),
        ("POST /sessions/end", vec![&*right, json], "{}", 400, "malformed"),
        ("POST /sessions/end", vec![&*right, json], "[]", 400, "malformed"),
        ("POST /sessions/end", vec![&*right, json], "{\"all\":true,\"al\":1}", 400, "malformed"),
        ("POST /sessions/end", vec![&*right, json], "{\"all\":true}{}", 400, "malformed"),
        ("POST /sessions/end", vec![&*right, json], &long, 413, "too_long"),
        ("PUT /log/level", vec![&*right, json], "{\"level\":\"loud\"}", 400, "malformed"),
        ("PUT /log/level", vec![&*right, json], "{\"for_seconds\":0}", 400, "malformed"),
        ("GET /probes", vec![], "", 400, "malformed"),
        ("GET /why/RBW3FHWH", vec![&*anna], "", 404, "no_such"),
        ("GET /why/%FF", vec![&*anna], "", 400, "malformed"),
        ("GET /capture/x", vec![&*right], "", 404, "no_such"),
        ("POST /capture", vec![&*right, json], many, 400, "malformed"),
    ] {
        let answer = ask(&gateway, line, &fields, body);
        assert_eq!(answer.status, status, "{line} {body}: {}", answer.text());
        let type_ = answer.header("content-type");
        assert_eq!(type_, Some("application/problem+json"), "{line}");
        let told = answer.json();
        assert_eq!(told["code"], code, "{line} {body}");
        assert_eq!(told["status"], status);
        let says = |name: &str| told[name].as_str().is_some_and(|text| !text.is_empty());
        assert!(says("title") && says("detail") && says("advice"), "{told}");
        assert!(status != 401 || answer.header("www-authenticate") == Some("Bearer"));
        assert!(status != 405 || answer.header("allow") == Some("GET, HEAD"), "{line}");
        // What was sent is not said again: it could name a person.
        assert!(!told.to_string().contains("Anna") && !told.to_string().contains("loud"));
    }
}

#[test]
fn no_page_of_another_site_has_a_browser_ask() {
    let gateway = start();
    let port = gateway.operations.port();
    let right = bearer(JAN);
    let host = format!("Host: localhost:{port}");
    let own = format!("Origin: http://localhost:{port}");
    let other_port = format!("Origin: http://localhost:{}", port ^ 1);
    for (fields, expected) in [
        (vec![], 200),
        (vec![&*own], 200),
        (vec![&*own, "Sec-Fetch-Site: same-origin"], 200),
        (vec!["Sec-Fetch-Site: none"], 200),
        (vec!["Origin: http://evil.example"], 403),
        (vec!["Origin: null"], 403),
        (vec![&*other_port], 403),
        (vec!["Sec-Fetch-Site: cross-site"], 403),
        (vec!["Sec-Fetch-Site: same-site"], 403),
        (vec!["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"], 403),
    ] {
        for (line, body) in [
            ("GET /sessions", ""),
            ("GET /metrics", ""),
            ("GET /openapi.json", ""),
            ("POST /sessions/end", "{\"all\":true}"),
            ("PUT /log/level", "{}"),
            ("POST /keys/rotate", "{\"alg\":\"RS256\"}"),
        ] {
            let json = "Content-Type: application/json";
            let fields = [&[&*host, &*right, json], &*fields].concat();
            let answer = ask(&gateway, line, &fields, body);
            // A gateway without such a key says so.
            let is_let_in = !matches!(answer.status, 401 | 403 | 421);
            assert_eq!(is_let_in, expected == 200, "{line} {fields:?}: {}", answer.text());
            if expected == 403 {
                assert_eq!(answer.json()["code"], "foreign_page");
            }
        }
        // Health is for everybody, whoever asks.
        assert_eq!(ask(&gateway, "GET /healthz", &fields, "").status, 200);
    }
    // What a browser asks before a request that is not simple is answered by no leave.
    let preflight = ask(
        &gateway,
        "OPTIONS /sessions/end",
        &[&host, "Origin: http://evil.example", "Access-Control-Request-Method: POST"],
        "",
    );
    assert_eq!(preflight.status, 403);
    assert!(preflight.headers.iter().all(|(name, _)| !name.starts_with("access-control")));
}

#[test]
fn another_name_that_leads_here_learns_nothing() {
    let gateway = start();
    let right = bearer(JAN);
    for (host, expected) in [
        ("Host: localhost", 200),
        ("Host: 127.0.0.1:1", 200),
        ("Host: [::1]", 200),
        ("Host: rebound.example", 421),
        ("Host: localhost.rebound.example", 421),
        ("Host: 127.0.0.1.nip.example", 421),
    ] {
        for path in ["/sessions", "/keys", "/metrics", "/openapi.json", "/log/level"] {
            let answer = ask(&gateway, &format!("GET {path}"), &[host, &right], "");
            assert_eq!(answer.status, expected, "{path} at {host}");
        }
        // Nor what there is.
        let nothing = ask(&gateway, "GET /nothing", &[host, &right], "").status;
        assert_eq!(nothing, if expected == 200 { 404 } else { 421 });
    }
}

#[test]
fn requests_on_one_connection_are_each_judged_for_themselves() {
    let gateway = start();
    let (right, json) = (bearer(JAN), "Content-Type: application/json");
    let mut wire = gateway.operations();
    // One after the other, before the first is answered.
    let all = [
        request("GET /sessions", &[&right], ""),
        request("GET /sessions", &[], ""),
        request("PUT /log/level", &[&right, json], "{\"level\":\"warn\"}"),
        request("GET /sessions", &[&bearer(ANNA)], ""),
        request("PUT /log/level", &[&bearer(ANNA), json], "{\"level\":\"trace\"}"),
        request("GET /log/level", &[&right], ""),
    ];
    wire.send(all.concat().as_bytes());
    let statuses: Vec<_> = (0..all.len()).map(|_| wire.answer("GET")).collect();
    let found: Vec<_> = statuses.iter().map(|answer| answer.status).collect();
    assert_eq!(found, [200, 401, 200, 200, 403, 200]);
    assert_eq!(statuses[5].json()["level"], "warn,brama=warn");
    // A body that is refused unread is no next request.
    let hidden = request("POST /sessions/end", &[&right, json], "{\"all\":true}");
    let mut wire = gateway.operations();
    wire.send(request("POST /sessions/end", &[&right, "Content-Type: x/y"], &hidden).as_bytes());
    assert_eq!(wire.answer("POST").status, 415);
    let next = next_answer(&mut wire, &request("GET /keys/jwks", &[&right], ""));
    assert!(next.is_none_or(|answer| answer.json().get("ended").is_none()), "it was not obeyed");
}

/// Sends a further request, and returns its answer where the connection still has one.
fn next_answer(wire: &mut Wire, request: &str) -> Option<Answer> {
    wire.send(request.as_bytes());
    wire.try_answer("GET").ok()
}

#[test]
fn a_token_that_is_replaced_opens_no_more() {
    let gateway = start();
    let status = |token: &str| ask(&gateway, "GET /keys", &[&bearer(token)], "").status;
    assert_eq!(status(ANNA), 200);
    let new = "anna-the-second-0123456789abcdef0123456789";
    brama::base::private::write(&gateway.file("anna"), new.as_bytes()).unwrap();
    // By itself, within seconds.
    until(|| status(new) == 200);
    assert_eq!(status(ANNA), 401);
    assert_eq!(status(JAN), 200);
    // One that nobody could tell from another is refused: what was replaced by it opens nothing all the
    // same, and it is who it was.
    brama::base::private::write(&gateway.file("anna"), JAN.as_bytes()).unwrap();
    gateway.has_said(&["nobody could tell who asks"]);
    until(|| status(new) == 401);
    let named =
        ask(&gateway, "PUT /log/level", &[&bearer(JAN), "Content-Type: application/json"], "{}");
    assert_eq!(named.status, 200);
    gateway.has_said(&["operator changed the level", "\"jan\""]);
}

#[test]
fn the_level_of_the_log_changes_for_a_while() {
    let gateway = plan().log("level = \"info\"").start();
    let show = || ask(&gateway, "GET /log/level", &[&bearer(ANNA)], "").json();
    let configured = json!({ "level": "info", "configured": "info", "until": null });
    assert_eq!(show(), configured);
    let (done, said) = gateway.command("log-level", &["debug", "--for", "1s"], "");
    assert!(done && said.starts_with("info,brama=debug until 2"), "{said}");
    let shown = show();
    // A second may have passed already.
    assert!(shown["until"].is_string() || shown == configured, "{shown}");
    until(|| show() == configured);
    // Until the next start; then as it is configured, by the word of one operator or the file.
    let (done, said) = gateway.command("log-level", &["--as", "jan", "error"], "");
    assert!(done && said == "info,brama=error\n", "{said}");
    assert_eq!(show()["until"], Value::Null);
    assert_eq!(gateway.command("log-level", &["--as", "anna"], "").1, "info,brama=error\n");
    let (done, said) = gateway.command("log-level", &["--as", "anna", "trace"], "");
    assert!(!done && said.contains("may look"), "{said}");
    let (done, said) = gateway.command("log-level", &["--as", "maria", "trace"], "");
    assert!(!done && said.contains("there is no operator maria"), "{said}");
    assert_eq!(gateway.command("log-level", &["configured"], "").1, "info\n");
    assert_eq!(show(), configured);
    let (done, said) = gateway.command("log-level", &["debug", "--for", "2d"], "");
    assert!(!done && said.contains("--for is one second to 24h"), "{said}");
    gateway.has_said(&["operator changed the level of the log", "\"jan\""]);
    gateway.has_said(&["the level of the log is that of the configuration"]);
}

/// Waits until something is so.
fn until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never is");
        sleep(Duration::from_millis(50));
    }
}
