//! Histories in words.

use super::Told;
use super::words::Language;
use crate::base::clock::Time;
use crate::flow::history::{History, Outcome, Step, Visit, What};
use crate::saml::finding::{Finding, Value};

fn at(time: &str) -> Time {
    format!("2031-07-04T10:{time}Z").parse().unwrap()
}

fn refused(finding: Option<Finding>, detail: &str) -> Outcome {
    Outcome::Refused {
        reason: "login.not_fresh".to_owned(),
        status: 502,
        page: "NotIdentifiedAnew".to_owned(),
        finding,
        detail: detail.to_owned(),
    }
}

fn history(outcome: Outcome) -> History {
    let steps = vec![Step { at: at("21:38.655"), what: What::Claimed }];
    let (number, request) = ("RBW3FHWH".to_owned(), "request-1".to_owned());
    let told = Some(at("21:40.101"));
    let visit = Visit { at: at("21:38.412"), told, number, request, steps, outcome };
    History { began: Some(at("20:30.217")), visits: vec![visit], ..History::default() }
}

fn told(history: History) -> String {
    Told(history).in_words(Language::English)
}

#[test]
fn each_time_is_universal_and_that_of_its_step() {
    let found = Value::time("2031-07-04T12:20:29.5+02:00".parse().unwrap());
    let finding = Finding::new("authn_instant_fresh", Value::time(at("20:30.217")), found);
    let said = told(history(refused(Some(finding), "")));
    for line in [
        "2031-07-04 10:21:38.412 UTC: not signed in: login.not_fresh\nwhat failed:\n",
        "    expected: 2031-07-04 10:20:30.217 UTC\n    found: 2031-07-04 10:20:29.500 UTC\n",
        "\nwhat happened (UTC):\n  10:20:30.217 the citizen was sent to the node",
        "\n  10:21:38.655 the login was claimed\n  10:21:40.101 the citizen was told ",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    // One that was kept before the telling was noted has the time of its request.
    let mut older = history(refused(None, ""));
    older.visits[0].told = None;
    assert!(told(older).contains("\n  10:21:38.412 the citizen was told "));
}

#[test]
fn what_failed_has_no_heading_where_nothing_is_said_of_it() {
    assert!(!told(history(refused(None, ""))).contains("what failed"));
    let said = told(history(refused(None, "the disk is full")));
    assert!(said.contains("\nwhat failed:\n  the disk is full\n"), "{said}");
    // A log of the audit that takes nothing is said by its check.
    let finding = Finding::new("audit_written", Value::Nothing, Value::Nothing);
    let said = told(history(refused(Some(finding), "")));
    assert!(
        said.contains("\nwhat failed:\n  audit_written: the audit log can be written"),
        "{said}"
    );
}

#[test]
fn which_site_led_there_is_said_where_it_is_known() {
    let (another, unknown) = ("; a page of another site led there", "is not known: the browser");
    for (from_elsewhere, from_unknown) in [(false, false), (true, false), (false, true)] {
        let history = History { from_elsewhere, from_unknown, ..history(refused(None, "")) };
        let said = told(history);
        let seen = (said.contains(another), said.contains(unknown));
        assert_eq!(seen, (from_elsewhere, from_unknown), "{said}");
    }
}
