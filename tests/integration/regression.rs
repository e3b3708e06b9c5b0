//! Mistakes that were made once, found by attacking the program.

use std::time::Duration;

use brama::simulator::faults::Fault;
use http::{Method, StatusCode};

use crate::harness::world;

#[tokio::test]
async fn a_path_parameter_hides_no_way_to_a_protected_place() {
    // nginx decodes the whole path before it resolves "..", parameters included.
    let world = world().start().await;
    let mut browser = world.browser();
    for path in
        ["/public;%2f..%2ftax/", "/public;%5c..%5ctax", "/public;..%00/tax", "/public;../tax"]
    {
        let answer = browser.fetch(path).await;
        assert_eq!(answer.json()["error"], "request.ambiguous_path", "{path}");
    }
    assert!(world.seen().is_empty());
    assert_eq!(browser.fetch("/public;jsessionid=1/x").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_cookie_with_other_letters_signs_nobody_out() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    browser.set_cookie("lang", "Żółw");
    assert_eq!(browser.fetch("/tax").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_citizen_who_is_turned_away_can_come_back_with_the_same_login() {
    let world = world().with_node("max_concurrent", "max_concurrent = 1").start().await;
    world.always_fault(Fault::Hangs);
    let (mut first, mut second) = (world.browser(), world.browser());
    let one = first.reach_node("/tax", "anna", &[]).await;
    let two = second.reach_node("/tax", "zofia", &[]).await;
    let (one, two) = tokio::join!(first.deliver(&one), second.deliver(&two));
    let first_was = one.text.contains("login.node_busy");
    let (mut browser, page) = if first_was { (first, one) } else { (second, two) };
    page.is_refused_with("login.node_busy");
    // A reload of the very same page asks the node: the login was not spent by being turned away.
    let finish = page.url.path().to_owned() + "?" + page.url.query().unwrap();
    browser.open(&finish).await.is_refused_with("login.node_timeout");
    // Once more tells the same; later it is over.
    browser.open(&finish).await.is_refused_with("login.node_timeout");
    world.advance(Duration::from_secs(61));
    browser.open(&finish).await.is_refused_with("login.ticket_expired");
}

#[tokio::test]
async fn artifacts_that_the_node_does_not_know_are_not_remembered() {
    let world = world().start().await;
    world.next_fault(Fault::ArtifactUnknown);
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[]).await;
    browser.deliver(&delivery).await.is_refused_with("login.artifact_unknown_to_node");
    // The same invention again is asked about again: nothing was kept of it.
    let mut again = browser.reach_node("/tax", "anna", &[]).await;
    let artifact = delivery.fields.iter().find(|(name, _)| name == "SAMLart").unwrap().clone();
    again.fields.retain(|(name, _)| name != "SAMLart");
    again.fields.push(artifact);
    browser.deliver(&again).await.is_refused_with("login.artifact_unknown_to_node");
}

#[tokio::test]
async fn another_site_does_not_take_the_session_cookie_away() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    let cookie = browser.session_cookie().unwrap();
    // A cross-site POST comes without the cookie; the answer must not clear it either.
    let mut bare = world.browser();
    let headers = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let answer = bare.fetch_with(Method::POST, "/.brama/logout", &headers, "").await;
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(answer.header("clear-site-data"), None);
    assert_eq!(answer.header("location"), Some("/.brama/logout"));
    browser.set_session_cookie(&cookie);
    assert_eq!(browser.fetch("/tax").await.status, StatusCode::OK);
}

#[tokio::test]
async fn trace_does_not_show_what_is_added_to_a_request() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    let before = world.seen().len();
    let answer = browser.fetch_with(Method::TRACE, "/tax", &[], "").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(world.seen().len(), before);
}

#[tokio::test]
async fn a_form_that_does_not_arrive_gives_its_place_back() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = world().start().await;
    let address = world.origin.replace("http://localhost", "127.0.0.1");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = "POST /.brama/acs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000\r\nAccept: text/html\r\n\
                   Content-Type: application/x-www-form-urlencoded\r\n\r\nSAML";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 1024];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut answer)).await;
    let length = read.expect("an answer in time").unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 408"));
}

#[tokio::test]
async fn scripts_learn_no_names_that_no_route_is_told() {
    let bare = world().with_routes(
        "[[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n\
         [[route]]\npath = \"/tax\"\nupstream = \"portal\"\n",
    );
    let world = bare.start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    let session = browser.fetch("/.brama/session").await.json();
    assert_eq!(session["signed_in"], true);
    assert!(session["given_name"].is_null() && session["family_name"].is_null(), "{session}");
}
