//! Where the gateway writes to: a pipe that nobody reads, a pipe that broke, a file that may not
//! grow. Requests are answered all the same, and the end comes when it is asked for.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{End, Gateway, PATIENCE, Plan, Script, Scripted};

/// A login is needed everywhere, and nothing is behind.
fn plan() -> Plan {
    Plan::empty().upstream("portal", "http://127.0.0.1:1").route("/", "portal", "required")
}

/// Makes a pipe with a name, open on both sides, so that nobody waits for the other; the caller
/// reads nothing.
fn pipe(path: &Path) -> File {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    OpenOptions::new().read(true).write(true).open(path).unwrap()
}

/// Asks for a page that needs a login so many times; each gets an answer, and a line in the logs.
fn is_refused(gateway: &Gateway, times: usize) {
    for _ in 0..times {
        let path = format!("/{}", "a".repeat(1500));
        assert_eq!(gateway.connect().get("localhost", &path).status, 401);
    }
}

fn number(gateway: &Gateway, name: &str) -> f64 {
    let text = gateway.operations().get("localhost", "/metrics").text();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{name} is not told")).parse().unwrap()
}

#[test]
fn a_log_that_nobody_reads_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    let _unread = pipe(&path);
    let script = format!("exec \"$0\" \"$@\" >{}", path.display());
    let mut gateway = plan()
        .log("level = \"debug\"\naccess = \"json\"")
        .launched_by(&["sh", "-c", &script])
        .start();
    // The pipe is full after some of them: it holds 64 KiB (pipe(7)).
    is_refused(&gateway, 100);
    assert!(gateway.is_ready());
    gateway.program.signal("TERM");
    assert!(gateway.program.wait().success());
}

#[test]
fn broken_outputs_keep_nobody_from_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    let reader = pipe(&path);
    let script = format!("exec \"$0\" \"$@\" >{0} 2>&1", path.display());
    let mut gateway = plan().log("access = \"json\"").launched_by(&["sh", "-c", &script]).start();
    is_refused(&gateway, 1);
    // As when the program behind `|` has ended.
    drop(reader);
    is_refused(&gateway, 30);
    assert!(gateway.is_ready());
    let deadline = Instant::now() + PATIENCE;
    while number(&gateway, "brama_log_lines_lost_total") < 1.0
        || number(&gateway, "brama_access_log_lines_lost_total") < 1.0
    {
        assert!(Instant::now() < deadline, "lost lines are not counted");
        is_refused(&gateway, 1);
        thread::sleep(Duration::from_millis(20));
    }
    gateway.program.signal("TERM");
    assert!(gateway.program.wait().success());
}

#[test]
fn a_file_that_may_not_grow_ends_no_process() {
    // In units of 512 or 1024 bytes (ulimit(1p)).
    let script = "ulimit -f 8; exec \"$0\" \"$@\"";
    let gateway = plan()
        .log("level = \"warn\"\naccess_file = \"access.log\"")
        .launched_by(&["sh", "-c", script])
        .start();
    is_refused(&gateway, 20);
    gateway.has_said(&["access log cannot be written"]);
    is_refused(&gateway, 5);
    assert!(gateway.is_ready());
    let written = fs::metadata(gateway.file("access.log")).unwrap().len();
    assert!((4096..=8192).contains(&written), "{written}");
}

#[test]
fn the_access_log_is_for_people_where_the_log_is_unless_it_says_otherwise() {
    for (line, expected) in [
        ("", " ACCESS GET http://localhost/ HTTP/1.1 status=401 "),
        ("access = \"json\"", "\"path\":\"/\""),
    ] {
        let gateway = plan().log(line).start();
        assert_eq!(gateway.connect().get("localhost", "/").status, 401);
        gateway.has_said(&[expected]);
    }
}

#[test]
fn every_request_ends_in_one_line_that_says_how_and_in_one_count() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec();
    let portal = Script::start(HashMap::from([
        ("/breaks".to_owned(), Scripted { bytes: half.clone(), closes: true }),
        ("/half".to_owned(), Scripted { bytes: half, closes: false }),
        ("/silent".to_owned(), Scripted { bytes: Vec::new(), closes: false }),
    ]));
    let gateway = Plan::before(&portal.url()).log("level = \"warn\"").start();
    let until_heard = |path: &str| {
        let deadline = Instant::now() + PATIENCE;
        while !portal.heard().iter().any(|heard| heard.path == path) {
            assert!(Instant::now() < deadline, "{path} does not arrive");
            thread::yield_now();
        }
    };
    // An upstream that dies in the middle of its answer.
    assert_eq!(gateway.connect().get("localhost", "/breaks").end, End::Broken);
    gateway.has_said(&["/breaks ", "status=200", "sent=4", "ended=\"upstream_broke\""]);
    let cut =
        |ended: &str| number(&gateway, &format!("brama_requests_cut_total{{ended=\"{ended}\"}}"));
    assert_eq!((cut("upstream_broke"), cut("client_closed")), (1.0, 0.0));
    let server = portal.address;
    let failures =
        format!("brama_upstream_server_failures_total{{upstream=\"portal\",server=\"{server}\"}}");
    assert_eq!(number(&gateway, &failures), 1.0);
    // A client that leaves in the middle of its answer, and one that leaves before it.
    for (path, status, ended) in [
        ("/half", "status=200", "client_closed"),
        ("/silent", "status=499", "client_closed_unanswered"),
    ] {
        let mut wire = gateway.connect();
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        until_heard(path);
        drop(wire);
        gateway.has_said(&[&format!("{path} "), status, &format!("ended=\"{ended}\"")]);
        assert_eq!(cut(ended), 1.0, "{ended}");
    }
    // What is answered whole says nothing of an end, however little of it there is.
    for request in ["GET /plain", "HEAD /plain"] {
        let mut wire = gateway.connect();
        wire.send(format!("{request} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        assert_eq!(wire.answer(request[..4].trim_end()).status, 200);
    }
    gateway.has_said(&["HEAD http://localhost/plain"]);
    let said = gateway.program.said();
    for path in ["/breaks ", "/half ", "/silent ", "GET http://localhost/plain "] {
        assert_eq!(said.iter().filter(|line| line.contains(path)).count(), 1, "{path}");
    }
    let plain = said.iter().filter(|line| line.contains("/plain "));
    assert!(plain.clone().count() == 2 && !plain.clone().any(|line| line.contains("ended=")));
    assert_eq!(number(&gateway, &failures), 1.0);
}

#[test]
fn a_flood_of_one_warning_is_told_as_a_number_and_hides_no_other() {
    let gateway = plan().log("level = \"warn\"").start();
    let mut wire = gateway.connect();
    for _ in 0..300 {
        assert_eq!(wire.get("other.example", "/").status, 404);
    }
    assert_eq!(gateway.connect().get("localhost", "/a%2fb").status, 400);
    gateway.has_said(&["request refused", "request.ambiguous_path"]);
    gateway.has_said(&["lines were left out", "request refused"]);
    let said = gateway.program.said();
    let is_it = |line: &&String| line.contains("request refused") && line.contains("status=404");
    let refused = said.iter().filter(is_it).count();
    assert!((20..300).contains(&refused), "{refused}");
}
