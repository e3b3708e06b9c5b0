//! Forms that meet an ended session: which are kept, what becomes of them, and what only looks like
//! one.

use super::*;
use crate::app::testing::{
    Answer, Browser, HOST, OK, World, get, world_with_node, world_with_node_before,
};
use crate::base::clock::Clock as _;
use crate::flow::testing::between;
use crate::identity::assurance::Assurance;
use crate::session::label::Why;

const ROUTES: &str = "\
    [[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n\
    [[route]]\npath = \"/tax\"\nupstream = \"portal\"\n\
    [[route]]\npath = \"/small\"\nupstream = \"portal\"\nmax_body = \"20 B\"\n\
    [[route]]\npath = \"/tiny\"\nupstream = \"portal\"\nmax_body = \"10 B\"\n";
const FORM: &str = "amount=12&x=y";
const TARGET: &str = "/tax?a=b";
const URLENCODED: &str = "application/x-www-form-urlencoded; charset=UTF-8";

async fn gateway() -> World {
    world_with_node(ROUTES, OK).await
}

fn kept(world: &World) -> u64 {
    world.worker.shared.events.counts().forms_kept.value()
}

/// Sends a form from a page of the portal, after this change of what is said.
async fn typed(
    browser: &Browser<'_>,
    target: &str,
    form: &str,
    change: impl FnOnce(&mut http::Request<()>),
) -> Answer {
    let length = form.len().to_string();
    let said = [
        ("sec-fetch-site", "same-origin"),
        ("content-type", URLENCODED),
        ("content-length", length.as_str()),
        ("referer", "https://portal.test/tax?form"),
    ];
    let mut request = get(HOST, target, &said);
    *request.method_mut() = Method::POST;
    change(&mut request);
    browser.go(request, form).await
}

/// Has a form kept, and its citizen back; returns the page that asks, and the handle.
async fn back(browser: &Browser<'_>) -> (Answer, String) {
    let page = typed(browser, TARGET, FORM, |_| {}).await;
    let arrived = browser.sign_in(&page, "anna").await;
    let target = arrived.headers["refresh"].to_str().unwrap().strip_prefix("0; url=").unwrap();
    let asks = browser.follow(target, "same-origin").await;
    let handle = between(&asks.text, "name=\"brama-form\" value=\"", "\"").to_owned();
    assert_eq!(target, format!("/.brama/form?id={handle}"));
    (asks, handle)
}

fn head(world: &mut World) -> String {
    let mut last = String::new();
    while let Ok(head) = world.heads.try_recv() {
        last = head.to_lowercase();
    }
    last
}

#[tokio::test]
async fn a_form_that_met_an_ended_session_is_sent_once_when_its_citizen_is_back() {
    let mut world = gateway().await;
    {
        let browser = Browser::new(&world, HOST);
        let (asks, handle) = back(&browser).await;
        assert_eq!((asks.status, kept(&world)), (StatusCode::OK, 1));
        assert!(asks.text.contains("Anna") && asks.text.contains("/tax?a=b"), "{}", asks.text);
        assert_eq!(asks.headers["referrer-policy"], "strict-origin");
        assert!(asks.headers.contains_key("set-cookie"), "there is as long again for the button");
        let button = format!("{FIELD}={handle}");
        // What is said of the small form does not hold for the kept one.
        let sent = typed(&browser, TARGET, &button, |request| {
            request.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("identity"));
            request.extensions_mut().insert(ExpectContinue);
        });
        assert_eq!(sent.await.text, "ok");
        let again = typed(&browser, TARGET, &button, |_| {}).await;
        assert_eq!(again.status, StatusCode::GONE);
        assert_eq!(
            browser.visit(&format!("/.brama/form?id={handle}")).await.status,
            StatusCode::GONE
        );
    }
    let head = head(&mut world);
    for line in [
        "post /tax?a=b http/1.1",
        "content-length: 13",
        "content-type: application/x-www-form-urlencoded; charset=utf-8",
        "referer: https://portal.test/tax?form",
    ] {
        assert!(head.contains(&format!("{line}\r\n")), "{line}: {head}");
    }
    assert_eq!(head.matches("\r\nreferer: ").count(), 1, "{head}");
    assert!(!head.contains("content-encoding") && !head.contains("expect"), "{head}");
}

#[tokio::test]
async fn what_looks_like_the_button_sends_what_was_kept_for_it_or_nothing() {
    let mut world = gateway().await;
    {
        let browser = Browser::new(&world, HOST);
        let (_, handle) = back(&browser).await;
        let button = format!("{FIELD}={handle}");
        let other = Browser::new(&world, HOST);
        let page = other.visit("/tax").await;
        other.sign_in(&page, "zofia").await;
        let unknown = format!("{FIELD}={}", "A".repeat(handle.len()));
        let says = |name: &'static str, value: &'static str| {
            move |request: &mut http::Request<()>| {
                request.headers_mut().insert(name, HeaderValue::from_static(value));
            }
        };
        let plain = format!("{button}\r\n");
        for (browser, target, body, (name, value), status) in [
            (&browser, TARGET, &button, ("sec-fetch-site", "cross-site"), StatusCode::FORBIDDEN),
            (&browser, "/tax", &button, ("x-a", "b"), StatusCode::GONE),
            (&browser, TARGET, &unknown, ("x-a", "b"), StatusCode::GONE),
            (&browser, TARGET, &plain, ("content-type", "text/plain"), StatusCode::GONE),
            (&other, TARGET, &button, ("x-a", "b"), StatusCode::GONE),
        ] {
            let refused = typed(browser, target, body, says(name, value)).await;
            assert_eq!(refused.status, status, "{target} {body} {name} {value}");
        }
        assert!(world.heads.is_empty(), "nothing of it came to the portal");
        // What only resembles it is the portal's own.
        let longer = format!("{button}xxx");
        let other_field = button.replace(FIELD, "drama-form");
        for (method, body, kind) in [
            ("POST", &longer, URLENCODED),
            ("POST", &other_field, URLENCODED),
            ("POST", &button, "application/json"),
            ("PUT", &button, URLENCODED),
        ] {
            let sent = typed(&browser, TARGET, body, |request| {
                *request.method_mut() = method.parse().unwrap();
                says("content-type", kind)(request);
            });
            assert_eq!(sent.await.text, "ok", "{method} {body} {kind}");
        }
        // It was kept all the while.
        assert_eq!(typed(&browser, TARGET, &button, |_| {}).await.text, "ok");
    }
    assert!(head(&mut world).contains("content-length: 13\r\n"));
}

#[tokio::test]
async fn only_what_a_person_sends_from_a_page_of_ours_is_kept() {
    let world = gateway().await;
    let insert = |name: &'static str, value: &'static str| {
        move |request: &mut http::Request<()>| {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    };
    let tried = async |change: &dyn Fn(&mut http::Request<()>)| {
        let browser = Browser::new(&world, HOST);
        let before = kept(&world);
        let answer = typed(&browser, TARGET, FORM, |request| change(request)).await;
        (answer.text.contains("SAMLRequest"), kept(&world) - before)
    };
    assert_eq!(tried(&|_| {}).await, (true, 1));
    assert_eq!(tried(&insert("content-type", "Multipart/Form-Data; boundary=a")).await, (true, 1));
    for change in [
        &insert("sec-fetch-site", "cross-site") as &dyn Fn(&mut http::Request<()>),
        &insert("sec-fetch-site", "same-site"),
        &insert("sec-fetch-mode", "cors"),
        &insert("sec-fetch-dest", "iframe"),
        &insert("content-type", "application/json"),
        &insert("content-encoding", "gzip"),
        &|request| *request.method_mut() = Method::PUT,
        &|request| {
            request.headers_mut().remove(CONTENT_TYPE);
        },
        &|request| {
            let long = format!("multipart/form-data; boundary={}", "a".repeat(MAXIMUM_HEADER));
            request.headers_mut().insert(CONTENT_TYPE, long.parse().unwrap());
        },
    ] {
        assert_eq!(tried(change).await, (false, 0));
    }
}

#[tokio::test]
async fn a_form_that_is_too_long_is_refused_before_the_login() {
    for keep_forms in ["20 B", "0 B"] {
        let lines = format!("{ROUTES}[session]\nkeep_forms = \"{keep_forms}\"\n");
        let world = world_with_node(&lines, OK).await;
        let browser = Browser::new(&world, HOST);
        for (target, length) in [("/tax", 20), ("/tax", 21), ("/small", 20), ("/small", 21)] {
            let form = "x".repeat(length);
            let answer = typed(&browser, target, &form, |_| {}).await;
            let is_kept = answer.text.contains("SAMLRequest");
            let expected = match (keep_forms, length) {
                ("0 B", _) => 401,
                (_, 20) => 200,
                _ => 413,
            };
            assert_eq!(
                (answer.status.as_u16(), is_kept),
                (expected, expected == 200),
                "{target} {length}"
            );
        }
    }
}

#[tokio::test]
async fn a_network_that_begins_too_many_logins_has_nothing_kept() {
    let world = world_with_node(&format!("{ROUTES}[limits]\nlogin_starts = 1\n"), OK).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(typed(&Browser::new(&world, HOST), TARGET, FORM, |_| {}).await.status);
    }
    assert_eq!(statuses.last(), Some(&StatusCode::TOO_MANY_REQUESTS), "{statuses:?}");
    let taken = statuses.iter().filter(|status| status.is_success()).count() as u64;
    assert_eq!(kept(&world), taken, "{statuses:?}");
}

#[tokio::test]
async fn a_citizen_throws_a_form_away_on_our_page_only() {
    let world = gateway().await;
    let browser = Browser::new(&world, HOST);
    let (_, handle) = back(&browser).await;
    let form = format!("{FIELD}={handle}");
    let page = format!("/.brama/form?id={handle}");
    let discard = async |site: &str| browser.send("/.brama/form", site, &form).await;
    assert_eq!(discard("cross-site").await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.visit(&page).await.status, StatusCode::OK);
    // To another browser it is not there.
    assert_eq!(Browser::new(&world, HOST).visit(&page).await.status, StatusCode::GONE);
    let gone = discard("same-origin").await;
    assert_eq!((gone.status, gone.location()), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(browser.visit(&page).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn who_is_signed_out_meanwhile_is_led_to_the_node_before_the_button() {
    let world = gateway().await;
    let browser = Browser::new(&world, HOST);
    let (_, handle) = back(&browser).await;
    assert_eq!(browser.send("/.brama/logout", "same-origin", "").await.status, StatusCode::OK);
    let page = browser.visit(&format!("/.brama/form?id={handle}")).await;
    assert!(page.text.contains("SAMLRequest"), "{}", page.text);
    let arrived = browser.sign_in(&page, "anna").await;
    let expected = format!("0; url=/.brama/form?id={handle}");
    assert_eq!(arrived.headers["refresh"].to_str().unwrap(), expected);
    // The button asks as well, for who has the page still open.
    assert_eq!(browser.send("/.brama/logout", "same-origin", "").await.status, StatusCode::OK);
    let button = typed(&browser, TARGET, &format!("{FIELD}={handle}"), |_| {}).await;
    assert!(button.text.contains("SAMLRequest"), "{}", button.text);
    let arrived = browser.sign_in(&button, "anna").await;
    assert_eq!(arrived.headers["refresh"].to_str().unwrap(), expected);
}

#[tokio::test]
async fn a_form_is_kept_once_more_when_surely_nothing_of_it_reached_the_portal() {
    // Nobody listens at the first one; the second hangs up when it has read.
    let away = world_with_node_before(1, ROUTES).await;
    let broken = world_with_node(ROUTES, "").await;
    for (world, is_kept) in [(away, true), (broken, false)] {
        let browser = Browser::new(&world, HOST);
        let (_, handle) = back(&browser).await;
        let button = format!("{FIELD}={handle}");
        let sent = typed(&browser, TARGET, &button, |_| {}).await;
        assert_eq!(sent.status, StatusCode::BAD_GATEWAY);
        let again = typed(&browser, TARGET, &button, |_| {}).await;
        let expected = if is_kept { StatusCode::BAD_GATEWAY } else { StatusCode::GONE };
        assert_eq!(again.status, expected);
    }
}

#[tokio::test]
async fn who_was_signed_out_by_an_operator_is_told_so_and_their_form_is_kept() {
    let world = gateway().await;
    let (id, cookie) = world.sign_in(Assurance::High).await;
    let (sessions, now) = (&world.worker.shared.flows.sessions, world.clock.now());
    assert!(sessions.end(id.key(), Why::Operator, now).await.unwrap());
    let browser = Browser::new(&world, HOST);
    let told = typed(&browser, TARGET, FORM, |request| {
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
    });
    let told = told.await;
    assert_eq!((told.status, kept(&world)), (StatusCode::UNAUTHORIZED, 1));
    let link = "/.brama/login?return_to=%2F.brama%2Fform%3Fid%3D";
    assert!(told.text.contains(link), "{}", told.text);
    assert!(!browser.cookies().is_empty(), "it is for this browser");
    let refusals = world.worker.shared.events.counts().refusals.all();
    let (_, counted) =
        refusals.iter().find(|(name, _)| *name == "session.ended_by_operator").unwrap();
    assert_eq!(*counted, 1);
}

#[tokio::test]
async fn what_is_too_long_by_what_it_says_begins_nothing() {
    let lines = format!("{ROUTES}[session]\nkeep_forms = \"20 B\"\n[limits]\nlogin_starts = 1\n");
    let world = world_with_node(&lines, OK).await;
    let browser = Browser::new(&world, HOST);
    for _ in 0..4 {
        let refused = typed(&browser, TARGET, &"x".repeat(21), |_| {}).await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert!(typed(&browser, TARGET, "x", |_| {}).await.text.contains("SAMLRequest"));
}

#[tokio::test]
async fn what_is_too_long_is_so_for_us_or_for_its_route() {
    let world = world_with_node(&format!("{ROUTES}[session]\nkeep_forms = \"20 B\"\n"), OK).await;
    let refusals = |reason: &str| {
        let all = world.worker.shared.events.counts().refusals.all();
        all.iter().find(|(name, _)| *name == reason).unwrap().1
    };
    for (target, length) in [("/tax", 21), ("/small", 21), ("/tiny", 11)] {
        let form = "x".repeat(length);
        let refused = typed(&Browser::new(&world, HOST), target, &form, |_| {}).await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{target}");
    }
    assert_eq!((refusals("form.too_large"), refusals("request.body_too_large")), (2, 1));
}

#[test]
fn who_is_too_slow_is_told_from_who_breaks_off() {
    let stalled = BodyError::Stalled(GRACE);
    assert!(matches!(slow_or_broken(ReadError::Broken(stalled.into())), ReadError::Slow(GRACE)));
    let broken = slow_or_broken(ReadError::Broken(BodyError::Incomplete.into()));
    assert!(matches!(broken, ReadError::Broken(_)));
}
