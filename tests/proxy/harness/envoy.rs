//! Envoy, in one process.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::program::{PATIENCE, Program};
use super::tools::{self, Tool};

/// An Envoy.
pub(crate) struct Envoy {
    _program: Program,
    _folder: TempDir,
}

impl Envoy {
    /// Starts it with a configuration in which it listens there.
    pub(crate) fn start(program: PathBuf, configuration: &Value, address: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("envoy.json");
        fs::write(&file, configuration.to_string()).unwrap();
        let mut command = Command::new(program);
        command.args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn"]);
        let mut program = Program::start(command.arg("--config-path").arg(file));
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            let is_late = program.has_ended() || Instant::now() > deadline;
            assert!(!is_late, "Envoy: {:?}", program.said());
            thread::sleep(Duration::from_millis(20));
        }
        Self { _program: program, _folder: folder }
    }
}

/// Returns where Envoy is, when it is there.
pub(crate) fn envoy() -> Option<PathBuf> {
    tools::has(&[Tool::Envoy]).then(|| Tool::Envoy.beside_judges()).flatten()
}
