//! `ext_authz` over gRPC: Envoy asks `envoy.service.auth.v3.Authorization/Check` about each request,
//! and `grpc.health.v1.Health` about this gateway.
//!
//! 1. Envoy takes the status 0 for a yes, whatever stands beside it, and an empty message too. It
//!    may be told to let through what it gets no answer for (`failure_mode_allow`). So whatever is
//!    asked of `Check` is answered with a message that says no, unless it says yes (`reply`); an
//!    error of gRPC is left to what is no question at all.
//! 2. The message is read by itself (`question`), and its frames (`framing`), of which there is
//!    one each way. Of the messages of Envoy we know what we read and write (`messages`).
//! 3. Nothing else is at the listener. What is no call of gRPC gets an error of HTTP: an Envoy that
//!    asks over HTTP by mistake would take a 200 for a yes.

mod framing;
mod health;
mod messages;
mod question;
mod reply;

use http::request::Parts;
use http::{HeaderMap, HeaderName, Response, StatusCode, Version};

use self::framing::Code;
use self::messages::CheckResponse;
use crate::base::body::{self, Body};
use crate::base::shutdown::Shutdown;
use crate::companion::asked::Asked;
use crate::companion::decision::{self, Answer};
use crate::gateway::Worker;
use crate::gateway::failure::Failure;
use crate::request::headers::is_told_identity;
use crate::request::service::Peer;
use crate::wire::incoming::Incoming;

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// Answers a call. `stop` is what health is asked about.
pub async fn answer(
    worker: &Worker,
    mut parts: Box<Parts>,
    body: Incoming,
    peer: &Peer,
    stop: &Shutdown,
) -> Response<Body> {
    if !framing::is_call(&parts) {
        return no_call();
    }
    match parts.uri.path() {
        CHECK => {
            let mut headers = HeaderMap::new();
            let bounds = &worker.shared.settings.edge.bounds;
            let question = match framing::read(&parts.headers, body).await {
                Ok(message) => question::read(message, bounds, &mut headers),
                Err(error) => Err(error.into()),
            };
            match question {
                Ok(question) => {
                    parts.headers = headers;
                    check(worker, question.about(parts, peer), peer).await
                }
                Err(failure) => deny(worker, (parts, headers), peer, &failure).await,
            }
        }
        health::CHECK => health::check(worker, &parts.headers, body, stop).await,
        health::WATCH => health::watch(worker, &parts.headers, body, stop).await,
        _ => framing::failed(Code::Unimplemented, "nothing is answered under this name"),
    }
}

async fn check(worker: &Worker, asked: Asked, peer: &Peer) -> Response<Body> {
    let taken = taken_away(&asked.parts.headers, worker);
    let (answer, unanswered) = decision::decide(worker, asked, peer).await;
    let message = match answer {
        Answer::Allow(allowed) => {
            // As over HTTP, where the answer itself is noted.
            drop(decision::note(unanswered, Response::new(body::empty())));
            reply::allow(allowed, &taken)
        }
        Answer::Deny(denied) => {
            let reason = denied.reason().unwrap_or(SIGN_IN);
            let response = decision::note(unanswered, denied.into_response());
            reply::deny(response, reason).await
        }
    };
    say(message)
}

/// Says no to a question that could not be read: as far as it could, in the client's own language.
async fn deny(
    worker: &Worker,
    (mut parts, headers): (Box<Parts>, HeaderMap),
    peer: &Peer,
    failure: &Failure,
) -> Response<Body> {
    // It is Envoy that speaks gRPC. What it hands on to its client is a page.
    (parts.version, parts.headers) = (Version::HTTP_11, headers);
    let response = decision::refuse(worker, parts, peer, failure);
    say(reply::deny(response, failure.code.as_str()).await)
}

fn say(message: CheckResponse) -> Response<Body> {
    framing::answer(&message)
}

/// Returns the names in a request by which its client tells an identity. They are taken away from
/// requests that go on from here, and Envoy is to do the same.
fn taken_away(headers: &HeaderMap, worker: &Worker) -> Vec<HeaderName> {
    let told = worker.shared.rules.policy.told_names();
    headers.keys().filter(|name| is_told_identity(name, told)).cloned().collect()
}

fn no_call() -> Response<Body> {
    let text = "only calls of gRPC over HTTP/2 are answered here (ext_authz with grpc_service)\n";
    let mut response = Response::new(body::full(text));
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

/// The reason when there is no more to it than that a citizen must sign in.
const SIGN_IN: &str = "login_required";
