//! `brama simulator` and `brama run` as programs: what a team sets up for its own tests.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use brama::base::encoding::from_base64url;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Browser, Delivery, world};

/// How long a program may take to say something.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that runs, and what it has said.
struct Program {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Program {
    fn start(words: &[String]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let listen = |stream: Box<dyn std::io::Read + Send>| {
            let said = Arc::clone(&said);
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    said.lock().unwrap().push_str(&(line + "\n"));
                }
            });
        };
        listen(Box::new(child.stdout.take().unwrap()));
        listen(Box::new(child.stderr.take().unwrap()));
        Self { child, said }
    }

    /// How much it has said until now.
    fn mark(&self) -> usize {
        self.said.lock().unwrap().len()
    }

    /// Waits until it says something behind the mark, and returns all that it said there.
    fn says(&self, mark: usize, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.said.lock().unwrap()[mark..].to_owned();
            if said.contains(words) {
                return said;
            }
            assert!(Instant::now() < deadline, "never says {words:?}: {said}");
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Simulator and gateway, which trust each other by the files of a folder.
struct Programs {
    folder: tempfile::TempDir,
    simulator: Option<Program>,
    gateway: Program,
    ports: [u16; 3],
}

impl Programs {
    /// `more` are options of the simulator; `FOLDER` in them is that of the test.
    fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = free_ports();
        let simulator = simulator(folder.path(), ports, more);
        let [gateway, pages, soap] = ports;
        let text = include_str!("../../config/simulator.toml")
            .replace("http://localhost:8080", &format!("http://127.0.0.1:{gateway}"))
            .replace("127.0.0.1:8080", &format!("127.0.0.1:{gateway}"))
            .replace("127.0.0.1:8081", &format!("127.0.0.1:{pages}"))
            .replace("127.0.0.1:8082", &format!("127.0.0.1:{soap}"))
            .replace(
                "[service]\n",
                "timeout = \"2s\"\n[operations]\nlisten = \"127.0.0.1:0\"\n[service]\n",
            );
        let file = folder.path().join("brama.toml");
        fs::write(&file, text).unwrap();
        let words = ["run", "--config", file.to_str().unwrap()].map(str::to_owned);
        let gateway = Program::start(&words);
        gateway.says(0, "gateway started");
        Self { folder, simulator: Some(simulator), gateway, ports }
    }

    /// Starts another simulator in the place of the one that is.
    fn change_simulator(&mut self, more: &[&str]) {
        self.simulator = None;
        self.simulator = Some(simulator(self.folder.path(), self.ports, more));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn browser(&self) -> Browser {
        Browser::new(&format!("http://127.0.0.1:{}", self.ports[0]))
    }

    /// Who is signed in after a login, or the page that says why nobody is.
    async fn sign_in(&self, person: &str) -> Result<Value, String> {
        let mut browser = self.browser();
        let page = browser.sign_in("/.brama/login?return_to=/.brama/session", person).await;
        signed_in(&mut browser, &page.text).await
    }

    async fn control(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let mut browser = Browser::new(&format!("http://127.0.0.1:{}", self.ports[1]));
        let headers = [("x-brama-control", "1")];
        let path = format!("/control/{path}");
        let answer = browser.fetch_with(Method::PUT, &path, &headers, &body.to_string()).await;
        (answer.status, serde_json::from_str(&answer.text).unwrap())
    }
}

async fn signed_in(browser: &mut Browser, page: &str) -> Result<Value, String> {
    let session = browser.fetch("/.brama/session").await.json();
    if session["signed_in"] == true { Ok(session) } else { Err(page.to_owned()) }
}

fn simulator(folder: &Path, ports: [u16; 3], more: &[&str]) -> Program {
    let [gateway, pages, soap] = ports;
    let shown = folder.display().to_string();
    let mut words = vec!["simulator".to_owned(), format!("--directory={shown}/kit")];
    words.push(format!("--pages=127.0.0.1:{pages}"));
    words.push(format!("--soap=127.0.0.1:{soap}"));
    if !more.iter().any(|word| word.starts_with("--services")) {
        words.push(format!("--acs=http://127.0.0.1:{gateway}/.brama/acs"));
    }
    words.extend(more.iter().map(|word| word.replace("FOLDER", &shown)));
    let program = Program::start(&words);
    program.says(0, "  Control ");
    program
}

/// Ports at which nobody listens. They are asked for at once, so that they differ.
fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Runs the program to its end, which is a refusal: its status, and what it says.
fn refuses(words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_brama")).args(words).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn each_fault_of_tls_is_told_by_the_gateway_with_its_reason() {
    let programs = Programs::start(&["--mutual-tls=optional"]);
    assert_eq!(programs.sign_in("anna").await.unwrap()["given_name"], "Anna");
    for (fault, code, reason) in [
        ("expired", "login.node_unreachable", "certificate expired"),
        ("wrong-name", "login.node_unreachable", "not valid for name"),
        ("wrong-authority", "login.node_unreachable", "UnknownIssuer"),
        ("self-signed", "login.node_unreachable", "UnknownIssuer"),
        ("client-certificate", "login.node_unreachable", "UnknownCA"),
        ("version", "login.node_unreachable", "ProtocolVersion"),
        ("cut", "login.node_unreachable", "eof"),
        ("slow=30s", "login.node_timeout", "2s"),
    ] {
        let (status, told) = programs.control("tls", json!({ "fault": fault })).await;
        assert_eq!((status, &told["fault"]), (StatusCode::OK, &json!(fault)));
        let mark = programs.gateway.mark();
        let page = programs.sign_in("anna").await.unwrap_err();
        assert!(page.contains(code), "{fault}: {page}");
        let log = programs.gateway.says(mark, code);
        assert!(log.contains(reason), "{fault}: {log}");
    }
    programs.control("tls", json!({ "fault": null })).await;
    assert!(programs.sign_in("anna").await.is_ok(), "it comes back by itself");
}

#[tokio::test]
async fn a_fault_of_tls_and_hours_may_be_there_from_the_start() {
    let schedule = "--schedule=@FOLDER/hours";
    let folder = tempfile::tempdir().unwrap();
    let hours = folder.path().join("hours");
    fs::write(&hours, "1h 503 # all the time\nrepeat\n").unwrap();
    let schedule = schedule.replace("FOLDER", folder.path().to_str().unwrap());
    let mut programs = Programs::start(&[&schedule]);
    for (told, code) in [
        ("1h 503", "login.node_http_status"),
        ("1h down", "login.node_unreachable"),
        ("1h reset", "login.node_unreachable"),
        ("1h slow=20s", "login.node_timeout"),
    ] {
        let page = programs.sign_in("anna").await.unwrap_err();
        assert!(page.contains("login.node_http_status"), "from the start: {page}");
        programs.control("schedule", json!({ "schedule": told })).await;
        let page = programs.sign_in("anna").await.unwrap_err();
        assert!(page.contains(code), "{told}: {page}");
        programs.control("schedule", json!({ "schedule": "1h 503" })).await;
    }
    programs.control("schedule", json!({ "schedule": null })).await;
    assert!(programs.sign_in("anna").await.is_ok());
    programs.change_simulator(&["--tls-fault=expired"]);
    assert!(programs.sign_in("anna").await.unwrap_err().contains("login.node_unreachable"));

    fs::write(&hours, "1h ok\n1h up\n").unwrap();
    let (status, said) = refuses(&["simulator", &schedule]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("hours: line 2: unknown condition \"up\""), "{said}");
    let (status, said) = refuses(&["simulator", "--tls-fault", "none"]);
    assert!(status == Some(2) && said.contains("there are expired"), "{said}");
    let (status, said) = refuses(&["simulator", "--tls-fault=cut", "--mutual-tls=off"]);
    assert!(status == Some(1) && said.contains("speaks no TLS"), "{said}");
}

#[tokio::test]
async fn persons_of_a_file_sign_in_and_one_that_is_wrong_is_refused() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/config/persons.toml");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("persons.toml");
    fs::copy(example, &file).unwrap();
    let option = format!("--persons={}", file.display());
    let programs = Programs::start(&[&option]);
    assert_eq!(programs.sign_in("jadwiga").await.unwrap()["given_name"], "Jadwiga");
    assert!(
        programs.sign_in("stary").await.unwrap_err().contains("login.conditions_not_on_or_after")
    );
    assert!(programs.sign_in("zablokowana").await.unwrap_err().contains("login.refused_by_node"));
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("given_name = \"Jadwiga\"", "given_name = \"Jaga\"")).unwrap();
    assert_eq!(programs.sign_in("jadwiga").await.unwrap()["given_name"], "Jaga");

    fs::write(&file, text.replace("mobywatel\"", "obywatel\"").replace("1879-", "79-")).unwrap();
    let (status, said) =
        refuses(&["simulator", "--pages=127.0.0.1:0", "--soap=127.0.0.1:0", &option]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("person[0].way: is not known: \"obywatel\"; write one of"), "{said}");
    assert!(said.contains("person[1].birthdate: is no date: \"79-03-14\"; write year"), "{said}");
    assert!(said.contains("2 errors"), "{said}");
}

#[tokio::test]
async fn a_login_is_recorded_and_the_next_simulator_plays_it_back() {
    let mut programs = Programs::start(&["--record=FOLDER/records"]);
    assert!(programs.sign_in("zofia").await.is_ok());
    assert!(programs.sign_in("odmowa").await.is_err());
    let first = programs.path("records/login-000001.json");
    assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&first).unwrap().contains("\"given_name\": \"Zofia\""));

    programs.change_simulator(&["--replay=FOLDER/records"]);
    let replays = async || {
        let mut browser = programs.browser();
        let page = browser.open("/.brama/login?return_to=/.brama/session").await;
        let back = browser.leads_on(&page).await;
        let (method, action, fields) = back.form();
        let delivery = Delivery { acs: action.parse().unwrap(), method, fields };
        let page = browser.deliver(&delivery).await;
        signed_in(&mut browser, &page.text).await
    };
    assert_eq!(replays().await.unwrap()["given_name"], "Zofia");
    assert!(replays().await.unwrap_err().contains("login.refused_by_node"));
    assert_eq!(programs.sign_in("anna").await.unwrap()["given_name"], "Anna", "asked again");

    fs::write(&first, "{}").unwrap();
    let option = format!("--replay={}", programs.path("records").display());
    let (status, said) =
        refuses(&["simulator", "--pages=127.0.0.1:0", "--soap=127.0.0.1:0", &option]);
    assert!(status == Some(1) && said.contains("has neither a person nor a status"), "{said}");
}

#[tokio::test]
async fn service_providers_of_a_file_are_the_only_ones() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("services.toml");
    let option = format!("--services={}", file.display());
    let write = |acs: &str| {
        let own = format!("[[service]]\nissuer = \"portal.brama.localhost\"\nacs = \"{acs}\"\n");
        let other = "[[service]]\nissuer = \"other\"\nacs = \"http://other.test/acs\"\n";
        fs::write(&file, own + other).unwrap();
    };
    write("http://127.0.0.1:1/elsewhere");
    let mut programs = Programs::start(&[&option]);
    let mut browser = programs.browser();
    let page = browser.open("/.brama/login?return_to=/").await;
    let refused = browser.leads_on(&page).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text.contains("authn-request-acs"), "{}", refused.text);
    write(&format!("http://127.0.0.1:{}/.brama/acs", programs.ports[0]));
    programs.change_simulator(&[&option]);
    assert_eq!(programs.sign_in("anna").await.unwrap()["given_name"], "Anna");

    let (status, said) = refuses(&["simulator", &option, "--acs=http://127.0.0.1/acs"]);
    assert!(status == Some(2) && said.contains("cannot be used with"), "{said}");
    fs::write(&file, "[[service]]\nissuer = \"x\"\nacs = \"y\"\n").unwrap();
    let (status, said) =
        refuses(&["simulator", "--pages=127.0.0.1:0", "--soap=127.0.0.1:0", &option]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("services.toml:3: service[0].acs: is no address: \"y\""), "{said}");
}

#[tokio::test]
async fn the_way_by_mobywatel_has_its_name_and_a_rule_can_ask_for_it() {
    let routes = "[[route]]\npath = \"/tax\"\nupstream = \"portal\"\n\
                  authorities = [\"mobywatel.symulator\"]\n";
    let world = world().with_routes(routes).start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[("way", "mobywatel")]).await;
    assert_eq!(browser.deliver(&delivery).await.text, "portal");
    let seen = world.last_seen();
    let payload = seen.assertion().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&from_base64url(payload).unwrap()).unwrap();
    assert_eq!(claims["amr"], json!(["mobywatel"]));
    assert_eq!(claims["authenticating_authority"], "mobywatel.symulator");

    let mut other = world.browser();
    let delivery = other.reach_node("/tax", "anna", &[("way", "profil-zaufany")]).await;
    let page = other.deliver(&delivery).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.text.contains("policy.way_not_allowed"), "{}", page.text);
}
