//! Pages that Chromium fetches before anybody wants to see them, by the speculation rules of a
//! portal's page.

use tempfile::TempDir;

use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Plan, Program, Simulator, Tls, node};

#[test]
fn chromium_begins_a_login_for_a_page_that_is_seen_and_none_for_one_that_is_fetched_ahead() {
    if !tools::has(&[Tool::Chromium, Tool::Node]) {
        return;
    }
    let (mut portal, url) = node("ahead.js");
    let plan = Plan::empty()
        .upstream("portal", &url)
        .route("/", "portal", "public")
        .route("/private", "portal", "required")
        .operated()
        .tls(Tls::On);
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    let profile = TempDir::new().unwrap();
    let page = format!("https://localhost:{}/", gateway.tls_address.unwrap().port());
    let _browser = Program::chromium(profile.path(), &page);
    for path in ["/private/page", "/private/ahead"] {
        gateway.has_said(&[&format!("\"path\":\"{path}\""), "\"status\":401"]);
    }
    let begun = |gateway: &Gateway| gateway.numbers().value("brama_logins_begun_total", &[]);
    assert_eq!(begun(&gateway), 0.0);
    portal.tell("go");
    gateway.has_said(&["\"path\":\"/private/page\"", "\"status\":200"]);
    assert_eq!(begun(&gateway), 1.0);
}
