//! All sockets of the gateway: bound once, then dealt to the workers.

use std::sync::Arc;

use super::error::Error;
use super::settings::{Https, Listen};
use crate::gateway::ports::Ports;
use crate::server::certificates::Certificates;
use crate::server::cores;
use crate::server::handover::HandOver;
use crate::server::listener::Endpoint;
use crate::server::socket::{self, Bound, Socket};
use crate::server::tls;

/// What comes through a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Citizens and what they ask for.
    Portal,
    /// Citizens who are to come again by https.
    Redirect,
}

/// A door before any runtime knows it.
pub(super) struct Closed {
    purpose: Purpose,
    bound: Bound,
    tls: Option<Arc<rustls::ServerConfig>>,
}

/// The bound sockets, before the workers have them.
pub(super) struct Sockets {
    /// The doors of each worker.
    pub(super) workers: Vec<Vec<Closed>>,
    pub(super) operations: Bound,
    /// Under which names of hosts it is asked.
    pub(super) operations_hosts: Vec<String>,
    /// What a successor would get.
    pub(super) hand_over: HandOver,
    /// Certificates that are to be watched.
    pub(super) certificates: Option<Arc<Certificates>>,
    /// For the log: what is listened on, by name.
    pub(super) addresses: Vec<(&'static str, String)>,
    ports: Ports,
}

impl Sockets {
    pub(super) fn bind(listen: Listen) -> Result<Self, Error> {
        let count = cores::workers(listen.workers);
        let mut sockets = Self {
            workers: (0..count).map(|_| Vec::new()).collect(),
            operations: take_one(bind(listen.operations, 1, listen.backlog)?)?,
            operations_hosts: listen.operations_hosts,
            hand_over: HandOver::default(),
            certificates: None,
            addresses: Vec::new(),
            ports: Ports::default(),
        };
        let (https, tls) = match listen.https {
            Some(Https { socket, certificates, options }) => {
                let config = tls::server_config(&certificates, options)?;
                sockets.certificates = Some(certificates);
                (Some(socket), Some(config))
            }
            None => (None, None),
        };
        for (name, purpose, socket, tls) in [
            ("http", Purpose::Portal, listen.http, None),
            ("https", Purpose::Portal, https, tls),
            ("unix", Purpose::Portal, listen.unix, None),
            ("redirect", Purpose::Redirect, listen.redirect, None),
        ] {
            let Some(socket) = socket else { continue };
            let shares = bind(socket, count, listen.backlog)?;
            sockets.hand_over.add(name, &shares)?;
            let first = shares.first().and_then(|bound| bound.sockets().first());
            sockets.addresses.extend(first.map(|socket| (name, socket.to_string())));
            let all = shares.iter().take(1).flat_map(Bound::sockets);
            sockets.ports.0.extend(all.filter_map(|socket| Some(socket.address().ok()?.port())));
            for (bound, doors) in shares.into_iter().zip(&mut sockets.workers) {
                doors.push(Closed { purpose, bound, tls: tls.clone() });
            }
        }
        sockets.hand_over.add("operations", std::slice::from_ref(&sockets.operations))?;
        Ok(sockets)
    }
}

impl Sockets {
    /// Returns the ports that citizens may come to.
    pub(super) fn ports(&self) -> Ports {
        self.ports.clone()
    }

    /// Returns the address of a listener for the log; empty when there is none.
    pub(super) fn address(&self, name: &str) -> &str {
        let found = self.addresses.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, address)| address)
    }
}

impl Closed {
    pub(super) fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Opens the door in the runtime of the present task.
    pub(super) fn open(self) -> std::io::Result<Endpoint> {
        Ok(Endpoint { listener: self.bound.into_listener()?, tls: self.tls })
    }
}

fn bind(socket: Socket, copies: usize, backlog: u32) -> Result<Vec<Bound>, Error> {
    let name = socket.to_string();
    socket::bind(socket, copies, backlog).map_err(|source| Error::Listen { name, source })
}

fn take_one(mut shares: Vec<Bound>) -> Result<Bound, Error> {
    shares.pop().ok_or_else(|| Error::Listen {
        name: "operations".to_owned(),
        source: std::io::ErrorKind::NotFound.into(),
    })
}
