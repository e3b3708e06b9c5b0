//! What a page about a refusal says: what really happened, when, and a number for the phone.

use brama::simulator::faults::Fault;
use http::{Method, StatusCode};

use crate::harness::{Answer, world};

const UNREACHABLE: &str = "There is no connection to login.gov.pl";
const REPORTED: &str = "login.gov.pl reported an error";
const SLOW: &str = "login.gov.pl did not answer in time";
const EXPIRED: &str = "The confirmation from login.gov.pl has expired";
const NO_IDENTIFIER: &str = "login.gov.pl gave no number by which the portal knows a person";
const NOT_SAFE: &str = "Sign-in stopped for your safety";

fn title(page: &Answer) -> &str {
    let (_, rest) = page.text.split_once("<h1>").unwrap();
    rest.split_once("</h1>").unwrap().0
}

/// The text of the line that has this label.
fn line<'p>(page: &'p Answer, label: &str) -> &'p str {
    let (_, rest) = page.text.split_once(&format!("<dt>{label}</dt><dd>")).unwrap();
    let text = rest.split_once("</dd>").unwrap().0;
    text.trim_start_matches("<code>").trim_end_matches("</code>")
}

#[tokio::test]
async fn each_trouble_with_the_node_has_its_own_words() {
    let world = world().start().await;
    for (fault, expected) in [
        (Fault::Http500, REPORTED),
        (Fault::SoapFault, REPORTED),
        (Fault::Hangs, SLOW),
        (Fault::ArtifactUnknown, EXPIRED),
        (Fault::AttributeMissing, NO_IDENTIFIER),
        (Fault::AttributeRepeated, NOT_SAFE),
        (Fault::TamperedResponse, NOT_SAFE),
    ] {
        world.next_fault(fault);
        let mut browser = world.browser();
        let page = browser.sign_in("/tax/2031", "anna").await;
        assert_eq!(title(page.is_our_page()), expected, "{fault:?}");
        let again = page.link_with("/.brama/login");
        assert!(again.contains("return_to=%2Ftax%2F2031&"), "{fault:?}: {again}");
        assert_eq!(browser.sign_in(&again, "anna").await.text, "portal", "{fault:?}");
    }
}

#[tokio::test]
async fn a_node_that_cannot_be_reached_reported_nothing() {
    let world =
        world().with_node("client_certificate", "").with_node("client_key", "").start().await;
    let page = world.browser().sign_in("/tax", "anna").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    page.is_our_page().is_refused_with("login.node_unreachable");
    assert_eq!(title(&page), UNREACHABLE);
}

#[tokio::test]
async fn an_expired_confirmation_is_made_anew_at_once() {
    let world = world().start().await;
    world.next_fault(Fault::ArtifactUnknown);
    let page = world.browser().sign_in("/tax", "anna").await;
    assert!(page.text.contains("You can sign in again right now."), "{}", page.text);
    assert!(!page.text.contains("in a few minutes"));
}

#[tokio::test]
async fn what_the_node_did_not_say_of_a_person_is_not_held_against_a_network() {
    let world = world().with("[limits]\nlogin_failures = 1\n").start().await;
    for _ in 0..4 {
        for fault in [Fault::AttributeMissing, Fault::ArtifactUnknown] {
            world.next_fault(fault);
            let page = world.browser().sign_in("/tax", "anna").await;
            assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{}", page.text);
        }
    }
    assert_eq!(world.browser().sign_in("/tax", "anna").await.text, "portal");
}

#[tokio::test]
async fn a_page_says_when_it_was_and_by_which_number() {
    let world = world().start().await;
    let mut numbers = std::collections::BTreeSet::new();
    for path in ["/.brama/nothing", "/tax%2fadmin", "/.brama/finish?state=x"] {
        let page = world.browser().open(path).await;
        let number = line(page.is_our_page(), "Incident number").to_owned();
        assert_eq!(number.len(), 8, "{number}");
        let is_clear = |letter: u8| {
            letter.is_ascii_digit() || letter.is_ascii_uppercase() && !b"OI".contains(&letter)
        };
        assert!(number.bytes().all(is_clear) && !number.contains(['0', '1']), "{number}");
        let time = line(&page, "Time");
        let now = brama::base::clock::for_people(brama::base::clock::Clock::now(&*world.clock));
        assert_eq!(time, now);
        assert!(line(&page, "Request number").len() > 8);
        assert!(numbers.insert(number));
    }
    // A program gets the same number.
    let answer = world.browser().fetch_with(Method::GET, "/.brama/nothing", &[], "").await;
    assert_eq!(answer.json()["incident"].as_str().unwrap().len(), 8);
}
