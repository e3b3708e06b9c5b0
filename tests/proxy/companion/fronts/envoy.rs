//! Envoy with `ext_authz` over HTTP, and over gRPC.

use std::any::Any;
use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::Start;
use crate::harness::tools::Tool;
use crate::harness::{PATIENCE, Program};

pub(super) fn start(start: &Start<'_>) -> Box<dyn Any> {
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

/// The tests of Envoy that asks as `$proxy` says.
macro_rules! behind_envoy {
    ($module:ident, $proxy:literal) => {
        mod $module {
            use super::super::{Shape, Site, journeys, known, outages, stories};
            use super::start;
            use crate::harness::tools::{self, Tool};

            pub(super) fn site(shape: Shape) -> Option<Site> {
                let is_there = tools::has(&[Tool::Envoy, Tool::Curl]);
                is_there.then(|| Site::shaped($proxy, shape, start))
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

            #[test]
            fn a_place_that_wants_a_recent_login_gets_one() {
                let Some(site) = site(Shape::Plain) else { return };
                journeys::a_place_that_wants_a_recent_login_gets_one(&site);
            }

            #[test]
            fn a_part_is_asked_about_and_the_gateway_has_the_rest() {
                let Some(site) = site(Shape::Part) else { return };
                journeys::a_part_is_asked_about_and_the_gateway_has_the_rest(&site);
            }

            #[test]
            fn nothing_that_went_wrong_elsewhere_does_here() {
                let Some(site) = site(Shape::Plain) else { return };
                known::nothing_that_went_wrong_elsewhere_does_here(&site);
            }

            #[test]
            fn one_login_is_enough_for_two_hosts_over_http_2() {
                let Some(site) = site(Shape::TwoHosts) else { return };
                journeys::one_login_is_enough_for_two_hosts_over_http_2(&site);
            }

            #[test]
            fn it_asks_at_a_socket_of_the_file_system() {
                let Some(site) = site(Shape::Sockets) else { return };
                stories::a_citizen_comes_and_goes(&site);
            }

            #[test]
            fn it_asks_with_a_certificate_and_nobody_does_without() {
                let Some(site) = site(Shape::Certificate) else { return };
                stories::a_citizen_comes_and_goes(&site);
                // At the listener for gRPC nobody asks over HTTP/1.1; who may connect is the same.
                if $proxy == "envoy" {
                    journeys::nobody_asks_without_a_certificate(&site, $proxy);
                }
                let Some(strange) = self::site(Shape::StrangeCertificate) else { return };
                journeys::nobody_passes(&strange);
            }

            outages::outages_behind!(
                site(outages::SHAPE),
                start,
                outages::Seen { hangs: &[503], gone: &[503], asked: outages::GONE }
            );
        }
    };
}

behind_envoy!(over_http, "envoy");
behind_envoy!(over_grpc, "envoy-grpc");
