//! Proxies that write `X-Forwarded-*` for the question themselves: Traefik (`ForwardAuth`), Caddy
//! (`forward_auth`).
//!
//! | what | from |
//! |---|---|
//! | method | `X-Forwarded-Method` |
//! | path and query | `X-Forwarded-Uri` |
//! | host | `X-Forwarded-Host` |
//! | scheme | `X-Forwarded-Proto` |
//! | client | the last address of `X-Forwarded-For` that is no proxy's |
//!
//! Caddy puts its client's query behind the path of the question; it is not read.

use http::request::Parts;

use crate::companion::asked::{Named, Question};
use crate::companion::naming::{Name, Naming};
use crate::gateway::failure::Failure;
use crate::request::headers::forwarded;
use crate::request::networks::Networks;

/// Reads a question.
///
/// # Errors
/// When it cannot be read in one way.
pub(super) fn read(parts: &Parts, trusted: &Networks) -> Result<Question, Failure> {
    let naming = Naming::look(&parts.headers);
    let named = Named {
        method: naming.one(Name::ForwardedMethod)?,
        target: naming.one(Name::ForwardedUri)?,
        host: naming.one(Name::ForwardedHost)?,
        scheme: naming.one(Name::ForwardedProto)?,
        client: forwarded::last(&parts.headers, trusted)?,
    };
    Question::read(named, &naming)
}
