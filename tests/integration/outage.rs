//! The switch for a node that is away: who must sign in is told so, all others do not notice.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::harness::{World, world};

const MESSAGE: &str = "outage = true\noutage_retry_after = \"90s\"\n\
    outage_message = { pl = \"Przerwa do <b>18:00</b> & dłużej.\", en = \"Away until <b>6 p.m.</b>\" }";

/// Switches the outage on, or off.
async fn switch(world: &World, from: &str, to: &str) {
    world.reload_with(|text| text.replace(from, to)).await;
}

#[tokio::test]
async fn who_must_sign_in_is_told_of_the_outage_and_nothing_is_begun() {
    let world = world().with_node("outage", MESSAGE).start().await;
    let mut browser = world.browser();
    for path in ["/tax", "/health/record", "/.brama/login?return_to=/tax"] {
        let page = browser.open(path).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        page.is_our_page().is_refused_with("login.outage");
        assert_eq!(page.header("retry-after"), Some("90"));
        assert_eq!(page.header("refresh"), None, "nobody is sent anywhere by themselves");
        assert_eq!(page.header("set-cookie"), None);
        assert!(page.text.contains("Away until &lt;b&gt;6 p.m.&lt;/b&gt;"), "{}", page.text);
        assert!(!page.text.contains("<b>"), "escaped");
        assert!(page.text.contains(&format!("href=\"{path}\"")), "a way to try again");
    }
    assert_eq!(world.logins_remembered().await, 0);
    assert!(world.seen().is_empty(), "nothing reached the portal");
}

#[tokio::test]
async fn the_message_is_in_the_language_of_the_citizen() {
    let world = world().with_node("outage", MESSAGE).start().await;
    let polish = [("accept", "text/html"), ("accept-language", "pl")];
    let page = world.browser().fetch_with(Method::GET, "/tax", &polish, "").await;
    assert!(page.text.contains("Przerwa do &lt;b&gt;18:00&lt;/b&gt; &amp; dłużej."));
    assert!(!page.text.contains("6 p.m."));
}

#[tokio::test]
async fn without_a_message_the_page_has_words_of_ours() {
    let world = world().with_node("outage", "outage = true").start().await;
    let page = world.browser().open("/tax").await;
    page.is_our_page().is_refused_with("login.outage");
    assert!(page.text.contains("login.gov.pl is unavailable now"), "{}", page.text);
    assert_eq!(page.header("retry-after"), Some("300"));
}

#[tokio::test]
async fn programs_frames_and_forms_get_503_in_their_own_way() {
    let world = world().with_node("outage", MESSAGE).start().await;
    let mut browser = world.browser();
    let answer = browser.fetch("/tax").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["error"], "login.outage");
    assert_eq!(answer.header("retry-after"), Some("90"));
    let frame =
        [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    let page = browser.fetch_with(Method::GET, "/tax", &frame, "").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    let page = browser.submit("/tax/form", &[("field", "typed")]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    page.is_our_page().is_refused_with("login.outage");
    assert!(world.seen().is_empty(), "nothing reached the portal");
}

#[tokio::test]
async fn it_is_switched_while_the_program_runs_and_the_signed_in_go_on() {
    let world = world().start().await;
    let mut citizen = world.browser();
    let low = citizen.reach_node("/tax", "anna", &[("assurance", "substantial")]).await;
    assert_eq!(citizen.deliver(&low).await.text, "portal");
    // One who is at the node when the switch is turned.
    let mut under_way = world.browser();
    let delivery = under_way.reach_node("/tax", "zofia", &[]).await;

    switch(&world, "outage = false", MESSAGE).await;
    assert_eq!(citizen.open("/tax").await.text, "portal", "signed in, so nothing changes");
    assert_eq!(citizen.fetch("/tax").await.status, StatusCode::OK);
    assert_eq!(citizen.open("/.brama/login?return_to=/tax/again").await.text, "portal");
    assert_eq!(world.browser().open("/public/page").await.text, "portal");
    assert_eq!(world.browser().open("/").await.text, "portal", "optional");
    world.browser().open("/tax").await.is_refused_with("login.outage");
    // A higher level needs the node too.
    let page = citizen.open("/health/record").await;
    page.is_our_page().is_refused_with("login.outage");
    let answer = citizen.fetch("/health/record").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["error"], "login.outage");
    // Whoever is back from the node may come in, and may sign out.
    assert_eq!(under_way.deliver(&delivery).await.text, "portal");
    let signed_out = under_way.submit("/.brama/logout", &[]).await;
    assert_eq!(signed_out.status, StatusCode::OK);

    switch(&world, "outage = true", "outage = false").await;
    assert_eq!(world.browser().sign_in("/tax", "zofia").await.text, "portal");
    world.advance(Duration::from_secs(1));
    assert_eq!(citizen.open("/tax").await.text, "portal", "still signed in");
}
