//! An upstream: a group of servers that requests are balanced over, and how well each is.
//!
//! What a request does with it, in this order:
//!
//! 1. [`Group::admit`]: a place among the requests under way, at once or after a bounded wait.
//! 2. [`Group::choose`]: the server to ask, as a [`Lease`] that counts the request until it is
//!    dropped. A second attempt names the server to avoid.
//! 3. A connection of the caller's own pool, kept by [`ServerId`], or a new one from [`dial()`].
//! 4. [`Lease::succeeded`] or [`Lease::failed`]: what is learnt from it about the server.
//!
//! Beside the requests, [`watch`] keeps an eye on the servers of a group: it resolves their names
//! again and asks them how they are. It ends when the group is not held any more.
//!
//! A group is shared by all workers and outlives a change of the configuration that does not
//! concern it ([`Group::renew`]). On the way of a request there are only atomics; no lock is held
//! across an await.

mod admission;
mod core;
mod dial;
mod group;
mod health;
mod lease;
mod resolve;
mod server;
mod settings;
mod shares;
mod standing;
mod status;
#[cfg(test)]
mod testing;

use std::sync::Arc;

pub use self::admission::{Admission, Busy};
pub use self::dial::{DialError, Dialled, Spoken, dial};
pub use self::group::{Group, NoServer};
pub use self::lease::{Lease, ServerError};
pub use self::resolve::{Lookup, SystemLookup, resolve};
pub use self::server::{Endpoint, ServerId};
pub use self::settings::{
    HealthCheck, Limits, MAX_WEIGHT, Passive, Pool, Protocol, ServerAddress, ServerSettings,
    Settings, Timeouts, Tls,
};
pub use self::shares::Requester;
pub use self::status::{ServerStatus, State, Status};
use crate::base::shutdown::Shutdown;

/// Watches over the servers of a group until told to stop or until the group is not held any more.
pub fn watch(group: &Arc<Group>, mut stop: Shutdown) -> impl Future<Output = ()> + Send + use<> {
    let group = Arc::downgrade(group);
    async move {
        tokio::select! {
            () = stop.wait() => {}
            () = async { tokio::join!(
                resolve::keep_resolving(group.clone(), SystemLookup),
                health::keep_asking(group),
            ); } => {}
        }
    }
}
