//! `[log]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::shape::keep_order;

/// What the program says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// What is written: `error`, `warn`, `info`, `debug`, or a filter such as
    /// `"info,brama::proxy=debug"`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Json, level: "info".to_owned() }
    }
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line, for collectors.
    Json,
    /// For people at a terminal.
    Text,
}
