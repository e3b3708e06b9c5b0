//! Pebble, an authority that speaks ACME, with a DNS in which every name is this machine.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::authority::Authority;
use super::ports::free_address;
use super::program::Program;
use super::tools;

/// A running authority.
pub(crate) struct Pebble {
    program: Program,
    command: Command,
    _names: Program,
    pub(crate) address: SocketAddr,
    management: SocketAddr,
    /// Of its own server, not of what it issues.
    servers: Authority,
    _folder: TempDir,
}

/// What an authority is like.
pub(crate) struct PebbleOptions {
    /// Where it asks whether a name leads to us.
    pub(crate) asks_at: SocketAddr,
    /// How long a certificate lives, in seconds.
    pub(crate) life: u64,
    /// Whether an account that it knows otherwise is needed: `kid-1`, with [`Pebble::KEY`].
    pub(crate) wants_account: bool,
}

impl Pebble {
    /// The key of the account that it knows otherwise, in base64url.
    pub(crate) const KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

    /// Starts one, when it is prepared; else the test is to end.
    pub(crate) fn start(options: &PebbleOptions) -> Option<Self> {
        let programs = programs()?;
        let (address, management, names) = (free_address(), free_address(), free_address());
        let (folder, servers) = (tempfile::tempdir().unwrap(), Authority::new());
        servers.issue("localhost");
        let configuration = json!({ "pebble": {
            "listenAddress": address.to_string(),
            "managementListenAddress": management.to_string(),
            "certificate": servers.path("localhost.pem"),
            "privateKey": servers.path("localhost.key"),
            "httpPort": options.asks_at.port(),
            "tlsPort": 1,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": options.wants_account,
            "externalAccountMACKeys": { "kid-1": Self::KEY },
            "retryAfter": { "authz": 1, "order": 1 },
            "keyAlgorithm": "ecdsa",
            "profiles": { "only": { "description": "the only one", "validityPeriod": options.life } }
        }});
        let file = folder.path().join("pebble.json");
        fs::write(&file, configuration.to_string()).unwrap();
        let mut command = Command::new(programs.join("pebble-challtestsrv"));
        command.args(["-dnsserver", &names.to_string(), "-defaultIPv6", ""]);
        // Nobody asks it there, but an empty address is port 80.
        command.args(["-management", &free_address().to_string()]);
        command.args(["-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""]);
        let resolver = Program::start(&mut command);
        let mut command = Command::new(programs.join("pebble"));
        command.arg("-strict").arg("-config").arg(file).args(["-dnsserver", &names.to_string()]);
        // No pauses, some nonces that have to be asked for again, and each name looked at each time.
        command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "5");
        command.env("PEBBLE_AUTHZREUSE", "0");
        let program = run(&mut command);
        let (_names, _folder) = (resolver, folder);
        Some(Self { program, command, _names, address, management, servers, _folder })
    }

    /// Starts it anew: it forgets all accounts, and issues under another root.
    pub(crate) fn forgets_everything(&mut self) {
        self.program.signal("KILL");
        self.program.wait();
        self.program = run(&mut self.command);
    }

    /// Returns the address of its directory.
    pub(crate) fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.address.port())
    }

    /// Returns the file with the authority of its server.
    pub(crate) fn authority(&self) -> String {
        self.servers.path("ca.pem")
    }

    /// Returns the root of what it issues, in PEM.
    pub(crate) fn root(&self) -> String {
        self.manage("roots/0", None)
    }

    /// Wants a certificate replaced within this window (RFC 9773).
    pub(crate) fn wants_replaced(&self, certificate: &str, start: &str, end: &str) {
        let window = json!({ "suggestedWindow": { "start": start, "end": end } });
        let body = json!({ "Certificate": certificate, "ARIResponse": window.to_string() });
        self.manage("set-renewal-info/", Some(&body.to_string()));
    }

    fn manage(&self, path: &str, body: Option<&str>) -> String {
        let url = format!("https://localhost:{}/{path}", self.management.port());
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "10"]);
        command.args(["--cacert", &self.servers.path("ca.pem"), &url]);
        if let Some(body) = body {
            command.args(["--data-binary", body]);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn run(command: &mut Command) -> Program {
    let mut program = Program::start(command);
    program.wait_for(|line| line.contains("ACME directory available").then_some(()));
    program
}

/// Returns where `tests/proxy/authority/setup.sh` put it.
fn programs() -> Option<PathBuf> {
    let all = std::env::var_os("BRAMA_BACKENDS").map(PathBuf::from);
    let why = all.as_ref().and_then(|all| fs::read_to_string(all.join("pebble/skipped")).ok());
    if let Some(why) = why {
        eprintln!("SKIPPED: {}", why.trim());
        return None;
    }
    Some(tools::backend("pebble")?.join("bin"))
}
