use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use jiff::civil::date;
use proptest::prelude::*;

use super::leniency::Leniency;
use super::methods::{Methods, Tie};
use super::requirement::{Attribute, Requirement};
use super::standing::{Standing, standings};
use super::*;
use crate::base::clock::earlier;
use crate::identity::assurance::Assurance;
use crate::identity::claims::PersonalClaim;
use crate::identity::forms::Form;
use crate::identity::forms::headers::{Encoding, PlainHeaders, Value};
use crate::identity::forms::signature::{MessageSignature, SigningKey};
use crate::identity::release::Release;
use crate::session::SessionId;
use crate::session::cached::{Activity, CachedSession};
use crate::session::testing;

fn route(path: &str, access: Access) -> Route {
    let release = Release::by_assertion("a", Vec::new());
    Route::to_upstream(("portal.example", path), access, 0, (0, release))
}

fn for_methods(path: &str, names: &[&str], access: Access) -> Route {
    let methods = names.iter().map(|name| name.parse().unwrap()).collect();
    Route { methods: Methods::only(methods), ..route(path, access) }
}

fn facts<'f>(host: &'f str, path: &'f str) -> Facts<'f> {
    Facts { host, path, method: &Method::GET, may_pass_maintenance: false }
}

fn now() -> Time {
    "2031-06-01T12:00:00Z".parse().unwrap()
}

fn shown(verdict: &Verdict<'_>) -> String {
    match verdict.outcome {
        Ok(_) => format!("pass {}", verdict.route.unwrap().path),
        Err(Denial::Login(requirement)) => format!("login {}", requirement.assurance),
        Err(Denial::StepUp(requirement)) => format!("step up {}", requirement.assurance),
        Err(Denial::Refuse(refusal)) => refusal.code().to_string(),
        Err(Denial::Closed) => "closed".to_owned(),
        Err(Denial::NoMethod(location)) => {
            let methods: Vec<_> = location.methods().map(Method::as_str).collect();
            format!("only {}", methods.join(" "))
        }
        Err(Denial::NoRoute) => "deny".to_owned(),
    }
}

fn decided(policy: &Policy, method: &str, path: &str) -> String {
    let method = method.parse().unwrap();
    let facts = Facts { method: &method, ..facts("portal.example", path) };
    shown(&RouteMatch::find(&facts, policy).judge(None, now()))
}

#[test]
fn the_longest_prefix_decides_and_ends_at_a_segment() {
    let policy = Policy::new(vec![
        route("/", Access::level(Assurance::Low)),
        route("/public/", Access::Public),
        route("/public/tax", Access::level(Assurance::High)),
        route("/maybe", Access::Optional),
    ]);
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
        assert_eq!(decided(&policy, "GET", path), expected, "{path}");
    }
}

#[test]
fn a_rule_that_names_the_method_wins_in_its_place_and_nowhere_else() {
    let policy = Policy::new(vec![
        route("/", Access::Public),
        route("/tax", Access::level(Assurance::High)),
        for_methods("/tax", &["GET", "HEAD"], Access::level(Assurance::Low)),
        for_methods("/tax/form", &["POST"], Access::level(Assurance::Substantial)),
        for_methods("/news", &["GET"], Access::Public),
        for_methods("/news", &["POST", "PUT"], Access::level(Assurance::High)),
    ]);
    for (method, path, expected) in [
        ("GET", "/tax", "login low"),
        ("HEAD", "/tax/2031", "login low"),
        ("POST", "/tax", "login high"),
        ("DELETE", "/tax/2031", "login high"),
        ("POST", "/tax/form", "login substantial"),
        // Neither the rule for /tax nor the open one for / has a say there.
        ("GET", "/tax/form", "only POST"),
        ("DELETE", "/tax/form/1", "only POST"),
        ("GET", "/news/1", "pass /news"),
        ("PUT", "/news/1", "login high"),
        ("HEAD", "/news/1", "only GET POST PUT"),
        ("get", "/news/1", "only GET POST PUT"),
        ("DELETE", "/newspaper", "pass /"),
    ] {
        assert_eq!(decided(&policy, method, path), expected, "{method} {path}");
    }
}

#[test]
fn two_rules_tie_when_neither_is_more_specific() {
    let only = |names: &[&str]| {
        Methods::only(names.iter().map(|name| name.parse().unwrap()).collect::<Vec<Method>>())
    };
    let (read, write) = (only(&["GET", "HEAD"]), only(&["POST", "PUT"]));
    assert_eq!(Methods::ALL.tie(&Methods::ALL), Some(Tie::All));
    assert_eq!(read.tie(&only(&["PUT", "HEAD"])), Some(Tie::Method(&Method::HEAD)));
    for (one, other) in [(&read, &write), (&read, &Methods::ALL), (&Methods::ALL, &write)] {
        assert_eq!(one.tie(other), None, "{one} {other}");
    }
}

#[test]
fn a_host_without_a_route_is_denied() {
    let policy = Policy::new(vec![route("/", Access::Public)]);
    for (host, policy) in [("other.example", &policy), ("portal.example", &Policy::default())] {
        let verdict = RouteMatch::find(&facts(host, "/"), policy).judge(None, now());
        assert_eq!(shown(&verdict), "deny", "{host}");
    }
}

#[test]
fn a_closed_place_is_closed_to_all_but_the_networks_that_work_on_it() {
    let mut closed = route("/work", Access::level(Assurance::High));
    closed.maintenance = true;
    let policy = Policy::new(vec![route("/", Access::Public), closed]);
    let decided = |path, may_pass_maintenance| {
        let facts = Facts { may_pass_maintenance, ..facts("portal.example", path) };
        shown(&RouteMatch::find(&facts, &policy).judge(None, now()))
    };
    assert_eq!(decided("/work/x", false), "closed");
    assert_eq!(decided("/work/x", true), "login high");
    assert_eq!(decided("/workshop", false), "pass /");
}

#[test]
fn only_a_door_that_asks_who_comes_needs_a_session() {
    let mut closed = route("/work", Access::Optional);
    closed.maintenance = true;
    let routes = [("/", Access::Public), ("/maybe", Access::Optional)];
    let mut routes: Vec<_> = routes.into_iter().map(|(path, access)| route(path, access)).collect();
    routes.extend([route("/in", Access::level(Assurance::Low)), closed]);
    routes.push(for_methods("/post", &["POST"], Access::Optional));
    let policy = Policy::new(routes);
    let paths = [("/", false), ("/maybe", true), ("/in", true), ("/work", false), ("/post", false)];
    for (path, asks) in paths {
        assert_eq!(
            RouteMatch::find(&facts("portal.example", path), &policy).asks_who(),
            asks,
            "{path}"
        );
    }
    assert!(!RouteMatch::find(&facts("other.example", "/in"), &policy).asks_who());
}

/// A citizen who fulfils everything that is asked for below.
fn visitor() -> Visitor<'static> {
    Visitor {
        assurance: Assurance::High,
        authenticated: earlier(now(), Duration::from_secs(300)),
        authority: Some("pz.gov.pl"),
        birthdate: Some(date(2013, 6, 1)),
        has_pesel: true,
    }
}

fn strict() -> Requirement {
    Requirement {
        assurance: Assurance::Substantial,
        max_age: Some(Duration::from_secs(300)),
        authorities: vec!["pz.gov.pl".to_owned(), "bank.example".to_owned()],
        attributes: vec![Attribute::Adult, Attribute::Pesel],
    }
}

#[test]
fn whoever_is_as_the_rule_asks_passes_and_with_one_thing_missing_does_not() {
    let policy = Policy::new(vec![route("/", Access::Required(strict()))]);
    let decided = |visitor: Visitor<'_>| {
        shown(
            &RouteMatch::find(&facts("portal.example", "/x"), &policy).judge(Some(&visitor), now()),
        )
    };
    let old = earlier(now(), Duration::from_secs(301));
    let v = visitor();
    for (visitor, expected) in [
        (v, "pass /"),
        (Visitor { assurance: Assurance::Substantial, ..v }, "pass /"),
        (Visitor { assurance: Assurance::Low, ..v }, "step up substantial"),
        (Visitor { authenticated: old, ..v }, "step up substantial"),
        // The node's clock may be ahead.
        (Visitor { authenticated: "2031-06-01T12:00:59Z".parse().unwrap(), ..v }, "pass /"),
        (Visitor { authority: Some("bank.example"), ..v }, "pass /"),
        (Visitor { authority: Some("PZ.GOV.PL"), ..v }, "policy.way_not_allowed"),
        (Visitor { authority: Some("pz.gov.pl.example"), ..v }, "policy.way_not_allowed"),
        (Visitor { authority: None, ..v }, "policy.way_not_allowed"),
        (Visitor { birthdate: Some(date(2013, 6, 2)), ..v }, "policy.not_adult"),
        (Visitor { birthdate: None, ..v }, "policy.birthdate_unknown"),
        (Visitor { has_pesel: false, ..v }, "policy.no_pesel"),
        // What no login can mend comes first, and the way in last.
        (Visitor { has_pesel: false, authenticated: old, ..v }, "policy.no_pesel"),
        (Visitor { authority: None, authenticated: old, ..v }, "step up substantial"),
    ] {
        assert_eq!(decided(visitor), expected, "{visitor:?} {:?}", visitor.authority);
    }
}

#[test]
fn a_rule_that_asks_for_nothing_more_lets_everybody_of_the_level_pass() {
    let policy = Policy::new(vec![route("/", Access::level(Assurance::Low))]);
    let nobody = Visitor {
        assurance: Assurance::Low,
        authenticated: Time::MIN,
        authority: None,
        birthdate: None,
        has_pesel: false,
    };
    let door = RouteMatch::find(&facts("portal.example", "/"), &policy);
    assert_eq!(shown(&door.judge(Some(&nobody), now())), "pass /");
    assert_eq!(shown(&door.judge(None, now())), "login low");
}

#[test]
fn a_login_that_may_be_no_moment_old_is_always_a_new_one() {
    let requirement = |seconds| AuthnRequirement {
        assurance: Assurance::Low,
        max_age: Some(Duration::from_secs(seconds)),
    };
    assert!(!requirement(0).is_met(Assurance::High, now(), now()));
    assert!(requirement(1).is_met(Assurance::High, now(), now()));
    assert!(requirement(u64::MAX).is_met(Assurance::High, Time::MIN, now()));
}

#[test]
fn a_pass_has_the_name_of_whoever_is_signed_in_where_the_place_asks_for_it() {
    let policy = Policy::new(vec![
        route("/", Access::Public),
        route("/maybe", Access::Optional),
        route("/in", Access::level(Assurance::High)),
        route("/strict", Access::Required(strict())),
    ]);
    let live = || {
        let key = SessionId::generate().key();
        let held = CachedSession::new(key, testing::session(key, now()), now());
        held.look(Activity::Alive, now(), Duration::from_secs(900))
    };
    let decide = |path: &str, live| match RouteMatch::find(&facts("portal.example", path), &policy)
        .decide(live, now())
    {
        Decision::Pass(pass) => Some(pass.live().is_some()),
        Decision::Deny(_) => None,
    };
    for (path, signed_in, anonymous) in [
        ("/", Some(false), Some(false)),
        ("/maybe", Some(true), Some(false)),
        ("/in", Some(true), None),
        // The session of the contract has no date of birth.
        ("/strict", None, None),
    ] {
        assert_eq!(decide(path, live()), signed_in, "{path}");
        assert_eq!(decide(path, None), anonymous, "{path}");
    }
}

#[test]
fn every_route_stands_somewhere() {
    let policy = Policy::new(vec![
        route("/", Access::Public),
        route("/tax", Access::Public),
        for_methods("/tax", &["GET"], Access::Public),
        for_methods("/tax", &["POST"], Access::Public),
        route("/taxi", Access::Public),
        Route { host: "other.example".to_owned(), ..route("/tax", Access::Public) },
    ]);
    let found: Vec<_> = standings(&facts("portal.example", "/tax/1"), &policy)
        .into_iter()
        .map(|(route, standing)| (route.path.as_str(), route.methods.to_string(), standing))
        .collect();
    let all = || "all methods".to_owned();
    assert_eq!(
        found,
        [
            ("/tax", all(), Standing::OtherHost),
            ("/taxi", all(), Standing::OtherPath),
            ("/tax", "GET".to_owned(), Standing::Decides),
            ("/tax", "POST".to_owned(), Standing::OtherMethod),
            ("/tax", all(), Standing::AllMethods),
            ("/", all(), Standing::ShorterPath),
        ]
    );
}

/// Any rules, as `check` lets them through: no two of one location tie.
fn rules() -> impl Strategy<Value = Vec<(String, String, Option<Method>)>> {
    let host = prop_oneof![Just("a.example"), Just("b.example")].prop_map(str::to_owned);
    let path = prop::collection::vec(prop_oneof![Just("/x"), Just("/y"), Just("/xy")], 0..4)
        .prop_map(|parts| if parts.is_empty() { "/".to_owned() } else { parts.concat() });
    let method = prop_oneof![
        Just(None),
        Just(Some(Method::GET)),
        Just(Some(Method::POST)),
        Just(Some(Method::HEAD))
    ];
    prop::collection::vec((host, path, method), 0..12).prop_map(|mut rules| {
        rules.sort_by_key(|rule| format!("{rule:?}"));
        rules.dedup();
        rules
    })
}

fn policy_of(rules: &[(String, String, Option<Method>)]) -> Policy {
    let make = |(host, path, method): &(String, String, Option<Method>)| {
        let methods = method.clone().map_or(Methods::ALL, |method| Methods::only(vec![method]));
        Route { host: host.clone(), methods, ..route(path, Access::Public) }
    };
    Policy::new(rules.iter().map(make).collect())
}

proptest! {
    /// The most specific rule wins, by the definition and not by the search, in whatever order the
    /// rules were written.
    #[test]
    fn the_most_specific_rule_wins_in_any_order(
        (rules, shuffled) in rules().prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
        host in prop_oneof![Just("a.example"), Just("b.example"), Just("c.example")],
        path in "(/x|/y|/xy){0,5}",
        method in prop_oneof![Just(Method::GET), Just(Method::POST), Just(Method::PUT)],
    ) {
        let path = if path.is_empty() { "/" } else { &path };
        let facts = Facts { host, path, method: &method, may_pass_maintenance: false };
        let [policy, other] = [policy_of(&rules), policy_of(&shuffled)];
        let verdict = RouteMatch::find(&facts, &policy).judge(None, now());
        let again = RouteMatch::find(&facts, &other).judge(None, now());
        prop_assert_eq!(verdict.outcome.is_ok(), again.outcome.is_ok());
        let named = |route: Option<&Arc<Route>>| {
            route.map(|route| (route.host.clone(), route.path.clone(), route.methods.clone()))
        };
        prop_assert_eq!(named(verdict.route), named(again.route));

        // The definition.
        let is_below = |prefix: &str| {
            prefix == "/" || path == prefix || path.starts_with(&format!("{prefix}/"))
        };
        let there = rules.iter().filter(|rule| rule.0 == host && is_below(&rule.1));
        let longest = there.clone().map(|rule| rule.1.len()).max();
        let location: Vec<_> = there.filter(|rule| Some(rule.1.len()) == longest).collect();
        let by_method = location.iter().find(|rule| rule.2.as_ref() == Some(&method));
        let expected = by_method.or_else(|| location.iter().find(|rule| rule.2.is_none()));
        match (expected, verdict.outcome) {
            (Some(rule), Ok(_)) => {
                let route = verdict.route.unwrap();
                prop_assert_eq!(&route.path, &rule.1);
                prop_assert_eq!(route.methods.is_named(), rule.2.is_some());
            }
            (None, Err(Denial::NoMethod(_))) => prop_assert!(!location.is_empty()),
            (None, Err(Denial::NoRoute)) => prop_assert!(location.is_empty()),
            (expected, outcome) => prop_assert!(false, "{expected:?} {outcome:?}"),
        }
    }
}

/// A route whose requests go on to an upstream that ignores case, or to one that does not.
fn to(ignores_case: bool, path: &str, access: Access) -> Route {
    let mut route = route(path, access);
    if let Action::Forward(forward) = &mut route.action {
        forward.ignores_case = ignores_case;
    }
    route
}

/// A route that answers by itself.
fn answers(path: &str) -> Route {
    let redirect = action::Redirect::parse(302, "/elsewhere").unwrap();
    Route { action: Action::Redirect(redirect), ..route(path, Access::Public) }
}

#[test]
fn paths_are_compared_without_case_where_the_upstream_ignores_it() {
    let high = || Access::level(Assurance::High);
    let policy = Policy::new(vec![
        to(true, "/", Access::Public),
        to(true, "/Admin", high()),
        to(true, "/admin/Open", Access::Public),
        to(true, "/żółw", high()),
        answers("/hidden"),
        to(false, "/Docs", high()),
        to(false, "/Docs/Open", Access::Public),
    ]);
    for (path, expected) in [
        ("/Admin", "login high"),
        ("/admin", "login high"),
        ("/ADMIN/x", "login high"),
        ("/adminx", "pass /"),
        ("/ADMIN/open/x", "pass /admin/Open"),
        ("/ŻÓŁW/x", "login high"),
        // Ours to answer, so that the upstream's own is not reached.
        ("/HIDDEN", "pass /hidden"),
        // The other upstream tells cases apart, and this one would take them for what is not its
        // own.
        ("/Docs", "login high"),
        ("/docs", "deny"),
        ("/Docs/Open", "pass /Docs/Open"),
        ("/Docs/open", "login high"),
        ("/docs/Open", "deny"),
    ] {
        assert_eq!(decided(&policy, "GET", path), expected, "{path}");
    }
    let policy = Policy::new(vec![to(true, "/", Access::Public), to(true, "/sub", high())]);
    for (path, expected) in [("/SUB", "login high"), ("/\u{17f}ub", "deny"), ("/sux", "pass /")] {
        assert_eq!(decided(&policy, "GET", path), expected, "{path}");
    }
}

#[test]
fn where_no_upstream_ignores_case_places_differ_by_it() {
    let policy = Policy::new(vec![
        to(false, "/", Access::Public),
        to(false, "/admin", Access::level(Assurance::High)),
        // Another host has such an upstream.
        Route { host: "other.example".to_owned(), ..to(true, "/", Access::Public) },
    ]);
    assert_eq!(decided(&policy, "GET", "/Admin"), "pass /");
    assert_eq!(decided(&policy, "GET", "/admin"), "login high");
}

#[test]
fn a_route_in_another_case_says_so() {
    let policy = Policy::new(vec![
        to(true, "/", Access::Public),
        to(true, "/admin", Access::Public),
        to(false, "/Docs", Access::Public),
    ]);
    let found = |path| -> Vec<_> {
        let standings = standings(&facts("portal.example", path), &policy).into_iter();
        standings.map(|(route, standing)| (route.path.clone(), standing)).collect()
    };
    let (admin, docs, root) = ("/admin".to_owned(), "/Docs".to_owned(), "/".to_owned());
    assert_eq!(
        found("/ADMIN"),
        [
            (admin.clone(), Standing::Decides),
            (docs.clone(), Standing::OtherPath),
            (root.clone(), Standing::ShorterPath)
        ]
    );
    assert_eq!(
        found("/docs"),
        [(admin, Standing::OtherPath), (docs, Standing::OtherCase), (root, Standing::ShorterPath)]
    );
    // Where case matters to all, another case is another path.
    let exact = to(false, "/admin", Access::Public);
    let policy = Policy::new(vec![exact.clone()]);
    assert_eq!(policy.coverage(&exact, "/admin/x"), policy::Coverage::Covers);
    assert_eq!(policy.coverage(&exact, "/ADMIN"), policy::Coverage::Elsewhere);
}

#[test]
fn the_longer_of_two_paths_is_so_in_the_spelling_that_is_compared() {
    // A capital of two bytes whose small letter has three.
    let (short, long) = ("/\u{2c65}\u{2c65}\u{2c65}", "/\u{23a}\u{23a}\u{23a}/b");
    assert!(long.len() < short.len());
    let policy = Policy::new(vec![
        to(true, short, Access::Public),
        to(true, long, Access::level(Assurance::High)),
    ]);
    assert_eq!(decided(&policy, "GET", long), "login high");
    assert_eq!(decided(&policy, "GET", &format!("{short}/b")), "login high");
    assert_eq!(decided(&policy, "GET", short), format!("pass {short}"));
}

proptest! {
    /// Whatever spelling an upstream that ignores case takes for the same, a rule that is stricter
    /// for one is no less strict for the other.
    #[test]
    fn no_spelling_goes_past_a_rule_where_the_upstream_ignores_case(
        rules in prop::collection::vec(
            (
                prop::sample::select(vec!["/", "/x", "/X/y", "/x/y/z", "/Y", "/\u{17f}", "/s/x"]),
                any::<bool>(),
                0..3_usize,
            ),
            1..6,
        ),
        path in "(/x|/X|/y|/Y|/s|/\u{17f}){1,3}",
        other in "(/x|/X|/y|/Y|/s|/S){1,3}",
    ) {
        let mut rules = rules;
        rules.sort_by_key(|rule| case::wide(rule.0).into_owned());
        rules.dedup_by_key(|rule| case::wide(rule.0).into_owned());
        let policy = Policy::new(rules.iter().map(|(path, ignores, access)| {
            let all = [Access::Public, Access::Optional, Access::level(Assurance::Low)];
            to(*ignores, path, all[*access].clone())
        }).collect());
        let reaches = |path: &str| {
            let facts = facts("portal.example", path);
            let verdict = RouteMatch::find(&facts, &policy).judge(None, now());
            let route = verdict.route?;
            let Action::Forward(forward) = &route.action else { return None };
            (forward.ignores_case).then(|| verdict.outcome.is_ok())
        };
        if case::wide(&path) == case::wide(&other)
            && let (Some(one), Some(two)) = (reaches(&path), reaches(&other))
        {
            prop_assert_eq!(one, two, "{} {}", path, other);
        }
    }
}

#[test]
fn a_preflight_is_answered_by_the_route_of_the_method_that_it_asks_for() {
    let preflight =
        |methods, access| Route { cors_preflight: true, ..for_methods("/api", methods, access) };
    let policy = Policy::new(vec![
        preflight(&["PUT"], Access::level(Assurance::High)),
        for_methods("/api", &["DELETE"], Access::level(Assurance::High)),
        Route { cors_preflight: true, ..route("/any", Access::level(Assurance::High)) },
        route("/all", Access::Optional),
    ]);
    let asked = |path: &str, method: &Method| {
        let facts = Facts { method: &Method::OPTIONS, ..facts("portal.example", path) };
        RouteMatch::find(&facts, &policy).asking_for(method)
    };
    let put = asked("/api", &Method::PUT);
    assert_eq!(shown(&put.judge(None, now())), "pass /api");
    assert!(matches!(put.judge(Some(&visitor()), now()).outcome, Ok(Naming::Nobody)));
    // No session is looked for, and what is decided depends on the method.
    assert!(!put.asks_who() && put.names_methods());
    let delete = asked("/api", &Method::DELETE);
    assert_eq!(shown(&delete.judge(None, now())), "only PUT DELETE");
    assert!(delete.names_methods());
    let any = asked("/any", &Method::PUT);
    assert!(!any.asks_who() && any.names_methods());
    let all = asked("/all", &Method::PUT);
    assert!(all.asks_who() && !all.names_methods());
    assert!(!asked("/none", &Method::PUT).names_methods());
    assert!(asked("/api", &Method::PATCH).names_methods());
}

#[test]
fn a_match_says_what_its_route_asks_for_and_bounds() {
    let mut bounded = route("/in", Access::level(Assurance::High));
    if let Action::Forward(forward) = &mut bounded.action {
        forward.bounds.max_body = Some(7);
    }
    let policy = Policy::new(vec![bounded, route("/", Access::Public), answers("/own")]);
    let of = |path| RouteMatch::find(&facts("portal.example", path), &policy);
    assert_eq!(of("/in").requirement().unwrap().assurance, Assurance::High);
    assert_eq!(of("/in").max_body(), Some(7));
    for path in ["/", "/own"] {
        assert!(of(path).requirement().is_none() && of(path).max_body().is_none(), "{path}");
    }
    let nowhere = RouteMatch::find(&facts("other.example", "/in"), &policy);
    assert!(nowhere.requirement().is_none() && nowhere.max_body().is_none());
}

#[test]
fn a_policy_says_what_it_has_for_a_host() {
    let release = |claims| Release::by_assertion("a", claims);
    let named = Route {
        release: release(vec![PersonalClaim::GivenName]),
        release_number: 4,
        ..route("/tax/form", Access::Public)
    };
    let other = Route { host: "other.example".to_owned(), ..route("/", Access::Public) };
    let policy = Policy::new(vec![
        route("/", Access::Public),
        route("/tax", Access::Public),
        named,
        route("/taxi", Access::Public),
        other,
    ]);
    let below = |host, path| {
        let paths: Vec<_> = policy.below(host, path).map(Location::path).collect();
        paths
    };
    assert_eq!(below("portal.example", "/tax"), ["/tax/form"]);
    assert_eq!(below("portal.example", "/tax/"), ["/tax/form"]);
    assert_eq!(below("portal.example", "/"), ["/tax/form", "/taxi", "/tax"]);
    assert!(below("portal.example", "/tax/form").is_empty());
    assert!(below("none.example", "/").is_empty());
    assert!(policy.has_host("portal.example") && !policy.has_host("none.example"));
    assert!(policy.releases_claim("portal.example", PersonalClaim::GivenName));
    assert!(!policy.releases_claim("portal.example", PersonalClaim::FamilyName));
    assert!(!policy.releases_claim("other.example", PersonalClaim::GivenName));
    assert_eq!(policy.releases(), 5);
    assert!(!policy.is_lenient("portal.example") && !policy.is_lenient("none.example"));
    let leniency = Leniency::default().with(leniency::Kind::NotUtf8);
    let policy = Policy::new(vec![Route { leniency, ..route("/", Access::Public) }]);
    assert!(policy.is_lenient("portal.example") && !policy.is_lenient("other.example"));
}

#[test]
fn a_route_matches_unless_it_is_for_another_path_or_host() {
    use Standing::{
        AllMethods, Decides, OtherCase, OtherHost, OtherMethod, OtherPath, ShorterPath,
    };
    for (standing, matches) in [
        (Decides, true),
        (ShorterPath, true),
        (OtherMethod, true),
        (AllMethods, true),
        (OtherCase, true),
        (OtherPath, false),
        (OtherHost, false),
    ] {
        assert_eq!(standing.matches(), matches, "{standing}");
    }
}

#[test]
fn a_location_of_two_upstreams_is_compared_without_case_when_one_of_them_ignores_it() {
    let named = |ignores, method: &str| Route {
        methods: Methods::only(vec![method.parse().unwrap()]),
        ..to(ignores, "/Mixed", Access::Public)
    };
    for (get, post) in [(false, true), (true, false), (true, true)] {
        let policy = Policy::new(vec![
            to(false, "/", Access::Public),
            named(get, "GET"),
            named(post, "POST"),
        ]);
        for path in ["/mixed", "/Mixed/x"] {
            assert_eq!(decided(&policy, "GET", path), "pass /Mixed", "{get} {post} {path}");
        }
    }
}

#[test]
fn a_form_is_kept_unless_another_proxy_has_it() {
    let policy = Policy::new(vec![
        route("/", Access::level(Assurance::Low)),
        answers("/own"),
        Route { action: Action::Permit, ..route("/asked", Access::level(Assurance::Low)) },
    ]);
    let keeps = |host, path| RouteMatch::find(&facts(host, path), &policy).keeps_forms();
    assert!(keeps("portal.example", "/form") && keeps("portal.example", "/own"));
    assert!(keeps("none.example", "/asked"));
    assert!(!keeps("portal.example", "/asked/form"));
}

#[test]
fn every_name_of_the_operators_choice_is_known_on_all_routes() {
    let name = HeaderName::from_static;
    let told = |path, forms| {
        let release = Release { forms, ..Release::by_assertion("a", Vec::new()) };
        Route { release, ..route(path, Access::Public) }
    };
    let headers = |field, also_read| {
        let (encoding, fields) = (Encoding::Percent, vec![(name(field), Value::Subject)]);
        Form::Headers(PlainHeaders { encoding, fields, also_read })
    };
    let policy = Policy::new(vec![
        told("/", vec![Form::Assertion, Form::Bearer]),
        told("/one", vec![headers("x-citizen", &["remote-user"])]),
        told("/two", vec![headers("x-brama-citizen", &[]), headers("x-person", &[])]),
    ]);
    let names = policy.told_names();
    for known in ["x-citizen", "X_Citizen", "remote-user", "x-person"] {
        assert!(names.has(known), "{known}");
    }
    // Ours are known without a list, and of `Authorization` the route knows.
    for other in ["authorization", "x-brama-assertion", "x-brama-citizen", "x-citizens"] {
        assert!(!names.has(other), "{other}");
    }
    assert!(!Policy::new(vec![told("/", vec![Form::Assertion])]).told_names().has("x-citizen"));
}

#[test]
fn a_policy_signs_when_one_of_its_routes_does() {
    let signed = || {
        let key = SigningKey::shared("k", &[7; SigningKey::LEAST]).unwrap();
        let (lifetime, audience) = (Duration::from_secs(60), HeaderValue::from_static("a"));
        Some(MessageSignature { key, lifetime, audience })
    };
    let plain = || route("/", Access::Public);
    let signing = Route { signature: signed(), ..route("/signed", Access::Public) };
    assert!(Policy::new(vec![plain(), signing]).signs());
    assert!(!Policy::new(vec![plain()]).signs());
}
