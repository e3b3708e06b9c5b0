//! The OpenAPI document, judged by others: by a validator, and by schemathesis, which makes requests of
//! it and holds the answers of a real gateway to what it promises.

use std::process::Command;

use super::{ANNA, ask, plan};
use crate::harness::{Gateway, TOKEN, tools};

#[test]
fn the_document_is_the_same_from_the_listener_and_from_the_command() {
    let gateway = plan().start();
    let asked = ask(&gateway, "GET /openapi.json", &[], "");
    assert_eq!((asked.status, asked.header("content-type")), (200, Some("application/json")));
    let printed =
        Command::new(env!("CARGO_BIN_EXE_brama")).args(["reference", "--openapi"]).output();
    let printed: serde_json::Value = serde_json::from_slice(&printed.unwrap().stdout).unwrap();
    assert_eq!(asked.json(), printed);
    // Every operation says who may, but for those that say nothing of anybody.
    for (path, methods) in printed["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let is_open = [
                "/livez",
                "/healthz",
                "/ping",
                "/startupz",
                "/readyz",
                "/metrics",
                "/openapi.json",
            ]
            .contains(&&**path)
                || path.starts_with("/probes");
            assert_eq!(operation.get("security").is_none(), is_open, "{method} {path}");
        }
    }
}

#[test]
fn a_validator_takes_the_document() {
    let Some(python) = tools::judges_python() else { return };
    let gateway = plan().start();
    let document = gateway.file("openapi.json");
    std::fs::write(&document, ask(&gateway, "GET /openapi.json", &[], "").text()).unwrap();
    let judged = Command::new(python)
        .args(["-m", "openapi_spec_validator", "--schema", "3.1"])
        .arg(&document)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&judged.stdout);
    assert!(judged.status.success() && said.contains("OK"), "{said}");
    // It would say no.
    let text = std::fs::read_to_string(&document).unwrap();
    std::fs::write(&document, text.replace("\"description\":\"the session\",", "")).unwrap();
    let python = tools::judges_python().unwrap();
    let judged = Command::new(python)
        .args(["-m", "openapi_spec_validator", "--schema", "3.1"])
        .arg(&document)
        .output()
        .unwrap();
    assert!(!judged.status.success());
}

#[test]
fn a_gateway_answers_as_the_document_says() {
    let Some(python) = tools::judges_python() else { return };
    for token in [TOKEN, ANNA] {
        let gateway = super::audit::written(plan()).start();
        let (passed, said) = examine(&gateway, python.to_str().unwrap(), token);
        assert!(passed, "{said}");
        assert!(gateway.connect().get(&gateway.host(), "/").status < 600, "it still serves");
    }
}

/// Has schemathesis ask everything as an operator.
fn examine(gateway: &Gateway, python: &str, token: &str) -> (bool, String) {
    let base = format!("http://localhost:{}", gateway.operations.port());
    let mut command = Command::new(python);
    command
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proxy/admin/schemathesis.toml"))
        .args(["run", &format!("{base}/openapi.json"), "--url", &base])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .env("PYTHONWARNINGS", "ignore")
        .current_dir(gateway.file(""));
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}
