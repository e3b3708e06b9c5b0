//! The collector of `collector.py`, as a program.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// A collector that runs until it is dropped.
pub(super) struct Collector {
    child: Child,
    lines: BufReader<ChildStdout>,
    ports: Value,
}

impl Collector {
    /// Starts it, where the judges' python is there. Where it must be and is not, this fails.
    pub(super) fn start() -> Option<Self> {
        let python = std::env::var_os("BRAMA_JUDGES_PYTHON").map(PathBuf::from);
        let Some(python) = python.filter(|python| python.exists()) else {
            let required =
                std::env::var_os("BRAMA_JUDGES").is_some_and(|value| value == "required");
            assert!(!required, "BRAMA_JUDGES_PYTHON is not set, and BRAMA_JUDGES=required");
            eprintln!("skipped: BRAMA_JUDGES_PYTHON is not set");
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/traces/collector.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let ports = read(&mut lines).expect("the collector says where it listens");
        Some(Self { child, lines, ports })
    }

    /// The lines of `[traces]` that send spans there.
    pub(super) fn lines(&self, protocol: &str) -> String {
        let port = &self.ports[protocol];
        format!("endpoint = \"http://127.0.0.1:{port}\"\nprotocol = \"{protocol}\"\n")
    }

    /// Ends it, and returns what it got.
    pub(super) fn spans(mut self) -> Vec<Value> {
        drop(self.child.stdin.take());
        let spans = std::iter::from_fn(|| read(&mut self.lines)).collect();
        assert!(self.child.wait().unwrap().success());
        spans
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(lines: &mut BufReader<ChildStdout>) -> Option<Value> {
    let mut line = String::new();
    let count = lines.read_line(&mut line).unwrap();
    (count > 0).then(|| serde_json::from_str(&line).unwrap())
}
