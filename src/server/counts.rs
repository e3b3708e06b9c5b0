//! What is counted of connections: seldom enough that all workers share it.

use std::error::Error as _;

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

/// Says why we cut a connection of HTTP/2, if it was we who did. RFC 9113 7 has the names.
pub(super) fn cut(error: &hyper::Error) -> Option<&'static str> {
    if error.is_timeout() {
        return Some("no_pong");
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            return error.is_library().then(|| name(error.reason()));
        }
        cause = error.source();
    }
    None
}

fn name(reason: Option<h2::Reason>) -> &'static str {
    match reason {
        Some(h2::Reason::ENHANCE_YOUR_CALM) => "enhance_your_calm",
        Some(h2::Reason::PROTOCOL_ERROR) => "protocol_error",
        Some(h2::Reason::FLOW_CONTROL_ERROR) => "flow_control_error",
        Some(h2::Reason::FRAME_SIZE_ERROR) => "frame_size_error",
        Some(h2::Reason::COMPRESSION_ERROR) => "compression_error",
        Some(h2::Reason::STREAM_CLOSED) => "stream_closed",
        _ => "other",
    }
}

/// Of a connection of HTTP/2 that we cut before hyper read the head. No error of hyper tells it
/// ([`cut`]): its h2 keeps of ours the words only.
pub(super) const MALFORMED_HEAD: &str = "malformed_head";
