//! Traefik with `ForwardAuth`.

use std::any::Any;
use std::fs;
use std::process::Command;

use super::{Shape, Site, Start, journeys, known, stories};
use crate::harness::Program;
use crate::harness::tools::{self, Tool};

fn start(start: &Start<'_>) -> Box<dyn Any> {
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
    journeys::nobody_asks_without_a_certificate(&site);
    let Some(strange) = self::site(Shape::StrangeCertificate) else { return };
    journeys::nobody_passes(&strange);
}
