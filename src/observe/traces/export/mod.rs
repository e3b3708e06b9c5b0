//! Sends spans to a collector (OTLP 1, over gRPC or over HTTP with protobuf).
//!
//! 1. One task, one connection, one batch at a time ([`Exporter`]). A batch is tried at most
//!    `TRIES` times, and only where the protocol says that trying again may help.
//! 2. The collector is not believed: its certificate is verified, and its answer has a bound in time
//!    and size ([`connection`]).
//! 3. The messages are written by `prost`, as far as they are needed here ([`message`]). The client
//!    of the OpenTelemetry project would bring a second stack of HTTP and gRPC and queues of its own;
//!    what is written here is a page.

mod answer;
mod connection;
mod exporter;
mod message;

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use rustls::pki_types::ServerName;

pub use self::exporter::Exporter;

/// How spans are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// A POST with a protobuf body, over HTTP/1.1.
    Http,
    /// A call of gRPC, over HTTP/2.
    Grpc,
}

/// Where spans go.
#[derive(Debug)]
pub struct Settings {
    /// How they are sent.
    pub protocol: Protocol,
    /// The name or address of the collector's host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Verifies the collector; plain HTTP without.
    pub tls: Option<(rustls::ClientConfig, ServerName<'static>)>,
    /// Host and port, as requests say them.
    pub authority: String,
    /// Where batches are sent to over HTTP.
    pub path: String,
    /// What each request says besides, such as a token.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How long one attempt may take, connection included.
    pub timeout: Duration,
    /// What is said of this program with all spans.
    pub resource: Vec<(String, String)>,
}

#[cfg(test)]
mod tests;
