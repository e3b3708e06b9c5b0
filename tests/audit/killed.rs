//! The real program is killed (SIGKILL) at random moments while citizens begin to sign in. After each
//! kill the chain holds up to its last whole record, and comes as far as was noted; after the next
//! start it goes on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use brama::audit::head;
use brama::audit::keys::Keys;
use brama::audit::verify::{Fault, Head};
use brama::base::clock::{Clock, SystemClock};
use brama::base::random;
use brama::simulator::kit::{Kit, Names};

use super::*;

/// How many kills there are; `BRAMA_AUDIT_KILLS` says another number.
const KILLS: usize = 30;

const CONFIGURATION: &str = r#"
[portal]
public_url = "https://portal.example.gov.pl"
state_directory = "state"
[listen]
http = "127.0.0.1:0"
workers = 2
[operations]
listen = "127.0.0.1:0"
[limits]
login_starts = 0
[log]
access = "off"
[audit]
target = "file"
file = "log/audit.log"
file_maximum = "40 KiB"
checkpoint_records = 20
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

/// A folder with the configuration of a gateway, its keys, and room for its log.
pub(super) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let names = Names { node: "n", service: "s", hosts: &["localhost".to_owned()] };
    Kit::make(names, SystemClock.now()).unwrap().write(folder.path()).unwrap();
    fs::write(folder.path().join("brama.toml"), CONFIGURATION).unwrap();
    fs::create_dir(folder.path().join("log")).unwrap();
    folder
}

/// Starts the program and has it come to its end.
pub(super) fn start_and_end(folder: &Path) {
    let (mut child, _) = start(folder);
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    child.wait().unwrap();
}

fn start(folder: &Path) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_brama"))
        .args(["run", "--config"])
        .arg(folder.join("brama.toml"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.by_ref().find_map(|line| {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        Some(event["http"].as_str()?.to_owned())
    });
    std::thread::spawn(move || lines.for_each(drop));
    (child, address.expect("it says where it listens"))
}

/// Begins logins until told to stop or until nobody answers; counts them.
fn begin_logins(address: &str, must_stop: &AtomicBool, count: &AtomicU64) {
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let request = "GET /tax HTTP/1.1\r\nHost: portal.example.gov.pl\r\nAccept: text/html\r\n\
                   Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nConnection: close\r\n\r\n";
    while !must_stop.load(Ordering::Relaxed) {
        let mut answer = Vec::new();
        if stream.write_all(request.as_bytes()).is_err() || stream.read_to_end(&mut answer).is_err()
        {
            return;
        }
        count.fetch_add(u64::from(answer.starts_with(b"HTTP/1.1 200")), Ordering::Relaxed);
        match TcpStream::connect(address) {
            Ok(next) => stream = next,
            Err(_) => return,
        }
    }
}

#[test]
fn kill_9_leaves_a_chain_that_holds_up_to_its_last_record() {
    let kills: usize = std::env::var("BRAMA_AUDIT_KILLS").map_or(KILLS, |n| n.parse().unwrap());
    let folder = folder();
    let log = folder.path().join("log");
    let begun = AtomicU64::new(0);
    let mut half_lines = 0;
    for kill in 0..kills {
        let (mut child, address) = start(folder.path());
        let must_stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| begin_logins(&address, &must_stop, &begun));
            }
            let wait = u64::from(random::bytes::<1>()[0]);
            // The moment of the kill is what is random here.
            std::thread::sleep(Duration::from_millis(wait));
            child.kill().unwrap();
            child.wait().unwrap();
            must_stop.store(true, Ordering::Relaxed);
        });
        let state = folder.path().join("state");
        let keys = fs::read(state.join("audit-keys.json")).unwrap();
        let path = state.join("audit-head");
        let noted = head::read(&path).unwrap();
        let expected = Expected {
            keys: Keys::parse(&keys).unwrap().public(),
            checkpoints: Vec::new(),
            head: noted.map_or(Head::Missing(path), |noted| Head::At(noted.checkpoint)),
            is_from_the_start: true,
        };
        let report = verified(&log, &expected);
        let faults: Vec<_> = report.findings.iter().map(|found| found.fault).collect();
        assert!(matches!(faults[..], [] | [Fault::HalfLine]), "kill {kill}: {:?}", report.findings);
        half_lines += faults.len();
        let said = report.notes.iter().any(|note| note.what.contains("not that of an end"));
        assert!(said, "{:?}", report.notes);
    }
    // At last it comes to its end, and the chain is one.
    start_and_end(folder.path());
    let report = verified(&log, &Expected { is_from_the_start: true, ..Expected::default() });
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!(report.chains.len(), 1);
    assert!(report.chains[0].is_closed);
    let resumed = report.notes.iter().filter(|note| note.what.contains("did not come to its end"));
    assert_eq!(resumed.count(), kills, "each kill is said: {:?}", report.notes);
    let begun = begun.into_inner();
    assert!(report.records > begun / 2, "{} of {begun}", report.records);
    eprintln!(
        "{kills} kills, {} records in {} files, {begun} logins begun, {half_lines} half lines",
        report.records,
        report.files.len()
    );
}
