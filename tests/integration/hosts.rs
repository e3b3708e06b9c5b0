//! Portals on unrelated hosts behind one gateway: a citizen signs in at the registered one, and the
//! session is handed to the others by a code that is good once.

use std::time::Duration;

use brama::observe::access;
use brama::request::networks::Networks;
use http::{Method, StatusCode};
use url::Url;

use crate::harness::{Answer, Browser, World, world};

const A: &str = "https://portal-a.example";
const B: &str = "https://portal-b.test";
const C: &str = "https://portal-c.invalid:8443";

const ROUTES: &str = "\
    [[route]]\npath = \"/\"\nupstream = \"portal\"\n\
    [[route]]\nhost = \"portal-b.test\"\npath = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n\
    [[route]]\nhost = \"portal-b.test\"\npath = \"/tax\"\nupstream = \"portal\"\naudience = \"tax-b\"\n\
    [[route]]\nhost = \"portal-b.test\"\npath = \"/health\"\nupstream = \"portal\"\nassurance = \"high\"\n\
    [[route]]\nhost = \"portal-b.test\"\npath = \"/pay\"\nupstream = \"portal\"\nmax_age = \"5m\"\n\
    [[route]]\nhost = \"portal-c.invalid\"\npath = \"/\"\nupstream = \"portal\"\n\
    [[route]]\nhost = \"news.example\"\npath = \"/\"\nupstream = \"portal\"\naccess = \"public\"\n";

async fn portals() -> World {
    world().with_hosts(&[A, B, C]).with_routes(ROUTES).start().await
}

/// Signs in through a page of a portal, and arrives there.
async fn signed_in(browser: &mut Browser, portal: &str, path: &str) -> Answer {
    let answer = browser.at(portal).sign_in(path, "anna").await;
    is_at(&answer, portal, path);
    answer
}

fn is_at(answer: &Answer, portal: &str, path: &str) {
    assert_eq!(answer.text, "portal", "{} {}", answer.url, answer.status);
    assert_eq!(answer.url.as_str(), format!("{portal}{path}"));
}

/// Goes on to the moment at which the browser would bring a code to the other portal.
async fn code_for(browser: &mut Browser, portal: &str, path: &str) -> Url {
    let answer = browser.at(portal).stops_before("/.brama/arrive?").open(path).await;
    browser.stops_before(None);
    let next = answer.next();
    assert!(next.as_str().starts_with(&format!("{portal}/.brama/arrive?code=")), "{next}");
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    next
}

#[tokio::test]
async fn a_citizen_signs_in_through_another_host() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, B, "/tax?year=2031").await;
    assert!(world.last_seen().assertion().is_some());
    assert_eq!(world.last_seen().header("host"), Some("portal-b.test"));
    // Each host has a cookie of its own, and neither is the other.
    let b = browser.session_cookie().unwrap();
    let a = browser.at(A).session_cookie().unwrap();
    assert_ne!(a, b);
    is_at(&browser.open("/account").await, A, "/account");
}

#[tokio::test]
async fn nothing_but_a_handle_stands_in_the_address_on_the_way() {
    let world = portals().await;
    let mut browser = world.browser();
    let left = browser.at(B).stops_before("/.brama/cross?").open("/tax?secret=1").await;
    assert_eq!(left.status, StatusCode::SEE_OTHER);
    let next = left.next();
    let (address, handle) = next.as_str().split_once("?id=").unwrap();
    assert_eq!(address, format!("{A}/.brama/cross"));
    assert_eq!(handle.len(), 22);
    assert_eq!(left.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(left.header("cross-origin-opener-policy"), Some("same-origin"));
    assert_eq!(left.header("cache-control"), Some("no-store"));
    assert_eq!(browser.cookie_names().len(), 1);
    assert_eq!(browser.cookies_of("brama-wish-").len(), 1);
}

#[tokio::test]
async fn whoever_is_signed_in_at_one_host_is_at_another_without_the_node() {
    let world = portals().await;
    for (first, then) in [(A, B), (B, A), (B, C), (A, C)] {
        let mut browser = world.browser();
        signed_in(&mut browser, first, "/tax").await;
        let request = world.last_authn_request();
        is_at(&browser.at(then).open("/tax/x?a=1").await, then, "/tax/x?a=1");
        assert_eq!(world.last_authn_request(), request, "the node was not asked: {first} {then}");
        let assertion = world.last_seen().assertion().unwrap().to_owned();
        assert_eq!(sid(&assertion).len(), 22);
    }
}

/// The public name of the session in a token.
fn sid(assertion: &str) -> String {
    use base64::Engine as _;
    let claims = assertion.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["iss"], A, "the issuer is the registered portal, whatever the host");
    claims["sid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_is_one_session_with_one_name() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, B, "/tax").await;
    let at_b = sid(world.last_seen().assertion().unwrap());
    browser.at(A).open("/account").await;
    assert_eq!(sid(world.last_seen().assertion().unwrap()), at_b);
    assert_eq!(world.end_all_sessions().await, 1);
}

#[tokio::test]
async fn a_stolen_code_is_refused_and_worth_nothing_afterwards() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, A, "/").await;
    let code = code_for(&mut browser, B, "/tax").await;
    // A thief without any cookie, and one who has begun a login there as well.
    let mut thief = world.browser();
    thief.at(B).stops_before("/.brama/cross?").open("/tax").await;
    thief.stops_before(None);
    let page = thief.visit(&code).await;
    page.is_refused_with("crossing.code_of_other_browser").is_our_page();
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"));
    assert_eq!(thief.session_cookie(), None);
    // It was spent; the citizen gets another one by going on.
    browser.visit(&code).await.is_refused_with("crossing.code_used");
    is_at(&browser.open("/tax").await, B, "/tax");

    let code = code_for(&mut browser, C, "/tax").await;
    world.browser().visit(&code).await.is_refused_with("crossing.code_of_other_browser");
}

#[tokio::test]
async fn a_code_is_good_once() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, A, "/").await;
    let code = code_for(&mut browser, B, "/tax").await;
    is_at(&browser.visit(&code).await, B, "/tax");
    let cookie = browser.session_cookie();
    let page = browser.visit(&code).await;
    page.is_refused_with("crossing.code_used").is_our_page();
    assert_eq!(page.status, StatusCode::CONFLICT);
    // Whoever loads the page again is still signed in.
    assert_eq!(browser.session_cookie(), cookie);
    is_at(&browser.open("/tax").await, B, "/tax");
}

/// Whoever arrives signed in takes the place of whoever was signed in here, who is not any more.
#[tokio::test]
async fn the_session_that_a_browser_had_where_it_arrives_ends_with_all_that_leads_to_it() {
    let world = portals().await;
    let (mut attacker, mut citizen) = (world.browser(), world.browser());
    attacker.at(B).sign_in("/tax", "lukasz").await;
    let planted = attacker.session_cookie().unwrap();
    is_at(&attacker.at(A).open("/account").await, A, "/account");
    signed_in(&mut citizen, A, "/").await;
    let name = sid(world.last_seen().assertion().unwrap());
    let code = code_for(&mut citizen, B, "/tax").await;
    citizen.at(B).set_session_cookie(&planted);
    is_at(&citizen.visit(&code).await, B, "/tax");
    assert_eq!(sid(world.last_seen().assertion().unwrap()), name);
    assert_ne!(citizen.session_cookie().unwrap(), planted);
    // The other one's has ended at both hosts, and the citizen's at neither.
    for portal in [A, B] {
        assert_eq!(attacker.at(portal).fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(citizen.at(portal).fetch("/tax").await.status, StatusCode::OK, "{portal}");
    }
    assert_eq!(world.end_all_sessions().await, 1);
}

#[tokio::test]
async fn whoever_arrives_once_more_with_the_same_session_keeps_it_and_only_the_old_cookie_ends() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, B, "/tax").await;
    let old = browser.session_cookie().unwrap();
    browser.forget_session_cookie();
    let code = code_for(&mut browser, B, "/tax").await;
    browser.at(B).set_session_cookie(&old);
    is_at(&browser.visit(&code).await, B, "/tax");
    assert_ne!(browser.session_cookie().unwrap(), old);
    for portal in [B, A] {
        assert_eq!(browser.at(portal).fetch("/tax").await.status, StatusCode::OK, "{portal}");
    }
    // A worker that has just found it asks again after a moment.
    world.advance(Duration::from_secs(1));
    let mut thief = world.browser();
    thief.at(B).set_session_cookie(&old);
    assert_eq!(thief.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn of_two_uses_at_once_one_gives_a_session() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, A, "/").await;
    for _ in 0..10 {
        let code = code_for(&mut browser, B, "/tax").await;
        let (mut one, mut two) = (browser.clone(), browser.clone());
        one.stops_before("/tax");
        two.stops_before("/tax");
        let (first, second) = tokio::join!(one.visit(&code), two.visit(&code));
        let statuses = [first.status, second.status];
        assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), 1);
        assert_eq!(statuses.iter().filter(|status| **status == StatusCode::CONFLICT).count(), 1);
    }
}

#[tokio::test]
async fn a_code_is_refused_when_it_is_late_at_another_host_or_an_invention() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, A, "/").await;
    let code = code_for(&mut browser, B, "/tax").await;
    world.advance(Duration::from_secs(60));
    browser.visit(&code).await.is_refused_with("crossing.code_expired");

    // At another host, in a browser that has a binding there too.
    browser.at(C).stops_before("/.brama/cross?").open("/").await;
    browser.stops_before(None);
    let code = code_for(&mut browser, B, "/tax").await;
    let elsewhere = Url::parse(&code.as_str().replace(B, C)).unwrap();
    browser.visit(&elsewhere).await.is_refused_with("crossing.code_for_other_host");
    browser.visit(&code).await.is_refused_with("crossing.code_used");
    // At the registered host there is no such place, and at a public one neither.
    let code = code_for(&mut browser, B, "/tax").await;
    let at_home = Url::parse(&code.as_str().replace(B, A)).unwrap();
    browser.visit(&at_home).await.is_refused_with("request.no_such_place");

    browser.at(B);
    let long = "x".repeat(5000);
    for query in ["", "?code=", "?code=x", "?code=%00", &format!("?code={long}")] {
        let page = browser.open(&format!("/.brama/arrive{query}")).await;
        page.is_refused_with("crossing.unknown_code").is_our_page();
    }
    let unknown = format!("/.brama/arrive?code={}", "A".repeat(43));
    browser.open(&unknown).await.is_refused_with("crossing.unknown_code");
    let twice = format!("{code}&code={}", "A".repeat(43));
    browser.visit(&Url::parse(&twice).unwrap()).await.is_refused_with("crossing.unknown_code");
}

#[tokio::test]
async fn nobody_is_signed_in_as_somebody_else_by_a_link() {
    let world = portals().await;
    // 1. Somebody sends a code of theirs to a citizen, who has begun to sign in there.
    let (mut attacker, mut citizen) = (world.browser(), world.browser());
    attacker.sign_in("/", "lukasz").await;
    let code = code_for(&mut attacker, B, "/tax").await;
    let left = citizen.at(B).stops_before("/.brama/cross?").open("/tax").await;
    citizen.stops_before(None);
    citizen.visit(&code).await.is_refused_with("crossing.code_of_other_browser");
    // 2. Or brings the citizen's wish, which was seen on the way, after the citizen did.
    let wish = left.next();
    citizen.visit(&wish).await;
    attacker.visit(&wish).await.is_refused_with("crossing.wish_of_other_browser");
    // 3. Or sends a wish of theirs to a citizen who is signed in: the code is for the other
    //    browser.
    let mut anna = world.browser();
    signed_in(&mut anna, A, "/").await;
    let left = attacker.at(C).stops_before("/.brama/cross?").open("/x").await;
    attacker.stops_before(None);
    let wish = left.next();
    let stopped = anna.stops_before("/.brama/arrive?").visit(&wish).await;
    anna.stops_before(None);
    let code = stopped.next();
    anna.at(C).visit(&code).await.is_refused_with("crossing.code_of_other_browser");
    attacker.visit(&code).await.is_refused_with("crossing.code_used");
    assert_eq!(attacker.session_cookie(), None);
}

#[tokio::test]
async fn a_wish_is_fulfilled_once_and_not_for_scripts() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, A, "/").await;
    let left = browser.at(B).stops_before("/.brama/cross?").open("/tax").await;
    browser.stops_before(None);
    let wish = left.next();
    let path = format!("{}?{}", wish.path(), wish.query().unwrap());
    let answer = browser.at(A).fetch(&path).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.json()["error"], "crossing.no_navigation");
    is_at(&browser.visit(&wish).await, B, "/tax");
    browser.visit(&wish).await.is_refused_with("crossing.wish_used").is_our_page();
    let unknown = format!("/.brama/cross?id={}", "A".repeat(22));
    for path in ["/.brama/cross", "/.brama/cross?id=x", &unknown] {
        browser.open(path).await.is_refused_with("crossing.unknown_wish").is_our_page();
    }
    // What has expired is told apart.
    let left = browser.at(B).stops_before("/.brama/cross?").open("/health").await;
    let wish = left.next();
    world.advance(Duration::from_secs(1200));
    browser.stops_before(None).visit(&wish).await.is_refused_with("crossing.wish_expired");
}

#[tokio::test]
async fn the_cookie_of_one_host_is_worth_nothing_at_another() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, B, "/tax").await;
    let b = browser.session_cookie().unwrap();
    let a = browser.at(A).session_cookie().unwrap();
    // On the same connection, so at the same worker, which remembers what it found a moment ago.
    let mut thief = browser.clone();
    for (portal, cookie, path) in [(A, &b, "/"), (B, &a, "/tax"), (C, &b, "/"), (C, &a, "/")] {
        thief.at(portal).set_session_cookie(cookie);
        assert_eq!(thief.fetch(path).await.status, StatusCode::UNAUTHORIZED, "{portal}");
        assert_eq!(browser.at(B).fetch("/tax").await.status, StatusCode::OK);
        assert_eq!(browser.at(A).fetch("/").await.status, StatusCode::OK);
        assert_eq!(thief.fetch(path).await.status, StatusCode::UNAUTHORIZED, "{portal}");
    }
    thief.at(B).set_session_cookie(&b);
    assert_eq!(thief.fetch("/tax").await.status, StatusCode::OK, "the twin: at its own host");
}

#[tokio::test]
async fn a_higher_level_is_asked_for_at_another_host() {
    let world = portals().await;
    let mut browser = world.browser();
    let delivery = browser.at(B).reach_node("/tax", "anna", &[("loa", "substantial")]).await;
    is_at(&browser.deliver(&delivery).await, B, "/tax");
    let before = browser.session_cookie().unwrap();
    assert_eq!(browser.fetch("/health").await.status, StatusCode::UNAUTHORIZED);
    let answer = browser.sign_in("/health", "anna").await;
    is_at(&answer, B, "/health");
    assert!(world.last_authn_request().contains("/high"), "{}", world.last_authn_request());
    let after = browser.session_cookie().unwrap();
    assert_ne!(after, before, "the id is a fresh one");
    // The session before it has ended, with all that led to it.
    let mut thief = world.browser();
    thief.at(B).set_session_cookie(&before);
    assert_eq!(thief.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.end_all_sessions().await, 1);
}

#[tokio::test]
async fn a_login_that_is_too_old_is_made_anew_from_another_host() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, B, "/pay").await;
    assert!(world.last_authn_request().contains("ForceAuthn=\"true\""));
    world.advance(Duration::from_secs(301));
    assert_eq!(browser.fetch("/tax").await.status, StatusCode::OK);
    assert_eq!(browser.fetch("/pay").await.json()["error"], "step_up_required");
    let request = world.last_authn_request();
    signed_in(&mut browser, B, "/pay").await;
    assert_ne!(world.last_authn_request(), request);
    // Asked for on purpose, a login is always a new one, and ends somewhere.
    let request = world.last_authn_request();
    let answer = browser.sign_in("/.brama/login?return_to=/tax&max_age=0", "anna").await;
    is_at(&answer, B, "/tax");
    assert_ne!(world.last_authn_request(), request);
}

#[tokio::test]
async fn a_form_that_met_an_ended_session_at_another_host_is_still_there_after_the_crossing() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, B, "/tax").await;
    browser.forget_session_cookie();
    let left = browser.send_form("/tax/form?a=1", FORM, "name=Anna", "same-origin").await;
    // Still signed in at the registered host, so without the node.
    let asked = browser.visit(&left.next()).await;
    assert!(asked.url.as_str().starts_with(&format!("{B}/.brama/form?id=")), "{}", asked.url);
    press(&world, &mut browser, &asked).await;

    // And with the node.
    browser.forget_session_cookie();
    browser.at(A).forget_session_cookie();
    let left = browser.at(B).send_form("/tax/form?a=1", FORM, "name=Anna", "same-origin").await;
    let page = browser.visit(&left.next()).await;
    let delivery = browser.choose(&page, "anna", &[]).await;
    let asked = browser.deliver(&delivery).await;
    assert!(asked.url.as_str().starts_with(&format!("{B}/.brama/form?id=")), "{}", asked.url);
    press(&world, &mut browser, &asked).await;
}

const FORM: &str = "application/x-www-form-urlencoded";

async fn press(world: &World, browser: &mut Browser, asked: &Answer) {
    let (_, action, fields) = asked.form();
    assert_eq!(action, format!("{B}/tax/form?a=1"));
    let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = browser.submit("/tax/form?a=1", &fields).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "portal"));
    assert_eq!(world.last_seen().body, "name=Anna");
    assert!(world.last_seen().assertion().is_some());
}

#[tokio::test]
async fn signing_out_at_one_host_ends_it_at_all_and_stays_there() {
    let world = portals().await;
    for (here, there) in [(A, B), (B, A), (B, C)] {
        let mut browser = world.browser();
        for portal in [A, B, C] {
            browser.at(portal);
            match browser.session_cookie() {
                None if portal == A => drop(signed_in(&mut browser, A, "/tax").await),
                _ => is_at(&browser.open("/tax").await, portal, "/tax"),
            }
        }
        let asked = browser.at(here).open("/.brama/logout").await;
        let (_, action, fields) = asked.form();
        assert_eq!(action, format!("{here}/.brama/logout"));
        let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let page = browser.submit("/.brama/logout", &fields).await;
        page.is_our_page();
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.url.as_str().starts_with(here));
        assert_eq!(browser.session_cookie(), None);
        for portal in [there, here] {
            let answer = browser.at(portal).fetch("/tax").await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{here} {portal}");
        }
        // The node knows it too, so nobody is signed in anywhere without it.
        let page = browser.at(there).open("/tax").await;
        assert!(page.text.contains("SAMLRequest"), "{}", page.text);
    }
}

#[tokio::test]
async fn another_site_cannot_sign_a_citizen_out_at_another_host() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, B, "/tax").await;
    // Even a portal behind the same gateway is another site.
    for origin in [A, C, "https://evil.example", "null"] {
        let headers = [("origin", origin)];
        browser.fetch_with(Method::POST, "/.brama/logout", &headers, "").await;
        let answer = browser.fetch_with(Method::POST, "/.brama/keepalive", &headers, "").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.fetch("/tax").await.status, StatusCode::OK, "{origin}");
    }
    let headers = [("origin", B)];
    let answer = browser.fetch_with(Method::POST, "/.brama/keepalive", &headers, "").await;
    assert_eq!(answer.json()["signed_in"], true);
    browser.fetch_with(Method::POST, "/.brama/logout", &headers, "").await;
    assert_eq!(browser.fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_an_operator_ends_has_ended_at_all_hosts_and_the_citizen_is_told() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, B, "/tax").await;
    assert_eq!(world.end_all_sessions().await, 1);
    for portal in [A, B] {
        assert_eq!(browser.at(portal).fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
        let page = browser.open("/tax").await;
        page.is_refused_with("session.ended_by_operator");
        assert_eq!(page.link_with("login?").split('?').next(), Some("/.brama/login"));
    }
}

#[tokio::test]
async fn all_hosts_share_the_limits_and_the_signs_of_life() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, B, "/tax").await;
    let left = |answer: &Answer| answer.json()["seconds_left"].as_u64().unwrap();
    // Who is busy at one host is not idle at the other.
    for _ in 0..4 {
        world.advance(Duration::from_secs(600));
        assert_eq!(browser.at(B).fetch("/tax").await.status, StatusCode::OK);
    }
    assert_eq!(browser.at(A).fetch("/tax").await.status, StatusCode::OK);
    // A host that is visited late gets no longer session than the first.
    for _ in 0..43 {
        world.advance(Duration::from_secs(600));
        browser.at(A).fetch("/tax").await;
    }
    is_at(&browser.at(C).open("/tax").await, C, "/tax");
    let asked = browser.fetch("/.brama/session").await;
    assert_eq!((asked.json()["limit"].as_str(), left(&asked)), (Some("absolute"), 600));
    world.advance(Duration::from_secs(600));
    for portal in [A, B, C] {
        assert_eq!(browser.at(portal).fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_person_with_many_hosts_has_one_session() {
    let world = world()
        .with_hosts(&[A, B, C])
        .with_routes(ROUTES)
        .with("[session]\nmaximum_per_person = 1\n")
        .start()
        .await;
    let mut browser = world.browser();
    signed_in(&mut browser, B, "/tax").await;
    for portal in [A, C, B] {
        is_at(&browser.at(portal).open("/tax").await, portal, "/tax");
    }
    // Of two that are equally old, either may be the one to go.
    world.advance(Duration::from_secs(1));
    let mut other = world.browser();
    signed_in(&mut other, C, "/tax").await;
    for portal in [A, B, C] {
        let page = browser.at(portal).open("/tax").await;
        page.is_refused_with("session.signed_out_elsewhere");
    }
}

#[tokio::test]
async fn a_script_without_a_session_is_told_and_leaves_nothing_behind() {
    let world = portals().await;
    let mut browser = world.browser();
    let answer = browser.at(B).fetch("/tax").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["error"], "login_required");
    let login = answer.json()["login"].as_str().unwrap().to_owned();
    assert!(browser.cookie_names().is_empty());
    // The way that it is told is one at its own host.
    let page = browser.open(&login).await;
    assert!(page.url.as_str().starts_with(A) && page.text.contains("SAMLRequest"));
}

#[tokio::test]
async fn each_place_of_ours_is_at_the_hosts_where_it_belongs() {
    let world = portals().await;
    let mut browser = world.browser();
    for path in ["/.brama/acs", "/.brama/finish", "/.brama/cross", "/.brama/metadata"] {
        browser.at(B).open(path).await.is_refused_with("request.no_such_place");
    }
    browser.at(A).open("/.brama/arrive").await.is_refused_with("request.no_such_place");
    let keys = browser.at(A).fetch("/.brama/jwks.json").await.text;
    assert_eq!(browser.at(B).fetch("/.brama/jwks.json").await.text, keys);
    assert_eq!(browser.fetch("/.brama/session").await.json()["signed_in"], false);
    // Where nobody can be signed in, nothing leads to it.
    let mut public = Browser::of_portals(&["https://news.example".to_owned()], world.address());
    assert_eq!(public.open("/x").await.text, "portal");
    for place in ["login", "session", "logout", "arrive", "cross", "acs", "finish", "form"] {
        let page = public.open(&format!("/.brama/{place}")).await;
        page.is_refused_with("request.no_such_place");
    }
    // What no route names stays unknown.
    let mut unknown = Browser::of_portals(&["https://evil.example".to_owned()], world.address());
    for path in ["/", "/.brama/login", "/.brama/arrive", "/.brama/cross"] {
        unknown.open(path).await.is_refused_with("request.no_route");
    }
}

#[tokio::test]
async fn the_path_that_the_node_knows_belongs_to_the_portal_at_other_hosts() {
    let world = world()
        .with_hosts(&[A, B, C])
        .with_routes(ROUTES)
        .with_portal("acs_path = \"/login/acs\"\n")
        .start()
        .await;
    let mut browser = world.browser();
    browser.at(A).open("/login/acs").await.is_refused_with("login.malformed_artifact");
    assert_eq!(browser.at(B).open("/login/acs?SAMLart=x").await.text, "portal");
    browser.open("/.brama/acs").await.is_refused_with("request.no_such_place");
}

#[tokio::test]
async fn what_a_foreign_page_has_a_browser_fetch_is_not_counted_against_its_network() {
    let world = world()
        .with_hosts(&[A, B, C])
        .with_routes(ROUTES)
        .with("[limits]\nlogin_failures = 3\n")
        .start()
        .await;
    let mut browser = world.browser();
    for _ in 0..10 {
        browser.at(A).fetch("/.brama/cross?id=x").await;
        let answer = browser.at(B).fetch("/.brama/arrive?code=x").await;
        assert_eq!(answer.json()["error"], "crossing.no_navigation");
    }
    // Nor is a code that nobody knows.
    for _ in 0..10 {
        browser.open("/.brama/arrive?code=x").await.is_refused_with("crossing.unknown_code");
    }
    // Nor what another browser began: a foreign page can lead there.
    let mut citizen = world.browser();
    signed_in(&mut citizen, A, "/").await;
    for _ in 0..4 {
        let code = code_for(&mut citizen, B, "/tax").await;
        browser.visit(&code).await.is_refused_with("crossing.code_of_other_browser");
    }
    browser.open("/.brama/arrive?code=x").await.is_refused_with("crossing.unknown_code");
    // Handles have bits enough that nobody finds one by trying: what is refused here counts for
    // nobody.
    let code = code_for(&mut citizen, B, "/tax").await;
    citizen.visit(&code).await;
    for _ in 0..4 {
        citizen.visit(&code).await.is_refused_with("crossing.code_used");
    }
    browser.open("/.brama/arrive?code=x").await.is_refused_with("crossing.unknown_code");
}

#[tokio::test]
async fn a_portal_that_was_taken_out_meanwhile_gets_nobody() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, A, "/").await;
    let left = browser.at(B).stops_before("/.brama/cross?").open("/tax").await;
    let wish = left.next();
    world
        .reload_with(|text| {
            text.replace(&format!("\"{B}\", "), "")
                .replace("\"portal-b.test\"", "\"portal-c.invalid\"")
                .replace(
                    "path = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n",
                    "path = \"/o\"\nupstream = \"portal\"\n",
                )
        })
        .await;
    browser.stops_before(None).visit(&wish).await.is_refused_with("crossing.unknown_host");
}

#[tokio::test]
async fn while_the_node_is_away_whoever_is_signed_in_can_still_cross() {
    let world = portals().await;
    let mut browser = world.browser();
    signed_in(&mut browser, A, "/").await;
    world.reload_with(|text| text.replace("outage = false", "outage = true")).await;
    is_at(&browser.at(B).open("/tax").await, B, "/tax");
    let page = world.browser().at(B).open("/tax").await;
    page.is_refused_with("login.outage");
    assert!(page.link_with("cross?").starts_with("/.brama/cross?id="));
}

#[tokio::test]
async fn whoever_wishes_without_end_pushes_out_no_wish_of_another_network() {
    let file = "[store]\nkind = \"file\"\n[store.file]\npath = \"s.db\"\n";
    for store in ["", file] {
        let world = world()
            .with_hosts(&[A, B, C])
            .with_routes(ROUTES)
            .with("[session]\nmaximum_pending = 50\n[limits]\nlogin_starts = 0\n")
            .with(store)
            .with_settings(|settings| {
                settings.log.access = access::Settings::off();
                settings.gateway.edge.trusted = Networks::new(vec!["127.0.0.0/8".parse().unwrap()]);
            })
            .start()
            .await;
        let wish = async |from: &str, path: &str| {
            let mut browser = world.browser();
            let headers = [
                ("accept", "text/html"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
                ("x-forwarded-for", from),
            ];
            browser.at(B).fetch_with(Method::GET, path, &headers, "").await
        };
        let long = format!("/tax?q={}", "x".repeat(4000));
        let (first, honest) = (wish("198.51.100.9", &long).await, wish("192.0.2.7", "/tax").await);
        for _ in 0..300 {
            assert_eq!(wish("198.51.100.9", &long).await.status, StatusCode::SEE_OTHER);
        }
        let (wishes, bytes) = world.wishes_kept();
        assert!(wishes <= 50 && bytes <= 50 * 2048, "{wishes} with {bytes} bytes");
        // The one of another network still leads to the node; the first of the flood is not known.
        let bring = async |answer: &Answer| {
            let address = answer.header("location").unwrap();
            world.browser().at(A).open(address.strip_prefix(A).unwrap()).await
        };
        assert!(bring(&honest).await.text.contains("SAMLRequest"));
        bring(&first).await.is_refused_with("crossing.unknown_wish");
    }
}
