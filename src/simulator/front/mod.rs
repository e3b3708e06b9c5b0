//! What stands before the SOAP endpoint: connections that fail, TLS that is wrong, bad hours.
//!
//! Each connection comes to a relay first ([`relay`]), which lets it through, resets it, or keeps
//! it waiting. TLS asks here at each handshake which certificate to show ([`tls`]); nothing is
//! resumed, so what was set counts for the next connection.

mod present;
mod relay;
mod schedule;
mod time;
mod tls;
mod tls_fault;

pub(super) use self::present::Front;
pub(super) use self::relay::run;
pub use self::schedule::{Condition, Schedule};
pub(super) use self::tls::server;
pub use self::tls_fault::TlsFault;
