//! What a rule may ask beyond a login: a method, a recent login, a way in, something of the person.

use std::time::Duration;

use brama::identity::assurance::Assurance;
use brama::simulator::faults::Fault;
use http::{Method, StatusCode};

use crate::harness::{Answer, World, world};

/// Routes that each ask for one thing more than a login.
const ROUTES: &str = r#"
[[route]]
path = "/"
upstream = "portal"
access = "public"
[[route]]
path = "/news"
upstream = "portal"
access = "public"
methods = ["GET", "HEAD"]
[[route]]
path = "/news"
upstream = "portal"
assurance = "high"
methods = ["POST"]
[[route]]
path = "/tax"
upstream = "portal"
[[route]]
path = "/tax/recent"
upstream = "portal"
max_age = "10m"
[[route]]
path = "/tax/profile"
upstream = "portal"
authorities = ["pz.gov.pl"]
[[route]]
path = "/tax/adults"
upstream = "portal"
require = ["adult"]
[[route]]
path = "/tax/pesel"
upstream = "portal"
require = ["pesel"]
"#;

/// A node that is asked for a new login only where a route asks for one.
async fn portal() -> World {
    let world = world().with_routes(ROUTES);
    world
        .with_settings(|settings| {
            settings.flows.template.force_authn = false;
            settings.log.access = brama::observe::access::Settings::off();
        })
        .start()
        .await
}

fn forces(world: &World) -> bool {
    let request = world.last_authn_request();
    assert_ne!(request.contains("ForceAuthn=\"true\""), request.contains("ForceAuthn=\"false\""));
    request.contains("ForceAuthn=\"true\"")
}

fn is_page_to_the_node(page: &Answer) -> bool {
    page.status == StatusCode::OK && page.text.contains("SAMLRequest")
}

#[tokio::test]
async fn a_rule_for_other_methods_refuses_with_those_that_there_are() {
    let world = portal().await;
    let mut browser = world.browser();
    assert_eq!(browser.open("/news/1").await.text, "portal");
    for (method, expected) in [
        (Method::GET, StatusCode::OK),
        (Method::HEAD, StatusCode::OK),
        (Method::POST, StatusCode::UNAUTHORIZED),
        (Method::DELETE, StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let headers = [("accept", "application/json")];
        let answer = browser.fetch_with(method.clone(), "/news/1", &headers, "").await;
        assert_eq!(answer.status, expected, "{method}");
        if expected == StatusCode::METHOD_NOT_ALLOWED {
            assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"));
            assert_eq!(answer.json()["error"], "request.method_not_allowed");
        }
    }
    // The rule for everything else is not asked, though it is open.
    let reached: Vec<_> = world.seen().into_iter().map(|seen| seen.method).collect();
    assert!(reached.iter().all(|method| *method != "DELETE" && *method != "POST"), "{reached:?}");
    let elsewhere = browser.fetch_with(Method::DELETE, "/newspaper", &[], "").await;
    assert_eq!(elsewhere.status, StatusCode::OK);
}

#[tokio::test]
async fn a_header_that_claims_another_method_does_not_go_round_a_rule() {
    let world = portal().await;
    let mut browser = world.browser();
    for name in ["x-http-method-override", "x_http_method_override", "x-method-override"] {
        let headers = [("accept", "application/json"), (name, "POST")];
        let answer = browser.fetch_with(Method::GET, "/news/1", &headers, "").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}");
        assert_eq!(answer.json()["error"], "request.method_override");
        assert!(world.seen().is_empty(), "{name}");
    }
    // Where rules are for all methods, it is the portal's own affair.
    let headers = [("x-http-method-override", "POST")];
    let answer = browser.fetch_with(Method::GET, "/newspaper", &headers, "").await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn whoever_identified_too_long_ago_does_so_anew_and_comes_back() {
    let world = portal().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    assert!(!forces(&world), "an ordinary login may use a session at the node");
    assert_eq!(browser.open("/tax/recent?a=1").await.text, "portal");
    let before = browser.session_cookie().unwrap();

    world.advance(Duration::from_secs(599));
    assert_eq!(browser.open("/tax/recent?a=2").await.text, "portal");
    world.advance(Duration::from_secs(2));
    assert_eq!(browser.open("/tax").await.text, "portal", "other places do not mind");
    let page = browser.open("/tax/recent?a=3").await;
    assert!(is_page_to_the_node(&page), "{}", page.text);
    let delivery = browser.choose(&page, "anna", &[]).await;
    assert!(forces(&world));
    assert_eq!(browser.deliver(&delivery).await.text, "portal");
    assert_eq!(world.last_seen().target, "/tax/recent?a=3");

    // A new id, and the old one is worth nothing.
    let after = browser.session_cookie().unwrap();
    assert_ne!(before, after);
    let mut other = world.browser();
    other.set_session_cookie(&before);
    assert_eq!(other.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn somebody_without_a_session_is_asked_for_a_new_login_at_once() {
    let world = portal().await;
    let mut browser = world.browser();
    assert_eq!(browser.sign_in("/tax/recent", "anna").await.text, "portal");
    assert!(forces(&world), "one way to the node, not two");
}

#[tokio::test]
async fn a_node_that_answers_with_an_older_login_does_not_bring_anybody_further() {
    let world = portal().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    world.advance(Duration::from_secs(601));
    let session = browser.session_cookie();
    let page = browser.open("/tax/recent").await;
    world.next_fault(Fault::AuthnInstantOld);
    let delivery = browser.choose(&page, "anna", &[]).await;
    let answer = browser.deliver(&delivery).await;
    answer.is_our_page().is_refused_with("login.not_fresh");
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.session_cookie(), session, "the session from before stays");
    assert_eq!(browser.open("/tax").await.text, "portal");

    // Without a session the same answer is refused, and is good enough for any other place.
    let mut other = world.browser();
    let page = other.open("/tax/recent").await;
    world.next_fault(Fault::AuthnInstantOld);
    let delivery = other.choose(&page, "anna", &[]).await;
    other.deliver(&delivery).await.is_refused_with("login.not_fresh");
    world.next_fault(Fault::AuthnInstantOld);
    assert_eq!(other.sign_in("/tax", "anna").await.text, "portal");
    assert!(is_page_to_the_node(&other.open("/tax/recent").await), "the login is 20 minutes old");

    // The way on from the page of the refusal is a new login too, and it leads back.
    let link = answer.link_with("max_age=0");
    let page = browser.open(&link).await;
    let delivery = browser.choose(&page, "anna", &[]).await;
    assert!(forces(&world));
    assert_eq!(browser.deliver(&delivery).await.text, "portal");
    assert_eq!(world.last_seen().target, "/tax/recent");
}

#[tokio::test]
async fn a_program_is_told_what_to_bring_as_rfc_9470_says_it() {
    let world = portal().await;
    let mut browser = world.browser();
    let anonymous = browser.fetch("/tax/recent").await;
    assert_eq!(anonymous.json()["error"], "login_required");
    browser.sign_in("/tax", "anna").await;
    world.advance(Duration::from_secs(601));

    let answer = browser.fetch("/tax/recent/data").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let link = "/.brama/login?return_to=%2F&assurance=substantial&max_age=600";
    let level = "http://eidas.europa.eu/LoA/substantial";
    assert_eq!(
        answer.header("www-authenticate"),
        Some(&*format!(
            "Brama error=\"insufficient_user_authentication\", acr_values=\"{level}\", \
             max_age=\"600\", login=\"{link}\", assurance=\"substantial\""
        ))
    );
    let json = answer.json();
    for (field, value) in [
        ("error", serde_json::json!("step_up_required")),
        ("assurance", serde_json::json!("substantial")),
        ("acr_values", serde_json::json!(level)),
        ("max_age", serde_json::json!(600)),
        ("login", serde_json::json!(link)),
    ] {
        assert_eq!(json[field], value, "{field}");
    }

    // The link does what it says, and then nobody is asked again.
    let page = browser.open(link).await;
    let delivery = browser.choose(&page, "anna", &[]).await;
    assert!(forces(&world));
    browser.deliver(&delivery).await;
    assert_eq!(browser.fetch("/tax/recent/data").await.status, StatusCode::OK);
    assert_eq!(browser.open(link).await.text, "portal");
    // A level without an age is told without one, to whoever has too low a level.
    let headers = [("accept", "application/json")];
    let answer = browser.fetch_with(Method::POST, "/news", &headers, "").await;
    assert_eq!(answer.json()["acr_values"], "http://eidas.europa.eu/LoA/high");
    assert!(!answer.header("www-authenticate").unwrap().contains("max_age"));
    assert!(answer.json().get("max_age").is_none());
}

#[tokio::test]
async fn an_age_that_is_none_is_refused_at_the_login_link() {
    let world = portal().await;
    for wrong in ["", "-1", "1.5", "10m", "+5", "99999999999", "%C5%BC"] {
        let answer = world.browser().open(&format!("/.brama/login?max_age={wrong}")).await;
        answer.is_refused_with("request.max_age");
    }
    let answer = world.browser().open("/.brama/login?max_age=9999999999").await;
    assert!(is_page_to_the_node(&answer));
}

#[tokio::test]
async fn whoever_came_by_another_way_is_offered_to_sign_in_again() {
    let world = portal().await;
    let mut browser = world.browser();
    let by_bank = [("way", "bank")];
    let delivery = browser.reach_node("/tax", "anna", &by_bank).await;
    browser.deliver(&delivery).await;
    let page = browser.open("/tax/profile/1").await;
    page.is_our_page().is_refused_with("policy.way_not_allowed");
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let fetched = browser.fetch("/tax/profile/1").await;
    assert_eq!(fetched.status, StatusCode::FORBIDDEN);
    assert_eq!(fetched.json()["error"], "policy.way_not_allowed");
    assert_eq!(browser.open("/tax").await.text, "portal", "they stay signed in");

    // The same way again leads to the same page and not around in circles.
    let link = page.link_with("max_age=0");
    let again = browser.open(&link).await;
    let delivery = browser.choose(&again, "anna", &by_bank).await;
    assert!(forces(&world));
    browser.deliver(&delivery).await.is_refused_with("policy.way_not_allowed");

    // The other way leads back to where they wanted to go.
    let again = browser.open(&link).await;
    let delivery = browser.choose(&again, "anna", &[("way", "profil-zaufany")]).await;
    assert_eq!(browser.deliver(&delivery).await.text, "portal");
    assert_eq!(world.last_seen().target, "/tax/profile/1");
}

#[tokio::test]
async fn adults_and_holders_of_a_pesel_pass_and_others_are_told_why_not() {
    let world = portal().await;
    for (person, path, expected) in [
        ("anna", "/tax/adults", None),
        ("anna", "/tax/pesel", None),
        ("jurgen", "/tax/adults", None),
        ("jurgen", "/tax/pesel", Some("policy.no_pesel")),
        ("mia", "/tax/adults", Some("policy.not_adult")),
        ("mia", "/tax/pesel", Some("policy.no_pesel")),
        ("mia", "/tax", None),
    ] {
        let mut browser = world.browser();
        let answer = browser.sign_in(path, person).await;
        let Some(code) = expected else {
            assert_eq!(answer.text, "portal", "{person} {path}");
            continue;
        };
        // No way to the node: it would end here again.
        answer.is_our_page();
        assert!(answer.text.contains(code) && !answer.text.contains("SAMLRequest"), "{person}");
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let fetched = browser.fetch(path).await;
        assert_eq!(
            (fetched.status, &fetched.json()["error"]),
            (StatusCode::FORBIDDEN, &code.into())
        );
        assert_eq!(browser.open("/tax").await.text, "portal", "{person} stays signed in");
        // The twin: nobody's name is needed where the rule is for everybody.
        assert_eq!(browser.open("/news").await.text, "portal");
    }
}

/// The level that the last request to the node asked for.
fn asked(world: &World) -> &'static str {
    let request = world.last_authn_request();
    let levels = ["low", "substantial", "high"];
    let is_asked = |level: &&str| request.contains(&format!("eidas.europa.eu/LoA/{level}<"));
    levels.into_iter().find(is_asked).expect("a level is asked for")
}

#[tokio::test]
async fn a_login_link_asks_for_more_than_service_and_route_and_never_for_less() {
    let sure = "[[route]]\npath = \"/tax/sure\"\nupstream = \"portal\"\nassurance = \"high\"\n";
    let world = world()
        .with_routes(&format!("{ROUTES}{sure}"))
        .with_settings(|settings| {
            settings.flows.template.force_authn = false;
            settings.log.access = brama::observe::access::Settings::off();
        })
        .start()
        .await;
    for (query, expected, anew) in [
        ("return_to=/", "substantial", false),
        ("return_to=/&assurance=low", "substantial", false),
        ("return_to=/&assurance=high", "high", false),
        ("assurance=low&assurance=low", "substantial", false),
        // The route for what a browser does there: it goes to the page.
        ("return_to=/news/1&assurance=low", "substantial", false),
        ("return_to=/tax/sure/1?a=/&assurance=low", "high", false),
        ("return_to=/tax/sure%23x&assurance=low", "high", false),
        ("return_to=/tax/%73ure&assurance=substantial", "high", false),
        ("return_to=/tax/surely&assurance=low", "substantial", false),
        ("return_to=/tax/recent", "substantial", true),
        ("return_to=/tax/recent&max_age=999999", "substantial", true),
        // What is none of our paths, or one of our own places, asks for nothing of its own.
        ("return_to=//tax/sure&assurance=low", "substantial", false),
        ("return_to=/tax/sure/..&assurance=low", "substantial", false),
        ("return_to=/.brama/cross?id=x&assurance=low", "substantial", false),
    ] {
        let mut browser = world.browser();
        let page = browser.open(&format!("/.brama/login?{query}")).await;
        assert!(is_page_to_the_node(&page), "{query}: {}", page.text);
        browser.choose(&page, "anna", &[]).await;
        assert_eq!(asked(&world), expected, "{query}");
        assert_eq!(forces(&world), anew, "{query}");
    }
}

#[tokio::test]
async fn where_the_service_asks_for_high_nobody_is_named_with_less() {
    let routes = "[[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n\
                  claims = [\"pesel\"]\n";
    let world = world()
        .with_routes(routes)
        .with_settings(|settings| {
            settings.flows.assurance = Assurance::High;
            settings.log.access = brama::observe::access::Settings::off();
        })
        .start()
        .await;
    let link = "/.brama/login?return_to=/&assurance=low";
    let mut browser = world.browser();
    let page = browser.open(link).await;
    let delivery = browser.choose(&page, "anna", &[("assurance", "substantial")]).await;
    assert_eq!(asked(&world), "high");
    browser.deliver(&delivery).await.is_refused_with("login.assurance_too_low");
    assert_eq!(browser.open("/").await.text, "portal");
    assert!(world.last_seen().assertion().is_none(), "nobody is named");
    // The twin: by a way that is sure enough somebody is.
    let page = browser.open(link).await;
    let delivery = browser.choose(&page, "anna", &[("way", "e-dowod")]).await;
    assert_eq!(browser.deliver(&delivery).await.text, "portal");
    assert!(world.last_seen().assertion().is_some());
}
