//! Sockets: listeners, TLS, the life of a connection, and how it all stops.
//!
//! Knows nothing of logins: it carries requests to a [`listener::Service`] and answers back.

pub mod accept;
pub mod addresses;
pub mod admission;
pub mod certificates;
mod connection;
pub mod cores;
pub mod counts;
pub mod handover;
pub mod http1;
pub mod http2;
pub mod limits;
pub mod listener;
pub mod notify;
mod parked;
mod patience;
pub mod proxy_protocol;
pub mod socket;
pub mod tls;
pub mod workers;
