//! The tricky requests, each with the rule that it is for.

use super::portal::MARK;
use super::ways;
use crate::base::encoding::from_base64url;
use crate::base::random;

/// Stands in every field that a client writes in place of a proxy.
pub(super) const FORGED: &str = "brama-forged";

/// Places that the tests ask for.
#[derive(Debug)]
pub(super) struct Places {
    /// One that asks who comes.
    pub(super) protected: String,
    /// One that does not.
    pub(super) public: Option<String>,
    /// The path of the route that this one is in.
    pub(super) public_root: Option<String>,
    /// The beginning of our own.
    pub(super) ours: String,
    /// Where pages of the portal come from.
    pub(super) origin: String,
}

/// One request.
#[derive(Debug)]
pub(super) struct Case {
    /// The rule that it tests.
    pub(super) rule: &'static str,
    /// What to do when it is broken.
    pub(super) advice: &'static str,
    method: String,
    target: String,
    fields: String,
    pub(super) manner: Manner,
    pub(super) expected: Expected,
}

/// How a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Over HTTP/1.1, on a connection of its own.
    Plain,
    /// The same, with these bytes before everything, TLS too.
    Behind(&'static [u8]),
    /// As the handshake of a WebSocket over HTTP/2 (RFC 8441), where the proxy speaks that.
    OverHttp2,
}

/// What must become of it.
#[derive(Debug)]
pub(super) enum Expected {
    /// It does not reach the portal.
    Refused,
    /// It reaches the portal nowhere but below this public place, as every server reads it: a proxy
    /// that cleans paths before it asks may find it there.
    AtMost(String),
    /// The gateway answers, with this in it.
    Ours(&'static str),
    /// What reaches the portal has one identity and nothing that the client wrote; it may also be
    /// refused, unless it must pass.
    Told { is_somebody: bool, must_pass: bool },
    /// The portal's answer, which leads elsewhere, is handed on as it is.
    Undiverted,
}

/// A request with a mark by which it is known at the portal.
pub(super) struct Marked {
    pub(super) mark: String,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) fields: String,
}

impl Case {
    /// Has it sent in another way.
    pub(super) fn sent(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    /// Puts a mark into its query.
    pub(super) fn marked(&self, number: usize) -> Marked {
        let mark = format!("{MARK}{number}-{}", random::unique_name());
        let sign = if self.target.contains('?') { '&' } else { '?' };
        let (before, after) = match self.target.split_once('#') {
            Some((before, after)) => (before, format!("#{after}")),
            None => (&*self.target, String::new()),
        };
        Marked {
            target: format!("{before}{sign}{mark}{after}"),
            mark,
            method: self.method.clone(),
            fields: format!("Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n{}", self.fields),
        }
    }

    /// Returns it for people; a cookie is not shown.
    pub(super) fn shown(&self) -> String {
        let fields = self.fields.lines().filter(|line| !line.starts_with("Cookie:"));
        let fields: Vec<_> = fields.collect();
        format!("{} {}  {}", self.method, self.target, fields.join("  ")).trim_end().to_owned()
    }
}

/// Tells whether a token says nobody; `None` when it is none.
pub(super) fn is_anonymous(token: &str) -> Option<bool> {
    let payload = from_base64url(token.split('.').nth(1)?)?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    claims.get("iss")?;
    Some(claims.get("sub").is_none())
}

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

pub(super) fn case(
    (rule, advice): (&'static str, &'static str),
    line: (&str, &str),
    fields: &str,
    expected: Expected,
) -> Case {
    let (method, target) = (line.0.to_owned(), line.1.to_owned());
    let (fields, manner) = (fields.to_owned(), Manner::Plain);
    Case { rule, advice, method, target, fields, manner, expected }
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
        let expected = match &places.public_root {
            Some(root) if target.contains(&**root) => Expected::AtMost(root.clone()),
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
