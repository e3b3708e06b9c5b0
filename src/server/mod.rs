//! Sockets: listeners, TLS, the life of a connection, and how it all stops.
//!
//! Knows nothing of logins: it carries requests to a [`listener::Service`] and answers back.

mod connection;
mod http1;
mod http2;
pub mod listener;
pub mod tls;
pub mod workers;
