//! A session of the portal's own, which Django keeps in a cookie: whom its pages are for when one
//! citizen after another signs in with the same browser.

use crate::harness::tools::{self, Tool};
use crate::harness::{Citizen, Plan, Simulator, python};

/// Whose pages Zofia sees at a path of the portal, after Anna was there and signed out.
fn seen_after_anna(portal_line: &str, path: &str) -> Option<[String; 2]> {
    if !tools::has(&[Tool::PythonDjango]) {
        return None;
    }
    let (_portal, url) = python("django_portal.py");
    let plan = Plan::empty()
        .upstream("portal", &url)
        .route("/", "portal", "required")
        .with("claims = [\"given_name\"]")
        .portal(portal_line);
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    let mut browser = Citizen::at(&gateway.url("/"));
    let seen = ["anna", "zofia"].map(|person| {
        browser.sign_in(person);
        let page = browser.url(path);
        let seen = browser.open(&page).text();
        assert_eq!(browser.open(&page).text(), seen, "a page that is seen twice");
        let out = browser.url("/.brama/logout");
        browser.posts(&out);
        assert_eq!(browser.session(), None);
        seen
    });
    Some(seen)
}

#[test]
fn a_session_of_django_that_is_bound_to_the_login_ends_with_it() {
    let Some(seen) = seen_after_anna("", "/bound") else { return };
    assert_eq!(seen, ["Anna", "Zofia"]);
}

#[test]
fn a_session_of_django_that_is_bound_to_nothing_ends_by_its_cookie() {
    let Some(seen) = seen_after_anna("", "/kept") else { return };
    assert_eq!(seen, ["Anna", "Anna"], "what the setting is for");
    let line = "clear_cookies_at_logout = [\"sessionid\"]\n";
    let seen = seen_after_anna(line, "/kept").unwrap();
    assert_eq!(seen, ["Anna", "Zofia"]);
}
