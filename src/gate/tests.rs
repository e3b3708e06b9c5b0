use super::*;
use crate::identity::claims::Release;

fn route(path: &str, access: Access) -> Route {
    Route {
        host: "portal.example".to_owned(),
        path: path.to_owned(),
        access,
        upstream: 0,
        release: Release { audience: "a".to_owned(), claims: vec![] },
        release_number: 0,
    }
}

fn decided(path: &str) -> String {
    let policy = Policy::new(vec![
        route("/", Access::Required(Assurance::Low)),
        route("/public/", Access::Public),
        route("/public/tax", Access::Required(Assurance::High)),
        route("/maybe", Access::Optional),
    ]);
    match decide(&Facts { host: "portal.example", path }, None, &policy) {
        Decision::Pass(pass) => format!("pass {}", pass.route().path),
        Decision::Login(level) => format!("login {level}"),
        Decision::StepUp(level) => format!("step up {level}"),
        Decision::Deny => "deny".to_owned(),
    }
}

#[test]
fn the_longest_prefix_decides_and_ends_at_a_segment() {
    for (path, expected) in [
        ("/", "login low"),
        ("/public", "pass /public"),
        ("/public/x/y", "pass /public"),
        ("/publicity", "login low"),
        ("/public/tax", "login high"),
        ("/public/tax/2031", "login high"),
        ("/public/taxi", "pass /public"),
        ("/maybe", "pass /maybe"),
        ("/PUBLIC", "login low"),
    ] {
        assert_eq!(decided(path), expected, "{path}");
    }
}

#[test]
fn a_host_without_a_route_is_denied() {
    let policy = Policy::new(vec![route("/", Access::Public)]);
    let facts = Facts { host: "other.example", path: "/" };
    assert!(matches!(decide(&facts, None, &policy), Decision::Deny));
    assert!(matches!(decide(&facts, None, &Policy::default()), Decision::Deny));
}
