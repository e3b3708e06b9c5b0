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

use http::Response;
use http::request::Parts;

use crate::base::body::Body;
use crate::companion::asked::{Asked, Error, Named, one};
use crate::companion::decision;
use crate::companion::front::Front;
use crate::gateway::Worker;
use crate::gateway::failure::Failure;
use crate::request::headers::forwarded;
use crate::request::networks::Networks;
use crate::request::service::Peer;

/// Answers a question.
pub async fn answer(
    worker: &Worker,
    front: Front,
    parts: Box<Parts>,
    peer: &Peer,
) -> Response<Body> {
    match read(&parts, front, &worker.shared.settings.edge.trusted, peer) {
        Ok(asked) => decision::answer(worker, front, asked, peer).await,
        Err(failure) => front.refusal(decision::refuse(worker, parts, peer, &failure)),
    }
}

fn read(parts: &Parts, front: Front, trusted: &Networks, peer: &Peer) -> Result<Asked, Failure> {
    let elsewhere = || Error::Elsewhere(front.path());
    let whole = parts.uri.path_and_query().ok_or_else(elsewhere)?.as_str();
    let target = whole.strip_prefix(front.path()).filter(|rest| rest.starts_with('/'));
    let headers = &parts.headers;
    let named = Named {
        method: parts.method.as_str(),
        target: target.ok_or_else(elsewhere)?,
        host: one(headers, HOST_NAME)?,
        scheme: one(headers, "x-forwarded-proto")?,
        client: forwarded::last(headers, trusted)?,
    };
    Asked::new(named, headers.clone(), peer)
}

/// Its name as text.
const HOST_NAME: &str = "host";
