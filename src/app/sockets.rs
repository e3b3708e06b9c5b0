//! All sockets of the gateway: bound once, then dealt to the workers.

use std::sync::Arc;

use super::acme::Challenges;
use super::error::Error;
use super::inventory::{Served, Use};
use super::settings::{Companion, CompanionTls, Https, Listen, OperationsTls};
use crate::companion::Askers;
use crate::companion::front::{Front, Kind};
use crate::gateway::ports::Ports;
use crate::server::certificates::Certificates;
use crate::server::cores;
use crate::server::handover::HandOver;
use crate::server::listener::Endpoint;
use crate::server::socket::{self, Bound, Socket};
use crate::server::tls;

/// What comes through a door.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    /// Citizens and what they ask for.
    Portal,
    /// Citizens who are to come again by https, and the authority that looks whether a name is ours,
    /// when certificates are ordered.
    Redirect(Option<Arc<Challenges>>),
    /// A proxy of that kind that asks.
    Companion(Front, Askers),
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
    /// How that is asked.
    pub(super) door: OperationsDoor,
    /// What a successor would get.
    pub(super) hand_over: HandOver,
    pub(super) certificates: Watched,
    /// For the log: what is listened on, by name.
    pub(super) addresses: Vec<(&'static str, String)>,
    ports: Ports,
}

/// How the operations listener is asked.
pub(super) struct OperationsDoor {
    /// How TLS is spoken there, if it is.
    pub(super) tls: Option<Arc<rustls::ServerConfig>>,
    /// Under which names of hosts, beside addresses and `localhost`.
    pub(super) hosts: Vec<String>,
}

/// Certificates that are to be watched.
#[derive(Default)]
pub(super) struct Watched {
    /// Those for citizens.
    pub(super) of_citizens: Option<Arc<Certificates>>,
    /// All, those for proxies that ask too, with what each is for.
    pub(super) all: Vec<Served>,
}

impl Sockets {
    /// Binds all of them. The `challenges` are those of the authority at which certificates are ordered.
    pub(super) fn bind(listen: Listen, challenges: Option<Arc<Challenges>>) -> Result<Self, Error> {
        let count = cores::workers(listen.workers);
        let mut sockets = Self {
            workers: (0..count).map(|_| Vec::new()).collect(),
            operations: take_one(bind(listen.operations, 1, listen.backlog)?)?,
            door: OperationsDoor { tls: None, hosts: listen.operations_hosts },
            hand_over: HandOver::default(),
            certificates: Watched::default(),
            addresses: Vec::new(),
            ports: Ports::default(),
        };
        sockets.door.tls = match listen.operations_tls {
            Some(tls) => Some(sockets.speak_to_operators(tls)?),
            None => None,
        };
        let (https, tls) = match listen.https {
            Some(Https { socket, certificates, options, acme: _ }) => {
                let config = tls::server_config(&certificates, options)?;
                sockets.certificates.all.push((Use::Citizens, Arc::clone(&certificates)));
                sockets.certificates.of_citizens = Some(certificates);
                (Some(socket), Some(config))
            }
            None => (None, None),
        };
        for (name, purpose, socket, tls) in [
            ("http", Purpose::Portal, listen.http, None),
            ("https", Purpose::Portal, https, tls),
            ("unix", Purpose::Portal, listen.unix, None),
            ("redirect", Purpose::Redirect(challenges), listen.redirect, None),
        ] {
            let Some(socket) = socket else { continue };
            let all = sockets.deal(name, (&purpose, tls), bind(socket, count, listen.backlog)?)?;
            sockets.ports.0.extend(all);
        }
        for Companion { front, socket, askers, tls } in listen.companions {
            let tls = tls.map(|tls| sockets.speak(front, tls)).transpose()?;
            let purpose = Purpose::Companion(front, askers);
            let shares = bind(socket, count, listen.backlog)?;
            sockets.deal(front.listener(), (&purpose, tls), shares)?;
        }
        sockets.hand_over.add("operations", std::slice::from_ref(&sockets.operations))?;
        Ok(sockets)
    }
}

impl Sockets {
    /// Deals a socket to the workers, and returns the ports at which it listens.
    fn deal(
        &mut self,
        name: &'static str,
        (purpose, tls): (&Purpose, Option<Arc<rustls::ServerConfig>>),
        shares: Vec<Bound>,
    ) -> Result<Vec<u16>, Error> {
        self.hand_over.add(name, &shares)?;
        let first = shares.first().and_then(|bound| bound.sockets().first());
        self.addresses.extend(first.map(|socket| (name, socket.to_string())));
        let all = shares.iter().take(1).flat_map(Bound::sockets);
        let ports = all.filter_map(|socket| Some(socket.address().ok()?.port())).collect();
        for (bound, doors) in shares.into_iter().zip(&mut self.workers) {
            doors.push(Closed { purpose: purpose.clone(), bound, tls: tls.clone() });
        }
        Ok(ports)
    }

    /// Says how TLS is spoken to a proxy that asks; HTTP/2 only where it is asked by that.
    fn speak(
        &mut self,
        front: Front,
        tls: CompanionTls,
    ) -> Result<Arc<rustls::ServerConfig>, Error> {
        let options =
            tls::Options { http2: front.kind() == Kind::ExtAuthzGrpc, ..tls::Options::default() };
        let config = match &tls.authorities {
            None => tls::server_config(&tls.certificates, options)?,
            Some(authorities) => {
                tls::server_config_for_known_clients(&tls.certificates, options, authorities)?
            }
        };
        self.certificates.all.push((Use::Companion, tls.certificates));
        Ok(config)
    }

    /// Says how TLS is spoken to operators, who may show a certificate.
    fn speak_to_operators(
        &mut self,
        tls: OperationsTls,
    ) -> Result<Arc<rustls::ServerConfig>, Error> {
        let options = tls::Options { http2: false, ..tls::Options::default() };
        let config = match &tls.authorities {
            None => tls::server_config(&tls.certificates, options)?,
            Some(authorities) => {
                tls::server_config_for_some_known_clients(&tls.certificates, options, authorities)?
            }
        };
        self.certificates.all.push((Use::Operations, tls.certificates));
        Ok(config)
    }

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

impl Sockets {
    /// Returns the listeners of proxies that ask, for the log; empty when there is none.
    pub(super) fn companions(&self) -> String {
        let of_proxies = self.addresses.iter().filter_map(|(name, address)| {
            Some(format!("{} {address}", name.strip_prefix("companion-")?))
        });
        of_proxies.collect::<Vec<_>>().join(", ")
    }
}

impl Closed {
    pub(super) fn purpose(&self) -> Purpose {
        self.purpose.clone()
    }

    /// Opens the door in the runtime of the present task.
    pub(super) fn open(self) -> std::io::Result<Endpoint> {
        let networks = match self.purpose {
            Purpose::Companion(_, Askers::Networks(networks)) => Some(networks),
            Purpose::Companion(_, Askers::WhoeverReachesIt)
            | Purpose::Portal
            | Purpose::Redirect(_) => None,
        };
        Ok(Endpoint { listener: self.bound.into_listener()?, tls: self.tls, networks })
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
