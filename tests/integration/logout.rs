//! A citizen signs out: here at once, at the node as far as it answers.

use brama::simulator::faults::Fault;
use http::{Method, StatusCode};

use crate::harness::world;

#[tokio::test]
async fn signing_out_ends_the_session_here_and_at_the_node() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    let cookie = browser.session_cookie().unwrap();
    let page = browser.open("/.brama/logout").await;
    page.is_our_page();
    assert_eq!(browser.fetch("/tax").await.status, StatusCode::OK, "asking ends nothing");

    let (_, action, fields) = page.form();
    assert!(action.ends_with("/.brama/logout"));
    let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let page = browser.submit("/.brama/logout", &fields).await;
    page.is_our_page();
    assert_eq!(page.header("clear-site-data"), Some("\"cache\""));
    assert_eq!(world.findings(), Vec::<&str>::new(), "the node finds our request right");
    assert_eq!(browser.session_cookie(), None);
    let mut thief = world.browser();
    thief.set_session_cookie(&cookie);
    assert_eq!(thief.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_node_that_does_not_confirm_keeps_nobody_signed_in_and_the_page_is_truthful() {
    let world = world().start().await;
    let outcome = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    for (fault, expected) in [
        (None, "signed_out_everywhere"),
        (Some(Fault::LogoutFails), "node_did_not_confirm"),
        (Some(Fault::LogoutRubbish), "node_did_not_confirm"),
        (Some(Fault::LogoutUnsigned), "node_did_not_confirm"),
        (Some(Fault::LogoutOtherIssuer), "node_did_not_confirm"),
        (Some(Fault::LogoutHangs), "node_did_not_confirm"),
    ] {
        let mut browser = world.browser();
        if let Some(fault) = fault {
            world.always_fault(fault);
        }
        browser.sign_in("/tax", "anna").await;
        let origin = world.origin.clone();
        let headers = [("origin", origin.as_str())];
        let answer = browser.fetch_with(Method::POST, "/.brama/logout", &headers, "").await;
        assert_eq!(outcome(&answer.text)["outcome"], expected);
        assert_eq!(browser.session_cookie(), None);
        assert_eq!(browser.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn another_site_cannot_sign_a_citizen_out() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    // What a backend knows as the name of the session opens nothing for another site.
    let page = browser.open("/.brama/logout").await;
    let token = page.form().2.into_iter().find(|(name, _)| name == "token").unwrap().1;
    let form = format!("token={token}");
    let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    browser.fetch_with(Method::POST, "/.brama/logout", &foreign, &form).await;
    assert_eq!(browser.fetch("/tax").await.status, StatusCode::OK);
    for headers in [
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![("sec-fetch-site", "cross-site"), ("origin", &world.origin)],
        vec![],
    ] {
        browser.fetch_with(Method::POST, "/.brama/logout", &headers, "token=guess").await;
        assert_eq!(browser.fetch("/tax").await.status, StatusCode::OK, "{headers:?}");
    }
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_told_so() {
    let world = world().start().await;
    let mut browser = world.browser();
    let headers = [("sec-fetch-site", "same-origin")];
    let answer = browser.fetch_with(Method::POST, "/.brama/logout", &headers, "").await;
    assert_eq!(answer.json()["outcome"], "not_signed_in");
}

#[tokio::test]
async fn a_citizen_signs_in_again_after_signing_out() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    browser.submit("/.brama/logout", &[]).await;
    assert_eq!(browser.sign_in("/tax", "zofia").await.text, "portal");
    let session = browser.fetch("/.brama/session").await.json();
    assert_eq!(session["given_name"], "Zofia");
}
