//! Envoy with `ext_authz` over HTTP.

use std::any::Any;
use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::{Shape, Site, Start, stories};
use crate::harness::tools::{self, Tool};
use crate::harness::{PATIENCE, Program};

fn start(start: &Start<'_>) -> Box<dyn Any> {
    let file = start.folder.join("envoy.yaml");
    fs::write(&file, start.printed).unwrap();
    let envoy = Tool::Envoy.beside_judges().expect("Envoy was found");
    let mut command = Command::new(envoy);
    command.arg("-c").arg(&file).args(["--concurrency", "1", "-l", "warn"]);
    command.args(["--disable-hot-restart", "--file-flush-interval-msec", "100"]);
    let mut program = Program::start(&mut command);
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(start.front).is_err() {
        let said = program.said();
        assert!(!program.has_ended() && Instant::now() < deadline, "Envoy: {said:?}");
        thread::sleep(Duration::from_millis(5));
    }
    Box::new(program)
}

fn site() -> Option<Site> {
    tools::has(&[Tool::Envoy]).then(|| Site::shaped("envoy", Shape::Plain, start))
}

#[test]
fn a_citizen_comes_and_goes() {
    let Some(site) = site() else { return };
    stories::a_citizen_comes_and_goes(&site);
}

#[test]
fn nobody_tells_the_portal_who_they_are() {
    let Some(site) = site() else { return };
    stories::nobody_tells_the_portal_who_they_are(&site);
}

#[test]
fn no_spelling_leads_past_the_question() {
    let Some(site) = site() else { return };
    stories::no_spelling_leads_past_the_question(&site);
    stories::no_spelling_of_the_host_does(&site);
}

#[test]
fn a_handshake_comes_from_a_page_of_the_portal() {
    let Some(site) = site() else { return };
    stories::a_handshake_comes_from_a_page_of_the_portal(&site);
}

#[test]
fn over_http_2_all_is_the_same() {
    let Some(site) = site() else { return };
    stories::over_http_2_all_is_the_same(&site);
}

#[test]
fn no_trailer_tells_who_it_is() {
    let Some(site) = site() else { return };
    stories::no_trailer_tells_who_it_is(&site);
}

#[test]
fn without_an_answer_nobody_passes() {
    let Some(site) = site() else { return };
    stories::without_an_answer_nobody_passes(site);
}
