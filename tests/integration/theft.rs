//! Whose login it is. Who finishes a login is who began it, and who delivered its answer: neither a
//! thief's login comes into a citizen's browser, nor a citizen's answer into a thief's.

use std::time::Duration;

use brama::simulator::faults::Fault;
use http::{Method, StatusCode};

use crate::harness::{Answer, Browser, Delivery, World, world};

const WORDS: &str = "Nothing of yours was given to them";

/// The field of what the node's page delivers.
fn field<'d>(delivery: &'d Delivery, name: &str) -> &'d str {
    &delivery.fields.iter().find(|(known, _)| known == name).unwrap().1
}

/// A thief begins a login; a page of theirs has a citizen's browser take the request to the node,
/// where the citizen signs in.
async fn lured(world: &World) -> (Browser, Browser, Delivery) {
    let (mut thief, mut citizen) = (world.browser(), world.browser());
    let page = thief.open("/tax").await;
    let delivery = citizen.choose(&page, "anna", &[]).await;
    (thief, citizen, delivery)
}

/// What the thief knows of the login that they began, without what the node gave to the citizen.
fn known_to_the_thief(delivery: &Delivery) -> String {
    format!("/.brama/finish?state={}", field(delivery, "RelayState"))
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.fetch("/.brama/session").await.json()["signed_in"] == true
}

async fn other_browsers(world: &World) -> String {
    let metrics = world.metrics().await;
    let name = "brama_logins_of_other_browsers_total ";
    let line = metrics.lines().find(|line| line.starts_with(name)).unwrap();
    line[name.len()..].to_owned()
}

fn finish_of(answer: &Answer) -> String {
    let next = answer.next();
    next[url::Position::BeforePath..].to_owned()
}

#[tokio::test]
async fn a_citizens_answer_is_not_the_thiefs_who_began_the_login() {
    // Without the limit that a thief who asks again and again would meet.
    let world = world().with("[limits]\nlogin_returns = 0\n").start().await;
    let (mut thief, mut citizen, delivery) = lured(&world).await;
    let finish = known_to_the_thief(&delivery);
    for _ in 0..1_000 {
        thief.open(&finish).await.is_refused_with("login.no_ticket");
    }
    // The citizen delivers, and the thief asks all the while.
    let mut asking = thief.clone();
    let (page, ()) = tokio::join!(citizen.deliver(&delivery), async {
        for _ in 0..1_000 {
            asking.open(&finish).await.is_refused_with("login.no_ticket");
        }
    });
    page.is_our_page().is_refused_with("login.other_browser");
    assert!(page.text.contains(WORDS), "{}", page.text);
    for _ in 0..1_000 {
        thief.open(&finish).await.is_refused_with("login.no_ticket");
    }
    assert!(!is_signed_in(&mut thief).await && !is_signed_in(&mut citizen).await);
    assert_eq!(world.exchanges_with_the_node(), 0, "the node is not even asked");
    assert_eq!(other_browsers(&world).await, "1");
    // The twin: whoever does both is signed in.
    assert_eq!(citizen.sign_in("/tax", "anna").await.text, "portal");
}

#[tokio::test]
async fn such_a_login_has_ended_for_good_even_if_the_artifact_leaks() {
    let world = world().start().await;
    let (mut thief, mut citizen, delivery) = lured(&world).await;
    let ticket = finish_of(&citizen.deliver_only(&delivery).await);
    citizen.open(&ticket).await.is_refused_with("login.other_browser");
    // Neither the citizen's ticket nor the artifact itself is of use from now on.
    thief.open(&ticket).await.is_refused_with("login.other_browser");
    thief.deliver(&delivery).await.is_refused_with("login.other_browser");
    // Nor for another login of the thief's, which asked the node something else.
    let page = thief.open("/tax").await;
    let mut next = thief.choose(&page, "zofia", &[]).await;
    let artifact = field(&delivery, "SAMLart").to_owned();
    next.fields.iter_mut().find(|(name, _)| name == "SAMLart").unwrap().1 = artifact;
    let refused = thief.deliver(&next).await;
    refused.is_refused_with("login.response_in_response_to");
    assert!(!is_signed_in(&mut thief).await);
}

#[tokio::test]
async fn a_citizen_who_loads_the_page_again_is_told_the_same() {
    let world = world().start().await;
    let (mut thief, mut citizen, delivery) = lured(&world).await;
    let ticket = finish_of(&citizen.deliver_only(&delivery).await);
    for _ in 0..3 {
        citizen.open(&ticket).await.is_our_page().is_refused_with("login.other_browser");
        citizen.deliver(&delivery).await.is_refused_with("login.other_browser");
        thief.open(&known_to_the_thief(&delivery)).await.is_refused_with("login.no_ticket");
    }
    assert!(!is_signed_in(&mut thief).await && !is_signed_in(&mut citizen).await);
}

#[tokio::test]
async fn a_thief_who_delivers_first_gets_nothing_of_the_citizens() {
    let world = world().start().await;
    for finishes in [true, false] {
        let (mut thief, mut citizen, delivery) = lured(&world).await;
        // The thief goes to the consumer service with an artifact of their own making.
        let mut invented = delivery.clone();
        let artifact = &mut invented.fields.iter_mut().find(|(n, _)| n == "SAMLart").unwrap().1;
        *artifact = brama::base::encoding::base64(&[4; 44]);
        let ticket = finish_of(&thief.deliver_only(&invented).await);
        if finishes {
            thief.open(&ticket).await.is_refused_with("login.artifact_unknown_to_node");
        }
        citizen.deliver(&delivery).await.is_refused_with("login.other_browser");
        // Their own login came to an end of its own, or to this one.
        let own = if finishes { "login.artifact_unknown_to_node" } else { "login.other_browser" };
        thief.open(&ticket).await.is_refused_with(own);
        thief.open(&known_to_the_thief(&delivery)).await.is_refused_with("login.no_ticket");
        assert!(!is_signed_in(&mut thief).await && !is_signed_in(&mut citizen).await);
    }
}

#[tokio::test]
async fn a_ticket_is_of_one_login_and_good_for_a_minute() {
    let world = world().start().await;
    let mut browser = world.browser();
    let (one, two) = (
        browser.reach_node("/tax/one", "anna", &[]).await,
        browser.reach_node("/tax/two", "anna", &[]).await,
    );
    let (one, two) =
        (browser.deliver_only(&one).await.next(), browser.deliver_only(&two).await.next());
    let value = |url: &url::Url, name: &str| {
        url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned()
    };
    let mixed =
        format!("/.brama/finish?state={}&ticket={}", value(&one, "state"), value(&two, "ticket"));
    browser.open(&mixed).await.is_refused_with("login.no_ticket");
    world.advance(Duration::from_secs(59));
    assert_eq!(browser.open(&one[url::Position::BeforePath..]).await.text, "portal");
    // The twin, a second later; whoever is not signed in has to begin again.
    world.advance(Duration::from_secs(1));
    browser.forget_session_cookie();
    let late = browser.open(&two[url::Position::BeforePath..]).await;
    late.is_refused_with("login.ticket_expired");
    assert!(late.text.contains("return_to=%2Ftax%2Ftwo"), "back to where they were");
}

#[tokio::test]
async fn a_ticket_is_good_once() {
    let world = world().start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[]).await;
    let ticket = finish_of(&browser.deliver_only(&delivery).await);
    assert_eq!(browser.open(&ticket).await.text, "portal");
    let first = browser.session_cookie().unwrap();
    // The same browser is told the same: there is one session, and the node was asked once.
    assert_eq!(browser.open(&ticket).await.text, "portal");
    assert_eq!(browser.session_cookie().unwrap(), first);
    assert_eq!(world.exchanges_with_the_node(), 1);
    // Another one is told nothing, whatever it saw.
    world.browser().open(&ticket).await.is_refused_with("login.other_browser");
    // And when the citizen has signed out, it leads nowhere.
    browser.submit("/.brama/logout", &[]).await;
    browser.open(&ticket).await.is_refused_with("login.already_used");
}

#[tokio::test]
async fn a_browser_that_sends_its_twins_is_known_at_the_consumer_service() {
    const PORTAL: &str = "https://portal.example";
    let world = world().with_hosts(&[PORTAL]).start().await;
    // The citizen has a login of their own under way, so their browser has twins to show.
    let (mut thief, mut citizen) = (world.browser(), world.browser());
    let own = citizen.reach_node("/tax", "anna", &[]).await;
    assert_eq!(citizen.cookies_of("brama-acs-").len(), 1);
    let page = thief.open("/tax").await;
    let lured = citizen.choose(&page, "anna", &[]).await;
    let refused = citizen.deliver_only(&lured).await;
    refused.is_our_page().is_refused_with("login.other_browser");
    assert!(refused.url.path().ends_with("/acs"), "not even a ticket was given");
    assert_eq!(refused.header("location"), None);
    // Their own login goes on, and so does that of a browser that sends none.
    assert_eq!(citizen.deliver(&own).await.text, "portal");
    let mut silent = world.browser();
    let delivery = silent.reach_node("/tax", "zofia", &[]).await;
    for (name, _) in silent.cookies_of("brama-acs-") {
        silent.forget_cookie(&name);
    }
    assert_eq!(silent.deliver(&delivery).await.text, "portal");
}

#[tokio::test]
async fn a_cookie_that_a_script_preset_fixes_nothing() {
    let world = world().start().await;
    let (mut thief, mut citizen) = (world.browser(), world.browser());
    // A script of a public page puts all cookies of the thief's login into the citizen's browser.
    let page = thief.open("/tax").await;
    for (name, value) in thief.cookies_of("brama") {
        citizen.set_cookie(&name, &value);
    }
    citizen.set_cookie("brama-login", "AAAAAAAAAAAAAAAAAAAAAA");
    let thiefs = thief.cookies_of("brama-login-");
    let delivery = citizen.reach_node("/tax", "anna", &[]).await;
    let citizens = citizen.cookies_of("brama-login-");
    assert_eq!(citizens.len(), 2, "a fresh one beside");
    // What the thief knows opens nothing of the citizen's login.
    let finish = finish_of(&citizen.deliver_only(&delivery).await);
    for (name, _) in citizens.iter().filter(|cookie| !thiefs.contains(cookie)) {
        thief.set_cookie(name, &thiefs[0].1);
    }
    assert_eq!(citizen.open(&finish).await.text, "portal");
    thief.open(&finish).await.is_refused_with("login.other_browser");
    assert!(!is_signed_in(&mut thief).await);
    drop(page);
}

#[tokio::test]
async fn a_second_session_cookie_that_a_script_set_locks_nobody_out() {
    let world = world().start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    let session = browser.session_cookie().unwrap().0;
    let open = async |cookies: String| {
        let headers = [("accept", "application/json"), ("cookie", &*cookies)];
        world.browser().fetch_with(Method::GET, "/tax", &headers, "").await.status
    };
    let planted = "A".repeat(43);
    for cookies in [
        format!("brama={session}; brama={planted}"),
        format!("brama={planted}; brama={session}"),
        format!("brama=x; brama=; brama={session}"),
    ] {
        assert_eq!(open(cookies.clone()).await, StatusCode::OK, "{cookies}");
    }
    // A few are looked at and no more.
    let many = format!("{}brama={session}", "brama=x; ".repeat(3));
    assert_eq!(open(many).await, StatusCode::UNAUTHORIZED);
    assert_eq!(open(format!("brama={planted}")).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_live_session_that_a_script_planted_is_taken_away_by_the_login() {
    const PORTAL: &str = "https://portal.example";
    let world = world().with_hosts(&[PORTAL]).start().await;
    let (mut thief, mut citizen) = (world.browser(), world.browser());
    thief.sign_in("/tax", "zofia").await;
    citizen.set_session_cookie(&thief.session_cookie().unwrap());
    let link = "/.brama/login?max_age=0&return_to=/tax";
    // The citizen is told that somebody else is signed in here, unless that is not to matter.
    let delivery = citizen.reach_node(link, "anna", &[]).await;
    citizen.deliver(&delivery).await.is_refused_with("login.other_person");
    let replace = "[session]\nother_person = \"replace\"\n";
    world.reload_with(|text| text + replace).await;
    let delivery = citizen.reach_node(link, "anna", &[]).await;
    let finish = finish_of(&citizen.deliver_only(&delivery).await);
    citizen.stops_before("/tax");
    let arrived = citizen.open(&finish).await;
    let set: Vec<_> = arrived.headers.get_all("set-cookie").iter().collect();
    let of_the_session =
        |value: &&&http::HeaderValue| value.to_str().unwrap().starts_with("__Host-brama=");
    let set: Vec<_> = set.iter().filter(of_the_session).map(|v| v.to_str().unwrap()).collect();
    assert_eq!(set.len(), 2, "{set:?}");
    // First the one goes that a script can set beside ours, then ours comes.
    assert!(set[0].contains("Max-Age=0") && set[0].ends_with("; Partitioned"), "{}", set[0]);
    assert!(!set[1].contains("Max-Age"), "{}", set[1]);
    assert!(is_signed_in(&mut citizen).await);
    assert!(!is_signed_in(&mut thief).await, "and it ended with the login");
}

#[tokio::test]
async fn both_sessions_end_when_a_citizen_signs_out_with_two() {
    let world = world().start().await;
    let (mut one, mut other) = (world.browser(), world.browser());
    one.sign_in("/tax", "anna").await;
    other.sign_in("/tax", "zofia").await;
    let cookie = |browser: &Browser| format!("brama={}", browser.session_cookie().unwrap().0);
    let both = format!("{}; {}", cookie(&one), cookie(&other));
    let headers =
        [("cookie", &*both), ("sec-fetch-site", "same-origin"), ("accept", "application/json")];
    let mut nobody = world.browser();
    nobody.fetch_with(Method::POST, "/.brama/logout", &headers, "").await;
    assert!(!is_signed_in(&mut one).await && !is_signed_in(&mut other).await);
}

#[tokio::test]
async fn a_step_up_is_no_way_to_a_citizens_answer() {
    let world = world().start().await;
    let (mut thief, mut citizen) = (world.browser(), world.browser());
    thief.sign_in("/tax", "zofia").await;
    for path in ["/health/record", "/.brama/login?max_age=0&return_to=/tax"] {
        let page = thief.open(path).await;
        let delivery = citizen.choose(&page, "anna", &[("assurance", "high")]).await;
        citizen.deliver(&delivery).await.is_refused_with("login.other_browser");
        thief.open(&known_to_the_thief(&delivery)).await.is_refused_with("login.no_ticket");
        let session = thief.fetch("/.brama/session").await.json();
        assert_eq!(session["given_name"], "Zofia", "still who they are: {session}");
    }
}

#[tokio::test]
async fn a_foreign_page_counts_for_nobody() {
    let world = world().with("[limits]\nlogin_failures = 5\nlogin_returns = 30\n").start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[]).await;
    let foreign: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "empty"), ("accept", "*/*")],
        &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image"), ("accept", "image/*")],
        &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe"), ("accept", "text/html")],
        &[("accept", "*/*")],
    ];
    let finish = known_to_the_thief(&delivery);
    for headers in foreign {
        for path in [&*finish, "/.brama/finish?state=x", "/.brama/acs?SAMLart=x"] {
            for _ in 0..20 {
                let answer = browser.fetch_with(Method::GET, path, headers, "").await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
                assert!(answer.text.contains("login.no_navigation"), "{}", answer.text);
            }
        }
    }
    // Nor does a person who comes with a handle that nobody knows.
    for _ in 0..20 {
        browser.open("/.brama/finish?state=x").await.is_refused_with("login.unknown_relay_state");
        browser.open(&finish).await.is_refused_with("login.no_ticket");
    }
    assert_eq!(browser.deliver(&delivery).await.text, "portal");
    // The twin: logins that are really refused count.
    for _ in 0..6 {
        world.next_fault(Fault::Audience);
        world.browser().sign_in("/tax", "anna").await;
        world.advance(Duration::from_millis(1));
    }
    browser.open(&finish).await.is_refused_with("login.too_many_failures");
}

#[tokio::test]
async fn neither_handle_nor_ticket_is_told_to_anybody() {
    let world = world().start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[]).await;
    let left = browser.deliver_only(&delivery).await;
    let finish = finish_of(&left);
    assert_eq!(left.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(left.header("cache-control"), Some("no-store"));
    browser.stops_before("/tax");
    let arrived = browser.open(&finish).await;
    assert_eq!(arrived.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(arrived.header("cross-origin-opener-policy"), Some("same-origin"));
    let ticket = finish.split("ticket=").nth(1).unwrap();
    assert!(!arrived.text.contains(ticket) && !arrived.text.contains("http"), "{}", arrived.text);
    let refused = world.browser().open(&finish).await;
    assert_eq!(refused.header("referrer-policy"), Some("no-referrer"));
    assert!(!refused.text.contains(ticket) && !refused.text.contains("http"));
}
