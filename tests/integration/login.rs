//! A citizen signs in, in every way that is right.

use std::time::Duration;

use brama::simulator::faults::{Fault, Kind};
use brama::simulator::people::PEOPLE;
use http::{Method, StatusCode};

use crate::harness::world;

#[tokio::test]
async fn a_citizen_signs_in_and_arrives_where_they_wanted_to_go() {
    let world = world().start().await;
    let mut browser = world.browser();
    let answer = browser.sign_in("/tax/2031?form=PIT-37&x=%C5%BB", "anna").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.text, "portal");
    assert_eq!(world.last_seen().target, "/tax/2031?form=PIT-37&x=%C5%BB");
    assert_eq!(world.findings(), Vec::<&str>::new(), "the node finds nothing wrong with us");
    // From now on nobody is asked again.
    assert_eq!(browser.open("/tax").await.text, "portal");
}

#[tokio::test]
async fn the_page_to_the_node_works_without_script_and_under_a_strict_policy() {
    let world = world().start().await;
    let page = world.browser().open("/tax").await;
    page.is_our_page();
    assert!(page.text.contains("<button"), "a button for whoever has no script");
    let (method, action, fields) = page.form();
    assert_eq!(method, Method::POST);
    assert!(action.starts_with("http://127.0.0.1:"), "another site: {action}");
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["SAMLRequest", "RelayState"]);
}

#[tokio::test]
async fn everybody_whom_the_node_vouches_for_can_sign_in() {
    let world = world().start().await;
    let mut signed_in = 0;
    for person in PEOPLE.iter().filter(|person| person.status.is_none()) {
        let mut browser = world.browser();
        browser.sign_in("/tax", &person.key).await;
        let session = browser.fetch("/.brama/session").await.json();
        assert_eq!(session["family_name"], *person.family_name, "{}", person.key);
        signed_in += 1;
    }
    assert!(signed_in >= 6);
}

#[tokio::test]
async fn the_node_may_return_by_get_and_answer_in_every_way_that_is_right() {
    let world = world().start().await;
    let quirks = Fault::ALL.iter().filter(|fault| fault.kind() == Kind::Quirk);
    for &quirk in quirks {
        world.next_fault(quirk);
        let answer = world.browser().sign_in("/tax", "anna").await;
        assert_eq!(answer.text, "portal", "{}", quirk.name());
    }
    // One of them held what is not read, and that is counted.
    let metrics = world.metrics().await;
    assert!(metrics.contains("brama_node_answers_with_extensions_total 1"), "{metrics}");
}

#[tokio::test]
async fn two_tabs_that_sign_in_at_once_both_work() {
    let world = world().start().await;
    let mut browser = world.browser();
    let first = browser.reach_node("/tax/first", "anna", &[]).await;
    let second = browser.reach_node("/tax/second", "anna", &[]).await;
    assert_eq!(browser.deliver(&second).await.text, "portal");
    assert_eq!(world.last_seen().target, "/tax/second");
    assert_eq!(browser.deliver(&first).await.text, "portal");
    assert_eq!(world.last_seen().target, "/tax/first");
}

#[tokio::test]
async fn a_higher_level_is_asked_for_and_the_session_gets_a_new_id() {
    let world = world().start().await;
    let mut browser = world.browser();
    let choices = [("assurance", "substantial")];
    let delivery = browser.reach_node("/tax", "anna", &choices).await;
    browser.deliver(&delivery).await;
    let before = browser.session_cookie().unwrap();

    let delivery = browser.reach_node("/health/record", "anna", &[("assurance", "high")]).await;
    let answer = browser.deliver(&delivery).await;
    assert_eq!(answer.text, "portal");
    assert_eq!(world.last_seen().target, "/health/record");
    let after = browser.session_cookie().unwrap();
    assert_ne!(before, after);

    // The id from before the step-up is worth nothing any more.
    let mut other = world.browser();
    other.set_session_cookie(&before);
    assert_eq!(other.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_ends_when_idle_and_polling_does_not_keep_it() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    for _ in 0..3 {
        world.advance(Duration::from_secs(14 * 60));
        assert_eq!(browser.fetch("/tax").await.status, StatusCode::OK);
    }
    let background = [("x-brama-background", "1")];
    world.advance(Duration::from_secs(14 * 60));
    let polled = browser.fetch_with(Method::GET, "/tax", &background, "").await;
    assert_eq!(polled.status, StatusCode::OK);
    let session = browser.fetch("/.brama/session").await.json();
    assert_eq!(
        (session["signed_in"].as_bool(), session["limit"].as_str()),
        (Some(true), Some("idle"))
    );
    assert!(session["seconds_left"].as_i64().unwrap() <= 60);
    world.advance(Duration::from_secs(61));
    assert_eq!(browser.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
    let session = browser.fetch("/.brama/session").await.json();
    assert_eq!(session["signed_in"], false);
}

#[tokio::test]
async fn a_session_ends_absolutely_however_busy_the_citizen_is() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    for _ in 0..47 {
        world.advance(Duration::from_secs(600));
        assert_eq!(browser.fetch("/tax").await.status, StatusCode::OK);
    }
    world.advance(Duration::from_secs(600));
    assert_eq!(browser.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn whoever_is_signed_in_is_not_sent_to_the_node_by_the_login_link() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    let answer = browser.open("/.brama/login?return_to=/tax/again").await;
    assert_eq!(answer.text, "portal");
    assert_eq!(world.last_seen().target, "/tax/again");
    // The twin refusals: scripts and frames begin no login there, and the link leads nowhere else.
    let answer = world.browser().fetch("/.brama/login?return_to=/tax").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["error"], "login_required");
    assert_eq!(answer.json()["login"], "/.brama/login?return_to=%2Ftax&assurance=substantial");
    assert_eq!(answer.header("set-cookie"), None);
    let frame =
        [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    let page = world.browser().fetch_with(Method::GET, "/.brama/login", &frame, "").await;
    page.is_refused_with("request.frame_without_session");
    assert_eq!(page.header("set-cookie"), None);
    for evil in ["https://evil.example/", "//evil.example/", "/\\evil.example"] {
        let link = format!("/.brama/login?return_to={evil}");
        browser.open(&link).await;
        assert_eq!(world.last_seen().target, "/", "{evil}");
    }
}
