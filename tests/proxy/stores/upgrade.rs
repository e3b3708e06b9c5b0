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
use crate::harness::{Load, Logins, Simulator, Successor, Systemd, python, sign_in};

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
    let plan = plan(&url, &format!("kind = \"file\"\nfile = {{ path = {file:?} }}"));
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
        until_status(&gateway, &gateway.host(), cookie, 200, Duration::from_secs(1));
    }
    let mut wire = gateway.connect();
    assert_eq!(wire.get(&gateway.host(), "/account").status, 401);
}
