//! The gateway as a program of its own, with a configuration written for one test.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::ports::free_address;
use super::program::{PATIENCE, Program};
use super::simulator::Simulator;
use super::wire::Wire;

/// What the gateway is to do: becomes its configuration.
pub(crate) struct Plan {
    http: SocketAddr,
    https: Option<SocketAddr>,
    operations: SocketAddr,
    listen: String,
    node: String,
    kit: Option<PathBuf>,
    rest: String,
    folder: TempDir,
}

/// Whether the gateway listens for TLS beside plain HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    Off,
    On,
}

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    pub(crate) tls_address: Option<SocketAddr>,
    operations: SocketAddr,
    folder: TempDir,
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
            operations: free_address(),
            listen: String::new(),
            // Nobody is there: most tests need no login.
            node: "sso_url = \"http://127.0.0.1:9/\"\nresolve_url = \"https://127.0.0.1:9/\"\n"
                .to_owned(),
            kit: None,
            rest: String::new(),
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

    /// Adds a route.
    pub(crate) fn route(mut self, path: &str, upstream: &str, access: &str) -> Self {
        let _ = write!(
            self.rest,
            "[[route]]\npath = \"{path}\"\nupstream = \"{upstream}\"\naccess = \"{access}\"\n\n"
        );
        self
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

    /// Listens for TLS too, with a certificate of its own for `localhost`.
    pub(crate) fn tls(mut self, tls: Tls) -> Self {
        self.https = (tls == Tls::On).then(free_address);
        self
    }

    pub(crate) fn start(self) -> Gateway {
        let configuration = self.folder.path().join("brama.toml");
        fs::write(&configuration, self.configuration()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        let program = Program::start(command.arg("run").arg("--config").arg(&configuration));
        let mut gateway = Gateway {
            program,
            address: self.http,
            tls_address: self.https,
            operations: self.operations,
            folder: self.folder,
        };
        gateway.wait_until_ready();
        gateway
    }

    fn configuration(&self) -> String {
        let Self { http, operations, listen, node, rest, .. } = self;
        let kit = self.kit.clone().unwrap_or_else(|| make_kit(self.folder.path()));
        let kit = kit.display();
        let https = self.https.map_or_else(String::new, |address| {
            make_certificate(self.folder.path());
            format!(
                "https = \"{address}\"\ncertificate = \"localhost.pem\"\nkey = \"localhost.key\"\n"
            )
        });
        format!(
            r#"
[portal]
public_url = "http://localhost:{port}"

[listen]
http = "{http}"
{https}{listen}
[operations]
listen = "{operations}"

[log]
format = "text"
level = "warn"

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

{rest}"#,
            port = http.port(),
        )
    }
}

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

impl Gateway {
    /// Opens a connection to the plain listener.
    pub(crate) fn connect(&self) -> Wire {
        Wire::connect(self.address)
    }

    /// Returns the address of a page, as a browser would write it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.address.port())
    }

    /// Returns the value of `Host` that belongs to [`Self::url`].
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// Returns the certificate that clients should trust for [`Tls::On`].
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("localhost.pem")
    }

    /// Asks the operations listener whether traffic should come.
    pub(crate) fn is_ready(&self) -> bool {
        let Ok(stream) = TcpStream::connect(self.operations) else { return false };
        let mut wire = Wire::over(stream);
        wire.send(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        wire.try_answer("GET").is_ok_and(|answer| answer.status == 200)
    }

    /// Changes the text of its configuration, which it does not know until it is told to look.
    pub(crate) fn edit_configuration(&self, from: &str, to: &str) {
        let path = self.folder.path().join("brama.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "the configuration has {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Counts its open descriptors: connections on both sides, among others.
    pub(crate) fn open_descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.program.id())).unwrap().count()
    }

    /// Returns the most memory that it has had resident, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Returns the memory that it has resident, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.status("VmRSS:")
    }

    fn status(&self, key: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.program.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !(self.is_ready() && TcpStream::connect(self.address).is_ok()) {
            assert!(!self.program.has_ended(), "the gateway did not start");
            assert!(Instant::now() < deadline, "the gateway does not become ready");
            thread::sleep(Duration::from_millis(5));
        }
    }
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

fn make_certificate(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("localhost.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("localhost.key"), made.signing_key.serialize_pem()).unwrap();
}
