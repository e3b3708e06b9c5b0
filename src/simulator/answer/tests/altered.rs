//! Answers of which one thing is another, sealed and signed by the node all the same: so it is the
//! rule about this thing that refuses them, and no signature.

use super::super::message::{Seal, artifact_response, response};
use super::*;
use crate::saml::checks::Outcome as Checked;
use crate::saml::soap;

/// What is altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Assertion,
    Inner,
    Outer,
}

use Which::{Assertion as Sealed, Inner, Outer};

/// What it says without its one alteration.
const RESTRICTION: &str = "<saml2:AudienceRestriction><saml2:Audience>https://portal.example</saml2:Audience></saml2:AudienceRestriction>";
const OURS: &str = "<saml2:Audience>https://portal.example</saml2:Audience>";
const OTHER: &str = "<saml2:Audience>https://other.example</saml2:Audience>";
const BEARER: &str = "Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"";
const VERSION: &str = " Version=\"2.0\"";
const CONDITIONS_END: &str = " NotOnOrAfter=\"2031-03-04T11:10:30.000Z\">";
const CONFIRMATION_END: &str = " NotOnOrAfter=\"2031-03-04T11:10:30.000Z\" Recipient";

impl World {
    /// An answer in which the first `from` of a part is `to`.
    fn altered(&self, which: Which, from: &str, to: &str) -> Vec<u8> {
        let alter = |part: Which, text: String| {
            if part != which {
                return text;
            }
            assert!(text.contains(from), "{from} is not in {text}");
            text.replacen(from, to, 1)
        };
        let signer = self.kit.node_signer();
        let plan = Plan::new(&self.login(), &self.kit, &[], self.now);
        let inner = plan.inner.as_ref().unwrap();
        let sealed = plan.encryption.seal(&alter(Sealed, plan.claims.write())).unwrap();
        let inside = alter(Inner, response(inner, Seal::Template(signer), &sealed));
        let text = artifact_response(&plan.outer, Seal::Template(signer), "@");
        let text = alter(Outer, text).replacen('@', &inside, 1);
        let text = signer.sign(&text, &[&inner.id]).unwrap();
        let text = signer.sign(&text, &[&plan.outer.id]).unwrap();
        soap::wrap(&text).into_bytes()
    }

    fn says(&self, answer: &[u8]) -> &'static str {
        self.examine(answer).map_or_else(|refusal| refusal.code().as_str(), |_| "ok")
    }
}

#[test]
fn each_rule_about_an_answer_refuses_it_alone() {
    const SEALED: &str = "login.unexpected_assertion";
    const SHOWN: &str = "login.unexpected_answer";
    let world = World::new();
    let long =
        |count| format!("<saml2:NameID Format=\"urn:x\">{}</saml2:NameID>", "x".repeat(count));
    let named = |id: &str| format!(" ID=\"{id}\"");
    let text = Plan::new(&world.login(), &world.kit, &[], world.now).claims.write();
    let between = |start: &str, end: &str| {
        let from = text.find(start).unwrap();
        text[from..from + text[from..].find(end).unwrap() + end.len()].to_owned()
    };
    let name_id = between("<saml2:NameID", "</saml2:NameID>");
    let confirmation = between("<saml2:SubjectConfirmation ", "</saml2:SubjectConfirmation>");
    let authority = between("<saml2:AuthenticatingAuthority>", "</saml2:AuthenticatingAuthority>");
    let index = format!(" SessionIndex=\"{ASSERTION}\"");
    let value = between("<saml2:AttributeValue", "</saml2:AttributeValue>");
    let in_value = |count: usize| format!(">{}</saml2:AttributeValue>", "x".repeat(count));
    let family = &value[value.find('>').unwrap()..];
    let acs = format!(" Destination=\"{ACS}\"");
    let elsewhere = " Destination=\"https://other.example/acs\"";
    let rows: &[(Which, &str, &str, &str)] = &[
        // Nothing is altered.
        (Sealed, VERSION, VERSION, "ok"),
        // Versions.
        (Sealed, VERSION, " Version=\"1.1\"", SEALED),
        (Sealed, VERSION, " Version=\"2.1\"", SEALED),
        (Sealed, VERSION, "", SEALED),
        (Inner, VERSION, " Version=\"1.1\"", SHOWN),
        (Inner, VERSION, "", SHOWN),
        (Outer, VERSION, " Version=\"1.1\"", SHOWN),
        (Outer, VERSION, "", SHOWN),
        // Dates of the messages.
        (Sealed, " IssueInstant=", " Issued=", SEALED),
        (Sealed, " IssueInstant=\"", " IssueInstant=\"on ", SEALED),
        (Inner, " IssueInstant=", " Issued=", SHOWN),
        (Inner, " IssueInstant=\"", " IssueInstant=\"on ", SHOWN),
        (Outer, " IssueInstant=", " Issued=", SHOWN),
        // Destinations: of what the browser brings, and SOAP has none (SAML core 3.2.2).
        (Inner, VERSION, &format!("{VERSION}{acs}"), "ok"),
        (Inner, VERSION, &format!("{VERSION}{elsewhere}"), "login.wrong_destination"),
        (Inner, VERSION, &format!("{VERSION} Destination=\"\""), "login.wrong_destination"),
        (Outer, VERSION, &format!("{VERSION}{elsewhere}"), "ok"),
        // Audiences: one of those of each restriction, and one restriction at least.
        (Sealed, RESTRICTION, "", SEALED),
        (Sealed, RESTRICTION, "<saml2:OneTimeUse/>", SEALED),
        (Sealed, RESTRICTION, &format!("{RESTRICTION}<saml2:OneTimeUse/>"), "ok"),
        (Sealed, RESTRICTION, &RESTRICTION.repeat(2), "ok"),
        (
            Sealed,
            RESTRICTION,
            &format!("{RESTRICTION}{}", RESTRICTION.replace(OURS, OTHER)),
            "login.wrong_audience",
        ),
        (Sealed, OURS, &format!("{OTHER}{OURS}"), "ok"),
        (Sealed, OURS, OTHER, "login.wrong_audience"),
        (Sealed, OURS, "", "login.wrong_audience"),
        (Sealed, OURS, &format!("{OURS}<saml2:OneTimeUse/>"), SEALED),
        // The confirmation.
        (Sealed, BEARER, &BEARER.replace("bearer", "sender-vouches"), SEALED),
        (Sealed, BEARER, &BEARER.replace("bearer", "holder-of-key"), SEALED),
        (Sealed, &confirmation, "", SEALED),
        (Sealed, &confirmation, &confirmation.repeat(2), SEALED),
        (Sealed, CONFIRMATION_END, " Recipient", SEALED),
        (Sealed, CONDITIONS_END, ">", SEALED),
        // Names, of which none is empty or longer than 500 characters.
        (Sealed, &named(ASSERTION), &named(&"x".repeat(500)), "ok"),
        (Sealed, &named(ASSERTION), &named(&"x".repeat(501)), SEALED),
        (Sealed, &name_id, &long(500), "ok"),
        (Sealed, &name_id, &long(501), SEALED),
        (Sealed, &name_id, &long(0), SEALED),
        (Sealed, family, &in_value(500), "ok"),
        (Sealed, family, &in_value(501), "login.attribute_malformed"),
        (Sealed, family, ">a&#x85;b</saml2:AttributeValue>", "login.attribute_malformed"),
        (Sealed, &value, &value.repeat(2), "login.attribute_repeated"),
        (Sealed, &value, "", "login.attribute_malformed"),
        (
            Sealed,
            &value,
            &value.replace("AttributeValue", "Attribute"),
            "login.attribute_malformed",
        ),
        (Sealed, &index, "", "ok"),
        (Sealed, &index, " SessionIndex=\"\"", SEALED),
        (Sealed, &authority, "", "ok"),
        (Sealed, &authority, &authority.replace("pz.gov.pl", " "), SEALED),
    ];
    let mut mismatches = Vec::new();
    for &(which, from, to, expected) in rows {
        let found = world.says(&world.altered(which, from, to));
        if found != expected {
            mismatches.push(format!("{which:?}: {from} is {to}: {found}, expected {expected}"));
        }
    }
    assert!(mismatches.is_empty(), "\n{}", mismatches.join("\n"));
}

#[test]
fn what_has_no_session_index_is_known_by_the_identifier_of_the_assertion() {
    let world = World::new();
    let index = format!(" SessionIndex=\"{ASSERTION}\"");
    let other = " SessionIndex=\"other\"";
    let read = |to: &str| world.examine(&world.altered(Sealed, &index, to)).unwrap();
    assert_eq!(read("").session_index(), ASSERTION);
    assert_eq!(read(other).session_index(), "other");
}

#[test]
fn a_login_is_refused_when_a_check_was_not_made_however_right_the_answer_is() {
    type Leave = fn(&mut Expected);
    let world = World::new();
    let answer = world.answer(&[]);
    let examined = |expected| examine(&answer, &world.trusted, &world.keys, &expected, world.now);
    assert!(examined(expected()).for_login().is_ok());
    let rows: [(Leave, &str); 6] = [
        (|e| e.node = None, "artifact_response_issuer"),
        (|e| e.resolve_id = None, "artifact_response_in_response_to"),
        (|e| e.request_id = None, "response_in_response_to"),
        (|e| e.service = None, "encryption_party_service"),
        (|e| e.acs = None, "assertion_recipient"),
        (|e| e.assurance = None, "assurance"),
    ];
    for (leave, check) in rows {
        let mut expected = expected();
        leave(&mut expected);
        assert!(examined(expected.clone()).outcome.is_ok(), "{check}: nothing contradicts it");
        let refusal = examined(expected).for_login().unwrap_err();
        assert_eq!(refusal.code(), "login.check_not_made");
        assert!(matches!(refusal, Refusal::NotChecked(left_out) if left_out == check), "{refusal}");
    }
}

#[test]
fn times_hold_to_the_very_millisecond() {
    let world = World::new();
    let answer = world.answer(&[]);
    let skew = Duration::from_secs(60);
    let one = Duration::from_millis(1);
    let code = |now| world.examine_at(&answer, now).map(|_| ()).map_err(|r| r.code().as_str());
    // It was made at :30.123, and its conditions hold from the full second on.
    let made = earlier(world.now, skew);
    assert_eq!(code(made), Ok(()));
    assert_eq!(code(earlier(made, one)), Err("login.artifact_response_issued_in_future"));
    let end: Time = "2031-03-04T11:10:30.000Z".parse().unwrap();
    assert_eq!(code(earlier(later(end, skew), one)), Ok(()));
    assert_eq!(code(later(end, skew)), Err("login.confirmation_not_on_or_after"));
}

#[test]
fn an_assertion_holds_for_a_day_and_no_longer() {
    let world = World::new();
    let day = Duration::from_secs(24 * 60 * 60);
    let ends = |end: Time| {
        world.says(&world.altered(Sealed, CONDITIONS_END, &format!(" NotOnOrAfter=\"{end:.3}\">")))
    };
    // The clock of the node may be ahead of ours by the skew.
    let latest = later(later(world.now, Duration::from_secs(60)), day);
    assert_eq!(ends(latest), "ok");
    assert_eq!(ends(later(latest, Duration::from_millis(1))), "login.unexpected_assertion");
}

#[test]
fn a_refused_signature_is_noted_for_the_message_that_it_is_of() {
    let world = World::new();
    for (fault, check) in [
        (Fault::ForeignInnerSignature, "response_signature"),
        (Fault::UnsignedResponse, "response_signature"),
        (Fault::ForeignSignature, "artifact_response_signature"),
        (Fault::UnsignedArtifactResponse, "artifact_response_signature"),
    ] {
        let answer = world.answer(&[fault]);
        let examined = examine(&answer, &world.trusted, &world.keys, &expected(), world.now);
        let last = examined.checks.list().last().unwrap();
        assert_eq!((last.name, last.outcome), (check, Checked::Failed));
    }
}

#[test]
fn an_answer_may_come_without_its_envelope_only_where_people_bring_it() {
    let world = World::new();
    let whole = String::from_utf8(world.answer(&[])).unwrap();
    let start = whole.find("<saml2p:ArtifactResponse").unwrap();
    let tag = "</saml2p:ArtifactResponse>";
    let bare = &whole[start..whole.find(tag).unwrap() + tag.len()];
    let says = |answer: &str, wrapping| {
        let expected = Expected { wrapping, ..expected() };
        let examined =
            examine(answer.as_bytes(), &world.trusted, &world.keys, &expected, world.now);
        examined.outcome.map_or_else(|refusal| refusal.code().as_str(), |_| "ok")
    };
    assert_eq!(says(&whole, Wrapping::Soap), "ok");
    assert_eq!(says(bare, Wrapping::Soap), "login.unexpected_answer");
    assert_eq!(says(&whole, Wrapping::SoapOrBare), "ok");
    assert_eq!(says(bare, Wrapping::SoapOrBare), "ok");
    assert_eq!(says("<a/>", Wrapping::SoapOrBare), "login.unexpected_answer");
}

#[test]
fn the_node_may_say_when_its_session_ends() {
    let world = World::new();
    let index = format!(" SessionIndex=\"{ASSERTION}\"");
    let ends = |end: Time| format!("{index} SessionNotOnOrAfter=\"{end:.3}\"");
    let end = later(world.now, Duration::from_secs(600));
    let read = world.examine(&world.altered(Sealed, &index, &ends(end))).unwrap();
    assert_eq!(read.session_end(), Some(end));
    assert_eq!(world.examine(&world.answer(&[])).unwrap().session_end(), None);
    // It is over, by more than the clocks may differ.
    let over = world.altered(Sealed, &index, &ends(earlier(world.now, Duration::from_secs(60))));
    assert_eq!(world.says(&over), "login.session_not_on_or_after");
}

#[test]
fn an_answer_that_holds_went_through_every_check_and_each_is_listed() {
    let world = World::new();
    let listed = |answer: &[u8]| {
        let examined = examine(answer, &world.trusted, &world.keys, &expected(), world.now);
        examined.outcome.unwrap();
        assert!(examined.checks.list().iter().all(|check| check.outcome == Checked::Passed));
        let names = examined.checks.list().iter().map(|check| check.name);
        (names.collect::<Vec<_>>(), examined.checks)
    };
    let all = [
        "well_formed",
        "artifact_response",
        "response",
        "artifact_response_signature",
        "response_signature",
        "artifact_response_issuer",
        "artifact_response_in_response_to",
        "artifact_response_issue_instant",
        "artifact_response_status",
        "response_issuer",
        "response_in_response_to",
        "response_issue_instant",
        "response_status",
        "encrypted_assertion",
        "message_schema",
        "decryption",
        "encryption_party_node",
        "encryption_party_service",
        "assertion_xml",
        "assertion_issuer",
        "assertion_issue_instant",
        "assertion_in_response_to",
        "assertion_recipient",
        "confirmation_not_before",
        "confirmation_not_on_or_after",
        "conditions_not_before",
        "conditions_not_on_or_after",
        "assertion_audience",
        "authn_instant",
        "session_not_on_or_after",
        "assurance",
        "attributes",
        "assertion_schema",
    ];
    assert_eq!(listed(&world.answer(&[])).0, all);
    // What is odd about a PESEL is told, and refuses nobody.
    let (names, checks) = listed(&world.altered(Sealed, ">1884-05-14Z<", ">1884-05-15Z<"));
    assert_eq!(
        names.iter().filter(|name| !all.contains(name)).collect::<Vec<_>>(),
        [&"pesel_note"]
    );
    let note = checks.list().iter().find(|check| check.name == "pesel_note").unwrap();
    assert!(!note.detail.is_empty() && !note.detail.contains(&*PEOPLE[0].identifier), "{note:?}");
}

#[test]
fn assertions_are_counted_encrypted_or_not() {
    let world = World::new();
    let one = "<saml2:EncryptedAssertion>";
    let two = world.altered(Inner, one, &format!("<saml2:Assertion></saml2:Assertion>{one}"));
    let refused = world.examine(&two).unwrap_err();
    assert!(matches!(refused, Refusal::SeveralAssertions(2)), "{refused}");
}
