//! The bounds of a listener, each with its name and a default that suits a public portal.

use std::time::Duration;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::request::context::MAX_BODY;
use crate::wire::head::Bounds;
use crate::wire::pace::Slowest;

/// The bounds of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many connections may be open.
    pub connections: usize,
    /// How many of them one client address may have; zero means any number. Counted by
    /// [`PerAddress`](super::addresses::PerAddress).
    pub connections_per_address: usize,
    /// How long a PROXY protocol header and a TLS handshake may take, together.
    pub handshake_timeout: Duration,
    /// How long a request's header may take to arrive.
    pub header_timeout: Duration,
    /// How long a connection may stay open between two requests.
    pub idle_timeout: Duration,
    /// How long a client may leave an answer unread, or a request's body unsent, before the
    /// connection is given up.
    pub stall_timeout: Duration,
    /// Bytes a second that a client must send of a body, or read of an answer, after a grace
    /// ([`GRACE`](crate::wire::pace::GRACE)); zero is any rate.
    pub min_body_rate: u32,
    /// How long connections are still accepted after "not ready" was said.
    pub drain_delay: Duration,
    /// How long open requests may go on after a stop.
    pub drain_timeout: Duration,
    /// The most bytes that a request's line and header may have.
    pub header_bytes: usize,
    /// The most fields that a request's header may have.
    pub header_fields: usize,
    /// The most bytes that the target of a request may have.
    pub target_bytes: usize,
    /// The most bytes that a request's body may have, unless its route says otherwise.
    pub body_bytes: u64,
    /// Whether HTTP/2 is spoken.
    pub http2: bool,
    /// How many requests may be open at once on one HTTP/2 connection.
    pub http2_streams: u32,
    /// How many resets by an HTTP/2 client may wait to be noticed before it is cut off
    /// (CVE-2023-44487, "rapid reset").
    pub http2_resets: usize,
    /// How many errors an HTTP/2 client may provoke before it is cut off.
    pub http2_local_resets: usize,
}

impl Limits {
    /// Returns the bounds of a head.
    #[must_use]
    pub fn head(&self) -> Bounds {
        Bounds { bytes: self.header_bytes, fields: self.header_fields, target: self.target_bytes }
    }

    /// Returns how slow a client may be with a body, either way.
    #[must_use]
    pub fn slowest(&self) -> Slowest {
        Slowest { stall: self.stall_timeout, rate: self.min_body_rate }
    }

    /// Returns how slow a client may be with the body of a request. A stream of messages, as gRPC
    /// has it, is silent while its client has nothing to say.
    #[must_use]
    pub fn slowest_request(&self, headers: &HeaderMap) -> Slowest {
        let is_grpc = headers
            .get(CONTENT_TYPE)
            .is_some_and(|media| media.as_bytes().starts_with(b"application/grpc"));
        if is_grpc { Slowest { rate: 0, ..self.slowest() } } else { self.slowest() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let Bounds { bytes, fields, target } = Bounds::default();
        Self {
            connections: 10_000,
            connections_per_address: 1_000,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(60),
            min_body_rate: 240,
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(30),
            header_bytes: bytes,
            header_fields: fields,
            target_bytes: target,
            body_bytes: MAX_BODY,
            http2: true,
            http2_streams: 100,
            http2_resets: 20,
            http2_local_resets: 128,
        }
    }
}
