//! CORS preflights (Fetch 4.8): browsers send them without cookies.

use std::collections::HashMap;

use crate::harness::{Answer, Gateway, Plan, Script, Simulator, sign_in};

const ORIGIN: &str = "Origin: https://app.example\r\n";
const ASKS: &str = "Access-Control-Request-Method: PUT\r\n";

fn send(gateway: &Gateway, line: &str, rest: &str) -> Answer {
    let (mut wire, host) = (gateway.connect(), gateway.host());
    wire.send(format!("{line} HTTP/1.1\r\nHost: {host}\r\n{rest}").as_bytes());
    wire.answer(line.split(' ').next().unwrap())
}

fn start() -> (Script, Gateway) {
    let portal = Script::start(HashMap::new());
    let gateway = Plan::empty()
        .upstream("portal", &portal.url())
        .route("/", "portal", "required")
        .route("/api", "portal", "required")
        .with("cors_preflight = true")
        .route("/mixed", "portal", "required")
        .with("methods = [\"PUT\"]\ncors_preflight = true")
        .route("/mixed", "portal", "required")
        .with("methods = [\"GET\", \"HEAD\"]")
        .route("/work", "portal", "required")
        .with("cors_preflight = true\nmaintenance = true")
        .start();
    (portal, gateway)
}

#[test]
fn a_preflight_passes_without_a_session_where_the_route_says_so() {
    let (portal, gateway) = start();
    for path in ["/api", "/api/x?y", "/mixed"] {
        let answer = send(&gateway, &format!("OPTIONS {path}"), &format!("{ORIGIN}{ASKS}\r\n"));
        assert_eq!((answer.status, &*answer.text()), (200, "plain"), "{path}");
        let heard = portal.heard().pop().unwrap();
        assert_eq!((&*heard.method, &*heard.path), ("OPTIONS", path));
        assert!(heard.head.to_lowercase().contains(&ASKS.to_lowercase()), "{}", heard.head);
    }
    let count = portal.heard().len();
    for (path, status, reason) in [
        ("/", 401, "login_required"),
        ("/apix", 401, "login_required"),
        ("/work", 503, "request.maintenance"),
    ] {
        let answer = send(&gateway, &format!("OPTIONS {path}"), &format!("{ORIGIN}{ASKS}\r\n"));
        assert_eq!((answer.status, &*answer.reason()), (status, reason), "{path}");
    }
    // What it asks about has a route that does not say so, or none.
    for asks in ["GET", "POST"] {
        let asks = format!("{ORIGIN}Access-Control-Request-Method: {asks}\r\n\r\n");
        let answer = send(&gateway, "OPTIONS /mixed", &asks);
        assert_eq!((answer.status, &*answer.reason()), (405, "request.method_not_allowed"));
    }
    assert_eq!(portal.heard().len(), count);
}

#[test]
fn whatever_is_no_preflight_needs_a_session() {
    let (portal, gateway) = start();
    for (line, fields, status, reason) in [
        ("OPTIONS /api", String::new(), 401, "login_required"),
        ("OPTIONS /api", ORIGIN.to_owned(), 401, "login_required"),
        ("OPTIONS /api", ASKS.to_owned(), 401, "login_required"),
        ("OPTIONS /api", format!("{ORIGIN}{ORIGIN}{ASKS}"), 401, "login_required"),
        ("OPTIONS /api", format!("{ORIGIN}{ASKS}{ASKS}"), 401, "login_required"),
        ("OPTIONS /api", format!("{ORIGIN}{ASKS}Content-Length: 3\r\n"), 401, "login_required"),
        (
            "OPTIONS /api",
            format!("{ORIGIN}{ASKS}Transfer-Encoding: chunked\r\n"),
            401,
            "login_required",
        ),
        ("GET /api", format!("{ORIGIN}{ASKS}"), 401, "login_required"),
        ("PUT /api", format!("{ORIGIN}{ASKS}Content-Length: 0\r\n"), 401, "login_required"),
        // To some portals it would be that method.
        (
            "OPTIONS /api",
            format!("{ORIGIN}{ASKS}X-HTTP-Method-Override: DELETE\r\n"),
            400,
            "request.method_override",
        ),
    ] {
        let answer = send(&gateway, line, &format!("{fields}\r\n"));
        assert_eq!((answer.status, &*answer.reason()), (status, reason), "{line} {fields}");
    }
    assert_eq!(portal.heard().len(), 0);
}

#[test]
fn a_preflight_is_in_nobodys_name_whoever_is_signed_in() {
    let portal = Script::start(HashMap::new());
    let plan = Plan::empty()
        .upstream("portal", &portal.url())
        .route("/", "portal", "required")
        .with("cors_preflight = true");
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    let cookie = format!("Cookie: {}\r\n", sign_in(&gateway, "anna"));
    for (line, fields, is_named) in [
        ("GET /a", String::new(), true),
        ("OPTIONS /b", String::new(), true),
        ("OPTIONS /c", format!("{ORIGIN}{ASKS}"), false),
    ] {
        let answer = send(&gateway, line, &format!("{fields}{cookie}\r\n"));
        assert_eq!(answer.status, 200, "{line}");
        let head = portal.heard().pop().unwrap().head.to_lowercase();
        assert_eq!(head.contains("x-brama-assertion"), is_named, "{head}");
    }
}
