//! How often one network may try, and that floods leave nothing behind. Each count is of requests
//! over sockets; the client's address is what a trusted proxy in front says.

use std::time::Duration;

use brama::observe::access;
use brama::request::networks::Networks;
use brama::simulator::faults::Fault;
use http::{Method, StatusCode};

use crate::harness::{Answer, Browser, SessionCookie, World, world};

/// A world in which loopback is a proxy that is believed.
async fn behind_a_proxy(configuration: &str) -> World {
    world()
        .with(configuration)
        .with_settings(|settings| {
            settings.log.access = access::Settings::off();
            settings.gateway.edge.trusted = Networks::new(vec!["127.0.0.0/8".parse().unwrap()]);
        })
        .start()
        .await
}

/// A person at an address types the address of a page.
async fn navigate(browser: &mut Browser, from: &str, path: &str) -> Answer {
    let headers = [
        ("accept", "text/html"),
        ("accept-language", "en"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-site", "none"),
        ("x-forwarded-for", from),
    ];
    browser.fetch_with(Method::GET, path, &headers, "").await
}

/// A person at an address comes back from the node with what it gave them.
async fn deliver(browser: &mut Browser, from: &str, fields: &[(String, String)]) -> Answer {
    let headers = [
        ("accept", "text/html"),
        ("accept-language", "en"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-forwarded-for", from),
    ];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    browser.fetch_with(Method::POST, "/.brama/acs", &headers, &form).await
}

const OFFICE: &str = "203.0.113.7";
const HOME: &str = "198.51.100.20";

#[tokio::test]
async fn one_network_begins_so_many_logins_and_another_does_not_notice() {
    let world = behind_a_proxy("[limits]\nlogin_starts = 10\n").await;
    for number in 0..10 {
        let page = navigate(&mut world.browser(), OFFICE, "/tax").await;
        assert_eq!(page.status, StatusCode::OK, "{number}");
    }
    let page = navigate(&mut world.browser(), OFFICE, "/tax?a=1").await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    page.is_our_page().is_refused_with("login.too_many_starts");
    assert_eq!(page.header("retry-after"), Some("6"), "a tenth of a minute");
    assert_eq!(page.header("set-cookie"), None);
    assert!(page.text.contains("Too many attempts to sign in"), "{}", page.text);
    assert!(page.text.contains("href=\"/tax?a=1\""), "a way to try again");
    // The link to log in is the same door.
    let page = navigate(&mut world.browser(), OFFICE, "/.brama/login?return_to=/tax").await;
    page.is_our_page().is_refused_with("login.too_many_starts");
    assert_eq!(world.logins_remembered().await, 0, "those that have only begun cost nothing");

    assert_eq!(navigate(&mut world.browser(), HOME, "/tax").await.status, StatusCode::OK);
    world.advance(Duration::from_secs(6));
    let answers =
        [(); 2].map(|()| async { navigate(&mut world.browser(), OFFICE, "/tax").await.status });
    let [first, second] = answers;
    assert_eq!(first.await, StatusCode::OK);
    assert_eq!(second.await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn whoever_is_signed_in_is_not_counted_and_neither_is_an_excepted_network() {
    let limits = "[limits]\nlogin_starts = 1\nexcept = [\"203.0.113.0/24\"]\n";
    let world = behind_a_proxy(limits).await;
    for _ in 0..20 {
        let page = navigate(&mut world.browser(), OFFICE, "/tax").await;
        assert_eq!(page.status, StatusCode::OK);
    }
    let mut citizen = world.browser();
    citizen.sign_in("/tax", "anna").await;
    for _ in 0..20 {
        assert_eq!(navigate(&mut citizen, HOME, "/tax").await.text, "portal");
        let again = navigate(&mut citizen, HOME, "/.brama/login?return_to=/tax").await;
        assert_eq!(again.status, StatusCode::SEE_OTHER);
    }
    // The twin: without a session the second is one too many.
    assert_eq!(navigate(&mut world.browser(), HOME, "/tax").await.status, StatusCode::OK);
    let page = navigate(&mut world.browser(), HOME, "/tax").await;
    page.is_refused_with("login.too_many_starts");
}

#[tokio::test]
async fn the_addresses_of_one_line_are_one_network() {
    let world = behind_a_proxy("[limits]\nlogin_starts = 1\n").await;
    for (from, status) in [
        ("2001:db8:0:100::1", StatusCode::OK),
        ("2001:db8:0:1ff:ffff:ffff:ffff:ffff", StatusCode::TOO_MANY_REQUESTS),
        ("2001:db8:0:200::1", StatusCode::OK),
    ] {
        assert_eq!(navigate(&mut world.browser(), from, "/tax").await.status, status, "{from}");
    }
}

#[tokio::test]
async fn nobody_chooses_an_address_to_be_counted_for() {
    // No proxy is trusted here, so what a client says of its address is nothing.
    let world = world().with("[limits]\nlogin_starts = 1\n").start().await;
    assert_eq!(navigate(&mut world.browser(), OFFICE, "/tax").await.status, StatusCode::OK);
    let page = navigate(&mut world.browser(), HOME, "/tax").await;
    page.is_refused_with("login.too_many_starts");
}

#[tokio::test]
async fn a_return_too_many_is_turned_away_and_the_login_is_not_spent() {
    let world = behind_a_proxy("[limits]\nlogin_returns = 3\nlogin_failures = 0\n").await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[]).await;
    // What a foreign page can have a browser bring is not counted: nothing, an invention, what is
    // no navigation, and what another browser began.
    for _ in 0..5 {
        let answer = deliver(&mut world.browser(), OFFICE, &[]).await;
        answer.is_refused_with("login.malformed_artifact");
        let program = [("accept", "application/json"), ("x-forwarded-for", OFFICE)];
        let answer = browser.fetch_with(Method::GET, "/.brama/acs?SAMLart=x", &program, "").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.json()["error"], "login.no_navigation");
        let others = world.browser().reach_node("/tax", "anna", &[]).await;
        let mut lured = world.browser();
        let answer = deliver(&mut lured, OFFICE, &others.fields).await;
        let page = navigate(&mut lured, OFFICE, answer.header("location").unwrap()).await;
        page.is_refused_with("login.other_browser");
    }
    // What comes back to the browser that began it is.
    for _ in 0..3 {
        let mut other = world.browser();
        let delivery = other.reach_node("/tax", "anna", &[]).await;
        let answer = deliver(&mut other, OFFICE, &delivery.fields).await;
        let page = navigate(&mut other, OFFICE, answer.header("location").unwrap()).await;
        assert_eq!(page.status, StatusCode::OK);
    }
    let answer = deliver(&mut browser, OFFICE, &delivery.fields).await;
    let finish = answer.header("location").unwrap().to_owned();
    let page = navigate(&mut browser, OFFICE, &finish).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    page.is_our_page().is_refused_with("login.too_many_returns");
    assert_eq!(page.header("retry-after"), Some("20"));
    // A moment later, the same address finishes the same login.
    world.advance(Duration::from_secs(20));
    assert_eq!(navigate(&mut browser, OFFICE, &finish).await.status, StatusCode::OK);
    assert!(browser.session_cookie().is_some());
}

#[tokio::test]
async fn foreign_pages_that_begin_logins_keep_nobody_from_beginning_one() {
    let world = behind_a_proxy("[limits]\nlogin_starts = 10\n").await;
    let foreign = [
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-site", "cross-site"),
        ("x-forwarded-for", OFFICE),
    ];
    // A citizen's login is under way, and a page in another tab goes to the portal again and again.
    let mut citizen = world.browser();
    let page = navigate(&mut citizen, OFFICE, "/tax").await;
    let delivery = citizen.choose(&page, "anna", &[]).await;
    let mut refused = 0;
    for _ in 0..30 {
        let answer = citizen.fetch_with(Method::GET, "/tax", &foreign, "").await;
        refused += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(refused, 20);
    assert_eq!(navigate(&mut world.browser(), OFFICE, "/tax").await.status, StatusCode::OK);
    // Nor does it push their login out of their browser.
    assert_eq!(citizen.deliver(&delivery).await.text, "portal");
}

#[tokio::test]
async fn too_many_refused_logins_close_the_way_for_a_moment_before_anything_is_spent() {
    let world = behind_a_proxy("[limits]\nlogin_failures = 5\n").await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[]).await;
    let answer = deliver(&mut browser, OFFICE, &delivery.fields).await;
    let finish = answer.header("location").unwrap().to_owned();
    // What other browsers began counts for nobody: a foreign page can lead to it.
    for _ in 0..6 {
        let other = world.browser().reach_node("/tax", "anna", &[]).await;
        let mut lured = world.browser();
        let answer = deliver(&mut lured, OFFICE, &other.fields).await;
        let page = navigate(&mut lured, OFFICE, answer.header("location").unwrap()).await;
        page.is_refused_with("login.other_browser");
    }
    // Somebody in the same network has logins refused.
    for _ in 0..6 {
        world.next_fault(Fault::Audience);
        let mut other = world.browser();
        let delivery = other.reach_node("/tax", "anna", &[]).await;
        let answer = deliver(&mut other, OFFICE, &delivery.fields).await;
        let page = navigate(&mut other, OFFICE, answer.header("location").unwrap()).await;
        page.is_refused_with("login.wrong_audience");
    }
    for path in [&*finish, "/.brama/acs?SAMLart=x"] {
        let page = navigate(&mut browser, OFFICE, path).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
        page.is_our_page().is_refused_with("login.too_many_failures");
        assert_eq!(page.header("retry-after"), Some("13"), "a fifth of a minute, rounded up");
    }
    // Others come in meanwhile, and the right browser does a moment later.
    assert_eq!(world.browser().sign_in("/tax", "zofia").await.text, "portal");
    world.advance(Duration::from_secs(13));
    assert_eq!(navigate(&mut browser, OFFICE, &finish).await.status, StatusCode::OK);
    assert!(browser.session_cookie().is_some());
}

#[tokio::test]
async fn what_the_node_does_wrong_is_not_held_against_a_network() {
    let world = behind_a_proxy("[limits]\nlogin_failures = 1\n").await;
    for _ in 0..5 {
        world.next_fault(Fault::Http500);
        let page = world.browser().sign_in("/tax", "anna").await;
        page.is_refused_with("login.node_http_status");
    }
    assert_eq!(world.browser().sign_in("/tax", "anna").await.text, "portal");
    // The twin: what was refused is.
    for _ in 0..2 {
        world.browser().sign_in("/tax", "cancel").await.is_refused_with("login.cancelled");
    }
    world.browser().sign_in("/tax", "anna").await.is_refused_with("login.too_many_failures");
}

#[tokio::test]
async fn nobody_pushes_out_the_logins_of_others_however_many_they_begin() {
    let world =
        behind_a_proxy("[session]\nmaximum_pending = 50\n[limits]\nlogin_starts = 0\n").await;
    let mut citizen = world.browser();
    let page = navigate(&mut citizen, HOME, "/tax").await;
    let delivery = citizen.choose(&page, "anna", &[]).await;
    for _ in 0..500 {
        navigate(&mut world.browser(), OFFICE, "/tax").await;
    }
    assert_eq!(world.logins_remembered().await, 0);
    assert_eq!(citizen.deliver(&delivery).await.text, "portal");
}

#[tokio::test]
async fn ten_thousand_fetches_begin_no_login_and_set_no_cookie() {
    let world = world().start().await;
    let mut browser = world.browser();
    let scripts: [&[(&str, &str)]; 3] = [
        &[("accept", "application/json")],
        &[("accept", "text/html"), ("x-requested-with", "XMLHttpRequest")],
        &[("accept", "*/*"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
    ];
    for number in 0..10_000 {
        let method = if number % 7 == 0 { Method::POST } else { Method::GET };
        let headers = scripts[number % scripts.len()];
        // The link to log in as well, which scripts follow when they follow redirects.
        let is_link = number % 5 == 0 && method == Method::GET;
        let path = if is_link { "/.brama/login?return_to=/tax" } else { "/tax/poll" };
        let answer = browser.fetch_with(method, path, headers, "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert_eq!(world.logins_remembered().await, 0);
    assert_eq!(browser.cookie_names(), Vec::<&str>::new());
    assert!(world.seen().is_empty(), "nothing reached the portal");
    // And they count for nothing: a person signs in at once.
    assert_eq!(browser.sign_in("/tax", "anna").await.text, "portal");
}

#[tokio::test]
async fn ten_thousand_navigations_of_one_browser_leave_a_few_cookies() {
    let world = world().with("[limits]\nlogin_starts = 0\n").start().await;
    let mut browser = world.browser();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..10_000 {
        let page = navigate(&mut browser, HOME, "/tax").await;
        assert_eq!(page.status, StatusCode::OK);
        let cookies = browser.cookies_of("brama-login-");
        assert!(cookies.len() <= 12, "{}", cookies.len());
        let fresh = cookies.iter().filter(|cookie| !seen.contains(*cookie)).count();
        assert_eq!(fresh, 1, "each login has a fresh one");
        assert!(page.headers.get_all("set-cookie").iter().count() <= 2, "one comes, one goes");
        seen.extend(cookies);
    }
    assert_eq!(world.logins_remembered().await, 0);
    // The last of them can be finished.
    assert_eq!(browser.sign_in("/tax", "anna").await.text, "portal");
}

#[tokio::test]
async fn navigations_that_keep_no_cookie_are_bounded_by_the_limit_of_their_network() {
    let world = world().start().await;
    for number in 0..700 {
        let page = navigate(&mut world.browser(), HOME, "/tax").await;
        let expected = if number < 600 { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(page.status, expected, "{number}: the default of a network");
    }
    assert_eq!(world.logins_remembered().await, 0);
}

/// A store in a file, sealed with a secret of the servers.
const FILE: &str = "[store]\nkind = \"file\"\nsecret_files = [\"service-sig.key.pem\"]\n\
                    [store.file]\npath = \"s.db\"\n";

#[tokio::test]
async fn invented_sessions_cost_nobody_anything() {
    let world = behind_a_proxy(&format!("[limits]\nunknown_sessions = 5\n{FILE}")).await;
    let mut stranger = world.browser();
    for number in 0..1300 {
        stranger.set_session_cookie(&SessionCookie(format!("{number:0>43}")));
        let page = navigate(&mut stranger, HOME, "/public").await;
        assert_eq!(page.status, StatusCode::OK, "{number}");
        if number % 100 == 0 {
            let page = navigate(&mut stranger, HOME, "/tax").await;
            assert_eq!(page.status, StatusCode::OK, "{number}");
        }
    }
    // A citizen behind the same address whom this process has not seen: the store is asked.
    let mut citizen = world.browser();
    citizen.sign_in("/tax", "anna").await;
    assert_eq!(navigate(&mut citizen, HOME, "/tax").await.text, "portal");
}

#[tokio::test]
async fn whoever_shows_ended_sessions_again_and_again_is_held_off_from_the_store() {
    let world = behind_a_proxy(&format!("[limits]\nunknown_sessions = 5\n{FILE}")).await;
    let mut citizen = world.browser();
    citizen.sign_in("/tax", "anna").await;
    let mut ended = Vec::new();
    for _ in 0..7 {
        let mut browser = world.browser();
        browser.sign_in("/tax", "zofia").await;
        let cookie = browser.session_cookie().unwrap();
        browser.send_form("/.brama/logout", "text/plain", "", "same-origin").await;
        ended.push(cookie);
    }
    // They have a good mark, so the store is asked once about each.
    let mut stranger = world.browser();
    for cookie in &ended[..6] {
        stranger.set_session_cookie(cookie);
        for _ in 0..3 {
            assert_eq!(navigate(&mut stranger, HOME, "/tax").await.status, StatusCode::OK);
        }
    }
    stranger.set_session_cookie(&ended[6]);
    let page = navigate(&mut stranger, HOME, "/tax").await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    page.is_refused_with("session.too_many_unknown");
    // Neither the citizen nor another network notices, and nor do visitors without a session.
    assert_eq!(navigate(&mut citizen, HOME, "/tax").await.text, "portal");
    assert_eq!(navigate(&mut stranger, OFFICE, "/tax").await.status, StatusCode::OK);
    assert_eq!(navigate(&mut world.browser(), HOME, "/tax").await.status, StatusCode::OK);
}
