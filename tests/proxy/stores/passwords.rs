//! The password of Redis changes while the gateway runs.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{page, plan, until_status};
use crate::harness::redis::{Redis, SECRET};
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, PATIENCE, Simulator, python, sign_in};

/// Changes the password of a server; who is connected stays.
fn change(redis: &Redis, from: &str, to: &str) {
    let with = if from.is_empty() { String::new() } else { format!("-a {from} ") };
    let answer = redis.ask(&format!("{with}--no-auth-warning CONFIG SET requirepass {to}"));
    assert!(answer.contains("OK"), "{answer}");
}

/// Ends all connections of a server, as a restart or a failover does.
fn cut(redis: &Redis, password: &str) {
    for kind in ["normal", "pubsub"] {
        redis.ask(&format!("-a {password} --no-auth-warning CLIENT KILL TYPE {kind} SKIPME yes"));
    }
}

fn until_ready_says(gateway: &Gateway, text: &str) {
    let deadline = Instant::now() + PATIENCE;
    while gateway.operations().get("localhost", "/readyz").text() != text {
        assert!(Instant::now() < deadline, "it does not say {text}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_password_of_redis_that_changes_is_taken_by_a_reload_and_by_itself() {
    if !tools::has(&[Tool::Python, Tool::Redis]) {
        return;
    }
    let redis = Redis::start();
    change(&redis, "", "first");
    let (_portal, url) = python("recorder.py");
    let address = redis.address;
    let store = format!(
        "kind = \"redis\"\n{SECRET}\n\
         redis = {{ addresses = [\"{address}\"], password_file = \"redis-password\" }}"
    );
    let plan = plan(&url, &store).file("redis-password", "first\n");
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    let host = gateway.host();
    let cookie = sign_in(&gateway, "anna");
    for (from, to, is_told) in [("first", "second", true), ("second", "third", false)] {
        change(&redis, from, to);
        // Connections that are open go on as they began.
        assert_eq!(page(&gateway, &host, "/account", &cookie).status, 200);
        sign_in(&gateway, "lukasz");
        // The next ones do not, until the file says the new one.
        cut(&redis, to);
        until_ready_says(&gateway, "ready, but the session store is away\n");
        let written = format!("{to}\n");
        brama::base::private::write(&gateway.file("redis-password"), written.as_bytes()).unwrap();
        if is_told {
            let (is_applied, said) = gateway.reload();
            assert!(is_applied, "{said}");
        }
        until_ready_says(&gateway, "ready\n");
        until_status(&gateway, &host, &cookie, 200, PATIENCE);
        sign_in(&gateway, "lukasz");
    }
}
