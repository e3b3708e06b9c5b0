//! What a citizen typed when the session ended is kept across the login, and sent when they say so.

use std::time::Duration;

use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Answer, Browser, World, world};

const URLENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=----brama7f3a";
const TARGET: &str = "/tax/form?year=2031&x=%C5%BB";

#[tokio::test]
async fn a_form_of_one_mebibyte_survives_the_login_byte_for_byte() {
    let urlencoded = format!("field={}", "za%C5%BC".repeat(1 << 20))[..1 << 20].to_owned();
    let mut multipart = b"------brama7f3a\r\nContent-Disposition: form-data; name=\"file\"; \
                          filename=\"a.bin\"\r\n\r\n"
        .to_vec();
    multipart.extend((0..900_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    multipart.extend_from_slice(b"\r\n------brama7f3a--\r\n");
    for (content_type, body) in [(URLENCODED, urlencoded.into_bytes()), (MULTIPART, multipart)] {
        let world = world().start().await;
        let mut browser = ended(&world).await;
        let before = world.seen().len();
        let page = browser.send_form(TARGET, content_type, body.clone(), "same-origin").await;
        assert_eq!(world.seen().len(), before, "nothing is sent before the citizen says so");
        let asked = sign_in_on(&mut browser, &page, "anna").await;
        assert_eq!(world.seen().len(), before, "nothing is sent before the citizen says so");
        asked.is_our_page();
        assert!(asked.text.contains("<code>/tax/form</code>"), "{}", asked.text);
        let answer = press(&mut browser, &asked).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "portal"));
        assert!(answer.url.as_str().ends_with(TARGET), "the portal is at its own address");
        let seen = world.last_seen();
        assert_eq!(world.seen().len(), before + 1);
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", TARGET));
        assert_eq!(seen.header("content-type"), Some(content_type));
        assert_eq!(seen.header("content-length").unwrap(), body.len().to_string());
        assert!(seen.header("referer").unwrap().ends_with("/written/here"), "no handle in it");
        assert!(seen.assertion().is_some(), "in the name of who is signed in now");
        assert!(seen.body == body, "byte for byte");
    }
}

#[tokio::test]
async fn a_larger_form_gets_a_page_before_it_is_read() {
    let world = world().start().await;
    let head = "POST /tax/form HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\
                Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n";
    // By its length, without a byte of it; and without a length, as soon as the bound is passed.
    let by_length = format!("{head}Content-Length: {}\r\n\r\n", (1 << 20) + 1);
    let chunk = format!("{:x}\r\n{}\r\n", (1 << 20) + 1, "x".repeat((1 << 20) + 1));
    let in_chunks = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}");
    for request in [by_length, in_chunks] {
        let answer = raw(&world, &request).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("set-cookie"), "{answer}");
    }
    let mut browser = world.browser();
    let page =
        browser.send_form("/tax", URLENCODED, vec![b'x'; (1 << 20) + 1], "same-origin").await;
    page.is_our_page().is_refused_with("form.too_large");
    assert!(world.seen().is_empty());
    assert_eq!(world.logins_remembered().await, 0);
}

#[tokio::test]
async fn a_form_that_its_route_would_refuse_is_refused_before_the_login() {
    let route = "[[route]]\npath = \"/small\"\nupstream = \"portal\"\nmax_body = \"1 KiB\"\n";
    let world = world().with(route).start().await;
    let mut browser = world.browser();
    let page = browser.send_form("/small", URLENCODED, vec![b'x'; 1025], "same-origin").await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    page.is_our_page().is_refused_with("request.body_too_large");
    assert!(browser.cookie_names().is_empty(), "no login was begun");
    assert_eq!(world.logins_remembered().await, 0);
    // The same without a length, as soon as the bound is passed.
    let head = "POST /small HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\
                Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    let answer = raw(&world, &format!("{head}401\r\n{}\r\n0\r\n\r\n", "x".repeat(1025))).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // The twin: one byte less is kept, and sent after the login.
    let body = "x".repeat(1024);
    let page = browser.send_form("/small", URLENCODED, body.clone(), "same-origin").await;
    let asked = sign_in_on(&mut browser, &page, "anna").await;
    press(&mut browser, &asked).await;
    assert!(world.last_seen().body == body);
}

#[tokio::test]
async fn a_handle_never_reaches_the_portal_however_it_comes() {
    let world = world().start().await;
    let field = format!("brama-form={}", "A".repeat(22));
    for (kind, coding, body) in [
        (URLENCODED, "Content-Length: 33", field.clone()),
        ("text/plain", "Content-Length: 33", field.clone()),
        ("Text/Plain; charset=utf-8", "Content-Length: 35", format!("{field}\r\n")),
        (URLENCODED, "Transfer-Encoding: chunked", format!("21\r\n{field}\r\n0\r\n\r\n")),
        (
            "text/plain",
            "Transfer-Encoding: chunked",
            format!("5\r\n{}\r\n1e\r\n{}\r\n\r\n0\r\n\r\n", &field[..5], &field[5..]),
        ),
        (URLENCODED, "Transfer-Encoding: chunked", format!("21\r\n{field}\r\n0\r\nx: y\r\n\r\n")),
    ] {
        let request = format!(
            "POST /public HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\
             Sec-Fetch-Site: same-origin\r\nConnection: close\r\nContent-Type: {kind}\r\n\
             {coding}\r\n\r\n{body}"
        );
        let answer = raw(&world, &request).await;
        assert!(answer.contains("form.unknown"), "{kind}, {coding}: {answer}");
        assert!(world.seen().is_empty(), "{kind}, {coding}");
    }
    // The twin: what is longer, or is none, arrives as it was sent.
    for (length, body) in [
        ("24", format!("{field}&b=")),
        ("21", field.replace("brama", "other")),
        ("3", "a=b".to_owned()),
    ] {
        let request = format!(
            "POST /public HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n\
             {length}\r\n{body}\r\n0\r\n\r\n"
        );
        let answer = raw(&world, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(world.last_seen().body == body);
    }
}

/// Sends a request as it is, and returns what comes back.
async fn raw(world: &World, request: &str) -> String {
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 64 * 1024];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut answer));
    let length = read.await.expect("an answer").unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[tokio::test]
async fn what_another_site_sends_is_neither_kept_nor_sent() {
    let world = world().start().await;
    let mut browser = ended(&world).await;
    let before = world.seen().len();
    let page = browser.send_form(TARGET, URLENCODED, "a=1", "cross-site").await;
    page.is_our_page().is_refused_with("request.form_without_session");
    assert!(!page.text.contains("SAMLRequest"));
    // Nor does another site press the button, whatever it knows.
    let page = browser.send_form(TARGET, URLENCODED, "a=1", "same-origin").await;
    let asked = sign_in_on(&mut browser, &page, "anna").await;
    let small = small_form(&asked);
    for site in ["cross-site", "same-site", "none"] {
        let page = browser.send_form(TARGET, URLENCODED, small.clone(), site).await;
        page.is_refused_with("form.from_elsewhere");
        let page = browser.send_form("/.brama/form", URLENCODED, small.clone(), site).await;
        page.is_refused_with("form.from_elsewhere");
    }
    assert_eq!(world.seen().len(), before);
    press(&mut browser, &asked).await;
    assert_eq!(&world.last_seen().body[..], b"a=1", "it was still there");
}

#[tokio::test]
async fn a_handle_opens_nothing_in_another_browser_or_at_another_address() {
    let world = world().start().await;
    let mut browser = ended(&world).await;
    let page = browser.send_form(TARGET, URLENCODED, "a=1", "same-origin").await;
    let asked = sign_in_on(&mut browser, &page, "anna").await;
    let mut thief = world.browser();
    thief.sign_in("/tax", "zofia").await;
    let before = world.seen().len();
    let address = &asked.url[url::Position::BeforePath..];
    thief.open(address).await.is_our_page().is_refused_with("form.unknown");
    let small = small_form(&asked);
    let page = thief.send_form(TARGET, URLENCODED, small.clone(), "same-origin").await;
    page.is_refused_with("form.unknown");
    thief.send_form("/.brama/form", URLENCODED, small.clone(), "same-origin").await;
    let page = browser.send_form("/tax/other", URLENCODED, small, "same-origin").await;
    page.is_refused_with("form.unknown");
    assert_eq!(world.seen().len(), before);
    press(&mut browser, &asked).await;
    assert_eq!(&world.last_seen().body[..], b"a=1", "nothing was taken away");
}

#[tokio::test]
async fn a_form_is_sent_once() {
    let world = world().start().await;
    let mut browser = ended(&world).await;
    let page = browser.send_form(TARGET, URLENCODED, "a=1", "same-origin").await;
    let asked = sign_in_on(&mut browser, &page, "anna").await;
    press(&mut browser, &asked).await;
    let before = world.seen().len();
    let again = press(&mut browser, &asked).await;
    assert_eq!(again.status, StatusCode::GONE);
    again.is_our_page().is_refused_with("form.unknown");
    let address = &asked.url[url::Position::BeforePath..];
    browser.open(address).await.is_refused_with("form.unknown");
    assert_eq!(world.seen().len(), before);
}

#[tokio::test]
async fn a_form_that_waited_too_long_is_gone() {
    let world = world().start().await;
    let mut browser = ended(&world).await;
    let page = browser.send_form(TARGET, URLENCODED, "a=1", "same-origin").await;
    let asked = sign_in_on(&mut browser, &page, "anna").await;
    world.advance(Duration::from_secs(14 * 60));
    browser.fetch("/tax").await;
    world.advance(Duration::from_secs(6 * 60));
    let before = world.seen().len();
    press(&mut browser, &asked).await.is_our_page().is_refused_with("form.unknown");
    assert_eq!(world.seen().len(), before);
}

#[tokio::test]
async fn a_form_that_is_not_to_be_sent_is_thrown_away() {
    let world = world().start().await;
    let mut browser = ended(&world).await;
    let page = browser.send_form(TARGET, URLENCODED, "a=1", "same-origin").await;
    let asked = sign_in_on(&mut browser, &page, "anna").await;
    let small = small_form(&asked);
    let answer = browser.send_form("/.brama/form", URLENCODED, small, "same-origin").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, Some("/")));
    press(&mut browser, &asked).await.is_refused_with("form.unknown");
}

#[tokio::test]
async fn a_form_that_needs_a_higher_level_waits_for_the_step_up() {
    let world = world().start().await;
    let mut browser = world.browser();
    let delivery = browser.reach_node("/tax", "anna", &[("assurance", "substantial")]).await;
    browser.deliver(&delivery).await;
    let page = browser.send_form("/health/form", URLENCODED, "a=1", "same-origin").await;
    let delivery = browser.choose(&page, "anna", &[("assurance", "high")]).await;
    let asked = browser.deliver(&delivery).await;
    assert!(press(&mut browser, &asked).await.status.is_success());
    assert_eq!(&world.last_seen().body[..], b"a=1");
}

#[tokio::test]
async fn a_session_that_ends_before_the_button_leads_back_to_the_page() {
    let world = world().with("[session]\nidle = \"5m\"\n").start().await;
    let mut browser = ended(&world).await;
    let page = browser.send_form(TARGET, URLENCODED, "a=1", "same-origin").await;
    let asked = sign_in_on(&mut browser, &page, "anna").await;
    world.advance(Duration::from_secs(6 * 60));
    let page = press(&mut browser, &asked).await;
    let asked = sign_in_on(&mut browser, &page, "anna").await;
    press(&mut browser, &asked).await;
    assert_eq!(&world.last_seen().body[..], b"a=1");
}

#[tokio::test]
async fn whoever_was_signed_out_elsewhere_is_told_and_their_form_waits() {
    let world = world().with("[session]\nmaximum_per_person = 1\n").start().await;
    let (mut browser, mut other) = (world.browser(), world.browser());
    browser.sign_in("/tax", "anna").await;
    world.advance(Duration::from_secs(1));
    other.sign_in("/tax", "anna").await;
    let page = browser.send_form(TARGET, URLENCODED, "a=1", "same-origin").await;
    page.is_our_page().is_refused_with("session.signed_out_elsewhere");
    let page = browser.open(&page.link_with("/.brama/login")).await;
    // Somebody else sits there now: the page says in whose name it would be sent.
    let asked = sign_in_on(&mut browser, &page, "zofia").await;
    assert!(asked.text.contains("<dt>Signed in</dt><dd>Zofia "), "{}", asked.text);
    press(&mut browser, &asked).await;
    assert_eq!(&world.last_seen().body[..], b"a=1");
}

#[tokio::test]
async fn nothing_is_kept_where_that_is_switched_off() {
    let world = world().with("[session]\nkeep_forms = \"0 B\"\n").start().await;
    let page = world.browser().send_form(TARGET, URLENCODED, "a=1", "same-origin").await;
    page.is_our_page().is_refused_with("request.form_without_session");
}

#[tokio::test]
async fn a_script_and_what_is_no_form_are_answered_as_ever() {
    let world = world().start().await;
    let mut browser = world.browser();
    let headers = [("content-type", URLENCODED), ("sec-fetch-site", "same-origin")];
    let answer = browser.fetch_with(Method::POST, "/tax", &headers, "a=1").await;
    assert_eq!(answer.json()["error"], "login_required");
    for kind in ["text/plain", "application/json"] {
        let page = browser.send_form("/tax", kind, "{}", "same-origin").await;
        page.is_refused_with("request.form_without_session");
    }
    assert!(browser.cookie_names().is_empty());
}

#[tokio::test]
async fn a_form_that_only_has_the_length_of_ours_passes() {
    let world = world().start().await;
    let body = "x".repeat("brama-form=".len() + 22);
    world.browser().send_form("/public", URLENCODED, body.clone(), "cross-site").await;
    assert_eq!(world.last_seen().body, body);
}

#[tokio::test]
async fn a_page_that_was_asked_for_is_returned_to_with_its_query() {
    let world = world().start().await;
    let mut browser = world.browser();
    let answer = browser.sign_in("/tax/a%20b;c=d?q=1&q=%C5%BB&empty=", "anna").await;
    assert_eq!(answer.text, "portal");
    assert_eq!(world.last_seen().target, "/tax/a%20b;c=d?q=1&q=%C5%BB&empty=");
}

#[tokio::test]
async fn a_form_is_kept_on_while_the_portal_cannot_be_reached() {
    let route = "[[upstream]]\nname = \"down\"\nurl = \"http://127.0.0.1:9\"\n\
                 [[route]]\npath = \"/down\"\nupstream = \"down\"\n";
    let world = world().with(route).start().await;
    let mut browser = ended(&world).await;
    let page = browser.send_form("/down", URLENCODED, "a=1", "same-origin").await;
    let asked = sign_in_on(&mut browser, &page, "anna").await;
    press(&mut browser, &asked).await.is_refused_with("upstream.unreachable");
    let up = |text: String| {
        let portal = text.split("\nurl = \"http://127.0.0.1:").nth(1).unwrap();
        let portal = portal.split('"').next().unwrap();
        text.replace("http://127.0.0.1:9\"", &format!("http://127.0.0.1:{portal}\""))
    };
    world.reload_with(up).await;
    press(&mut browser, &asked).await;
    assert_eq!(&world.last_seen().body[..], b"a=1");
    press(&mut browser, &asked).await.is_refused_with("form.unknown");
}

#[tokio::test]
async fn each_kept_form_and_each_press_without_a_session_counts_as_a_login_begun() {
    let world = world().with("[limits]\nlogin_starts = 4\n").start().await;
    let mut browser = ended(&world).await;
    let page = browser.send_form(TARGET, URLENCODED, "a=1", "same-origin").await;
    let asked = sign_in_on(&mut browser, &page, "anna").await;
    world.advance(Duration::from_secs(16 * 60));
    let mut refused = 0;
    for _ in 0..6 {
        let page = press(&mut browser, &asked).await;
        refused += u32::from(page.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused >= 2, "{refused}");
    for _ in 0..6 {
        let page = browser.send_form(TARGET, URLENCODED, "a=1", "same-origin").await;
        page.is_refused_with("login.too_many_starts");
    }
}

#[tokio::test]
async fn a_form_is_kept_in_a_file_as_well() {
    let store = "[store]\nkind = \"file\"\n[store.file]\npath = \"sessions.db\"\n";
    let world = world().with(store).start().await;
    let mut browser = ended(&world).await;
    let body = "x".repeat(1 << 20);
    let page = browser.send_form(TARGET, URLENCODED, body.clone(), "same-origin").await;
    let asked = sign_in_on(&mut browser, &page, "anna").await;
    press(&mut browser, &asked).await;
    assert!(world.last_seen().body == body);
    press(&mut browser, &asked).await.is_refused_with("form.unknown");
}

/// A browser whose session has ended.
async fn ended(world: &World) -> Browser {
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    world.advance(Duration::from_secs(16 * 60));
    browser
}

/// Goes on from the page that leads to the node, to the page that asks.
async fn sign_in_on(browser: &mut Browser, page: &Answer, person: &str) -> Answer {
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let delivery = browser.choose(page, person, &[]).await;
    let asked = browser.deliver(&delivery).await;
    assert_eq!(asked.url.path(), "/.brama/form", "{}", asked.text);
    asked
}

/// Presses "send now".
async fn press(browser: &mut Browser, asked: &Answer) -> Answer {
    let (_, action, _) = asked.form();
    let action = url::Url::parse(&action).unwrap();
    let target = &action[url::Position::BeforePath..];
    browser.send_form(target, URLENCODED, small_form(asked), "same-origin").await
}

/// What the buttons of the page post.
fn small_form(asked: &Answer) -> String {
    let (_, _, fields) = asked.form();
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
