//! What nobody sees the answer of: pages that a browser fetches ahead, and HEAD. They begin no
//! login, set no cookie and count for nobody.

use http::{Method, StatusCode};

use crate::harness::{Answer, world};

const PERSON: [(&str, &str); 4] = [
    ("accept", "text/html,*/*;q=0.8"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "same-origin"),
];
const AHEAD: [(&str, &str); 5] = [
    ("sec-purpose", "prefetch"),
    ("sec-purpose", "prefetch;prerender"),
    ("purpose", "prefetch"),
    ("x-purpose", "preview"),
    ("x-moz", "prefetch"),
];

fn began_nothing(answer: &Answer, of: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{of}: {}", answer.text);
    assert_eq!(answer.header("set-cookie"), None, "{of}");
    assert_eq!(answer.header("location"), None, "{of}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{of}");
    assert!(!answer.text.contains("SAMLRequest"), "{of}");
}

#[tokio::test]
async fn what_is_fetched_ahead_begins_no_login() {
    // One login may begin, so one that counted would keep the citizen from theirs.
    let world = world().with("[limits]\nlogin_starts = 1\n").start().await;
    let mut browser = world.browser();
    for purpose in AHEAD {
        for path in ["/tax/2031", "/.brama/login?return_to=/tax"] {
            let headers = [&PERSON[..], &[purpose]].concat();
            let answer = browser.fetch_with(Method::GET, path, &headers, "").await;
            began_nothing(&answer, &format!("{purpose:?} {path}"));
        }
    }
    assert!(browser.cookie_names().is_empty());
    assert!(world.seen().is_empty(), "nothing reached the portal");
    assert!(world.metrics().await.contains("\nbrama_logins_begun_total 0\n"));
    // The person who goes there then begins one.
    assert_eq!(browser.sign_in("/tax/2031", "anna").await.text, "portal");
    assert!(world.metrics().await.contains("\nbrama_logins_begun_total 1\n"));
}

#[tokio::test]
async fn who_only_asks_about_a_page_begins_no_login() {
    let world = world().with("[limits]\nlogin_starts = 1\n").start().await;
    let mut browser = world.browser();
    for path in ["/tax/2031", "/.brama/login?return_to=/tax/2031"] {
        for headers in [&PERSON[..], &PERSON[..1], &[]] {
            let answer = browser.fetch_with(Method::HEAD, path, headers, "").await;
            began_nothing(&answer, path);
            assert_eq!(answer.text, "");
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.starts_with("Brama error=\"login_required\""), "{challenge}");
        }
    }
    assert!(browser.cookie_names().is_empty());
    assert_eq!(browser.sign_in("/tax/2031", "anna").await.text, "portal");
}

#[tokio::test]
async fn a_page_that_needs_more_is_not_fetched_ahead_and_steps_nobody_up() {
    let world = world().start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[("assurance", "substantial")]).await;
    browser.deliver(&delivery).await;
    let cookies = browser.cookies_of("brama");
    for (method, purpose) in AHEAD
        .map(|purpose| (Method::GET, purpose))
        .into_iter()
        .chain([(Method::HEAD, ("sec-fetch-user", "?1"))])
    {
        let headers = [&PERSON[..], &[purpose]].concat();
        let answer = browser.fetch_with(method, "/health", &headers, "").await;
        began_nothing(&answer, &format!("{purpose:?}"));
    }
    assert_eq!(browser.cookies_of("brama"), cookies);
    assert!(world.metrics().await.contains("\nbrama_step_ups_total 0\n"));
    // What may pass passes, ahead or not.
    let headers = [&PERSON[..], &AHEAD[..1]].concat();
    let answer = browser.fetch_with(Method::GET, "/tax", &headers, "").await;
    assert_eq!(answer.text, "portal");
    assert!(world.last_seen().assertion().is_some());
}

#[tokio::test]
async fn an_answer_of_the_node_is_not_delivered_ahead() {
    let world = world().start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax/2031", "anna", &[]).await;
    let finish = browser.deliver_only(&delivery).await.next();
    let finish = finish[url::Position::BeforePath..].to_owned();
    let headers = [&PERSON[..], &AHEAD[..1]].concat();
    let answer = browser.fetch_with(Method::GET, &finish, &headers, "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    answer.is_refused_with("login.no_navigation");
    assert_eq!(world.exchanges_with_the_node(), 0, "nothing is spent");
    assert_eq!(browser.open(&finish).await.text, "portal");
    assert_eq!(world.last_seen().target, "/tax/2031");
}

#[tokio::test]
async fn at_another_host_nothing_is_wished_ahead() {
    let world = world()
        .with_hosts(&["https://a.example", "https://b.example"])
        .with_routes(
            "[[route]]\nhost = \"b.example\"\npath = \"/\"\nupstream = \"portal\"\n\
             [[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n",
        )
        .start()
        .await;
    let mut browser = world.browser();
    browser.at("https://b.example");
    for purpose in AHEAD {
        let headers = [&PERSON[..], &[purpose]].concat();
        let answer = browser.fetch_with(Method::GET, "/case/1", &headers, "").await;
        began_nothing(&answer, &format!("{purpose:?}"));
    }
    assert_eq!(world.wishes_kept().0, 0);
    assert!(browser.cookie_names().is_empty());
}
