//! Apache httpd, which asks nobody, before the gateway.

use std::any::Any;

use super::{Shape, Site, Start, stories};
use crate::harness::Apache;
use crate::harness::tools::{self, Tool};

/// The modules that the printed text names, and those of them that Debian has on by default.
const MODULES: [&str; 5] = ["headers", "http2", "proxy", "proxy_http", "rewrite"];

fn start(start: &Start<'_>) -> Box<dyn Any> {
    Box::new(Apache::start(start.front, &MODULES, start.printed))
}

fn site() -> Option<Site> {
    tools::has(&[Tool::Apache]).then(|| Site::shaped("apache", Shape::HandsOn, start))
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
