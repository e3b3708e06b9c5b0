//! What the gateway is to do in one test, and the configuration that says so.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::gateway::Gateway;
use super::ports::free_address;
use super::program::Program;
use super::simulator::Simulator;

/// What the gateway is to do: becomes its configuration.
pub(crate) struct Plan {
    http: SocketAddr,
    https: Option<SocketAddr>,
    has_certificate: bool,
    operations: SocketAddr,
    names: Vec<String>,
    listen: String,
    portal: String,
    node: String,
    kit: Option<PathBuf>,
    rest: String,
    public_url: Option<String>,
    log: String,
    environment: Vec<(String, String)>,
    launcher: Vec<String>,
    host: Vec<String>,
    folder: TempDir,
}

/// Whether the gateway listens for TLS beside plain HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    Off,
    On,
    /// With a certificate that is still to come.
    Ordered,
}

impl Plan {
    /// Everything is open to everybody and goes to one portal.
    pub(crate) fn before(portal: &str) -> Self {
        Self::empty().upstream("portal", portal).route("/", "portal", "public")
    }

    /// Nothing goes anywhere yet.
    pub(crate) fn empty() -> Self {
        Self {
            http: free_address(),
            https: None,
            has_certificate: true,
            operations: free_address(),
            names: vec!["localhost".to_owned()],
            listen: String::new(),
            portal: String::new(),
            // Nobody is there: most tests need no login.
            node: "sso_url = \"http://127.0.0.1:9/\"\nresolve_url = \"https://127.0.0.1:9/\"\n"
                .to_owned(),
            kit: None,
            rest: String::new(),
            public_url: None,
            log: "level = \"warn\"\naccess = \"json\"\n".to_owned(),
            environment: Vec::new(),
            launcher: Vec::new(),
            host: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Where the gateway is going to listen.
    pub(crate) fn address(&self) -> SocketAddr {
        self.http
    }

    /// Adds a portal. `url` is `http://HOST:PORT`, or `unix:/PATH` for a socket of the file system.
    pub(crate) fn upstream(mut self, name: &str, url: &str) -> Self {
        self.rest.push_str(&upstream(name, &[url]));
        self
    }

    /// Adds a portal that runs on several servers.
    pub(crate) fn upstream_on(mut self, name: &str, urls: &[&str]) -> Self {
        self.rest.push_str(&upstream(name, urls));
        self
    }

    /// Adds a portal with these lines.
    pub(crate) fn upstream_with(mut self, name: &str, lines: &str) -> Self {
        let _ = write!(self.rest, "[[upstream]]\nname = \"{name}\"\n{lines}\n\n");
        self
    }

    /// Adds a route.
    pub(crate) fn route(mut self, path: &str, upstream: &str, access: &str) -> Self {
        let _ = write!(
            self.rest,
            "[[route]]\npath = \"{path}\"\nupstream = \"{upstream}\"\naccess = \"{access}\"\n\n"
        );
        self
    }

    /// Adds a listener at which a proxy of that kind asks.
    pub(crate) fn companion(mut self, proxy: &str, lines: &str) -> Self {
        let _ = write!(self.rest, "[[companion]]\nproxy = \"{proxy}\"\n{lines}\n\n");
        self
    }

    /// Adds a route whose requests the proxy in front hands on itself.
    pub(crate) fn permitted(mut self, path: &str, access: &str) -> Self {
        let _ = write!(
            self.rest,
            "[[route]]\npath = \"{path}\"\naudience = \"portal\"\naccess = \"{access}\"\n\n"
        );
        self
    }

    /// Adds a route for everybody that the gateway answers itself.
    pub(crate) fn answered(mut self, path: &str, lines: &str) -> Self {
        let _ = write!(self.rest, "[[route]]\npath = \"{path}\"\naccess = \"public\"\n{lines}\n\n");
        self
    }

    /// Adds lines to the upstream or the route that was added last.
    pub(crate) fn with(mut self, lines: &str) -> Self {
        self.rest.truncate(self.rest.trim_end().len());
        let _ = write!(self.rest, "\n{lines}\n\n");
        self
    }

    /// Adds a line to `[log]`, in place of the usual one.
    pub(crate) fn log(mut self, line: &str) -> Self {
        self.log = format!("{line}\n");
        self
    }

    /// Says where citizens find the portal, when it is not the plain listener.
    pub(crate) fn public_url(mut self, url: &str) -> Self {
        self.public_url = Some(url.to_owned());
        self
    }

    /// Puts a file beside the configuration, for its owner only.
    pub(crate) fn file(self, name: &str, contents: &str) -> Self {
        brama::base::private::write(&self.folder.path().join(name), contents.as_bytes()).unwrap();
        self
    }

    /// Returns a file beside the configuration.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sets a variable of the environment.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Has libfaketime set the time of day that the gateway sees ([`Gateway::set_clock`]); what only
    /// counts is left alone.
    pub(crate) fn with_clock(self) -> Self {
        let plan = self.file("clock", "+0");
        let file = plan.path("clock");
        plan.environment("LD_PRELOAD", "/usr/$LIB/faketime/libfaketimeMT.so.1")
            .environment("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap())
            .environment("FAKETIME_NO_CACHE", "1")
            .environment("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .environment("DONT_FAKE_MONOTONIC", "1")
    }

    /// Lets operators list and end sessions.
    pub(crate) fn operated(self) -> Self {
        self.file("token", TOKEN).environment("BRAMA__OPERATIONS__ADMIN_TOKEN_FILE", "token")
    }

    /// Has another program start the gateway, in its own place.
    pub(crate) fn launched_by(mut self, command: &[&str]) -> Self {
        self.launcher = command.iter().copied().map(str::to_owned).collect();
        self
    }

    /// Has it run on a host of its own, at this address: these words begin a command there.
    pub(crate) fn on(mut self, address: IpAddr, host: &[String]) -> Self {
        self.http = SocketAddr::new(address, 8080);
        self.operations = SocketAddr::new(address, 9090);
        self.host = host.to_vec();
        self
    }

    /// Returns where the gateway is going to listen for TLS.
    pub(crate) fn tls_address(&self) -> SocketAddr {
        self.https.expect("the gateway is to listen for TLS")
    }

    /// Adds a line to `[listen]`.
    pub(crate) fn listen(mut self, line: &str) -> Self {
        self.listen.push_str(line);
        self.listen.push('\n');
        self
    }

    /// Lets citizens sign in with the simulator.
    pub(crate) fn node(mut self, simulator: &Simulator) -> Self {
        self.node = simulator.configuration();
        self.kit = Some(simulator.kit().to_owned());
        self
    }

    /// Adds a line to `[portal]`.
    pub(crate) fn portal(mut self, line: &str) -> Self {
        self.portal.push_str(line);
        self.portal.push('\n');
        self
    }

    /// Has a certificate for these hosts in place of `localhost`.
    pub(crate) fn tls_names(mut self, names: &[&str]) -> Self {
        self.names = names.iter().copied().map(str::to_owned).collect();
        self
    }

    /// Listens for TLS too, with a certificate of its own for `localhost`.
    pub(crate) fn tls(mut self, tls: Tls) -> Self {
        self.https = (tls != Tls::Off).then(free_address);
        self.has_certificate = tls != Tls::Ordered;
        self
    }

    pub(crate) fn start(self) -> Gateway {
        let mut gateway = self.launch();
        gateway.wait_until_ready();
        gateway
    }

    /// Starts a gateway that may not be ready yet.
    pub(crate) fn launch(self) -> Gateway {
        Gateway {
            program: Program::start(&mut self.command()),
            address: self.http,
            tls_address: self.https,
            operations: self.operations,
            folder: self.folder,
            environment: self.environment,
            host: self.host,
        }
    }

    /// Starts a gateway that is not to start; returns what it says.
    pub(crate) fn refused(&self) -> String {
        let mut program = Program::start(&mut self.command());
        assert!(!program.wait().success());
        program.said_to_the_end().join("\n")
    }

    fn command(&self) -> Command {
        let configuration = self.folder.path().join("brama.toml");
        fs::write(&configuration, self.configuration()).unwrap();
        let before = self.host.iter().chain(&self.launcher).map(String::as_str);
        let mut words = before.chain([env!("CARGO_BIN_EXE_brama")]);
        let mut command = Command::new(words.next().expect("there is a program"));
        command.args(words).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.arg("run").arg("--config").arg(configuration);
        command
    }

    fn configuration(&self) -> String {
        let Self { http, operations, listen, portal, node, rest, log, .. } = self;
        let default_url = format!("http://localhost:{}", http.port());
        let public_url = self.public_url.as_deref().unwrap_or(&default_url);
        let kit = self.kit.clone().unwrap_or_else(|| make_kit(self.folder.path()));
        let kit = kit.display();
        let https = self.https.map_or_else(String::new, |address| {
            if !self.has_certificate {
                return format!("https = \"{address}\"\n");
            }
            make_certificate(self.folder.path(), self.names.clone());
            format!(
                "https = \"{address}\"\ncertificate = \"localhost.pem\"\nkey = \"localhost.key\"\n"
            )
        });
        format!(
            r#"
[portal]
public_url = "{public_url}"
{portal}
[listen]
http = "{http}"
{https}{listen}
[operations]
listen = "{operations}"

[log]
format = "text"
{log}
[node]
environment = "custom"
issuer = "symulator.brama.localhost"
{node}certificates = ["{kit}/node-signing.crt.pem"]
extra_ca_file = "{kit}/ca.crt.pem"
system_roots = false
client_certificate = "{kit}/service-tls-client.crt.pem"
client_key = "{kit}/service-tls-client.key.pem"

[service]
issuer = "portal.brama.localhost"
provider_name = "Portal"
signing_certificate = "{kit}/service-sig.crt.pem"
signing_key = "{kit}/service-sig.key.pem"
decryption_keys = ["{kit}/service-enc.key.pem"]

{rest}"#
        )
    }
}

/// What opens the operators' part of the operations listener.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef-operators";

/// The text of one `[[upstream]]`. What the keys for several servers are called is known here only.
fn upstream(name: &str, urls: &[&str]) -> String {
    let address = match urls {
        [one] => format!("url = \"{one}\""),
        several => {
            let server = |url: &&str| format!("{{ address = \"{url}\" }}");
            let servers: Vec<_> = several.iter().map(server).collect();
            format!("servers = [{}]", servers.join(", "))
        }
    };
    format!("[[upstream]]\nname = \"{name}\"\n{address}\n\n")
}

/// Has the simulator make every key that a configuration must name.
fn make_kit(folder: &Path) -> PathBuf {
    let kit = folder.join("kit");
    let made = Command::new(env!("CARGO_BIN_EXE_brama"))
        .args(["simulator", "--keys-only", "--directory"])
        .arg(&kit)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    kit
}

fn make_certificate(folder: &Path, names: Vec<String>) {
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    fs::write(folder.join("localhost.pem"), made.cert.pem()).unwrap();
    let key = made.signing_key.serialize_pem();
    brama::base::private::write(&folder.join("localhost.key"), key.as_bytes()).unwrap();
}
