//! The clock of the machine jumps: libfaketime has the gateway see another time of day, and leaves
//! alone what only counts.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, Gateway, PATIENCE, Plan, Program, Simulator, python, sign_in};

/// A gateway with a clock that can be set, and what keeps it alive.
fn start() -> Option<(Gateway, (Program, Simulator))> {
    if !tools::has(&[Tool::Faketime, Tool::Python]) {
        return None;
    }
    let (portal, url) = python("recorder.py");
    let plan = Plan::empty().upstream("portal", &url).route("/", "portal", "required");
    let plan = plan.log("level = \"info\"").with_clock();
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    Some((gateway, (portal, simulator)))
}

fn page(gateway: &Gateway, cookie: &str) -> Answer {
    let mut wire = gateway.connect();
    let host = gateway.host();
    wire.send(
        format!("GET /account HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").as_bytes(),
    );
    wire.answer("GET")
}

#[test]
fn a_clock_that_jumps_for_a_moment_signs_nobody_out_and_is_told() {
    let Some((mut gateway, _others)) = start() else { return };
    let anna = sign_in(&gateway, "anna");
    assert_eq!(page(&gateway, &anna).status, 200);
    for (jump, jumps) in [("+2h", 1), ("-2h", 2)] {
        gateway.set_clock(jump);
        gateway.program.wait_for(|line| line.contains("machine jumped").then_some(()));
        assert_eq!(page(&gateway, &anna).status, 200, "{jump}");
        // Nor does it keep anybody from signing in: the node has the right time.
        let lukasz = sign_in(&gateway, "lukasz");
        gateway.set_clock("+0");
        gateway.program.wait_for(|line| line.contains("back where it was").then_some(()));
        for cookie in [&anna, &lukasz] {
            assert_eq!(page(&gateway, cookie).status, 200, "{jump}");
        }
        let metrics = gateway.operations().get("localhost", "/metrics").text();
        let expected = format!("brama_clock_jumps_total {jumps}");
        assert!(metrics.lines().any(|line| line.starts_with(&expected)), "{metrics}");
    }
}

#[test]
fn a_clock_that_is_corrected_a_little_is_followed_and_nothing_is_told() {
    let Some((gateway, _others)) = start() else { return };
    let anna = sign_in(&gateway, "anna");
    let left = || {
        let mut wire = gateway.connect();
        let host = gateway.host();
        wire.send(
            format!(
                "GET /.brama/session HTTP/1.1\r\nHost: {host}\r\nCookie: {anna}\r\n\
                 Sec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\n\r\n"
            )
            .as_bytes(),
        );
        wire.answer("GET").json()["absolute_seconds_left"].as_i64().unwrap()
    };
    let before = left();
    gateway.set_clock("+55s");
    let deadline = Instant::now() + PATIENCE;
    while left() > before - 50 {
        assert!(Instant::now() < deadline, "the clock is not followed");
        sleep(Duration::from_millis(50));
    }
    assert!(!gateway.program.said().iter().any(|line| line.contains("machine jumped")));
}
