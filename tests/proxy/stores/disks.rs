//! A store in a file whose disk cannot be written, or that is gone.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::outages::{passes, put_off, sign_out};
use super::{is_of_portal, page, plan};
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, PATIENCE, Program, Simulator, python, sign_in};

/// A gateway with its sessions in a file, and what keeps both alive.
struct Place {
    gateway: Gateway,
    folder: TempDir,
    simulator: Simulator,
    _portal: Program,
}

fn start() -> Option<Place> {
    if !tools::has(&[Tool::Python]) {
        return None;
    }
    let (portal, url) = python("recorder.py");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("sessions.db");
    let store = format!("kind = \"file\"\nfile = {{ path = {file:?} }}");
    let plan = plan(&url, &store);
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    Some(Place { gateway, folder, simulator, _portal: portal })
}

/// Lets a process make no file longer than so many bytes: what it writes fails, and it reads on.
fn bound_files(gateway: &Gateway, bytes: &str) {
    let process = gateway.program.id().to_string();
    let mut command = Command::new("prlimit");
    let bound = command.args(["--pid", &process, &format!("--fsize={bytes}:unlimited")]).status();
    assert!(bound.unwrap().success());
}

fn until_owed(gateway: &Gateway, count: u32) {
    let expected = format!("brama_sessions_ended_not_written {count}");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = gateway.operations().get("localhost", "/metrics").text();
        if text.lines().any(|line| line == expected) {
            return;
        }
        assert!(Instant::now() < deadline, "{expected}: {text}");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn with_a_file_that_cannot_be_written_a_citizen_is_signed_out_in_memory_and_told_so() {
    let Some(mut place) = start() else { return };
    let gateway = &place.gateway;
    let host = gateway.host();
    let (anna, lukasz) = (sign_in(gateway, "anna"), sign_in(gateway, "lukasz"));
    bound_files(gateway, "4096");
    let signed_out = sign_out(gateway, &host, &anna);
    let text = signed_out.text();
    assert!(signed_out.status == 200 && text.contains("jeszcze tego nie zapisali"), "{text}");
    assert!(signed_out.header("set-cookie").is_some_and(|cookie| cookie.starts_with("brama=;")));
    gateway.has_said(&["session has ended in memory only"]);
    until_owed(gateway, 1);
    // Who has the cookie gets nowhere, again and again; who is signed in goes on.
    for _ in 0..3 {
        assert!(!is_of_portal(&page(gateway, &host, "/account", &anna)));
        passes(&page(gateway, &host, "/account", &lukasz));
    }
    // Nor does the file bring it back, as soon as it can be written.
    bound_files(gateway, "unlimited");
    until_owed(gateway, 0);
    place.gateway.program.signal("KILL");
    place.gateway.program.wait();
    place.gateway.start_again();
    assert!(!is_of_portal(&page(&place.gateway, &host, "/account", &anna)));
    passes(&page(&place.gateway, &host, "/account", &lukasz));
    // The twin: with a disk that is well nothing of this is said.
    let signed_out = sign_out(&place.gateway, &host, &lukasz);
    let text = signed_out.text();
    assert!(signed_out.status == 200 && !text.contains("jeszcze tego nie zapisali"), "{text}");
}

#[test]
fn with_a_file_that_cannot_be_written_a_node_that_does_not_confirm_is_told_of_too() {
    let Some(place) = start() else { return };
    let (gateway, host) = (&place.gateway, place.gateway.host());
    let (anna, lukasz) = (sign_in(gateway, "anna"), sign_in(gateway, "lukasz"));
    bound_files(gateway, "4096");
    let unknown = "Poza tym nie wiemy, czy";
    // The twin: the node confirmed.
    let text = sign_out(gateway, &host, &lukasz).text();
    assert!(text.contains("jeszcze tego nie zapisali") && !text.contains(unknown), "{text}");
    place.simulator.always("logout-fails");
    let text = sign_out(gateway, &host, &anna).text();
    assert!(text.contains("jeszcze tego nie zapisali") && text.contains(unknown), "{text}");
    gateway.has_said(&["node did not confirm the logout"]);
    bound_files(gateway, "unlimited");
    until_owed(gateway, 0);
}

#[test]
fn with_a_file_that_is_gone_who_is_here_goes_on_and_signs_out_in_memory() {
    let Some(place) = start() else { return };
    let (gateway, host) = (&place.gateway, place.gateway.host());
    let (anna, lukasz) = (sign_in(gateway, "anna"), sign_in(gateway, "lukasz"));
    let (file, aside) =
        (place.folder.path().join("sessions.db"), place.folder.path().join("aside"));
    std::fs::rename(&file, &aside).unwrap();
    gateway.has_said(&["its file was deleted or replaced while it was open"]);
    passes(&page(gateway, &host, "/account", &anna));
    put_off(&page(gateway, &host, "/.brama/login", ""));
    let signed_out = sign_out(gateway, &host, &lukasz);
    assert_eq!(signed_out.status, 200, "{}", signed_out.text());
    until_owed(gateway, 1);
    assert!(!is_of_portal(&page(gateway, &host, "/account", &lukasz)));
    std::fs::rename(&aside, &file).unwrap();
    until_owed(gateway, 0);
    passes(&page(gateway, &host, "/account", &anna));
    assert!(!is_of_portal(&page(gateway, &host, "/account", &lukasz)));
}
