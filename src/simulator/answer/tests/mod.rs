//! The heart of the simulator's use: what the gateway's own examination says to every fault.

mod altered;

use std::time::Duration;

use super::plan::Plan;
use super::*;
use crate::base::clock::{Time, earlier, later};
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::saml::assertion::Assertion;
use crate::saml::examine::examine;
use crate::saml::expected::{Expected, Wrapping};
use crate::saml::logout::{Confirmation, ExpectedLogout, confirm};
use crate::saml::refusal::Refusal;
use crate::simulator::faults::{Fault, Kind};
use crate::simulator::kit::{Kit, Names, Role};
use crate::simulator::people::{NodeStatus, PEOPLE, Way};
use crate::xml::keys::DecryptionKey;
use crate::xml::scan::Limits;
use crate::xml::signature::TrustedCertificates;
use crate::xml::tree::Document;

const NODE: &str = "symulator.brama.localhost";
const SERVICE: &str = "https://portal.example";
const ACS: &str = "https://portal.example/.brama/acs";
const REQUEST: &str = "ID-00000000-0000-4000-8000-000000000001";
const RESOLVE: &str = "ID-00000000-0000-4000-8000-000000000002";
const ASSERTION: &str = "_ID-00000000-0000-4000-8000-000000000003";
const PREVIOUS: &str = "_ID-00000000-0000-4000-8000-000000000004";

/// One row per fault: the reason code with which an answer that has it is refused.
/// `ok` is for answers that are right, or wrong in a way that shows elsewhere.
const REFUSALS: &[(&str, &str)] = &[
    ("cek-128-declared-256", "ok"),
    ("kw-aes128", "ok"),
    ("kw-aes192", "ok"),
    ("aes128-gcm", "ok"),
    ("leading-zero-z", "ok"),
    ("return-by-get", "ok"),
    ("authn-instant-old", "ok"),
    ("attribute-white-space", "ok"),
    ("extensions", "ok"),
    ("signed-assertion", "ok"),
    ("slow", "ok"),
    ("artifact-unknown", "login.artifact_unknown_to_node"),
    ("soap-fault", "login.soap_fault"),
    ("http-500", "login.malformed_answer"),
    ("rubbish", "login.malformed_answer"),
    ("empty-body", "login.malformed_answer"),
    ("hangs", "ok"),
    ("too-large", "login.answer_too_large"),
    ("drips", "ok"),
    ("endless", "ok"),
    ("status-authn-failed", "login.cancelled"),
    ("status-request-denied", "login.refused_by_node"),
    ("status-unknown-principal", "login.unknown_person"),
    ("status-names-person", "login.cancelled"),
    ("soap-fault-names-person", "login.soap_fault"),
    ("status-success-with-error", "login.cancelled"),
    ("status-requester", "login.our_request_refused"),
    ("status-responder", "login.node_failed"),
    ("outer-status-requester", "login.our_request_refused"),
    ("outer-status-responder", "login.node_failed"),
    ("unsigned-response", "login.signature_missing"),
    ("unsigned-artifact-response", "login.signature_missing"),
    ("unsigned-both", "login.signature_missing"),
    ("foreign-signature", "login.signature_not_trusted"),
    ("foreign-inner-signature", "login.signature_not_trusted"),
    ("moved-signature", "login.signature_missing"),
    ("tampered-response", "login.signature_digest_mismatch"),
    ("tampered-artifact-response", "login.signature_digest_mismatch"),
    ("reindented", "login.signature_digest_mismatch"),
    ("duplicate-id", "login.signature_duplicate_id"),
    ("transform-xslt", "login.signature_transform"),
    ("sha1-digest", "login.signature_algorithm"),
    ("hmac-signature", "login.signature_algorithm"),
    ("two-references", "login.signature_profile"),
    ("external-reference", "login.signature_reference"),
    ("inclusive-c14n", "login.signature_algorithm"),
    ("wrapped-1", "login.signature_profile"),
    ("wrapped-2", "login.signature_reference"),
    ("wrapped-3", "login.unexpected_answer"),
    ("wrapped-4", "login.signature_missing"),
    ("wrapped-5", "login.signature_reference"),
    ("wrapped-6", "login.signature_profile"),
    ("wrapped-7", "login.signature_duplicate_id"),
    ("wrapped-8", "login.signature_duplicate_id"),
    ("wrapped-9", "login.signature_digest_mismatch"),
    ("wrapped-10", "login.signature_digest_mismatch"),
    ("wrapped-11", "login.signature_digest_mismatch"),
    ("wrapped-12", "login.unexpected_answer"),
    ("wrapped-13", "login.signature_missing"),
    ("two-assertions", "login.several_assertions"),
    ("plain-assertion", "login.assertion_not_encrypted"),
    ("no-assertion", "login.no_assertion"),
    ("foreign-assertion-signature", "login.signature_not_trusted"),
    ("element-without-place", "login.unexpected_answer"),
    ("text-between-elements", "login.unexpected_answer"),
    ("assertion-in-extensions", "login.unexpected_answer"),
    ("assertion-in-advice", "login.unexpected_assertion"),
    ("second-subject", "login.unexpected_assertion"),
    ("other-statement", "login.unexpected_assertion"),
    ("doctype", "login.xml_construct_not_allowed"),
    ("entity-expansion", "login.xml_construct_not_allowed"),
    ("external-entity", "login.xml_construct_not_allowed"),
    ("processing-instruction", "login.xml_construct_not_allowed"),
    ("comment", "login.xml_construct_not_allowed"),
    ("cdata", "login.xml_construct_not_allowed"),
    ("long-namespace", "login.xml_construct_not_allowed"),
    ("long-canonical-form", "login.xml_limit"),
    ("node-issuer-artifact-response", "login.artifact_response_issuer"),
    ("node-issuer-response", "login.response_issuer"),
    ("node-issuer-assertion", "login.assertion_issuer"),
    ("in-response-to-artifact-response", "login.artifact_response_in_response_to"),
    ("in-response-to-response", "login.response_in_response_to"),
    ("in-response-to-assertion", "login.assertion_in_response_to"),
    ("audience", "login.wrong_audience"),
    ("recipient", "login.wrong_recipient"),
    ("destination", "login.wrong_destination"),
    ("response-in-response-to-missing", "login.unexpected_answer"),
    ("in-response-to-missing", "login.unexpected_assertion"),
    ("recipient-missing", "login.unexpected_assertion"),
    ("audience-missing", "login.unexpected_assertion"),
    ("confirmation-method", "login.unexpected_assertion"),
    ("replayed-assertion", "ok"),
    ("conditions-expired", "login.conditions_not_on_or_after"),
    ("conditions-not-yet", "login.conditions_not_before"),
    ("confirmation-expired", "login.confirmation_not_on_or_after"),
    ("confirmation-not-yet", "login.confirmation_not_before"),
    ("authn-instant-future", "login.authn_instant_in_future"),
    ("conditions-too-long", "login.unexpected_assertion"),
    ("conditions-missing", "login.unexpected_assertion"),
    ("confirmation-end-missing", "login.unexpected_assertion"),
    ("time-of-another-form", "login.unexpected_assertion"),
    ("empty-id", "login.unexpected_assertion"),
    ("session-expired", "login.session_not_on_or_after"),
    ("artifact-response-future", "login.artifact_response_issued_in_future"),
    ("response-future", "login.response_issued_in_future"),
    ("assertion-future", "login.assertion_issued_in_future"),
    ("assurance-too-low", "login.assurance_too_low"),
    ("assurance-unknown", "login.assurance_unknown"),
    ("attribute-missing", "login.attribute_missing"),
    ("attribute-repeated", "login.attribute_repeated"),
    ("attribute-empty", "login.attribute_malformed"),
    ("birthdate-malformed", "login.attribute_malformed"),
    ("comment-in-value", "login.unexpected_assertion"),
    ("unknown-condition", "login.unknown_condition"),
    ("party-u", "login.encryption_party"),
    ("party-v", "login.encryption_party"),
    ("other-recipient-key", "login.decryption_failed"),
    ("cbc", "login.encryption_algorithm"),
    ("rsa-key-transport", "login.encryption_algorithm"),
    ("corrupted-ciphertext", "login.decryption_failed"),
    ("relay-state-lost", "ok"),
    ("relay-state-other", "ok"),
    ("logout-hangs", "ok"),
    ("logout-fails", "ok"),
    ("logout-unsigned", "ok"),
    ("logout-other-issuer", "ok"),
    ("logout-rubbish", "ok"),
];

struct World {
    kit: Kit,
    trusted: TrustedCertificates,
    keys: [DecryptionKey; 1],
    now: Time,
}

impl World {
    fn new() -> Self {
        let now = "2031-03-04T10:20:30.123Z".parse().unwrap();
        let kit = Kit::make(Names { node: NODE, service: SERVICE, hosts: &[] }, now).unwrap();
        let node = kit.pair(Role::NodeSigning).certificate().clone();
        let key = kit.pair(Role::ServiceEncryption).key();
        Self {
            trusted: TrustedCertificates::pin(vec![node]).unwrap(),
            keys: [DecryptionKey::try_from(key).unwrap()],
            kit,
            now,
        }
    }

    fn login(&self) -> Login<'_> {
        Login {
            node: NODE,
            service: SERVICE,
            acs: ACS,
            request_id: REQUEST,
            resolve_id: RESOLVE,
            outcome: Outcome::Person(&PEOPLE[0]),
            way: Way::TrustedProfile,
            assurance: Assurance::Substantial,
            attributes: &Attribute::ALL,
            recipient: self.kit.pair(Role::ServiceEncryption).certificate(),
            assertion_id: ASSERTION,
            previous_assertion: Some(PREVIOUS),
        }
    }

    fn answer(&self, faults: &[Fault]) -> Vec<u8> {
        build(&self.login(), &self.kit, faults, self.now).unwrap()
    }

    fn examine_at(&self, answer: &[u8], now: Time) -> Result<Assertion, Refusal> {
        self.examine_since(answer, None, now)
    }

    fn examine_since(
        &self,
        answer: &[u8],
        fresh_since: Option<Time>,
        now: Time,
    ) -> Result<Assertion, Refusal> {
        let expected = Expected { fresh_since, ..expected() };
        examine(answer, &self.trusted, &self.keys, &expected, now).for_login()
    }

    fn examine(&self, answer: &[u8]) -> Result<Assertion, Refusal> {
        self.examine_at(answer, self.now)
    }
}

fn expected() -> Expected {
    Expected {
        node: Some(NODE.to_owned()),
        service: Some(SERVICE.to_owned()),
        acs: Some(ACS.to_owned()),
        request_id: Some(REQUEST.to_owned()),
        resolve_id: Some(RESOLVE.to_owned()),
        assurance: Some(Assurance::Substantial),
        fresh_since: None,
        required: Attribute::ALL.to_vec(),
        skew: Duration::from_secs(60),
        maximum_bytes: 256 * 1024,
        wrapping: Wrapping::Soap,
    }
}

#[test]
fn every_fault_is_refused_with_its_reason_and_every_quirk_is_accepted() {
    let world = World::new();
    let mut mismatches = Vec::new();
    for &fault in Fault::ALL {
        let expected = REFUSALS.iter().find(|(name, _)| *name == fault.name());
        let expected = expected.map_or("no row", |(_, code)| *code);
        let found = match world.examine(&world.answer(&[fault])) {
            // No person is ever taken for another one.
            Ok(assertion) if assertion.person().family_name() != Some("Żółkiewska") => "FORGED",
            Ok(_) => "ok",
            Err(refusal) => refusal.code().as_str(),
        };
        if found != expected {
            mismatches.push(format!("{}: {found}, expected {expected}", fault.name()));
        }
    }
    assert!(mismatches.is_empty(), "\n{}", mismatches.join("\n"));
}

#[test]
fn a_login_that_must_be_new_may_be_older_than_its_beginning_by_the_skew_and_no_more() {
    let world = World::new();
    let answer = world.answer(&[]);
    let examine = |begun| world.examine_since(&answer, Some(begun), world.now);
    let [skew, more] = [60, 61].map(|seconds| later(world.now, Duration::from_secs(seconds)));
    for begun in [earlier(world.now, Duration::from_secs(600)), world.now, skew] {
        assert!(examine(begun).is_ok(), "{begun}");
    }
    assert_eq!(examine(more).unwrap_err().code(), "login.not_fresh");

    let old = world.answer(&[Fault::AuthnInstantOld]);
    assert!(world.examine(&old).is_ok(), "nobody asked for a new one");
    let refusal = world.examine_since(&old, Some(world.now), world.now).unwrap_err();
    assert_eq!(refusal.code(), "login.not_fresh");
}

#[test]
fn what_is_called_a_quirk_is_accepted_and_what_is_called_a_fault_is_not() {
    // These are refused by what surrounds the examination: time, replay guard, the browser.
    let elsewhere = [
        Fault::Hangs,
        Fault::Drips,
        Fault::Endless,
        Fault::ReplayedAssertion,
        Fault::RelayStateLost,
        Fault::RelayStateOther,
    ];
    let world = World::new();
    for &fault in Fault::ALL {
        let accepted = world.examine(&world.answer(&[fault])).is_ok();
        let expected = fault.kind() != Kind::Fault || elsewhere.contains(&fault);
        assert_eq!(accepted, expected, "{fault:?}");
    }
}

#[test]
fn every_person_arrives_as_they_are_whatever_letters_they_have() {
    let world = World::new();
    for person in &PEOPLE {
        let login = Login { outcome: Outcome::Person(person), ..world.login() };
        let answer = build(&login, &world.kit, &[], world.now).unwrap();
        let examined = world.examine(&answer);
        let Some(status) = person.status else {
            let assertion = examined.unwrap();
            let found = assertion.person();
            assert_eq!(found.given_name(), Some(&*person.given_name));
            assert_eq!(found.family_name(), Some(&*person.family_name));
            assert_eq!(found.birthdate(), Some(person.birthdate));
            assert_eq!(found.identifier().as_str(), person.identifier);
            assert_eq!(assertion.name_id(), person.login);
            assert_eq!(assertion.session_index(), ASSERTION);
            assert_eq!(assertion.authority(), Some("pz.gov.pl"));
            continue;
        };
        let Err(Refusal::Status { status: found, .. }) = examined else { panic!("{person:?}") };
        assert!(found.to_string().contains(status.message()), "{found}");
    }
}

#[test]
fn an_answer_holds_for_fifty_minutes_and_the_allowed_skew() {
    let world = World::new();
    let answer = world.answer(&[]);
    let at = |time| world.examine_at(&answer, time).map(|_| ()).map_err(|r| r.code());
    let minutes = |count: u64| Duration::from_secs(60 * count);
    assert_eq!(at(earlier(world.now, minutes(1))), Ok(()));
    assert_eq!(at(later(world.now, minutes(50))), Ok(()));
    assert!(at(earlier(world.now, minutes(2))).is_err());
    assert!(at(later(world.now, minutes(52))).is_err());
}

#[test]
fn an_answer_has_the_very_shape_of_the_genuine_ones() {
    let world = World::new();
    let text = String::from_utf8(world.answer(&[])).unwrap();
    assert!(!text.contains('\n') && !text.contains("> <") && !text.contains("<?xml"));
    let start = text.find("<saml2p:ArtifactResponse ").unwrap();
    let root = &text[start..start + text[start..].find('>').unwrap()];
    let names: Vec<&str> =
        root.split(' ').skip(1).filter_map(|pair| pair.split('=').next()).collect();
    let prefixes = [
        "alg",
        "coi-extension",
        "coi-naturalperson",
        "ds",
        "dsig11",
        "eidas",
        "kirwb",
        "md",
        "mdattr",
        "naturalperson",
        "saml2",
        "saml2p",
        "xenc",
        "xenc11",
    ];
    let mut expected: Vec<String> = prefixes.iter().map(|p| format!("xmlns:{p}")).collect();
    expected.extend(["ID", "InResponseTo", "IssueInstant", "Version"].map(str::to_owned));
    assert_eq!(names, expected);
    assert_eq!(text.matches("PrefixList=\"ds saml2 saml2p xenc\"").count(), 2);
    assert_eq!(text.matches("<ds:Signature xmlns:ds=").count(), 2);
    assert_eq!(text.matches("<saml2:EncryptedAssertion>").count(), 1);
    assert!(!text.contains("Destination") && !text.contains("Consent"));
    // The wrapped key comes before the content, for readers that take the first that they find.
    let key = text.find("<xenc:EncryptedKey ").unwrap();
    assert!(key < text.find("<xenc:CipherValue>").unwrap());
    for name in ["ArtifactResponse", "Response"] {
        let issuer = format!("<saml2:Issuer>{NODE}</saml2:Issuer><ds:Signature ");
        let message = text.find(&format!("<saml2p:{name} ")).unwrap();
        let inside = message + text[message..].find('>').unwrap() + 1;
        assert!(text[inside..].starts_with(&issuer), "{name}");
    }
}

#[test]
fn an_assertion_parses_on_its_own_and_names_its_types() {
    let world = World::new();
    let plan = Plan::new(&Login { ..world.login() }, &world.kit, &[], world.now);
    let text = plan.claims.write();
    let document = Document::parse(text.as_bytes(), &Limits::message(20_000)).unwrap();
    assert_eq!(document.root().attribute("ID"), Some(ASSERTION));
    for name in ["CurrentFamilyName", "CurrentGivenName", "DateOfBirth", "PersonIdentifier"] {
        let kind = format!("xsi:type=\"naturalperson:{name}Type\">");
        assert_eq!(text.matches(&kind).count(), 1, "{name}");
    }
    assert_eq!(text.matches(" xmlns:").count() - text.matches("xmlns:xsi").count(), 12);
    assert!(text.contains("NotOnOrAfter=\"2031-03-04T11:10:30.000Z\" Recipient="));
    assert!(text.contains(">1884-05-14Z<"));
}

#[test]
fn what_stands_outside_the_signed_text_is_the_only_thing_wrong() {
    let world = World::new();
    for (fault, wrong, right) in [
        (Fault::Comment, "<!-- -->", ""),
        (Fault::ProcessingInstruction, "<?brama symulator?>", ""),
        (Fault::Doctype, "<!DOCTYPE soap:Envelope [<!ENTITY kto \"Ewa\">]>", ""),
    ] {
        let text = String::from_utf8(world.answer(&[fault])).unwrap();
        assert!(text.contains(wrong), "{fault:?}");
        assert!(world.examine(text.replace(wrong, right).as_bytes()).is_ok(), "{fault:?}");
    }
    let text = String::from_utf8(world.answer(&[Fault::Cdata])).unwrap();
    let text = text.replace("<![CDATA[", "").replace("]]>", "");
    assert!(world.examine(text.as_bytes()).is_ok());
}

#[test]
fn a_leading_zero_and_a_repeated_identifier_are_what_they_say() {
    let world = World::new();
    let replayed = world.examine(&world.answer(&[Fault::ReplayedAssertion])).unwrap();
    assert_eq!(replayed.id(), PREVIOUS);
    assert_eq!(world.examine(&world.answer(&[])).unwrap().id(), ASSERTION);
    let both = [Fault::LeadingZero, Fault::KeyWrap192, Fault::ShortContentKey];
    assert!(world.examine(&world.answer(&both)).is_ok());
}

#[test]
fn any_two_faults_together_build_an_answer_and_sign_nobody_else_in() {
    let world = World::new();
    for (index, &first) in Fault::ALL.iter().enumerate() {
        for &second in &Fault::ALL[index + 1..] {
            // One pair in seven keeps the test quick.
            if !(index + second as usize).is_multiple_of(7) || first == Fault::LeadingZero {
                continue;
            }
            let Ok(answer) = build(&world.login(), &world.kit, &[first, second], world.now) else {
                // Two wrappings may hold the same forged part twice, which cannot be signed over.
                continue;
            };
            if let Ok(assertion) = world.examine(&answer) {
                assert_eq!(assertion.person().family_name(), Some("Żółkiewska"));
            }
        }
    }
}

#[test]
fn answers_without_a_login_are_signed_too() {
    let world = World::new();
    let nothing = only_status(&world.kit, NODE, RESOLVE, None, world.now).unwrap();
    assert_eq!(world.examine(&nothing).unwrap_err().code(), "login.artifact_unknown_to_node");
    let status = Some((NodeStatus::Requester, "unknown issuer"));
    let refused = only_status(&world.kit, NODE, RESOLVE, status, world.now).unwrap();
    let refusal = world.examine(&refused).unwrap_err();
    assert_eq!(refusal.code(), "login.our_request_refused");
    assert!(refusal.to_string().contains("unknown issuer"));

    // What it says is told when there is no signature; one that does not hold is the reason itself.
    let code = |answer: &[u8]| world.examine(answer).unwrap_err().code();
    let text = String::from_utf8(refused).unwrap();
    let changed = text.replace("unknown issuer", "another issuer");
    assert_eq!(code(changed.as_bytes()), "login.signature_digest_mismatch");
    let (start, rest) = text.split_once("<ds:Signature ").unwrap();
    let unsigned = format!("{start}{}", rest.split_once("</ds:Signature>").unwrap().1);
    assert_eq!(code(unsigned.as_bytes()), "login.our_request_refused");
}

#[test]
fn a_logout_is_confirmed_by_the_node_for_this_request_now() {
    let world = World::new();
    let now = world.now;
    let confirm = |answer: &[u8]| {
        let expected = ExpectedLogout {
            request_id: REQUEST,
            node: NODE,
            skew: Duration::from_secs(60),
            maximum_bytes: 65_536,
        };
        confirm(answer, &world.trusted, &expected, now).map_err(|refusal| refusal.to_string())
    };
    let answer = |node, request, answer, at| logout(&world.kit, node, request, answer, at).unwrap();
    let success = answer(NODE, REQUEST, LogoutAnswer::Success, now);
    assert_eq!(confirm(&success), Ok(Confirmation::Signed));
    let failed = LogoutAnswer::Failed(NodeStatus::Requester, "unknown session");
    for (wrong, why) in [
        (answer(NODE, REQUEST, failed, now), "reports Requester"),
        (answer("other", REQUEST, LogoutAnswer::Success, now), "issued by"),
        (answer(NODE, RESOLVE, LogoutAnswer::Success, now), "answers request"),
        (
            answer(NODE, REQUEST, LogoutAnswer::Success, later(now, Duration::from_secs(61))),
            "later than now",
        ),
    ] {
        let refused = confirm(&wrong).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }

    // A signature that is there must hold.
    let foreign = logout(&World::new().kit, NODE, REQUEST, LogoutAnswer::Success, now).unwrap();
    let refused = confirm(&foreign).unwrap_err();
    assert!(refused.contains("signature"), "{refused}");

    // Without its signature it says no more than that a server says so.
    let text = String::from_utf8(success).unwrap();
    let (start, rest) = text.split_once("<ds:Signature ").unwrap();
    let (_, end) = rest.split_once("</ds:Signature>").unwrap();
    let unsigned = format!("{start}{end}");
    assert_eq!(confirm(unsigned.as_bytes()), Ok(Confirmation::Unsigned));
    for (from, to) in [
        (NODE, "other"),
        (REQUEST, RESOLVE),
        ("2031-", "2032-"),
        ("<saml2p:Status>", "x<saml2p:Status>"),
        ("Version=\"2.0\"", "Version=\"1.1\""),
        // Another message that has all of it.
        ("saml2p:LogoutResponse", "saml2p:ArtifactResponse"),
    ] {
        let wrong = unsigned.replace(from, to);
        assert_ne!(wrong, unsigned);
        assert!(confirm(wrong.as_bytes()).is_err(), "{to}");
    }
}
