//! Who may go where: pages, programs, frames and forms.

use http::{Method, StatusCode};

use crate::harness::world;

#[tokio::test]
async fn a_program_gets_401_and_json_and_no_cookie() {
    let world = world().start().await;
    let mut browser = world.browser();
    for headers in [
        vec![("accept", "application/json")],
        vec![("accept", "text/html"), ("x-requested-with", "XMLHttpRequest")],
        vec![("accept", "text/html"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
        vec![],
    ] {
        let answer = browser.fetch_with(Method::GET, "/tax", &headers, "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{headers:?}");
        assert_eq!(answer.json()["error"], "login_required");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Brama "));
        assert_eq!(answer.header("set-cookie"), None);
        assert_eq!(answer.header("location"), None);
    }
    assert!(browser.cookie_names().is_empty());
    assert!(world.seen().is_empty(), "nothing reached the portal");
}

#[tokio::test]
async fn many_logins_that_are_begun_leave_a_few_cookies() {
    let world = world().start().await;
    let mut browser = world.browser();
    for _ in 0..50 {
        browser.open("/tax").await;
    }
    assert_eq!(browser.cookie_names().len(), 12);
    assert_eq!(browser.cookies_of("brama-login-").len(), 12);
}

#[tokio::test]
async fn a_program_that_needs_a_higher_level_is_told_so() {
    let world = world().start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[("assurance", "substantial")]).await;
    browser.deliver(&delivery).await;
    let answer = browser.fetch("/health").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["error"], "step_up_required");
    assert_eq!(answer.json()["assurance"], "high");
}

#[tokio::test]
async fn a_form_of_another_site_without_a_session_is_not_passed_on_and_the_page_says_so() {
    let world = world().start().await;
    let page = world
        .browser()
        .send_form("/tax/form", "application/x-www-form-urlencoded", "field=typed", "cross-site")
        .await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    page.is_our_page().is_refused_with("request.form_without_session");
    assert!(world.seen().is_empty());
}

#[tokio::test]
async fn a_frame_is_shown_a_link_that_opens_outside_of_it() {
    let world = world().start().await;
    let headers =
        [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    let page = world.browser().fetch_with(Method::GET, "/tax", &headers, "").await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    page.is_refused_with("request.frame_without_session");
    assert!(page.text.contains("target=\"_top\""));
    assert_eq!(page.header("x-frame-options"), None, "or the page would not show");
}

#[tokio::test]
async fn public_places_are_open_and_optional_ones_know_who_is_there() {
    let world = world().start().await;
    let mut browser = world.browser();
    assert_eq!(browser.open("/public/page").await.text, "portal");
    assert_eq!(world.last_seen().assertion(), None);
    assert_eq!(browser.open("/").await.text, "portal");
    assert_eq!(world.last_seen().assertion(), None);
    browser.sign_in("/tax", "anna").await;
    browser.open("/").await;
    assert!(world.last_seen().assertion().is_some());
    browser.open("/public/page").await;
    assert_eq!(world.last_seen().assertion(), None, "a public place learns nobody's name");
}

#[tokio::test]
async fn hosts_and_paths_that_could_be_read_in_two_ways_are_refused() {
    let world = world().start().await;
    let mut browser = world.browser();
    for path in ["/public/../tax", "/public/%2e%2e/tax", "/public//x", "/public/..;/tax", "/a%2fb"]
    {
        // Written by hand, because clients clean such paths before they send them.
        let answer =
            raw(&world.origin, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
    }
    for (host, status) in
        [("LOCALHOST", 200), ("localhost.", 200), ("evil.example", 404), ("a b", 400)]
    {
        let request = format!("GET /public HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = raw(&world.origin, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {answer}");
    }
    let two = "GET /public HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n";
    assert!(raw(&world.origin, two).await.starts_with("HTTP/1.1 400"));
    let two = "GET http://evil.example/public HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert!(raw(&world.origin, two).await.starts_with("HTTP/1.1 400"));
    assert_eq!(browser.open("/.brama/nothing").await.status, StatusCode::NOT_FOUND);
}

/// Writes bytes to the gateway and reads the beginning of its answer.
async fn raw(origin: &str, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = origin.replace("http://localhost", "127.0.0.1");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[tokio::test]
async fn pages_are_in_the_language_of_the_citizen() {
    let world = world().start().await;
    let mut browser = world.browser();
    for (language, code) in [("pl-PL,pl;q=0.9", "pl"), ("en-GB", "en"), ("de", "pl")] {
        let headers = [("accept", "text/html"), ("accept-language", language)];
        let page = browser.fetch_with(Method::GET, "/tax", &headers, "").await;
        assert!(page.text.contains(&format!("lang=\"{code}\"")), "{language}: {}", page.text);
    }
}
