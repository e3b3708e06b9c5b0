//! `brama simulator --examine` before services that are not Brama, and before Brama itself.
//!
//! 1. A provider whose holes are opened one by one (`examined/provider.py`): each hole is found, and
//!    nothing else with it; without a hole everything passes.
//! 2. The PyPI client `django-logingovpl` in a small project: it verifies nothing, and the list says so.
//! 3. Brama through the real program.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use brama::base::clock::{Clock, SystemClock};
use brama::simulator::kit::{Kit, Names};
use serde_json::Value;
use tempfile::TempDir;

use crate::tools::python;

#[path = "examined/expected.rs"]
mod expected;

const SERVICE: &str = "https://sp.example";
const NODE: &str = "wezel.localhost";

/// Keys, addresses and a place for files.
struct World {
    folder: TempDir,
    pages: SocketAddr,
    soap: SocketAddr,
    service: SocketAddr,
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What an examination told.
struct Told {
    status: Option<i32>,
    /// The names of the cases that failed.
    failed: BTreeSet<String>,
    /// Those that could not be tried to the end.
    errors: BTreeSet<String>,
    skipped: BTreeSet<String>,
    passed: usize,
    text: String,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = Names { node: NODE, service: SERVICE, hosts: &[] };
        Kit::make(names, SystemClock.now()).unwrap().write(folder.path()).unwrap();
        let [pages, soap, service] = [free_address(), free_address(), free_address()];
        Self { folder, pages, soap, service }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn origin(&self) -> String {
        format!("http://localhost:{}", self.service.port())
    }

    /// Starts a service that is written in Python, and waits until it listens.
    fn start(&self, python: &Path, script: &str, arguments: &[&str]) -> Running {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/examined");
        let (pages, soap) = (self.pages, self.soap);
        let mut command = Command::new(python);
        command.arg(folder.join(script)).arg("--kit").arg(self.folder.path());
        command.args(["--issuer", SERVICE, "--port", &self.service.port().to_string()]);
        command.args(["--sso", &format!("http://{pages}/login/SingleSignOnService")]);
        let resolve = format!("http://{soap}/login-services/idpArtifactResolutionService");
        command.args(["--resolve", &resolve]).args(arguments);
        // Warnings of libraries are no output of the test.
        command.env("PYTHONWARNINGS", "ignore").env("PYTHONDONTWRITEBYTECODE", "1");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = lines.find_map(|line| line.ok().filter(|line| line.starts_with("listen")));
        assert!(listening.is_some(), "{script} does not listen");
        std::thread::spawn(move || lines.for_each(drop));
        Running(child)
    }

    /// Starts the provider with a hole, or with none.
    fn provider(&self, python: &Path, hole: &str) -> Running {
        let logout = format!("http://{}/login-services/singleLogoutService", self.soap);
        let arguments = ["--node-issuer", NODE, "--logout", &logout, "--hole", hole];
        self.start(python, "provider.py", &arguments)
    }

    fn examine(&self, arguments: &[&str]) -> Told {
        let report = self.path("report.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.args(["simulator", "--log", "error", "--directory"]).arg(self.folder.path());
        command.args(["--pages", &self.pages.to_string(), "--soap", &self.soap.to_string()]);
        command.args(["--node-issuer", NODE, "--service-issuer", SERVICE]);
        command.arg("--json").arg(&report).args(arguments);
        let output = command.output().unwrap();
        let text = crate::tools::said(&output);
        let report = fs::read(&report).unwrap_or_else(|error| panic!("{error}: {text}"));
        let report: Value = serde_json::from_slice(&report).unwrap();
        let names = |outcome: &str| {
            let cases = report["cases"].as_array().unwrap().iter();
            let found = cases.filter(|case| case["outcome"] == outcome);
            found.map(|case| case["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
        };
        Told {
            status: output.status.code(),
            failed: names("failed"),
            errors: names("error"),
            skipped: names("skipped"),
            passed: names("passed").len(),
            text,
        }
    }

    /// Examines the provider, or the project of Django.
    fn examine_python(&self, paths: [&str; 3], arguments: &[&str]) -> Told {
        let origin = self.origin();
        let [login, acs, logout] = paths.map(|path| format!("{origin}{path}"));
        let page = format!("{origin}/");
        let mut all = vec!["--mutual-tls", "off", "--acs", &acs, "--examine", &login];
        all.extend(["--page", &page, "--signed-in-text", "Signed in as", "--logout", &logout]);
        all.extend(["--within", "10"]);
        all.extend(arguments);
        self.examine(&all)
    }

    fn examine_provider(&self, arguments: &[&str]) -> Told {
        self.examine_python(["/login", "/acs", "/logout"], arguments)
    }
}

/// An address that nobody listens on, below the range of outgoing connections.
fn free_address() -> SocketAddr {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    for _ in 0..20_000_u16 {
        let step = TAKEN.fetch_add(1, Ordering::Relaxed);
        let own = u16::try_from(std::process::id() % 20_000).unwrap();
        let port = 10_000 + own.wrapping_mul(97).wrapping_add(step) % 20_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port");
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_provider_without_a_hole_passes_everything() {
    let Some(python) = python() else { return };
    let world = World::new();
    let _provider = world.provider(&python, "none");
    let (html, junit) = (world.path("report.html"), world.path("report.xml"));
    let [html_path, junit_path] = [&html, &junit].map(|path| path.to_str().unwrap());
    let told = world.examine_provider(&["--html", html_path, "--junit", junit_path]);
    assert_eq!((&told.failed, &told.errors), (&set(&[]), &set(&[])), "{}", told.text);
    // It is reached without TLS, so nobody can say whether the cookie is for TLS alone.
    assert_eq!(told.skipped, set(&["cookie-secure"]));
    assert_eq!(told.status, Some(0), "{}", told.text);
    let cases = brama::simulator::examine::CASES.len();
    assert_eq!(told.passed, cases - 1);
    let junit = fs::read_to_string(junit).unwrap();
    assert_eq!(junit.matches("<testcase ").count(), cases);
    assert!(fs::read_to_string(html).unwrap().contains("wrapped-8"));
}

#[test]
fn the_profile_of_the_node_asks_for_no_defence_and_counts_what_the_node_does() {
    let Some(python) = python() else { return };
    let mut arguments = vec!["--profile", "node"];
    arguments.extend(WAITING.iter().flat_map(|case| ["--skip", case]));
    for (hole, expected) in [("audience", set(&[])), ("post-only", set(&["return-by-get"]))] {
        let world = World::new();
        let _provider = world.provider(&python, hole);
        let told = world.examine_provider(&arguments);
        assert_eq!(told.failed, expected, "{}", told.text);
        assert_eq!(told.status, Some(i32::from(!told.failed.is_empty())), "{}", told.text);
    }
}

#[test]
fn what_cannot_be_examined_is_said() {
    let world = World::new();
    let login = format!("{}/login", world.origin());
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    command.args(["simulator", "--pages", "127.0.0.1:0", "--soap", "127.0.0.1:0"]);
    let output = command.args(["--examine", &login]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(crate::tools::said(&output).contains("--signed-in-text"), "{output:?}");
    let sign = ["--examine", &login, "--signed-in-status", "200"];
    let output = command.args(["--signed-in-status", "200", "--only", "nothing"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(crate::tools::said(&output).contains("no case and no group"), "{output:?}");
    // Nobody listens there.
    let told = world.examine(&sign);
    assert_eq!((told.status, told.passed), (Some(2), 0), "{}", told.text);
    assert_eq!(told.failed, set(&["nobody-before"]), "{}", told.text);
}

#[test]
fn each_hole_of_the_provider_has_its_row() {
    let Some(python) = python() else { return };
    let listed: BTreeSet<String> =
        expected::HOLES.iter().map(|(hole, _)| (*hole).to_owned()).collect();
    assert_eq!(holes(&python), listed);
}

#[test]
fn each_hole_is_found_and_nothing_else_with_it_1() {
    find_holes(0);
}

#[test]
fn each_hole_is_found_and_nothing_else_with_it_2() {
    find_holes(1);
}

#[test]
fn each_hole_is_found_and_nothing_else_with_it_3() {
    find_holes(2);
}

#[test]
fn each_hole_is_found_and_nothing_else_with_it_4() {
    find_holes(3);
}

#[test]
fn each_hole_is_found_and_nothing_else_with_it_5() {
    find_holes(4);
}

#[test]
fn each_hole_is_found_and_nothing_else_with_it_6() {
    find_holes(5);
}

/// In parts, so that none takes long.
const PARTS: usize = 6;

fn find_holes(part: usize) {
    let Some(python) = python() else { return };
    let mut wrong = Vec::new();
    for (hole, expected) in expected::HOLES.iter().skip(part).step_by(PARTS) {
        let world = World::new();
        let _provider = world.provider(&python, hole);
        // What only waits is waited for where that is what is found.
        let waits = expected.iter().any(|case| WAITING.contains(case));
        let skipped: Vec<_> = WAITING.iter().flat_map(|case| ["--skip", case]).collect();
        let told = world.examine_provider(if waits { &[] } else { &skipped });
        let found: BTreeSet<_> = told.failed.union(&told.errors).cloned().collect();
        // Where not even a plain login is taken, nothing else can be said.
        let status = if expected.contains(&"plain-login") { 2 } else { 1 };
        assert_eq!(told.status, Some(status), "{hole}: {}", told.text);
        if found != set(expected) {
            wrong.push(format!("{hole}: found {found:?}, expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The cases in which the node takes its time.
const WAITING: [&str; 5] = ["slow", "hangs", "drips", "endless", "logout-hangs"];

/// The holes that the provider has.
fn holes(python: &Path) -> BTreeSet<String> {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/examined/provider.py");
    let output = Command::new(python).arg(script).arg("--list").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| Some(line.split_once('\t')?.0.to_owned())).collect()
}

#[test]
fn the_client_of_pypi_falls_for_what_it_does_not_check_and_for_nothing_else() {
    let Some(python) = python() else { return };
    let world = World::new();
    let _project = world.start(&python, "django_service.py", &[]);
    let certificate = world.path("service-enc.crt.pem");
    // It signs with the key that assertions are encrypted to.
    let arguments = ["--service-certificate", certificate.to_str().unwrap()];
    let told = world.examine_python(["/login/", "/acs/", "/logout/"], &arguments);
    // How much of an answer without end comes within the time is the machine's.
    let without_end = |mut cases: BTreeSet<String>| {
        cases.remove("endless");
        cases
    };
    let found = without_end(told.failed.clone());
    assert_eq!(found, without_end(set(expected::DJANGO)), "{}", told.text);
    assert_eq!((told.errors, told.status), (set(&[]), Some(1)), "{}", told.text);

    // With all of it known, nothing new is found.
    let mut known = arguments.to_vec();
    known.extend(expected::DJANGO.iter().flat_map(|case| ["--known", case]));
    known.extend(WAITING.iter().flat_map(|case| ["--skip", case]));
    let told = world.examine_python(["/login/", "/acs/", "/logout/"], &known);
    assert_eq!((told.failed, told.status), (set(&[]), Some(0)), "{}", told.text);
}

#[test]
fn brama_passes_everything() {
    let world = World::new();
    let portal = free_address();
    let origin = world.origin();
    let configuration = world.path("brama.toml");
    fs::write(&configuration, brama(&world, portal)).unwrap();
    let start = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        let said = fs::File::create(world.path(arguments[0])).unwrap();
        command.args(arguments).stdout(Stdio::null()).stderr(said);
        Running(command.spawn().unwrap())
    };
    let gateway = format!("http://{}", world.service);
    let listen = portal.to_string();
    let _portal =
        start(&["demo-portal", "--issuer", &origin, "--gateway", &gateway, "--listen", &listen]);
    let _gateway = start(&["run", "--config", configuration.to_str().unwrap()]);
    for address in [portal, world.service] {
        listens(address);
    }
    let [page, acs] = ["/account", "/.brama/acs"].map(|path| format!("{origin}{path}"));
    let logout = format!("{origin}/.brama/logout");
    let arguments = [
        ["--examine", &page],
        ["--acs", &acs],
        ["--signed-in-text", "id=\"name\""],
        ["--logout", &logout],
        ["--logout-method", "post"],
        ["--within", "15"],
    ];
    let told = world.examine(arguments.as_flattened());
    assert_eq!((told.failed, told.errors), (set(&[]), set(&[])), "{}", told.text);
    assert_eq!((told.skipped, told.status), (set(&["cookie-secure"]), Some(0)), "{}", told.text);
}

/// The configuration of a gateway whose node is the examiner.
fn brama(world: &World, portal: SocketAddr) -> String {
    let World { pages, soap, service, .. } = world;
    let origin = world.origin();
    format!(
        "[portal]\npublic_url = \"{origin}\"\n\
         [listen]\nhttp = \"{service}\"\n\
         [operations]\nlisten = \"127.0.0.1:0\"\n\
         [node]\nenvironment = \"custom\"\nissuer = \"{NODE}\"\n\
         sso_url = \"http://{pages}/login/SingleSignOnService\"\n\
         resolve_url = \"https://{soap}/login-services/idpArtifactResolutionService\"\n\
         logout_url = \"https://{soap}/login-services/singleLogoutService\"\n\
         certificates = [\"node-signing.crt.pem\"]\nextra_ca_file = \"ca.crt.pem\"\n\
         system_roots = false\ntimeout = \"4s\"\n\
         client_certificate = \"service-tls-client.crt.pem\"\n\
         client_key = \"service-tls-client.key.pem\"\n\
         [service]\nissuer = \"{SERVICE}\"\nprovider_name = \"Portal\"\n\
         signing_certificate = \"service-sig.crt.pem\"\nsigning_key = \"service-sig.key.pem\"\n\
         decryption_keys = [\"service-enc.key.pem\"]\n\
         [limits]\nlogin_starts = 100000\nlogin_returns = 100000\nlogin_failures = 100000\n\
         [[upstream]]\nname = \"demo-portal\"\nurl = \"http://{portal}\"\n\
         [[route]]\npath = \"/\"\nupstream = \"demo-portal\"\naudience = \"demo-portal\"\n\
         claims = [\"given_name\", \"family_name\", \"birthdate\", \"pesel\"]\n"
    )
}

/// Waits until something listens there.
fn listens(address: SocketAddr) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(address).is_err() {
        assert!(Instant::now() < deadline, "nothing listens on {address}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
