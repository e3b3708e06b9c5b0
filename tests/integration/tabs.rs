//! An outcome belongs to the citizen, not to one request of one tab: many tabs at once, pages that
//! are loaded again, buttons that are pressed twice, connections that break.

use std::time::Duration;

use brama::simulator::faults::Fault;
use http::StatusCode;

use crate::harness::{Answer, world};

fn finish_of(answer: &Answer) -> String {
    answer.next()[url::Position::BeforePath..].to_owned()
}

#[tokio::test]
async fn ten_tabs_come_home_to_their_pages_whatever_the_order() {
    let world = world().start().await;
    let mut browser = world.browser();
    let mut deliveries = Vec::new();
    for number in 0..10 {
        let path = format!("/tax/{number}");
        deliveries.push((browser.reach_node(&path, "anna", &[]).await, path));
    }
    for (delivery, path) in deliveries.iter().rev() {
        assert_eq!(browser.deliver(delivery).await.text, "portal");
        assert_eq!(&world.last_seen().target, path);
    }
}

#[tokio::test]
async fn tabs_that_begin_at_the_same_moment_do_not_overwrite_each_other() {
    let world = world().start().await;
    // Each asks before any has been answered, so none has a cookie to show.
    let mut tabs = Vec::new();
    for number in 0..10 {
        let mut tab = world.browser();
        let path = format!("/tax/{number}");
        tabs.push((tab.open(&path).await, tab, path));
    }
    // One browser gets all the answers.
    let mut browser = world.browser();
    for (_, tab, _) in &tabs {
        for (name, value) in tab.cookies_of("brama") {
            browser.set_cookie(&name, &value);
        }
    }
    for (page, _, path) in &tabs {
        let delivery = browser.choose(page, "anna", &[]).await;
        assert_eq!(browser.deliver(&delivery).await.text, "portal");
        assert_eq!(&world.last_seen().target, path);
    }
}

#[tokio::test]
async fn a_page_that_is_loaded_again_leads_to_where_the_citizen_wanted_to_go() {
    let world = world().start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax/2031", "anna", &[]).await;
    let finish = finish_of(&browser.deliver_only(&delivery).await);
    assert_eq!(browser.open(&finish).await.text, "portal");
    for later in [0, 30, 61, 300] {
        world.advance(Duration::from_secs(later));
        assert_eq!(browser.open(&finish).await.text, "portal", "after {later} s more");
        assert_eq!(world.last_seen().target, "/tax/2031");
        // So does the node's page that is sent again.
        assert_eq!(browser.deliver(&delivery).await.text, "portal");
    }
    assert_eq!(world.exchanges_with_the_node(), 1);
}

#[tokio::test]
async fn a_button_that_is_pressed_twice_while_the_node_is_slow_signs_in_once() {
    let world = world().start().await;
    world.always_fault(Fault::Slow);
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[]).await;
    let (mut one, mut two, mut three) = (browser.clone(), browser.clone(), browser.clone());
    let (a, b, c) =
        tokio::join!(one.deliver(&delivery), two.deliver(&delivery), three.deliver(&delivery));
    for answer in [&a, &b, &c] {
        assert_eq!(answer.text, "portal", "{}", answer.url);
    }
    let sessions = [&one, &two, &three].map(|browser| browser.session_cookie().unwrap());
    assert!(sessions.iter().all(|session| *session == sessions[0]));
    assert_eq!(world.exchanges_with_the_node(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_while_the_node_is_asked_loses_nothing() {
    let world = world().start().await;
    world.always_fault(Fault::Slow);
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax/2031", "anna", &[]).await;
    let finish = finish_of(&browser.deliver_only(&delivery).await);
    // The browser asks, and is gone before it is answered.
    let mut gone = browser.clone();
    tokio::select! {
        answer = gone.open(&finish) => panic!("too early: {}", answer.status),
        () = world.asks_the_node() => {}
    }
    drop(gone);
    assert_eq!(browser.open(&finish).await.text, "portal");
    assert_eq!(world.last_seen().target, "/tax/2031");
    assert_eq!(world.exchanges_with_the_node(), 1);
}

#[tokio::test]
async fn a_refusal_is_told_again_as_it_was() {
    let world = world().start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "cancel", &[]).await;
    let finish = finish_of(&browser.deliver_only(&delivery).await);
    let first = browser.open(&finish).await;
    first.is_refused_with("login.cancelled");
    let again = browser.open(&finish).await;
    again.is_our_page().is_refused_with("login.cancelled");
    assert_eq!((again.status, first.status), (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN));
    assert!(again.text.contains("/.brama/login?return_to=%2Ftax"), "back to where they were");
}

#[tokio::test]
async fn a_long_address_is_carried_by_the_browser_and_bounded() {
    let world = world().start().await;
    let mut browser = world.browser();
    let long = format!("/tax?x={}", "a".repeat(2000));
    assert_eq!(browser.sign_in(&long, "anna").await.text, "portal");
    assert_eq!(world.last_seen().target, long);
    assert!(browser.cookies_of("brama-login-").iter().all(|(_, value)| value.len() < 4000));
    // Beyond the bound the query goes, and the page stays.
    let mut browser = world.browser();
    let longer = format!("/tax?x={}", "a".repeat(4000));
    assert_eq!(browser.sign_in(&longer, "anna").await.text, "portal");
    assert_eq!(world.last_seen().target, "/tax");
    // Nor do several of them make requests too large.
    for _ in 0..5 {
        browser.open(&format!("/tax?x={}", "a".repeat(2000))).await;
        let bytes: usize = browser.cookies_of("brama-login-").iter().map(|(_, v)| v.len()).sum();
        assert!(bytes <= 4096, "{bytes}");
    }
}
