//! Sockets: listeners, TLS, the life of a connection, and how it all stops.
//!
//! Knows nothing of logins: it carries requests to a [`listener::Service`] and answers back.

pub mod addresses;
pub mod certificates;
pub mod cores;
pub mod handover;
pub mod limits;
pub mod listener;
pub mod notify;
pub mod proxy_protocol;
pub mod socket;
pub mod stream;
pub mod tls;
