//! What the simulated node remembers, all of it bounded.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Error;
use super::answer::Outcome;
use super::bounds::{self, Bounded};
use super::check::{AuthnRequest, Finding, Registered};
use super::faults::Fault;
use super::logins::Logins;
use super::people::{NodeStatus, Person, Way};
use super::settings::Service;
use crate::base::clock::Time;
use crate::identity::assurance::Assurance;

/// Everything of the node that changes.
#[derive(Debug)]
pub(super) struct State {
    pub(super) services: Vec<Arc<Registered>>,
    /// Accepted requests whose citizen has not chosen yet.
    pub(super) transactions: Bounded<Transaction>,
    /// Answers that wait to be fetched, by artifact.
    pub(super) artifacts: Bounded<Waiting>,
    /// Sessions at the node, by session index.
    pub(super) sessions: Bounded<Session>,
    /// The last messages that came in, oldest first.
    pub(super) received: VecDeque<Received>,
    /// Faults of the next login only.
    pub(super) next: Vec<Fault>,
    /// Faults of every login.
    pub(super) always: Vec<Fault>,
    pub(super) previous_assertion: Option<String>,
    /// The last logins with their messages.
    pub(super) logins: Logins,
    /// Answers an artifact as often as it is asked, with the same assertion.
    pub(super) repeats: bool,
    /// How often somebody fetched what a message pointed to.
    pub(super) fetched: usize,
}

/// A citizen before the choice of a person.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    pub(super) request: AuthnRequest,
    pub(super) relay_state: Option<String>,
    /// Its number among the last logins.
    pub(super) login: u64,
}

/// How a login ended at the node.
#[derive(Debug, Clone)]
pub(super) enum Chosen {
    /// This person was chosen.
    Person(Arc<Person>),
    /// Nobody was, and this is the status.
    Failed(NodeStatus),
}

impl Chosen {
    pub(super) fn outcome(&self) -> Outcome<'_> {
        match self {
            Self::Person(person) => Outcome::Person(person),
            Self::Failed(status) => Outcome::Failed(*status),
        }
    }

    /// Returns who it is, for people to read.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Person(person) => format!("{} {}", person.given_name, person.family_name),
            Self::Failed(status) => status.name().to_owned(),
        }
    }
}

/// An answer that waits to be fetched.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) request: AuthnRequest,
    pub(super) chosen: Chosen,
    pub(super) way: Way,
    pub(super) assurance: Assurance,
    pub(super) faults: Vec<Fault>,
    pub(super) since: Time,
    pub(super) login: u64,
    /// The `ID` of the assertion.
    pub(super) assertion_id: String,
}

/// A session at the node.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) service: String,
    pub(super) name_id: String,
    pub(super) person: String,
    pub(super) since: Time,
    pub(super) faults: Vec<Fault>,
    pub(super) login: u64,
}

/// The kinds of messages that come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageKind {
    AuthnRequest,
    ArtifactResolve,
    LogoutRequest,
}

impl MessageKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AuthnRequest => "AuthnRequest",
            Self::ArtifactResolve => "ArtifactResolve",
            Self::LogoutRequest => "LogoutRequest",
        }
    }
}

/// A message that came in, and what is wrong with it.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) kind: MessageKind,
    pub(super) time: Time,
    pub(super) issuer: String,
    pub(super) id: String,
    pub(super) findings: Vec<Finding>,
    pub(super) xml: String,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            services: Vec::new(),
            transactions: Bounded::new(bounds::TRANSACTIONS),
            artifacts: Bounded::new(bounds::ARTIFACTS),
            sessions: Bounded::new(bounds::SESSIONS),
            received: VecDeque::new(),
            next: Vec::new(),
            always: Vec::new(),
            previous_assertion: None,
            logins: Logins::default(),
            repeats: false,
            fetched: 0,
        }
    }

    /// Registers a service provider, in place of one with the same issuer.
    pub(super) fn register(&mut self, service: Service) -> Result<(), Error> {
        let registered = Arc::new(Registered::new(service)?);
        let issuer = &registered.service.issuer;
        self.services.retain(|other| other.service.issuer != *issuer);
        if self.services.len() >= bounds::SERVICES {
            return Err(Error::TooManyServices(bounds::SERVICES));
        }
        self.services.push(registered);
        Ok(())
    }

    /// Keeps a message for people to look at.
    pub(super) fn note(&mut self, received: Received) {
        if self.received.len() == bounds::REQUESTS {
            self.received.pop_front();
        }
        self.received.push_back(received);
    }

    /// Returns the faults of the login that begins now.
    pub(super) fn take_faults(&mut self, chosen: &[Fault]) -> Vec<Fault> {
        let mut faults: Vec<Fault> = Vec::new();
        let next = std::mem::take(&mut self.next);
        for &fault in chosen.iter().chain(&next).chain(&self.always) {
            if !faults.contains(&fault) && faults.len() < bounds::FAULTS {
                faults.push(fault);
            }
        }
        faults
    }
}
