//! The command line, as an integrator types it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use brama::base::clock::{Clock, SystemClock};
use brama::base::private;
use brama::simulator::kit::{Kit, Names};
use rcgen::{CertificateParams, DnType, KeyPair};

fn brama(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_brama")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with keys and a configuration that is usable.
pub(crate) fn folder(configuration: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let hosts = ["localhost".to_owned()];
    let names = Names { node: "n", service: "s", hosts: &hosts };
    Kit::make(names, SystemClock.now()).unwrap().write(folder.path()).unwrap();
    fs::write(folder.path().join("brama.toml"), configuration).unwrap();
    folder
}

pub(crate) const GOOD: &str = r#"
[portal]
public_url = "https://portal.example.gov.pl"
state_directory = "state"
[listen]
http = "127.0.0.1:0"
[operations]
listen = "127.0.0.1:0"
[node]
certificates = ["node-signing.crt.pem"]
[service]
issuer = "https://sp.example.gov.pl"
provider_name = "Urząd"
signing_certificate = "service-sig.crt.pem"
signing_key = "service-sig.key.pem"
decryption_keys = ["service-enc.key.pem"]
[[upstream]]
name = "portal"
url = "http://127.0.0.1:3000"
[[route]]
path = "/"
upstream = "portal"
"#;

fn check(folder: &Path) -> Output {
    brama(&["check", "--config", folder.join("brama.toml").to_str().unwrap()])
}

#[test]
fn check_accepts_a_usable_configuration() {
    let folder = folder(GOOD);
    let output = check(folder.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("usable"));
}

/// Makes a pair for an end or a beginning of its own, and returns what stands in its files.
fn pair(name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn a_system_without_authorities_is_an_error_that_says_what_to_do_in_a_container() {
    let folder = folder(GOOD);
    let check = |authorities: &Path| {
        let file = folder.path().join("brama.toml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.args(["check", "--config"]).arg(file).env_remove("SSL_CERT_DIR");
        let output = command.env("SSL_CERT_FILE", authorities).output().unwrap();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    let (is_good, said) = check(&folder.path().join("nowhere.pem"));
    let advice = "mount such a file at /etc/ssl/certs/ca-certificates.crt";
    assert!(
        !is_good && said.contains("finds no root certificates") && said.contains(advice),
        "{said}"
    );
    assert!(said.contains("nowhere.pem"), "what it tried to read: {said}");
    let (is_good, said) = check(&folder.path().join("ca.crt.pem"));
    assert!(is_good, "{said}");
}

#[test]
fn check_looks_at_what_certificates_and_keys_are_for_and_one_mistake_is_told_once() {
    let ed25519 = {
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem()
    };
    let node = "certificates = [\"node-signing.crt.pem\"]";
    let pins = |name: &str| vec![(node, format!("certificates = [\"{name}\"]"))];
    let decrypts = "decryption_keys = [\"service-enc.key.pem\"]";
    for (changes, expected) in [
        (
            vec![
                ("service-sig", "service-enc".to_owned()),
                (decrypts, "decryption_keys = [\"service-sig.key.pem\"]".to_owned()),
            ],
            "is not for signatures, by its name or key usage; give the pair whose name ends in _sig_ec",
        ),
        (
            vec![("service-enc.key.pem", "service-sig.key.pem".to_owned())],
            "service.decryption_keys[0]: is the key that we sign with",
        ),
        (
            vec![(
                decrypts,
                "decryption_keys = [\"service-enc.key.pem\", \"other.key\"]".to_owned(),
            )],
            "service.decryption_keys[1]: is a key on P-384, and the node takes EC keys on P-256",
        ),
        (pins("service-sig.crt.pem"), "is of the signing key of this service, not of the node"),
        (pins("service-enc.crt.pem"), "is of a decryption key of this service, not of the node"),
        (pins("ca.crt.pem"), "is an authority, which signs certificates and no messages"),
        (pins("ed25519.pem"), "has a key of Ed25519"),
        (
            vec![("provider_name = \"Urząd\"", "provider_name = \" \"".to_owned())],
            "is missing; give the",
        ),
    ] {
        let mut text = GOOD.to_owned();
        for (from, to) in &changes {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        let folder = folder(&text);
        fs::write(folder.path().join("ed25519.pem"), &ed25519).unwrap();
        let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        private::write(&folder.path().join("other.key"), p384.serialize_pem().as_bytes()).unwrap();
        let output = check(folder.path());
        let said = text_of(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(expected), "{expected} is not in\n{said}");
        assert!(said.contains("\n1 error, "), "{said}");
    }
}

fn text_of(output: &Output) -> String {
    text(&output.stdout)
}

#[test]
fn check_warns_of_certificates_of_every_use_that_end_and_of_what_is_legal_but_unwise() {
    let years = |from: i32, to: i32| {
        pair("some", |params| {
            params.not_before = rcgen::date_time_ymd(from, 1, 1);
            params.not_after = rcgen::date_time_ymd(to, 1, 1);
        })
    };
    let client = "[node]\nclient_certificate = \"some.pem\"\nclient_key = \"some.key\"\n";
    let upstream = "url = \"https://127.0.0.1:3000\"\ntls_ca_file = \"some.pem\"\n\
                    tls_client_certificate = \"some.pem\"\ntls_client_key = \"some.key\"";
    let twice = "certificates = [\"node-signing.crt.pem\", \"node-signing.crt.pem\"]";
    let pinned = "certificates = [\"some.pem\"]";
    let node = "certificates = [\"node-signing.crt.pem\"]";
    let url = "url = \"http://127.0.0.1:3000\"";
    for (from, to, (certificate, key), expected) in [
        (
            "[node]\n",
            client,
            years(2000, 2001),
            "node.client_certificate: certificate CN=some ended",
        ),
        (
            "[node]\n",
            client,
            years(2090, 2095),
            "node.client_certificate: certificate CN=some begins",
        ),
        (
            url,
            upstream,
            years(2000, 2001),
            "upstream[0].tls_client_certificate: certificate CN=some",
        ),
        (url, upstream, years(2000, 2001), "upstream[0].tls_ca_file: certificate CN=some ended"),
        (
            node,
            pinned,
            years(2090, 2095),
            "node.certificates[0]: certificate CN=some begins only on",
        ),
        (node, twice, years(2000, 2095), "node.certificates[1]: C=PL, O=Symulator Brama"),
        (
            "[node]\n",
            "[node]\nenvironment = \"integration-private\"\n",
            years(2000, 2095),
            "service.kind: is \"public\", but node.environment is that of private entities",
        ),
    ] {
        assert!(GOOD.contains(from));
        let folder = folder(&GOOD.replace(from, to));
        fs::write(folder.path().join("some.pem"), certificate).unwrap();
        private::write(&folder.path().join("some.key"), key.as_bytes()).unwrap();
        let said = text_of(&check(folder.path()));
        assert!(said.contains(expected), "{expected} is not in\n{said}");
        assert!(said.contains("\n0 errors, ") && said.contains("usable"), "{said}");
    }
}

#[test]
fn check_warns_of_variables_that_nobody_understands_and_of_ports_that_are_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = folder(&GOOD.replacen("127.0.0.1:0", &address.to_string(), 1));
    let file = folder.path().join("brama.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_brama"))
        .args(["check", "--config"])
        .arg(file)
        .env("BRAMA_NODE_ISSUER", "login.gov.pl")
        .env("BRAMA_DEBUG", "1")
        .env("BRAMA_SERVICE_PORT_HTTP", "80")
        .env("BRAMA_PORT_80_TCP_ADDR", "10.0.0.1")
        .output()
        .unwrap();
    let said = text_of(&output);
    assert!(output.status.success(), "{said}");
    for expected in [
        "environment variable BRAMA_NODE_ISSUER: no key is named so, and it has no effect; write \
         BRAMA__NODE__ISSUER",
        "environment variable BRAMA_DEBUG: no key is named so",
        &format!("listen.http: {address} is in use; stop what listens there"),
    ] {
        assert!(said.contains(expected), "{expected} is not in\n{said}");
    }
    assert!(!said.contains("SERVICE_PORT") && !said.contains("TCP_ADDR"), "{said}");
}

#[test]
fn names_of_files_without_a_folder_are_in_the_folder_of_the_configuration() {
    let folder = folder(&format!("{GOOD}[log]\naccess_file = \"a.log\"\n"));
    let output = Command::new(env!("CARGO_BIN_EXE_brama"))
        .args(["check", "--config", "brama.toml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = text_of(&output);
    assert!(output.status.success() && said.contains("brama.toml: the configuration"), "{said}");
}

#[test]
fn an_upstream_is_demanded_only_where_a_route_goes_to_one_and_told_once() {
    let upstream = "[[upstream]]\nname = \"portal\"\nurl = \"http://127.0.0.1:3000\"\n";
    let without = GOOD.replace(upstream, "");
    let redirects = without.replace(
        "upstream = \"portal\"",
        "access = \"public\"\nredirect = { to = \"https://www.example.gov.pl/\" }",
    );
    for (configuration, expected) in
        [(redirects, "0 errors, "), (without, "upstream: is missing; add an [[upstream]]")]
    {
        let said = text_of(&check(folder(&configuration).path()));
        assert!(said.contains(expected), "{said}");
        assert!(said.contains("\n0 errors, ") || said.contains("\n1 error, "), "{said}");
    }
}

#[test]
fn sessions_takes_the_configuration_before_and_after_what_it_is_to_do() {
    let folder = folder(GOOD);
    let file = folder.path().join("brama.toml");
    let file = file.to_str().unwrap();
    for words in [["sessions", "-c", file, "list"], ["sessions", "list", "-c", file]] {
        let said = text(&brama(&words).stderr);
        assert!(said.contains("obeys nobody: give operations.admin_token_file"), "{said}");
    }
}

#[test]
fn check_says_when_connections_do_not_fit_into_the_descriptors() {
    let folder = folder(GOOD);
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 1024; exec \"$0\" check --config \"$1\""])
        .arg(env!("CARGO_BIN_EXE_brama"))
        .arg(folder.path().join("brama.toml"))
        .output()
        .unwrap();
    let said = text_of(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("listen.max_connections: 10000 connections of clients"), "{said}");
    assert!(said.contains("this process may have 1024: only "), "{said}");
    assert!(said.contains("LimitNOFILE="), "{said}");
}

#[test]
fn check_reports_every_problem_at_once_with_line_key_and_advice() {
    let broken = GOOD
        .replace("https://portal.example.gov.pl", "http://portal.example.gov.pl/path")
        .replace("service-sig.key.pem", "service-enc.key.pem")
        .replace("upstream = \"portal\"", "upstream = \"nowhere\"\nacess = \"public\"")
        .replace("node-signing.crt.pem", "missing.pem")
        + "[session]\nidle = \"soon\"\nabsolute = \"1m\"\n[identity]\ntoken_lifetime = \"1h\"\n";
    let folder = folder(&broken);
    let output = check(folder.path());
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    for part in [
        "portal.public_url",
        "service.signing_key",
        "nowhere",
        "acess",
        "access",
        "node.certificates",
        "missing.pem",
        "session.idle",
        "session.absolute",
        "identity.token_lifetime",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    // Every problem has its line, and a way to mend it behind a semicolon.
    let line = broken.lines().position(|line| line.contains("idle")).unwrap() + 1;
    assert!(said.contains(&format!("brama.toml:{line}")), "{said}");
    let errors: Vec<_> = said.lines().filter(|line| line.starts_with("error:")).collect();
    assert!(errors.len() >= 8, "{said}");
    assert!(errors.iter().all(|line| line.contains("; ")), "{said}");
}

/// A mode that a file or folder has, and what `check` says of it, behind the name.
type OpenDoor<'t> = (&'t str, u32, &'t str);

#[test]
fn check_says_which_files_are_open_to_others_and_what_to_run() {
    let configuration = GOOD.replace(
        "[operations]\n",
        "[identity]\npairwise_secret_file = \"pairwise\"\n[operations]\nadmin_token_file = \"token\"\n",
    );
    let folder = folder(&configuration);
    let path = |name: &str| folder.path().join(name);
    let set = |name: &str, mode| {
        fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    for name in ["pairwise", "token"] {
        private::write(&path(name), b"0123456789abcdef0123456789abcdef").unwrap();
    }
    fs::create_dir(path("state")).unwrap();
    private::write(&path("state/pairwise-secret"), &[7; 32]).unwrap();
    let check = || {
        let output = check(folder.path());
        (output.status.code(), text(&output.stdout))
    };
    // 1. Readable for the group is how keys are given to a service.
    for name in ["pairwise", "token", "service-sig.key.pem"] {
        set(name, 0o440);
    }
    set("state", 0o750);
    let (code, said) = check();
    assert_eq!(code, Some(0), "{said}");
    // 2. Everything else is told at once.
    let everybody = "everybody on this machine can";
    let doors: [OpenDoor<'_>; 8] = [
        ("pairwise", 0o644, "read it; run: chmod 0640"),
        ("token", 0o666, "read and write it; run: chmod 0640"),
        ("service-sig.key.pem", 0o604, "read it; run: chmod 0600"),
        ("service-enc.key.pem", 0o602, "write to it; run: chmod 0600"),
        ("node-signing.crt.pem", 0o646, "write to it; run: chmod 0644"),
        ("state", 0o777, "write to it; run: chmod 0775"),
        ("state/pairwise-secret", 0o644, "read it; run: chmod 0640"),
        ("brama.toml", 0o666, "write to it; run: chmod 0664"),
    ];
    for (name, mode, _) in doors {
        set(name, mode);
    }
    let (code, said) = check();
    assert_eq!(code, Some(1), "{said}");
    for (name, mode, advice) in doors {
        let name = path(name);
        let expected = format!("{} has mode {mode:04o}: {everybody} {advice}", name.display());
        assert!(said.contains(&format!("{expected} {}", name.display())), "{expected}: {said}");
    }
    assert!(said.contains("8 errors"), "{said}");
    // 3. A mount that nobody else has, such as one of Kubernetes.
    let mounted = configuration
        .replace("[portal]\n", &format!("[portal]\nprivate_mounts = [{:?}]\n", folder.path()));
    fs::write(path("brama.toml"), mounted).unwrap();
    let (code, said) = check();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn nothing_of_the_simulator_is_believed_where_citizens_come() {
    let public = GOOD.replace("portal.example.gov.pl", "portal.urzad.gov.pl");
    let production = GOOD.replace("[node]\n", "[node]\nenvironment = \"production\"\n");
    for configuration in [public, production] {
        let folder = folder(&configuration);
        let output = check(folder.path());
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("node.certificates[0]: ") && said.contains("is of the simulator"),
            "{said}"
        );
        let run = brama(&["run", "--config", folder.path().join("brama.toml").to_str().unwrap()]);
        assert!(!run.status.success());
    }
}

#[test]
fn check_warns_of_what_is_legal_but_unwise() {
    let unwise = GOOD
        .replace("state_directory = \"state\"\n", "")
        .replace("http = \"127.0.0.1:0\"", "http = \"0.0.0.0:0\"")
        + "[session]\nabsolute = \"48h\"\n";
    let folder = folder(&unwise);
    let output = check(folder.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let said = text(&output.stdout);
    for part in ["portal.state_directory", "listen.http", "session.absolute"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

#[test]
fn environment_variables_override_keys_and_are_named_when_they_are_wrong() {
    let folder = folder(GOOD);
    let config = folder.path().join("brama.toml");
    let check = |name: &str, value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.arg("check").arg("--config").arg(&config).env(name, value).output().unwrap()
    };
    assert_eq!(check("BRAMA__SESSION__IDLE", "5m").status.code(), Some(0));
    let output = check("BRAMA__SESSION__IDLE", "never");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("BRAMA__SESSION__IDLE"));
}

#[test]
fn run_refuses_to_start_with_a_wrong_configuration() {
    let folder = folder(&GOOD.replace("provider_name", "provider_nam"));
    let output = brama(&["run", "--config", folder.path().join("brama.toml").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("did you mean"), "{}", text(&output.stderr));
}

#[test]
fn the_reference_in_the_project_is_the_one_that_the_program_prints() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/reference.toml");
    let committed = fs::read_to_string(committed).unwrap();
    let printed = text(&brama(&["reference"]).stdout);
    assert_eq!(printed, committed, "run: cargo run -- reference > config/reference.toml");
    let schema = text(&brama(&["reference", "--schema"]).stdout);
    assert!(serde_json::from_str::<serde_json::Value>(&schema).is_ok());
}

/// A gateway that runs as a process.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: String,
}

impl Running {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, "http")
    }

    /// Starts, and takes the address of the listener of that name.
    pub(crate) fn start_with(folder: &Path, listener: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_brama"))
            .args(["run", "--config"])
            .arg(folder.join("brama.toml"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.by_ref().find_map(|line| {
            let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            Some(event[listener].as_str()?.to_owned())
        });
        let address = address.expect("it says where it listens");
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn get(&self, path: &str) -> String {
        self.get_of("portal.example.gov.pl", path)
    }

    fn get_of(&self, host: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn keys_of_identities_survive_kill_9() {
    let folder = folder(GOOD);
    let body = |answer: String| answer.split("\r\n\r\n").nth(1).unwrap().to_owned();
    let mut first = Running::start(folder.path());
    let keys = body(first.get("/.brama/jwks.json"));
    assert!(keys.contains("ES256"));
    first.signal("-KILL");
    first.child.wait().unwrap();
    let second = Running::start(folder.path());
    assert_eq!(body(second.get("/.brama/jwks.json")), keys);
}

#[test]
fn sigterm_ends_the_process_soon_and_well() {
    let folder = folder(GOOD);
    let mut running = Running::start(folder.path());
    // A keep-alive connection that does nothing does not hold it up.
    let _idle = TcpStream::connect(&running.address).unwrap();
    let begun = Instant::now();
    running.signal("-TERM");
    assert!(running.child.wait().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
}

#[test]
fn an_outage_is_switched_by_a_signal_and_lifted_by_another() {
    let folder = folder(GOOD);
    let config = folder.path().join("brama.toml");
    let gateway = Running::start(folder.path());
    assert!(gateway.get("/tax").starts_with("HTTP/1.1 401"));
    let message = "[node]\noutage = true\noutage_message = { pl = \"Przerwa\" }";
    for (text, status) in
        [(GOOD.replace("[node]", message), "HTTP/1.1 503"), (GOOD.to_owned(), "HTTP/1.1 401")]
    {
        fs::write(&config, text).unwrap();
        gateway.signal("-HUP");
        let until = Instant::now() + Duration::from_secs(20);
        while !gateway.get("/tax").starts_with(status) {
            assert!(Instant::now() < until, "{}", gateway.get("/tax"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn explain_examines_folders_and_base64_and_tells_refused_from_wrongly_called() {
    let folder = folder(GOOD);
    let captured = folder.path().join("captured");
    fs::create_dir(&captured).unwrap();
    fs::write(captured.join("a.xml"), "<a/>").unwrap();
    fs::write(captured.join("b.b64"), "PGEvPg==\n").unwrap();
    let certificate = folder.path().join("node-signing.crt.pem");
    let [captured, certificate] = [&captured, &certificate].map(|path| path.to_str().unwrap());
    let output = brama(&["explain", captured, "--trusted-certificate", certificate, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    let reports: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(reports.len(), 2);
    for report in &reports {
        assert_eq!(report["verdict"], "refused");
        assert_eq!(report["reason"], "login.unexpected_answer");
        for key in ["file", "person", "assurance", "checks"] {
            assert!(report.get(key).is_some(), "{key}");
        }
    }
    // The configuration holds everything that is needed.
    let config = folder.path().join("brama.toml");
    let output = brama(&["explain", captured, "--config", config.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    for wrong in [
        vec!["explain"],
        vec!["explain", captured],
        vec!["explain", "no-such-file", "--trusted-certificate", certificate],
        vec!["explain", captured, "--trusted-certificate", captured],
        vec!["explain", captured, "--trusted-certificate", certificate, "--at", "soon"],
        vec!["explain", captured, "--trusted-certificate", certificate, "--assurance", "x"],
    ] {
        assert_eq!(brama(&wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn explain_repeats_foreign_values_on_one_line_within_bounds() {
    let folder = folder(GOOD);
    let captured = folder.path().join("captured");
    fs::create_dir(&captured).unwrap();
    let protocol = "urn:oasis:names:tc:SAML:2.0:protocol";
    let hostile = format!("x\u{9b}31m\u{202e}&#10;y{}", "z".repeat(60_000));
    let long = "n".repeat(200_000);
    for (name, xml) in [
        ("element", format!("<{long}/>")),
        ("namespace", format!("<a xmlns='urn:{}'/>", "u".repeat(200))),
        (
            "identifier",
            format!(
                "<p:ArtifactResponse xmlns:p='{protocol}' ID='{hostile}'><a ID='{hostile}'/>\
                 </p:ArtifactResponse>"
            ),
        ),
        (
            "status",
            format!(
                "<p:ArtifactResponse xmlns:p='{protocol}'><p:Status><p:StatusCode \
                 Value='{hostile}'><p:StatusCode Value='{hostile}'/></p:StatusCode>\
                 <p:StatusMessage>{hostile}</p:StatusMessage></p:Status></p:ArtifactResponse>"
            ),
        ),
        (
            "fault",
            format!(
                "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><s:Fault>\
                 <faultcode>s:Server</faultcode><faultstring>{hostile}</faultstring></s:Fault>\
                 </s:Body></s:Envelope>"
            ),
        ),
        ("a\nname\u{9b}", "<a/>".to_owned()),
        ("malformed", format!("<a><{long}></a>")),
    ] {
        fs::write(captured.join(name), xml).unwrap();
    }
    let certificate = folder.path().join("node-signing.crt.pem");
    let [captured, certificate] = [&captured, &certificate].map(|path| path.to_str().unwrap());
    for form in [None, Some("--json")] {
        let mut arguments = vec!["explain", captured, "--trusted-certificate", certificate];
        arguments.extend(form);
        let output = brama(&arguments);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stdout);
        let is_plain = |letter: char| !letter.is_control() && letter != '\u{202e}';
        for line in said.lines() {
            let length = line.chars().count();
            // JSON has several values on a line.
            assert!(length < if form.is_some() { 4_000 } else { 1_000 }, "{length}: {line}");
            assert!(line.chars().all(is_plain), "{line:?}");
        }
        assert!(said.contains("login.signature_duplicate_id"), "{said}");
        assert!(said.contains("login.soap_fault"), "{said}");
    }
}

#[test]
fn citizens_are_served_over_tls_with_cookies_that_no_other_host_can_set() {
    let https = GOOD.replace(
        "http = \"127.0.0.1:0\"",
        "https = \"127.0.0.1:0\"\ncertificate = \"node-tls.crt.pem\"\nkey = \"node-tls.key.pem\"",
    );
    let https = https.replace("https://portal.example.gov.pl", "https://localhost");
    let folder = folder(&https);
    let running = Running::start_with(folder.path(), "https");
    let port = running.address.rsplit(':').next().unwrap().to_owned();
    let curl = |more: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["-sS", "-i", "-H", "Accept: text/html"]).args(more);
        command.arg("--resolve").arg(format!("localhost:{port}:127.0.0.1"));
        command.arg(format!("https://localhost:{port}/")).output().unwrap()
    };
    let authority = folder.path().join("ca.crt.pem");
    let authority = authority.to_str().unwrap();
    for (tls, http, status) in
        [("--tlsv1.3", "--http2", "HTTP/2 200"), ("--tlsv1.2", "--http1.1", "HTTP/1.1 200")]
    {
        let answer = text(&curl(&["--cacert", authority, tls, http]).stdout);
        assert!(answer.starts_with(status), "{answer}");
        assert!(answer.contains("set-cookie: __Host-brama-xlogin-"), "{answer}");
        assert!(answer.contains("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{answer}");
    }
    // The twin refusals: an old version, and a client that does not know the authority.
    assert!(!curl(&["--cacert", authority, "--tlsv1.1", "--tls-max", "1.1"]).status.success());
    assert!(!curl(&[]).status.success());
}

#[test]
fn pkcs_12_files_are_taken_where_pem_files_are() {
    let folder = folder(GOOD);
    let path = |name: &str| folder.path().join(name);
    private::write(&path("password"), "zażółć\n".as_bytes()).unwrap();
    private::write(&path("wrong"), "gęślą\n".as_bytes()).unwrap();
    for name in ["service-sig", "service-enc"] {
        // The form in which the operator hands keys over.
        let output = Command::new("openssl")
            .args(["pkcs12", "-export", "-passout", "pass:zażółć"])
            .arg("-inkey")
            .arg(path(&format!("{name}.key.pem")))
            .arg("-in")
            .arg(path(&format!("{name}.crt.pem")))
            .arg("-out")
            .arg(path(&format!("{name}.p12")))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let with_password = |file: &str| {
        let pem = "signing_certificate = \"service-sig.crt.pem\"\n\
                   signing_key = \"service-sig.key.pem\"\n\
                   decryption_keys = [\"service-enc.key.pem\"]\n";
        let p12 = format!(
            "signing_p12 = \"service-sig.p12\"\nsigning_p12_password_file = \"{file}\"\n\
             [[service.decryption_p12]]\nfile = \"service-enc.p12\"\npassword_file = \"{file}\"\n"
        );
        let configuration = GOOD.replace(pem, &p12);
        assert_ne!(configuration, GOOD);
        fs::write(path("brama.toml"), configuration).unwrap();
        check(folder.path())
    };
    let output = with_password("password");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let output = with_password("wrong");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("check the password"), "{}", text(&output.stdout));
}

#[test]
fn every_environment_has_its_addresses() {
    for (environment, host) in [
        ("symulator", "symulator.login.gov.pl"),
        ("integration", "int.login.gov.pl"),
        ("integration-private", "int-podmiotyzewnetrzne.login.gov.pl"),
        ("production", "login.gov.pl"),
        ("production-private", "podmiotyzewnetrzne.login.gov.pl"),
    ] {
        let node = format!("[node]\nenvironment = \"{environment}\"");
        let settings = resolved(&GOOD.replace("[node]", &node));
        assert_eq!(settings.flows.node_issuer, host);
        assert_eq!(
            settings.flows.sso_url,
            format!("https://{host}/login/SingleSignOnService"),
            "{environment}"
        );
        assert_eq!(settings.flows.template.destination, settings.flows.sso_url);
        let resolve = settings.node.resolve_url.to_string();
        assert_eq!(resolve, format!("https://{host}/login-services/idpArtifactResolutionService"));
        let logout = settings.flows.logout_url.unwrap();
        assert_eq!(logout, format!("https://{host}/login-services/singleLogoutService"));
        assert_eq!(
            settings.gateway.test_environment.is_none(),
            environment.starts_with("production")
        );
    }
    // Every one of them can be overridden, each by itself.
    let settings = resolved(&GOOD.replace(
        "[node]",
        "[node]\nenvironment = \"integration\"\nissuer = \"other\"\n\
         sso_destination = \"https://login.gov.pl/login/SingleSignOnService\"",
    ));
    assert_eq!(settings.flows.node_issuer, "other");
    assert_eq!(
        settings.flows.template.destination,
        "https://login.gov.pl/login/SingleSignOnService"
    );
    assert_eq!(settings.flows.sso_url, "https://int.login.gov.pl/login/SingleSignOnService");
    // The twin refusal: "custom" has none of its own.
    let folder = folder(&GOOD.replace("[node]", "[node]\nenvironment = \"custom\""));
    let said = text(&check(folder.path()).stdout);
    for key in ["node.issuer", "node.sso_url", "node.resolve_url"] {
        assert!(said.contains(key), "{said}");
    }
}

fn resolved(configuration: &str) -> brama::app::Settings {
    let folder = folder(configuration);
    // Where citizens come, the simulator's certificate is not taken for the node's.
    let theirs = rcgen::generate_simple_self_signed(["login.gov.pl".to_owned()]).unwrap();
    fs::write(folder.path().join("node-signing.crt.pem"), theirs.cert.pem()).unwrap();
    let path = folder.path().join("brama.toml");
    let loaded = brama::config::load(&path, std::iter::empty()).unwrap();
    let (settings, problems) = brama::config::resolve(loaded, SystemClock.now());
    settings.unwrap_or_else(|| panic!("{problems}"))
}

/// Starts the demo on any ports. Returns where it is to be opened.
fn demo(arguments: &[&str]) -> (Running, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_brama"))
        .args(["demo", "--port", "0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let origin = loop {
        let line = lines.next().expect("it says what to open").unwrap();
        if let Some(origin) = line.trim().strip_prefix("Open in a browser") {
            break origin.trim().trim_end_matches('/').to_owned();
        }
    };
    let address = origin.replace("http://localhost", "127.0.0.1");
    (Running { child, address }, origin)
}

/// A developer's own portal, told in the forms that were asked for.
#[test]
fn the_demo_stands_before_a_portal_of_ones_own() {
    let portal = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = format!("http://{}", portal.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = portal.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine").unwrap();
        String::from_utf8(head).unwrap()
    });
    let (running, origin) = demo(&[
        "--upstream",
        &upstream,
        "--identity",
        "assertion,signature",
        "--access",
        "optional",
    ]);
    let host = origin.trim_start_matches("http://");
    let answer = running.get_of(host, "/mine?a=b");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("mine"), "{answer}");
    let head = heard.join().unwrap();
    assert!(head.starts_with("GET /mine?a=b HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nsignature-input: brama=("), "{head}");
    assert!(!head.contains("x-brama-assertion:"), "nobody is signed in: {head}");
    running.signal("-TERM");
    for (arguments, said) in [
        (&["--upstream", "http://portal.example"][..], "the demo is for this machine alone"),
        (&["--upstream", "https://localhost"], "write it like http://localhost:3000"),
        (&["--identity", "bearer"], "--upstream"),
        (&["--upstream", "http://localhost", "--identity", "magic"], "possible values: assertion"),
    ] {
        let refused = brama(&[&["demo"][..], arguments].concat());
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && text.contains(said), "{arguments:?}: {text}");
    }
}

#[test]
fn the_demo_starts_without_any_file_and_signs_nobody_in_by_itself() {
    let (running, origin) = demo(&[]);
    let by_number = running.address.clone();
    let front = running.get("/");
    // Another Host than the demo's is nobody's.
    assert!(front.starts_with("HTTP/1.1 404"), "{front}");
    // By the number of the machine a browser is led to its name, where its cookies are.
    let front = running.get_of(&by_number, "/account?year=2031");
    assert!(front.starts_with("HTTP/1.1 307"), "{front}");
    let expected = format!("\r\nlocation: {origin}/account?year=2031\r\n");
    assert!(front.contains(&expected), "{front}");
    running.signal("-TERM");
}
