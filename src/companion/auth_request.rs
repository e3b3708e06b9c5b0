//! Proxies whose configuration sets headers of its own for the question: nginx (`auth_request`),
//! ingress-nginx (`auth-url`), `HAProxy` (an action in Lua).
//!
//! | what | from |
//! |---|---|
//! | method | `X-Original-Method` |
//! | path and query | `X-Original-URI`, or the rest of `X-Original-URL` |
//! | host | `X-Original-Host`, or that of `X-Original-URL` |
//! | scheme | `X-Forwarded-Proto`, or that of `X-Original-URL` |
//! | client | the last address of `X-Forwarded-For` that is no proxy's |

use http::request::Parts;

use crate::companion::asked::{Address, Error, Named, Question, one};
use crate::companion::front::Source;
use crate::gateway::failure::Failure;
use crate::request::headers::forwarded;
use crate::request::networks::Networks;

const METHOD: &str = "x-original-method";
const URI: &str = "x-original-uri";
const URL: &str = "x-original-url";
const HOST: &str = "x-original-host";
const PROTO: &str = "x-forwarded-proto";

/// Reads a question.
///
/// # Errors
/// When it cannot be read in one way.
pub(super) fn read(parts: &Parts, source: Source, trusted: &Networks) -> Result<Question, Failure> {
    let headers = &parts.headers;
    let client = forwarded::last(headers, trusted)?;
    let method = one(headers, METHOD)?;
    let named = match source {
        Source::Parts => Named {
            method,
            target: one(headers, URI)?,
            host: one(headers, HOST)?,
            scheme: one(headers, PROTO)?,
            client,
        },
        Source::Whole => {
            let url = one(headers, URL)?;
            let address = Address::parse(url);
            let Address { scheme, authority: host, target } =
                address.ok_or_else(|| Error::malformed(URL, url.as_bytes()))?;
            Named { method, target, host, scheme, client }
        }
    };
    Question::read(named, headers)
}
