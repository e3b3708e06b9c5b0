//! How often a request is tried, at which servers, and what is told of it.

use std::collections::HashMap;

use crate::harness::{Gateway, Plan, Script, Scripted, free_address};

/// A portal that answers, and one that closes each connection when a request has come.
fn portals() -> (Script, Script) {
    let dies = Scripted { bytes: Vec::new(), closes: true };
    let script = HashMap::from([("/".to_owned(), dies)]);
    (Script::start(HashMap::new()), Script::start(script))
}

/// A gateway for which it is nearly always the first server's turn, whatever that did before.
fn before(first: &str, second: &str) -> Gateway {
    let lines = format!(
        "servers = [{{ address = \"{first}\", weight = 1000 }}, {{ address = \"{second}\" }}]\n\
         max_fails = 0"
    );
    Plan::empty().upstream_with("portal", &lines).route("/", "portal", "public").start()
}

fn status(gateway: &Gateway, method: &str) -> u16 {
    let mut wire = gateway.connect();
    let request = format!("{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    wire.send(request.as_bytes());
    wire.answer(method).status
}

/// How many more tries are told, and how many failures of a server.
fn told(gateway: &Gateway, server: &str) -> (f64, f64) {
    let numbers = gateway.numbers();
    let server = server.trim_start_matches("http://");
    (
        numbers.value("brama_upstream_retries_total", &[("upstream", "portal")]),
        numbers.value(
            "brama_upstream_server_failures_total",
            &[("upstream", "portal"), ("server", server)],
        ),
    )
}

#[test]
fn a_request_for_which_there_is_no_connection_goes_to_another_server_whatever_its_method() {
    let (good, _) = portals();
    let dead = format!("http://{}", free_address());
    let gateway = before(&dead, &good.url());
    for method in ["GET", "POST"].repeat(5) {
        assert_eq!(status(&gateway, method), 200, "{method}");
    }
    let (retries, failures) = told(&gateway, &dead);
    assert_eq!(retries, failures);
    assert!(retries >= 9.0, "{retries} of 10");
    assert_eq!(told(&gateway, &good.url()).1, 0.0);
}

#[test]
fn a_reading_request_whose_connection_breaks_goes_to_another_server_and_a_writing_one_nowhere() {
    let (good, dying) = portals();
    let gateway = before(&dying.url(), &good.url());
    for _ in 0..10 {
        assert_eq!(status(&gateway, "GET"), 200);
    }
    let (retries, failures) = told(&gateway, &dying.url());
    assert_eq!(retries, failures);
    assert!(retries >= 9.0, "{retries} of 10");
    let refused = (0..10).filter(|_| status(&gateway, "POST") == 502).count();
    assert!(refused >= 9, "{refused} of 10");
    let (retries_after, failures_after) = told(&gateway, &dying.url());
    assert_eq!(retries_after, retries);
    assert_eq!(failures_after, failures + refused as f64);
}

#[test]
fn a_request_is_tried_three_times_and_not_once_more() {
    let dead = [(); 2].map(|()| format!("http://{}", free_address()));
    let gateway = before(&dead[0], &dead[1]);
    assert_eq!(status(&gateway, "GET"), 502);
    let [first, second] = dead.each_ref().map(|dead| told(&gateway, dead));
    assert_eq!((first.0, first.1 + second.1), (2.0, 3.0));
}

#[test]
fn a_reading_request_whose_connection_broke_is_tried_once_more_and_no_more() {
    let ((_, first), (_, second)) = (portals(), portals());
    let gateway = before(&first.url(), &second.url());
    assert_eq!(status(&gateway, "GET"), 502);
    let told = [&first, &second].map(|server| told(&gateway, &server.url()));
    assert_eq!((told[0].0, told[0].1 + told[1].1), (1.0, 2.0));
    assert_eq!(first.heard().len() + second.heard().len(), 2);
}
