//! What the tests of several files need.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::group::Group;
use super::lease::ServerError;
use super::settings::{ServerAddress, ServerSettings, Settings};
use super::status::State;

/// Makes the settings of a group of servers with these weights, at ports 1, 2 and so on.
pub(super) fn weighted(weights: &[u16]) -> Settings {
    let servers = weights.iter().zip(1..).map(|(&weight, port)| {
        let address = ServerAddress::Socket(SocketAddr::from(([10, 0, 0, 1], port)));
        ServerSettings { address, weight }
    });
    Settings::new("portal", servers.collect())
}

/// Returns the address and the state of each server.
pub(super) fn states(group: &Group, now: Instant) -> Vec<(String, State)> {
    let servers = group.status(now).servers.into_iter();
    servers.map(|server| (server.address, server.state)).collect()
}

/// Lets a request fail to connect.
pub(super) fn failed(group: &Group, now: Instant) {
    group.choose(None, now).unwrap().failed(ServerError::Connect, now);
}

/// Waits until a group is as expected.
pub(super) async fn until(group: &Arc<Group>, is: impl Fn(&Group) -> bool) {
    let mut changes = group.changes();
    while !is(group) {
        changes.changed().await.unwrap();
    }
}
