//! Sessions that survive: a process that is killed, a successor, another replica; and what citizens
//! see while the store is away.

mod disks;
mod forms;
mod keys;
mod outages;
mod outcomes;
mod passwords;
mod rolling;
mod room;
mod secrets;
mod theft;
mod upgrade;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::redis::Redis;
use crate::harness::tools::{self, PYTHON, Tool};
use crate::harness::{
    Answer, Gateway, Load, PATIENCE, Plan, Program, Simulator, free_address, node, python, sign_in,
    source,
};

fn plan(portal: &str, store: &str) -> Plan {
    Plan::empty()
        .upstream("portal", portal)
        .route("/", "portal", "required")
        .route("/public", "portal", "public")
        .with(&format!("\n[store]\n{store}"))
        .operated()
        .file("pairwise", "0123456789abcdef0123456789abcdef")
        .environment("BRAMA__IDENTITY__PAIRWISE_SECRET_FILE", "pairwise")
}

/// Asks a gateway for a page of the portal, which may be known under the name of another replica.
fn page(gateway: &Gateway, host: &str, path: &str, cookie: &str) -> Answer {
    let mut wire = gateway.connect();
    wire.send(
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nAccept: text/html\r\n\
             Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\r\n"
        )
        .as_bytes(),
    );
    wire.answer("GET")
}

/// Waits until a page has this status.
fn until_status(gateway: &Gateway, host: &str, cookie: &str, status: u16, within: Duration) {
    let deadline = Instant::now() + within;
    loop {
        let answer = page(gateway, host, "/account", cookie);
        if answer.status == status && is_of_portal(&answer) == (status == 200) {
            return;
        }
        assert!(Instant::now() < deadline, "still {}: {}", answer.status, answer.text());
        sleep(Duration::from_millis(10));
    }
}

/// Tells an answer of the portal from a page of ours.
fn is_of_portal(answer: &Answer) -> bool {
    answer.header("content-type") == Some("application/json")
}

#[test]
fn with_a_file_a_citizen_stays_signed_in_when_the_process_is_killed() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("sessions.db");
    let plan = plan(&url, &format!("kind = \"file\"\nfile = {{ path = {file:?} }}"));
    let simulator = Simulator::start(plan.address());
    let mut gateway = plan.node(&simulator).start();
    let host = gateway.host();
    let (anna, lukasz) = (sign_in(&gateway, "anna"), sign_in(&gateway, "lukasz"));
    assert_eq!(page(&gateway, &host, "/account", &anna).status, 200);
    for _ in 0..3 {
        gateway.program.signal("KILL");
        gateway.program.wait();
        gateway.start_again();
        let answer = page(&gateway, &host, "/account", &anna);
        assert_eq!((answer.status, is_of_portal(&answer)), (200, true));
    }
    // What was ended stays ended.
    let mut wire = gateway.connect();
    wire.send(
        format!(
            "POST /.brama/logout HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: same-origin\r\n\
             Cookie: {lukasz}\r\nContent-Length: 0\r\n\r\n"
        )
        .as_bytes(),
    );
    assert!(wire.answer("POST").status < 400);
    gateway.program.signal("KILL");
    gateway.program.wait();
    gateway.start_again();
    assert!(!is_of_portal(&page(&gateway, &host, "/account", &lukasz)));
    assert!(is_of_portal(&page(&gateway, &host, "/account", &anna)));
    // What seals is beside it, for its owner only.
    let secret = std::fs::metadata(folder.path().join("sessions.db.secret")).unwrap();
    assert_eq!((secret.len(), secret.permissions().mode() & 0o777), (32, 0o600));
    // Nobody finds a name in it.
    let bytes = std::fs::read(&file).unwrap();
    for name in ["Żółkiewska", "84851401359", anna.trim_start_matches("brama=")] {
        assert!(!bytes.windows(name.len()).any(|window| window == name.as_bytes()), "{name}");
    }
}

#[test]
fn a_file_that_is_deleted_or_moved_under_a_running_process_is_told_and_readiness_knows() {
    let folder = TempDir::new().unwrap();
    let (file, aside) = (folder.path().join("sessions.db"), folder.path().join("aside.db"));
    let store = format!("kind = \"file\"\nfile = {{ path = {file:?} }}");
    let gateway = plan("http://127.0.0.1:1", &store).start();
    let until_ready_says = |text: &str| {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = gateway.operations().get("localhost", "/readyz");
            if answer.text() == text {
                return;
            }
            assert!(Instant::now() < deadline, "{}", answer.text());
            sleep(Duration::from_millis(50));
        }
    };
    until_ready_says("ready\n");
    std::fs::rename(&file, &aside).unwrap();
    gateway.has_said(&["its file was deleted or replaced while it was open"]);
    until_ready_says("ready, but the session store is away\n");
    // Another one in its place is none of ours.
    std::fs::write(&file, "").unwrap();
    sleep(Duration::from_secs(2));
    until_ready_says("ready, but the session store is away\n");
    std::fs::rename(&aside, &file).unwrap();
    until_ready_says("ready\n");
}

#[test]
fn a_store_that_cannot_be_opened_says_why_and_says_it_once() {
    let store = "kind = \"file\"\nfile = { path = \"no/such/folder/sessions.db\" }";
    let said = plan("http://127.0.0.1:1", store).refused();
    assert!(said.contains("no/such/folder\" for the store cannot be used"), "{said}");
    assert_eq!(said.matches("No such file or directory").count(), 1, "{said}");
}

#[test]
fn with_a_file_a_second_process_does_not_start_and_a_successor_takes_it_over() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("sessions.db");
    let store = format!("kind = \"file\"\nfile = {{ path = {file:?} }}");
    let plan_one = plan(&url, &store);
    let simulator = Simulator::start(plan_one.address());
    let mut gateway = plan_one.node(&simulator).start();
    let host = gateway.host();
    let cookie = sign_in(&gateway, "anna");
    // 1. Another process of its own is refused, and told why.
    let mut other = Command::new(env!("CARGO_BIN_EXE_brama"));
    let configuration = gateway.file("brama.toml");
    other.arg("run").arg("--config").arg(configuration);
    other.env("BRAMA__LISTEN__HTTP", free_address().to_string());
    other.env("BRAMA__OPERATIONS__LISTEN", free_address().to_string());
    let other = other.output().unwrap();
    assert!(!other.status.success());
    let said = String::from_utf8_lossy(&[other.stdout, other.stderr].concat()).into_owned();
    assert!(said.contains("sessions.db"), "{said}");
    // 2. A successor is not, and no request fails meanwhile.
    let load = Load::signed_in(gateway.address, "/account", &cookie);
    load.answers(50);
    gateway.program.signal("USR2");
    assert!(gateway.program.wait().success());
    load.answers(50);
    load.stop().all_answered();
    assert!(is_of_portal(&page(&gateway, &host, "/account", &cookie)));
    end_successor(&gateway);
}

/// Ends the process that serves by the configuration of a gateway in its place.
fn end_successor(gateway: &Gateway) {
    end_successor_by(gateway, "TERM");
}

/// The same by a signal; the process that the gateway itself has is not meant.
fn end_successor_by(gateway: &Gateway, signal: &str) {
    let file = gateway.file("brama.toml");
    let name = file.to_str().unwrap().as_bytes();
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        if words.split(|&byte| byte == 0).any(|word| word == name) {
            let id = process.file_name();
            if id != *gateway.program.id().to_string() {
                let kill = Command::new("kill").args(["-s", signal]).arg(id).status();
                assert!(kill.unwrap().success());
            }
        }
    }
}

/// Two replicas that share a store. Citizens know the portal by the address of the first.
struct Replicas {
    one: Gateway,
    two: Gateway,
    portal: Program,
    simulator: Simulator,
}

impl Replicas {
    fn start(portal: &str, store: &str) -> Self {
        let (portal, url) = if portal.ends_with(".js") { node(portal) } else { python(portal) };
        let plan = || plan(&url, store).log("level = \"info\"\naccess = \"off\"");
        let first = plan();
        let simulator = Simulator::start(first.address());
        let origin = format!("http://localhost:{}", first.address().port());
        let one = first.node(&simulator).start();
        let two = plan().public_url(&origin).node(&simulator).start();
        Self { one, two, portal, simulator }
    }
}

/// Starts replicas and the server of Redis that they share, when everything is installed.
fn replicas(portal: &str) -> Option<(Redis, Replicas)> {
    if !tools::has(&[Tool::Node, Tool::Python, Tool::PythonWebsockets, Tool::Redis]) {
        return None;
    }
    let redis = Redis::start();
    let replicas = Replicas::start(portal, &redis.store());
    Some((redis, replicas))
}

/// Ends all sessions, as an operator would.
fn end_all(gateway: &Gateway) {
    let (done, said) = gateway.operate(&["end-all", "--yes"], "");
    assert!(done, "{said}");
}

#[test]
fn a_citizen_signs_in_at_one_replica_and_is_known_to_the_other_until_either_ends_it() {
    let Some((_redis, mut replicas)) = replicas("recorder.py") else { return };
    let host = replicas.one.host();
    let cookie = sign_in(&replicas.one, "anna");
    for gateway in [&replicas.two, &replicas.one] {
        assert!(is_of_portal(&page(gateway, &host, "/account", &cookie)));
    }
    // One of them is stopped and started, and nobody is signed out.
    replicas.one.program.signal("TERM");
    replicas.one.program.wait();
    assert!(is_of_portal(&page(&replicas.two, &host, "/account", &cookie)));
    replicas.one.start_again();
    assert!(is_of_portal(&page(&replicas.one, &host, "/account", &cookie)));
    // Ended at the second, it has ended at the first within a second.
    let began = Instant::now();
    end_all(&replicas.two);
    // On a busy machine everything takes longer, as the command did.
    let within = Duration::from_secs(1) + began.elapsed();
    until_status(&replicas.one, &host, &cookie, 401, within);
    assert_eq!(page(&replicas.two, &host, "/account", &cookie).status, 401);
}

#[test]
fn each_replica_says_how_many_share_the_store() {
    let Some((_redis, mut replicas)) = replicas("recorder.py") else { return };
    let until = |gateway: &Gateway, count: f64| {
        let began = Instant::now();
        while gateway.numbers().value("brama_replicas", &[]) != count {
            assert!(began.elapsed() < Duration::from_secs(60), "it is never {count}");
            sleep(Duration::from_millis(100));
        }
    };
    until(&replicas.two, 2.0);
    until(&replicas.one, 2.0);
    replicas.one.program.signal("TERM");
    replicas.one.program.wait();
    until(&replicas.two, 1.0);
}

#[test]
fn a_stream_at_one_replica_ends_with_the_session_that_ends_at_the_other() {
    let Some((_redis, mut replicas)) = replicas("portal.js") else { return };
    let cookie = sign_in(&replicas.one, "anna");
    let (mut wire, host) = (replicas.one.connect(), replicas.one.host());
    let head = format!("GET /drip HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n");
    wire.send(head.as_bytes());
    assert_eq!(wire.head().unwrap().0, 200);
    assert_eq!(wire.chunk(), b"drop");
    let began = Instant::now();
    end_all(&replicas.two);
    assert_eq!(wire.rest().as_deref(), Some(&b""[..]), "no last chunk");
    replicas.portal.event("gone");
    // The command takes its time too.
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn a_websocket_at_one_replica_ends_with_the_session_that_ends_at_the_other() {
    let Some((_redis, replicas)) = replicas("websocket.py") else { return };
    let cookie = sign_in(&replicas.one, "anna");
    let url = replicas.one.url("/ws").replace("http://", "ws://");
    let mut client = Program::start(
        Command::new(PYTHON).arg("-I").arg(source("websocket_client.py")).args([&url, &cookie]),
    );
    client.wait_for(|line| (line == "echoed").then_some(()));
    let began = Instant::now();
    end_all(&replicas.two);
    let (ended, command) = (Instant::now(), began.elapsed());
    client.wait_for(|line| line.starts_with("closed by the other side").then_some(()));
    // On a busy machine everything takes longer, as the command did.
    let took = ended.elapsed();
    assert!(took < Duration::from_secs(1) + command, "{took:?} after {command:?} of the command");
}

#[test]
fn a_busy_session_costs_redis_next_to_nothing() {
    let Some((redis, replicas)) = replicas("recorder.py") else { return };
    let cookie = sign_in(&replicas.one, "anna");
    let commands = || {
        let text = redis.ask("INFO stats");
        let line = text.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
        line.unwrap().trim().parse::<u64>().unwrap()
    };
    let load = Load::signed_in(replicas.one.address, "/account", &cookie);
    load.answers(100);
    let (before, began) = (commands(), Instant::now());
    load.answers(3000);
    let (count, seconds) = (commands() - before, began.elapsed().as_secs_f64());
    load.stop().all_answered();
    // Both replicas ping the channel on which they hear of ends.
    let each_second = (count as f64 / seconds).round();
    eprintln!("{each_second} commands a second, {:.0} requests a second", 3000.0 / seconds);
    assert!(each_second < 60.0, "{each_second} commands a second");
}
