use std::time::Duration;

use brama::audit::search::{self, Query};
use brama::base::random;
use brama::simulator::faults::Fault;
use brama::simulator::people::PEOPLE;
use http::Method;
use serde_json::Value;

use super::*;
use crate::harness::world;

fn of<'r>(records: &'r [Value], kind: &str) -> Vec<&'r Value> {
    records.iter().filter(|record| record["kind"] == kind).collect()
}

#[tokio::test]
async fn each_step_of_a_login_is_a_record_and_the_records_belong_together() {
    let kept = Kept::new();
    let mut world = world().with(&kept.lines("instance = \"gate-1\"")).start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    browser.fetch_with(Method::GET, "/tax", &[("x_brama_assertion", "forged-by-me")], "").await;
    browser.submit("/.brama/logout", &[]).await;
    // Who is not signed in ends nothing, with a number of their own as without one.
    let headers = [("sec-fetch-site", "same-origin")];
    let invented = [headers[0], ("cookie", "__Host-brama-session=AAAAAAAAAAAAAAAAAAAAAA")];
    for headers in [&headers[..], &invented] {
        let mut stranger = world.browser();
        let told = stranger.fetch_with(Method::POST, "/.brama/logout", headers, "").await;
        assert_eq!(told.json()["outcome"], "not_signed_in");
    }
    world.next_fault(Fault::Audience);
    world.browser().sign_in("/tax", "zofia").await;
    world.tell_to_stop();
    world.stopped().await;

    let records = kept.records();
    let report = kept.verify();
    assert!(report.is_whole() && report.chains[0].is_closed, "{report:?}");
    assert!(report.notes.is_empty(), "{:?}", report.notes);
    let one = |kind| {
        let found = of(&records, kind);
        assert_eq!(found.len(), 1, "{kind}: {records:?}");
        found[0].clone()
    };
    let signed_in = one("signed_in");
    let started = of(&records, "login_started");
    assert_eq!(started.len(), 2);
    let request = signed_in["authn_request"].as_str().unwrap();
    assert!(request.starts_with("ID-"), "{request}");
    assert_eq!(started[0]["authn_request"], request);
    let resolved = of(&records, "artifact_resolved");
    assert_eq!(resolved[0]["authn_request"], request);
    assert_eq!(resolved[0]["artifact"], signed_in["artifact"]);
    assert!(signed_in["assertion"].is_string() && signed_in["assurance"].is_string());
    let sid = signed_in["sid"].as_str().unwrap();
    assert!(random::is_handle(signed_in["person"].as_str().unwrap()), "{signed_in}");
    assert_eq!(signed_in["instance"], "gate-1");
    // 127.0.0.1 is masked.
    assert_eq!(signed_in["client"], "127.0.0.0");
    assert_eq!(one("signed_out")["sid"], sid);
    assert_eq!(one("request_refused")["reason"], "request.identity_header_alias");
    let refused = one("login_refused");
    assert_eq!(refused["reason"], "login.wrong_audience");
    assert_eq!(refused["authn_request"], started[1]["authn_request"]);
    assert!(refused.get("person").is_none(), "nobody is believed of a refused answer");
    // The number of the request is that of the page and of the access log.
    assert!(signed_in["request"].as_str().is_some_and(|request| !request.is_empty()));

    // Who has the key finds the person, and nobody else.
    let anna = PEOPLE.iter().find(|person| person.key == "anna").unwrap();
    let find = |identifier: &str, key| {
        let query = Query::default().person(&[key], identifier);
        let mut found = Vec::new();
        let paths = [kept.file()];
        search::find(&paths, &query, |_, record| found.push(record.kind)).unwrap();
        found.len()
    };
    assert_eq!(find(&anna.identifier, kept.person_key()), 1);
    assert_eq!(find(&anna.identifier, PersonKey::generate()), 0);
    assert_eq!(find("44051401358", kept.person_key()), 0);
}

#[tokio::test]
async fn who_ended_a_session_and_what_metrics_say_of_it() {
    let kept = Kept::new();
    let mut world = world().with(&kept.lines("")).start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    assert_eq!(world.end_all_sessions().await, 1);
    let begin = std::time::Instant::now();
    let metrics = loop {
        let metrics = world.metrics().await;
        let written = number(&metrics, "brama_audit_records_written_total");
        if written >= 4.0 {
            break metrics;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "{metrics}");
    };
    assert_eq!(number(&metrics, "brama_audit_records_lost_total"), 0.0);
    assert_eq!(number(&metrics, "brama_audit_well"), 1.0);
    assert!(number(&metrics, "brama_audit_last_sync_timestamp_seconds") > 1.7e9);
    assert!(number(&metrics, "brama_audit_queue_maximum_bytes") > 1e6);
    world.tell_to_stop();
    world.stopped().await;
    let records = kept.records();
    let ended = of(&records, "session_ended");
    assert_eq!(ended.len(), 1, "{records:?}");
    assert_eq!(ended[0]["outcome"], "operator");
    assert_eq!(ended[0]["sid"], of(&records, "signed_in")[0]["sid"]);
}

fn number(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{name} is not told"))
        .rsplit(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}
