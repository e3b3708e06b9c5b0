//! A row of the table of endpoints ([`super::endpoints`]), and how it is written.

use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Who may ask for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever reaches the listener, under any name: it says nothing that is worth hiding.
    Anybody,
    /// Whoever reaches it under its own names.
    Neighbours,
    /// The same, with a field that no foreign page can have a browser send.
    Programs,
    /// An operator.
    Readers,
    /// The same, and a browser that shows the token as a password.
    Browsers,
    /// An operator who may change something.
    Writers,
    /// The same, over loopback.
    WritersHere,
}

/// What is known of an endpoint.
pub struct Row {
    /// The method. Where it is GET, HEAD is answered too (RFC 9110 9.1).
    pub method: Method,
    /// The path; a segment in braces stands for any.
    pub path: &'static str,
    /// Who may ask.
    pub who: Who,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// What the segment in braces looks like.
    pub pattern: &'static str,
    /// What the query may have.
    pub query: Option<SchemaOf>,
    /// What the body has. Whoever changes something says so by JSON, although it be `{}`.
    pub takes: Option<SchemaOf>,
    /// What is answered, but for problems.
    pub says: Vec<(u16, &'static str, Content)>,
    /// The statuses of problems that are its own, beside those of [`Who`] and of bodies.
    pub problems: &'static [u16],
}

/// Writes the schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What a body is.
#[derive(Clone, Copy)]
pub enum Content {
    /// JSON.
    Json(SchemaOf),
    /// Text of these media types.
    Text(&'static [&'static str]),
}

impl Row {
    pub(super) fn named_by(self, pattern: &'static str) -> Self {
        Self { pattern, ..self }
    }

    pub(super) fn query<T: JsonSchema>(self) -> Self {
        Self { query: Some(|generator| T::json_schema(generator)), ..self }
    }

    pub(super) fn body<T: JsonSchema>(self) -> Self {
        Self { takes: Some(schema::<T>), ..self }
    }

    pub(super) fn json<T: JsonSchema>(mut self, status: u16, what: &'static str) -> Self {
        self.says.push((status, what, Content::Json(schema::<T>)));
        self
    }

    pub(super) fn text(
        mut self,
        status: u16,
        what: &'static str,
        media: &'static [&'static str],
    ) -> Self {
        self.says.push((status, what, Content::Text(media)));
        self
    }

    pub(super) fn or(self, problems: &'static [u16]) -> Self {
        Self { problems, ..self }
    }

    /// Returns the segment of a path that the one in braces stands for.
    pub(super) fn named<'p>(&self, path: &'p str) -> Option<&'p str> {
        let (before, _) = self.path.split_once('{')?;
        let name = path.strip_prefix(before)?;
        (!name.is_empty() && !name.contains('/')).then_some(name)
    }
}

pub(super) fn row(method: Method, path: &'static str, who: Who, about: &'static str) -> Row {
    let (query, takes, says, problems) = (None, None, Vec::new(), &[][..]);
    Row { method, path, who, about, pattern: "^[^/]+$", query, takes, says, problems }
}

pub(super) fn get(path: &'static str, who: Who, about: &'static str) -> Row {
    row(Method::GET, path, who, about)
}

pub(super) fn health(path: &'static str, about: &'static str) -> Row {
    get(path, Who::Anybody, about).text(200, "it does", PLAIN)
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

pub(super) const PLAIN: &[&str] = &["text/plain"];
pub(super) const HTML: &[&str] = &["text/html"];
pub(super) const METRICS: &[&str] = &["text/plain", "application/openmetrics-text"];
