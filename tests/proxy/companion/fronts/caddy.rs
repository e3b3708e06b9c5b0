//! Caddy with `forward_auth`.

use std::any::Any;
use std::fs;
use std::process::Command;

use super::{Shape, Site, Start, journeys, known, outages, stories};
use crate::harness::Program;
use crate::harness::tools::{self, Tool};

/// What keeps it from whatever else runs here: it would redirect from port 80, and listen for those
/// who administer it.
const ALONE: &str = "{
	admin off
	persist_config off
	auto_https disable_redirects
	default_bind 127.0.0.1
	storage file_system FOLDER
	servers {
		protocols h1 h2
	}
}
";

pub(super) fn start(start: &Start<'_>) -> Box<dyn Any> {
    let alone = ALONE.replace("FOLDER", &start.folder.join("caddy").display().to_string());
    let file = start.folder.join("Caddyfile");
    fs::write(&file, format!("{alone}{}", start.printed)).unwrap();
    let mut command = Command::new(Tool::Caddy.beside_judges().expect("Caddy was found"));
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file);
    let program = Program::start(command.env("HOME", start.folder));
    start.wait_until_it_serves();
    Box::new(program)
}

pub(super) fn site(shape: Shape) -> Option<Site> {
    tools::has(&[Tool::Caddy, Tool::Curl]).then(|| Site::shaped("caddy", shape, start))
}

super::stories_behind!(site, known::Unsaid::Refused);

#[test]
fn it_asks_at_a_socket_of_the_file_system() {
    let Some(site) = site(Shape::Sockets) else { return };
    stories::a_citizen_comes_and_goes(&site);
}

outages::outages_behind!(
    site(outages::SHAPE),
    start,
    outages::Seen { hangs: &[504], gone: &[502], asked: outages::GONE }
);

#[test]
fn it_asks_with_a_certificate_and_nobody_does_without() {
    let Some(site) = site(Shape::Certificate) else { return };
    stories::a_citizen_comes_and_goes(&site);
    journeys::nobody_asks_without_a_certificate(&site, "caddy");
    let Some(strange) = self::site(Shape::StrangeCertificate) else { return };
    journeys::nobody_passes(&strange);
}
