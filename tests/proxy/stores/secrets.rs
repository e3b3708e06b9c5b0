//! The secret that seals what is kept: every replica has the same, or does not start.

use std::fs;
use std::net::SocketAddr;

use super::plan;
use crate::harness::Plan;
use crate::harness::redis::Redis;
use crate::harness::tools::{self, Tool};

/// No request gets as far as a portal.
const NOBODY: &str = "http://127.0.0.1:9";

/// A replica with these secrets, of which files beside its configuration have the names.
fn replica(redis: SocketAddr, secrets: &[&str]) -> Plan {
    let given = match secrets {
        [] => String::new(),
        secrets => format!("secret_files = {secrets:?}\n"),
    };
    let store = format!("kind = \"redis\"\n{given}redis = {{ addresses = [\"{redis}\"] }}");
    let plan = plan(NOBODY, &store);
    secrets.iter().fold(plan, |plan, name| plan.file(name, &name.repeat(32)))
}

#[test]
fn a_replica_without_a_secret_in_common_does_not_start_and_says_why() {
    if !tools::has(&[Tool::Redis]) {
        return;
    }
    let redis = Redis::start();
    let one = replica(redis.address, &["old"]).start();
    let said = replica(redis.address, &["other"]).refused();
    assert!(said.contains("has another secret for the session store than this one"), "{said}");
    assert!(said.contains("store.secret_files"), "{said}");
    // The same, or one in common, is enough: so secrets rotate.
    for secrets in [&["old"][..], &["old", "new"], &["new", "old"]] {
        replica(redis.address, secrets).start();
    }
    drop(one);
    // Whoever stayed behind is told what does not open there.
    let mut late = replica(redis.address, &["old"]).start();
    late.program.wait_for(|line| line.contains("seals with a secret").then_some(()));
    drop(late);
    replica(redis.address, &["new", "old"]).start();
    replica(redis.address, &["new"]).start();
    let said = replica(redis.address, &["old"]).refused();
    assert!(said.contains("has another secret for the session store"), "{said}");
}

#[test]
fn a_secret_that_a_replica_made_is_copied_to_the_others() {
    if !tools::has(&[Tool::Redis]) {
        return;
    }
    let redis = Redis::start();
    let stateful = || replica(redis.address, &[]).portal("state_directory = \"state\"");
    let mut one = stateful().start();
    let secret = one.file("state/store-secret");
    let made = fs::read(&secret).unwrap();
    assert_eq!(made.len(), 32);
    // It is the same after a restart.
    one.program.signal("TERM");
    one.program.wait();
    one.start_again();
    assert_eq!(fs::read(&secret).unwrap(), made);
    // Another one makes its own, and does not start with it.
    let other = stateful();
    let said = other.refused();
    let there = other.path("state/store-secret");
    for path in [&secret, &there] {
        assert!(said.contains(path.to_str().unwrap()), "{path:?}: {said}");
    }
    fs::copy(&secret, &there).unwrap();
    other.start();
}

#[test]
fn with_redis_and_nowhere_to_keep_a_secret_the_configuration_is_wrong() {
    let said = replica(([127, 0, 0, 1], 9).into(), &[]).refused();
    assert!(said.contains("store.secret_files: is missing"), "{said}");
    assert!(said.contains("(umask 077; head -c 32 /dev/urandom > FILE)"), "{said}");
}
