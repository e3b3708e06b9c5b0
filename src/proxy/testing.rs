//! What the tests of several files need: the right by which something lasts, and what a request holds
//! of its upstream.

use std::sync::Arc;
use std::time::Instant;

use http::{Method, Uri};

use super::in_flight::InFlight;
use super::upstream::{Group, Requester, ServerAddress, Settings};
use crate::app::testing::{HOST, OK, World, world};
use crate::base::clock::Clock as _;
use crate::base::network::Network;
use crate::identity::assurance::Assurance;
use crate::request::host::Host;
use crate::request::lasting::{Form, Lasting, Opened};
use crate::session::SessionId;
use crate::session::cached::{ActiveSession, Activity};

/// The session of a citizen, in whose name something lasts.
pub(super) struct Right {
    world: World,
    id: SessionId,
    live: ActiveSession,
}

impl Right {
    pub(super) async fn begin() -> Self {
        let world = world("[[route]]\npath = \"/\"\nupstream = \"portal\"\n", OK).await;
        let (id, _) = world.sign_in(Assurance::High).await;
        let (sessions, now) = (&world.worker.shared.flows.sessions, world.clock.now());
        let live = sessions.find(&id, Activity::Alive, now).await.unwrap().unwrap();
        Self { world, id, live }
    }

    /// Returns what lasts as long as the session.
    pub(super) fn lasting(&self) -> Arc<Lasting> {
        let shared = &self.world.worker.shared;
        Lasting::new(&Opened {
            current: &shared.current,
            rules: &shared.rules,
            route: shared.rules.policy.routes().next().unwrap(),
            is_counted: true,
            host: &Host::parse(HOST.as_bytes(), true).unwrap(),
            uri: &Uri::from_static("/"),
            method: &Method::GET,
            asked: None,
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            began: self.world.clock.now(),
            live: Some(&self.live),
            form: Form::Stream,
        })
    }

    /// Ends the session.
    pub(super) async fn end(&self) {
        let now = self.world.clock.now();
        self.world.worker.shared.flows.sessions.remove(&self.id, now).await.unwrap();
    }
}

/// Returns what a request holds of a group of one server, and the group.
pub(super) async fn in_flight() -> (InFlight, Arc<Group>) {
    let address = ServerAddress::Socket(([127, 0, 0, 1], 1).into());
    let now = Instant::now();
    let group = Group::new(Settings::new("portal", vec![address.into()]), now);
    let network = Network::of(std::net::Ipv4Addr::LOCALHOST.into(), 32, 56);
    let admission = group.admit(Requester::Network(network)).await.unwrap();
    let lease = group.choose(None, now).unwrap();
    (InFlight { lease, answered_at: now, timer: None, _admission: admission }, group)
}

/// Returns how many requests the server of a group failed, and how many it has.
pub(super) fn failures_and_requests(group: &Group) -> (u64, u32) {
    let server = &group.status(Instant::now()).servers[0];
    (server.failures, server.in_flight)
}
