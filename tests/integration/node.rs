//! A node that is slow, down, or talks rubbish: a clear page, and nobody signed in.

use std::fs;
use std::path::Path;

use brama::base::clock::{Clock, SystemClock};
use brama::simulator::faults::Fault;
use brama::simulator::kit::{Kit, Names};
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
async fn whoever_finds_the_queue_full_is_told_at_once_and_the_login_is_not_spent() {
    let world = world()
        .with_node("max_concurrent", "max_concurrent = 1")
        .with_node("max_waiting", "max_waiting = 1")
        .with_node("waiting_timeout", "waiting_timeout = \"100ms\"")
        .start()
        .await;
    world.next_fault(Fault::Hangs);
    let mut unlucky = world.browser();
    let hanging = unlucky.reach_node("/tax", "anna", &[]).await;
    let mut browsers: Vec<_> = (0..3).map(|_| world.browser()).collect();
    let mut deliveries = Vec::new();
    for browser in &mut browsers {
        deliveries.push(browser.reach_node("/tax", "anna", &[]).await);
    }
    let hanging = tokio::spawn(async move { unlucky.deliver(&hanging).await });
    world.asks_the_node().await;
    // One waits in vain, and two find no room to wait.
    let pages = browsers.iter_mut().zip(&deliveries).map(|(b, delivery)| b.deliver(delivery));
    let pages = futures_util::future::join_all(pages).await;
    assert!(!hanging.is_finished(), "they are told before the node gives up");
    hanging.await.unwrap().is_refused_with("login.node_timeout");
    for (mut browser, page) in browsers.into_iter().zip(pages) {
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        page.is_our_page().is_refused_with("login.node_busy");
        assert_eq!(page.header("retry-after"), Some("5"));
        assert_eq!(page.header("refresh"), Some("5"), "the page goes on by itself");
        assert!(page.text.contains("In a moment this page tries again by itself."));
        let finish = &page.url[url::Position::BeforePath..];
        let button = format!("href=\"{}\"", finish.replace('&', "&amp;"));
        assert!(page.text.contains(&button), "the button goes on: {finish}");
        assert_eq!(browser.open(finish).await.text, "portal", "a reload finishes the login");
    }
}

#[tokio::test]
async fn whoever_waits_for_a_turn_in_time_is_signed_in() {
    let world = world()
        .with_node("max_concurrent", "max_concurrent = 1")
        .with_node("max_waiting", "max_waiting = 8")
        .with_node("waiting_timeout", "waiting_timeout = \"20s\"")
        .start()
        .await;
    let mut browsers: Vec<_> = (0..8).map(|_| world.browser()).collect();
    let mut deliveries = Vec::new();
    for browser in &mut browsers {
        deliveries.push(browser.reach_node("/tax", "anna", &[]).await);
    }
    let pages = browsers.iter_mut().zip(&deliveries).map(|(b, delivery)| b.deliver(delivery));
    for page in futures_util::future::join_all(pages).await {
        assert_eq!(page.text, "portal");
    }
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

#[tokio::test]
async fn certificates_and_keys_change_by_a_reload_and_a_file_with_two_is_trusted_whole() {
    let world = world().start().await;
    let signs_in = async |reason: Option<&str>| {
        let page = world.browser().sign_in("/tax", "anna").await;
        match reason {
            Some(reason) => {
                page.is_our_page().is_refused_with(reason);
            }
            None => assert_eq!(page.text, "portal"),
        }
    };
    let change = async |from: &str, to: &str| {
        world.reload_with(|text| text.replace(from, to)).await;
    };
    // A node and a service that have nothing to do with these.
    let folder = world.file().parent().unwrap().to_owned();
    let other = folder.join("other");
    fs::create_dir(&other).unwrap();
    let hosts = ["localhost".to_owned()];
    let names = Names { node: "n", service: "s", hosts: &hosts };
    Kit::make(names, SystemClock.now()).unwrap().write(&other).unwrap();
    let certificate = |folder: &Path| fs::read(folder.join("node-signing.crt.pem")).unwrap();
    fs::write(folder.join("both.pem"), [certificate(&other), certificate(&folder)].concat())
        .unwrap();

    // 1. The node's certificate: another one alone is not believed, one file with both is.
    let (own, foreign) = ("\"node-signing.crt.pem\"", "\"other/node-signing.crt.pem\"");
    signs_in(None).await;
    change(own, foreign).await;
    signs_in(Some("login.signature_not_trusted")).await;
    change(foreign, "\"both.pem\"").await;
    signs_in(None).await;
    // 2. Our key: another one alone opens nothing, and beside ours it does no harm.
    let (own, foreign) = ("[\"service-enc.key.pem\"]", "[\"other/service-enc.key.pem\"]");
    change(own, foreign).await;
    signs_in(Some("login.decryption_failed")).await;
    change(foreign, "[\"other/service-enc.key.pem\", \"service-enc.key.pem\"]").await;
    signs_in(None).await;
}
