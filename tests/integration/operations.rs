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
