//! One request for something of the table, with who asks; what it sends is read strictly.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Response, StatusCode};
use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use super::operators::Admin;
use super::problem::Problem;
use crate::base::body::{self, Body, ReadError};
use crate::gateway::response;
use crate::wire::incoming::Incoming;

/// One request.
pub struct Call {
    /// Its head.
    pub head: Parts,
    /// Its body.
    pub body: Incoming,
    /// Who asks, where that is looked at.
    pub admin: Option<Admin>,
    /// The segment of its path that stands in the place of one in braces.
    pub name: String,
    /// From where it came.
    pub from: IpAddr,
}

/// What is said of what was done, with its status.
pub type Done = Result<(StatusCode, serde_json::Value), Problem>;

/// A body that has nothing: `{}`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl Call {
    /// Returns the query as it came.
    #[must_use]
    pub fn query(&self) -> &str {
        self.head.uri.query().unwrap_or("")
    }

    /// Returns the name of the operator who asks; empty where everybody may.
    #[must_use]
    pub fn operator(&self) -> &str {
        self.admin.as_ref().map_or("", Admin::name)
    }

    /// Returns the operator who asks, for whatever is told with their name.
    ///
    /// # Errors
    /// [`Problem::Unauthorized`] where none was admitted.
    pub fn admin(&self) -> Result<Admin, Problem> {
        self.admin.clone().ok_or(Problem::Unauthorized)
    }

    /// Reads what is sent: JSON that says so, of few bytes, with nothing but what is known. A page of
    /// another site could send such a body only after it was allowed to, which nobody is.
    ///
    /// # Errors
    /// [`Problem::MediaType`], [`Problem::TooLong`], [`Problem::TooSlow`], [`Problem::Malformed`].
    /// None of them repeats what was sent, which may name a person. [`Problem::Unauthorized`] for whoever
    /// is no operator any more once it has arrived.
    pub async fn take<T: DeserializeOwned>(self) -> Result<T, Problem> {
        let media = self.head.headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
        let media = media.and_then(|value| value.split(|&byte| byte == b';').next());
        let is_json = media.is_some_and(|media| media.trim_ascii().eq_ignore_ascii_case(JSON));
        if !is_json {
            return Err(Problem::MediaType);
        }
        let bytes = body::read_within(self.body, MOST_BYTES, TIME).await;
        let bytes = bytes.map_err(|error| match error {
            ReadError::TooLong(_) => Problem::TooLong,
            ReadError::Slow(_) => Problem::TooSlow,
            ReadError::Broken(_) => Problem::malformed("the body broke off"),
        })?;
        if self.admin.is_some_and(|admin| !admin.is_known()) {
            return Err(Problem::Unauthorized);
        }
        // Serde takes a list for a struct as well.
        if bytes.trim_ascii_start().first().is_some_and(|&byte| byte == b'[') {
            return Err(Problem::malformed("the body is no object of JSON"));
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            Problem::Malformed(Cow::Owned(match error.is_data() {
                true => format!("the body is not what is taken here, see {place}"),
                false => format!("the body is no JSON, see {place}"),
            }))
        })
    }
}

/// Says that all is well, with a value.
///
/// # Errors
/// [`Problem::Failed`] when it cannot be written.
pub(super) fn said<T: Serialize>(value: &T) -> Done {
    said_with(StatusCode::OK, value)
}

/// Says something, with a status.
///
/// # Errors
/// [`Problem::Failed`] when it cannot be written.
pub(super) fn said_with<T: Serialize>(status: StatusCode, value: &T) -> Done {
    let value = serde_json::to_value(value);
    value.map(|value| (status, value)).map_err(|_| Problem::Failed("the answer cannot be written"))
}

/// Takes a whole number, also as `60.0`: JSON has one kind of numbers (JSON Schema, core 6.3).
///
/// # Errors
/// What is no such number.
pub(super) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    maybe_whole(deserializer)?.ok_or_else(|| D::Error::custom("no number"))
}

/// Takes a whole number, or null for none.
///
/// # Errors
/// What is neither.
pub(super) fn maybe_whole<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
    let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    is_whole.then_some(Some(number as u32)).ok_or_else(|| D::Error::custom("no whole number"))
}

/// Makes the answer.
pub(super) fn answer(done: Done) -> Response<Body> {
    match done {
        Ok((status, value)) => response::json(status, &value),
        Err(problem) => problem.answer(),
    }
}

const JSON: &[u8] = b"application/json";
/// The most bytes of what is sent.
const MOST_BYTES: usize = 4096;
/// How long it may take to arrive.
const TIME: Duration = Duration::from_secs(5);
const _: () = assert!(MOST_BYTES == 4096 && TIME.as_secs() == 5, "as problem.rs says");
