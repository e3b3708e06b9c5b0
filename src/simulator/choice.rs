//! The choice of a person, made on the page or played back, and the way back to the service.

use std::sync::Arc;

use super::answer;
use super::check::AuthnRequest;
use super::crowd;
use super::faults::Fault;
use super::logins;
use super::node::Node;
use super::people::{CANCEL, NodeStatus, Person, Way};
use super::recording::{Ended, Record};
use super::state::{Chosen, Transaction, Waiting};
use crate::base::encoding::base64;
use crate::base::random;
use crate::identity::assurance::Assurance;

/// What a citizen chose.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) transaction: String,
    pub(super) person: String,
    pub(super) way: Option<Way>,
    pub(super) assurance: Option<Assurance>,
    pub(super) faults: Vec<Fault>,
}

/// How the browser goes back to the service provider.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Return {
    pub(super) acs: String,
    pub(super) artifact: String,
    pub(super) relay_state: Option<String>,
    pub(super) by_get: bool,
}

/// Why a choice leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoReturn {
    /// The transaction is over, or never was.
    Transaction,
    /// There is no such person.
    Person,
}

/// Who or what was chosen, with everything that goes with it.
struct Decision {
    chosen: Chosen,
    way: Way,
    assurance: Option<Assurance>,
    faults: Vec<Fault>,
    is_replayed: bool,
}

impl Node {
    /// Ends the choice of a person with an artifact. What the page leaves open is as the person's
    /// own entry says.
    pub(super) fn choose(&self, choice: &Choice) -> Result<Return, NoReturn> {
        let mut way = choice.way;
        let mut assurance = choice.assurance;
        let mut faults = choice.faults.clone();
        let person = self.equipment.roster.people().find(&choice.person);
        let chosen = match person.or_else(|| crowd::find(&choice.person)) {
            Some(person) => {
                way = way.or(person.way);
                assurance = assurance.or(person.assurance);
                faults.extend(&person.faults);
                Chosen::Person(person)
            }
            None if choice.person == CANCEL => Chosen::Failed(NodeStatus::AuthnFailed),
            None => return Err(NoReturn::Person),
        };
        let way = way.unwrap_or_default();
        let decision = Decision { chosen, way, assurance, faults, is_replayed: false };
        let transaction = self.state().transactions.take(&choice.transaction);
        Ok(self.conclude(transaction.ok_or(NoReturn::Transaction)?, decision))
    }

    /// Ends it without a choice, when a recorded login waits to be played back.
    pub(super) fn play_back(&self, transaction: &str) -> Option<Return> {
        let Record { ended, way, assurance, faults } = self.equipment.replay.next()?;
        let transaction = self.state().transactions.take(transaction)?;
        let chosen = match ended {
            Ended::Person(person) => Chosen::Person(Arc::from(person)),
            Ended::Failed(status) => Chosen::Failed(status),
        };
        let assurance = Some(assurance);
        Some(
            self.conclude(
                transaction,
                Decision { chosen, way, assurance, faults, is_replayed: true },
            ),
        )
    }

    fn conclude(&self, transaction: Transaction, decision: Decision) -> Return {
        let Transaction { request, relay_state, login } = transaction;
        let Decision { chosen, way, assurance, faults, is_replayed } = decision;
        let mut state = self.state();
        let faults = state.take_faults(&faults);
        let assurance = assurance.unwrap_or_else(|| request.minimum.max(way.assurance()));
        let who = chosen.name();
        let choice = logins::Choice { who, way, assurance, faults: faults.clone(), is_replayed };
        state.logins.choose(login, choice);
        let artifact = self.artifact();
        let back = Return {
            acs: request.acs.clone(),
            artifact: artifact.clone(),
            relay_state: if faults.contains(&Fault::RelayStateLost) {
                None
            } else if faults.contains(&Fault::RelayStateOther) {
                Some(random::handle())
            } else {
                relay_state
            },
            by_get: faults.contains(&Fault::ReturnByGet),
        };
        let since = self.clock.now();
        let assertion_id = answer::assertion_id();
        let waiting =
            Waiting { request, chosen, way, assurance, faults, since, login, assertion_id };
        state.artifacts.insert(artifact, waiting);
        back
    }

    /// Makes an artifact that nobody asked for, in the shape of an answer to an earlier request,
    /// but for its identifier.
    pub(super) fn unsolicited(
        &self,
        like: &AuthnRequest,
        person: Arc<Person>,
        faults: Vec<Fault>,
    ) -> String {
        let artifact = self.artifact();
        let way = Way::default();
        let waiting = Waiting {
            request: AuthnRequest { id: random::message_id(), ..like.clone() },
            chosen: Chosen::Person(person),
            way,
            assurance: like.minimum.max(way.assurance()),
            faults,
            since: self.clock.now(),
            // Of no login: they are counted from one.
            login: 0,
            assertion_id: answer::assertion_id(),
        };
        self.state().artifacts.insert(artifact.clone(), waiting);
        artifact
    }

    /// SAML bindings 3.6.4: type 0x0004, an endpoint index, the SHA-1 of the issuer, a handle.
    fn artifact(&self) -> String {
        use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
        let mut bytes = vec![0, 4, 0, 0];
        bytes.extend_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, self.issuer.as_bytes()).as_ref());
        bytes.extend_from_slice(&random::bytes::<20>());
        base64(&bytes)
    }
}
