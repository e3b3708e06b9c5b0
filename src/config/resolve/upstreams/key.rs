//! What the parts of an upstream share: how its keys are named, and how its protocol is called.

use crate::config::file;
use crate::proxy::upstream::Protocol;

/// What lies in an upstream, as problems call it.
pub(super) type Key<'k> = dyn Fn(&str) -> String + 'k;

pub(super) fn protocol(given: file::Protocol) -> Protocol {
    match given {
        file::Protocol::Http1 => Protocol::Http1,
        file::Protocol::Http2 => Protocol::Http2,
        file::Protocol::Auto => Protocol::Auto,
    }
}
