//! The portal's own session, kept in a cookie of its own, does not outlast the citizen's.

use std::time::Duration;

use http::StatusCode;
use http::header::SET_COOKIE;

use crate::harness::{Answer, Browser, World, world};

const LINE: &str =
    "clear_cookies_at_logout = [\"JSESSIONID\", \"id; Path=/app; Domain=example.gov.pl\"]\n";

async fn start() -> World {
    world().with_portal(LINE).start().await
}

/// Signs in, and gets a cookie of the portal's own.
async fn known_to_the_portal(browser: &mut Browser, person: &str) {
    browser.sign_in("/tax", person).await;
    browser.set_cookie("JSESSIONID", person);
}

/// The portal's cookies that an answer takes away, with all that it says of them.
fn taken(answer: &Answer) -> Vec<&str> {
    let all = answer.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    all.filter(|cookie| !cookie.starts_with("brama")).collect()
}

#[tokio::test]
async fn signing_out_takes_the_portals_cookies_away_from_wherever_they_were_set() {
    let world = start().await;
    let mut browser = world.browser();
    known_to_the_portal(&mut browser, "anna").await;
    browser.set_cookie("theme", "dark");
    let page = browser.submit("/.brama/logout", &[]).await;
    assert_eq!(
        taken(&page),
        [
            "JSESSIONID=; Path=/; Max-Age=0",
            "JSESSIONID=; Path=/public; Max-Age=0",
            "JSESSIONID=; Path=/health; Max-Age=0",
            "JSESSIONID=; Path=/tax; Max-Age=0",
            "id=; Path=/app; Max-Age=0; Domain=example.gov.pl",
        ]
    );
    assert_eq!(browser.cookie("JSESSIONID"), None);
    assert_eq!(browser.cookie("theme").as_deref(), Some("dark"), "others stay");
}

#[tokio::test]
async fn whoever_signs_in_next_has_nothing_of_the_one_before() {
    let world = start().await;
    // Anna left, and her session ended by time.
    let mut browser = world.browser();
    known_to_the_portal(&mut browser, "anna").await;
    world.advance(Duration::from_secs(3600));
    assert_eq!(browser.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.cookie("JSESSIONID").as_deref(), Some("anna"));
    browser.sign_in("/tax", "zofia").await;
    assert_eq!(browser.cookie("JSESSIONID"), None);
    // Or it lives, and somebody else answers at the node.
    let mut browser = world.browser();
    known_to_the_portal(&mut browser, "anna").await;
    browser.sign_in("/health", "zofia").await.is_refused_with("login.other_person");
    assert_eq!(browser.cookie("JSESSIONID").as_deref(), Some("anna"), "nothing changed");
    browser.submit("/.brama/logout", &[]).await;
    browser.sign_in("/health", "zofia").await;
    assert_eq!(browser.cookie("JSESSIONID"), None);
}

#[tokio::test]
async fn the_same_person_keeps_the_portals_session() {
    let world = start().await;
    let mut browser = world.browser();
    known_to_the_portal(&mut browser, "anna").await;
    let before = browser.session_cookie();
    // A higher level is a new login, and a new session of ours.
    browser.sign_in("/health", "anna").await;
    assert_ne!(browser.session_cookie(), before);
    assert_eq!(browser.cookie("JSESSIONID").as_deref(), Some("anna"));
}

#[tokio::test]
async fn another_host_loses_its_own_cookies_when_another_person_comes_to_it() {
    let (a, b) = ("https://portal-a.example", "https://portal-b.test");
    let routes = "[[route]]\npath = \"/\"\nupstream = \"portal\"\n\
         [[route]]\nhost = \"portal-b.test\"\npath = \"/tax\"\nupstream = \"portal\"\n";
    let world = world().with_portal(LINE).with_hosts(&[a, b]).with_routes(routes).start().await;
    let mut browser = world.browser();
    browser.at(b).sign_in("/tax", "anna").await;
    browser.set_cookie("JSESSIONID", "anna");
    // Signed out at the one, the other is not asked and its cookie stays, until somebody comes.
    browser.at(a).submit("/.brama/logout", &[]).await;
    assert_eq!(browser.at(b).cookie("JSESSIONID").as_deref(), Some("anna"));
    let arrived = browser.sign_in("/tax", "zofia").await;
    assert_eq!(arrived.text, "portal");
    assert_eq!(browser.cookie("JSESSIONID"), None);
}

#[tokio::test]
async fn where_none_is_named_none_is_touched() {
    let world = world().start().await;
    let mut browser = world.browser();
    known_to_the_portal(&mut browser, "anna").await;
    let page = browser.submit("/.brama/logout", &[]).await;
    assert_eq!(taken(&page), Vec::<&str>::new());
    assert_eq!(browser.cookie("JSESSIONID").as_deref(), Some("anna"));
}
