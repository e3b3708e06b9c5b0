//! Connections to upstreams that wait for their next request: one pool for each worker, so that no
//! worker waits for another.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::connect::Endpoint;
use super::connection::Connection;

/// The idle connections of one upstream.
pub(super) struct Pool {
    idle: Mutex<HashMap<Endpoint, VecDeque<Idle>>>,
    /// How long a connection may wait.
    patience: Duration,
    /// How many may wait for each server.
    most: usize,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(super) fn new(patience: Duration, most: usize) -> Arc<Self> {
        Arc::new(Self { idle: Mutex::default(), patience, most })
    }

    /// Takes the connection that was used last and is still alive.
    pub(super) fn take(&self, endpoint: &Endpoint) -> Option<Connection> {
        let mut idle = self.lock();
        let waiting = idle.get_mut(endpoint)?;
        while let Some(mut last) = waiting.pop_back() {
            if last.since.elapsed() < self.patience && last.connection.is_silent() {
                return Some(last.connection);
            }
        }
        None
    }

    /// Keeps a connection for the next request.
    pub(super) fn put(&self, endpoint: &Endpoint, connection: Connection) {
        let mut idle = self.lock();
        let waiting = match idle.get_mut(endpoint) {
            Some(waiting) => waiting,
            None => idle.entry(endpoint.clone()).or_default(),
        };
        if waiting.len() < self.most {
            waiting.push_back(Idle { connection, since: Instant::now() });
        }
    }

    /// Closes what waited too long or was hung up.
    pub(super) fn sweep(&self) {
        self.lock().retain(|_, waiting| {
            waiting.retain_mut(|idle| {
                idle.since.elapsed() < self.patience && idle.connection.is_silent()
            });
            !waiting.is_empty()
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Endpoint, VecDeque<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
