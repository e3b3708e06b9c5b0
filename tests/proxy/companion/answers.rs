//! What is answered: yes with one signed identity, and no in the words of each proxy.

use brama::base::encoding::from_base64url;
use serde_json::Value;

use super::{Asked, OVER_HTTP, Question, values};
use crate::harness::Answer;

const ROUTES: [(&str, &str, &str); 6] = [
    ("/", "required", "claims = [\"given_name\"]"),
    ("/public", "public", ""),
    ("/optional", "optional", ""),
    (
        "/named",
        "required",
        "identity = [\"assertion\", \"headers\", \"bearer\"]\nclaims = [\"given_name\"]",
    ),
    ("/high", "required", "assurance = \"high\""),
    ("/closed", "public", "maintenance = true"),
];

/// The claims of the one identity in an answer.
fn claims(answer: &Answer) -> Value {
    let [token] = values(answer, "x-brama-assertion")[..] else { panic!("{:?}", answer.headers) };
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&from_base64url(payload).unwrap()).unwrap()
}

fn is_yes(answer: &Answer) -> bool {
    answer.status == 200
}

#[test]
fn a_citizen_who_is_signed_in_passes_at_each_door_and_nobody_else() {
    let asked = Asked::start(&ROUTES);
    for door in OVER_HTTP {
        let yes = asked.ask(door, Question::navigation("/tax?year=2026"), &asked.cookie);
        assert!(is_yes(&yes), "{door}: {} {}", yes.status, yes.text());
        let said = claims(&yes);
        assert_eq!(said["given_name"], "Anna", "{door}");
        assert_eq!(said["aud"], "portal", "{door}");
        assert!(yes.header("set-cookie").is_none(), "{door}");
        assert_eq!(yes.header("cache-control"), Some("no-store"), "{door}");
        assert!(yes.body.is_empty(), "{door}");

        let forged = "Cookie: brama=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n";
        for cookie in ["", forged] {
            let no = asked.ask(door, Question::navigation("/tax?year=2026"), cookie);
            assert!(!is_yes(&no) && no.status >= 300, "{door}: {}", no.status);
            assert!(values(&no, "x-brama-assertion").is_empty(), "{door}");
            assert!(no.header("set-cookie").is_none(), "{door}: no login begins here");
        }
    }
}

#[test]
fn a_browser_is_led_to_sign_in_and_a_script_is_told_to() {
    let asked = Asked::start(&ROUTES);
    let login =
        asked.gateway.url("/.brama/login?return_to=%2Ftax%3Fyear%3D2026&assurance=substantial");
    for door in OVER_HTTP {
        let is_nginx = door.contains("nginx");
        let browser = asked.ask(door, Question::navigation("/tax?year=2026"), "");
        assert_eq!(browser.status, if is_nginx { 401 } else { 302 }, "{door}");
        assert_eq!(browser.header("location"), Some(&*login), "{door}");
        let script = asked.ask(door, Question::script("/tax"), "");
        assert_eq!(script.status, 401, "{door}");
        assert_eq!(script.header("location"), None, "{door}");
        assert_eq!(script.json()["error"], "login_required", "{door}");
        // A form is lost, and the page says so.
        let form = asked.ask(door, Question::navigation("/tax").by("POST"), "");
        assert_eq!(form.status, 401, "{door}");
        assert!(form.text().contains("request.form_without_session"), "{door}");
    }
}

#[test]
fn where_it_does_not_matter_who_asks_the_identity_says_nobody() {
    let asked = Asked::start(&ROUTES);
    for door in OVER_HTTP {
        for (path, cookie, is_anybody) in [
            ("/public", "", false),
            ("/public/x", &*asked.cookie, false),
            ("/optional", "", false),
            ("/optional", &*asked.cookie, true),
        ] {
            let yes = asked.ask(door, Question::script(path), cookie);
            assert!(is_yes(&yes), "{door} {path}: {}", yes.status);
            let said = claims(&yes);
            assert_eq!(said.get("sub").is_some(), is_anybody, "{door} {path}: {said}");
            assert_eq!(said.get("anonymous").is_some(), !is_anybody, "{door} {path}: {said}");
            assert_eq!(said["aud"], "portal");
        }
    }
}

#[test]
fn every_field_of_a_route_is_in_a_yes_so_that_it_takes_the_place_of_what_a_client_sent() {
    let lines = "identity = [\"assertion\", \"headers\", \"bearer\"]\nclaims = [\"given_name\"]";
    let asked = Asked::start(&[("/", "optional", lines)]);
    for door in OVER_HTTP {
        let anna = asked.ask(door, Question::script("/"), &asked.cookie);
        assert_eq!(values(&anna, "x-brama-given-name"), ["Anna"], "{door}");
        assert_eq!(values(&anna, "x-brama-family-name"), [""], "{door}");
        let [bearer] = values(&anna, "authorization")[..] else { panic!("{:?}", anna.headers) };
        assert!(bearer.starts_with("Bearer "));
        let nobody = asked.ask(door, Question::script("/"), "");
        assert!(is_yes(&nobody));
        for (name, value) in &anna.headers {
            let is_identity = name.starts_with("x-brama-") || name == "authorization";
            if is_identity && name != "x-brama-assertion" {
                assert_eq!(values(&nobody, name), [""], "{door} {name}: {value}");
            }
        }
    }
}

#[test]
fn a_yes_has_the_cookies_of_the_portal_without_ours() {
    let asked = Asked::start(&[("/", "required", ""), ("/public", "public", "")]);
    let session = asked.cookie.trim_end();
    for door in OVER_HTTP {
        for (path, fields, expected) in [
            ("/", asked.cookie.clone(), Some("")),
            ("/public", String::new(), Some("")),
            ("/", format!("{session}; a=1; b=2\r\n"), Some("a=1; b=2")),
            ("/", format!("Cookie: a=1\r\n{session}\r\nCookie: b=2\r\n"), Some("a=1; b=2")),
            ("/", format!("{session}; a={}\r\n", "x".repeat(8 * 1024)), None),
            // Two lines that a proxy joined by a comma.
            ("/public", format!("Cookie: a=1,{}\r\n", &session["Cookie: ".len()..]), None),
        ] {
            let answer = asked.ask(door, Question::script(path), &fields);
            match expected {
                Some(expected) => assert_eq!(values(&answer, "cookie"), [expected], "{door}"),
                None => {
                    assert!([400, 403, 431].contains(&answer.status), "{door} {}", answer.status);
                }
            }
        }
    }
}

#[test]
fn rules_hold_as_for_requests_that_go_on_from_here() {
    let asked = Asked::start(&[
        ("/", "required", ""),
        ("/high", "required", "assurance = \"high\""),
        ("/closed", "public", "maintenance = true"),
        ("/read", "public", "methods = [\"GET\"]"),
        ("/ws", "required", ""),
        ("/plain", "required", "upgrade = []"),
    ]);
    let with = |more: &str| format!("{}{more}", asked.cookie);
    for door in OVER_HTTP {
        let is_nginx = door.contains("nginx");
        let status = |question: Question<'_>, more: &str| asked.ask(door, question, more).status;
        let step_up = asked.ask(door, Question::navigation("/high"), &asked.cookie);
        assert_eq!(step_up.status, if is_nginx { 401 } else { 302 }, "{door}");
        assert!(step_up.header("location").unwrap().contains("assurance=high"), "{door}");
        let or = |plain: u16| if is_nginx { 403 } else { plain };
        assert_eq!(status(Question::script("/closed"), ""), or(503), "{door}");
        assert_eq!(status(Question::script("/read"), ""), 200, "{door}");
        assert_eq!(status(Question::script("/read").by("POST"), ""), or(405), "{door}");
        assert_eq!(status(Question::script("/").by("TRACE"), &asked.cookie), or(405), "{door}");
        // A method that a header claims, where it matters which it is.
        let claimed = "X-HTTP-Method-Override: DELETE\r\n";
        assert_eq!(status(Question::script("/read"), claimed), or(400), "{door}");
        // A second location that nobody judged.
        let copied = with("Destination: http://localhost/high\r\n");
        assert_eq!(status(Question::script("/").by("COPY"), &copied), or(403), "{door}");
        // A handshake from another site's page, and of a protocol that the route does not name.
        let shake = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let own = with(&format!("{shake}Origin: {}\r\n", asked.gateway.url("")));
        assert_eq!(status(Question::script("/ws"), &own), 200, "{door}");
        let foreign = with(&format!("{shake}Origin: https://evil.example\r\n"));
        assert_eq!(status(Question::script("/ws"), &foreign), 403, "{door}");
        assert_eq!(status(Question::script("/plain"), &own), 403, "{door}");
        // One over HTTP/2, of which a proxy tells before it has a key.
        let early = with("Sec-WebSocket-Version: 13\r\nOrigin: https://evil.example\r\n");
        assert_eq!(status(Question::script("/ws"), &early), 403, "{door}");
        assert_eq!(status(Question::script("/plain"), &early), 403, "{door}");
        assert_eq!(status(Question::script("/plain"), &asked.cookie), 200, "{door}");
        // A place of ours is not asked about.
        let ours = status(Question::navigation("/.brama/login"), "");
        assert_eq!(ours, or(421), "{door}");
    }
    // What is only asked about does not come to the portal's listener.
    let mut wire = asked.gateway.connect();
    let host = asked.gateway.host();
    wire.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n{}\r\n", asked.cookie).as_bytes());
    assert_eq!(wire.answer("GET").status, 421);
}

/// Some proxies take every 2xx for a yes.
#[test]
fn what_a_route_answers_itself_is_never_a_yes() {
    let asked = Asked::start_with(&[("/", "public", "")], |plan| {
        plan.answered("/fixed", "respond = { status = 200, body = \"hello\" }")
            .answered("/gone", "respond = { status = 410, body = \"gone\" }")
            .answered("/old", "redirect = { to = \"/new{path}\" }")
    });
    for door in OVER_HTTP {
        let or = |plain: u16| if door.contains("nginx") { 403 } else { plain };
        let fixed = asked.ask(door, Question::script("/fixed"), "");
        assert_eq!(fixed.status, 403, "{door}");
        assert!(values(&fixed, "x-brama-assertion").is_empty(), "{door}");
        assert_eq!(asked.ask(door, Question::script("/gone"), "").status, or(410), "{door}");
        let old = asked.ask(door, Question::navigation("/old/x"), "");
        assert_eq!(old.status, if door.contains("nginx") { 401 } else { 302 }, "{door}");
        assert_eq!(old.header("location"), Some(&*asked.gateway.url("/new/old/x")), "{door}");
    }
}

#[test]
fn a_session_that_has_ended_opens_no_door() {
    let asked = Asked::start_with(&[("/", "required", "")], crate::harness::Plan::operated);
    for door in OVER_HTTP {
        assert!(is_yes(&asked.ask(door, Question::script("/"), &asked.cookie)), "{door}");
    }
    let (is_well, said) = asked.gateway.operate(&["end-all", "--yes"], "");
    assert!(is_well, "{said}");
    for door in OVER_HTTP {
        assert_eq!(asked.ask(door, Question::script("/"), &asked.cookie).status, 401, "{door}");
    }
}
