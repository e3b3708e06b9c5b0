//! The gateway and its portals come and go, and no visitor notices.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::tools::{self, Tool};
use crate::harness::{
    Gateway, Load, PATIENCE, Plan, Program, Successor, Systemd, free_address, node,
};

/// A gateway before the portal on Node, when that is installed; `/account` needs a login.
fn start() -> Option<(Program, Gateway)> {
    if !tools::has(&[Tool::Node]) {
        return None;
    }
    let (portal, url) = node("portal.js");
    Some((portal, Plan::before(&url).route("/account", "portal", "required").start()))
}

/// Asks for a page until its status is this.
fn wait_for_status(gateway: &Gateway, path: &str, status: u16) {
    let deadline = Instant::now() + PATIENCE;
    while gateway.connect().get("localhost", path).status != status {
        assert!(Instant::now() < deadline, "{path} does not become {status}");
    }
}

#[test]
fn a_new_configuration_is_applied_under_load_and_no_request_fails() {
    let Some((_portal, mut gateway)) = start() else { return };
    wait_for_status(&gateway, "/account", 401);
    let load = Load::start(gateway.address, 4, "/");
    load.answers(200);
    gateway.edit_configuration("access = \"required\"", "access = \"public\"");
    gateway.program.signal("HUP");
    wait_for_status(&gateway, "/account", 404);
    load.answers(200);
    // And back, and back again.
    for _ in 0..5 {
        gateway.edit_configuration("path = \"/account\"", "path = \"/elsewhere\"");
        gateway.program.signal("HUP");
        load.answers(50);
        gateway.edit_configuration("path = \"/elsewhere\"", "path = \"/account\"");
        gateway.program.signal("HUP");
        load.answers(50);
    }
    assert!(!gateway.program.has_ended());
    load.stop().all_answered();
}

#[test]
fn who_can_be_reached_waits_for_signals_already() {
    // The numbers are those of signal(7).
    const SIGNALS: [(&str, u32); 5] =
        [("HUP", 1), ("INT", 2), ("USR1", 10), ("USR2", 12), ("TERM", 15)];
    for _ in 0..5 {
        let mut gateway = Plan::before("http://127.0.0.1:1").launch();
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(gateway.address).is_err() {
            assert!(Instant::now() < deadline, "the gateway does not listen");
        }
        for (name, number) in SIGNALS {
            assert!(gateway.catches(number), "SIG{name} ends it");
        }
        gateway.program.signal("HUP");
        gateway.program.signal("TERM");
        assert!(gateway.program.wait().success());
    }
}

#[test]
fn a_request_under_way_outlives_a_new_configuration() {
    let Some((mut portal, gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    portal.event("waiting");
    gateway.edit_configuration("access = \"required\"", "access = \"public\"");
    gateway.program.signal("HUP");
    wait_for_status(&gateway, "/account", 404);
    portal.tell("answer");
    assert_eq!(wire.answer("GET").text(), "waited");
}

#[test]
fn a_configuration_that_is_wrong_changes_nothing() {
    let Some((_portal, mut gateway)) = start() else { return };
    gateway.edit_configuration("access = \"required\"", "access = \"sometimes\"");
    gateway.program.signal("HUP");
    // It says where the mistake is.
    gateway.program.wait_for(|line| line.contains("sometimes").then_some(()));
    assert_eq!(gateway.connect().get("localhost", "/account").status, 401);
    assert_eq!(gateway.connect().get("localhost", "/").status, 200);
}

#[test]
fn a_stop_shows_in_readiness_first_and_lets_requests_end() {
    let Some((mut portal, mut gateway)) = start() else { return };
    let mut wire = gateway.connect();
    wire.send(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    portal.event("waiting");
    gateway.program.signal("TERM");
    let deadline = Instant::now() + PATIENCE;
    while gateway.is_ready() {
        assert!(Instant::now() < deadline, "it still says that it is ready");
    }
    assert!(!gateway.program.has_ended(), "it ended with a request under way");
    portal.tell("answer");
    let answer = wire.answer("GET");
    assert_eq!(answer.text(), "waited");
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(gateway.program.wait().success());
}

#[test]
fn a_stop_under_load_fails_no_request() {
    let Some((_portal, mut gateway)) = start() else { return };
    let load = Load::start(gateway.address, 4, "/");
    load.answers(400);
    gateway.program.signal("TERM");
    let deadline = Instant::now() + PATIENCE;
    while gateway.is_ready() {
        assert!(Instant::now() < deadline, "it still says that it is ready");
    }
    load.connect_no_more();
    assert!(gateway.program.wait().success());
    load.stop().all_answered();
}

#[test]
fn one_of_two_servers_dies_and_no_reading_request_fails() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let ((first, first_url), (_second, second_url)) = (node("portal.js"), node("portal.js"));
    let plan = Plan::empty().upstream_on("portal", &[&first_url, &second_url]);
    let gateway = plan.route("/", "portal", "public").start();
    let load = Load::start(gateway.address, 4, "/");
    load.answers(400);
    // As by kill -9.
    drop(first);
    load.answers(1000);
    load.stop().all_answered();
}

#[test]
fn a_thousand_requests_a_second_go_on_while_the_configuration_changes() {
    let Some((_portal, gateway)) = start() else { return };
    let load = Load::paced(gateway.address, 8, "/", 1000);
    let end = Instant::now() + Duration::from_secs(3);
    let mut changes = 0;
    let (mut now, mut next) = (("required", 401), ("public", 404));
    while Instant::now() < end {
        let account = |access: &str| {
            format!("path = \"/account\"\nupstream = \"portal\"\naccess = \"{access}\"")
        };
        gateway.edit_configuration(&account(now.0), &account(next.0));
        gateway.program.signal("HUP");
        wait_for_status(&gateway, "/account", next.1);
        std::mem::swap(&mut now, &mut next);
        changes += 1;
    }
    let tally = load.stop();
    tally.all_answered();
    assert!(changes > 3 && tally.took.len() > 1000, "{changes}, {}", tally.took.len());
}

#[test]
fn a_thousand_requests_a_second_go_on_while_the_gateway_takes_leave() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let mut gateway = Plan::before(&url).listen("drain_delay = \"3s\"").start();
    let load = Load::paced(gateway.address, 8, "/", 1000);
    load.answers(1000);
    gateway.program.signal("TERM");
    let deadline = Instant::now() + PATIENCE;
    while gateway.is_ready() {
        assert!(Instant::now() < deadline, "it still says that it is ready");
    }
    // Who has not noticed yet is served, over new connections too.
    load.answers(300);
    assert!(!gateway.program.has_ended());
    load.connect_no_more();
    assert!(gateway.program.wait().success());
    let tally = load.stop();
    tally.all_answered();
    assert!(tally.took.len() > 1300, "{}", tally.took.len());
}

#[test]
fn a_thousand_requests_a_second_go_on_when_one_of_two_servers_dies() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    const VISITORS: u32 = 8;
    for method in ["GET", "POST"] {
        let ((first, first_url), (_second, second_url)) = (node("portal.js"), node("portal.js"));
        let plan = Plan::empty().upstream_on("portal", &[&first_url, &second_url]);
        let gateway = plan.route("/", "portal", "public").start();
        let load = Load::paced_with(gateway.address, VISITORS, method, "/", 1000);
        load.answers(1000);
        // As by kill -9.
        drop(first);
        load.answers(1000);
        let tally = load.stop();
        if method == "GET" {
            tally.all_answered();
        } else {
            // Nobody knows what became of those that were under way at the server, and a visitor
            // has one request under way.
            let failed = tally.failed;
            assert!(failed.len() <= VISITORS as usize, "{failed:?}");
            assert!(failed.iter().all(|what| what == "502 upstream.unreachable"), "{failed:?}");
        }
    }
}

#[test]
fn a_file_that_changes_is_read_without_a_signal() {
    let Some((_portal, mut gateway)) = start() else { return };
    wait_for_status(&gateway, "/account", 401);
    gateway.edit_configuration("access = \"required\"", "access = \"public\"");
    wait_for_status(&gateway, "/account", 404);
    // And one that is wrong is not.
    gateway.edit_configuration("path = \"/account\"", "pfad = \"/account\"");
    gateway.program.wait_for(|line| line.contains("pfad").then_some(()));
    gateway.program.wait_for(|line| line.contains("the old one stays").then_some(()));
    assert_eq!(gateway.connect().get("localhost", "/account").status, 404);
}

#[test]
fn an_address_that_is_listened_on_does_not_change_and_the_log_says_so() {
    let Some((_portal, mut gateway)) = start() else { return };
    let (here, elsewhere) = (gateway.address.to_string(), free_address());
    gateway.edit_configuration(&format!("http = \"{here}\""), &format!("http = \"{elsewhere}\""));
    gateway.edit_configuration("access = \"required\"", "access = \"public\"");
    gateway.program.signal("HUP");
    gateway.program.wait_for(|line| {
        (line.contains("listen.http") && line.contains("cannot change")).then_some(())
    });
    // Nothing of it was applied.
    assert_eq!(gateway.connect().get("localhost", "/account").status, 401);
    assert!(TcpStream::connect(elsewhere).is_err());
}

#[test]
fn a_reload_names_what_cannot_change_and_applies_the_rest_when_that_is_as_it_was() {
    let Some((_portal, url)) = tools::has(&[Tool::Node]).then(|| node("portal.js")) else { return };
    let plan = Plan::before(&url).route("/account", "portal", "required");
    let plan =
        plan.listen("hsts = \"1h\"\nbacklog = 100").log("level = \"warn\"\naccess = \"off\"");
    let mut gateway = plan.start();
    wait_for_status(&gateway, "/account", 401);
    for (before, after, key) in [
        ("backlog = 100", "backlog = 101", "listen.backlog"),
        ("access = \"off\"", "access = \"json\"", "log.access"),
    ] {
        gateway.edit_configuration(before, after);
        gateway.edit_configuration("path = \"/account\"", "path = \"/other\"");
        gateway.program.signal("HUP");
        gateway.program.wait_for(|line| {
            (line.contains(&format!("{key} cannot change")) && line.contains("stays")).then_some(())
        });
        assert_eq!(gateway.connect().get("localhost", "/account").status, 401, "{key}");
        // The twin: the rest by itself.
        gateway.edit_configuration(after, before);
        gateway.program.signal("HUP");
        wait_for_status(&gateway, "/other", 401);
        gateway.edit_configuration("path = \"/other\"", "path = \"/account\"");
        gateway.program.signal("HUP");
        wait_for_status(&gateway, "/account", 401);
    }
    for (before, after) in
        [("hsts = \"1h\"", "hsts = \"2h\""), ("access = \"required\"", "access = \"public\"")]
    {
        gateway.edit_configuration(before, after);
    }
    gateway.program.signal("HUP");
    wait_for_status(&gateway, "/account", 404);
}

#[test]
fn successors_take_over_under_load_and_no_request_fails() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let systemd = Systemd::new();
    let mut gateway = systemd.watch(Plan::before(&url)).start();
    systemd.hears("READY=1");
    let load = Load::paced(gateway.address, 8, "/", 1000);
    load.answers(500);

    gateway.program.signal("USR2");
    let second = Successor(systemd.hears("MAINPID="));
    assert_ne!(second.0, gateway.program.id().to_string());
    assert!(gateway.program.wait().success());
    load.answers(500);
    // The new one can do the same.
    assert!(second.signal("USR2"));
    let third = Successor(systemd.hears("MAINPID="));
    let deadline = Instant::now() + PATIENCE;
    while !second.has_ended() {
        assert!(Instant::now() < deadline, "the second does not end");
        thread::sleep(Duration::from_millis(5));
    }
    load.answers(500);
    assert!(gateway.is_ready());
    load.stop().all_answered();

    assert!(third.signal("TERM"));
    systemd.hears("STOPPING=1");
    while !third.has_ended() {
        assert!(Instant::now() < deadline + PATIENCE, "the third does not end");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(TcpStream::connect(gateway.address).is_err(), "somebody is left");
}

#[test]
fn the_successor_is_the_program_that_is_called_by_the_name_now() {
    // The old one is moved away; or a link is switched to another folder.
    let moved = "mv here/brama here/brama.old && mv there/brama here/brama";
    let switched = "ln -s there next && mv -T next now";
    for (called, update) in [("here/brama", moved), ("now/brama", switched)] {
        let folder = TempDir::new().unwrap();
        let place = folder.path().display();
        let real = env!("CARGO_BIN_EXE_brama");
        let shell = |script: &str| {
            let done = Command::new("sh").current_dir(folder.path()).args(["-ec", script]).status();
            assert!(done.unwrap().success(), "{script}");
        };
        shell(&format!(
            "mkdir here there; ln -s here now; ln {real} here/brama 2>/dev/null || cp {real} here/brama"
        ));
        // The new version leaves a mark, and is as the old one otherwise.
        let script = format!("#!/bin/sh\n: >{place}/is-new\nexec {real} \"$@\"\n");
        fs::write(folder.path().join("there/brama"), script).unwrap();
        shell("chmod +x there/brama");
        let systemd = Systemd::new();
        let launcher = format!("shift; exec {place}/{called} \"$@\"");
        let plan = Plan::before("http://127.0.0.1:1").log("level = \"info\"");
        let mut gateway = systemd.watch(plan).launched_by(&["sh", "-c", &launcher, "sh"]).start();
        shell(update);
        gateway.program.signal("USR2");
        let _successor = Successor(systemd.hears("MAINPID="));
        assert!(folder.path().join("is-new").exists(), "{called}: the old program was started");
        gateway.program.wait_for(|line| {
            let is_it = line.contains("successor is ready") && line.contains(real);
            (is_it && line.contains(env!("CARGO_PKG_VERSION"))).then_some(())
        });
        assert!(gateway.program.wait().success());
    }
}

/// Looks for the socket at which a gateway waits for its successor, and says that it is ready.
const STRANGER: &str = r#"
use Socket;
$| = 1;
$SIG{PIPE} = 'IGNORE';
sub names {
    open(my $list, '<', '/proc/net/unix');
    my %names;
    while (<$list>) { my @words = split; $names{$words[7]} = 1 if @words > 7 && $words[7] =~ /^@/; }
    return %names;
}
my %before = names();
print "looking\n";
while (1) {
    my %now = names();
    for my $name (grep { !$before{$_} } keys %now) {
        socket(my $there, AF_UNIX, SOCK_STREAM, 0);
        connect($there, pack_sockaddr_un("\0" . substr($name, 1))) or next;
        syswrite($there, "9.9.9\n/somewhere\n");
        open(my $told, '>', $ARGV[0]);
    }
    select(undef, undef, undef, 0.005);
}
"#;

#[test]
fn another_user_of_the_machine_does_not_say_that_a_successor_is_ready() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can be another user");
        return;
    }
    let folder = TempDir::new().unwrap();
    let (here, told) = (folder.path().join("brama"), folder.path().join("told"));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let real = env!("CARGO_BIN_EXE_brama");
    let program = |script: String| {
        fs::write(&here, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&here, fs::Permissions::from_mode(0o755)).unwrap();
    };
    program(format!("exec {real} \"$@\""));
    let launcher = format!("shift; exec -a {place} {real} \"$@\"", place = here.display());
    let plan = Plan::before("http://127.0.0.1:1").log("level = \"info\"");
    let mut gateway = plan.launched_by(&["bash", "-c", &launcher, "bash"]).start();
    // The successor does not start, but not before somebody else has spoken in its place.
    program(format!("while [ ! -e {told} ]; do sleep 0.02; done; exit 1", told = told.display()));
    let mut stranger = Command::new("setpriv");
    stranger.args(["--reuid=65534", "--regid=65534", "--clear-groups", "perl", "-e", STRANGER]);
    let mut stranger = Program::start(stranger.arg(&told));
    stranger.wait_for(|line| line.contains("looking").then_some(()));
    gateway.program.signal("USR2");
    gateway.program.wait_for(|line| line.contains("no successor").then_some(()));
    assert!(told.exists() && gateway.is_ready() && !gateway.program.has_ended());
}

#[test]
fn connections_that_are_kept_hear_of_a_successor_with_an_answer_within_the_drain_delay() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let systemd = Systemd::new();
    let plan = Plan::before(&url).listen("drain_delay = \"3s\"");
    let mut gateway = systemd.watch(plan).start();
    let mut wires: Vec<_> = (0..3).map(|_| gateway.connect()).collect();
    for wire in &mut wires {
        assert_eq!(wire.get("localhost", "/").header("connection"), None);
    }
    gateway.program.signal("USR2");
    let _successor = Successor(systemd.hears("MAINPID="));
    for wire in &mut wires {
        // It may leave a moment after it was said.
        loop {
            wire.send(b"POST /sum HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
            let answer = wire.answer("POST");
            assert_eq!(answer.status, 200);
            if answer.header("connection") == Some("close") {
                break;
            }
        }
    }
    // Who is new is the successor's, when the queue was empty once.
    let deadline = Instant::now() + PATIENCE;
    while gateway.connect().get("localhost", "/").header("connection").is_some() {
        assert!(Instant::now() < deadline, "the old process goes on accepting");
        thread::sleep(Duration::from_millis(100));
    }
    assert!(gateway.program.wait().success());
    assert_eq!(gateway.connect().get("localhost", "/").status, 200);
}

#[test]
fn a_successor_that_cannot_start_leaves_the_old_one_serving() {
    let Some((_portal, mut gateway)) = start() else { return };
    let load = Load::paced(gateway.address, 4, "/", 400);
    load.answers(100);
    gateway.edit_configuration("access = \"required\"", "access = \"sometimes\"");
    gateway.program.signal("USR2");
    gateway.program.wait_for(|line| line.contains("nothing was started").then_some(()));
    gateway.program.wait_for(|line| line.contains("no successor").then_some(()));
    load.answers(200);
    assert!(gateway.is_ready() && !gateway.program.has_ended());
    assert_eq!(gateway.connect().get("localhost", "/account").status, 401);
    load.stop().all_answered();
}

#[test]
fn certificates_and_keys_that_are_named_are_read_again_and_a_half_replaced_pair_waits() {
    let mut gateway = Plan::before("http://127.0.0.1:1").log("level = \"info\"").start();
    let other = gateway.file("other");
    let made = Command::new(env!("CARGO_BIN_EXE_brama"))
        .args(["simulator", "--keys-only", "--directory"])
        .arg(&other)
        .output()
        .unwrap();
    assert!(made.status.success());
    let kit = gateway.file("kit");
    let replace = |name: &str| {
        fs::copy(other.join(name), kit.join(name)).unwrap();
    };
    let is_in_use = |used_for: &'static str| {
        move |line: &str| {
            let is_it = line.contains("certificate is in use") && line.contains(used_for);
            (is_it && line.contains("sha256") && line.contains("not_after")).then_some(())
        }
    };
    gateway.program.wait_for(is_in_use("client"));
    replace("node-signing.crt.pem");
    gateway.program.wait_for(is_in_use("node"));
    replace("service-sig.key.pem");
    gateway.program.wait_for(|line| line.contains("so the old one stays").then_some(()));
    assert!(gateway.is_ready());
    replace("service-sig.crt.pem");
    gateway.program.wait_for(is_in_use("signing"));
    // What opens answers has no certificate; that it is read shows when it cannot be.
    fs::write(kit.join("service-enc.key.pem"), "half").unwrap();
    gateway.program.wait_for(|line| line.contains("service-enc.key.pem").then_some(()));
    replace("service-enc.key.pem");
    gateway.program.wait_for(|line| line.contains("configuration is applied").then_some(()));
}

#[test]
fn the_access_log_goes_on_in_a_new_file_after_the_old_one_was_moved() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let plan = Plan::before(&url).log("level = \"warn\"\naccess_file = \"access.log\"");
    let gateway = plan.start();
    let (file, moved) = (gateway.file("access.log"), gateway.file("access.log.1"));
    let has = |file: &std::path::Path, text: &str| {
        fs::read_to_string(file).is_ok_and(|lines| lines.contains(text))
    };
    let until_logged = |path: &str| {
        let deadline = Instant::now() + PATIENCE;
        gateway.connect().get("localhost", path);
        while !has(&file, path) {
            assert!(Instant::now() < deadline, "{path} is not logged");
            thread::sleep(Duration::from_millis(5));
        }
    };
    until_logged("/first");
    fs::rename(&file, &moved).unwrap();
    gateway.program.signal("USR1");
    let deadline = Instant::now() + PATIENCE;
    while !file.exists() {
        assert!(Instant::now() < deadline, "there is no new file");
        thread::sleep(Duration::from_millis(5));
    }
    until_logged("/second");
    assert!(has(&moved, "/first") && !has(&moved, "/second") && !has(&file, "/first"));
}
