//! The life of a session, as its citizen and the operators see it.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, Gateway, Plan, Program, Simulator, TOKEN, python, sign_in};

/// A gateway whose portal wants everybody signed in, and what keeps it alive.
struct Place {
    _portal: Program,
    _simulator: Simulator,
    gateway: Gateway,
}

fn start(settings: &str) -> Option<Place> {
    if !tools::has(&[Tool::Python]) {
        return None;
    }
    let (portal, url) = python("recorder.py");
    let plan = Plan::empty()
        .upstream("portal", &url)
        .route("/", "portal", "required")
        .route("/public", "portal", "public")
        .with(&format!("\n[session]\n{settings}"))
        .operated();
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    Some(Place { _portal: portal, _simulator: simulator, gateway })
}

impl Place {
    fn ask(&self, method: &str, path: &str, cookie: &str, mode: &str) -> Answer {
        let (mut wire, host) = (self.gateway.connect(), self.gateway.host());
        wire.send(
            format!(
                "{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\
                 Sec-Fetch-Mode: {mode}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 0\r\n\r\n"
            )
            .as_bytes(),
        );
        wire.answer(method)
    }

    fn page(&self, cookie: &str) -> Answer {
        self.ask("GET", "/account?a=b", cookie, "navigate")
    }

    fn session(&self, cookie: &str) -> serde_json::Value {
        self.ask("GET", "/.brama/session", cookie, "cors").json()
    }

    fn listed(&self) -> Vec<serde_json::Value> {
        let (done, text) = self.gateway.operate(&["list"], "");
        assert!(done, "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn an_operator_sees_sessions_without_names_and_ends_them() {
    let Some(place) = start("idle = \"10m\"") else { return };
    let (anna, jan) = (sign_in(&place.gateway, "anna"), sign_in(&place.gateway, "lukasz"));
    let listed = place.listed();
    assert_eq!(listed.len(), 2);
    let text = format!("{listed:?}");
    for secret in ["Anna", "84851401359", anna.trim_start_matches("brama=")] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    // One, by its key.
    let sid = sid(&place, &anna);
    let hers = listed.iter().find(|seen| seen["sid"] == sid.as_str()).unwrap();
    let key = hers["key"].as_str().unwrap();
    assert!(place.gateway.operate(&["show", key], "").1.contains(&sid));
    assert_eq!(place.gateway.operate(&["end", key], ""), (true, "{\"ended\":1}\n".to_owned()));
    assert!(!place.gateway.operate(&["end", key], "").0, "it is gone");
    let page = place.page(&anna);
    assert_eq!(page.status, 401);
    assert!(page.text().contains("session.ended_by_operator"), "{}", page.text());
    assert!(page.text().contains("return_to=%2Faccount%3Fa%3Db"), "{}", page.text());
    assert_eq!(place.ask("GET", "/account", &anna, "cors").status, 401);
    assert_eq!(
        place.session(&anna),
        serde_json::json!({ "signed_in": false, "ended": "operator" })
    );
    assert_eq!(place.session(&jan)["signed_in"], true);
    assert_eq!(place.page(&jan).status, 200);
    // All of them.
    assert_eq!(place.gateway.operate(&["end-all", "--yes"], "").1, "{\"ended\":1}\n");
    assert_eq!(place.page(&jan).status, 401);
    assert!(place.listed().is_empty());
}

#[test]
fn an_operator_ends_all_sessions_of_a_person_whose_number_stands_in_no_address() {
    let Some(place) = start("idle = \"10m\"") else { return };
    let (first, second) = (sign_in(&place.gateway, "anna"), sign_in(&place.gateway, "anna"));
    let other = sign_in(&place.gateway, "lukasz");
    let pesel = "84851401359";
    assert_eq!(place.gateway.operate(&["end-person"], "02070803628\n").1, "{\"ended\":0}\n");
    assert_eq!(place.gateway.operate(&["end-person"], pesel).1, "{\"ended\":2}\n");
    for cookie in [&first, &second] {
        assert_eq!(place.page(cookie).status, 401);
    }
    assert_eq!(place.page(&other).status, 200);
    let said = place.gateway.program.said().join("\n");
    assert!(!said.contains(pesel), "the log has no number");
}

#[test]
fn the_operators_door_is_shut_without_the_token() {
    let Some(place) = start("idle = \"10m\"") else { return };
    let ask = |authorization: &str| {
        let mut wire = place.gateway.operations();
        wire.send(
            format!("GET /sessions HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n\r\n")
                .as_bytes(),
        );
        wire.answer("GET").status
    };
    assert_eq!(ask(&format!("Authorization: Bearer {TOKEN}")), 200);
    for wrong in ["A: b", "Authorization: Bearer x", &format!("Authorization: Basic {TOKEN}")] {
        assert_eq!(ask(wrong), 401, "{wrong}");
    }
    // Nor is it on the listener for citizens, or anywhere without a token.
    let public = place.ask("GET", "/sessions", "", "cors");
    assert_eq!(public.status, 401);
    let gateway = Plan::before("http://127.0.0.1:9").start();
    let mut wire = gateway.operations();
    wire.send(
        format!(
            "GET /sessions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        )
        .as_bytes(),
    );
    assert_eq!(wire.answer("GET").status, 404);
}

#[test]
fn who_signs_in_elsewhere_once_too_often_is_told_where_it_ended() {
    let Some(place) = start("maximum_per_person = 2") else { return };
    let cookies: Vec<_> = (0..3).map(|_| sign_in(&place.gateway, "anna")).collect();
    let other = sign_in(&place.gateway, "lukasz");
    let page = place.page(&cookies[0]);
    assert_eq!(page.status, 401);
    assert!(page.text().contains("session.signed_out_elsewhere"), "{}", page.text());
    assert!(page.text().contains("/.brama/login?return_to="));
    assert_eq!(place.session(&cookies[0])["ended"], "elsewhere");
    for cookie in [&cookies[1], &cookies[2], &other] {
        assert_eq!(place.page(cookie).status, 200);
        assert_eq!(place.session(cookie).get("ended"), None);
    }
}

#[test]
fn polling_does_not_prolong_a_session_and_saying_so_does() {
    let Some(place) = start("idle = \"2s\"") else { return };
    let (idle, kept) = (sign_in(&place.gateway, "anna"), sign_in(&place.gateway, "lukasz"));
    let begun = Instant::now();
    while place.session(&idle)["signed_in"] == true {
        assert!(begun.elapsed() < Duration::from_secs(10), "polling keeps it alive");
        assert_eq!(place.ask("GET", "/.brama/session.js", &idle, "no-cors").status, 200);
        let alive = place.ask("POST", "/.brama/keepalive", &kept, "cors");
        assert_eq!(alive.json()["signed_in"], true);
        assert_eq!(alive.json()["limit"], "idle");
        assert_eq!(alive.json()["idle_seconds"], 2);
        assert!(alive.json()["absolute_seconds_left"].as_i64().unwrap() > 2);
        sleep(Duration::from_millis(100));
    }
    assert!(begun.elapsed() >= Duration::from_millis(1500), "{:?}", begun.elapsed());
    // Time ended it, nobody did.
    assert_eq!(place.session(&idle), serde_json::json!({ "signed_in": false }));
    assert_eq!(place.session(&kept)["signed_in"], true);
    // Not with GET, and not for another site.
    assert_eq!(place.ask("GET", "/.brama/keepalive", &kept, "cors").status, 405);
    let (mut wire, host) = (place.gateway.connect(), place.gateway.host());
    wire.send(
        format!(
            "POST /.brama/keepalive HTTP/1.1\r\nHost: {host}\r\nCookie: {kept}\r\n\
             Sec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n\r\n"
        )
        .as_bytes(),
    );
    let refused = wire.answer("POST");
    assert_eq!(refused.status, 403);
}

/// Returns the public name of a session, as the portal is told it.
fn sid(place: &Place, cookie: &str) -> String {
    let answer = place.page(cookie);
    let seen = answer.json();
    let mut headers = seen["headers"].as_array().unwrap().iter();
    let token = headers.find(|header| header[0] == "x-brama-assertion").unwrap()[1].as_str();
    let payload = token.unwrap().split('.').nth(1).unwrap().replace('-', "+").replace('_', "/");
    let padding = "=".repeat((4 - payload.len() % 4) % 4);
    let bytes = brama::base::encoding::from_base64(&format!("{payload}{padding}")).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    claims["sid"].as_str().unwrap().to_owned()
}

#[test]
fn operators_are_told_when_a_list_stops_and_wrong_tokens_are_answered_slowly() {
    let Some(place) = start("") else { return };
    for _ in 0..3 {
        sign_in(&place.gateway, "anna");
    }
    let (done, text) = place.gateway.operate(&["list", "--limit", "2"], "");
    assert!(done && text.contains("stopped at 2 sessions, and there are more"), "{text}");
    let (done, text) = place.gateway.operate(&["list", "--limit", "3"], "");
    assert!(done && !text.contains("stopped"), "{text}");

    let ask = |token: &str| {
        let mut wire = place.gateway.operations();
        let request = format!(
            "GET /sessions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        wire.send(request.as_bytes());
        wire
    };
    let began = Instant::now();
    let mut wrong: Vec<_> = (0..12).map(|number| ask(&format!("wrong-{number}"))).collect();
    // The right one does not wait for them.
    assert_eq!(ask(TOKEN).answer("GET").status, 200);
    let mut found: Vec<_> = wrong.iter_mut().map(|wire| wire.answer("GET").status).collect();
    found.sort_unstable();
    assert_eq!(found, [vec![401; 8], vec![429; 4]].concat());
    assert!(began.elapsed() > Duration::from_secs(3), "{:?}", began.elapsed());
}
