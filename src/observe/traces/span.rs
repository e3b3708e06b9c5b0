//! A span: something that was done for a request, how long it took, and what is known of it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::context::SpanId;

/// The most bytes of a text in a span.
pub const MAX_TEXT: usize = 256;
/// The most that is known of a span.
pub const MAX_ATTRIBUTES: usize = 24;

/// On which side of a call it is (OpenTelemetry, trace API, "SpanKind").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Within this program.
    Internal,
    /// It answers a request.
    Server,
    /// It asks another program.
    Client,
}

/// What is known of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text of the code.
    Static(&'static str),
    /// A text of the configuration.
    Shared(Arc<str>),
    /// Another text, of at most [`MAX_TEXT`] bytes.
    Text(Box<str>),
    /// A number.
    Number(i64),
    /// A fact.
    Flag(bool),
}

impl Value {
    /// Takes a text, of which it keeps what fits.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text[..text.floor_char_boundary(MAX_TEXT)].into())
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for Value {
    fn from(fact: bool) -> Self {
        Self::Flag(fact)
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::Shared(text)
    }
}

/// Returns a method that is known; a client can invent others (semantic conventions for HTTP,
/// `http.request.method`).
#[must_use]
pub fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "CONNECT" => "CONNECT",
        "OPTIONS" => "OPTIONS",
        "TRACE" => "TRACE",
        "PATCH" => "PATCH",
        _ => "_OTHER",
    }
}

/// A span that is over, or that its owner still fills.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) id: SpanId,
    pub(super) parent: Option<SpanId>,
    /// The parent is of the program before.
    pub(super) is_parent_remote: bool,
    pub(super) name: Cow<'static, str>,
    pub(super) kind: Kind,
    /// Since the trace began here.
    pub(super) start: Duration,
    pub(super) end: Duration,
    pub(super) attributes: Vec<(&'static str, Value)>,
    pub(super) has_failed: bool,
}

impl Span {
    pub(super) fn set(&mut self, key: &'static str, value: Value) {
        if self.attributes.len() < MAX_ATTRIBUTES {
            self.attributes.push((key, value));
        }
    }
}
