//! `[[upstream]]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HumanDuration;
use crate::config::shape::keep_order;

/// A backend that requests are handed on to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Upstream {
    /// Name by which routes call it. Required, and different from the others.
    #[schemars(example = &"portal")]
    pub name: Option<String>,
    /// Where it listens: `http://` or `https://`, host and port. Required.
    ///
    /// With plain HTTP, keep it on loopback or on a network that only the gateway reaches.
    #[schemars(example = &"http://127.0.0.1:3000")]
    pub url: Option<String>,
    /// Time that connecting may take.
    pub connect_timeout: HumanDuration,
    /// Time until the head of its answer must be there.
    pub response_timeout: HumanDuration,
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            name: None,
            url: None,
            connect_timeout: HumanDuration::from_secs(5),
            response_timeout: HumanDuration::from_secs(60),
        }
    }
}
