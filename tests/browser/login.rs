//! Signing in, giving up, and signing in for a higher level.

use fantoccini::cookies::Cookie;

use crate::harness::{Scripts, visit};

const SIGN_IN: &str = "a[href^='/.brama/login']";
const SUBMIT: &str = "form button[type=submit]";

#[tokio::test]
async fn a_person_signs_in_and_the_portal_knows_the_name() {
    visit(Scripts::Run, async |citizen| {
        citizen.opens("/").await;
        citizen.arrives_at("/").await;
        citizen.presses(SIGN_IN).await;
        // The page in between has sent itself on.
        citizen.is_at_the_node().await;
        citizen.chooses("anna").await;
        citizen.arrives_at("/account").await;
        assert_eq!(citizen.reads("#name").await, "Anna Żółkiewska");

        let cookies = citizen.cookies().await;
        let session = cookies.iter().find(|cookie| is_session(cookie)).expect("a session cookie");
        assert_eq!(session.http_only(), Some(true));
        assert_eq!(session.same_site().map(|rule| rule.to_string()).as_deref(), Some("Lax"));
        assert_eq!(session.expires_datetime(), None, "it goes away with the browser");
        assert_eq!(citizen.runs("return document.cookie").await, "", "a script sees a cookie");
    })
    .await;
}

#[tokio::test]
async fn a_person_signs_in_without_scripts_by_pressing_the_buttons() {
    visit(Scripts::Blocked, async |citizen| {
        citizen.opens("/").await;
        citizen.arrives_at("/").await;
        citizen.presses(SIGN_IN).await;
        citizen.is_led_to_the_node().await;
        citizen.presses(SUBMIT).await;
        citizen.is_at_the_node().await;
        citizen.chooses("anna").await;
        citizen.is_led_back().await;
        citizen.presses(SUBMIT).await;
        citizen.arrives_at("/account").await;
        assert_eq!(citizen.reads("#name").await, "Anna Żółkiewska");
    })
    .await;
}

#[tokio::test]
async fn the_fragment_of_the_address_is_kept_over_the_login() {
    visit(Scripts::Run, async |citizen| {
        // That of a login which was given up belongs to no other address.
        citizen.opens("/account?given-up#nowhere").await;
        citizen.is_at_the_node().await;
        citizen.signs_in("/account?year=2031", "anna").await;
        assert_eq!(citizen.runs("return sessionStorage.length").await, 0);
        citizen.loses_cookie("brama").await;
        citizen.signs_in("/account?year=2032#attachments", "anna").await;
        assert_eq!(citizen.runs("return sessionStorage.length").await, 0, "it is used once");
    })
    .await;
}

#[tokio::test]
async fn who_gives_up_at_the_node_is_told_so_and_can_begin_again() {
    visit(Scripts::Run, async |citizen| {
        citizen.opens("/account").await;
        citizen.is_at_the_node().await;
        citizen.chooses("cancel").await;
        citizen.is_told("Logowanie przerwane").await;
        assert!(citizen.source().await.contains("login.cancelled"));
        let cookies = citizen.cookies().await;
        assert!(!cookies.iter().any(is_session), "{cookies:?}");

        citizen.presses("a.button").await;
        citizen.is_at_the_node().await;
        citizen.chooses("anna").await;
        citizen.arrives_at("/account").await;
        assert_eq!(citizen.reads("#name").await, "Anna Żółkiewska");
    })
    .await;
}

#[tokio::test]
async fn two_tabs_that_sign_in_at_once_both_arrive() {
    visit(Scripts::Run, async |citizen| {
        citizen.opens("/account?tab=first").await;
        citizen.is_at_the_node().await;
        citizen.opens_a_tab().await;
        citizen.opens("/account?tab=second").await;
        citizen.is_at_the_node().await;

        citizen.looks_at_tab(0).await;
        citizen.chooses("anna").await;
        citizen.arrives_at("/account?tab=first").await;
        citizen.looks_at_tab(1).await;
        citizen.chooses("anna").await;
        citizen.arrives_at("/account?tab=second").await;

        for (number, path) in ["/account?tab=first", "/account?tab=second"].iter().enumerate() {
            citizen.looks_at_tab(number).await;
            citizen.reloads().await;
            citizen.arrives_at(path).await;
            assert_eq!(citizen.reads("#name").await, "Anna Żółkiewska");
        }
    })
    .await;
}

#[tokio::test]
async fn the_tabs_of_a_restored_window_all_come_home() {
    const TABS: usize = 8;
    visit(Scripts::Run, async |citizen| {
        citizen.opens("/public").await;
        // None has been answered when the others ask, so none has a cookie to show.
        citizen.runs(&format!("for(let n=1;n<={TABS};n++)open('/account?tab='+n)")).await;
        for tab in 1..=TABS {
            citizen.looks_at_tab_when_open(tab).await;
            citizen.is_at_the_node().await;
        }
        for tab in 1..=TABS {
            citizen.looks_at_tab_when_open(tab).await;
            citizen.chooses("anna").await;
            citizen.waits_until("location.pathname === '/account'").await;
            assert_eq!(citizen.reads("#name").await, "Anna Żółkiewska", "tab {tab}");
        }
        let mut homes = Vec::new();
        for tab in 1..=TABS {
            citizen.looks_at_tab_when_open(tab).await;
            homes.push(citizen.runs("return location.search").await.as_str().unwrap().to_owned());
        }
        homes.sort_unstable();
        let expected: Vec<_> = (1..=TABS).map(|tab| format!("?tab={tab}")).collect();
        assert_eq!(homes, expected);
    })
    .await;
}

#[tokio::test]
async fn who_opens_the_demo_by_number_is_led_to_its_name() {
    visit(Scripts::Run, async |citizen| {
        citizen.opens("/public").await;
        let port = citizen.runs("return location.port").await;
        let port = port.as_str().unwrap();
        citizen.goes_to(&format!("http://127.0.0.1:{port}/account?year=2031")).await;
        citizen.is_at_the_node().await;
        citizen.chooses("anna").await;
        citizen.arrives_at("/account?year=2031").await;
        assert_eq!(citizen.reads("#name").await, "Anna Żółkiewska");
    })
    .await;
}

#[tokio::test]
async fn a_page_that_needs_a_higher_level_leads_to_the_node_again() {
    visit(Scripts::Run, async |citizen| {
        citizen.opens("/account").await;
        citizen.is_at_the_node().await;
        citizen.selects("#assurance", "substantial").await;
        citizen.chooses("anna").await;
        citizen.arrives_at("/account").await;
        assert!(citizen.reads("main").await.contains("substantial"));

        citizen.opens("/certificate").await;
        citizen.is_at_the_node().await;
        citizen.selects("#assurance", "high").await;
        citizen.chooses("anna").await;
        citizen.arrives_at("/certificate").await;
        assert_eq!(citizen.reads("#name").await, "Anna Żółkiewska");
        assert!(citizen.reads("main").await.contains("high"));

        // The lower level is included.
        citizen.opens("/account").await;
        citizen.arrives_at("/account").await;
    })
    .await;
}

fn is_session(cookie: &Cookie<'_>) -> bool {
    cookie.name() == "brama"
}
