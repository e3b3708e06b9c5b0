//! The node, for tests in which somebody signs in.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::program::Program;
use super::wire::Wire;

/// The simulator, as a program of its own.
pub(crate) struct Simulator {
    sso: String,
    resolve: String,
    logout: String,
    directory: TempDir,
    _program: Program,
}

impl Simulator {
    /// Starts it for a gateway that is going to listen there.
    pub(crate) fn start(gateway: SocketAddr) -> Self {
        Self::start_for(&format!("http://localhost:{}", gateway.port()))
    }

    /// Starts it for a gateway that citizens know by that origin.
    pub(crate) fn start_for(origin: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let acs = format!("{origin}/.brama/acs");
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.args(["simulator", "--pages", "127.0.0.1:0", "--soap", "127.0.0.1:0"]);
        command.args(["--acs", &acs, "--log", "warn", "--directory"]).arg(directory.path());
        let mut program = Program::start(&mut command);
        let mut address = |name: &str| {
            program.wait_for(|line| Some(line.trim().strip_prefix(name)?.trim().to_owned()))
        };
        let (sso, resolve) = (address("node.sso_url"), address("node.resolve_url"));
        let logout = address("node.logout_url");
        Self { sso, resolve, logout, directory, _program: program }
    }

    /// Has it answer everything in this way from now on.
    pub(crate) fn always(&self, fault: &str) {
        let url = url::Url::parse(&self.sso).unwrap();
        let address = &url[url::Position::BeforeHost..url::Position::BeforePath];
        let body = format!("{{\"always\":[\"{fault}\"]}}");
        let length = body.len();
        let mut wire = Wire::connect(address.parse().unwrap());
        wire.send(
            format!(
                "PUT /control/faults HTTP/1.1\r\nHost: {address}\r\nX-Brama-Control: 1\r\n\
                 Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        );
        let answer = wire.answer("PUT");
        assert!(answer.status < 300, "{} {}", answer.status, answer.text());
    }

    /// Returns the folder with the keys of both sides.
    pub(super) fn kit(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the lines of `[node]` that say where it is.
    pub(super) fn configuration(&self) -> String {
        let Self { sso, resolve, logout, .. } = self;
        format!("sso_url = \"{sso}\"\nresolve_url = \"{resolve}\"\nlogout_url = \"{logout}\"\n")
    }
}
