//! One request of the test: what it is, how it is sent, and what must become of it.

use super::portal::MARK;
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
    /// All that is as open as this one.
    pub(super) open: Option<Open>,
    /// The beginning of our own.
    pub(super) ours: String,
    /// Where pages of the portal come from.
    pub(super) origin: String,
}

/// The paths of a public route, and of the one that asks who comes: the more special one counts.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) public: String,
    pub(super) protected: String,
}

impl Open {
    /// Tells whether a target is public, whoever reads its path.
    pub(super) fn has(&self, target: &str) -> bool {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let is_plain =
            !path.contains("..") && !path.contains("//") && !path.contains(['%', ';', '\\']);
        is_plain && self.begins(path)
    }

    /// Tells whether a server could make a public one of a target.
    pub(super) fn is_near(&self, target: &str) -> bool {
        self.begins(target) || (!self.public.is_empty() && target.contains(&self.public))
    }

    fn begins(&self, target: &str) -> bool {
        let is_below = |root: &str| {
            let below = target.strip_prefix(root);
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let is_protected = self.protected.len() > self.public.len() && is_below(&self.protected);
        is_below(&self.public) && !is_protected
    }
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
    AtMost(Open),
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

/// Makes one that is sent over HTTP/1.1.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_public_when_nobody_could_read_another() {
        let open = |public: &str, protected: &str| Open {
            public: public.to_owned(),
            protected: protected.to_owned(),
        };
        let (beside, around) = (open("/public", "/tax"), open("", "/tax"));
        let (within, inside) = (open("/public", ""), open("/a", "/a/tax"));
        for (open, target, is_public) in [
            (&beside, "/public", true),
            (&beside, "/public/x?y=/../z", true),
            (&beside, "/publicx", false),
            (&beside, "/public/../tax", false),
            (&beside, "/public/..;/tax", false),
            (&beside, "/public//tax", false),
            (&beside, "/public/%2e%2e/tax", false),
            (&beside, "/public\\x", false),
            (&beside, "/tax", false),
            (&around, "/other", true),
            (&around, "/tax/brama-probe", false),
            (&around, "/taxi", true),
            (&around, "//tax/brama-probe", false),
            (&within, "/public/x", true),
            (&within, "/x", false),
            (&inside, "/a/x", true),
            (&inside, "/a/tax/x", false),
        ] {
            assert_eq!(open.has(target), is_public, "{open:?} {target}");
        }
        // What a server that cleans paths could make of it is another question.
        for (open, target, is_near) in [
            (&beside, "/public/../tax", true),
            (&beside, "/tax/..;/public", true),
            (&beside, "/tax/x", false),
            (&around, "//tax/x", true),
            (&around, "/tax/x", false),
        ] {
            assert_eq!(open.is_near(target), is_near, "{open:?} {target}");
        }
    }
}
