//! A gateway before a portal that says what it sees.

use std::time::Duration;

use serde_json::Value;

use super::verdict::{Refusal, Verdict};
use crate::harness::cases::Case;
use crate::harness::{Answer, End, Gateway, Nginx, NoAnswer, Plan, Program, Wire, node, python};

/// How the bytes of a case are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    InOnePiece,
    ByteByByte,
}

/// A request as a portal saw it. What differs from request to request is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) trailers: Vec<(String, String)>,
}

/// A portal that records, and the gateway before it.
pub(super) struct Judge {
    pub(super) name: &'static str,
    pub(super) gateway: Gateway,
    portal: Program,
    fence: Fence,
}

/// What became of the connection after a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Afterwards {
    /// The request behind it was answered.
    GoesOn,
    Ends,
}

/// What stands right behind every case on the same connection.
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// How long we wait for what must not come, or for an end.
const SHORT: Duration = Duration::from_secs(3);

impl Judge {
    pub(super) fn node() -> Self {
        let (portal, url) = node("recorder.js");
        Self::over("Node", portal, &url)
    }

    pub(super) fn python() -> Self {
        let (portal, url) = python("recorder.py");
        Self::over("Python", portal, &url)
    }

    fn over(name: &'static str, portal: Program, url: &str) -> Self {
        let gateway = gateway(url);
        let fence = Fence::new(&gateway);
        Self { name, gateway, portal, fence }
    }

    /// Sends a case and compares all that comes of it. Returns what the portal saw.
    pub(super) fn try_case(
        &mut self,
        case: &Case,
        verdict: &Verdict,
        delivery: Delivery,
    ) -> Result<Vec<Seen>, String> {
        let conversation = converse(&self.gateway, case, verdict, delivery);
        // Also after a failure, so that the next case does not find what is left of this one.
        let seen = self.seen();
        let goes_on = conversation? == Afterwards::GoesOn;
        let seen = seen?;

        let expected = verdict.passes.len() + usize::from(goes_on);
        if seen.len() != expected {
            return Err(format!("the portal saw {} requests: {seen:?}", seen.len()));
        }
        for (passed, seen) in verdict.passes.iter().zip(&seen) {
            passed.check(seen)?;
        }
        if goes_on && seen.last().is_none_or(|last| last.target != "/next" || !last.body.is_empty())
        {
            return Err(format!("the request behind it was not seen as sent: {seen:?}"));
        }
        Ok(seen)
    }

    /// Returns what the portal has seen since it was last asked.
    pub(super) fn seen(&mut self) -> Result<Vec<Seen>, String> {
        let fence = self.fence.pass();
        let mut seen = Vec::new();
        let mut unreadable = None;
        self.portal.wait_for(|line| {
            let event: Value = serde_json::from_str(line).ok()?;
            match event["kind"].as_str() {
                Some("request") if event["target"] == *fence => return Some(()),
                Some("request") => seen.push(Seen::read(&event)),
                Some("unreadable") => unreadable = Some(event["why"].to_string()),
                _ => {}
            }
            None
        });
        unreadable.map_or(Ok(seen), |why| Err(format!("the portal could not read it: {why}")))
    }
}

/// What the client sees of a case.
fn converse(
    gateway: &Gateway,
    case: &Case,
    verdict: &Verdict,
    delivery: Delivery,
) -> Result<Afterwards, String> {
    let mut wire = gateway.connect();
    wire.patience(SHORT);
    let mut bytes = case.bytes.clone();
    if !verdict.unfinished {
        bytes.extend(NEXT);
    }
    match delivery {
        Delivery::InOnePiece => wire.send(&bytes),
        Delivery::ByteByByte => wire.send_in_pieces(&bytes, 1 + bytes.len() / 1000),
    }
    if verdict.unfinished {
        wire.finish();
        let rest = wire.rest().ok_or("the connection does not end")?;
        let is_success = rest.starts_with(b"HTTP/1.1 2");
        return if is_success { Err("it was answered".to_owned()) } else { Ok(Afterwards::Ends) };
    }
    for passed in &verdict.passes {
        let answer = wire.try_answer(&passed.method).map_err(|none| format!("{none:?}"))?;
        let is_whole =
            answer.end == End::Complete || answer.end == End::ByClosing && verdict.closes;
        if answer.status != passed.status || !is_whole {
            return Err(format!("answered {} {}", answer.status, answer.text()));
        }
    }
    let mut afterwards = if verdict.closes { Afterwards::Ends } else { Afterwards::GoesOn };
    if let Some(refusal) = &verdict.answers {
        refusal.check(&wire.try_answer("GET").map_err(|none| format!("{none:?}"))?)?;
    }
    if !verdict.refused.is_empty() {
        let answer = wire.try_answer("GET").map_err(|none| format!("refused with {none:?}"))?;
        let fits = verdict.refused.iter().map(|refusal| refusal.check(&answer));
        fits.reduce(Result::or).expect("there is one")?;
        if answer.header("connection") != Some("close") {
            return Err("the refusal does not announce the end of the connection".to_owned());
        }
        afterwards = Afterwards::Ends;
    }
    if afterwards == Afterwards::GoesOn {
        match wire.try_answer("GET") {
            Ok(answer) if answer.status == 200 => {}
            Ok(answer) => return Err(format!("then {} {}", answer.status, answer.text())),
            // Answered before its body was there: then the rest of it need not be read.
            Err(NoAnswer::Closed) if verdict.answers.is_some() => afterwards = Afterwards::Ends,
            Err(none) => return Err(format!("then {none:?}")),
        }
        wire.finish();
    }
    match wire.rest() {
        None => Err("the connection does not end".to_owned()),
        Some(rest) if rest.is_empty() => Ok(afterwards),
        Some(rest) => Err(format!("more came: {}", String::from_utf8_lossy(&rest))),
    }
}

impl Refusal {
    fn check(&self, answer: &Answer) -> Result<(), String> {
        let reason = answer.reason();
        let fits = self.reasons.is_empty() || self.reasons.contains(&reason);
        if answer.status == self.status && fits {
            return Ok(());
        }
        Err(format!("answered {} {reason}", answer.status))
    }
}

impl Seen {
    fn read(event: &Value) -> Self {
        let text = |key: &str| event[key].as_str().unwrap().to_owned();
        let fields = |key: &str| -> Vec<(String, String)> {
            serde_json::from_value(event[key].clone()).unwrap()
        };
        let mut headers = fields("headers");
        // These differ between gateways.
        let is_ours = |(name, value): &(String, String)| {
            name == "x-request-id" || name == "via" && value.contains("brama-")
        };
        headers.retain(|field| !is_ours(field));
        Self {
            method: text("method"),
            target: text("target"),
            headers,
            body: text("body"),
            trailers: fields("trailers"),
        }
    }
}

/// nginx, which must log what passed as it was sent.
pub(super) struct NginxJudge {
    nginx: Nginx,
    gateway: Gateway,
    fence: Fence,
    read: usize,
}

impl NginxJudge {
    pub(super) fn start() -> Self {
        let nginx = Nginx::start("location / { return 200 nginx; }");
        let gateway = gateway(&nginx.url);
        let fence = Fence::new(&gateway);
        Self { nginx, gateway, fence, read: 0 }
    }

    pub(super) fn try_case(&mut self, case: &Case, verdict: &Verdict) -> Result<(), String> {
        let mut wire = self.gateway.connect();
        wire.send(&case.bytes);
        for passed in &verdict.passes {
            wire.try_answer(&passed.method).map_err(|none| format!("nginx: {none:?}"))?;
        }
        let fence = self.fence.pass();
        let lines = self.nginx.log_until(|line| line.contains(&fence));
        // Connection, request on it, status, method, target, length.
        let words = lines[self.read..].iter().map(|line| line.split(' ').collect::<Vec<_>>());
        let found: Vec<_> = words
            .filter(|words| words[4] != fence)
            .map(|words| format!("{} {} {}", words[2], words[3], words[4]))
            .collect();
        self.read = lines.len();
        let expected: Vec<_> = verdict
            .passes
            .iter()
            .map(|passed| format!("200 {} {}", passed.method, passed.target))
            .collect();
        let same = found == expected;
        if same { Ok(()) } else { Err(format!("nginx saw {found:?}, expected {expected:?}")) }
    }
}

/// Requests after which all earlier ones have been seen.
struct Fence {
    wire: Wire,
    count: u32,
}

impl Fence {
    fn new(gateway: &Gateway) -> Self {
        Self { wire: gateway.connect(), count: 0 }
    }

    /// Passes one and returns its target.
    fn pass(&mut self) -> String {
        self.count += 1;
        let target = format!("/fence/{}", self.count);
        assert_eq!(self.wire.get("localhost", &target).status, 200);
        target
    }
}

/// A route that takes whatever a route may take.
const LENIENT: &str = "lenient_paths = [\"encoded_slash\", \"empty_segment\", \
                       \"encoded_semicolon\", \"not_utf8\"]";

fn gateway(portal: &str) -> Gateway {
    Plan::before(portal)
        .route("/account", "portal", "required")
        .route("/lenient", "portal", "public")
        .with(LENIENT)
        .route("/lenient/below", "portal", "public")
        .route("/", "portal", "public")
        .with("host = \"news.localhost\"")
        .start()
}
