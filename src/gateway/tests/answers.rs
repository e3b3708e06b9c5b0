//! What is answered in place of a portal: by a route, and to who is stopped, in the way that they read.

use super::*;
use crate::gate::Denial;
use crate::gate::policy::{Access, Policy, Route};
use crate::gate::requirement::Refusal;
use crate::gateway::Settings;
use crate::gateway::denial::{Asked, Reply, reply};
use crate::gateway::endpoints::{Endpoint, find};
use crate::gateway::failure::Failure;
use crate::gateway::portals::testing::settings;
use crate::identity::error::Error;
use crate::identity::release::Release;
use crate::proxy;
use crate::request::context::Caller;

const OWN: &str = "\
    [[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n\
    [[route]]\npath = \"/old\"\naccess = \"optional\"\nstrip_prefix = \"/old\"\n\
    response_headers = { set = [\"X-Own: 1\"] }\n\
    redirect = { to = \"https://{host}/new{path}?{query}\", status = 308 }\n\
    [[route]]\npath = \"/same\"\naccess = \"optional\"\nredirect = { to = \"https://{host}{path}\" }\n\
    [[route]]\npath = \"/gone\"\naccess = \"optional\"\nrespond = { status = 410, body = \"gone\" }\n\
    [[route]]\npath = \"/none\"\naccess = \"optional\"\nrespond = { status = 204 }\n";

#[tokio::test]
async fn a_route_answers_by_itself_and_what_a_citizen_gets_is_not_stored() {
    let world = world(OWN, OK).await;
    let (_, cookie) = world.sign_in(Assurance::High).await;
    for (target, status, location, text) in [
        ("/old/x?y", 308, "https://portal.test/new/x?y", ""),
        ("/same/x", 302, "https://portal.test/same/x", ""),
        ("/gone", 410, "", "gone"),
        ("/none", 204, "", ""),
    ] {
        for is_citizen in [false, true] {
            let cookie = is_citizen.then_some(("cookie", cookie.as_str()));
            let said: Vec<_> = [SCRIPT].into_iter().chain(cookie).collect();
            let answer = world.get(target, &said).await;
            assert_eq!((answer.status.as_u16(), &*answer.text), (status, text), "{target}");
            assert_eq!(answer.header("location"), location);
            let stored = if is_citizen { "private, no-store" } else { "" };
            assert_eq!(answer.header("cache-control"), stored, "{target}");
            let (kind, sniff) =
                if text.is_empty() { ("", "") } else { ("text/plain; charset=utf-8", "nosniff") };
            assert_eq!(answer.header("content-type"), kind);
            assert_eq!(answer.header("x-content-type-options"), sniff);
            assert_eq!(answer.header("x-own"), if target.starts_with("/old") { "1" } else { "" });
        }
    }
}

#[tokio::test]
async fn a_program_is_told_in_a_field_what_it_needs_and_a_client_of_grpc_in_its_own() {
    let routes =
        format!("{ROUTES}[[route]]\npath = \"/fresh\"\nupstream = \"portal\"\nmax_age = \"10m\"\n");
    let world = world(&routes, OK).await;
    let (_, cookie) = world.sign_in(Assurance::Low).await;
    for (target, cookie, error, age) in [
        ("/tax", "", "login_required", None),
        ("/fresh", "", "login_required", Some(600)),
        ("/tax", &*cookie, "insufficient_user_authentication", None),
    ] {
        let told = world.get(target, &[SCRIPT, ("cookie", cookie)]).await;
        assert_eq!(told.status, StatusCode::UNAUTHORIZED);
        let said = told.header("www-authenticate");
        assert!(said.starts_with(&format!("Brama error=\"{error}\", acr_values=\"")), "{said}");
        assert_eq!(said.contains(", max_age=\"600\""), age.is_some(), "{said}");
        assert!(
            said.contains(", login=\"/.brama/login?return_to=%2F&assurance=substantial"),
            "{said}"
        );
        assert!(said.ends_with("\", assurance=\"substantial\""), "{said}");
        assert_eq!(told.json()["max_age"].as_u64(), age);
        assert_eq!(told.json()["assurance"], "substantial");
    }
    let call = async |target: &str| {
        let said = [("content-type", "application/grpc"), ("te", "trailers")];
        let mut request = get(HOST, target, &said);
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        world.ask(request).await
    };
    for (target, status, code) in [
        ("/tax", "16", "login_required"),
        ("/.brama/nothing", "12", "request.no_such_place"),
        ("/public/../x", "13", "request.path_dots"),
    ] {
        let told = call(target).await;
        assert_eq!((told.status, &*told.text), (StatusCode::OK, ""), "{target}");
        assert_eq!(told.header("content-type"), "application/grpc");
        let found = (told.header("grpc-status"), told.header("grpc-message"));
        assert_eq!(found.0, status, "{target}: {}", found.1);
        assert!(target.contains("..") || found.1 == code, "{target}: {}", found.1);
    }
}

#[tokio::test]
async fn while_the_node_is_away_who_must_go_there_is_told_and_nobody_else_notices() {
    let lines = "node: outage = true\nnode: outage_retry_after = \"90s\"";
    let mut world = world_with((lines, ROUTES), OK).await;
    let (_, cookie) = world.sign_in(Assurance::Substantial).await;
    let citizen = ("cookie", cookie.as_str());
    for said in [&[PAGE][..], &[SCRIPT]] {
        let told = world.get("/tax", said).await;
        assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(told.header("retry-after"), "90");
        assert_eq!(told.header("set-cookie"), "");
        assert_eq!(told.text.contains("href=\"/tax\""), said == [PAGE], "{}", told.text);
    }
    assert_eq!(
        world.get("/.brama/login?return_to=/tax", &[PAGE]).await.header("retry-after"),
        "90"
    );
    assert_eq!(world.get("/tax", &[SCRIPT, citizen]).await.text, "ok");
    assert!(world.head().is_some());
    // From another host the way leads to the registered one first, where a citizen may be signed in.
    let left = world.ask(get("b.test", "/", &[PAGE])).await;
    assert_eq!(left.status, StatusCode::SEE_OTHER);
    let cross = left.location().strip_prefix(&format!("https://{HOST}")).unwrap().to_owned();
    let stranger = world.get(&cross, &[PAGE]).await;
    assert_eq!(stranger.status, StatusCode::SERVICE_UNAVAILABLE);
    let goes = world.get(&cross, &[PAGE, citizen]).await;
    assert!(
        goes.location().starts_with("https://b.test/.brama/arrive?code="),
        "{}",
        goes.location()
    );
}

#[tokio::test]
async fn what_was_typed_leads_back_to_the_page_that_it_was_typed_into() {
    let world = usual().await;
    for (referer, expected) in [
        ("https://portal.test/public?form", "return_to=%2Fpublic%3Fform&"),
        ("https://other.test/public?form", "return_to=%2Ftax&"),
    ] {
        let mut form = get(HOST, "/tax", &[PAGE, ("referer", referer)]);
        *form.method_mut() = Method::PUT;
        let refused = world.ask(form).await;
        assert!(refused.text.contains(expected), "{}", refused.text);
    }
    // A script leads to the page that it runs in.
    let said = [SCRIPT, ("referer", "https://portal.test/public?form")];
    let told = world.get("/tax", &said).await.json();
    assert_eq!(told["login"], "/.brama/login?return_to=%2Fpublic%3Fform&assurance=substantial");
}

#[tokio::test]
async fn who_must_wait_is_told_for_how_long_and_where_to_go_on() {
    let world = world(&format!("{ROUTES}[limits]\nlogin_starts = 1\n"), OK).await;
    let said = [PAGE, ("sec-fetch-site", "none")];
    for _ in 0..2 {
        world.get("/tax?a", &said).await;
    }
    let page = world.get("/tax?a", &said).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(page.header("refresh"), "");
    assert!(page.text.contains("href=\"/tax?a\""), "{}", page.text);
    // A form is not sent once more by a link.
    let mut form = get(HOST, "/tax?a", &[PAGE, ("sec-fetch-site", "same-origin")]);
    *form.method_mut() = Method::POST;
    form.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    let refused = world.ask(form).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!refused.text.contains("href=\"/tax?a\""), "{}", refused.text);
}

#[tokio::test]
async fn a_portal_that_is_away_may_be_asked_again_by_who_only_reads() {
    let dead =
        world(&ROUTES.replace("[[route]]\npath = \"/write\"", "[[route]]\npath = \"/form\""), "")
            .await;
    let said = [PAGE, ("sec-fetch-site", "same-origin")];
    let page = dead.get("/public?a", &said).await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.text.contains("href=\"/public?a\""), "{}", page.text);
    assert!(!page.text.contains("logout"), "that would not help: {}", page.text);
    let mut form = get(HOST, "/form?a", &said);
    *form.method_mut() = Method::POST;
    let page = dead.ask(form).await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(!page.text.contains("href=\"/form?a\""), "{}", page.text);
    let frame = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    let page = dead.get("/public?a", &frame).await;
    assert!(!page.text.contains("href=\"/public?a\""), "{}", page.text);
    let told = dead.get("/public?a", &[SCRIPT]).await;
    assert_eq!(told.json()["error"], "upstream.unreachable");
    assert_eq!(told.header("connection"), "");
}

#[test]
fn an_identity_that_cannot_be_told_is_our_fault_unless_it_may_pass_by_itself() {
    for (error, status) in [(Error::NoSecret, 503), (Error::Signing, 500)] {
        assert_eq!(Failure::from(error).status.as_u16(), status);
        let unsigned = proxy::Error::Unsigned(error);
        assert_eq!(Failure::from(unsigned).status.as_u16(), status);
    }
}

#[tokio::test]
async fn a_page_that_another_site_leads_to_does_not_make_its_link_one_of_ours() {
    let dead = world(ROUTES, "").await;
    for (site, is_own) in [("same-origin", true), ("none", true), ("cross-site", false)] {
        let page = dead.get("/public?a", &[PAGE, ("sec-fetch-site", site)]).await;
        let policy = page.header("content-security-policy");
        assert_eq!(policy.contains("; sandbox "), !is_own, "{site}: {policy}");
    }
}

#[test]
fn who_is_refused_may_sign_in_anew_where_that_can_help() {
    let settings = settings("https://a.example");
    for (refusal, helps) in [
        (Refusal::WayNotAllowed(Assurance::High), true),
        (Refusal::NoPesel(Assurance::High), true),
        (Refusal::NotAdult, false),
        (Refusal::BirthdateUnknown, false),
    ] {
        let asked = Asked { method: &Method::GET, target: "/tax", from: None };
        let denial = Denial::Refuse(refusal);
        let Reply::Refuse(failure) = reply(&denial, Caller::Navigation, asked, &settings) else {
            panic!("it is refused");
        };
        let link = "/.brama/login?return_to=%2Ftax&assurance=high&max_age=0";
        assert_eq!(failure.begin_again.as_deref(), helps.then_some(link), "{refusal:?}");
    }
}

#[test]
fn places_of_ours_are_at_hosts_of_the_portal() {
    let settings = Settings { acs_path: "/saml/acs".to_owned(), ..settings("https://a.example") };
    let release = Release::by_assertion("a", Vec::new());
    let route = Route::to_upstream(("a.example", "/"), Access::Public, 0, (0, release));
    let policy = Policy::new(vec![route]);
    for (host, path, expected) in [
        ("a.example", "/saml/acs", Some(Endpoint::Acs)),
        ("a.example", "/.brama/login", Some(Endpoint::Login)),
        ("a.example", "/.brama/other", Some(Endpoint::Unknown)),
        ("a.example", "*", Some(Endpoint::Server)),
        ("a.example", "/tax", None),
        ("c.example", "/saml/acs", None),
        ("c.example", "/.brama/login", None),
        ("c.example", "/.brama/jwks.json", Some(Endpoint::Jwks)),
        ("c.example", "*", None),
    ] {
        assert_eq!(find(&settings, host, path, &policy), expected, "{host} {path}");
    }
}
