//! The base of a signature (RFC 9421 2.5): what is signed, line by line, and what is said of it.
//!
//! It is written as it is covered, so what is listed and what is signed are the same, in one order.

use std::fmt::{self, Display, Write};

use crate::identity::error::Error;

/// The base of a signature while it is written.
#[derive(Debug)]
pub struct Base {
    text: Vec<u8>,
    /// The list of what is covered, without its end.
    covered: String,
}

impl Base {
    /// Begins one that covers nothing.
    #[must_use]
    pub fn new() -> Self {
        let mut covered = String::with_capacity(COVERED);
        covered.push('(');
        Self { text: Vec::with_capacity(TEXT), covered }
    }

    /// Covers `@method` (2.2.1).
    pub fn method(&mut self, method: &str) {
        self.line("@method", &[method.as_bytes()]);
    }

    /// Covers `@authority` (2.2.3): the host in lower case, without the port of the scheme.
    pub fn authority(&mut self, authority: &str) {
        self.line("@authority", &[authority.as_bytes()]);
    }

    /// Covers `@path` (2.2.6) of a request target; an empty one is that of the root.
    pub fn path(&mut self, target: &str) {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        self.line("@path", &[if path.is_empty() { b"/" } else { path.as_bytes() }]);
    }

    /// Covers `@query` (2.2.7) of a request target; an absent one is an empty one.
    pub fn query(&mut self, target: &str) {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        self.line("@query", &[b"?", query.as_bytes()]);
    }

    /// Covers a field (2.1), named in lower case. Several of one name are one value, parted by
    /// commas.
    pub fn field<'v>(&mut self, name: &str, values: impl IntoIterator<Item = &'v [u8]>) {
        self.begin(name);
        for (number, value) in values.into_iter().enumerate() {
            if number > 0 {
                self.text.extend_from_slice(b", ");
            }
            self.text.extend_from_slice(value.trim_ascii());
        }
        self.text.push(b'\n');
    }

    /// Covers a component, whose value is said in parts.
    pub fn line(&mut self, name: &str, value: &[&[u8]]) {
        self.begin(name);
        for part in value {
            self.text.extend_from_slice(part);
        }
        self.text.push(b'\n');
    }

    fn begin(&mut self, name: &str) {
        self.covered.push_str(if self.covered.len() == 1 { "\"" } else { " \"" });
        self.covered.push_str(name);
        self.covered.push('"');
        for part in ["\"", name, "\": "] {
            self.text.extend_from_slice(part.as_bytes());
        }
    }

    /// Ends it with the parameters (2.3), each with a semicolon before it. Returns the base, and
    /// what `Signature-Input` says of it.
    ///
    /// # Errors
    /// When a value has letters that no base has: it is ASCII.
    pub fn end(self, parameters: &impl Display) -> Result<(Vec<u8>, String), Error> {
        let Self { mut text, mut covered } = self;
        covered.push(')');
        // Writing to a String cannot fail.
        let _ = write!(covered, "{parameters}");
        text.extend_from_slice(b"\"@signature-params\": ");
        text.extend_from_slice(covered.as_bytes());
        if text.is_ascii() { Ok((text, covered)) } else { Err(Error::Unwritable) }
    }
}

impl Default for Base {
    fn default() -> Self {
        Self::new()
    }
}

/// What is said of a signature beside what it covers.
#[derive(Debug)]
pub struct Parameters<'p> {
    /// `created` and `expires`.
    pub times: [i64; 2],
    /// What no other signature says.
    pub nonce: &'p str,
    /// The name of the key.
    pub key_id: &'p str,
}

impl Display for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { times: [created, expires], nonce, key_id } = self;
        write!(
            f,
            ";created={created};expires={expires};nonce=\"{nonce}\";keyid=\"{key_id}\";\
             tag=\"brama\""
        )
    }
}

/// Room for what a base usually is.
const TEXT: usize = 512;
/// Room for what is usually said of it.
const COVERED: usize = 256;
