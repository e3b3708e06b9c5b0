//! `ext_authz` over HTTP: the request comes as it is, with a prefix before its path
//! (`path_prefix`), without its body, and with those of its headers that the filter names
//! (`allowed_headers`).
//!
//! | what | from |
//! |---|---|
//! | method | the method |
//! | path and query | what stands behind the prefix |
//! | host | `Host` |
//! | scheme | `X-Forwarded-Proto`, which Envoy writes |
//! | client | the last address of `X-Forwarded-For` that is no proxy's |

use http::request::Parts;

use crate::companion::asked::{Named, Question};
use crate::companion::error::Error;
use crate::companion::naming::{Name, Naming};
use crate::gateway::failure::Failure;
use crate::request::headers::forwarded;
use crate::request::networks::Networks;

/// Reads a question that came below a prefix.
///
/// # Errors
/// When it cannot be read in one way.
pub(in crate::companion) fn read(
    parts: &Parts,
    prefix: &'static str,
    trusted: &Networks,
) -> Result<Question, Failure> {
    let elsewhere = || Error::Elsewhere(prefix);
    let whole = parts.uri.path_and_query().ok_or_else(elsewhere)?.as_str();
    let target = whole.strip_prefix(prefix).filter(|rest| rest.starts_with('/'));
    let naming = Naming::look(&parts.headers);
    let named = Named {
        method: parts.method.as_str(),
        target: target.ok_or_else(elsewhere)?,
        host: naming.one(Name::Host)?,
        scheme: naming.one(Name::ForwardedProto)?,
        client: forwarded::last(&parts.headers, trusted)?,
    };
    Question::read(named, &naming)
}
