//! Traefik with `ForwardAuth`.

use std::any::Any;
use std::collections::HashMap;
use std::fs;
use std::process::Command;

use super::{Keys, Shape, Site, Start, journeys, known, outages, stories};
use crate::harness::tools::{self, Tool};
use crate::harness::{Program, Script, free_address};

pub(super) fn start(start: &Start<'_>) -> Box<dyn Any> {
    // Each file as it is printed, where it is said to be.
    let mut files = start.printed.split("# FILE ");
    assert!(files.next().is_some(), "there is something before the first");
    let mut paths = Vec::new();
    for file in files {
        let (path, text) = file.split_once('\n').unwrap();
        fs::write(path, text).unwrap();
        paths.push(path);
    }
    assert_eq!(paths.len(), 2, "{}", start.printed);
    let mut command = Command::new(Tool::Traefik.beside_judges().expect("Traefik was found"));
    let program = Program::start(command.arg(format!("--configFile={}", paths[0])));
    start.wait_until_it_serves();
    Box::new(program)
}

pub(super) fn site(shape: Shape) -> Option<Site> {
    tools::has(&[Tool::Traefik, Tool::Curl]).then(|| Site::shaped("traefik", shape, start))
}

super::stories_behind!(site, known::Unsaid::GoesOn);

#[test]
fn it_asks_with_a_certificate_and_nobody_does_without() {
    let Some(site) = site(Shape::Certificate) else { return };
    stories::a_citizen_comes_and_goes(&site);
    journeys::nobody_asks_without_a_certificate(&site, "traefik");
    let Some(strange) = self::site(Shape::StrangeCertificate) else { return };
    journeys::nobody_passes(&strange);
}

#[test]
fn nothing_is_printed_for_a_socket_of_the_file_system_which_it_cannot_ask_at() {
    let (portal, keys) = (Script::start(HashMap::new()), Keys::new());
    let addresses = (free_address(), free_address());
    let plan = |shape: Shape| shape.plan("traefik", addresses, (&portal, &keys)).start();
    let gateway = plan(Shape::Sockets);
    let (is_well, said) = gateway.command("print-config", &["traefik"], "");
    assert!(!is_well && said.contains("Traefik reaches no unix socket"), "{said}");
    assert!(said.contains("[[companion]]"), "{said}");
    let ask = ["traefik", "--ask", "127.0.0.1:1"];
    let (is_well, said) = gateway.command("print-config", &ask, "");
    assert!(!is_well && said.contains("--gateway ADDRESS"), "{said}");
    let both = [&ask[..], &["--gateway", "127.0.0.1:2"]].concat();
    let (is_well, said) = gateway.command("print-config", &both, "");
    assert!(is_well && said.contains("http://127.0.0.1:1/authz/forward-auth"), "{said}");
}

outages::outages_behind!(
    site(outages::SHAPE),
    start,
    outages::Seen { hangs: &[], gone: &[500], asked: outages::GONE }
);
