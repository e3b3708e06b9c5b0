//! `[alarms]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HumanDuration;
use crate::config::field_order::keep_order;

/// When the log says that something goes wrong, beside certificates that end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Alarms {
    /// By how much the node's clock may differ from that of this machine; `"0s"` is any.
    ///
    /// It is measured at each login, and nothing is judged by it. Give less than
    /// `service.clock_skew`, with which citizens would not be signed in any more.
    pub clock_offset: HumanDuration,
    /// How many exchanges with the node may fail, of a hundred; 100 is all.
    pub node_failures: u8,
    /// Over what time they are counted.
    pub node_window: HumanDuration,
    /// How few exchanges within that time say nothing.
    pub node_minimum: u64,
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            clock_offset: HumanDuration::from_secs(10),
            node_failures: 50,
            node_window: HumanDuration::from_secs(300),
            node_minimum: 10,
        }
    }
}
