//! The program that is the gateway alone, where one is given: what it does, and what it says of the rest.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::given;
use crate::harness::{Plan, Script};

fn does(program: &Path, words: &[&str]) -> Output {
    Command::new(program).args(words).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_gateway_alone_says_where_its_tools_are() {
    let Some(program) = given("BRAMA_GATEWAY_PROGRAM") else {
        eprintln!("SKIPPED: BRAMA_GATEWAY_PROGRAM names no program (deploy/release/try)");
        return;
    };
    for words in [&["simulator"][..], &["demo", "--help"], &["help", "doctor"], &["certs", "renew"]]
    {
        let told = does(&program, words);
        let name = words.iter().find(|word| **word != "help").unwrap();
        assert_eq!(told.status.code(), Some(2), "{told:?}");
        assert!(said(&told).contains(&format!("`{name}` is not part of this program")), "{told:?}");
        assert_eq!(said(&told).lines().count(), 1, "{told:?}");
    }
    // The twins: what is no command at all is told as ever, and what a gateway needs is there.
    let told = does(&program, &["simulate"]);
    assert!(told.status.code() == Some(2) && said(&told).contains("unrecognized"), "{told:?}");
    let help = does(&program, &["--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("healthcheck") && !help.contains("simulator"), "{help}");

    let portal = Script::start(HashMap::new());
    let gateway = Plan::before(&portal.url()).start();
    let operations = gateway.operations.to_string();
    let told = does(&program, &["healthcheck", "--address", &operations]);
    assert!(told.status.success(), "{told:?}");
    let told = does(&program, &["healthcheck", "--address", "127.0.0.1:1"]);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    let file = gateway.file("brama.toml");
    let told = does(&program, &["check", "--config", file.to_str().unwrap()]);
    assert!(told.status.success(), "{told:?}");
    fs::write(&file, "[portal]\nnothing = 1\n").unwrap();
    let told = does(&program, &["check", "--config", file.to_str().unwrap()]);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
}
