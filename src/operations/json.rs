//! What operators ask for in JSON, and why they get something else.

use std::time::Duration;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::base::body::{self, Body};
use crate::gateway::response;
use crate::store::Unavailable;
use crate::wire::incoming::Incoming;

/// Why an operator gets something else.
pub(super) enum AdminError {
    NotFound,
    /// There is nothing of that name.
    NoSuch(&'static str),
    Unauthorized,
    Method,
    Malformed(&'static str),
    /// What is asked for may not be, as things are.
    Conflict(String),
    /// What is kept cannot be reached or written now.
    Away(String),
}

impl From<Unavailable> for AdminError {
    fn from(away: Unavailable) -> Self {
        Self::Away(away.to_string())
    }
}

/// Reads what is asked for.
pub(super) async fn read(body: Incoming) -> Result<Value, AdminError> {
    let bytes = body::read_within(body, MOST_BYTES, TIME).await;
    let bytes = bytes.map_err(|_| AdminError::Malformed(TOO_LONG))?;
    serde_json::from_slice(&bytes).map_err(|_| AdminError::Malformed("body is no JSON"))
}

/// What is said of what was done, with its status.
pub(super) type Done = Result<(StatusCode, Value), AdminError>;

/// Makes the answer.
pub(super) fn answer(done: Done) -> Response<Body> {
    match done {
        Ok((status, value)) => response::json(status, &value),
        Err(refused) => refuse(refused),
    }
}

fn refuse(refused: AdminError) -> Response<Body> {
    let (status, text) = match refused {
        AdminError::NotFound => (StatusCode::NOT_FOUND, "not found".to_owned()),
        AdminError::NoSuch(text) => (StatusCode::NOT_FOUND, text.to_owned()),
        AdminError::Unauthorized => {
            (StatusCode::UNAUTHORIZED, "token is missing or wrong".to_owned())
        }
        AdminError::Method => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed".to_owned()),
        AdminError::Malformed(text) => (StatusCode::BAD_REQUEST, text.to_owned()),
        AdminError::Conflict(text) => (StatusCode::CONFLICT, text),
        AdminError::Away(text) => (StatusCode::SERVICE_UNAVAILABLE, text),
    };
    let mut response = response::json(status, &json!({ "error": text }));
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The most bytes of what is asked for.
const MOST_BYTES: usize = 4096;
/// How long it may take to arrive.
const TIME: Duration = Duration::from_secs(5);
const TOO_LONG: &str = "body has more than 4096 bytes, or takes more than 5 s";
const _: () = assert!(MOST_BYTES == 4096 && TIME.as_secs() == 5);
