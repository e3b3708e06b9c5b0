//! How requests of `brama doctor` arrive: announced here, and told here ([`crate::request::probes`]).
//!
//! No token is asked for: what is told is how a request of whoever asks here came, and what everybody
//! may know of a gateway. A page of another site passes neither the guard of this listener
//! ([`super::guard`]) nor without the field [`ASKS`].

use std::sync::Arc;

use http::{HeaderName, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::call::{Call, Done, Nothing, said, said_with};
use super::problem::Problem;
use crate::request::probes::{Arrival, Found, Probes};

/// The path that requests about probes begin with.
pub const PATH: &str = "/probes";

/// Says that a program asks, and no page: a browser sends it for another site's page to nobody who
/// has not allowed it before.
pub const ASKS: HeaderName = HeaderName::from_static("x-brama-doctor");

/// Announces probes, and tells how they arrived.
pub(super) struct ProbeDesk(pub(super) Arc<Probes>);

/// Which gateway this is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Gateway")]
pub struct Which {
    /// Its `portal.public_url`.
    public_url: String,
}

/// A probe that is awaited.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Probe")]
pub struct Announced {
    /// The name that a request brings in `X-Brama-Probe`, within a minute.
    probe: String,
}

/// How a probe arrived.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ProbeArrival")]
pub struct Shown {
    /// Null while it has not.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    arrival: Option<Box<Arrival>>,
}

impl ProbeDesk {
    pub(super) fn which(&self) -> Done {
        said(&Which { public_url: self.0.origin().to_owned() })
    }

    pub(super) fn announce(&self, call: &Call) -> Done {
        match self.0.announce(call.from) {
            Some(probe) => said_with(StatusCode::CREATED, &Announced { probe }),
            None => Err(Problem::Conflict("too many probes are awaited".to_owned())),
        }
    }

    pub(super) fn show(&self, call: &Call) -> Done {
        match self.0.take(&call.name) {
            Found::Unknown => Err(Problem::NoSuch("no such probe")),
            Found::Awaited => said(&Shown { arrival: None }),
            Found::Arrived(arrival) => said(&Shown { arrival: Some(arrival) }),
        }
    }

    pub(super) fn forget(&self, call: &Call) -> Done {
        self.0.forget(&call.name);
        said(&Nothing {})
    }
}
