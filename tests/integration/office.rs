//! Pages that look like the office's own: the page before the node, the way back, the language.

use brama::base::private;
use brama::simulator::faults::Fault;
use http::{Method, StatusCode};

use crate::harness::world;

const LANDING: &str = "[pages.landing]\nenabled = true\ntext = { en = \"You agree to this.\" }\n";

#[tokio::test]
async fn nothing_begins_before_the_button_is_pressed() {
    let world = world().with(LANDING).start().await;
    let mut browser = world.browser();
    let page = browser.open("/tax/2031?year=1").await;
    assert_eq!(page.status, StatusCode::OK);
    page.is_our_page();
    assert!(page.text.contains("You agree to this.") && !page.text.contains("SAMLRequest"));
    assert_eq!(browser.cookie_names(), ["brama-landing"], "no login is bound to the browser");
    let button = page.link_with("/.brama/login");
    assert!(button.contains("return_to=%2Ftax%2F2031%3Fyear%3D1"), "{button}");
    assert_eq!(browser.sign_in(&button, "anna").await.text, "portal");
    // Who is signed in goes on without it, and the secret of the button reaches no portal.
    assert_eq!(browser.open("/tax").await.text, "portal");
    let secret = browser.cookie("brama-landing").unwrap();
    let seen = world.last_seen().header("cookie").unwrap_or_default().to_owned();
    assert!(!seen.contains(&secret), "{seen}");
}

/// Browsers read a logo as it was examined, whatever it says of itself.
#[tokio::test]
async fn a_logo_is_sent_with_its_encoding_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("logo.svg");
    let svg =
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><path d='M0 0h9v9z'/></svg>";
    private::write(&file, svg.as_bytes()).unwrap();
    let world = world().with(&format!("[pages]\nlogo = {file:?}\n")).start().await;
    let mut browser = world.browser();
    let page = browser.open("/.brama/nowhere").await;
    let (_, rest) = page.text.split_once("<img class=\"logo\" src=\"").unwrap();
    let image = browser.fetch(rest.split_once('"').unwrap().0).await;
    assert_eq!((image.status, &*image.text), (StatusCode::OK, svg));
    assert_eq!(image.header("content-type"), Some("image/svg+xml; charset=utf-8"));
    assert_eq!(image.header("x-content-type-options"), Some("nosniff"));
    let policy = image.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; ") && policy.ends_with("; sandbox"),
        "{policy}"
    );
    // The twin: another name is no image.
    let other = browser.fetch("/.brama/logo-dark-0").await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

/// Another site's page can lead a browser to every address that it knows.
#[tokio::test]
async fn no_address_that_somebody_else_can_know_begins_a_login() {
    let world = world().with(LANDING).start().await;
    let mut attacker = world.browser();
    let button = attacker.open("/tax").await.link_with("/.brama/login");
    let mut citizen = world.browser();
    let elsewhere = button.replace("/.brama/login?", "/tax?");
    for address in [
        "/.brama/login?return_to=/tax",
        "/.brama/login?return_to=/tax&begin=",
        "/.brama/login?return_to=/tax&begin=AAAAAAAAAAAAAAAAAAAAAA",
        // What the page of another browser has.
        button.as_str(),
        elsewhere.as_str(),
    ] {
        for _ in 0..2 {
            let page = citizen.open(address).await;
            assert_eq!(page.status, StatusCode::OK, "{address}");
            assert!(page.text.contains("You agree to this."), "{address}: {}", page.text);
        }
    }
    assert_eq!(citizen.cookies_of("brama-login-"), []);
    // A cookie that is no secret of ours proves nothing.
    citizen.set_cookie("brama-landing", "x");
    let page = citizen.open("/.brama/login?return_to=/tax&begin=x").await;
    assert!(page.text.contains("You agree to this."));
    assert_ne!(citizen.cookie("brama-landing").as_deref(), Some("x"));
    // Scripts are told as ever that a login is needed.
    assert_eq!(world.browser().fetch("/tax").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_page_that_another_site_led_to_leaves_the_step_its_origin() {
    let world = world().with(LANDING).start().await;
    let mut browser = world.browser();
    let from = |site: &'static str| {
        [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-site", site)]
    };
    for (site, is_sandboxed) in [("cross-site", true), ("same-origin", false), ("none", false)] {
        let page = browser.fetch_with(Method::GET, "/tax", &from(site), "").await;
        let policy = page.header("content-security-policy").unwrap();
        assert_eq!(policy.contains("; sandbox allow-scripts"), is_sandboxed, "{site}: {policy}");
    }
}

const RETURNS: &str = "[pages]\nreturn_urls = [\"https://www.office.test/bye\"]\n\
                       after_logout = \"/start\"\nafter_cancel = \"https://www.office.test/\"\n";

#[tokio::test]
async fn the_portal_names_where_a_citizen_goes_after_signing_out() {
    let world = world().with(RETURNS).start().await;
    for (named, expected) in [
        ("/tax?bye", Some("/tax?bye")),
        ("https://www.office.test/bye", Some("https://www.office.test/bye")),
        ("https://www.office.test/", None),
        ("https://evil.test/", None),
        ("//evil.test/", None),
        ("/\\evil.test", None),
        ("javascript:alert(1)", None),
        ("https://www.office.test/bye@evil.test", None),
    ] {
        let mut browser = world.browser();
        browser.sign_in("/tax", "anna").await;
        let query: String = url::form_urlencoded::byte_serialize(named.as_bytes()).collect();
        let page = browser.open(&format!("/.brama/logout?return_to={query}")).await;
        let (_, _, fields) = page.form();
        let kept = fields.iter().find(|(name, _)| name == "return_to").map(|(_, value)| &**value);
        assert_eq!(kept, expected, "{named}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(!policy.contains("evil"), "{policy}");
        // The form of a portal may name it too.
        let origin = world.origin.clone();
        let headers = [
            ("origin", origin.as_str()),
            ("accept", "text/html"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let form = format!("return_to={query}");
        let answer = browser.fetch_with(Method::POST, "/.brama/logout", &headers, &form).await;
        assert_eq!(browser.session_cookie(), None);
        match expected {
            Some(expected) => {
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{named}");
                assert_eq!(answer.header("location"), Some(expected));
                assert_eq!(answer.header("clear-site-data"), Some("\"cache\""));
            }
            None => {
                assert_eq!(answer.status, StatusCode::OK, "{named}");
                assert!(answer.is_our_page().text.contains("href=\"/start\""), "{}", answer.text);
                assert!(!answer.text.contains("evil"), "{}", answer.text);
            }
        }
    }
}

#[tokio::test]
async fn what_a_citizen_must_know_is_said_before_the_way_back() {
    let world = world().with(RETURNS).start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    world.always_fault(Fault::LogoutFails);
    let page = browser.submit("/.brama/logout", &[("return_to", "/tax?bye")]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("did not confirm") && page.text.contains("href=\"/tax?bye\""));
    // In another language it is the same page, and only our own page may have it said.
    let again = page.link_with("/.brama/language?to=uk");
    let told = browser.fetch_with(Method::GET, &again, &navigation("same-origin"), "").await;
    let there = told.header("location").unwrap().to_owned();
    assert!(there.starts_with("/.brama/logout?told=not-confirmed&"), "{there}");
    let page = browser.fetch_with(Method::GET, &there, &navigation("same-origin"), "").await;
    assert!(page.text.contains("не підтвердив") && page.text.contains("<html lang=\"uk\">"));
    for site in ["cross-site", "none", "same-site"] {
        let page = browser.fetch_with(Method::GET, &there, &navigation(site), "").await;
        assert!(page.text.contains("Немає з чого виходити"), "{site}: {}", page.text);
    }
}

fn navigation(site: &'static str) -> [(&'static str, &'static str); 4] {
    [
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-site", site),
    ]
}

#[tokio::test]
async fn who_gives_up_can_go_where_the_office_says() {
    let world = world().with(RETURNS).start().await;
    let page = world.browser().sign_in("/tax", "cancel").await;
    page.is_refused_with("login.cancelled");
    assert!(page.text.contains("href=\"https://www.office.test/\""), "{}", page.text);
    // Of other pages nothing is said.
    let page = world.browser().open("/.brama/nothing").await;
    assert!(!page.text.contains("office.test"));
}

#[tokio::test]
async fn the_language_is_chosen_for_a_browser_and_by_nothing_fetched_ahead() {
    let world = world().start().await;
    let mut browser = world.browser();
    for (to, lang) in [("uk", "uk"), ("de", "uk"), ("", "uk"), ("pl", "pl"), ("<x>", "pl")] {
        let to: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
        let page =
            browser.open(&format!("/.brama/language?to={to}&return_to=/.brama/nothing")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert!(page.text.contains(&format!("<html lang=\"{lang}\">")), "{to}: {}", page.text);
    }
    for return_to in ["//evil.test", "https://evil.test", "/\\evil.test", ""] {
        let target = format!("/.brama/language?to=en&return_to={return_to}");
        let answer = browser.fetch_with(Method::GET, &target, &navigation("none"), "").await;
        assert_eq!(answer.header("location"), Some("/"), "{return_to}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    }
    let mut other = world.browser();
    let ahead = [&navigation("none")[..], &[("sec-purpose", "prefetch")]].concat();
    other.fetch_with(Method::GET, "/.brama/language?to=uk", &ahead, "").await;
    assert!(other.cookie_names().is_empty(), "{:?}", other.cookie_names());
}

#[tokio::test]
async fn the_look_is_changed_by_a_reload() {
    let world = world().start().await;
    let page = world.browser().open("/.brama/nothing").await;
    assert!(!page.text.contains("<footer>"));
    world
        .reload_with(|text| {
            format!("{text}\n[pages.footer]\nhelpline = {{ pl = \"22 250 01 15\" }}\n")
        })
        .await;
    let page = world.browser().open("/.brama/nothing").await;
    assert!(page.text.contains("<a href=\"tel:222500115\">"), "{}", page.text);
}
