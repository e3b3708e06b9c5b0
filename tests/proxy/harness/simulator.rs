//! The node, for tests in which somebody signs in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::program::{Program, on_host};

/// The simulator, as a program of its own.
pub(crate) struct Simulator {
    sso: String,
    resolve: String,
    logout: String,
    /// The words that begin a command on its host, when that is another one.
    host: Vec<String>,
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
        Self::run(on_loopback(), &[], origin, tempfile::tempdir().unwrap())
    }

    /// Does the same, and knows more certificates of the service: those that are made in the folder
    /// with its keys.
    pub(crate) fn start_knowing(origin: &str, make: impl Fn(&Path) -> Vec<PathBuf>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut keys = Command::new(env!("CARGO_BIN_EXE_brama"));
        keys.args(["simulator", "--keys-only", "--directory"]).arg(directory.path());
        assert!(keys.output().unwrap().status.success());
        let mut command = on_loopback();
        let own = directory.path().join("service-sig.crt.pem");
        for certificate in make(directory.path()).iter().chain([&own]) {
            command.arg("--service-certificate").arg(certificate);
        }
        Self::run(command, &[], origin, directory)
    }

    /// Starts it on a host of its own, where browsers find its pages by this name: these words begin
    /// a command there.
    pub(crate) fn start_on(address: IpAddr, host: &[String], name: &str, origin: &str) -> Self {
        let pages = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8081));
        let soap = SocketAddr::new(address, 8082);
        let mut command = on_host(host, env!("CARGO_BIN_EXE_brama"));
        command.args(["simulator", "--allow-remote", "--pages", &pages.to_string()]);
        command.args(["--soap", &soap.to_string(), "--public-soap", &format!("https://{soap}")]);
        command.args(["--public-pages", &format!("http://{name}:{}", pages.port())]);
        Self::run(command, host, origin, tempfile::tempdir().unwrap())
    }

    fn run(mut command: Command, host: &[String], origin: &str, directory: TempDir) -> Self {
        let acs = format!("{origin}/.brama/acs");
        command.args(["--acs", &acs, "--log", "warn", "--directory"]).arg(directory.path());
        let mut program = Program::start(&mut command);
        let mut address = |name: &str| {
            program.wait_for(|line| Some(line.trim().strip_prefix(name)?.trim().to_owned()))
        };
        let (sso, resolve) = (address("node.sso_url"), address("node.resolve_url"));
        let logout = address("node.logout_url");
        Self { sso, resolve, logout, host: host.to_vec(), directory, _program: program }
    }

    /// Has it answer everything in this way from now on.
    pub(crate) fn always(&self, fault: &str) {
        self.control("PUT", "faults", &serde_json::json!({ "always": [fault] }));
    }

    /// Gives it an order, and returns what it answers.
    pub(crate) fn control(&self, method: &str, what: &str, order: &Value) -> Value {
        let port = url::Url::parse(&self.sso).unwrap().port().expect("it has a port of its own");
        // It takes orders from its own machine only.
        let mut command = on_host(&self.host, "curl");
        command.args(["--silent", "--show-error", "--fail-with-body", "--request", method]);
        command.args(["--header", "X-Brama-Control: 1", "--json", &order.to_string()]);
        command.arg(format!("http://127.0.0.1:{port}/control/{what}"));
        let done = command.output().unwrap();
        assert!(done.status.success(), "{done:?}");
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// Returns the folder with the keys of both sides.
    pub(crate) fn kit(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the lines of `[node]` that say where it is.
    pub(crate) fn configuration(&self) -> String {
        let Self { sso, resolve, logout, .. } = self;
        format!("sso_url = \"{sso}\"\nresolve_url = \"{resolve}\"\nlogout_url = \"{logout}\"\n")
    }
}

fn on_loopback() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    command.args(["simulator", "--pages", "127.0.0.1:0", "--soap", "127.0.0.1:0"]);
    command
}
