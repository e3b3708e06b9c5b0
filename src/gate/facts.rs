//! What a door knows of a request: already canonical, so that every rule sees one value.

use http::Method;

/// A request, as the policy sees it.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    /// The host in lower case, without port and trailing dot.
    pub host: &'f str,
    /// The decoded path, see `request::path`.
    pub path: &'f str,
    /// The method, as the client sent it.
    pub method: &'f Method,
    /// Whether it comes from a network that work on the portal does not close.
    pub may_pass_maintenance: bool,
}
