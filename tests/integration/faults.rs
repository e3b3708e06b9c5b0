//! Every fault of the simulated node: nobody is signed in, and the page says why.

use brama::simulator::faults::{Fault, Kind};
use http::StatusCode;

use crate::harness::world;

#[tokio::test]
async fn no_fault_of_the_node_signs_anybody_in() {
    let world = world().start().await;
    let mut tried = 0;
    // These never answer; `node` tests them with their own patience.
    let slow = [Fault::Hangs];
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
async fn each_attack_is_refused_for_its_own_reason() {
    let world = world().start().await;
    for (fault, reason) in [
        ("unsigned-both", "login.signature_missing"),
        ("unsigned-response", "login.signature_missing"),
        ("foreign-signature", "login.signature_not_trusted"),
        ("foreign-inner-signature", "login.signature_not_trusted"),
        ("tampered-response", "login.signature_digest_mismatch"),
        ("reindented", "login.signature_digest_mismatch"),
        ("doctype", "login.xml_construct_not_allowed"),
        ("comment", "login.xml_construct_not_allowed"),
        ("comment-in-value", "login.unexpected_assertion"),
        ("foreign-assertion-signature", "login.signature_not_trusted"),
        ("element-without-place", "login.unexpected_answer"),
        ("text-between-elements", "login.unexpected_answer"),
        ("assertion-in-extensions", "login.unexpected_answer"),
        ("assertion-in-advice", "login.unexpected_assertion"),
        ("second-subject", "login.unexpected_assertion"),
        ("other-statement", "login.unexpected_assertion"),
        ("status-success-with-error", "login.cancelled"),
        ("conditions-too-long", "login.unexpected_assertion"),
        ("time-of-another-form", "login.unexpected_assertion"),
        ("empty-id", "login.unexpected_assertion"),
        ("long-namespace", "login.xml_construct_not_allowed"),
        ("long-canonical-form", "login.xml_limit"),
        ("transform-xslt", "login.signature_transform"),
        ("sha1-digest", "login.signature_algorithm"),
        ("hmac-signature", "login.signature_algorithm"),
        ("external-reference", "login.signature_reference"),
        ("duplicate-id", "login.signature_duplicate_id"),
        ("two-assertions", "login.several_assertions"),
        ("plain-assertion", "login.assertion_not_encrypted"),
        ("no-assertion", "login.no_assertion"),
        ("node-issuer-artifact-response", "login.artifact_response_issuer"),
        ("node-issuer-response", "login.response_issuer"),
        ("node-issuer-assertion", "login.assertion_issuer"),
        ("in-response-to-artifact-response", "login.artifact_response_in_response_to"),
        ("in-response-to-response", "login.response_in_response_to"),
        ("in-response-to-assertion", "login.assertion_in_response_to"),
        ("audience", "login.wrong_audience"),
        ("recipient", "login.wrong_recipient"),
        ("conditions-expired", "login.conditions_not_on_or_after"),
        ("conditions-not-yet", "login.conditions_not_before"),
        ("confirmation-expired", "login.confirmation_not_on_or_after"),
        ("confirmation-not-yet", "login.confirmation_not_before"),
        ("assurance-too-low", "login.assurance_too_low"),
        ("assurance-unknown", "login.assurance_unknown"),
        ("party-u", "login.encryption_party"),
        ("party-v", "login.encryption_party"),
        ("cbc", "login.encryption_algorithm"),
        ("other-recipient-key", "login.decryption_failed"),
        ("corrupted-ciphertext", "login.decryption_failed"),
        ("attribute-missing", "login.attribute_missing"),
        ("attribute-repeated", "login.attribute_repeated"),
        ("replayed-assertion", "login.replayed_assertion"),
    ] {
        world.browser().sign_in("/tax", "anna").await;
        let fault = Fault::find(fault).unwrap_or_else(|| panic!("{fault} is no fault"));
        world.next_fault(fault);
        let page = world.browser().sign_in("/tax", "anna").await;
        page.is_our_page().is_refused_with(reason);
    }
}
