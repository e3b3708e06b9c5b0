//! Why an operator gets something else than what was asked for (RFC 9457).

use std::borrow::Cow;

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::base::body::{self, Body};
use crate::gateway::response;
use crate::store::Unavailable;

/// The media type of a problem (RFC 9457 3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why an operator gets something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// There is no such path here.
    NotFound,
    /// The path is for other methods: these.
    Method(String),
    /// There is nothing of that name.
    NoSuch(&'static str),
    /// The configuration names no operator.
    NobodyOperates,
    /// The token is missing or wrong.
    Unauthorized,
    /// Too many wrong tokens wait for their answer.
    TooManyWrong,
    /// Somebody else has this made just now, and one at a time may.
    Busy,
    /// The token is one of an operator who may only look.
    Forbidden,
    /// The token is one of an operator who may change something, and was typed into a browser.
    NotInBrowsers,
    /// It was asked for too often.
    TooMany(&'static str),
    /// The listener has another name.
    NotOurName,
    /// A page of another site had a browser ask.
    ForeignPage,
    /// It is told to this machine only.
    NotHere(&'static str),
    /// What was sent is not what is taken here: what is.
    Malformed(Cow<'static, str>),
    /// The body is not said to be JSON.
    MediaType,
    /// The body is too long.
    TooLong,
    /// The body takes too long.
    TooSlow,
    /// What is asked for may not be, as things are.
    Conflict(String),
    /// What is kept cannot be reached or written now.
    Away(String),
    /// The answer cannot be made.
    Failed(&'static str),
}

/// What is told of a problem.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Told {
    /// Always `about:blank`: what happened is said by `status` and `code` (RFC 9457 4.2.1).
    #[serde(rename = "type")]
    kind: &'static str,
    /// The words of the status.
    title: &'static str,
    /// The status.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What happened, for programs.
    code: &'static str,
    /// What happened, for people.
    detail: String,
    /// What to do about it.
    advice: Cow<'static, str>,
}

impl From<Unavailable> for Problem {
    fn from(away: Unavailable) -> Self {
        Self::Away(away.to_string())
    }
}

impl Problem {
    /// Says that what was sent is not what is taken.
    pub(super) fn malformed(what: &'static str) -> Self {
        Self::Malformed(Cow::Borrowed(what))
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind().0
    }

    /// Returns status and code.
    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::NoSuch(_) => (StatusCode::NOT_FOUND, "no_such"),
            Self::NobodyOperates => (StatusCode::NOT_FOUND, "nobody_operates"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::TooManyWrong => (StatusCode::TOO_MANY_REQUESTS, "too_many_wrong_tokens"),
            Self::Busy => (StatusCode::TOO_MANY_REQUESTS, "busy"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "role"),
            Self::NotInBrowsers => (StatusCode::FORBIDDEN, "not_in_browsers"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
            Self::NotOurName => (StatusCode::MISDIRECTED_REQUEST, "other_name"),
            Self::ForeignPage => (StatusCode::FORBIDDEN, "foreign_page"),
            Self::NotHere(_) => (StatusCode::FORBIDDEN, "loopback_only"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type"),
            Self::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "too_long"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Self::Away(_) => (StatusCode::SERVICE_UNAVAILABLE, "away"),
            Self::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        }
    }

    /// Says what happened.
    fn detail(&self) -> &str {
        match self {
            Self::NoSuch(what) | Self::NotHere(what) | Self::TooMany(what) | Self::Failed(what) => {
                what
            }
            Self::Malformed(what) => what,
            Self::Conflict(what) | Self::Away(what) => what,
            Self::NotFound => "not found",
            Self::Method(_) => "method not allowed",
            Self::NobodyOperates => {
                "the configuration names no operator, so this is told to nobody"
            }
            Self::Unauthorized => "token is missing or wrong",
            Self::TooManyWrong => "too many wrong tokens",
            Self::Busy => "the audit log is read for somebody else",
            Self::Forbidden => "this operator may look, and change nothing",
            Self::NotInBrowsers => {
                "this operator may change something, and such a token is none for a browser"
            }
            Self::NotOurName => "this listener has another name",
            Self::ForeignPage => "a page of another site had a browser ask",
            Self::MediaType => "the body is not said to be JSON",
            Self::TooLong => TOO_LONG,
            Self::TooSlow => TOO_SLOW,
        }
    }

    /// Says what to do about it.
    fn advice(&self) -> &'static str {
        match self {
            Self::NoSuch(_) => "look whether it is written rightly, and still there",
            Self::NotHere(_) => "ask over loopback, where the gateway runs, and through no proxy",
            Self::Malformed(_) => "see /openapi.json for what is taken",
            Self::Conflict(_) => "do what it says first",
            Self::Away(_) => "look at the log of the gateway, and ask again",
            Self::Failed(_) => "look at the log of the gateway",
            Self::NotFound => "see /openapi.json",
            Self::Method(_) => "the field Allow names those that are",
            Self::NobodyOperates => "give operations.admin_token_file or [[operations.operators]]",
            Self::Unauthorized => "send Authorization: Bearer with the token of an operator",
            Self::TooManyWrong | Self::TooMany(_) => "wait a moment",
            Self::Busy => "ask again in a few seconds",
            Self::Forbidden => "ask with the token of an operator whose role is write",
            Self::NotInBrowsers => "type the token of an operator whose role is read",
            Self::NotOurName => "ask it by its address, or name this one in operations.hosts",
            Self::ForeignPage => "ask with a program, or type the address",
            Self::MediaType => "send Content-Type: application/json",
            Self::TooLong => "send less",
            Self::TooSlow => "send it again, whole",
        }
    }

    /// Makes the answer.
    #[must_use]
    pub fn answer(&self) -> Response<Body> {
        let (status, code) = self.kind();
        let told = Told {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code,
            detail: self.detail().to_owned(),
            advice: self.advice().into(),
        };
        let mut response = response::json(status, &serde_json::to_value(&told).unwrap_or_default());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        match self {
            Self::Unauthorized => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::TooManyWrong | Self::Busy => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::TooMany(_) => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("60"));
            }
            Self::Method(allowed) => {
                if let Ok(allowed) = HeaderValue::from_str(allowed) {
                    headers.insert(ALLOW, allowed);
                }
            }
            _ => {}
        }
        response
    }
}

/// Makes an answer of plain text, which is not stored, and no browser takes it for a page.
pub(super) fn plain((status, text): (StatusCode, String)) -> Response<Body> {
    let mut response = Response::new(body::full(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

const TOO_LONG: &str = "the body has more than 4096 bytes";
const TOO_SLOW: &str = "the body took more than 5 s to arrive";
