//! `deploy/curl/sign-in.sh`: a script that signs somebody in without a browser.

use std::path::Path;
use std::process::{Command, Output};

use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Plan, Simulator, python};

fn run(gateway: &Gateway, person: &str, cookies: &Path) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/curl/sign-in.sh");
    let mut command = Command::new("sh");
    command.arg(script).args([&*gateway.url(""), person]).arg(cookies).output().unwrap()
}

/// Asks who is signed in, with the cookies of a file.
fn who(gateway: &Gateway, cookies: &Path) -> serde_json::Value {
    let mut command = Command::new("curl");
    command.arg("--silent").arg("--cookie").arg(cookies).arg(gateway.url("/.brama/session"));
    serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
}

#[test]
fn a_script_signs_a_person_in_and_says_when_the_node_refuses() {
    if !tools::has(&[Tool::Curl, Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let plan = Plan::empty()
        .upstream("portal", &url)
        .route("/", "portal", "optional")
        .with("claims = [\"given_name\"]");
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    let folder = tempfile::tempdir().unwrap();
    let cookies = folder.path().join("anna");
    let output = run(&gateway, "anna", &cookies);
    assert!(output.status.success(), "{output:?}");
    let told = who(&gateway, &cookies);
    assert_eq!((&told["signed_in"], &told["given_name"]), (&true.into(), &"Anna".into()), "{told}");
    for person in ["odmowa", "nobody-of-this-name"] {
        let cookies = folder.path().join(person);
        let output = run(&gateway, person, &cookies);
        assert!(!output.status.success(), "{person}");
        assert_eq!(who(&gateway, &cookies)["signed_in"], false, "{person}");
    }
}
