//! The head of an answer: its fields, and what tells the client where the body ends.

use bytes::BytesMut;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::response::Parts;
use http::{HeaderMap, Version};

use crate::base::clock::http_date;
use crate::request::headers::raw::RawHeaders;
use crate::wire::framing::{self, Framing};
use crate::wire::outgoing::{self, Fields};

/// What of a request matters to its answer.
#[derive(Clone, Copy)]
pub(in crate::server::http1) struct Asked {
    pub(in crate::server::http1) is_head: bool,
    pub(in crate::server::http1) version: Version,
    pub(in crate::server::http1) keep_alive: bool,
}

/// What a head says that was written.
pub(super) struct Head {
    pub(super) framing: Framing,
    /// Whether the next request may come on the same connection, as far as this answer goes.
    pub(super) goes_on: bool,
}

impl Head {
    /// Writes a head but for its end. `exact` is the length of the body, where that is known.
    pub(super) fn write(
        out: &mut BytesMut,
        parts: &Parts,
        passed: &RawHeaders,
        exact: Option<u64>,
        asked: Asked,
    ) -> Self {
        // 1. The fields, in one look at each, and the length as it was said.
        outgoing::status_line(out, parts.status);
        let Said { length, is_dated, closes } = write_fields(out, &parts.headers, passed);
        if let Some(length) = length
            && framing::may_say_length(parts.status)
        {
            outgoing::content_length(out, length);
        }
        if !is_dated {
            outgoing::field(out, "date", http_date().as_bytes());
        }
        // 2. A length that was not said, when it is known.
        let counted = framing::counted(parts.status, exact, asked.is_head);
        if let (None, Some(length)) = (length, counted) {
            outgoing::content_length(out, length);
        }
        // 3. Or else how the body ends.
        let has_body = framing::has_body(parts.status, asked.is_head);
        let framing = framing(has_body, length.or(exact), asked.version);
        if framing == Framing::Chunked {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n");
        }
        let goes_on = asked.keep_alive && !closes && framing != Framing::UntilClose;
        Self { framing, goes_on }
    }
}

/// Ends a head, and says so when the connection ends with the answer.
pub(super) fn end(out: &mut BytesMut, goes_on: bool) {
    if !goes_on {
        out.extend_from_slice(b"connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// What the fields of an answer say.
struct Said {
    length: Option<u64>,
    is_dated: bool,
    closes: bool,
}

/// Writes the fields, but for those about the length and the connection, which are ours to write.
fn write_fields(out: &mut BytesMut, headers: &HeaderMap, passed: &RawHeaders) -> Said {
    let mut said = Said { length: passed.length(), is_dated: passed.is_dated(), closes: false };
    for (name, value) in headers {
        match *name {
            TRANSFER_ENCODING => continue,
            CONNECTION if value == "close" => {
                said.closes = true;
                continue;
            }
            CONTENT_LENGTH => {
                said.length = framing::number(value.as_bytes()).ok();
                continue;
            }
            DATE => said.is_dated = true,
            _ => {}
        }
        out.add(name, value);
    }
    passed.write(out);
    said
}

/// Returns how the client learns where the body ends: by a length, by a last chunk, or, in
/// HTTP/1.0, by the end of the connection.
fn framing(has_body: bool, length: Option<u64>, version: Version) -> Framing {
    match (has_body, length, version) {
        (false, ..) => Framing::NONE,
        (true, Some(length), _) => Framing::Length(length),
        (true, None, Version::HTTP_11) => Framing::Chunked,
        (true, None, _) => Framing::UntilClose,
    }
}
