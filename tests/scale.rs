//! The model of `benches/scale`: its own tests pass, and the tables of `docs/scale.md` are what it says.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says no by a panic")]

use std::path::Path;
use std::process::{Command, Output};

/// Runs Debian's Python in the folder of the model; none where it is not installed.
fn python(words: &[&str]) -> Option<Output> {
    let python = Path::new("/usr/bin/python3");
    if !python.is_file() {
        let required = std::env::var_os("BRAMA_JUDGES").is_some_and(|value| value == "required");
        assert!(!required, "python3 is not installed, and BRAMA_JUDGES=required");
        eprintln!("SKIPPED: python3 is not installed (apt-get install python3)");
        return None;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/scale");
    let mut command = Command::new(python);
    // It leaves nothing beside its sources.
    command.arg("-B").args(words).current_dir(folder);
    Some(command.output().unwrap())
}

#[test]
fn the_model_has_its_own_tests_and_they_pass() {
    let Some(output) = python(&["-m", "unittest", "-v"]) else { return };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    // None of them were found is no success.
    assert!(said.contains("test_cores_of_replicas") && said.contains("\nOK\n"), "{said}");
}

#[test]
fn the_tables_of_the_manual_are_what_the_model_says() {
    let Some(output) = python(&["run"]) else { return };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scale.md");
    let page = std::fs::read_to_string(file).unwrap();
    let rows: Vec<_> = said.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 10, "{said}");
    let missing: Vec<_> = rows.into_iter().filter(|row| !page.contains(row)).collect();
    assert!(missing.is_empty(), "docs/scale.md lacks:\n{}", missing.join("\n"));
}
