//! What must come of a case, from the words of its table.
//!
//! | line | meaning |
//! |---|---|
//! | `400 request.framing` | refused with that status and reason (`or`: either one); the connection ends |
//! | `417` | refused with that status, whatever the reason |
//! | `answers 401 login_required` | answered by the gateway; the connection goes on |
//! | `passes GET /x` | the portal sees that, and its answer comes back; may be repeated |
//! | `status 204` | the portal's status, when it is not 200 |
//! | `closes` | the connection ends after the answer |
//! | `unfinished` | the client goes away in the middle; the portal sees no whole request |
//! | `header x: 1`, `no header x`, `body b`, `trailer x: 1` | of the last `passes` |

use super::judge::Seen;
use crate::harness::cases::unescape;

/// What must come of a case.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// The requests that the portal sees, in order.
    pub(super) passes: Vec<Passed>,
    /// How the gateway refuses the next one: any of these.
    pub(super) refused: Vec<Refusal>,
    /// What the gateway answers itself, without ending the connection.
    pub(super) answers: Option<Refusal>,
    pub(super) closes: bool,
    pub(super) unfinished: bool,
}

/// A request that arrives at the portal.
#[derive(Debug, Default)]
pub(super) struct Passed {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    no_headers: Vec<String>,
    body: Option<String>,
    trailers: Vec<(String, String)>,
}

/// A status, and the reasons that may go with it; none given is any.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) reasons: Vec<String>,
}

impl Verdict {
    pub(super) fn read(lines: &[String]) -> Self {
        let mut verdict = Self::default();
        for line in lines {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match (word, verdict.passes.last_mut()) {
                ("passes", _) => verdict.passes.push(Passed::read(rest)),
                ("answers", _) => verdict.answers = Some(Refusal::read(rest)),
                ("closes", _) => verdict.closes = true,
                ("unfinished", _) => verdict.unfinished = true,
                ("status", Some(passed)) => passed.status = rest.parse().unwrap(),
                ("header", Some(passed)) => passed.headers.push(field(rest)),
                ("no", Some(passed)) => {
                    let name = rest.strip_prefix("header ").expect("no header NAME");
                    passed.no_headers.push(name.to_owned());
                }
                ("body", Some(passed)) => passed.body = Some(text(rest)),
                ("trailer", Some(passed)) => passed.trailers.push(field(rest)),
                _ => verdict.refused.push(Refusal::read(line)),
            }
        }
        verdict
    }

    /// Tells whether there is a request that no portal may see.
    pub(super) fn is_refused(&self) -> bool {
        !self.refused.is_empty() || self.answers.is_some() || self.unfinished
    }
}

impl Refusal {
    fn read(text: &str) -> Self {
        let (status, reasons) = text.split_once(' ').unwrap_or((text, ""));
        let status = status.parse().unwrap_or_else(|_| panic!("{text:?} is no expectation"));
        let reasons = reasons.split(" or ").filter(|reason| !reason.is_empty());
        Self { status, reasons: reasons.map(str::to_owned).collect() }
    }
}

impl Passed {
    fn read(request: &str) -> Self {
        let (method, target) = request.split_once(' ').expect("passes METHOD TARGET");
        let method = method.to_owned();
        Self { method, target: text(target), status: 200, ..Self::default() }
    }

    /// Compares with what a portal saw.
    pub(super) fn check(&self, seen: &Seen) -> Result<(), String> {
        let fail = |what: String| Err(format!("{what}; the portal saw {seen:?}"));
        if (&seen.method, &seen.target) != (&self.method, &self.target) {
            return fail(format!("expected {} {}", self.method, self.target));
        }
        for (name, _) in &self.headers {
            let of = |fields: &[(String, String)]| -> Vec<String> {
                fields.iter().filter(|(n, _)| n == name).map(|(_, v)| v.clone()).collect()
            };
            let (expected, found) = (of(&self.headers), of(&seen.headers));
            if expected != found {
                return fail(format!("expected {name} as {expected:?}, found {found:?}"));
            }
        }
        for name in &self.no_headers {
            if seen.headers.iter().any(|(found, _)| found == name) {
                return fail(format!("expected no {name}"));
            }
        }
        if self.body.as_ref().is_some_and(|body| *body != seen.body) {
            return fail(format!("expected the body {:?}", self.body));
        }
        if self.trailers != seen.trailers {
            return fail(format!("expected the trailers {:?}", self.trailers));
        }
        Ok(())
    }
}

fn field(text: &str) -> (String, String) {
    let (name, value) = text.split_once(':').expect("a field has a colon");
    (name.to_owned(), self::text(value.trim()))
}

/// Returns what a text of the table stands for, one character for each byte, as portals report it.
fn text(escaped: &str) -> String {
    unescape(escaped).into_iter().map(char::from).collect()
}
