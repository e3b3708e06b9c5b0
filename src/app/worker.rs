//! What one worker does: it serves its sockets, and tidies up.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tracing::error;

use super::current::{Current, ToHttps};
use super::parts::Startup;
use super::sockets::{Closed, Purpose};
use crate::base::shutdown::{Shutdown, shutdown};
use crate::companion::Companion;
use crate::server::listener::{self, Admission, Limits};

/// Serves the sockets of a worker until told to stop.
pub(super) async fn work(
    doors: Vec<Closed>,
    current: Arc<Current>,
    admission: Arc<Admission>,
    startup: Arc<Startup>,
    stop: Shutdown,
) {
    // A channel of its own: asking it costs no other worker anything.
    let (stopper, stopping) = shutdown();
    tokio::spawn(stop.pass_on(stopper));
    let mut attended = JoinSet::new();
    // All citizens come by a few connections of the proxy that asks. A bound of its own keeps these
    // from taking the descriptors of the others.
    let limits = admission.limits();
    let connections = limits.connections.min(MOST_ASKING);
    let limits = Limits { connections, connections_per_address: 0, ..limits };
    let asked = admission.beside(limits);
    let mut is_open = true;
    for door in doors {
        let purpose = door.purpose();
        let door = match door.open() {
            Ok(door) => door,
            Err(error) => {
                error!(%error, "a worker cannot listen");
                is_open = false;
                continue;
            }
        };
        let (current, admission) = (Arc::clone(&current), Arc::clone(&admission));
        let stop = stopping.clone();
        match purpose {
            Purpose::Portal => {
                attended.spawn(listener::run(door, current, admission, stop));
            }
            Purpose::Redirect(challenges) => {
                let service = Arc::new(ToHttps { current, challenges });
                attended.spawn(listener::run(door, service, admission, stop));
            }
            Purpose::Companion(front, _) => {
                let service = Arc::new(Companion::new(current, front, stop.clone()));
                let asked = Arc::clone(&asked);
                attended.spawn(listener::run(door, service, asked, stop));
            }
        }
    }
    if is_open {
        startup.listens();
    }
    let tidy = async {
        loop {
            tokio::time::sleep(TIDY).await;
            current.worker().proxy.upstreams.sweep();
        }
    };
    let all = async { while attended.join_next().await.is_some() {} };
    tokio::select! {
        () = all => {}
        () = tidy => {}
    }
}

/// The most connections of proxies that ask, for each worker.
const MOST_ASKING: usize = 1024;

/// How often connections to upstreams that waited too long are closed.
const TIDY: Duration = Duration::from_secs(5);
