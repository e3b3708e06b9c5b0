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

use http::Response;
use http::request::Parts;

use crate::base::body::Body;
use crate::base::foreign::Foreign;
use crate::companion::asked::{Asked, Error, Named, one, without_origin};
use crate::companion::decision;
use crate::companion::front::{Front, Source};
use crate::gateway::Worker;
use crate::gateway::failure::Failure;
use crate::request::headers::forwarded;
use crate::request::networks::Networks;
use crate::request::service::Peer;

const METHOD: &str = "x-original-method";
const URI: &str = "x-original-uri";
const URL: &str = "x-original-url";
const HOST: &str = "x-original-host";
const PROTO: &str = "x-forwarded-proto";

/// Answers a question.
pub async fn answer(
    worker: &Worker,
    front: Front,
    source: Source,
    parts: Box<Parts>,
    peer: &Peer,
) -> Response<Body> {
    match read(&parts, front, source, &worker.shared.settings.edge.trusted, peer) {
        Ok(asked) => decision::answer(worker, front, asked, peer).await,
        Err(failure) => front.refusal(decision::refuse(worker, parts, peer, &failure)),
    }
}

fn read(
    parts: &Parts,
    front: Front,
    source: Source,
    trusted: &Networks,
    peer: &Peer,
) -> Result<Asked, Failure> {
    if parts.uri.path() != front.path() {
        return Err(Error::Elsewhere(front.path()).into());
    }
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
            let (scheme, host) = origin(url)?;
            Named { method, target: without_origin(url), host, scheme, client }
        }
    };
    Asked::new(named, headers.clone(), peer)
}

/// Returns scheme and host of an address.
fn origin(url: &str) -> Result<(&str, &str), Error> {
    let parts = url.split_once("://").map(|(scheme, rest)| {
        (scheme, rest.split_once('/').map_or(rest, |(authority, _)| authority))
    });
    parts.ok_or_else(|| Error::Malformed(URL, Foreign::new(url)))
}
