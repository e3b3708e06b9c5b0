//! Requests and answers that pass through: streamed both ways, cleaned both ways.

use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::harness::world;

#[tokio::test]
async fn method_target_headers_and_body_arrive_as_they_were_sent() {
    let world = world().start().await;
    let mut browser = world.browser();
    let headers = [("x-own", "ż"), ("content-type", "text/plain"), ("accept", "a/b")];
    browser.fetch_with(Method::PUT, "/public/a%20b;c=d?q=1&q=%C5%BB", &headers, "body").await;
    let seen = world.last_seen();
    assert_eq!((seen.method.as_str(), &seen.body[..]), ("PUT", &b"body"[..]));
    assert_eq!(seen.target, "/public/a%20b;c=d?q=1&q=%C5%BB");
    assert_eq!(seen.headers["x-own"].as_bytes(), "ż".as_bytes());
    assert_eq!(seen.header("host").unwrap(), world.origin.trim_start_matches("http://"));
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("http"));
    assert_eq!(seen.header("content-length"), Some("4"));
}

#[tokio::test]
async fn what_claims_to_come_from_an_earlier_proxy_is_not_believed() {
    let world = world().start().await;
    let headers = [
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-user", "admin"),
        ("forwarded", "for=1.2.3.4"),
        ("x-real-ip", "1.2.3.4"),
        ("x-original-url", "/tax"),
        ("x-rewrite-url", "/tax"),
        ("x-request-id", "mine"),
    ];
    world.browser().fetch_with(Method::GET, "/public", &headers, "").await;
    let seen = world.last_seen();
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    for name in ["x-forwarded-user", "forwarded", "x-real-ip", "x-original-url", "x-rewrite-url"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_ne!(seen.header("x-request-id"), Some("mine"));
}

#[tokio::test]
async fn our_cookies_stay_with_us_and_the_portals_reach_it() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    browser.set_cookie("own", "1");
    browser.fetch("/tax").await;
    assert_eq!(world.last_seen().header("cookie"), Some("own=1"));
}

#[tokio::test]
async fn an_upstream_sets_no_cookie_and_no_header_of_ours() {
    let world = world().start().await;
    let mut browser = world.browser();
    let answer = browser.fetch("/public/cookies").await;
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1);
    assert_eq!(answer.header("x-kept"), Some("1"));
    assert_eq!(answer.header("x-hop"), None);
    assert_eq!(browser.cookie_names(), ["own"]);
}

#[tokio::test]
async fn what_was_made_for_one_citizen_is_not_stored_by_browsers() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    let answer = browser.fetch("/tax").await;
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    assert_eq!(browser.fetch("/public").await.header("cache-control"), None);
}

#[tokio::test]
async fn statuses_of_the_portal_pass_unchanged() {
    let world = world().start().await;
    let answer = world.browser().fetch("/public/teapot").await;
    assert_eq!(answer.status, StatusCode::IM_A_TEAPOT);
}

#[tokio::test]
async fn bodies_are_streamed_both_ways_piece_by_piece() {
    let world = world().start().await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
    let pieces = futures_util::stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(Frame::data(piece)), receiver))
    });
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::new(StreamBody::new(pieces).boxed_unsync());
    *request.method_mut() = Method::POST;
    let address = world.origin.replace("localhost", "127.0.0.1");
    *request.uri_mut() = format!("{address}/public/echo").parse().unwrap();
    request.headers_mut().insert(HOST, "localhost".parse().unwrap());
    sender.send(Bytes::from_static(b"first")).await.unwrap();
    let answer = client.request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let mut body = answer.into_body();
    // The echo of each piece is here before the next one is sent.
    for piece in [&b"first"[..], b"second", b"third"] {
        if piece != b"first" {
            sender.send(Bytes::from_static(piece)).await.unwrap();
        }
        let frame = tokio::time::timeout(Duration::from_secs(10), body.frame()).await;
        let data = frame.expect("the piece comes back").unwrap().unwrap().into_data().unwrap();
        assert_eq!(data, piece);
    }
    drop(sender);
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_portal_that_never_answers_becomes_a_page_in_time() {
    let world = world().start().await;
    let answer = world.browser().open("/public/never").await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    answer.is_our_page().is_refused_with("upstream.timeout");
}

#[tokio::test]
async fn a_portal_that_is_down_becomes_a_page() {
    let route = "[[upstream]]\nname = \"down\"\nurl = \"http://127.0.0.1:9\"\n\
                 [[route]]\npath = \"/down\"\nupstream = \"down\"\naccess = \"public\"\n";
    let world = world().with(route).start().await;
    let answer = world.browser().open("/down").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    answer.is_our_page().is_refused_with("upstream.unreachable");
}

#[tokio::test]
async fn a_slow_reader_does_not_make_us_hoard() {
    let world = world().start().await;
    let address = world.origin.replace("http://localhost", "127.0.0.1");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let request = "GET /public/endless HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut piece = [0; 1024];
    let length = stream.read(&mut piece).await.unwrap();
    assert!(piece[..length].starts_with(b"HTTP/1.1 200"));
    let before = resident();
    tokio::time::timeout(Duration::from_millis(500), std::future::pending::<()>()).await.ok();
    let more = resident().saturating_sub(before);
    assert!(more < 64 * 1024, "{more} KiB more while nobody reads");
}

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_request_with_two_lengths_is_refused() {
    // RFC 9112 6.3 lets a server go on with one of them; the next server may take the other.
    let world = world().start().await;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = world.origin.replace("http://localhost", "127.0.0.1");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = "POST /public HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\
                   Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("request.framing"), "{answer}");
    assert!(world.seen().is_empty());
}
