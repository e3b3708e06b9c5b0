//! A genuine answer of the node: accepted as it is, refused when anything about it differs.
//!
//! The folder that `BRAMA_NODE_SAMPLE` names (test data that not everybody has) holds
//! `artifact-response.xml`, a re-indented copy, the recipient's key, the node's certificate and the
//! expected plain text.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::tools::said;

const AT: &str = "2018-09-13T13:20:00Z";

fn sample() -> Option<PathBuf> {
    let folder = std::env::var_os("BRAMA_NODE_SAMPLE").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: BRAMA_NODE_SAMPLE is not set");
    }
    folder
}

fn explain(folder: &Path, file: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    command.arg("explain").arg(file).arg("--json");
    command.arg("--trusted-certificate").arg(folder.join("node-signing.crt.pem"));
    command.arg("--decryption-key").arg(folder.join("du_enc_ec.key.pem"));
    command.args(["--issuer", "http://localhost.sp.pl", "--node-issuer", "localhost.wk.gov.pl"]);
    command.args(["--acs", "http://localhost:11080/saml-emulator/context"]);
    command.args(["--request-id", "ID-d136a4ee-a3a3-4392-a055-2e95d44165bc"]);
    command.args(["--resolve-id", "ID-09a2e477-dd85-4ce2-9420-0d9cc27244df"]);
    // The last of a repeated flag would be an error, so each case gives its own.
    if !more.contains(&"--at") {
        command.args(["--at", AT]);
    }
    command.args(more).output().unwrap()
}

fn verdict(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(output)))
}

#[test]
fn the_genuine_answer_is_accepted_and_names_the_expected_person() {
    let Some(folder) = sample() else { return };
    let file = folder.join("artifact-response.xml");
    let output = explain(&folder, &file, &["--show-personal-data", "--assurance", "substantial"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let verdict = verdict(&output);
    assert_eq!(verdict["verdict"], "accepted");
    assert_eq!(verdict["assurance"], "substantial");
    let expected = std::fs::read_to_string(folder.join("expected-assertion.xml")).unwrap();
    for name in ["given_name", "family_name", "birthdate", "identifier"] {
        let value = verdict["person"][name].as_str().unwrap();
        assert!(expected.contains(&format!(">{value}")), "{name} is {value}");
    }
    let checks = verdict["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["outcome"] == "passed"), "{checks:#?}");
    assert!(checks.len() > 25);
}

#[test]
fn personal_data_is_masked_unless_asked_for() {
    let Some(folder) = sample() else { return };
    let output = explain(&folder, &folder.join("artifact-response.xml"), &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    let expected = std::fs::read_to_string(folder.join("expected-assertion.xml")).unwrap();
    let shown = explain(&folder, &folder.join("artifact-response.xml"), &["--show-personal-data"]);
    for name in ["given_name", "family_name", "identifier"] {
        let value = verdict(&shown)["person"][name].as_str().unwrap().to_owned();
        assert!(expected.contains(&value) && !text.contains(&value), "{name}");
    }
}

#[test]
fn the_reindented_copy_is_refused_for_its_signature() {
    let Some(folder) = sample() else { return };
    let output = explain(&folder, &folder.join("artifact-response-reindented.xml"), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let verdict = verdict(&output);
    assert_eq!(verdict["verdict"], "refused");
    assert_eq!(verdict["reason"], "login.signature_digest_mismatch");
    assert_eq!(verdict["person"], Value::Null);
}

#[test]
fn the_genuine_answer_is_refused_at_another_time_and_for_another_level() {
    let Some(folder) = sample() else { return };
    let file = folder.join("artifact-response.xml");
    for (more, reason) in [
        (["--at", "2018-09-13T13:16:00Z"], "login.artifact_response_issued_in_future"),
        (["--at", "2018-09-13T14:08:51Z"], "login.confirmation_not_on_or_after"),
        (["--assurance", "high"], "login.assurance_too_low"),
    ] {
        let verdict = verdict(&explain(&folder, &file, &more));
        assert_eq!(verdict["reason"], reason, "{more:?}");
    }
    let late_but_within_skew = explain(&folder, &file, &["--at", "2018-09-13T14:08:50Z"]);
    assert_eq!(verdict(&late_but_within_skew)["verdict"], "accepted");
}

#[test]
fn the_genuine_answer_is_refused_when_a_byte_differs() {
    let Some(folder) = sample() else { return };
    let genuine = std::fs::read_to_string(folder.join("artifact-response.xml")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    for (name, from, to) in [
        (
            "status",
            "status:Success\"/></saml2p:Status><saml2p:Response",
            "status:AuthnFailed\"/></saml2p:Status><saml2p:Response",
        ),
        (
            "inner-status",
            "status:Success\"/></saml2p:Status><saml2:Enc",
            "status:AuthnFailed\"/></saml2p:Status><saml2:Enc",
        ),
        ("issuer", "<saml2:Issuer>localhost.wk", "<saml2:Issuer>localhosT.wk"),
        ("party", "PartyVInfo=\"0000", "PartyVInfo=\"0001"),
    ] {
        let changed = genuine.replacen(from, to, 1);
        assert_ne!(changed, genuine, "{name}");
        let file = scratch.path().join(name);
        std::fs::write(&file, changed).unwrap();
        let verdict = verdict(&explain(&folder, &file, &[]));
        assert_eq!(verdict["reason"], "login.signature_digest_mismatch", "{name}");
    }
}

#[test]
fn wrong_usage_is_told_apart_from_a_refusal() {
    let Some(folder) = sample() else { return };
    let output = explain(&folder, Path::new("no-such-file"), &[]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    let output = command.arg("explain").arg(folder.join("artifact-response.xml")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}
