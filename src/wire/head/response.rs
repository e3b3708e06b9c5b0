//! The head of an answer. Most go on as they came, so its fields stay the lines that they were.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::{StatusCode, Version};

use super::bounds::{Bounds, MOST_FIELDS};
use super::fields::{Noted, Side, odd_line};
use crate::wire::framing::Said;
use crate::wire::lines::Lines;
use crate::wire::refusal::Refusal;

/// What the head of an answer says.
#[derive(Debug)]
pub struct ResponseHead {
    /// The status code of the first line.
    pub status: StatusCode,
    /// The version of the first line: HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// The fields, as they stood in the head.
    pub lines: Lines,
    /// What they say of the length of the body.
    pub said: Said,
    /// Whether the connection may be used again.
    pub keep_alive: bool,
}

pub(super) fn parse(head: &Bytes, bounds: &Bounds) -> Result<ResponseHead, Refusal> {
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let mut config = httparse::ParserConfig::default();
    config.allow_multiple_spaces_in_response_status_delimiters(true);
    // RFC 9112 5.1: a proxy takes such space away before it passes an answer on.
    config.allow_spaces_after_header_name_in_responses(true);
    let room = &mut fields[..bounds.fields.min(MOST_FIELDS)];
    match config.parse_response_with_uninit_headers(&mut parsed, head, room) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal::TooManyFields(bounds.fields));
        }
        _ => {
            return Err(Refusal::MalformedLine("head of the answer", odd_line(head, Side::Answer)));
        }
    }
    let status = parsed
        .code
        .filter(|code| (100..600).contains(code))
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or(Refusal::Malformed("status"))?;
    let version = if parsed.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    let mut noted = Noted::default();
    let mut lines = Lines::of(head, parsed.headers.len());
    for field in parsed.headers.iter() {
        noted.note(field.name, field.value)?;
        lines.add(field.name, field.value)?;
    }
    let keep_alive = noted.is_kept(version);
    Ok(ResponseHead { status, version, lines, said: noted.said, keep_alive })
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::super::Search;
    use super::*;

    #[test]
    fn an_answer_is_read_as_strictly() {
        let take = |text: &str| {
            Search::default().take_answer(&mut BytesMut::from(text), &Bounds::default())
        };
        let answer = take("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody").unwrap().unwrap();
        assert_eq!((answer.status, answer.lines.get("a").unwrap()), (StatusCode::OK, &b"b"[..]));
        for text in [
            "HTTP/1.1 200 OK\r\nA: b\n\r\n",
            "HTTP/1.1 999 x\r\n\r\n",
            "hello\r\n\r\n",
            "HTTP/1.1 200 OK\r\n : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA b : c\r\n\r\n",
            // What another would take for the end of the head.
            "HTTP/1.1 200 OK\n\nA: b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\n\nC: d\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n\nC: d\r\n\r\n",
        ] {
            assert!(take(text).is_err(), "{text:?}");
        }
        let spaced = take("HTTP/1.1  204  None\r\n\r\n").unwrap().unwrap();
        assert_eq!(spaced.status, StatusCode::NO_CONTENT);
        assert!(take("HTTP/1.1 200 OK\r\n").unwrap().is_none());
    }

    #[test]
    fn an_answer_has_as_many_fields_as_it_may_have() {
        let bounds = Bounds { fields: 2, ..Bounds::default() };
        let take = |fields: usize| {
            let text = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(fields));
            Search::default().take_answer(&mut BytesMut::from(&*text), &bounds)
        };
        assert!(take(2).is_ok());
        assert_eq!(take(3).unwrap_err(), Refusal::TooManyFields(2));
    }

    #[test]
    fn a_connection_is_kept_as_the_answer_says_in_whatever_letters() {
        for (version, field, is_kept) in [
            ("1.1", "", true),
            ("1.1", "Connection: close\r\n", false),
            ("1.1", "Connection: Close\r\n", false),
            ("1.1", "CONNECTION: CLOSE\r\n", false),
            ("1.1", "connection: Keep-Alive , CLOSE\r\n", false),
            ("1.1", "Connection: keep-alive\r\nConnection: Close\r\n", false),
            ("1.1", "Connection: closed\r\n", true),
            ("1.1", "Proxy-Connection: close\r\n", true),
            ("1.0", "", false),
            ("1.0", "Connection: KEEP-ALIVE\r\n", true),
            ("1.0", "Connection: keep-alive, close\r\n", false),
        ] {
            let text = format!("HTTP/{version} 200 OK\r\n{field}\r\n");
            let mut buffer = BytesMut::from(&*text);
            let head = Search::default().take_answer(&mut buffer, &Bounds::default());
            assert_eq!(head.unwrap().unwrap().keep_alive, is_kept, "{text:?}");
        }
    }

    #[test]
    fn space_before_a_colon_goes_and_the_field_is_what_it_is_without() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length \t: 3\r\nSet-Cookie : a=b\r\n\r\n";
        let answer = Search::default().take_answer(&mut BytesMut::from(text), &Bounds::default());
        let answer = answer.unwrap().unwrap();
        assert_eq!(answer.said.length(), Some(3));
        let mut out = BytesMut::new();
        answer.lines.write(&mut out);
        assert_eq!(out, &b"Content-Length: 3\r\nSet-Cookie: a=b\r\n"[..]);
    }

    #[test]
    fn the_line_is_named_in_which_something_is_odd() {
        for (text, line) in [
            ("hello\r\n\r\n", 1),
            ("HTTP/1.1 200 OK\r\nA : b\r\nC(: d\r\n\r\n", 3),
            ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", 3),
            ("HTTP/1.1 200 OK\r\nA: \u{1}\r\n\r\n", 2),
        ] {
            let mut buffer = BytesMut::from(text);
            let refused = Search::default().take_answer(&mut buffer, &Bounds::default());
            let expected = Refusal::MalformedLine("head of the answer", line);
            assert_eq!(refused.unwrap_err(), expected, "{text:?}");
        }
    }
}
