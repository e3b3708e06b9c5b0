//! Headers that a route removes, sets and adds.
//!
//! 1. Removed first, then set (in place of whatever is there), then added (beside it).
//! 2. A rule cannot touch what the rest of the program answers for: our identity headers in any
//!    spelling that folds to them, what speaks of one connection, the length and form of the body,
//!    `Host` (a route has a key of its own for it), cookies as they pass, and what we say of the
//!    client's address. [`Rules::parse`] is the only way to make rules, and refuses these.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::identity::headers::{IdentityHeader, identity_header};

/// The messages whose headers rules change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Of requests, on their way to an upstream.
    Request,
    /// Of answers, on their way to the client.
    Response,
}

/// What happens to the headers of one side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    remove: Vec<HeaderName>,
    set: Vec<(HeaderName, HeaderValue)>,
    add: Vec<(HeaderName, HeaderValue)>,
}

/// Rules as they are written: names, and lines such as `X-Frame-Options: DENY`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lines<'l> {
    /// Names of headers that go.
    pub remove: &'l [String],
    /// Headers that take the place of others.
    pub set: &'l [String],
    /// Headers that are added.
    pub add: &'l [String],
}

/// Why a rule is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no colon.
    #[error("has no colon between name and value")]
    NoColon,
    /// The name has characters that a name cannot have.
    #[error("is not the name of a header")]
    Name,
    /// The value has characters that a value cannot have.
    #[error("has a value with something else than visible ASCII in it")]
    Value,
    /// The name is that of an identity header, which is ours.
    #[error("is an identity header, which only the gateway itself may set")]
    Identity,
    /// The header speaks of the connection or of the framing of a body.
    #[error("belongs to the connection or frames the body, which is not for a rule to change")]
    Connection,
    /// The header is `Host`.
    #[error("is not for a rule to change; the route has host_header for it")]
    Host,
    /// It carries cookies, ours among them.
    #[error("carries or drops cookies, those of the session among them")]
    Cookies,
    /// We say it ourselves.
    #[error("is what the gateway itself says of the client, so a backend may believe it")]
    Forwarded,
}

/// The most rules on one side of one route.
pub const MAX_RULES: usize = 64;

impl Rules {
    /// Reads rules. Each refusal comes with its place: the list and the number in it.
    ///
    /// # Errors
    /// When a rule would touch what it must not, or is not written as one.
    pub fn parse(side: Side, lines: Lines<'_>) -> Result<Self, Vec<(&'static str, usize, Error)>> {
        let mut rules = Self::default();
        let mut errors = Vec::new();
        for (index, name) in lines.remove.iter().enumerate() {
            match removable(side, name) {
                Ok(name) => rules.remove.push(name),
                Err(error) => errors.push(("remove", index, error)),
            }
        }
        for (list, lines, kept) in
            [("set", lines.set, &mut rules.set), ("add", lines.add, &mut rules.add)]
        {
            for (index, line) in lines.iter().enumerate() {
                match settable(side, line) {
                    Ok(header) => kept.push(header),
                    Err(error) => errors.push((list, index, error)),
                }
            }
        }
        if errors.is_empty() { Ok(rules) } else { Err(errors) }
    }

    /// Removes, sets and adds, in this order.
    pub fn apply(&self, headers: &mut HeaderMap) {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, value) in &self.set {
            headers.insert(name.clone(), value.clone());
        }
        for (name, value) in &self.add {
            headers.append(name.clone(), value.clone());
        }
    }

    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.add.is_empty()
    }
}

fn settable(side: Side, line: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let (name, value) = line.split_once(':').ok_or(Error::NoColon)?;
    let name = HeaderName::try_from(name.trim()).map_err(|_| Error::Name)?;
    check(side, &name)?;
    let folded = folded(&name);
    match (side, folded.as_str()) {
        (Side::Request, "cookie") | (Side::Response, "set-cookie" | "clear-site-data") => {
            return Err(Error::Cookies);
        }
        (Side::Request, name)
            if name.starts_with("x-forwarded") || matches!(name, "forwarded" | "x-request-id") =>
        {
            return Err(Error::Forwarded);
        }
        _ => {}
    }
    let value = HeaderValue::from_str(value.trim()).ok().filter(|value| value.to_str().is_ok());
    Ok((name, value.ok_or(Error::Value)?))
}

fn removable(side: Side, name: &str) -> Result<HeaderName, Error> {
    let name = HeaderName::try_from(name.trim()).map_err(|_| Error::Name)?;
    check(side, &name)?;
    Ok(name)
}

/// What neither may be set nor removed.
fn check(side: Side, name: &HeaderName) -> Result<(), Error> {
    if identity_header(name.as_str()) != IdentityHeader::Foreign {
        return Err(Error::Identity);
    }
    match folded(name).as_str() {
        "connection"
        | "keep-alive"
        | "proxy-connection"
        | "proxy-authenticate"
        | "proxy-authorization"
        | "te"
        | "trailer"
        | "transfer-encoding"
        | "upgrade"
        | "http2-settings"
        | "content-length"
        | "expect" => Err(Error::Connection),
        "host" if side == Side::Request => Err(Error::Host),
        _ => Ok(()),
    }
}

/// Programs that get headers as variables see `Content_Length` as `Content-Length`.
fn folded(name: &HeaderName) -> String {
    let fold = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    name.as_str().chars().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(side: Side, list: &str, line: &str) -> Result<Rules, Error> {
        let line = [line.to_owned()];
        let lines = match list {
            "remove" => Lines { remove: &line, ..Lines::default() },
            "set" => Lines { set: &line, ..Lines::default() },
            _ => Lines { add: &line, ..Lines::default() },
        };
        Rules::parse(side, lines).map_err(|errors| errors[0].2)
    }

    #[test]
    fn removes_then_sets_then_adds() {
        let lines =
            |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let (remove, set, add) =
            (lines(&["Server", "X-A"]), lines(&["x-a: 1", "X-B:2:3"]), lines(&["x-c: 4", "x-c:"]));
        let all = Lines { remove: &remove, set: &set, add: &add };
        let rules = Rules::parse(Side::Response, all).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in [("server", "s"), ("x-a", "0"), ("x-b", "0"), ("x-c", "0")] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        rules.apply(&mut headers);
        let mut seen: Vec<_> =
            headers.iter().map(|(n, v)| format!("{n}={}", v.to_str().unwrap())).collect();
        seen.sort();
        assert_eq!(seen, ["x-a=1", "x-b=2:3", "x-c=", "x-c=0", "x-c=4"]);
    }

    #[test]
    fn rules_cannot_touch_what_others_answer_for() {
        use Error::{Connection, Cookies, Forwarded, Host, Identity, Name, NoColon, Value};
        for (side, list, line, error) in [
            (Side::Request, "set", "X-Brama-Assertion: x", Identity),
            (Side::Request, "set", "X_Brama_Assertion: x", Identity),
            (Side::Request, "remove", "x-brama-assertion", Identity),
            (Side::Response, "add", "X-Brama-Subject: x", Identity),
            (Side::Request, "set", "Host: evil", Host),
            (Side::Request, "remove", "host", Host),
            (Side::Request, "set", "Content-Length: 1", Connection),
            (Side::Request, "set", "Content_Length: 1", Connection),
            (Side::Request, "remove", "Transfer-Encoding", Connection),
            (Side::Response, "set", "Connection: close", Connection),
            (Side::Response, "set", "Upgrade: x", Connection),
            (Side::Request, "set", "Cookie: a=b", Cookies),
            (Side::Response, "add", "Set-Cookie: a=b", Cookies),
            (Side::Response, "set", "Clear-Site-Data: \"*\"", Cookies),
            (Side::Request, "set", "X-Forwarded-For: 1.2.3.4", Forwarded),
            (Side::Request, "add", "forwarded: for=1.2.3.4", Forwarded),
            (Side::Request, "set", "X-Request-Id: 1", Forwarded),
            (Side::Request, "set", "X-A", NoColon),
            (Side::Request, "set", ": x", Name),
            (Side::Request, "set", "X A: x", Name),
            (Side::Request, "remove", "X-A: x", Name),
            (Side::Request, "set", "X-A: a\r\nX-B: b", Value),
            (Side::Request, "set", "X-A: ż", Value),
        ] {
            assert_eq!(one(side, list, line), Err(error), "{side:?} {list} {line}");
        }
    }

    #[test]
    fn rules_may_touch_the_rest() {
        for (side, list, line) in [
            (Side::Request, "remove", "X-Forwarded-For"),
            (Side::Request, "remove", "Cookie"),
            (Side::Response, "remove", "Set-Cookie"),
            (Side::Response, "remove", "Server"),
            // It is of requests alone.
            (Side::Response, "set", "Host: x"),
            (Side::Response, "set", "X-Forwarded-For: x"),
            (Side::Response, "set", "Cookie: a=b"),
            (Side::Request, "set", "Set-Cookie: a=b"),
            (Side::Response, "set", "Content-Security-Policy: default-src 'self'"),
            (Side::Request, "set", "Authorization: Basic eDp5"),
        ] {
            assert!(one(side, list, line).is_ok(), "{line}");
        }
    }

    #[test]
    fn there_are_none_when_no_list_has_one() {
        assert!(Rules::default().is_empty());
        for (list, line) in [("remove", "X-A"), ("set", "X-A: 1"), ("add", "X-A: 1")] {
            assert!(!one(Side::Request, list, line).unwrap().is_empty(), "{list}");
        }
    }
}
