//! Spellings of paths that a route takes although servers read them in more than one way
//! (`lenient_paths`), and what the server as a whole and ports that are not ours come to.

use http::{Method, StatusCode};

use crate::harness::{World, world};

/// Routes that take all spellings, one, or none. Those below let the same requests pass, or `check`
/// would refuse them.
const ROUTES: &str = r#"
[[route]]
path = "/"
upstream = "portal"
access = "public"
[[route]]
path = "/api"
upstream = "portal"
access = "public"
lenient_paths = ["encoded_slash", "empty_segment", "encoded_semicolon", "not_utf8"]
[[route]]
path = "/api/own"
upstream = "portal"
access = "public"
[[route]]
path = "/npm"
upstream = "portal"
access = "public"
lenient_paths = ["encoded_slash"]
[[route]]
path = "/files"
upstream = "portal"
access = "public"
strip_prefix = "/files"
lenient_paths = ["empty_segment", "encoded_slash"]
[[route]]
path = "/tax"
upstream = "portal"
lenient_paths = ["encoded_slash"]
[[route]]
host = "news.example"
path = "/"
upstream = "portal"
access = "public"
"#;

/// Sends a request as it is written. Returns the status and what came behind the head.
async fn send(world: &World, method: &str, target: &str, host: &str) -> (u16, String) {
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n\
         Connection: close\r\n\r\n"
    );
    let answer = world.send(request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

async fn start() -> World {
    world().with_routes(ROUTES).start().await
}

#[tokio::test]
async fn a_route_takes_the_spellings_that_it_names_and_hands_them_on_as_they_came() {
    let world = start().await;
    for (path, target) in [
        ("/api/v4/projects/group%2Fproject/merge", None),
        ("/api/queues/%2f/name?a=%2F..", None),
        ("/api/a%2Fb%2Fc", None),
        ("/api/a//b///c//", None),
        ("/api/a%3Bb/c", None),
        ("/api/%B3%F3d%BC/x", None),
        ("/api/stra%BF.html", None),
        ("/api/a%2F/b%3bc;p=1/d%B1", None),
        ("/npm/@scope%2Fname", None),
        ("/npm/%2F/name", None),
        ("/files/a//b", Some("/a//b")),
        ("/files/a%2Fb", Some("/a%2Fb")),
        // One that leads to a location below in every reading.
        ("/api/own/x", None),
    ] {
        world.forget_seen();
        let (status, body) = send(&world, "GET", path, "localhost").await;
        assert_eq!(status, 200, "{path}: {body}");
        assert_eq!(world.last_seen().target, target.unwrap_or(path));
    }
}

#[tokio::test]
async fn a_spelling_is_refused_elsewhere_and_where_it_may_lead_elsewhere() {
    let world = start().await;
    for path in [
        // Routes that do not name it.
        "/x/a%2Fb",
        "/x//b",
        "/x/a%3Bb",
        "/x/%B1",
        "/npm/a//b",
        "/npm/a%3Bb",
        "/npm/%B1",
        "/npm/a%2F//b",
        "/api/own/a%2Fb",
        // Read in another way it is for another route.
        "/api%2Fx",
        "//api/x",
        "/x%2F..%2Fapi/a",
        "/api/own%2Fx",
        "/api//own",
        "/api//own//x",
        "/api/own%3Bx",
        "/api/o%B1wn/x",
        "/api/%B1/x",
        "/api/%BFwn",
        "/api/own%B1/x",
        "/api%3Bx/a",
        // It leads up, stays in place, or names a host to somebody.
        "/api/a%2F..%2Fb",
        "/api/..%2F..%2Fx",
        "/api/a//../b",
        "/api/a%3B..",
        "/api/.%B1/x",
        "/api/%c0%ae%c0%ae/x",
        "/api/%c0%afx",
        "/api/a%252Fb",
        "/api/a%5Cb//",
        "/api/a%00//",
        "/api/a;x%2Fy",
        "/api/a%3Bx%2Fy",
        "//api//x",
        "/files//host/x",
        "/files/%2Fhost/x",
        "/files%2F%2Fhost/x",
    ] {
        world.forget_seen();
        let (status, body) = send(&world, "GET", path, "localhost").await;
        assert_eq!(status, 400, "{path}: {body}");
        assert!(body.contains("request.ambiguous_path"), "{path}: {body}");
        assert!(world.seen().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn whoever_must_sign_in_comes_back_to_the_same_spelling() {
    let world = start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax/group%2Fproject?a=b", "anna").await;
    assert_eq!(world.last_seen().target, "/tax/group%2Fproject?a=b");
    assert!(world.last_seen().assertion().is_some());
    browser.fetch("/tax/group%2F..%2Fproject").await.is_refused_with("request.ambiguous_path");
    world.browser().fetch("/tax/group%2Fproject").await.is_refused_with("login_required");
}

#[tokio::test]
async fn a_script_of_such_a_page_is_offered_a_login_that_leads_back_to_it() {
    let world = start().await;
    for (page, leads_to) in [
        ("/tax/group%2Fproject?a=b", "/tax/group%2Fproject?a=b"),
        ("/api/a//b", "/api/a//b"),
        // The twins: where no route takes the spelling, no page could have had it.
        ("/x/group%2Fproject", "/"),
        ("/api/own%2Fx", "/"),
    ] {
        let referer = format!("{}{page}", world.origin);
        let headers = [
            ("accept", "*/*"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "empty"),
            ("sec-fetch-site", "same-origin"),
            ("referer", referer.as_str()),
        ];
        let mut browser = world.browser();
        let answer = browser.fetch_with(Method::POST, "/tax/next", &headers, "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let login = answer.json()["login"].as_str().unwrap().to_owned();
        world.forget_seen();
        browser.sign_in(&login, "anna").await;
        assert_eq!(world.last_seen().target, leads_to, "{login}");
    }
}

#[tokio::test]
async fn new_rules_say_anew_which_spellings_are_taken() {
    let world = start().await;
    let (status, _) = send(&world, "GET", "/npm/@scope%2Fname", "localhost").await;
    assert_eq!(status, 200);
    world.reload_with(|text| text.replace("lenient_paths = [\"encoded_slash\"]", "")).await;
    let (status, _) = send(&world, "GET", "/npm/@scope%2Fname", "localhost").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn the_server_as_a_whole_answers_a_ping_and_no_portal_hears_of_it() {
    let world = start().await;
    let (status, body) = send(&world, "OPTIONS", "*", "localhost").await;
    assert_eq!((status, &*body), (204, ""));
    for (method, target, host, status) in [
        ("OPTIONS", "*", "elsewhere.example", StatusCode::NOT_FOUND),
        ("GET", "*", "localhost", StatusCode::BAD_REQUEST),
        ("OPTIONS", "*?x", "localhost", StatusCode::BAD_REQUEST),
    ] {
        let (came, body) = send(&world, method, target, host).await;
        assert_eq!(came, status.as_u16(), "{method} {target} {host}: {body}");
    }
    assert!(world.seen().is_empty());
}

#[tokio::test]
async fn a_port_that_is_none_of_ours_is_not_told_to_the_portal() {
    let world = start().await;
    let own = format!("localhost:{}", world.address().port());
    let news = format!("news.example:{}", world.address().port());
    for (host, told) in [
        // That of the listener.
        (own.as_str(), own.as_str()),
        (&news, &news),
        // None, in each way to write it.
        ("localhost", "localhost"),
        ("localhost:", "localhost"),
        ("localhost:80", "localhost"),
        ("news.example:", "news.example"),
        // One that the client made up: that of the portal's address instead, or none.
        ("localhost:4", &own),
        ("LOCALHOST.:65535", &own),
        ("localhost:443", &own),
        ("news.example:4", "news.example"),
    ] {
        let (status, body) = send(&world, "GET", "/x", host).await;
        assert_eq!(status, 200, "{host}: {body}");
        assert_eq!(world.last_seen().header("host"), Some(told), "{host}");
        assert_eq!(world.last_seen().header("x-forwarded-host"), Some(told), "{host}");
    }
}
