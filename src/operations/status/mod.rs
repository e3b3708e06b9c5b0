//! The status page: how this gateway is, on one page that a person reads in a browser.
//!
//! 1. It is read-only, needs no script and nothing from elsewhere, and its policy allows nothing but
//!    its own style.
//! 2. It tells numbers, and names of the configuration, and nothing of any citizen.
//! 3. What it shows of the past is one count for each minute ([`history`]), and what histograms had
//!    counted at some moments ([`durations`]), bounded by a day. It is of this process alone, and a new
//!    configuration leaves it as it is.
//! 4. A browser shows the token as the password of Basic (RFC 7617), which holds for this page and
//!    nothing else: what a browser brings by itself can look, and change nothing.

pub mod durations;
pub mod facts;
pub mod history;
mod page;
mod plot;
#[cfg(test)]
mod tests;
mod times;
mod words;

use std::sync::Arc;

use http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    REFERRER_POLICY, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use self::facts::Source;
use self::history::History;
use super::call::Call;
use super::problem::Problem;
use crate::base::body::{self, Body};
use crate::pages::Language;

/// Answers whoever looks at the status page.
pub struct StatusDesk {
    source: Arc<dyn Source>,
    history: Arc<History>,
}

/// How it is shown.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Wanted {
    /// The language; that of the browser otherwise.
    #[schemars(extend("enum" = ["pl", "en"]))]
    pub language: Option<String>,
}

impl StatusDesk {
    /// Makes the desk.
    #[must_use]
    pub fn new(source: Arc<dyn Source>, history: Arc<History>) -> Self {
        Self { source, history }
    }

    /// Makes the page.
    #[must_use]
    pub fn page(&self, call: &Call) -> Response<Body> {
        let language = match language(&call.head) {
            Ok(language) => language,
            Err(problem) => return problem.answer(),
        };
        let facts = self.source.facts();
        let past = self.history.until(facts.now, &facts.totals);
        let lasted = self.history.lasted(facts.now, &facts.totals);
        let page = page::status(language, &facts, (&past, &lasted), call.operator());
        html(StatusCode::OK, page, language)
    }
}

/// Asks a browser for the password.
#[must_use]
pub fn ask_for_password(head: &Parts) -> Response<Body> {
    let language = language(head).unwrap_or_default();
    let mut response = html(StatusCode::UNAUTHORIZED, page::password(language), language);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(BASIC));
    response
}

fn language(head: &Parts) -> Result<Language, Problem> {
    let mut wanted = None;
    for (name, value) in url::form_urlencoded::parse(head.uri.query().unwrap_or("").as_bytes()) {
        let language = match &*value {
            "pl" => Language::Polish,
            "en" => Language::English,
            _ => return Err(UNKNOWN),
        };
        if name != "language" || wanted.replace(language).is_some() {
            return Err(UNKNOWN);
        }
    }
    Ok(wanted.unwrap_or_else(|| negotiated(&head.headers)))
}

fn negotiated(headers: &HeaderMap) -> Language {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::negotiate_among(&Language::OF_TOOLS, accepted)
}

fn html(status: StatusCode, text: String, language: Language) -> Response<Body> {
    let mut response = Response::new(body::full(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_LANGUAGE, language.code()),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (VARY, "Accept-Language, Authorization"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = HeaderValue::try_from(page::policy());
    let nothing = HeaderValue::from_static("default-src 'none'");
    headers.insert(CONTENT_SECURITY_POLICY, policy.unwrap_or(nothing));
    response
}

const BASIC: &str = "Basic realm=\"Brama operations\", charset=\"UTF-8\"";
const UNKNOWN: Problem =
    Problem::Malformed(std::borrow::Cow::Borrowed("the one parameter is language: pl or en"));
