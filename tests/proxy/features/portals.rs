//! Connections to portals: used again, over sockets of the file system, and after an end.

use std::collections::HashSet;

use crate::harness::tools::{self, Tool};
use crate::harness::{Nginx, Plan};

/// Returns the numbers of the connections over which nginx was asked for these paths.
fn connections(lines: &[String], path: &str) -> HashSet<String> {
    lines
        .iter()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .filter(|words| words[4].starts_with(path))
        .map(|words| words[0].to_owned())
        .collect()
}

#[test]
fn many_requests_share_one_connection_to_the_portal() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    let nginx = Nginx::start("location / { return 200 nginx; }");
    let gateway = Plan::before(&nginx.url).start();
    let mut wire = gateway.connect();
    for number in 0..50 {
        assert_eq!(wire.get("localhost", &format!("/many/{number}")).text(), "nginx");
    }
    let lines = nginx.log_until(|line| line.contains("/many/49"));
    assert_eq!(connections(&lines, "/many/").len(), 1, "{lines:?}");
}

#[test]
fn clients_that_come_one_after_another_share_connections_to_the_portal() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    let nginx = Nginx::start("location / { return 200 nginx; }");
    let gateway = Plan::before(&nginx.url).start();
    for number in 0..50 {
        let answer = gateway.connect().get("localhost", &format!("/many/{number}"));
        assert_eq!(answer.text(), "nginx");
    }
    let lines = nginx.log_until(|line| line.contains("/many/49"));
    // At most one for each worker.
    let workers = std::thread::available_parallelism().unwrap().get();
    let used = connections(&lines, "/many/").len();
    assert!(used <= workers, "{used} connections for {workers} workers");
}

#[test]
fn a_portal_on_a_socket_of_the_file_system_is_reached() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    let nginx = Nginx::start("location / { return 200 $http_host; }");
    let gateway = Plan::before(&nginx.unix_url).start();
    let mut wire = gateway.connect();
    let host = gateway.host();
    for number in 0..10 {
        let answer = wire.get(&host, &format!("/many/{number}"));
        assert_eq!((answer.status, answer.text()), (200, host.clone()));
    }
    let lines = nginx.log_until(|line| line.contains("/many/9"));
    assert_eq!(connections(&lines, "/many/").len(), 1, "{lines:?}");
}

#[test]
fn a_portal_that_ends_connections_fails_no_request() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    // nginx announces the end with the last answer on a connection.
    let nginx = Nginx::start("keepalive_requests 3;\nlocation / { return 200 nginx; }");
    let gateway = Plan::before(&nginx.url).start();
    let mut wire = gateway.connect();
    for number in 0..50 {
        assert_eq!(wire.get("localhost", &format!("/many/{number}")).text(), "nginx");
    }
}
