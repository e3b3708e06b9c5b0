//! `HAProxy` with the action in Lua.

use std::any::Any;
use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::{Shape, Site, Start, journeys, outages, stories};
use crate::harness::tools::{self, Tool};
use crate::harness::{PATIENCE, Program};

pub(super) fn start(start: &Start<'_>) -> Box<dyn Any> {
    let action = Command::new(env!("CARGO_BIN_EXE_brama"))
        .args(["print-config", "haproxy", "--lua"])
        .output()
        .unwrap();
    assert!(action.status.success(), "{action:?}");
    let lua = start.folder.join("brama.lua");
    fs::write(&lua, action.stdout).unwrap();
    assert!(start.printed.contains(lua.to_str().unwrap()), "{}", start.printed);
    let file = start.folder.join("haproxy.cfg");
    fs::write(&file, start.printed).unwrap();
    let mut command = Command::new(tools::haproxy().expect("HAProxy was found"));
    let mut program = Program::start(command.arg("-db").arg("-f").arg(&file));
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(start.front).is_err() {
        let said = program.said();
        assert!(!program.has_ended() && Instant::now() < deadline, "HAProxy: {said:?}");
        thread::sleep(Duration::from_millis(5));
    }
    Box::new(program)
}

fn site(shape: Shape) -> Option<Site> {
    tools::has(&[Tool::Haproxy, Tool::Curl]).then(|| Site::shaped("haproxy", shape, start))
}

#[test]
fn a_citizen_comes_and_goes() {
    let Some(site) = site(Shape::Plain) else { return };
    stories::a_citizen_comes_and_goes(&site);
}

#[test]
fn nobody_tells_the_portal_who_they_are() {
    let Some(site) = site(Shape::Plain) else { return };
    stories::nobody_tells_the_portal_who_they_are(&site);
}

#[test]
fn no_spelling_leads_past_the_question() {
    let Some(site) = site(Shape::Plain) else { return };
    stories::no_spelling_leads_past_the_question(&site);
    stories::no_spelling_of_the_host_does(&site);
}

#[test]
fn a_handshake_comes_from_a_page_of_the_portal() {
    let Some(site) = site(Shape::Plain) else { return };
    stories::a_handshake_comes_from_a_page_of_the_portal(&site);
}

#[test]
fn over_http_2_all_is_the_same() {
    let Some(site) = site(Shape::Plain) else { return };
    stories::over_http_2_all_is_the_same(&site);
}

#[test]
fn no_trailer_tells_who_it_is() {
    let Some(site) = site(Shape::Plain) else { return };
    stories::no_trailer_tells_who_it_is(&site);
}

#[test]
fn without_an_answer_nobody_passes() {
    let Some(site) = site(Shape::Plain) else { return };
    stories::without_an_answer_nobody_passes(site);
}

// It tries four times, a second apart, before it takes nobody for gone.
outages::outages_behind!(
    site(outages::SHAPE),
    start,
    outages::Seen { hangs: &[503], gone: &[503], asked: 9 * outages::GONE }
);

#[test]
fn it_asks_with_a_certificate_and_nobody_does_without() {
    let Some(site) = site(Shape::Certificate) else { return };
    stories::a_citizen_comes_and_goes(&site);
    journeys::nobody_asks_without_a_certificate(&site, "haproxy");
    let Some(strange) = self::site(Shape::StrangeCertificate) else { return };
    journeys::nobody_passes(&strange);
}

#[test]
fn it_asks_at_a_socket_of_the_file_system() {
    let Some(site) = site(Shape::Sockets) else { return };
    stories::a_citizen_comes_and_goes(&site);
}

#[test]
fn one_login_is_enough_for_two_hosts_over_http_2() {
    let Some(site) = site(Shape::TwoHosts) else { return };
    journeys::one_login_is_enough_for_two_hosts_over_http_2(&site);
}
