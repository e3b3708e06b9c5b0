//! What the collector answers, of which little is believed.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, StatusCode};
use prost::DecodeError;
use prost::encoding::{self, DecodeContext, WireType};

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The collector has it, but for so many spans.
    Taken { rejected: u64, why: String },
    /// It does not take it. It may take it later.
    Refused { may_try_again: Option<Duration>, why: String },
}

/// The longest text of the collector that is told, in characters.
const LONGEST: usize = 200;
/// How long one attempt waits after another, unless the collector says more.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest that a collector can have us wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

impl Outcome {
    pub(super) fn again(why: String) -> Self {
        Self::Refused { may_try_again: Some(PAUSE), why }
    }

    fn never(why: String) -> Self {
        Self::Refused { may_try_again: None, why }
    }

    /// Reads an answer over HTTP (OTLP, "OTLP/HTTP Response").
    pub(super) fn of_http(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        if status.is_success() {
            return Self::taken(body);
        }
        let why = format!("it answers with HTTP status {}", status.as_u16());
        if !matches!(status.as_u16(), 429 | 502 | 503 | 504) {
            return Self::never(why);
        }
        let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let pause = seconds.map_or(PAUSE, Duration::from_secs).clamp(PAUSE, LONGEST_PAUSE);
        Self::Refused { may_try_again: Some(pause), why }
    }

    /// Reads an answer over gRPC: its status is in the trailer, or in the head where there is nothing
    /// else.
    pub(super) fn of_grpc(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        trailer: Option<&HeaderMap>,
    ) -> Self {
        if status != StatusCode::OK {
            return Self::again(format!("it answers with HTTP status {}", status.as_u16()));
        }
        let said = |name: HeaderName| {
            let value =
                trailer.and_then(|trailer| trailer.get(&name)).or_else(|| headers.get(&name));
            value.and_then(|value| value.to_str().ok())
        };
        let code = said(GRPC_STATUS).and_then(|code| code.parse::<u8>().ok());
        let why = || {
            let code = code.map_or_else(|| "none".to_owned(), |code| code.to_string());
            format!("it answers with gRPC status {code} {}", quoted(said(GRPC_MESSAGE)))
        };
        match code {
            // Five bytes stand before the message.
            Some(0) => Self::taken(body.get(5..).unwrap_or_default()),
            // OTLP, "OTLP/gRPC Response": those that may be tried again.
            Some(1 | 4 | 10 | 11 | 14 | 15) | None => Self::again(why()),
            Some(_) => Self::never(why()),
        }
    }

    /// Reads an `ExportTraceServiceResponse`. What cannot be read says nothing of spans.
    fn taken(body: &[u8]) -> Self {
        let (rejected, why) = partial_success(body).unwrap_or_default();
        let rejected = u64::try_from(rejected).unwrap_or(0);
        Self::Taken { rejected, why: quoted(Some(&why)) }
    }
}

/// Returns what somebody else says, in one line and not too long.
fn quoted(text: Option<&str>) -> String {
    let short: String = text.unwrap_or_default().chars().take(LONGEST).collect();
    if short.is_empty() { short } else { format!("{short:?}") }
}

/// Returns `rejected_spans` and `error_message` of `partial_success`.
fn partial_success(mut body: &[u8]) -> Result<(i64, String), DecodeError> {
    let mut partial = Vec::new();
    while !body.is_empty() {
        match encoding::decode_key(&mut body)? {
            (1, WireType::LengthDelimited) => {
                let context = DecodeContext::default();
                encoding::bytes::merge(
                    WireType::LengthDelimited,
                    &mut partial,
                    &mut body,
                    context,
                )?;
            }
            (number, wire) => {
                encoding::skip_field(wire, number, &mut body, DecodeContext::default())?;
            }
        }
    }
    let (mut partial, mut rejected, mut why) = (&*partial, 0, String::new());
    while !partial.is_empty() {
        let context = DecodeContext::default();
        match encoding::decode_key(&mut partial)? {
            (1, wire) => encoding::int64::merge(wire, &mut rejected, &mut partial, context)?,
            (2, wire) => encoding::string::merge(wire, &mut why, &mut partial, context)?,
            (number, wire) => encoding::skip_field(wire, number, &mut partial, context)?,
        }
    }
    Ok((rejected, why))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_what_may_help_is_tried_again() {
        for (status, again) in [
            (200, None),
            (400, Some(false)),
            (401, Some(false)),
            (404, Some(false)),
            (413, Some(false)),
            (429, Some(true)),
            (500, Some(false)),
            (503, Some(true)),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let outcome = match Outcome::of_http(status, &HeaderMap::new(), b"") {
                Outcome::Taken { .. } => None,
                Outcome::Refused { may_try_again, .. } => Some(may_try_again.is_some()),
            };
            assert_eq!(outcome, again, "{status}");
        }
        for (code, again) in [
            ("0", None),
            ("3", Some(false)),
            ("7", Some(false)),
            ("8", Some(false)),
            ("14", Some(true)),
            ("16", Some(false)),
            ("x", Some(true)),
        ] {
            for (head, trailer) in
                [(&[][..], &[("grpc-status", code)][..]), (&[("grpc-status", code)], &[])]
            {
                let (head, trailer) = (headers(head), headers(trailer));
                let outcome =
                    Outcome::of_grpc(StatusCode::OK, &head, b"\0\0\0\0\0", Some(&trailer));
                let outcome = match outcome {
                    Outcome::Taken { .. } => None,
                    Outcome::Refused { may_try_again, .. } => Some(may_try_again.is_some()),
                };
                assert_eq!(outcome, again, "{code}");
            }
        }
    }

    #[test]
    fn a_collector_has_us_wait_but_not_for_ever() {
        for (said, seconds) in [("3", 3), ("0", 1), ("86400", 30), ("tomorrow", 1)] {
            let said = headers(&[("retry-after", said)]);
            let outcome = Outcome::of_http(StatusCode::SERVICE_UNAVAILABLE, &said, b"");
            let Outcome::Refused { may_try_again, .. } = outcome else { panic!("it was refused") };
            assert_eq!(may_try_again, Some(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn what_was_rejected_is_known_and_nonsense_says_nothing() {
        // partial_success { rejected_spans: 3, error_message: "no" }
        let body = b"\x0a\x06\x08\x03\x12\x02no";
        let taken = |rejected, why: &str| Outcome::Taken { rejected, why: why.to_owned() };
        assert_eq!(Outcome::taken(body), taken(3, "\"no\""));
        assert_eq!(Outcome::taken(b""), taken(0, ""));
        assert_eq!(Outcome::taken(b"\xff\xff\xff"), taken(0, ""));
        assert_eq!(Outcome::taken(b"<html>"), taken(0, ""));
        // -1
        let negative = b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(Outcome::taken(negative), taken(0, ""));
        let lines = quoted(Some(&"a\nb\u{1b}".repeat(200)));
        assert!(lines.len() < 2000 && !lines.contains('\n') && !lines.contains('\u{1b}'));
    }
}
