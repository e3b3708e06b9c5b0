//! How requests of `brama doctor` arrive: announced here, and told here ([`crate::request::probes`]).
//!
//! | request | answer |
//! |---|---|
//! | `POST /probes` | `{"probe": "..."}`, the name that a request brings then |
//! | `GET /probes` | `{"public_url": "..."}`, by which one gateway is told from another |
//! | `GET /probes/NAME` | `{"arrival": {...}}` once, or `{"arrival": null}` while none has come |
//! | `DELETE /probes/NAME` | `{}`: it is not awaited any more |
//!
//! No token is asked for: what is told is how a request of whoever asks here came, and what everybody
//! may know of a gateway.
//! A page of another site can have a browser announce one at most, and neither reads the answer nor
//! passes without the field [`ASKS`].

use std::sync::Arc;

use http::{HeaderName, Method, Request, Response, StatusCode};
use serde_json::json;

use super::json::{self, AdminError, Done};
use crate::base::body::Body;
use crate::request::probes::{Found, Probes};
use crate::wire::incoming::Incoming;

/// The path that requests about probes begin with.
pub const PATH: &str = "/probes";

/// Says that a program asks, and no page: a browser sends it for another site's page to nobody who
/// has not allowed it before.
pub const ASKS: HeaderName = HeaderName::from_static("x-brama-doctor");

/// Announces probes, and tells how they arrived.
pub(super) struct ProbeDesk(pub(super) Arc<Probes>);

impl ProbeDesk {
    pub(super) fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        json::answer(self.handle(request))
    }

    fn handle(&self, request: &Request<Incoming>) -> Done {
        if !request.headers().contains_key(ASKS) {
            return Err(AdminError::Malformed("x-brama-doctor is missing"));
        }
        let rest = request.uri().path().strip_prefix(PATH).ok_or(AdminError::NotFound)?;
        match (rest, request.method()) {
            ("", &Method::POST) => match self.0.announce() {
                Some(name) => Ok((StatusCode::CREATED, json!({ "probe": name }))),
                None => Err(AdminError::Conflict("too many probes are awaited".to_owned())),
            },
            ("", &Method::GET) => Ok((StatusCode::OK, json!({ "public_url": self.0.origin() }))),
            ("", _) => Err(AdminError::Method),
            (rest, method) => {
                let name = rest.strip_prefix('/').ok_or(AdminError::NotFound)?;
                match *method {
                    Method::GET => match self.0.take(name) {
                        Found::Unknown => Err(AdminError::NoSuch("no such probe")),
                        Found::Awaited => Ok((StatusCode::OK, json!({ "arrival": null }))),
                        Found::Arrived(arrival) => {
                            Ok((StatusCode::OK, json!({ "arrival": *arrival })))
                        }
                    },
                    Method::DELETE => {
                        self.0.forget(name);
                        Ok((StatusCode::OK, json!({})))
                    }
                    _ => Err(AdminError::Method),
                }
            }
        }
    }
}
