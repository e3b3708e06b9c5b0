//! A new version takes over from the one before, under load and while citizens sign in. The one
//! before is the program that `BRAMA_PREVIOUS` names; without, the new version takes over from
//! itself, which is what most versions are to one another.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use tempfile::TempDir;

use super::{plan, until_status};
use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, Load, Logins, Simulator, Successor, Systemd, Wire, python, sign_in};

/// Everybody signs in from one address.
pub(super) const NO_LIMITS: &str =
    "[limits]\nlogin_starts = 0\nlogin_returns = 0\nlogin_failures = 0";

/// As many requests a second.
const REQUESTS: u32 = 300;

/// Where the version before is.
pub(super) fn previous() -> PathBuf {
    env::var_os("BRAMA_PREVIOUS").map_or_else(|| env!("CARGO_BIN_EXE_brama").into(), PathBuf::from)
}

/// Puts a program where another may be running.
fn put(program: &Path, at: &Path) {
    let beside = at.with_extension("new");
    fs::copy(program, &beside).unwrap();
    fs::set_permissions(&beside, PermissionsExt::from_mode(0o755)).unwrap();
    fs::rename(beside, at).unwrap();
}

#[test]
fn with_a_file_a_new_version_takes_over_and_no_request_no_login_and_no_session_is_lost() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let (folder, systemd) = (TempDir::new().unwrap(), Systemd::new());
    let (file, program) = (folder.path().join("sessions.db"), folder.path().join("brama"));
    put(&previous(), &program);
    let launcher = format!("shift; exec {} \"$@\"", program.display());
    let store = format!("kind = \"file\"\nfile = {{ path = {file:?} }}\n\n{NO_LIMITS}");
    let plan = plan(&url, &store);
    let plan = systemd.watch(plan).launched_by(&["sh", "-c", &launcher, "sh"]);
    let simulator = Simulator::start(plan.address());
    let mut gateway = plan.node(&simulator).start();
    let citizens = ["anna", "lukasz", "anna", "lukasz"].map(|person| sign_in(&gateway, person));
    let load = Load::citizens(gateway.address, &citizens, "GET", "/account", REQUESTS);
    let logins = Logins::at(&gateway.url("/"));
    load.answers(200);
    logins.ends(2);

    put(Path::new(env!("CARGO_BIN_EXE_brama")), &program);
    gateway.program.signal("USR2");
    let _successor = Successor(systemd.hears("MAINPID="));
    assert!(gateway.program.wait().success());
    load.answers(300);
    logins.ends(3);

    let tally = load.stop();
    tally.all_answered();
    let signed_in = logins.all_signed_in();
    eprintln!("{} requests, p99 {:?}; {} logins", tally.took.len(), tally.p99(), signed_in.len());
    // Whoever signed in before, meanwhile or after is known; whoever did not is not.
    for cookie in citizens.iter().chain(&signed_in) {
        until_status(&gateway, &gateway.host(), cookie, 200, Duration::from_secs(5));
    }
    let mut wire = gateway.connect();
    assert_eq!(wire.get(&gateway.host(), "/account").status, 401);
}

#[test]
fn on_a_kept_connection_who_needs_the_store_is_asked_to_ask_the_successor() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let (folder, systemd) = (TempDir::new().unwrap(), Systemd::new());
    let file = folder.path().join("sessions.db");
    let plan = plan(&url, &format!("kind = \"file\"\nfile = {{ path = {file:?} }}"));
    let plan = systemd.watch(plan).listen("drain_delay = \"10s\"");
    let simulator = Simulator::start(plan.address());
    let mut gateway = plan.node(&simulator).start();
    let (host, anna) = (gateway.host(), sign_in(&gateway, "anna"));
    let mut kept: Vec<_> = (0..60).map(|_| gateway.connect()).collect();
    for wire in &mut kept {
        assert_eq!(wire.get(&host, "/public").status, 200);
    }
    gateway.program.signal("USR2");
    let _successor = Successor(systemd.hears("MAINPID="));
    let asked = |wire: &mut Wire, method: &str, path: &str| {
        wire.send(
            format!(
                "{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {anna}\r\n\
                 Content-Length: 0\r\nSec-Fetch-Site: same-origin\r\n\r\n"
            )
            .as_bytes(),
        );
        wire.answer(method)
    };
    let again = |answer: &Answer, path: &str| {
        assert_eq!((answer.status, answer.header("location")), (307, Some(path)));
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    };
    // In the moment in which the successor becomes ready it may be answered here still, and the
    // connection may go on.
    let session = "/.brama/session";
    let mut kept = kept.into_iter();
    let first = kept.by_ref().map(|mut wire| asked(&mut wire, "GET", session));
    let is_closed = |answer: &Answer| answer.header("connection") == Some("close");
    let first = { first }.find(|answer| answer.status == 307 && is_closed(answer));
    again(&first.expect("it leaves"), session);
    let mut next = || kept.next().expect("there are more");
    again(&asked(&mut next(), "POST", "/.brama/logout"), "/.brama/logout");
    let login = "/.brama/login?return_to=/";
    again(&asked(&mut next(), "GET", login), login);
    // What needs no store is answered: what is public, and for whom the session is known.
    for path in ["/public", "/.brama/jwks.json", "/account"] {
        assert_eq!(asked(&mut next(), "GET", path).status, 200, "{path}");
    }
    // The next connection is the successor's, and nobody was signed out.
    until_status(&gateway, &host, &anna, 200, Duration::from_secs(5));
    assert_eq!(asked(&mut gateway.connect(), "GET", session).status, 200);
    assert!(gateway.program.wait().success());
}
