//! Logins that sign nobody in, each with its reason and a way to begin again.

use std::time::Duration;

use brama::simulator::faults::Fault;
use http::{Method, StatusCode};

use crate::harness::world;

#[tokio::test]
async fn another_browser_cannot_finish_a_login() {
    let world = world().start().await;
    // Login CSRF: the attacker signs in as themselves and has the victim's browser deliver it.
    let attack = world.browser().reach_node("/tax", "anna", &[]).await;
    let mut victim = world.browser();
    victim.open("/tax").await;
    victim.deliver(&attack).await.is_our_page().is_refused_with("login.other_browser");
    assert_eq!(victim.session_cookie(), None);
}

#[tokio::test]
async fn the_second_use_of_a_login_is_refused() {
    let world = world().start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[]).await;
    assert_eq!(browser.deliver(&delivery).await.text, "portal");
    // For a minute the same browser is told the same, from then on nobody is.
    world.advance(Duration::from_secs(61));
    browser.forget_session_cookie();
    let again = browser.deliver(&delivery).await;
    again.is_refused_with("login.already_used");
    assert!(again.text.contains("href=\"/.brama/login"), "a way to begin again");
}

#[tokio::test]
async fn an_artifact_cannot_be_used_for_another_login() {
    let world = world().start().await;
    let mut browser = world.browser();
    let first = browser.reach_node("/tax", "anna", &[]).await;
    let mut second = browser.reach_node("/tax", "zofia", &[]).await;
    assert_eq!(browser.deliver(&first).await.text, "portal");
    let artifact = first.fields.iter().find(|(name, _)| name == "SAMLart").unwrap().clone();
    second.fields.retain(|(name, _)| name != "SAMLart");
    second.fields.push(artifact);
    browser.deliver(&second).await.is_refused_with("login.replayed_artifact");
}

/// It ends fifty minutes after the second in which it was made, and may be presented for the skew
/// of the clocks after that. So the memory of it may not end a second earlier.
#[tokio::test]
async fn an_assertion_is_remembered_for_as_long_as_it_could_be_presented_and_no_longer() {
    const HOLDS: Duration = Duration::from_secs(50 * 60);
    const SKEW: Duration = Duration::from_secs(60);
    let second = Duration::from_secs(1);
    let (last, after) = (HOLDS + SKEW - second, HOLDS + SKEW);
    for (when, is_refused) in [(second, true), (last, true), (after, false)] {
        let world = world().start().await;
        world.browser().sign_in("/tax", "anna").await;
        world.advance(when);
        // A new artifact and a new answer, and the assertion has the ID of the one before.
        world.next_fault(Fault::ReplayedAssertion);
        let page = world.browser().sign_in("/tax", "anna").await;
        if is_refused {
            page.is_our_page().is_refused_with("login.replayed_assertion");
        } else {
            assert_eq!(page.text, "portal", "after {when:?}");
        }
    }
}

#[tokio::test]
async fn an_artifact_is_remembered_for_an_hour_to_the_second() {
    for (seconds, reason) in [
        (3_599, "login.replayed_artifact"),
        // It is for the node to say, which has forgotten it.
        (3_600, "login.artifact_unknown_to_node"),
    ] {
        let world = world().start().await;
        let mut browser = world.browser();
        let first = browser.reach_node("/tax", "anna", &[]).await;
        assert_eq!(browser.deliver(&first).await.text, "portal");
        world.advance(Duration::from_secs(seconds));
        let mut other = world.browser();
        let mut second = other.reach_node("/tax", "zofia", &[]).await;
        let artifact = first.fields.iter().find(|(name, _)| name == "SAMLart").unwrap().clone();
        second.fields.retain(|(name, _)| name != "SAMLart");
        second.fields.push(artifact);
        other.deliver(&second).await.is_our_page().is_refused_with(reason);
    }
}

#[tokio::test]
async fn a_login_that_took_too_long_has_expired() {
    let world = world().start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[]).await;
    world.advance(Duration::from_secs(601));
    let refused = browser.deliver(&delivery).await;
    refused.is_our_page().is_refused_with("login.expired");
    assert!(refused.text.contains("href=\"/.brama/login"), "a way to begin again");
}

#[tokio::test]
async fn what_is_no_delivery_of_the_node_is_refused() {
    let world = world().start().await;
    let mut browser = world.browser();
    let good = browser.reach_node("/tax", "anna", &[]).await;
    let field = |name: &str| good.fields.iter().find(|(n, _)| n == name).unwrap().1.clone();
    let (artifact, relay_state) = (field("SAMLart"), field("RelayState"));
    for (fields, reason) in [
        (vec![], "login.malformed_artifact"),
        (vec![("SAMLart", "x"), ("RelayState", &relay_state)], "login.malformed_artifact"),
        (vec![("SAMLart", &artifact)], "login.unknown_relay_state"),
        (vec![("SAMLart", &artifact), ("RelayState", "x")], "login.unknown_relay_state"),
        (
            vec![("SAMLart", &artifact), ("SAMLart", &artifact), ("RelayState", &relay_state)],
            "login.malformed_artifact",
        ),
        (
            vec![("SAMLart", &artifact), ("RelayState", &*"A".repeat(44))],
            "login.unknown_relay_state",
        ),
    ] {
        let mut delivery = good.clone();
        delivery.fields = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        browser.deliver(&delivery).await.is_our_page().is_refused_with(reason);
    }
    // And the right one still works.
    assert_eq!(browser.deliver(&good).await.text, "portal");
}

#[tokio::test]
async fn the_consumer_service_takes_forms_of_a_sane_size_only() {
    let world = world().start().await;
    let mut browser = world.browser();
    let html = ("accept", "text/html");
    let form = [("content-type", "application/x-www-form-urlencoded"), html];
    let long = format!("SAMLart={}", "A".repeat(20_000));
    let answer = browser.fetch_with(Method::POST, "/.brama/acs", &form, &long).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let json = [("content-type", "application/json"), html];
    let answer = browser.fetch_with(Method::POST, "/.brama/acs", &json, "{}").await;
    answer.is_refused_with("login.not_a_form");
    let answer = browser.fetch_with(Method::DELETE, "/.brama/acs", &[], "").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_finish_without_an_artifact_signs_nobody_in() {
    let world = world().start().await;
    let mut browser = world.browser();
    let page = browser.open("/tax").await;
    let (_, _, fields) = page.form();
    let relay_state = fields.iter().find(|(name, _)| name == "RelayState").unwrap().1.clone();
    let target = format!("/.brama/finish?state={relay_state}");
    browser.open(&target).await.is_refused_with("login.no_ticket");
    browser.open(&format!("{target}&ticket=x")).await.is_refused_with("login.no_ticket");
    browser.open("/.brama/finish").await.is_refused_with("login.unknown_relay_state");
    browser
        .open("/.brama/finish?state=x&state=y")
        .await
        .is_refused_with("login.unknown_relay_state");
}

/// Whom to sign in as; the code, the status, and the title of the page.
const STATUSES: [(&str, &str, StatusCode, &str); 5] = [
    ("cancel", "login.cancelled", StatusCode::FORBIDDEN, "Sign-in cancelled"),
    ("odmowa", "login.refused_by_node", StatusCode::FORBIDDEN, "Sign-in did not succeed"),
    (
        "nieznany",
        "login.unknown_person",
        StatusCode::FORBIDDEN,
        "Your identity could not be confirmed",
    ),
    (
        "zle-zadanie",
        "login.our_request_refused",
        StatusCode::BAD_GATEWAY,
        "Something went wrong on our side",
    ),
    ("awaria", "login.node_failed", StatusCode::BAD_GATEWAY, "login.gov.pl reported an error"),
];

#[tokio::test]
async fn statuses_of_the_node_become_pages_that_say_what_happened() {
    let world = world().start().await;
    for (person, reason, status, title) in STATUSES {
        let mut browser = world.browser();
        let page = browser.sign_in("/tax", person).await;
        page.is_our_page().is_refused_with(reason);
        assert_eq!(page.status, status, "{person}");
        assert!(page.text.contains(&format!("<h1>{title}</h1>")), "{person}: {}", page.text);
        assert!(page.text.contains("/.brama/login?return_to=%2Ftax"), "back to where they were");
        // And whoever begins again there gets in.
        assert_eq!(browser.sign_in("/.brama/login?return_to=/tax", "anna").await.text, "portal");
    }
}

#[tokio::test]
async fn a_planted_session_cookie_becomes_nobodys_session() {
    let world = world().start().await;
    let mut attacker = world.browser();
    attacker.sign_in("/tax", "zofia").await;
    let planted = attacker.session_cookie().unwrap();
    // Fixation: the victim signs in with the attacker's cookie in their browser.
    let mut victim = world.browser();
    victim.set_session_cookie(&planted);
    // They are told that somebody else is signed in, and nobody gets what Anna proved.
    victim.sign_in("/health", "anna").await.is_refused_with("login.other_person");
    let name = attacker.fetch("/.brama/session").await.json()["given_name"].clone();
    assert_eq!(name, "Zofia");
    victim.submit("/.brama/logout", &[]).await;
    assert_eq!(attacker.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
    victim.sign_in("/health", "anna").await;
    assert_ne!(victim.session_cookie().unwrap(), planted);
    let name = victim.fetch("/.brama/session").await.json()["given_name"].clone();
    assert_eq!(name, "Anna");
    assert_eq!(attacker.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_planted_session_ends_with_the_login_where_another_person_may_take_the_place() {
    let world = world().with("[session]\nother_person = \"replace\"\n").start().await;
    let (mut attacker, mut victim) = (world.browser(), world.browser());
    attacker.sign_in("/tax", "zofia").await;
    let planted = attacker.session_cookie().unwrap();
    victim.set_session_cookie(&planted);
    assert_eq!(victim.sign_in("/health", "anna").await.text, "portal");
    assert_ne!(victim.session_cookie().unwrap(), planted);
    assert_eq!(attacker.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
}
