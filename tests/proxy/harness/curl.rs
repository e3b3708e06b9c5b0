//! curl, as a client that others trust.

use std::process::Command;

use super::gateway::Gateway;

/// What curl got.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) body: Vec<u8>,
    /// The status of the last answer.
    pub(crate) status: u16,
    /// The version of HTTP, as curl writes it: `1.1`, `2`.
    pub(crate) version: String,
    /// What it says of the exchange, with `--verbose`.
    pub(crate) said: String,
    pub(crate) exit: Option<i32>,
}

/// Has curl do something with the gateway. The last argument is a path.
pub(crate) fn curl(gateway: &Gateway, arguments: &[&str]) -> Fetched {
    run(gateway, arguments, |path| gateway.url(path))
}

/// The same over TLS.
pub(crate) fn curl_over_tls(gateway: &Gateway, arguments: &[&str]) -> Fetched {
    let address = gateway.tls_address.expect("the gateway listens for TLS");
    run(gateway, arguments, |path| format!("https://localhost:{}{path}", address.port()))
}

/// The same with a whole URL as the last argument.
pub(crate) fn curl_at(gateway: &Gateway, arguments: &[&str]) -> Fetched {
    run(gateway, arguments, str::to_owned)
}

fn run(gateway: &Gateway, arguments: &[&str], url: impl Fn(&str) -> String) -> Fetched {
    let (path, options) = arguments.split_last().expect("a path");
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--verbose", "--ipv4", "--noproxy", "*"]);
    command.args([
        "--max-time",
        "60",
        "--write-out",
        "%{stderr}\nDONE %{http_code} %{http_version}",
    ]);
    if gateway.tls_address.is_some() {
        command.arg("--cacert").arg(gateway.certificate());
    }
    let output = command.args(options).arg(url(path)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let done = said.rsplit("\nDONE ").next().unwrap_or_default();
    let (status, version) = done.split_once(' ').unwrap_or_default();
    Fetched {
        body: output.stdout,
        status: status.parse().unwrap_or_default(),
        version: version.trim().to_owned(),
        exit: output.status.code(),
        said,
    }
}

impl Fetched {
    /// Asserts that it went well, and over which version of HTTP.
    pub(crate) fn is_fine_over(&self, version: &str) -> &Self {
        let found = (self.exit, self.status, &*self.version);
        assert_eq!(found, (Some(0), 200, version), "{}", self.said);
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
