//! Signing out, and what is left of it in the browser.

use crate::harness::{Citizen, Scripts, visit};

const SIGN_OUT: &str = "form[action='/.brama/logout'] button";
const SUBMIT: &str = "form button[type=submit]";

#[tokio::test]
async fn after_signing_out_every_way_to_the_page_leads_to_the_node() {
    visit(Scripts::Run, async |citizen| {
        citizen.signs_in("/account", "anna").await;
        signs_out(citizen).await;

        citizen.goes_back().await;
        citizen.is_at_the_node().await;
        citizen.opens("/account").await;
        citizen.is_at_the_node().await;
    })
    .await;
}

/// Without scripts the page that leads to the node stays, so that it can be read.
#[tokio::test]
async fn after_signing_out_no_page_of_the_history_says_anything_private() {
    visit(Scripts::Blocked, async |citizen| {
        citizen.opens("/account").await;
        citizen.is_led_to_the_node().await;
        citizen.presses(SUBMIT).await;
        citizen.is_at_the_node().await;
        citizen.chooses("anna").await;
        citizen.is_led_back().await;
        citizen.presses(SUBMIT).await;
        citizen.arrives_at("/account").await;
        // The twin: there was something to find.
        assert!(citizen.source().await.contains("Żółkiewska"));
        signs_out(citizen).await;

        citizen.goes_back().await;
        citizen.is_led_to_the_node().await;
        says_nothing_private(citizen).await;
        citizen.reloads().await;
        citizen.is_led_to_the_node().await;
        says_nothing_private(citizen).await;
        citizen.opens("/account").await;
        citizen.is_led_to_the_node().await;
        says_nothing_private(citizen).await;
        citizen.opens("/").await;
        citizen.arrives_at("/").await;
        says_nothing_private(citizen).await;
    })
    .await;
}

async fn signs_out(citizen: &Citizen) {
    citizen.presses(SIGN_OUT).await;
    citizen.is_told("Wylogowano").await;
    says_nothing_private(citizen).await;
    let cookies = citizen.cookies().await;
    assert!(!cookies.iter().any(|cookie| cookie.name() == "brama"), "{cookies:?}");
}

async fn says_nothing_private(citizen: &Citizen) {
    let source = citizen.source().await;
    assert!(!source.contains("Żółkiewska"), "{source}");
}
