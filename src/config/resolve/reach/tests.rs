use super::*;
use crate::base::clock::{Clock, SystemClock};
use crate::config::load::load_text;
use crate::config::resolve::{routes, upstreams};

/// Two upstreams at different addresses, and a third at that of the first.
const UPSTREAMS: &str = "\
    [[upstream]]\nname = \"up\"\nurl = \"http://127.0.0.1:3000\"\n\
    [[upstream]]\nname = \"other\"\nurl = \"http://127.0.0.1:3001\"\n\
    [[upstream]]\nname = \"again\"\nurl = \"http://localhost:3000\"\n";

/// What is said of routes, each as `host path more`.
fn told(given: &[&str]) -> String {
    let mut text = UPSTREAMS.to_owned();
    for route in given {
        let mut parts = route.splitn(3, ' ');
        let (host, path) = (parts.next().unwrap(), parts.next().unwrap());
        let more = parts.next().unwrap_or_default().replace(", ", "\n");
        let upstream = if more.contains("upstream") || more.contains("respond") {
            ""
        } else {
            "upstream = \"up\"\n"
        };
        text.push_str(&format!(
            "[[route]]\nhost = \"{host}.test\"\npath = \"{path}\"\n{upstream}{more}\n"
        ));
    }
    let loaded = load_text("brama.toml", &text, std::iter::empty()).unwrap();
    let mut context = Context::new(&loaded, SystemClock.now());
    let (names, upstreams) = upstreams::resolve(&mut context);
    let routes = routes::resolve(&mut context, None, &names);
    check(&mut context, &routes, &upstreams);
    context.problems.to_string()
}

const PUBLIC: &str = "access = \"public\"";

#[test]
fn a_more_open_route_that_reaches_what_another_protects_is_told() {
    for (routes, expected) in [
        // By a prefix that is taken off, or put before.
        (
            vec!["a /admin", &format!("a /old {PUBLIC}, strip_prefix = \"/old\"")],
            "route[1] (a.test/old) requests reach at the same upstream what route[0] (a.test/admin)",
        ),
        (
            vec!["a /", &format!("a /pub {PUBLIC}, strip_prefix = \"/pub\", add_prefix = \"/x\"")],
            "route[1] (a.test/pub) requests reach at the same upstream what route[0] (a.test/)",
        ),
        (
            vec![
                "a /v2/admin assurance = \"high\"",
                "a /api add_prefix = \"/v2\", strip_prefix = \"/api\"",
            ],
            "route[1] (a.test/api) requests reach",
        ),
        // By a host.
        (vec!["a /", &format!("b / {PUBLIC}")], "route[1] (b.test/) requests reach"),
        (vec!["a /", &format!("b /app {PUBLIC}")], "route[1] (b.test/app) requests reach"),
        (vec!["a /admin", &format!("b / {PUBLIC}")], "what route[0] (a.test/admin) asks more for"),
        (vec!["a /", "b / access = \"optional\", upstream = \"again\""], "route[1] (b.test/)"),
        (vec!["a / require = [\"adult\"]", "b /"], "route[1] (b.test/)"),
        (vec!["a / max_age = \"10m\"", "b / max_age = \"20m\""], "route[1] (b.test/)"),
        (
            vec!["a / authorities = [\"x\"]", "b / authorities = [\"x\",\"y\"]"],
            "route[1] (b.test/)",
        ),
        // For one method.
        (
            vec!["a /", &format!("b / {PUBLIC}, methods = [\"POST\"]")],
            "route[1] (b.test/) requests reach",
        ),
    ] {
        let said = told(&routes);
        assert!(said.contains("is a second door: by ") && said.contains(expected), "{said}");
    }
}

#[test]
fn routes_that_do_not_meet_are_no_second_doors() {
    let public = |route: &str| format!("{route} {PUBLIC}");
    for routes in [
        // Single paths are opened below a stricter route: the safe shape.
        vec!["a /".to_owned(), public("a /news"), public("a /a/b/c")],
        vec!["a / assurance = \"high\"".to_owned(), "a /tax".to_owned()],
        // Another upstream, or none.
        vec!["a /".to_owned(), format!("b / {PUBLIC}, upstream = \"other\"")],
        vec!["a /".to_owned(), format!("b / {PUBLIC}, respond.status = 404")],
        // As strict.
        vec!["a /admin".to_owned(), "b /admin".to_owned()],
        vec!["a /".to_owned(), "a /old strip_prefix = \"/old\"".to_owned()],
        // What is protected is taken out again.
        vec!["a /x".to_owned(), public("b /x/y"), "a /x/y access = \"optional\"".to_owned()],
        // Beside each other.
        vec![
            "a /admin".to_owned(),
            format!("a /old {PUBLIC}, strip_prefix = \"/old\", add_prefix = \"/app\""),
        ],
        vec!["a /admin".to_owned(), public("b /administration")],
        // The upstream tells them apart by the host.
        vec![
            "a / host_header = \"a.internal\"".to_owned(),
            format!("b / {PUBLIC}, host_header = \"b.internal\""),
        ],
        // Methods of one location, and of two.
        vec![format!("a / {PUBLIC}, methods = [\"GET\"]"), "a / methods = [\"POST\"]".to_owned()],
        vec![
            format!("b / {PUBLIC}, methods = [\"GET\"]"),
            "a / methods = [\"POST\"]".to_owned(),
            "a / access = \"optional\"".to_owned(),
        ],
    ] {
        let routes: Vec<_> = routes.iter().map(String::as_str).collect();
        let said = told(&routes);
        assert!(!said.contains("second door") && !said.contains("more open"), "{routes:?}: {said}");
    }
}

#[test]
fn a_more_open_route_above_a_stricter_one_is_told_once_with_all_of_them() {
    let public = format!("a / {PUBLIC}");
    for (routes, expected) in [
        (
            vec![&*public, "a /admin"],
            "route[0].path: is more open than route[1] (a.test/admin) below",
        ),
        (vec!["a /", "a /admin assurance = \"high\""], "route[0].path: is more open than route[1]"),
        (vec!["a /", "a /pay max_age = \"10m\""], "a spelling of /pay that the upstream"),
        (
            vec!["a / access = \"optional\"", "a /admin"],
            "route[0].path: is more open than route[1]",
        ),
        (
            vec![&*public, "a /Admin/x", "a /admin/x access = \"optional\""],
            "route[2].path: is more",
        ),
        (
            vec![&*public, "a /a", "a /b", "a /c", "a /d", "a /e"],
            "than route[1] (a.test/a), route[2] (a.test/b), route[3] (a.test/c), 2 more below it",
        ),
        // On one host the way is another one, on the other it is this.
        (
            vec![&*public, "b /admin", "a /admin upstream = \"other\""],
            "more open than route[1] (b.t",
        ),
    ] {
        let said = told(&routes);
        assert!(said.contains(expected), "{routes:?}: {expected} is not in\n{said}");
        assert_eq!(said.matches("is more open").count(), said.matches("].path: is more").count());
    }
    let said = told(&[&public, "a /admin upstream = \"other\""]);
    assert!(!said.contains("more open"), "{said}");
}
