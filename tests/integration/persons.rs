//! Whoever is signed in stays who they are: another person's login does not take their place by the
//! way.

use std::time::Duration;

use http::StatusCode;

use crate::harness::{Browser, World, world};

const HIGH: [(&str, &str); 1] = [("assurance", "high")];

/// A browser in which Anna is signed in, at the lower level.
async fn of_anna(world: &World) -> Browser {
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[("assurance", "substantial")]).await;
    assert_eq!(browser.deliver(&delivery).await.text, "portal");
    world.forget_seen();
    browser
}

async fn who(browser: &mut Browser) -> String {
    let session = browser.fetch("/.brama/session").await.json();
    session["given_name"].as_str().unwrap_or("nobody").to_owned()
}

#[tokio::test]
async fn a_step_up_by_another_person_is_refused_and_changes_nothing() {
    let world = world().start().await;
    let mut browser = of_anna(&world).await;
    let session = browser.session_cookie().unwrap();
    for path in ["/health/record", "/.brama/login?return_to=/health/record&max_age=0"] {
        let delivery = browser.reach_node(path, "zofia", &HIGH).await;
        let page = browser.deliver(&delivery).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        page.is_our_page().is_refused_with("login.other_person");
        assert_eq!(page.link_with("/.brama/logout"), "/.brama/logout");
        assert!(page.link_with("/.brama/login").contains("return_to=%2Fhealth%2Frecord&"));
        for name in ["Zofia", "Anna"] {
            assert!(!page.text.contains(name), "no name is told");
        }
        // A page that is loaded again says the same.
        browser.deliver(&delivery).await.is_refused_with("login.other_person");
        assert_eq!(browser.session_cookie().unwrap(), session);
        assert_eq!(who(&mut browser).await, "Anna");
    }
    assert!(world.seen().is_empty(), "nothing reached the portal");

    // The twin: the same person steps up.
    let delivery = browser.reach_node("/health/record", "anna", &HIGH).await;
    assert_eq!(browser.deliver(&delivery).await.text, "portal");
    assert_ne!(browser.session_cookie().unwrap(), session);
    assert_eq!(who(&mut browser).await, "Anna");
}

#[tokio::test]
async fn a_tab_that_waited_at_the_node_does_not_change_the_person_either() {
    let world = world().start().await;
    let mut browser = world.browser();
    let waiting = browser.reach_node("/tax/waiting", "zofia", &[]).await;
    assert_eq!(browser.sign_in("/tax", "anna").await.text, "portal");
    browser.deliver(&waiting).await.is_refused_with("login.other_person");
    assert_eq!(who(&mut browser).await, "Anna");
}

#[tokio::test]
async fn another_person_signs_in_after_a_sign_out_or_when_the_session_is_over() {
    let world = world().start().await;
    let mut browser = of_anna(&world).await;
    browser.submit("/.brama/logout", &[]).await;
    assert_eq!(browser.sign_in("/tax", "zofia").await.text, "portal");
    assert_eq!(who(&mut browser).await, "Zofia");
    // The cookie of a session that has ended is nobody.
    world.advance(Duration::from_secs(16 * 60));
    assert_eq!(browser.sign_in("/tax", "anna").await.text, "portal");
    assert_eq!(who(&mut browser).await, "Anna");
}

#[tokio::test]
async fn where_the_operator_says_so_the_other_person_takes_the_place() {
    let world = world().with("[session]\nother_person = \"replace\"\n").start().await;
    let mut browser = of_anna(&world).await;
    let before = browser.session_cookie().unwrap();
    let delivery = browser.reach_node("/health/record", "zofia", &HIGH).await;
    assert_eq!(browser.deliver(&delivery).await.text, "portal");
    assert_eq!(who(&mut browser).await, "Zofia");
    let mut old = world.browser();
    old.set_session_cookie(&before);
    assert_eq!(old.fetch("/tax").await.status, StatusCode::UNAUTHORIZED, "Anna's has ended");

    // A reload takes it back.
    world.reload_with(|text| text.replace("\"replace\"", "\"refuse\"")).await;
    let delivery = browser.reach_node("/.brama/login?max_age=0", "anna", &HIGH).await;
    browser.deliver(&delivery).await.is_refused_with("login.other_person");
    assert_eq!(who(&mut browser).await, "Zofia");
}
