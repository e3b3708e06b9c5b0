//! Health, readiness, stopping.

use std::time::Duration;

use http::StatusCode;

use crate::harness::{Browser, world};

#[tokio::test]
async fn health_is_answered_on_its_own_port_only() {
    let world = world().start().await;
    let mut operator = Browser::new(&world.operations);
    for path in ["/healthz", "/readyz", "/startupz"] {
        assert_eq!(operator.open(path).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(operator.open("/tax").await.status, StatusCode::NOT_FOUND);
    // On the public port these are the portal's, like any other path.
    assert_eq!(world.browser().open("/healthz").await.text, "portal");
}

#[tokio::test]
async fn numbers_are_told_under_our_own_names_alone() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = world().with("[operations]\nhosts = [\"Ops.Portal.SVC\"]\n").start().await;
    let address = world.operations.trim_start_matches("http://").to_owned();
    let status = async |path: &str, host: &str| {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text.split(' ').nth(1).unwrap().to_owned()
    };
    for (path, host, expected) in [
        ("/metrics", "127.0.0.1:9480", "200"),
        ("/metrics", "[::1]:9480", "200"),
        ("/metrics", "localhost:9480", "200"),
        ("/metrics", "ops.portal.svc:9480", "200"),
        // A page there, whose name leads here by now.
        ("/metrics", "rebound.example:9480", "421"),
        ("/metrics", "localhost.rebound.example", "421"),
        ("/sessions", "rebound.example:9480", "421"),
        ("/sessions", "localhost", "404"),
        ("/healthz", "rebound.example", "200"),
        ("/readyz", "balancer", "200"),
    ] {
        let found = status(path, &format!("Host: {host}\r\n")).await;
        assert_eq!(found, expected, "{path} at {host}");
    }
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way_and_takes_nothing_new() {
    let mut world = world().start().await;
    let mut operator = Browser::new(&world.operations);
    // A request that is under way when the stop comes.
    let mut slow = world.browser();
    let under_way = tokio::spawn(async move { slow.open("/public/never").await });
    while world.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    world.tell_to_stop();
    // Not ready any more, as long as the rest is finished.
    let mut ready = operator.open("/readyz").await.status;
    while ready == StatusCode::OK {
        ready = operator.open("/readyz").await.status;
    }
    assert_eq!(ready, StatusCode::SERVICE_UNAVAILABLE);
    // It is answered in full: the portal never answers, so this is the page that says so.
    assert_eq!(under_way.await.unwrap().status, StatusCode::GATEWAY_TIMEOUT);
    tokio::time::timeout(Duration::from_secs(10), world.stopped()).await.expect("it stops");
    let refused =
        tokio::net::TcpStream::connect(world.origin.replace("http://localhost", "127.0.0.1"));
    assert!(refused.await.is_err(), "nothing new is taken");
}
