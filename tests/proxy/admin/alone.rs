//! Operators who have their own token, and no file of the gateway.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::{ANNA, JAN, start};
use crate::harness::Gateway;

/// A folder of somebody's own.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("anna"), format!("{ANNA}\n")).unwrap();
        fs::write(folder.path().join("jan"), JAN).unwrap();
        fs::write(folder.path().join("wrong"), "x".repeat(40)).unwrap();
        fs::write(folder.path().join("empty"), "\n").unwrap();
        Self(folder)
    }

    /// Runs a command there; returns whether it went well, and what it said.
    fn runs(&self, gateway: &Gateway, words: &[&str]) -> (bool, String) {
        let address = gateway.operations.to_string();
        let words = words.iter().map(|word| if *word == "ADDRESS" { &address } else { *word });
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        let output = command.args(words).env_clear().current_dir(self.0.path()).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }
}

#[test]
fn an_operator_asks_with_no_more_than_an_address_and_a_token() {
    let (gateway, desk) = (start(), Desk::new());
    for (words, expected) in [
        (&["log-level", "--address", "ADDRESS", "--token-file", "anna"][..], "warn"),
        (&["keys", "--address", "ADDRESS", "--token-file", "anna", "list"], "\"kid\""),
        (&["sessions", "list", "--address", "ADDRESS", "--token-file", "jan"], ""),
        (&["capture", "--stop", "--address", "ADDRESS", "--token-file", "jan"], ""),
    ] {
        let (is_well, said) = desk.runs(&gateway, words);
        assert!(is_well && said.contains(expected), "{words:?}: {said}");
    }
}

#[test]
fn who_lacks_one_of_them_is_told_so() {
    let (gateway, desk) = (start(), Desk::new());
    for (words, expected) in [
        // What the role is not for is refused by the gateway.
        (&["log-level", "debug", "--address", "ADDRESS", "--token-file", "anna"][..], "403"),
        (&["log-level", "--address", "ADDRESS", "--token-file", "wrong"], "401"),
        (
            &["log-level", "--address", "ADDRESS", "--token-file", "empty"],
            "empty: there is no token",
        ),
        (&["log-level", "--address", "ADDRESS", "--token-file", "nowhere"], "nowhere: there is no"),
        (&["log-level", "--address", "ADDRESS"], "--token-file"),
        (&["log-level", "--token-file", "anna"], "--address"),
        (
            &[
                "log-level",
                "--address",
                "ADDRESS",
                "--token-file",
                "anna",
                "--config",
                "brama.toml",
            ],
            "cannot be used with",
        ),
        (
            &["log-level", "--address", "ADDRESS", "--token-file", "anna", "--as", "jan"],
            "cannot be used with",
        ),
        (
            &["log-level", "info", "--for", "48h", "--address", "ADDRESS", "--token-file", "jan"],
            "--for is one second to 24h",
        ),
        // No certificate of the listener, where plain HTTP is spoken.
        (
            &[
                "log-level",
                "--address",
                "ADDRESS",
                "--token-file",
                "anna",
                "--certificate",
                "nowhere",
            ],
            "nowhere",
        ),
        (
            &["audit", "find", "--address", "ADDRESS", "--token-file", "jan", "old.jsonl"],
            "a running gateway reads its own files",
        ),
        // There is no audit log here: it says so, and no file of this folder is read.
        (&["audit", "find", "--address", "ADDRESS", "--token-file", "jan"], "409"),
        (&["audit", "find", "--address", "ADDRESS", "--token-file", "anna"], "403"),
        // Who may not read the configuration is told what to do.
        (&["log-level", "--config", "brama.toml"], "--token-file"),
    ] {
        let (is_well, said) = desk.runs(&gateway, words);
        assert!(!is_well && said.contains(expected), "{words:?}: {said}");
        assert!(!said.contains(ANNA), "{said}");
    }
}

#[test]
fn a_command_says_whom_it_could_ask_as() {
    let gateway = start();
    let (is_well, said) = gateway.command("log-level", &["--as", "nikt"], "");
    assert!(
        !is_well && said.contains("no operator nikt: --as may be one of admin, anna, jan"),
        "{said}"
    );
    let (is_well, said) = gateway.command("log-level", &["--as", "anna"], "");
    assert!(is_well, "{said}");
}
