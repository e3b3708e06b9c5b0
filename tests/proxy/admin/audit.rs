//! What operators find in the audit log.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::{ANNA, JAN, ask, bearer, operated, plan};
use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, Gateway, Plan, Simulator, python, sign_in};

/// Has the audit log written to a file.
pub(super) fn written(plan: Plan) -> Plan {
    let folder = |name: &str| plan.path(name).display().to_string();
    let (state, file) = (folder("state"), folder("audit.jsonl"));
    plan.portal(&format!("state_directory = \"{state}\""))
        .environment("BRAMA__AUDIT__TARGET", "file")
        .environment("BRAMA__AUDIT__FILE", &file)
}

fn find(gateway: &Gateway, wanted: &Value) -> Answer {
    let fields = [&*bearer(JAN), "Content-Type: application/json"];
    ask(gateway, "POST /audit/find", &fields, &wanted.to_string())
}

/// Runs `brama audit find` with the gateway's configuration.
fn command(gateway: &Gateway, words: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    // The environment has what is not in the file.
    command.envs(gateway.environment.iter().map(|(name, value)| (name, value)));
    command.args(["audit", "find", "--config"]).arg(gateway.file("brama.toml")).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who refuses its words reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn a_writer_finds_what_a_person_did_and_nothing_that_was_asked_is_kept() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let before = written(operated(Plan::empty()))
        .log("level = \"debug\"")
        .upstream("portal", &url)
        .route("/", "portal", "required");
    let simulator = Simulator::start(before.address());
    let gateway = before.node(&simulator).start();
    sign_in(&gateway, "anna");
    sign_in(&gateway, "lukasz");
    super::until(|| find(&gateway, &json!({ "identifier": PESEL })).json()["records"] != json!([]));

    let told = find(&gateway, &json!({ "identifier": PESEL })).json();
    let records = told["records"].as_array().unwrap();
    assert_eq!(records.len(), 1, "{told}");
    assert_eq!(records[0]["kind"], "signed_in");
    assert!(told["read"].as_u64().unwrap() >= 6 && told["broken"] == 0, "{told}");
    assert_eq!(told["next"], Value::Null);
    let sid = records[0]["sid"].as_str().unwrap();
    for (wanted, least) in [
        (json!({ "sid": sid }), 1),
        (json!({ "request": records[0]["request"] }), 1),
        (json!({ "authn_request": records[0]["authn_request"] }), 2),
        (json!({ "identifier": PESEL, "sid": sid, "from": "2020-01-01" }), 1),
        (json!({ "from": "2020-01-01T00:00:00Z", "to": "2120-01-01" }), 6),
        (json!({}), 6),
        (json!({ "identifier": "44051401359" }), 0),
        (json!({ "identifier": PESEL, "to": "2020-01-01" }), 0),
        (json!({ "sid": "another" }), 0),
        (json!({ "number": "RBW3FHWH" }), 0),
    ] {
        let found = find(&gateway, &wanted).json()["records"].as_array().unwrap().len();
        assert_eq!((found >= least, found == 0), (true, least == 0), "{wanted}: {found}");
    }
    // Part after part, each record once.
    let (mut after, mut sequences) = (Value::Null, Vec::new());
    loop {
        let part = find(&gateway, &json!({ "limit": 2, "after": after })).json();
        let records = part["records"].as_array().unwrap();
        assert!(records.len() <= 2);
        sequences.extend(records.iter().map(|record| record["sequence"].as_u64().unwrap()));
        after = part["next"].clone();
        // Each search is a record itself, so there is always one more.
        if after.is_null() || sequences.len() > 20 {
            break;
        }
    }
    assert!(sequences.is_sorted_by(|one, other| one + 1 == *other), "{sequences:?}");

    // It is told who looked by what, and nothing of what was asked.
    let acted = find(&gateway, &json!({ "from": "2020-01-01", "limit": 1000 })).text();
    for part in ["\"action\":\"searched_audit\"", "\"admin\":\"jan\"", "\"identifier,sid,from\""] {
        assert!(acted.contains(part), "{part} in {acted}");
    }
    gateway.has_said(&["operator searched the audit log", "identifier,sid,from", "\"jan\""]);
    let log = std::fs::read_to_string(gateway.file("audit.jsonl")).unwrap();
    for text in [&gateway.program.said().join("\n"), &log] {
        assert!(!text.contains(PESEL) && !text.contains("44051401359"), "{text}");
    }

    // The command finds the same by the running gateway as in the files.
    let words = ["--identifier-file", "-"];
    let read = command(&gateway, &words, PESEL);
    let remote = [&words[..], &["--remote", "--as", "jan"]].concat();
    let asked = command(&gateway, &remote, PESEL);
    assert_eq!((read.status.code(), asked.status.code()), (Some(0), Some(0)), "{asked:?}");
    assert_eq!(String::from_utf8_lossy(&asked.stdout), String::from_utf8_lossy(&read.stdout));
    for (words, code) in [
        (&["--remote", "--as", "jan", "--session", "another"][..], 1),
        (&["--remote", "--as", "anna", "--session", "another"], 2),
        (&["--remote", "--as", "nobody", "--session", "another"], 2),
        (&["--remote", "--as", "jan", "--session", PESEL], 2),
        (&["--as", "jan", "--session", "another"], 2),
    ] {
        let asked = command(&gateway, words, "");
        let said = String::from_utf8_lossy(&asked.stderr).into_owned();
        assert_eq!(asked.status.code(), Some(code), "{words:?}: {said}");
        assert!(asked.stdout.is_empty() && !said.contains(PESEL), "{said}");
    }
}

#[test]
fn what_is_no_question_is_refused_and_not_repeated() {
    let gateway = written(plan()).start();
    let place = "1.0.AAAAAAAAAAAAAAAAAAAAAA.1";
    for (wanted, status) in [
        (json!({ "identifier": "" }), 400),
        (json!({ "identifier": "  " }), 400),
        (json!({ "sid": PESEL }), 400),
        (json!({ "request": PESEL }), 400),
        (json!({ "number": PESEL }), 400),
        (json!({ "from": PESEL }), 400),
        (json!({ "from": "yesterday" }), 400),
        (json!({ "number": "short" }), 400),
        (json!({ "limit": 0 }), 400),
        (json!({ "limit": 1001 }), 400),
        (json!({ "after": "1" }), 400),
        (json!({ "pesel": PESEL }), 400),
        (json!([PESEL]), 400),
        (json!({ "after": place }), 409),
        (json!({ "limit": 1000 }), 200),
    ] {
        let answer = find(&gateway, &wanted);
        assert_eq!(answer.status, status, "{wanted}: {}", answer.text());
        assert!(status == 200 || !answer.text().contains(PESEL), "{}", answer.text());
    }
    // Nobody's addresses are asked for.
    for line in ["GET /audit/find", "POST /audit/find?identifier=1"] {
        let answer = ask(&gateway, line, &[&bearer(JAN)], "");
        assert!(matches!(answer.status, 405 | 415), "{line}: {}", answer.status);
    }
    let json = "Content-Type: application/json";
    for (fields, status) in [(vec![json], 401), (vec![json, &*bearer(ANNA)], 403)] {
        assert_eq!(ask(&gateway, "POST /audit/find", &fields, "{}").status, status);
    }
    // Where its records go elsewhere, it says so.
    let gateway = plan().start();
    let answer = find(&gateway, &json!({ "identifier": PESEL }));
    assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("conflict")));
    assert!(answer.text().contains("audit.target") && !answer.text().contains(PESEL));
}

#[test]
fn one_search_at_a_time_holds_up_neither_the_log_nor_health() {
    let gateway = written(plan()).start();
    super::until(|| gateway.file("audit.jsonl").exists());
    super::until(|| find(&gateway, &json!({})).json()["read"].as_u64() > Some(0));
    // Much to read: the first line very often.
    let line = std::fs::read_to_string(gateway.file("audit.jsonl")).unwrap();
    let line = format!("{}\n", line.lines().next().unwrap());
    let much = line.repeat(12 * 1024 * 1024 / line.len());
    std::fs::write(gateway.file("audit.jsonl.1"), much).unwrap();
    let fields = [&*bearer(JAN), "Content-Type: application/json"];
    let nobody = json!({ "identifier": "44051401359" }).to_string();
    let (mut first, mut refused) = (gateway.operations(), None);
    super::until(|| {
        first.send(super::request("POST /audit/find", &fields, &nobody).as_bytes());
        let second = find(&gateway, &json!({ "limit": 1 }));
        refused = (second.status == 429).then_some(second);
        if refused.is_none() {
            // It came before the first one, which is the one that was refused.
            first.answer("POST");
            first = gateway.operations();
        }
        refused.is_some()
    });
    let refused = refused.unwrap();
    assert_eq!(refused.json()["code"], "busy");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(ask(&gateway, "GET /healthz", &[], "").status, 200);
    // What operators do meanwhile is written.
    let end = ask(&gateway, "POST /sessions/end", &fields, "{\"all\":true}");
    assert_eq!(end.status, 200);
    super::until(|| {
        let log = std::fs::read_to_string(gateway.file("audit.jsonl")).unwrap();
        log.contains("ended_sessions")
    });
    let answer = first.answer("POST");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(find(&gateway, &json!({ "limit": 1 })).status, 200);
}

/// The PESEL of Anna.
const PESEL: &str = "84851401359";
