//! Hands a request that may pass on to its upstream, and the answer back: both streamed.
//!
//! 1. Only a [`Pass`] opens the way, and it says to where and in whose name.
//! 2. The request was cleaned before the decision; here it loses what speaks of the connection and
//!    our cookies, and gets what we say of it: origin, request id, and the signed identity that
//!    the caller gives (`request`).
//! 3. It gets a place among the requests under way, a server, and a connection ([`upstream`],
//!    `pool`). It is sent once more when the connection proved dead before a byte was answered,
//!    and only if it is safe to repeat, or the upstream did nothing with it (`attempt`).
//! 4. Addresses in the answer become the public ones (`map_back`).
//! 5. The answer loses what could speak in our name, and what was made for one citizen is not
//!    stored by browsers unless the portal says otherwise.

mod attempt;
mod connection;
mod error;
mod forward;
mod http2;
mod in_flight;
mod map_back;
mod pool;
mod request;
mod request_writer;
mod response_body;
mod response_fields;
mod trailer;
mod tunnel;
mod upload;
pub mod upstream;
mod upstreams;
mod watched;

use std::sync::Arc;

pub use self::error::Error;
pub use self::forward::forward;
use self::upstream::Requester;
pub use self::upstreams::Upstreams;
use crate::base::network::Network;
use crate::gate::Pass;
use crate::observe::access::AccessLog;
use crate::request::context::RequestContext;
use crate::request::cookie::Cookies;
use crate::request::rules::{CurrentRules, Rules};
use crate::request::via::Via;
use crate::wire::incoming::TrailerRule;

/// What forwards requests: the portals behind, as one worker reaches them.
pub struct Proxy {
    /// The portals, with this worker's connections.
    pub upstreams: Upstreams,
    /// What the configuration says of all of them.
    pub settings: Settings,
    /// The rules by which requests pass.
    pub rules: Arc<Rules>,
    /// The rules of the moment, by which what lasts is judged again.
    pub current: Arc<CurrentRules>,
    /// The access log, for which bytes and times are noted unless it is off.
    pub access: Arc<AccessLog>,
    /// What is said of us in each request.
    pub via: Arc<Via>,
    /// What may stand behind the body of a request.
    pub trailer_rule: Arc<TrailerRule>,
}

/// What holds for the portals behind, all of them.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The names of our cookies, which no upstream gets or sets.
    pub cookies: Cookies,
    /// The most bytes of a request's body, where its route does not say.
    pub max_body: u64,
    /// Whether upstreams get the header `Forwarded` (RFC 7239) too.
    pub sends_forwarded: bool,
    /// How long the prefix of a client's network is, in IPv4 and IPv6.
    pub network_prefixes: (u8, u8),
}

impl Settings {
    /// Tells which client a request counts for.
    fn requester(&self, pass: &Pass, context: &RequestContext) -> Requester {
        let (ipv4, ipv6) = self.network_prefixes;
        match pass.live() {
            Some(live) => Requester::Session(live.key()),
            None => Requester::Network(Network::of(context.client.address, ipv4, ipv6)),
        }
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
