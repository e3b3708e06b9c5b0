//! What must hold for every page, whatever it says.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::html;

use super::appearance::STYLE;
use super::*;

const HOSTILE: &str = r#""><script>alert(1)</script><img onerror=x> & https://evil.test;"#;

const KEPT: KeptForm<'static> = KeptForm {
    target: "/tax",
    bytes: 1,
    name: "Anna",
    field: "brama-form",
    handle: "handle",
    discard: "/.brama/form",
};

const INCIDENT: Incident<'static> = Incident {
    told: None,
    reason: "login.reason",
    number: "K7Q2MXPA",
    request: "7f3a",
    time: "2031-01-15 09:00:00 (UTC+01:00)",
    begin_again: Some("/sprawa"),
    sign_out: None,
    home: None,
};

#[test]
fn escapes_every_argument_of_every_page() {
    let bad = HOSTILE;
    let odd = |portal_name, test_environment| {
        Branding::plain(Language::Polish, portal_name, Some(test_environment))
    };
    let kind = ErrorPage::OurFault;
    let outcome = LogoutOutcome::NotSignedIn;
    let pages = [
        send_to_node(odd(bad, "t"), "/", "", ""),
        send_to_node(odd("p", bad), "/", "", ""),
        send_to_node(odd("p", "t"), bad, "", ""),
        send_to_node(odd("p", "t"), "/", bad, ""),
        send_to_node(odd("p", "t"), "/", "", bad),
        error_page(odd(bad, "t"), kind, &Incident::default()),
        error_page(odd("p", bad), kind, &Incident::default()),
        error_page(odd("p", "t"), kind, &Incident { reason: bad, ..Incident::default() }),
        error_page(odd("p", "t"), kind, &Incident { number: bad, ..Incident::default() }),
        error_page(odd("p", "t"), kind, &Incident { request: bad, ..Incident::default() }),
        error_page(odd("p", "t"), kind, &Incident { time: bad, ..Incident::default() }),
        error_page(
            odd("p", "t"),
            kind,
            &Incident { begin_again: Some(bad), ..Incident::default() },
        ),
        error_page(odd("p", "t"), kind, &Incident { told: Some(bad), ..Incident::default() }),
        error_page(odd("p", "t"), kind, &Incident { sign_out: Some(bad), ..INCIDENT }),
        error_page(odd("p", "t"), kind, &Incident { home: Some(bad), ..INCIDENT }),
        signed_out(odd(bad, "t"), outcome, "/"),
        signed_out(odd("p", bad), outcome, "/"),
        signed_out(odd("p", "t"), outcome, bad),
        confirm_logout(odd(bad, "t"), "/", "", ("/", None)),
        confirm_logout(odd("p", bad), "/", "", ("/", None)),
        confirm_logout(odd("p", "t"), bad, "", ("/", None)),
        confirm_logout(odd("p", "t"), "/", bad, ("/", None)),
        confirm_logout(odd("p", "t"), "/", "", (bad, None)),
        confirm_logout(odd("p", "t"), "/", "", ("/", Some(bad))),
        landing(odd(bad, "t"), "/"),
        landing(odd("p", "t"), bad),
        kept_form(odd(bad, "t"), &KEPT),
        kept_form(odd("p", "t"), &KeptForm { target: bad, ..KEPT }),
        kept_form(odd("p", "t"), &KeptForm { name: bad, ..KEPT }),
        kept_form(odd("p", "t"), &KeptForm { handle: bad, ..KEPT }),
        document(Language::English, bad, None, html! {}, None, "'none'"),
        document(Language::English, "t", Some(bad), html! {}, None, "'none'"),
        document(Language::English, "t", None, html! { (bad) }, None, "'none'"),
        document(Language::English, "t", Some(bad), html! {}, None, bad),
    ];
    let escaped = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img onerror=x&gt; &amp;";
    for (number, page) in pages.iter().enumerate() {
        assert!(page.html.contains(escaped), "page {number}: {}", page.html);
        assert!(!page.html.contains("<script>alert"), "page {number}");
        assert!(!page.html.contains("<img"), "page {number}");
        assert!(!page.content_security_policy.contains("evil"), "page {number}");
    }
}

#[test]
fn policy_names_the_hashes_of_the_style_and_script_in_the_page() {
    for page in every_page() {
        let policy = &page.content_security_policy;
        let style = between(&page.html, "<style>", "</style>").expect("every page has a style");
        assert!(policy.contains(&format!("; style-src {};", hash(style))), "{policy}");
        match between(&page.html, "<script>", "</script>") {
            Some(script) => {
                assert!(policy.contains(&format!("; script-src {};", hash(script))), "{policy}");
            }
            None => assert!(!policy.contains("script-src"), "{policy}"),
        }
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(policy.contains("; base-uri 'none'; form-action "), "{policy}");
        assert!(policy.contains("; frame-ancestors "), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}

#[test]
fn no_page_fetches_anything_or_runs_script_from_an_attribute() {
    for page in every_page() {
        let html = page.html.replace("https://node.test/sso", "");
        for forbidden in ["http:", "https:", "//", "src=", "<link", "<img", "<iframe", " style="] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
        let handlers = html.match_indices(" on").filter(|(start, _)| {
            let name: String =
                html[start + 1..].chars().take_while(|letter| letter.is_alphabetic()).collect();
            html[start + 1 + name.len()..].starts_with('=')
        });
        assert_eq!(handlers.count(), 0, "{html}");
    }
    for forbidden in ["url(", "@import", "</", "\r"] {
        assert!(!STYLE.as_str().contains(forbidden), "{forbidden:?} in the stylesheet");
    }
}

#[test]
fn every_page_has_a_language_a_title_and_one_heading() {
    for page in every_page() {
        let language = between(&page.html, "<html lang=\"", "\"").expect("a language");
        assert!(["pl", "en", "uk"].contains(&language));
        assert_eq!(page.html.matches("<h1>").count(), 1, "{}", page.html);
        let title = between(&page.html, "<title>", "</title>").expect("a title");
        let heading = between(&page.html, "<h1>", "</h1>").expect("a heading");
        assert!(title.starts_with(heading), "{title} / {heading}");
    }
}

#[test]
fn shows_a_ribbon_in_a_test_environment_only() {
    let mut look = Branding::plain(Language::Polish, "Portal", Some("INT"));
    let page = signed_out(look, LogoutOutcome::NotSignedIn, "/");
    assert!(page.html.contains("<p class=\"ribbon\">Środowisko testowe: INT</p>"));
    look.test_environment = None;
    let page = signed_out(look, LogoutOutcome::NotSignedIn, "/");
    assert!(!page.html.contains("<p class=\"ribbon\">"));
}

#[test]
fn the_dialog_of_the_session_timer_keeps_the_contrast_too() {
    let pairs = [
        ("ink", "paper", 4.5),
        ("ink", "note", 4.5),
        ("on", "action", 4.5),
        ("on", "over", 4.5),
        ("action", "paper", 4.5),
        ("edge", "paper", 3.0),
        ("edge", "note", 3.0),
    ];
    let sheet = timer::STYLE;
    let (light, dark) =
        sheet.split_once("prefers-color-scheme: dark").expect("the sheet has both schemes");
    for (scheme, sheet) in [("light", light), ("dark", dark)] {
        for (front, back, least) in pairs {
            let contrast = colour(sheet, front).contrast(colour(sheet, back));
            assert!(contrast >= least, "{scheme}: {front} on {back} is {contrast:.2}");
        }
    }
}

#[test]
fn everything_that_is_seen_is_within_a_landmark_and_the_languages_are_links() {
    for page in every_page() {
        let body = between(&page.html, "<body>", "</body>").expect("a body");
        let body = match body.split_once("</a><header>") {
            Some((skip, _)) => body.trim_start_matches(skip).trim_start_matches("</a>"),
            None => body,
        };
        let mut rest = body;
        while let Some((_, inside)) = rest.split_once('<') {
            let name = inside.split(['>', ' ']).next().expect("a name");
            assert!(["header", "main", "footer", "script"].contains(&name), "{name} in {body}");
            rest = inside.split_once(&format!("</{name}>")).expect("an end").1;
        }
        let Some(switch) = between(&page.html, "<nav class=\"languages\"", "</nav>") else {
            continue;
        };
        assert_eq!(switch.matches("<a ").count(), Language::ALL.len() - 1, "{switch}");
        let to = "/.brama/language?to=en&amp;return_to=%2Ftax%3Fa%3Db%26c\"";
        assert!(switch.contains(to) || page.html.contains("<html lang=\"en\""), "{switch}");
    }
}

fn every_page() -> Vec<Page> {
    let mut pages = Vec::new();
    for language in Language::ALL {
        let switch = Switch { place: "/.brama/language", return_to: "/tax?a=b&c" };
        let plain = Branding::plain(language, "Portal", Some("INT"));
        let look = Branding { switch: Some(switch), ..plain };
        pages.push(send_to_node(look, "https://node.test/sso", "PHNhbWw+", "handle"));
        pages.push(confirm_logout(look, "/.brama/logout", "token", ("/", None)));
        pages.push(kept_form(look, &KEPT));
        pages.push(landing(look, "/.brama/login?begin=x"));
        for kind in ErrorPage::ALL {
            pages.push(error_page(look, kind, &INCIDENT));
        }
        for outcome in LogoutOutcome::ALL {
            pages.push(signed_out(look, outcome, "/"));
        }
        pages.push(document(language, "Title", None, html! { p { "text" } }, None, "'self'"));
    }
    pages
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

fn hash(inline: &str) -> String {
    let hash = digest::digest(&digest::SHA256, inline.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash))
}

fn colour(sheet: &str, name: &str) -> Rgb {
    let digits = between(sheet, &format!("--{name}: #"), ";").expect("the colour is in the sheet");
    Rgb::parse(&format!("#{digits}")).expect("six digits")
}
