//! `ext_authz` over gRPC.

use http::Response;
use http::request::Parts;

use crate::base::body::Body;
use crate::base::reason::Reason;
use crate::gateway::Worker;
use crate::gateway::grpc;
use crate::request::service::Peer;
use crate::wire::incoming::Incoming;
use http::StatusCode;

/// Answers a question.
pub async fn answer(
    _worker: &Worker,
    _parts: Box<Parts>,
    _body: Incoming,
    _peer: &Peer,
) -> Response<Body> {
    grpc::refusal(StatusCode::NOT_IMPLEMENTED, Reason::CompanionHeader.as_str())
}
