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

use crate::companion::asked::{Address, Named, Question};
use crate::companion::error::Error;
use crate::companion::front::Source;
use crate::companion::naming::{Name, Naming};
use crate::gateway::failure::Failure;
use crate::request::headers::forwarded;
use crate::request::networks::Networks;

/// Reads a question.
///
/// # Errors
/// When it cannot be read in one way.
pub(super) fn read(parts: &Parts, source: Source, trusted: &Networks) -> Result<Question, Failure> {
    let naming = Naming::look(&parts.headers);
    let client = forwarded::last(&parts.headers, trusted)?;
    let method = naming.one(Name::OriginalMethod)?;
    let named = match source {
        Source::Parts => Named {
            method,
            target: naming.one(Name::OriginalUri)?,
            host: naming.one(Name::OriginalHost)?,
            scheme: naming.one(Name::ForwardedProto)?,
            client,
        },
        Source::Whole => {
            let url = naming.one(Name::OriginalUrl)?;
            let address = Address::parse(url);
            let Address { scheme, authority: host, target } = address
                .ok_or_else(|| Error::malformed(Name::OriginalUrl.text(), url.as_bytes()))?;
            Named { method, target, host, scheme, client }
        }
    };
    Question::read(named, &naming)
}
