//! Against real servers, which the tests start and end. A server that is not installed is skipped,
//! and the test says so; with `BRAMA_JUDGES=required` it fails.
//!
//! Valkey is looked for as `valkey-server` on the path, or where `BRAMA_VALKEY` says; it is never
//! required, because not every system that we build on has it.

mod contracts;
mod events;
mod failures;
mod groups;
mod lookups;
mod servers;
mod warnings;

use std::future::Future;
use std::time::Duration;

use super::settings::{Address, Credentials, Mode};
use super::*;
use crate::base::secret::Secret;
use crate::store::{contract, sealed};
use servers::Server;

/// How long anything may take that must happen.
const PATIENCE: Duration = Duration::from_secs(45);

fn settings(addresses: &[&Address]) -> Settings {
    Settings::new(Mode::Single, addresses.iter().map(|&address| address.clone()).collect())
}

/// Where it does not matter how long anything takes: on a busy machine that may be long.
fn patient(settings: Settings) -> Settings {
    Settings { command_timeout: PATIENCE, connect_timeout: PATIENCE, ..settings }
}

fn connect_patiently(server: &Server) -> Redis {
    Redis::connect(patient(settings(&[&server.address]))).unwrap()
}

fn connect(server: &Server) -> Redis {
    Redis::connect(settings(&[&server.address])).unwrap()
}

/// Asks again until the answer is yes.
async fn eventually<F: Future<Output = bool>>(what: &str, ask: impl Fn() -> F) {
    let asking = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("never: {what}"));
}

async fn until_used(store: &Redis) {
    eventually("the store can be used", || async { store.check().await.is_ok() }).await;
}

async fn until_watching(store: &Redis) {
    eventually("the store is watching", || async { store.is_watching() }).await;
}

/// What the documentation of the module says that a user needs, and more than that.
fn documented_rights(more: &str) -> String {
    let text = include_str!("../mod.rs").replace("//!", "").replace("PREFIX", "brama:");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(more.is_empty() || text.contains(&format!("`{more}`")), "{more} is documented");
    let (_, from) = text.split_once("An ACL user needs: `").unwrap();
    let (rights, _) = from.split_once('`').unwrap();
    let words: Vec<_> = rights.split_whitespace().chain(more.split_whitespace()).collect();
    words.join(" ")
}

fn credentials(user: &str, password: &str) -> Option<Credentials> {
    let password = Secret::new(password.to_owned());
    Some(Credentials { user: Some(user.to_owned()), password })
}

fn session() -> Key {
    Key { kind: Kind::Session, digest: crate::base::random::bytes() }
}
