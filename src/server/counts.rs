//! What is counted of connections: seldom enough that all workers share it.

use crate::observe::metrics::{ByName, Count};

/// What became of connections of citizens, for metrics.
#[derive(Debug)]
pub struct Counts {
    /// Those that were accepted.
    pub accepted: Count,
    /// Those that the system would not hand over.
    pub accept_errors: Count,
    /// Those that ended before they spoke HTTP.
    pub refused: ByName,
    /// Those of HTTP/2 that we cut off for what their client did.
    pub cut: ByName,
    /// Requests of HTTP/2 that were refused before they were read as such.
    pub unseen: Count,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            accepted: Count::default(),
            accept_errors: Count::default(),
            refused: ByName::beginning_with(["handshake_timeout", "per_address", "proxy", "tls"]),
            cut: ByName::beginning_with([
                "enhance_your_calm",
                MALFORMED_HEAD,
                "no_pong",
                "protocol_error",
            ]),
            unseen: Count::default(),
        }
    }
}

/// Of a connection of HTTP/2 that we cut before h2 read the head. No error of h2 tells it: it keeps
/// of ours the words only.
pub(super) const MALFORMED_HEAD: &str = "malformed_head";
