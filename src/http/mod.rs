//! HTTP at the gateway's doors: what a request is, where it goes, what is answered.
//!
//! [`stack`] is the way of every request, in one function. [`answer`] is the only file in which an
//! error becomes a status and a page.

pub mod answer;
pub mod cookie;
pub mod endpoints;
pub mod exchange;
pub mod host;
pub mod hygiene;
pub mod operations;
pub mod path;
pub mod service;
pub mod stack;

use std::sync::{Arc, RwLock};

use crate::base::clock::SharedClock;
use crate::flow::Flows;
use crate::gate::policy::Policy;
use crate::identity::keyring::KeyRing;
use crate::identity::token::Minter;
use crate::proxy::Upstreams;

/// What the doors know of the portal.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name that citizens know.
    pub portal_name: String,
    /// Scheme, host and port, without a slash at the end.
    pub origin: String,
    /// The prefix of our own places, with slashes around.
    pub prefix: String,
    /// The path of the assertion consumer service.
    pub acs_path: String,
    /// What the ribbon on every page says when this is not production.
    pub test_environment: Option<String>,
    /// The names of our cookies.
    pub cookies: cookie::Cookies,
}

/// The gateway, as one worker has it: everything that a request may need. All of it is shared with
/// the other workers, except the connections to upstreams.
#[derive(Clone)]
pub struct Gateway {
    /// What the doors know of the portal.
    pub settings: Arc<Settings>,
    /// Login and logout.
    pub flows: Arc<Flows>,
    /// Who may go where.
    pub policy: Arc<Policy>,
    /// The signed identities.
    pub minter: Arc<Minter>,
    /// The keys of the signed identities.
    pub ring: Arc<RwLock<KeyRing>>,
    /// The portals behind.
    pub upstreams: Arc<Upstreams>,
    /// The time.
    pub clock: SharedClock,
}

impl Gateway {
    /// Makes the gateway of another worker: all is shared but the connections to upstreams.
    #[must_use]
    pub fn for_worker(&self) -> Self {
        Self { upstreams: Arc::new(self.upstreams.for_worker()), ..self.clone() }
    }
}
