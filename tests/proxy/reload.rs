//! Who asks for a reload hears what became of it; and what of the process is nobody else's.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Gateway, PATIENCE, Plan, Program};

/// A gateway with a place that needs a login.
fn start() -> Gateway {
    let plan = Plan::before("http://127.0.0.1:1").route("/account", "portal", "required");
    plan.listen("backlog = 100").start()
}

fn account(gateway: &Gateway) -> u16 {
    gateway.connect().get("localhost", "/account").status
}

/// The commands that run a program as a user who is not root, when this is root.
fn as_somebody() -> &'static [&'static str] {
    const SOMEBODY: &[&str] = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root { SOMEBODY } else { &["env"] }
}

#[test]
fn a_reload_that_is_asked_for_is_applied_when_it_is_answered() {
    let gateway = start();
    assert_eq!(account(&gateway), 401);
    gateway.edit_configuration("access = \"required\"", "access = \"public\"");
    let (is_applied, said) = gateway.reload();
    assert!(is_applied && said.contains("is applied"), "{said}");
    assert_eq!(account(&gateway), 502);
}

#[test]
fn a_reload_that_is_refused_fails_and_says_why() {
    let gateway = start();
    for (before, after, why) in [
        ("access = \"required\"", "access = \"sometimes\"", "sometimes"),
        ("backlog = 100", "backlog = 101", "listen.backlog cannot change"),
    ] {
        gateway.edit_configuration("path = \"/account\"", "path = \"/other\"");
        gateway.edit_configuration(before, after);
        // Each time anew, though nothing is said twice of a file that is looked at by itself.
        for _ in 0..2 {
            let (is_applied, said) = gateway.reload();
            assert!(!is_applied && said.contains(why), "{said}");
        }
        assert_eq!(account(&gateway), 401);
        // The twin: the rest of it.
        gateway.edit_configuration(after, before);
        let (is_applied, said) = gateway.reload();
        assert!(is_applied, "{said}");
        assert_eq!(account(&gateway), 502);
        gateway.edit_configuration("path = \"/other\"", "path = \"/account\"");
        assert!(gateway.reload().0);
    }
}

#[test]
fn the_reload_of_the_unit_is_red_when_the_new_configuration_is_refused() {
    let gateway = start();
    let unit = fs::read_to_string("deploy/systemd/brama.service").unwrap();
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecReload=")).unwrap();
    let line = line.replace("/usr/bin/brama", env!("CARGO_BIN_EXE_brama"));
    let is_green = || {
        let mut command = Command::new("sh");
        command.args(["-c", &line]).env("MAINPID", gateway.program.id().to_string());
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    gateway.edit_configuration("access = \"required\"", "access = \"sometimes\"");
    assert!(!is_green());
    gateway.edit_configuration("access = \"sometimes\"", "access = \"public\"");
    assert!(is_green());
    assert_eq!(account(&gateway), 502);
}

#[test]
fn a_process_that_is_no_gateway_of_ours_cannot_be_asked() {
    let gateway = start();
    gateway.edit_configuration("access = \"required\"", "access = \"public\"");
    let ask = |launcher: &[&str], process: u32| {
        let mut words = launcher.iter().copied().chain([env!("CARGO_BIN_EXE_brama"), "reload"]);
        let mut command = Command::new(words.next().unwrap());
        let output = command.args(words).args(["--pid", &process.to_string()]).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let other = Program::start(Command::new("sleep").arg("60"));
    let (is_applied, said) = ask(&["env"], other.id());
    assert!(!is_applied && said.contains("was not asked"), "{said}");
    // Another user may not, and nothing is read for them.
    if as_somebody() == ["env"] {
        eprintln!("SKIPPED: another user cannot be had without being root");
    } else {
        let (is_applied, said) = ask(as_somebody(), gateway.program.id());
        assert!(!is_applied && said.contains("did not answer"), "{said}");
    }
}

#[test]
fn another_secret_of_the_store_in_the_same_file_is_refused_by_name() {
    let plan = Plan::before("http://127.0.0.1:1").file("seal", &"a".repeat(32));
    let gateway = plan.with("\n[store]\nsecret_files = [\"seal\"]").start();
    let write = |text: &str| {
        brama::base::private::write(&gateway.file("seal"), text.repeat(32).as_bytes()).unwrap();
    };
    write("b");
    let (is_applied, said) = gateway.reload();
    assert!(!is_applied && said.contains("store.secret_files cannot change"), "{said}");
    // The twin: the same secret again.
    write("a");
    let (is_applied, said) = gateway.reload();
    assert!(is_applied, "{said}");
}

#[test]
fn the_level_of_the_log_changes_with_a_reload_and_a_malformed_one_is_refused() {
    let mut gateway = Plan::before("http://127.0.0.1:1").log("level = \"warn\"").start();
    gateway.edit_configuration("level = \"warn\"", "level = \"warn,brama=info\"");
    assert!(gateway.reload().0);
    gateway.program.wait_for(|line| line.contains("is applied").then_some(()));
    gateway.edit_configuration("level = \"warn,brama=info\"", "level = \"brama=loud\"");
    let (is_applied, said) = gateway.reload();
    assert!(!is_applied && said.contains("log.level") && said.contains("brama=loud"), "{said}");
    gateway.program.wait_for(|line| line.contains("the old one stays").then_some(()));
    // Back again: no line of this one, so that the next one is after what two of them found. It may
    // be more: the file is also looked at, and read by whoever comes first.
    gateway.edit_configuration("level = \"brama=loud\"", "level = \"warn\"");
    assert!(gateway.reload().0);
    gateway.edit_configuration("level = \"warn\"", "level = \"info\"");
    assert!(gateway.reload().0);
    let mut read = 0;
    gateway.program.wait_for(|line| {
        read += usize::from(line.contains("portal.state_directory"));
        line.contains("is applied").then_some(())
    });
    assert!(read >= 2, "{read}");
}

#[test]
fn no_other_process_of_the_same_user_reads_the_memory_of_a_gateway() {
    let owner = |process: &str| {
        fs::metadata(format!("/proc/{process}/environ")).map(|file| file.uid()).ok()
    };
    // The folder is the user's own, as that of a service is.
    let launch = format!(
        "[ \"$(id -u)\" != 0 ] || chown -R 65534 \"$(dirname \"$4\")\"; exec {} \"$@\"",
        as_somebody().join(" ")
    );
    let plan = Plan::before("http://127.0.0.1:1").log("level = \"info\"");
    let mut gateway = plan.launched_by(&["sh", "-c", &launch, "sh"]).start();
    assert_eq!(owner(&gateway.program.id().to_string()), Some(0));
    // The twin: a program that says nothing of it belongs to the user who runs it.
    let mut words = as_somebody().iter().chain(&["sleep", "60"]);
    let mut command = Command::new(words.next().unwrap());
    let other = Program::start(command.args(words));
    let deadline = Instant::now() + PATIENCE;
    while owner(&other.id().to_string()) == Some(0) {
        assert!(Instant::now() < deadline, "everything is root's");
        thread::sleep(Duration::from_millis(5));
    }
    // A successor is no other, and is known by what it says of itself.
    gateway.program.signal("USR2");
    let line = gateway
        .program
        .wait_for(|line| line.contains("successor is ready").then(|| line.to_owned()));
    assert!(line.contains(env!("CARGO_BIN_EXE_brama")), "{line}");
    let number = line.split("process=").nth(1).unwrap().split_whitespace().next().unwrap();
    let is_hidden = owner(number);
    let ended = Command::new("kill").arg(number).status().unwrap();
    assert!(is_hidden == Some(0) && ended.success(), "{line}");
    assert!(gateway.program.wait().success());
}
