//! The status page, as a browser asks for it.

use super::{ANNA, Fields, JAN, ask, bearer, plan};
use crate::harness::tools::{self, Tool};
use crate::harness::{Simulator, TOKEN, python, sign_in};

/// A password of Basic.
fn password(token: &str) -> String {
    use base64::Engine as _;
    let pair = format!("anyone:{token}");
    format!("Authorization: Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

#[test]
fn a_browser_is_asked_for_a_password_that_opens_this_page_alone() {
    let gateway = plan().start();
    let bare = ask(&gateway, "GET /status", &[], "");
    assert_eq!(bare.status, 401);
    assert!(bare.header("www-authenticate").is_some_and(|asked| asked.starts_with("Basic realm=")));
    assert_eq!(bare.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(!bare.text().contains("<script") && bare.text().contains("Potrzebny token"));
    let wrong = ask(&gateway, "GET /status", &[&password("wrong")], "");
    assert_eq!((wrong.status, wrong.header("www-authenticate").is_some()), (401, true));
    // What could change something is given to no browser.
    for token in [TOKEN, JAN] {
        let asked = ask(&gateway, "GET /status", &[&password(token)], "");
        assert_eq!((asked.status, asked.header("www-authenticate").is_some()), (401, true));
        assert_eq!(ask(&gateway, "GET /status", &[&bearer(token)], "").status, 200);
    }
    gateway.has_said(&["typed a token that may change something into a browser", "\"jan\""]);
    for (who, token) in [("anna", ANNA)] {
        let page = ask(&gateway, "GET /status?language=en", &[&password(token)], "");
        assert_eq!(page.status, 200);
        assert!(page.text().contains(&format!("Operator: {who}")), "{}", page.text());
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("set-cookie"), None);
        // What a browser sends by itself opens nothing else.
        for line in ["GET /sessions", "GET /keys", "GET /log/level", "PUT /log/level"] {
            let json = "Content-Type: application/json";
            assert_eq!(ask(&gateway, line, &[&password(token), json], "").status, 401, "{line}");
        }
    }
    // The page knows two languages: of those that are wanted, one of these is chosen.
    for (wanted, heading) in [
        ("uk,pl;q=0.9", "Stan Bramy"),
        ("uk", "Stan Bramy"),
        ("uk,en;q=0.9", "State of the gateway"),
    ] {
        let wanted = format!("Accept-Language: {wanted}");
        let page = ask(&gateway, "GET /status", &[&password(ANNA), &wanted], "");
        assert!(page.text().contains(&format!("<h1>{heading}")), "{wanted}: {}", page.text());
    }
    for (query, status) in [("?language=pl", 200), ("?language=de", 400), ("?a=b", 400)] {
        let page = ask(&gateway, &format!("GET /status{query}"), &[&password(ANNA)], "");
        assert_eq!(page.status, status, "{query}");
    }
}

#[test]
fn a_link_leads_to_it_and_no_page_reads_or_frames_it() {
    let gateway = plan().start();
    let right = password(ANNA);
    let site = "Sec-Fetch-Site: cross-site";
    let rows: [(Fields<'_>, u16); 4] = [
        (&[site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"], 200),
        (&[site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"], 403),
        (&[site, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"], 403),
        (&["Origin: http://evil.example"], 403),
    ];
    for (fields, expected) in rows {
        let fields = [&[&*right], fields].concat();
        let page = ask(&gateway, "GET /status", &fields, "");
        assert_eq!(page.status, expected, "{fields:?}");
        assert!(expected != 200 || page.header("x-frame-options") == Some("DENY"));
    }
    assert_eq!(ask(&gateway, "GET /status", &["Host: rebound.example", &right], "").status, 421);
}

#[test]
fn it_shows_what_happened_and_no_citizen() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let before = super::operated(crate::harness::Plan::empty())
        .upstream("portal", &url)
        .route("/", "portal", "required");
    let simulator = Simulator::start(before.address());
    let gateway = before.node(&simulator).start();
    sign_in(&gateway, "anna");
    sign_in(&gateway, "lukasz");
    assert_eq!(gateway.connect().get(&gateway.host(), "/.brama/acs").status, 403);
    let page = ask(&gateway, "GET /status?language=en", &[&password(ANNA)], "").text();
    for text in [
        "2 in all, at most 2 a minute",
        "2 of ",
        "answers, 0 of ",
        "signing",
        "login.no_navigation",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    for secret in ["Anna", "84851401359", "brama="] {
        assert!(!page.contains(secret), "{secret} in {page}");
    }
}
