//! nginx with `auth_request`.

use std::any::Any;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::{Shape, Site, Start, journeys, known, outages, stories};
use crate::harness::tools::{self, Tool};
use crate::harness::{PATIENCE, Program};

pub(super) fn start(start: &Start<'_>) -> Box<dyn Any> {
    let here = start.folder.display();
    let mut temporary = String::new();
    for name in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = writeln!(temporary, "{name}_temp_path {here}/{name};");
    }
    let configuration = format!(
        "daemon off;\nmaster_process off;\npid {here}/nginx.pid;\nerror_log {here}/error.log;\n\
         events {{ worker_connections 8192; }}\nhttp {{\naccess_log off;\n{temporary}\n{}\n}}\n",
        start.printed
    );
    let file = start.folder.join("nginx.conf");
    fs::write(&file, configuration).unwrap();
    let errors = start.folder.join("error.log");
    let mut command = Command::new(tools::nginx().expect("nginx was found"));
    command.arg("-e").arg(&errors).arg("-p").arg(start.folder).arg("-c").arg(&file);
    let program = Program::start(&mut command);
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(start.front).is_err() {
        let said = fs::read_to_string(&errors).unwrap_or_default();
        assert!(Instant::now() < deadline, "nginx does not listen: {said}");
        thread::sleep(Duration::from_millis(5));
    }
    Box::new(program)
}

pub(super) fn site(shape: Shape) -> Option<Site> {
    tools::has(&[Tool::Nginx, Tool::Curl]).then(|| Site::shaped("nginx", shape, start))
}

super::stories_behind!(site, known::Unsaid::GoesOn);

#[test]
fn it_asks_at_a_socket_of_the_file_system() {
    let Some(site) = site(Shape::Sockets) else { return };
    stories::a_citizen_comes_and_goes(&site);
}

outages::outages_behind!(
    site(outages::SHAPE),
    start,
    outages::Seen { hangs: &[500], gone: &[500], asked: outages::GONE }
);

#[test]
fn it_asks_with_a_certificate_and_nobody_does_without() {
    let Some(site) = site(Shape::Certificate) else { return };
    stories::a_citizen_comes_and_goes(&site);
    journeys::nobody_asks_without_a_certificate(&site, "nginx");
    let Some(strange) = self::site(Shape::StrangeCertificate) else { return };
    journeys::nobody_passes(&strange);
}
