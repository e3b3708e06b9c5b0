//! The tricky requests, each with the rule that it is for.

use super::case::{Case, Expected, FORGED, Places, case};
use super::ways;

/// Returns all of them.
pub(super) fn all(places: &Places, cookie: Option<&str>) -> Vec<Case> {
    let mut cases = Vec::new();
    unprotected(&mut cases, places);
    believed(&mut cases, places);
    ours(&mut cases, places, cookie);
    // Who is known to be nobody, or somebody.
    let public = places.public.as_deref().map(|path| (path, String::new(), false));
    let signed_in =
        cookie.map(|cookie| (&*places.protected, format!("Cookie: {cookie}\r\n"), true));
    for (path, cookie, is_somebody) in public.into_iter().chain(signed_in) {
        surviving(&mut cases, path, &cookie, is_somebody);
        ways::told(&mut cases, places, (path, &cookie), is_somebody);
    }
    ways::handshakes(&mut cases, places, cookie);
    cases
}

const UNPROTECTED: (&str, &str) = (
    "no path leads past the question",
    "ask for every request of the host, and say in the gateway's routes what is public",
);

/// Ways to write a place that asks who comes, without a session.
fn unprotected(cases: &mut Vec<Case>, places: &Places) {
    let place = &places.protected;
    let mut targets = vec![
        place.clone(),
        format!("{place}/"),
        format!("{place};x"),
        format!("/{place}"),
        format!("/.{place}"),
        format!("{place}/../brama-probe"),
        format!("{place}%2f"),
        format!("{place}%00"),
        format!("{place}?x=1"),
        format!("{place}#x"),
        format!("http://localhost{place}"),
    ];
    if let Some(public) = &places.public {
        for between in
            ["/..", "/%2e%2e", "/..;", "/..%2f", "/..%5c", "/..\\", "/%252e%252e", "//.."]
        {
            // From below the public place to the protected one.
            let up = between.repeat(public.matches('/').count());
            targets.push(format!("{public}{up}{place}"));
        }
        targets.push(format!("{place}/..;{public}"));
    }
    for target in targets {
        let expected = match &places.open {
            Some(open) if open.is_near(&target) => Expected::AtMost(open.clone()),
            _ => Expected::Refused,
        };
        cases.push(case(UNPROTECTED, ("GET", &target), "", expected));
    }
    for method in ["HEAD", "POST", "OPTIONS", "TRACE", "PROPFIND", "get", "FOO"] {
        cases.push(case(UNPROTECTED, (method, place), "", Expected::Refused));
    }
    for agent in ["kube-probe/1.30", "GoogleHC/1.0", "ELB-HealthChecker/2.0"] {
        let field = format!("User-Agent: {agent}\r\n");
        cases.push(case(UNPROTECTED, ("GET", place), &field, Expected::Refused));
    }
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    cases.push(case(UNPROTECTED, ("GET", place), h2c, Expected::Refused));
    let socket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    cases.push(case(UNPROTECTED, ("GET", place), socket, Expected::Refused));
}

const BELIEVED: (&str, &str) = (
    "the question is about the request, and not about what a client says it is",
    "set or clear every header from which the gateway reads a question",
);

/// Headers by which a client could have another request asked about.
fn believed(cases: &mut Vec<Case>, places: &Places) {
    let open = places.public.as_deref().unwrap_or("/favicon.ico");
    for line in [
        format!("X-Original-URI: {open}"),
        format!("X-Original-URL: {open}"),
        format!("X-Original-URL: http://localhost{open}"),
        format!("X-Rewrite-URL: {open}"),
        format!("X-Forwarded-Uri: {open}"),
        format!("X_Forwarded_Uri: {open}"),
        format!("X-Forwarded-Prefix: {open}"),
        "X-Original-Method: OPTIONS".to_owned(),
        "X-Forwarded-Method: OPTIONS".to_owned(),
        "X-HTTP-Method-Override: OPTIONS".to_owned(),
        "X-Forwarded-Host: localhost".to_owned(),
        "X-Original-Host: localhost".to_owned(),
        "Forwarded: host=localhost;proto=http".to_owned(),
        "X-Forwarded-For: 127.0.0.1".to_owned(),
        format!("X-Brama-Assertion: {FORGED}"),
        format!("Cookie: brama={FORGED}"),
    ] {
        let fields = format!("{line}\r\n");
        cases.push(case(BELIEVED, ("GET", &places.protected), &fields, Expected::Refused));
    }
}

const OURS: (&str, &str) = (
    "our own places are the gateway's",
    "send them to the gateway's listener for citizens without a question",
);
const ASKED: (&str, &str) = (
    "nobody but the proxy asks",
    "keep the place where the proxy asks from clients (nginx: internal)",
);

/// Somebody who is signed in would be told their identity at the place where the proxy asks.
fn ours(cases: &mut Vec<Case>, places: &Places, cookie: Option<&str>) {
    let keys = format!("{}jwks.json", places.ours);
    cases.push(case(OURS, ("GET", &keys), "", Expected::Ours("\"keys\"")));
    for place in
        ["/brama-decide", "/authz/auth-request", "/authz/forward-auth", "/authz/ext-authz/x"]
    {
        // That there is no such place is well: it is told by what an answer has in it.
        let told = cookie.map(|cookie| format!("Cookie: {cookie}\r\n"));
        let expected = Expected::Told { is_somebody: told.is_some(), must_pass: false };
        cases.push(case(ASKED, ("GET", place), &told.unwrap_or_default(), expected));
    }
}

const SURVIVING: (&str, &str) = (
    "no header of a client speaks of an identity at the portal",
    "take the header away in every spelling, before the question and before the request goes on",
);
const LOST: (&str, &str) = (
    "no client can take the identity away",
    "refuse requests whose Connection names it, or take such names out of Connection",
);
const PASSES: (&str, &str) = (
    "who may pass does, with one identity",
    "see what the gateway's log says of the request, and whether the proxy leads to this command",
);

/// Headers that could reach the portal beside the true identity.
fn surviving(cases: &mut Vec<Case>, path: &str, cookie: &str, is_somebody: bool) {
    let told = |must_pass| Expected::Told { is_somebody, must_pass };
    cases.push(case(PASSES, ("GET", path), cookie, told(true)));
    for name in [
        "X-Brama-Assertion",
        "x-brama-assertion",
        "X_Brama_Assertion",
        "X.Brama.Assertion",
        "X-Brama_Assertion",
        "X~Brama~Assertion",
        "X-Brama-Subject",
        "X_Brama_Subject",
        "Remote-User",
        "REMOTE_USER",
        "X-Remote-User",
        "X-Forwarded-User",
        "X-Forwarded-Email",
        "X-Forwarded-Preferred-Username",
        "X-Auth-Request-User",
        "X-Auth-Request-Email",
        "X-Forwarded-Host",
        "X-Original-URL",
        "X-Rewrite-URL",
    ] {
        let fields = format!("{cookie}{name}: {FORGED}\r\n");
        cases.push(case(SURVIVING, ("GET", path), &fields, told(false)));
    }
    let twice = format!("{cookie}X-Brama-Assertion: {FORGED}\r\nX-Brama-Assertion: {FORGED}\r\n");
    cases.push(case(SURVIVING, ("GET", path), &twice, told(false)));
    let named = format!("{cookie}Connection: close, X-Brama-Assertion\r\n");
    cases.push(case(LOST, ("GET", path), &named, told(false)));
}
