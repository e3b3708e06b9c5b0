use super::*;
use crate::identity::claims::Release;

fn route(path: &str, access: Access) -> Route {
    let release = Release { audience: "a".to_owned(), claims: vec![] };
    Route::to_upstream(("portal.example", path), access, 0, (0, release))
}

fn facts<'f>(host: &'f str, path: &'f str) -> Facts<'f> {
    Facts { host, path, may_pass_maintenance: false }
}

fn decided(path: &str) -> String {
    let policy = Policy::new(vec![
        route("/", Access::Required(Assurance::Low)),
        route("/public/", Access::Public),
        route("/public/tax", Access::Required(Assurance::High)),
        route("/maybe", Access::Optional),
    ]);
    match Door::find(&facts("portal.example", path), &policy).decide(None) {
        Decision::Pass(pass) => format!("pass {}", pass.route().path),
        Decision::Login(level) => format!("login {level}"),
        Decision::StepUp(level) => format!("step up {level}"),
        Decision::Closed => "closed".to_owned(),
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
    let facts = facts("other.example", "/");
    assert!(matches!(Door::find(&facts, &policy).decide(None), Decision::Deny));
    assert!(matches!(Door::find(&facts, &Policy::default()).decide(None), Decision::Deny));
}

#[test]
fn a_closed_place_is_closed_to_all_but_the_networks_that_work_on_it() {
    let mut closed = route("/work", Access::Required(Assurance::High));
    closed.maintenance = true;
    let policy = Policy::new(vec![route("/", Access::Public), closed]);
    let decided = |path, may_pass_maintenance| {
        let facts = Facts { host: "portal.example", path, may_pass_maintenance };
        Door::find(&facts, &policy).decide(None)
    };
    assert!(matches!(decided("/work/x", false), Decision::Closed));
    assert!(matches!(decided("/work/x", true), Decision::Login(Assurance::High)));
    assert!(matches!(decided("/workshop", false), Decision::Pass(_)));
}

#[test]
fn only_a_door_that_asks_who_comes_needs_a_session() {
    let mut closed = route("/work", Access::Optional);
    closed.maintenance = true;
    let routes = [("/", Access::Public), ("/maybe", Access::Optional)];
    let mut routes: Vec<_> = routes.into_iter().map(|(path, access)| route(path, access)).collect();
    routes.extend([route("/in", Access::Required(Assurance::Low)), closed]);
    let policy = Policy::new(routes);
    let paths = [("/", false), ("/maybe", true), ("/in", true), ("/work", false)];
    for (path, asks) in paths {
        assert_eq!(Door::find(&facts("portal.example", path), &policy).asks_who(), asks, "{path}");
    }
    assert!(!Door::find(&facts("other.example", "/in"), &policy).asks_who());
}
