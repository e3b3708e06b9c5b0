//! Gateways that lead to one another: `Via` is said, and what comes back to where it was is refused.

use std::collections::HashMap;

use crate::harness::{Answer, Gateway, Plan, Script};

fn get(gateway: &Gateway, fields: &str) -> Answer {
    let mut wire = gateway.connect();
    wire.send(format!("GET /a HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").as_bytes());
    wire.answer("GET")
}

/// What a portal heard in `Via`.
fn via(portal: &Script) -> Vec<String> {
    let head = portal.heard().pop().unwrap().head;
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let via = lines.filter(|(name, _)| name.eq_ignore_ascii_case("via"));
    via.map(|(_, value)| value.to_owned()).collect()
}

#[test]
fn a_portal_hears_through_whom_a_request_came_and_a_client_does_not() {
    let portal = Script::start(HashMap::new());
    let gateway = Plan::before(&portal.url()).start();
    let answer = get(&gateway, "");
    assert_eq!((answer.status, answer.header("via")), (200, None));
    let own = via(&portal).pop().unwrap();
    assert!(own.starts_with("1.1 brama-") && !own.contains("localhost"), "{own}");
    // What others said stays before it.
    assert_eq!(get(&gateway, "Via: 1.0 fred, 1.1 brama-other (x)\r\n").status, 200);
    assert_eq!(via(&portal), ["1.0 fred, 1.1 brama-other (x)", &*own]);
    let heard = portal.heard().len();
    for fields in [format!("Via: {own}\r\n"), format!("Via: 1.0 fred\r\nVIA: 2.0 x,{own} (y)\r\n")]
    {
        let answer = get(&gateway, &fields);
        assert_eq!((answer.status, &*answer.reason()), (508, "request.loop"), "{fields}");
    }
    assert_eq!(portal.heard().len(), heard);
    // A portal that loses its compression by it can do without.
    let rules = "request_headers.remove = [\"Via\"]";
    let gateway = Plan::before(&portal.url()).with(rules).start();
    assert_eq!(get(&gateway, "Via: 1.0 fred\r\n").status, 200);
    assert_eq!(via(&portal), Vec::<String>::new());
}

#[test]
fn a_loop_over_two_gateways_is_refused_and_a_chain_of_two_is_none() {
    let portal = Script::start(HashMap::new());
    let one = Plan::empty();
    let url = format!("http://{}", one.address());
    let two = Plan::before(&url).start();
    let back = format!("http://{}", two.address);
    let one = one
        .upstream("two", &back)
        .upstream("portal", &portal.url())
        .route("/", "two", "public")
        .route("/b", "portal", "public")
        .start();
    let answer = get(&one, "");
    assert_eq!((answer.status, &*answer.reason()), (508, "request.loop"));
    let mut wire = two.connect();
    assert_eq!(wire.get("localhost", "/b").text(), "plain");
    let both = via(&portal);
    assert_eq!(both.len(), 2, "{both:?}");
    assert_ne!(both[0], both[1]);
}
