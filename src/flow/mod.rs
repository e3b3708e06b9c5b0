//! The flows: a login begins, a login finishes, a citizen crosses to another host, a citizen signs
//! out.
//!
//! [`finish`] is the heart of the program: one visible function with numbered steps. All I/O of a
//! flow goes through [`node::NodeClient`] (to the node) and the session store.

pub mod arriving;
pub mod begin;
pub mod binding;
pub mod capture;
pub mod examiner;
pub mod extensions;
pub mod finish;
pub mod forms;
pub mod handoff;
pub mod history;
mod insist;
pub mod ledger;
pub mod login_error;
pub mod logout;
#[cfg(test)]
mod losing;
pub mod node;
pub mod node_clock;
pub mod node_tls;
pub mod outcome;
pub mod pending;
pub mod relay_state;
pub mod replay;
mod resolve;
pub mod return_to;
pub mod room;
pub mod tenure;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod ticket;

use std::sync::Arc;
use std::time::Duration;

use self::capture::Captures;
use self::examiner::Examiner;
use self::forms::Forms;
use self::handoff::codes::HandoffCodes;
use self::handoff::requests::HandoffRequests;
use self::history::{Bounded, Histories};
use self::ledger::Bounds;
use self::node::NodeClient;
use self::outcome::Outcomes;
use self::replay::ReplayGuard;
use self::room::Rooms;
use self::tenure::Tenure;
use crate::base::clock::{SharedClock, Time};
use crate::identity::assurance::Assurance;
use crate::observe::event::Event;
use crate::saml::authn_request::Template;
use crate::session::linked::LinkedSessions;
use crate::session::sessions::Sessions;
use crate::store::mark::Marker;
use crate::store::seal::Sealer;
use crate::store::{Kind, RecordStore};
use crate::xml::keys::DecryptionKey;
use crate::xml::signature::TrustedCertificates;
use crate::xml::signer::Signer;

/// What a login needs to know.
#[derive(Debug)]
pub struct Settings {
    /// What is the same in every request of ours.
    pub template: Template,
    /// Where the browser posts the request.
    pub sso_url: String,
    /// Where a `LogoutRequest` goes; `None` when there is no such place.
    pub logout_url: Option<String>,
    /// The entity identifier that the node's messages must have as `Issuer`.
    pub node_issuer: String,
    /// Signs our requests to the node.
    pub signer: Signer,
    /// Keys that open the node's encrypted assertions, several while they are being changed.
    pub decryption_keys: Vec<DecryptionKey>,
    /// The node's pinned certificates.
    pub trusted: TrustedCertificates,
    /// The level asked for when a route asks for none.
    pub assurance: Assurance,
    /// How far the clocks may differ.
    pub skew: Duration,
    /// The most bytes that are read of an answer.
    pub maximum_answer: usize,
    /// How long a citizen may take at the node.
    pub login_timeout: Duration,
    /// How many handles of ended logins, hand-off requests and codes are kept, each.
    pub maximum_pending: u64,
    /// The most bytes of a form that is kept across a login; zero keeps none.
    pub keep_forms: usize,
    /// What becomes of a login by another person than the one who is signed in.
    pub other_person: OtherPerson,
    /// How many bytes there is room for, by what is kept.
    pub rooms: Rooms,
    /// For how long the histories of logins are kept; zero keeps none.
    pub keep_histories: Duration,
}

/// What becomes of a login by another person than the one who is signed in with the browser: at a
/// step-up, the one who can confirm a higher level may not be the one whose case is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherPerson {
    /// It is refused, and the citizen who is signed in stays so.
    Refuse,
    /// The earlier session ends, and the other person is signed in.
    Replace,
}

/// Everything that the flows share.
pub struct Flows {
    /// What a login needs to know, as the configuration says it.
    pub settings: Arc<Settings>,
    /// How long sessions last.
    pub session_settings: crate::session::Settings,
    /// The way to the node.
    pub node: NodeClient,
    /// Where its answers are examined.
    pub examiner: Examiner,
    /// What seals and marks that which is handed out.
    pub sealer: Sealer,
    /// What became of logins.
    pub outcomes: Arc<Outcomes>,
    /// What was typed before a session ended.
    pub forms: Arc<Forms>,
    /// What was used before.
    pub replay: Arc<ReplayGuard>,
    /// The sessions of all citizens, here and in the store.
    pub sessions: Arc<Sessions>,
    /// What tells our session cookies from inventions.
    pub session_marks: Marker,
    /// The sessions at other hosts than the registered one.
    pub linked_sessions: Arc<LinkedSessions>,
    /// Requests to be signed in at other hosts.
    pub handoff_requests: Arc<HandoffRequests>,
    /// What hands a session to another host, once.
    pub handoff_codes: Arc<HandoffCodes>,
    /// What happened to each login, for operators.
    pub histories: Arc<Histories>,
    /// Answers of the node that an operator wants to look at.
    pub captures: Arc<Captures>,
    /// Whether the store is ours, or a successor's.
    pub tenure: Arc<Tenure>,
    /// Tells the time of every check.
    pub clock: SharedClock,
}

impl Flows {
    /// Puts the flows together. What became of logins, forms, and what was used are kept in
    /// the store.
    #[must_use]
    pub fn new(
        settings: Settings,
        session_settings: crate::session::Settings,
        node: NodeClient,
        sessions: Arc<Sessions>,
        (store, sealer): (Arc<dyn RecordStore>, Sealer),
        clock: SharedClock,
    ) -> Self {
        let timeout = settings.login_timeout;
        let rooms = settings.rooms;
        let forms = Forms::new(Arc::clone(&store), sealer.clone(), timeout, rooms.forms);
        let entries = usize::try_from(settings.maximum_pending).unwrap_or(usize::MAX);
        let begun = Bounds { entries, bytes: rooms.begun };
        let handoff_requests =
            HandoffRequests::new(Arc::clone(&store), sealer.clone(), timeout, begun);
        let handoff_codes = HandoffCodes::new(Arc::clone(&store), sealer.clone(), begun);
        let session_marks = Marker::new(sealer.clone(), Kind::Session);
        let linked_sessions =
            LinkedSessions::new(Arc::clone(&store), sealer.clone(), &session_settings);
        let outcomes = Outcomes::new(Arc::clone(&store), sealer.clone(), Arc::clone(&clock), begun);
        let bounded = Bounded { kept_for: settings.keep_histories, bytes: rooms.histories };
        let kept = (Arc::clone(&store), sealer.clone());
        let histories = Histories::new(kept, bounded, Arc::clone(&clock));
        Self {
            settings: Arc::new(settings),
            session_settings,
            node,
            examiner: Examiner::default(),
            sealer,
            outcomes: Arc::new(outcomes),
            forms: Arc::new(forms),
            replay: Arc::new(ReplayGuard::new(store)),
            sessions,
            session_marks,
            linked_sessions: Arc::new(linked_sessions),
            handoff_requests: Arc::new(handoff_requests),
            handoff_codes: Arc::new(handoff_codes),
            histories: Arc::new(histories),
            captures: Arc::default(),
            tenure: Arc::default(),
            clock,
        }
    }

    /// Tells what happened, beside any request.
    pub fn tell(&self, event: Event<'_>) {
        self.sessions.events().tell(self.now(), None, event);
    }

    /// Goes on by new settings with the same sessions, outcomes of logins and memory of what was
    /// used.
    #[must_use]
    pub fn renewed(&self, settings: Settings, node: NodeClient) -> Self {
        self.histories.keep_for(settings.keep_histories);
        Self {
            settings: Arc::new(settings),
            session_settings: self.session_settings.clone(),
            node,
            examiner: self.examiner.clone(),
            sealer: self.sealer.clone(),
            outcomes: Arc::clone(&self.outcomes),
            forms: Arc::clone(&self.forms),
            replay: Arc::clone(&self.replay),
            sessions: Arc::clone(&self.sessions),
            session_marks: self.session_marks.clone(),
            linked_sessions: Arc::clone(&self.linked_sessions),
            handoff_requests: Arc::clone(&self.handoff_requests),
            handoff_codes: Arc::clone(&self.handoff_codes),
            histories: Arc::clone(&self.histories),
            captures: Arc::clone(&self.captures),
            tenure: Arc::clone(&self.tenure),
            clock: Arc::clone(&self.clock),
        }
    }

    fn now(&self) -> Time {
        self.clock.now()
    }
}
