//! Health, readiness, stopping.

use std::time::Duration;

use http::StatusCode;

use crate::harness::{Browser, world};

#[tokio::test]
async fn health_is_answered_on_its_own_port_only() {
    let world = world().start().await;
    let mut operator = Browser::new(&world.operations);
    for path in ["/livez", "/healthz", "/ping", "/readyz", "/startupz"] {
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
        ("/livez", "rebound.example", "200"),
        ("/readyz?verbose", "localhost", "200"),
        ("/readyz?verbose", "rebound.example", "421"),
    ] {
        let found = status(path, &format!("Host: {host}\r\n")).await;
        assert_eq!(found, expected, "{path} at {host}");
    }
}

/// What `brama doctor` asks for. That a probe is told is seen in `tests/proxy/doctor`.
#[tokio::test]
async fn probes_are_for_programs_and_there_are_few() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = world().start().await;
    let address = world.operations.trim_start_matches("http://").to_owned();
    let ask = async |request: &str, fields: &str| {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head =
            format!("{request} HTTP/1.1\r\n{fields}Content-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let body = text.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned();
        (text.split(' ').nth(1).unwrap().to_owned(), body)
    };
    let program = "Host: localhost\r\nX-Brama-Doctor: 1\r\n";
    for (request, fields, expected) in [
        // A page of another site cannot send the field, nor by another name.
        ("POST /probes", "Host: localhost\r\n", "400"),
        ("POST /probes", "Host: rebound.example\r\nX-Brama-Doctor: 1\r\n", "421"),
        ("GET /probes", "Host: localhost\r\n", "400"),
        ("GET /probes", program, "200"),
        ("PUT /probes", program, "405"),
        ("GET /probes/nobody-announced-this", program, "404"),
        ("GET /probesque", program, "404"),
        ("DELETE /probes/nobody-announced-this", program, "200"),
    ] {
        assert_eq!(ask(request, fields).await.0, expected, "{request} {fields}");
    }
    let (status, body) = ask("POST /probes", program).await;
    assert_eq!(status, "201", "{body}");
    let told: serde_json::Value = serde_json::from_str(&body).unwrap();
    let name = told["probe"].as_str().unwrap();
    let (_, body) = ask(&format!("GET /probes/{name}"), program).await;
    assert_eq!(body, "{\"arrival\":null}", "none has come yet");
    for number in 1..4 {
        assert_eq!(ask("POST /probes", program).await.0, "201", "{number}");
    }
    assert_eq!(ask("POST /probes", program).await.0, "409", "there are enough of this network");
    assert_eq!(ask(&format!("DELETE /probes/{name}"), program).await.0, "200");
    assert_eq!(ask("POST /probes", program).await.0, "201");
    // On the public listener that is the portal's, or nobody's.
    assert_ne!(world.browser().open("/probes").await.text, body);
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
