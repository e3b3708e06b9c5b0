//! What happens to a request that may pass: it goes on to an upstream, or we answer it.
//!
//! 1. An action is looked at only when the gate said pass, so that a redirect or a fixed answer of
//!    a closed location tells nothing to a client that may not see it.
//! 2. A redirect leads to a host that the configuration names, or to the host that the request was
//!    for, which has routes. Nothing that a client chose stands before the path, not even the port
//!    of its `Host`, and the path begins with exactly one slash. So it cannot be made to lead
//!    elsewhere.
//! 3. What is answered is bounded and was checked when it was read.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

/// What happens to a request that may pass.
#[derive(Debug, Clone)]
pub enum Action {
    /// It goes on to a server of an upstream.
    Forward(Forward),
    /// The client is told to go elsewhere.
    Redirect(Redirect),
    /// It gets a fixed answer.
    Respond(Respond),
    /// The proxy in front that asked hands it on.
    Permit,
}

/// Where a request goes on to.
#[derive(Debug, Clone)]
pub struct Forward {
    /// The number of the upstream.
    pub upstream: usize,
    /// The `Host` that the upstream sees.
    pub host: HostHeader,
    /// What differs on this route from what holds for the upstream and the listener.
    pub bounds: Bounds,
    /// Whether the upstream takes `/Tax` and `/tax` for the same.
    pub ignores_case: bool,
}

impl Forward {
    /// Goes on to an upstream, with the host that came and nothing that differs.
    #[must_use]
    pub fn to(upstream: usize) -> Self {
        let (host, bounds) = (HostHeader::Preserve, Bounds::default());
        Self { upstream, host, bounds, ignores_case: false }
    }
}

/// Which `Host` an upstream sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostHeader {
    /// The canonical host of the request.
    Preserve,
    /// The host and port of the upstream's own address.
    Upstream,
    /// This one for every request, as the configuration has it.
    Fixed(HeaderValue),
}

/// Bounds of a route; what is absent is as the upstream or the listener has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// How long it may take until the head of the answer is there.
    pub response_timeout: Option<Duration>,
    /// How long nothing may come, in either direction.
    pub idle_timeout: Option<Duration>,
    /// The most bytes that the body of a request may have.
    pub max_body: Option<u64>,
}

/// The `respond` of a route: an answer that is the same for every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Respond {
    /// The status code, as configured.
    pub status: StatusCode,
    /// The type of the text.
    pub content_type: HeaderValue,
    /// The body, of at most [`MAX_FIXED_BODY`] bytes.
    pub body: Bytes,
}

/// The most bytes that a fixed answer may have.
pub const MAX_FIXED_BODY: usize = 64 * 1024;

/// Where a client is told to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The status code: 301, 302, 303, 307 or 308.
    pub status: StatusCode,
    target: Vec<Piece>,
}

/// The host of a request, for `{host}`. A port that the client wrote is no part of it.
#[derive(Debug, Clone, Copy)]
pub struct RedirectHost<'h> {
    /// Its canonical name, without port.
    pub name: &'h str,
    /// Scheme, host and port by which citizens know it, where the configuration says so.
    pub origin: Option<&'h str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Host,
    Path,
    Query,
}

/// Why a redirect cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is not an address.
    #[error(
        "begins neither with http:// or https:// and a host, nor with {{path}} or a single slash"
    )]
    NoAddress,
    /// There is a placeholder that is none.
    #[error("has a brace that belongs to none of {{host}}, {{path}} and {{query}}")]
    Placeholder,
    /// A placeholder stands where it could change the host.
    #[error("has {{host}} where it is not the whole host")]
    Host,
    /// The path would begin with two slashes, or go on in the middle of a segment.
    #[error("has {{path}} in a place where it does not begin the path or go on after a segment")]
    Path,
    /// The query would not be one.
    #[error("has {{query}} before a question mark")]
    Query,
    /// It has letters that an address cannot have.
    #[error("has a character that must be percent-encoded in an address")]
    Character,
    /// It is not a status of a redirect.
    #[error("is none of 301, 302, 303, 307 and 308")]
    Status,
}

impl Redirect {
    /// Reads a target such as `https://{host}/new{path}?{query}`.
    ///
    /// # Errors
    /// When a client could make it lead elsewhere, or it is no address.
    pub fn parse(status: u16, target: &str) -> Result<Self, TargetError> {
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|status| matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308))
            .ok_or(TargetError::Status)?;
        let pieces = pieces(target)?;
        check(&pieces)?;
        Ok(Self { status, target: pieces })
    }

    /// Returns the value of `Location`. `path` and `query` are as they came, the path rewritten.
    #[must_use]
    pub fn location(
        &self,
        host: RedirectHost<'_>,
        path: &str,
        query: Option<&str>,
    ) -> Option<HeaderValue> {
        let mut location = String::new();
        let mut pieces = self.target.iter().peekable();
        while let Some(piece) = pieces.next() {
            match (piece, query) {
                (Piece::Text(text), _) => location.push_str(text),
                (Piece::Host, _) => {
                    // The port of the origin belongs to its scheme, and gives way to one that
                    // the target has itself.
                    let has_port =
                        matches!(pieces.peek(), Some(Piece::Text(t)) if t.starts_with(':'));
                    let known = host.origin.and_then(|origin| origin.strip_prefix(&*location));
                    let is_host = scheme_less(&location) == Some("");
                    let authority = known.filter(|_| is_host && !has_port);
                    location.push_str(authority.unwrap_or(host.name));
                }
                (Piece::Path, _) => location.push_str(path),
                (Piece::Query, Some(query)) => location.push_str(query),
                // "?" and "&" are for a query that is there.
                (Piece::Query, None) => {
                    location.truncate(location.trim_end_matches(['?', '&']).len());
                }
            }
        }
        HeaderValue::try_from(location).ok()
    }
}

fn pieces(target: &str) -> Result<Vec<Piece>, TargetError> {
    let mut pieces = Vec::new();
    let mut rest = target;
    while !rest.is_empty() {
        let end = rest.find(['{', '}']).unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        // RFC 3986 2: everything else must be encoded. A backslash is a slash to browsers.
        let fits = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`|".contains(&byte);
        if !text.bytes().all(fits) {
            return Err(TargetError::Character);
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        let known = [("{host}", Piece::Host), ("{path}", Piece::Path), ("{query}", Piece::Query)];
        rest = match known.into_iter().find(|(name, _)| after.starts_with(name)) {
            Some((name, piece)) => {
                pieces.push(piece);
                &after[name.len()..]
            }
            None if after.is_empty() => after,
            None => return Err(TargetError::Placeholder),
        };
    }
    Ok(pieces)
}

/// Goes through the target as a browser would read it: scheme, host, path, query.
fn check(pieces: &[Piece]) -> Result<(), TargetError> {
    let mut pieces = pieces.iter().peekable();
    // 1. Up to the end of the host, nothing but the configuration and the whole {host} decides.
    let mut before = match pieces.next() {
        Some(Piece::Path) => "segment",
        Some(Piece::Text(text)) => match scheme_less(text) {
            Some("") => {
                let Some(Piece::Host) = pieces.next() else { return Err(TargetError::NoAddress) };
                match pieces.peek() {
                    Some(Piece::Text(after)) if is_after_host(after) => {}
                    None | Some(Piece::Path) => {}
                    Some(_) => return Err(TargetError::Host),
                }
                "host"
            }
            Some(rest) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                if rest[..end].parse::<http::uri::Authority>().is_err() || rest.contains('@') {
                    return Err(TargetError::NoAddress);
                }
                // `https://{path}` was refused above; `https://a{host}` ends here.
                if end == rest.len() && matches!(pieces.peek(), Some(Piece::Host | Piece::Query)) {
                    return Err(TargetError::Host);
                }
                rest
            }
            None if text.starts_with('/') && !text.starts_with("//") => text,
            None => return Err(TargetError::NoAddress),
        },
        Some(Piece::Host | Piece::Query) | None => return Err(TargetError::NoAddress),
    };
    // 2. The rest: one slash between what comes together, and a query only after its mark.
    let mut in_query = before.contains('?');
    for piece in pieces {
        before = match piece {
            Piece::Text(text) => {
                in_query |= text.contains('?');
                text
            }
            Piece::Host if in_query => "value",
            Piece::Host => return Err(TargetError::Host),
            Piece::Path if !in_query && before.ends_with('/') => return Err(TargetError::Path),
            Piece::Path => "segment",
            Piece::Query if in_query => "value",
            Piece::Query => return Err(TargetError::Query),
        };
    }
    Ok(())
}

fn scheme_less(text: &str) -> Option<&str> {
    text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))
}

/// A port, or the end of the host.
fn is_after_host(text: &str) -> bool {
    let port = text
        .strip_prefix(':')
        .map_or(text, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    port.is_empty() || port.starts_with(['/', '?', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(target: &str, query: Option<&str>) -> String {
        location_at(Some("https://portal.example:8443"), target, query)
    }

    fn location_at(origin: Option<&str>, target: &str, query: Option<&str>) -> String {
        let redirect = Redirect::parse(302, target).unwrap_or_else(|e| panic!("{target}: {e}"));
        let host = RedirectHost { name: "portal.example", origin };
        let location = redirect.location(host, "/a%20b/c", query).unwrap();
        location.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_host_has_the_port_of_the_configuration_or_none() {
        let (https, http) = ("https://portal.example:8443", "http://portal.example:8080");
        for (origin, target, expected) in [
            (Some(https), "https://{host}/x", "https://portal.example:8443/x"),
            (Some(https), "https://{host}", "https://portal.example:8443"),
            (Some("https://portal.example"), "https://{host}/x", "https://portal.example/x"),
            // The port is that of its scheme, and not of another one.
            (Some(https), "http://{host}/x", "http://portal.example/x"),
            (Some(http), "https://{host}/x", "https://portal.example/x"),
            (Some(http), "http://{host}/x", "http://portal.example:8080/x"),
            // One port is enough.
            (Some(https), "https://{host}:444/x", "https://portal.example:444/x"),
            (Some(https), "https://{host}:444", "https://portal.example:444"),
            (None, "https://{host}/x", "https://portal.example/x"),
            (None, "https://{host}:444/x", "https://portal.example:444/x"),
        ] {
            assert_eq!(location_at(origin, target, None), expected, "{origin:?} {target}");
        }
    }

    #[test]
    fn placeholders_stand_for_parts_of_the_request() {
        for (target, query, expected) in [
            (
                "https://{host}{path}?{query}",
                Some("q=1"),
                "https://portal.example:8443/a%20b/c?q=1",
            ),
            ("https://{host}{path}?{query}", None, "https://portal.example:8443/a%20b/c"),
            ("https://{host}", None, "https://portal.example:8443"),
            ("https://{host}/new{path}", Some("q"), "https://portal.example:8443/new/a%20b/c"),
            ("https://new.example{path}", None, "https://new.example/a%20b/c"),
            (
                "https://new.example:444/x?from={path}&{query}",
                None,
                "https://new.example:444/x?from=/a%20b/c",
            ),
            ("https://new.example/x?a=1&{query}", Some("b=2"), "https://new.example/x?a=1&b=2"),
            (
                "https://new.example/x?host={host}",
                None,
                "https://new.example/x?host=portal.example",
            ),
            ("/fixed#part", Some("q"), "/fixed#part"),
            ("/new{path}", None, "/new/a%20b/c"),
            ("{path}/", None, "/a%20b/c/"),
            ("/x?from=/{path}", None, "/x?from=//a%20b/c"),
            ("http://[::1]:80/", None, "http://[::1]:80/"),
        ] {
            assert_eq!(location(target, query), expected, "{target}");
        }
    }

    #[test]
    fn no_target_lets_a_client_choose_the_host() {
        use TargetError::{Character, Host, NoAddress, Path, Placeholder, Query};
        for (target, error) in [
            ("", NoAddress),
            ("{host}", NoAddress),
            ("{query}", NoAddress),
            ("//evil.example", NoAddress),
            ("//{host}", NoAddress),
            ("new", NoAddress),
            ("javascript:alert(1)", NoAddress),
            ("ftp://a", NoAddress),
            ("https://", NoAddress),
            ("https://{path}", NoAddress),
            ("https://{query}", NoAddress),
            ("https://user@a.example/", NoAddress),
            ("https://[::1/", NoAddress),
            ("https://a b.example/", Character),
            ("/\\evil.example", Character),
            ("/żółw", Character),
            ("https://a{host}/", Host),
            ("https://{host}.evil.example/", Host),
            ("https://{host}{host}", Host),
            ("https://{host}@evil.example/", Host),
            ("https://{host}:80@evil.example/", Host),
            ("/{host}", Host),
            ("/{path}", Path),
            ("https://new.example/{path}", Path),
            ("{query}?", NoAddress),
            ("/x{query}", Query),
            ("https://new.example{query}", Host),
            ("/x{name}", Placeholder),
            ("/x}", Placeholder),
        ] {
            assert_eq!(Redirect::parse(302, target), Err(error), "{target}");
        }
        for status in [200, 300, 304, 305, 400, 999, 1000] {
            assert_eq!(Redirect::parse(status, "/"), Err(TargetError::Status), "{status}");
        }
    }
}
