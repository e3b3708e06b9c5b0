//! A node that is slow, down, or talks rubbish: a clear page, and nobody signed in.

use brama::simulator::faults::Fault;
use http::StatusCode;

use crate::harness::world;

#[tokio::test]
async fn a_node_that_never_answers_is_told_from_one_that_is_down() {
    let world = world().start().await;
    world.next_fault(Fault::Hangs);
    let mut browser = world.browser();
    let page = browser.sign_in("/tax", "anna").await;
    assert_eq!(page.status, StatusCode::GATEWAY_TIMEOUT);
    page.is_our_page().is_refused_with("login.node_timeout");
    // It comes back by itself.
    assert_eq!(browser.sign_in("/tax", "anna").await.text, "portal");
}

#[tokio::test]
async fn rubbish_faults_and_errors_of_the_node_have_their_own_reasons() {
    let world = world().start().await;
    for (fault, reason) in [
        (Fault::Rubbish, "login.malformed_answer"),
        (Fault::EmptyBody, "login.malformed_answer"),
        (Fault::SoapFault, "login.soap_fault"),
        (Fault::Http500, "login.node_http_status"),
        (Fault::TooLarge, "login.answer_too_large"),
        (Fault::ArtifactUnknown, "login.artifact_unknown_to_node"),
    ] {
        world.next_fault(fault);
        world.browser().sign_in("/tax", "anna").await.is_our_page().is_refused_with(reason);
    }
}

#[tokio::test]
async fn more_exchanges_than_allowed_are_turned_away_at_once() {
    let world = world().with_node("max_concurrent", "max_concurrent = 1").start().await;
    world.always_fault(Fault::Hangs);
    let (mut first, mut second) = (world.browser(), world.browser());
    let one = first.reach_node("/tax", "anna", &[]).await;
    let two = second.reach_node("/tax", "anna", &[]).await;
    let (one, two) = tokio::join!(first.deliver(&one), second.deliver(&two));
    let pages = [one, two];
    let count = |code: &str| pages.iter().filter(|page| page.text.contains(code)).count();
    assert_eq!(count("login.node_busy"), 1, "one has to wait too long for its turn");
    assert_eq!(count("login.node_timeout"), 1);
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_no_node() {
    // The configuration trusts nothing but the system's authorities, which did not sign it.
    let world = world()
        .with_node("extra_ca_file", "")
        .with_node("system_roots", "system_roots = true")
        .start()
        .await;
    let page = world.browser().sign_in("/tax", "anna").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    page.is_our_page().is_refused_with("login.node_unreachable");
}

#[tokio::test]
async fn without_our_client_certificate_the_node_does_not_talk_to_us() {
    let world =
        world().with_node("client_certificate", "").with_node("client_key", "").start().await;
    let page = world.browser().sign_in("/tax", "anna").await;
    page.is_our_page().is_refused_with("login.node_unreachable");
}
