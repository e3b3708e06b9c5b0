//! Connections to the servers of an upstream that wait for their next request: one pool for each
//! worker, so that no worker waits for another.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::http2::Sender;
use super::upstream::{Group, ServerId};

/// The connections of one upstream.
pub(super) struct Pool {
    servers: Mutex<Vec<Server>>,
    /// How many connections for many requests there have been.
    numbers: AtomicU64,
    /// How long an idle connection may wait.
    keep_alive: Duration,
    /// How many may wait for each server.
    max_idle: usize,
}

/// The connections to one server. There are few servers, so they are simply looked through.
struct Server {
    id: ServerId,
    idle: VecDeque<Idle>,
    multiplexed: Option<Multiplexed>,
}

struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

/// A connection that many requests share.
#[derive(Clone)]
pub(super) struct Multiplexed {
    pub(super) sender: Sender,
    /// Tells it from others of the same pool.
    number: u64,
}

/// A connection that can be used.
pub(super) enum Pooled {
    /// For one request at a time.
    Http1(Box<Connection>),
    /// For many requests at a time.
    Http2(Multiplexed),
}

impl Pool {
    pub(super) fn new(group: &Group) -> Arc<Self> {
        let pool = group.settings().pool;
        let (keep_alive, max_idle) = (pool.keep_alive, pool.max_idle);
        Arc::new(Self {
            servers: Mutex::default(),
            numbers: AtomicU64::new(0),
            keep_alive,
            max_idle,
        })
    }

    /// Takes the connection that was used last and is still alive.
    pub(super) fn take(&self, id: ServerId, now: Instant) -> Option<Pooled> {
        let mut servers = self.lock();
        let server = servers.iter_mut().find(|server| server.id == id)?;
        if let Some(shared) = server.take_multiplexed() {
            return Some(shared);
        }
        while let Some(mut last) = server.idle.pop_back() {
            let waited = now.saturating_duration_since(last.since);
            if waited < self.keep_alive && last.connection.is_silent(waited) {
                return Some(Pooled::Http1(last.connection));
            }
        }
        None
    }

    /// Takes one that others use as well.
    pub(super) fn take_multiplexed(&self, id: ServerId) -> Option<Pooled> {
        self.lock().iter_mut().find(|server| server.id == id)?.take_multiplexed()
    }

    /// Keeps a connection for the next request.
    pub(super) fn put(&self, id: ServerId, connection: Box<Connection>, now: Instant) {
        let mut servers = self.lock();
        let server = find(&mut servers, id);
        if server.idle.len() < self.max_idle {
            server.idle.push_back(Idle { connection, since: now });
        }
    }

    /// Keeps a connection that others can use at the same time.
    pub(super) fn put_http2(&self, id: ServerId, sender: Sender) -> Pooled {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let multiplexed = Multiplexed { sender, number };
        find(&mut self.lock(), id).multiplexed = Some(multiplexed.clone());
        Pooled::Http2(multiplexed)
    }

    /// Gives a connection to no request any more, whose server takes no further ones on it.
    pub(super) fn forget(&self, id: ServerId, number: u64) {
        find(&mut self.lock(), id).multiplexed.take_if(|multiplexed| multiplexed.number == number);
    }

    /// Closes what waited too long, was hung up, or belongs to a server that is gone.
    pub(super) fn sweep(&self, group: &Group, now: Instant) {
        self.lock().retain_mut(|server| {
            server.idle.retain_mut(|idle| {
                let waited = now.saturating_duration_since(idle.since);
                waited < self.keep_alive && idle.connection.is_silent(waited)
            });
            server.multiplexed.take_if(|multiplexed| multiplexed.sender.is_closed());
            group.holds(server.id)
        });
    }

    /// Returns how many wait, of all servers.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.lock().iter().map(|server| server.idle.len()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Server>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    fn take_multiplexed(&mut self) -> Option<Pooled> {
        self.multiplexed.take_if(|multiplexed| multiplexed.sender.is_closed());
        self.multiplexed.clone().map(Pooled::Http2)
    }
}

impl Multiplexed {
    /// Returns what tells it from others of the same pool.
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

fn find(servers: &mut Vec<Server>, id: ServerId) -> &mut Server {
    let at = servers.iter().position(|server| server.id == id).unwrap_or_else(|| {
        servers.push(Server { id, idle: VecDeque::new(), multiplexed: None });
        servers.len() - 1
    });
    &mut servers[at]
}

#[cfg(test)]
mod tests;
