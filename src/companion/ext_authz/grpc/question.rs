//! What Envoy asks about, out of its message.
//!
//! | what | from |
//! |---|---|
//! | method | `method` |
//! | path and query | `path` |
//! | host | `host` |
//! | scheme | `scheme` |
//! | client | `source.address` |
//! | headers | `header_map` where it is there, `headers` otherwise |
//!
//! 1. None may be missing. The headers say the same once more (`:method` and so on), and must.
//! 2. In `headers` Envoy joins what came in several lines with commas, cookies too, where nobody
//!    can tell them from a comma in a value; and it writes `!` in place of bytes that are not UTF-8,
//!    in `path` too. A cookie with a comma is refused there, and a path with `!`. In `header_map`
//!    (`encode_raw_headers`) all is as it came.
//! 3. There are as many headers as a request to the gateway itself may have.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{COOKIE, HOST};
use http::{HeaderMap, HeaderValue};
use prost::Message as _;

use super::messages::{Attributes, CheckRequest, Header, Headers, HttpRequest};
use crate::base::reason::Reason;
use crate::companion::asked::{Named, Question};
use crate::companion::error::Error;
use crate::companion::naming::Naming;
use crate::gateway::failure::Failure;
use crate::wire::head::{Bounds, names};
use crate::wire::refusal::Refusal;

/// Reads a question. The client's headers are put into `known` too, as far as they can be read: a
/// refusal is told in the client's own way.
pub(super) fn read(
    message: Bytes,
    bounds: &Bounds,
    known: &mut HeaderMap,
) -> Result<Question, Failure> {
    let request = CheckRequest::decode(message)
        .map_err(|error| unreadable(format!("the message cannot be read: {error}")))?;
    let Attributes { source, request } = request.attributes.unwrap_or_default();
    let http = request.and_then(|request| request.http).unwrap_or_default();
    let HttpRequest { method, headers, header_map, path, host, scheme, query, fragment } = http;

    // 1. Each value from its place.
    let address = source.and_then(|source| source.address?.socket_address).unwrap_or_default();
    let named = Named {
        method: text("request.http.method", &method)?,
        target: text("request.http.path", &path)?,
        host: text("request.http.host", &host)?,
        scheme: text("request.http.scheme", &scheme)?,
        client: client(text("source.address.socket_address", &address.address)?)?,
    };
    if !query.is_empty()
        && named.target.split_once('?').map(|(_, it)| it.as_bytes()) != Some(&query)
    {
        return Err(Error::Conflict("request.http.query").into());
    }
    if !fragment.is_empty() {
        return Err(Error::Conflict("request.http.fragment").into());
    }

    // 2. The headers, and what they say of the same.
    let (lines, are_raw) = match header_map {
        Some(Headers { headers: raw }) if headers.is_empty() => (raw, true),
        Some(_) => return Err(Error::Conflict("request.http.header_map").into()),
        None => (headers, false),
    };
    check_size(&lines, bounds)?;
    known.reserve(lines.len());
    let mut is_path_raw = false;
    for line in lines {
        match line.key.strip_prefix(b":") {
            Some(_) => {
                let name = check_pseudo(&line, are_raw, &named)?;
                is_path_raw |= are_raw && name == PATH;
            }
            None => add(known, line, are_raw, &named)?,
        }
    }
    if !is_path_raw && named.target.contains('!') {
        return Err(unreadable(
            "the path has a `!`, which Envoy also writes in place of bytes that are not UTF-8; set \
             encode_raw_headers, so that they can be told apart",
        ));
    }
    Question::read(named, &Naming::look(known))
}

/// Returns a value that must be there.
fn text<'b>(name: &'static str, bytes: &'b Bytes) -> Result<&'b str, Error> {
    match std::str::from_utf8(bytes) {
        Ok("") => Err(Error::NotOne(name)),
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(text),
        _ => Err(Error::malformed(name, bytes)),
    }
}

fn client(text: &str) -> Result<IpAddr, Error> {
    let address = text.parse();
    address.map_err(|_| Error::malformed("source.address.socket_address", text.as_bytes()))
}

/// Refuses what would be too large as a request.
fn check_size(lines: &[Header], bounds: &Bounds) -> Result<(), Refusal> {
    // The four that say the method and the target once more.
    if lines.len() > bounds.fields + SAME.len() {
        return Err(Refusal::TooManyFields(bounds.fields));
    }
    let length = |line: &Header| line.key.len() + line.value.len() + line.raw_value.len();
    match lines.iter().map(length).sum::<usize>() > bounds.bytes {
        true => Err(Refusal::HeadTooLong(bounds.bytes)),
        false => Ok(()),
    }
}

/// Holds what the headers say of the request against what the message does.
fn check_pseudo(line: &Header, are_raw: bool, named: &Named<'_>) -> Result<&'static str, Error> {
    let Some(name) = SAME.into_iter().find(|name| line.key == *name) else {
        return Err(Error::malformed("a pseudo-header", &line.key));
    };
    let expected = match name {
        METHOD => named.method,
        PATH => named.target,
        AUTHORITY => named.host,
        _ => named.scheme,
    };
    match value(line, are_raw)? == expected {
        true => Ok(name),
        false => Err(Error::Conflict(name)),
    }
}

fn add(
    known: &mut HeaderMap,
    line: Header,
    are_raw: bool,
    named: &Named<'_>,
) -> Result<(), Failure> {
    let name =
        names::name(&line.key).map_err(|_| Error::malformed("the name of a header", &line.key))?;
    let value = value(&line, are_raw)?.clone();
    if name == HOST && value != named.host {
        return Err(Error::Conflict("host").into());
    }
    if name == COOKIE && !are_raw && value.contains(&b',') {
        return Err(unreadable(
            "cookie has a comma, with which Envoy also joins several lines; set encode_raw_headers, \
             so that they come as they are",
        ));
    }
    let value = HeaderValue::from_maybe_shared(value)
        .map_err(|_| Error::malformed("the value of a header", &line.key))?;
    known.append(name, value);
    Ok(())
}

/// Returns the value of a header; it stands in one place.
fn value(line: &Header, are_raw: bool) -> Result<&Bytes, Error> {
    match (line.value.is_empty(), line.raw_value.is_empty()) {
        (_, true) if !are_raw => Ok(&line.value),
        (true, _) if are_raw => Ok(&line.raw_value),
        (false, true) => Ok(&line.value),
        _ => Err(Error::malformed("a header with two values", &line.key)),
    }
}

fn unreadable(detail: impl Into<String>) -> Failure {
    Failure::malformed(Reason::CompanionHeader, detail)
}

const METHOD: &str = ":method";
const PATH: &str = ":path";
const AUTHORITY: &str = ":authority";
const SAME: [&str; 4] = [METHOD, PATH, AUTHORITY, ":scheme"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::messages::{Address, Request, SocketAddress, Source};
    use super::*;
    use crate::companion::asked::Asked;
    use crate::request::service::Peer;

    fn asked(message: Bytes) -> Result<Asked, Failure> {
        let peer = Peer::new(([127, 0, 0, 1], 1).into(), false);
        let (mut parts, ()) = http::Request::new(()).into_parts();
        let question = read(message, &Bounds::default(), &mut parts.headers)?;
        Ok(question.about(Box::new(parts), &peer))
    }

    fn header(key: &'static str, value: &'static str) -> Header {
        Header { key: key.into(), value: value.into(), ..Header::default() }
    }

    fn whole() -> CheckRequest {
        let socket_address = Some(SocketAddress { address: "192.0.2.7".into() });
        let http = HttpRequest {
            method: "GET".into(),
            path: "/a?b=1".into(),
            host: "portal.example".into(),
            scheme: "https".into(),
            headers: vec![header(":path", "/a?b=1"), header("accept", "*/*")],
            ..HttpRequest::default()
        };
        CheckRequest {
            attributes: Some(Attributes {
                source: Some(Source { address: Some(Address { socket_address }) }),
                request: Some(Request { http: Some(http) }),
            }),
        }
    }

    #[test]
    fn a_whole_question_is_read() {
        let asked = asked(whole().encode_to_vec().into()).unwrap();
        assert_eq!((&*asked.parts.method.to_string(), asked.parts.uri.path()), ("GET", "/a"));
        assert_eq!(asked.parts.uri.query(), Some("b=1"));
        assert_eq!(asked.client.address.to_string(), "192.0.2.7");
        assert!(asked.client.is_tls);
        assert_eq!(asked.parts.headers.len(), 2);
        assert_eq!(asked.parts.headers["host"], "portal.example");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_question_or_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = asked(bytes.into());
        }

        /// The target is said twice.
        #[test]
        fn a_changed_byte_is_never_another_target(at in any::<prop::sample::Index>(), byte: u8) {
            let mut bytes = whole().encode_to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(asked) = asked(bytes.into()) {
                prop_assert_eq!(asked.parts.uri.to_string(), "/a?b=1");
            }
        }
    }
}
