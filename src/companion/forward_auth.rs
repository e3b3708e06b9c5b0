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
    if parts.uri.path() != front.path() {
        return Err(Error::Elsewhere(front.path()).into());
    }
    let headers = &parts.headers;
    let named = Named {
        method: one(headers, "x-forwarded-method")?,
        target: one(headers, "x-forwarded-uri")?,
        host: one(headers, "x-forwarded-host")?,
        scheme: one(headers, "x-forwarded-proto")?,
        client: forwarded::last(headers, trusted)?,
    };
    Asked::new(named, headers.clone(), peer)
}
