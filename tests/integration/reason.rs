//! `brama reason`, as an operator types it who has a code from a log or from a telephone.

use std::process::{Command, Output};

use brama::base::reason::Reason;

fn reason(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_brama")).arg("reason").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_code_is_told_with_its_meaning_and_who_does_what() {
    let output = reason(&["login.other_browser"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.starts_with("login.other_browser\n"), "{said}");
    for part in [
        "the answer came to a browser that did not begin the login",
        "\n    citizen: allow cookies\n",
        "\n    operator: if it happens to many",
        "docs/logins.md",
        "docs/reasons.md, \"The way back from the node\"",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    let busy = text(&reason(&["upstream.busy"]).stdout);
    assert!(busy.contains("status: 503"), "{busy}");
}

#[test]
fn an_unknown_code_is_an_error_that_names_near_ones() {
    for (typed, meant) in [
        ("login.expird", "login.expired"),
        ("other_browser", "login.other_browser"),
        ("LOGIN.OUTAGE", "login.outage"),
    ] {
        let output = reason(&[typed]);
        assert_eq!(output.status.code(), Some(1), "{typed}");
        assert!(output.stdout.is_empty());
        let said = text(&output.stderr);
        assert!(said.contains(&format!("there is no reason code \"{typed}\"")), "{said}");
        assert!(said.contains(meant), "{said}");
    }
    let said = text(&reason(&["weather"]).stderr);
    assert!(!said.contains("near it"), "{said}");
    assert!(said.contains("`brama reason` lists all"), "{said}");
}

#[test]
fn without_a_code_each_has_a_line_and_what_is_listed_can_be_asked_for() {
    let output = reason(&[]);
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stdout);
    let listed: Vec<_> = said.lines().filter_map(|line| line.split(' ').next()).collect();
    for code in Reason::ALL.iter().map(|reason| reason.as_str()) {
        assert!(listed.contains(&code), "{code} is not listed");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 100), "{said}");
    for code in [listed[0], listed[listed.len() - 1]] {
        assert_eq!(reason(&[code]).status.code(), Some(0), "{code}");
    }
    let help = Command::new(env!("CARGO_BIN_EXE_brama")).arg("--help").output().unwrap();
    assert!(text(&help.stdout).contains("Says what a reason code means"));
}
