//! Finding judges, and running them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Says that a judge is skipped, or fails where judges are required.
pub(crate) fn skip(what: &str) {
    let required = std::env::var_os("BRAMA_JUDGES").is_some_and(|value| value == "required");
    assert!(!required, "{what}, and BRAMA_JUDGES=required");
    eprintln!("SKIPPED: {what}");
}

/// Returns the xmlsec1 tool, when it is installed.
pub(crate) fn xmlsec1() -> Option<PathBuf> {
    let found = Command::new("xmlsec1").arg("--version").output().is_ok();
    if !found {
        skip("xmlsec1 is not installed (apt-get install xmlsec1)");
    }
    found.then(|| PathBuf::from("xmlsec1"))
}

/// Returns the python of the judges, when they are set up.
pub(crate) fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/python");
    let python = std::env::var_os("BRAMA_JUDGES_PYTHON").map(PathBuf::from);
    let python = python.filter(|python| python.exists());
    if python.is_none() {
        let setup = folder.join("setup.sh");
        skip(&format!(
            "BRAMA_JUDGES_PYTHON is not set; it is the output of sh {}",
            setup.display()
        ));
    }
    python
}

/// Returns a script of the Python judges.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/python").join(name)
}

/// Runs a command with bytes on its standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Shows what a command said.
pub(crate) fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{} {} {}", output.status, text(&output.stdout), text(&output.stderr))
}
