//! `[log]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::field_order::keep_order;

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
    /// What a line of the access log looks like. It has one for each request, and is as `format`
    /// says when it is not said here.
    pub access: AccessFormat,
    /// File of the access log; `"-"` is standard output.
    ///
    /// After it was moved away, SIGUSR1 makes the program open it anew.
    pub access_file: String,
    /// How much of the client's address is in the access log.
    ///
    /// An address is personal data. Write whole ones only if you need them, and know for how long.
    pub access_addresses: AccessAddresses,
    /// Whether the access log has queries. They may hold what people typed.
    pub access_query: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Json,
            level: "info".to_owned(),
            access: AccessFormat::Same,
            access_file: "-".to_owned(),
            access_addresses: AccessAddresses::Masked,
            access_query: false,
        }
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

/// What a line of the access log looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessFormat {
    /// As `format` says.
    Same,
    /// There is no access log.
    Off,
    /// For people at a terminal.
    Text,
    /// One JSON object a line.
    Json,
    /// The combined format of web servers; with User-Agent and Referer.
    Combined,
}

/// How much of an address is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessAddresses {
    /// The whole address.
    Full,
    /// Without the last number of IPv4, and only the first three groups of IPv6.
    Masked,
    /// No address at all.
    Off,
}
