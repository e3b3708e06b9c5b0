//! Every fault of the simulated node: nobody is signed in, and the page says why.

use brama::selftest::expected;
use brama::simulator::faults::{Fault, Kind};
use http::StatusCode;

use crate::harness::world;

#[tokio::test]
async fn no_fault_of_the_node_signs_anybody_in() {
    let world = world().start().await;
    let mut tried = 0;
    // These never answer; `node` tests them with their own patience.
    let slow = [Fault::Hangs, Fault::Drips];
    // What the node refuses to send back to us cannot be delivered at all.
    for &fault in Fault::ALL.iter().filter(|f| f.kind() == Kind::Fault && !slow.contains(f)) {
        // One login before, for whatever is repeated from it.
        world.browser().sign_in("/tax", "anna").await;
        world.next_fault(fault);
        let mut browser = world.browser();
        let page = browser.sign_in("/tax", "anna").await;
        let name = fault.name();
        assert!(page.status != StatusCode::OK, "{name}: {}", page.text);
        assert!(page.text.contains("login."), "{name} has no reason: {}", page.text);
        assert_eq!(browser.session_cookie(), None, "{name}");
        assert_eq!(browser.fetch("/tax").await.status, StatusCode::UNAUTHORIZED, "{name}");
        tried += 1;
    }
    assert!(tried > 60, "{tried} faults were tried");
}

#[tokio::test]
async fn each_wrong_answer_is_refused_for_the_reason_that_the_acceptance_expects() {
    let world = world().start().await;
    for &fault in Fault::ALL.iter().filter(|fault| fault.kind() == Kind::Fault) {
        // They never answer whole; `brama selftest` and `node` wait for that.
        if matches!(fault, Fault::Hangs | Fault::Drips) {
            continue;
        }
        let reason = expected::reason(fault);
        let reason = reason.unwrap_or_else(|| panic!("{} has no reason", fault.name()));
        world.browser().sign_in("/tax", "anna").await;
        world.next_fault(fault);
        let page = world.browser().sign_in("/tax", "anna").await;
        page.is_our_page().is_refused_with(reason.as_str());
    }
}

#[test]
fn what_is_right_has_no_reason_and_what_is_wrong_has_one() {
    for &fault in Fault::ALL {
        let is_wrong = fault.kind() == Kind::Fault;
        assert_eq!(expected::reason(fault).is_some(), is_wrong, "{}", fault.name());
    }
}
