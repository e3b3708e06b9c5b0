//! Why a login does not begin, go on or finish: a stable code for each reason, and what it means
//! for the citizen.

use super::examiner::GivenUp;
use super::node::NodeError;
use crate::base::reason::Reason;
use crate::saml::kind::Kind;
use crate::saml::refusal::Refusal;
use crate::store::Unavailable;
use crate::xml::signer;

/// Why a login did not finish.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The browser has no login to finish here.
    #[error("{0}")]
    Pending(#[from] LoginRefusal),
    /// The node did not answer as it should.
    #[error("{0}")]
    Node(#[from] NodeError),
    /// The node's answer does not sign the citizen in.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The node's answer was not read to its end.
    #[error("{0}")]
    Examination(#[from] GivenUp),
    /// What was used cannot be remembered, or not be told.
    #[error("replay guard: {0}")]
    ReplayGuard(#[source] Unavailable),
    /// Another person is signed in with that browser.
    #[error("another person identified than the one who is signed in with this browser")]
    OtherPerson,
    /// Our own message could not be signed.
    #[error("our request cannot be signed")]
    Sign(#[from] signer::Error),
    /// The session could not be kept.
    #[error("{0}")]
    Store(#[from] Unavailable),
    /// What the browser was told before, or would have been.
    #[error("told once more what became of this login")]
    Repeated {
        /// The stable reason code.
        code: Reason,
        /// What it means for the citizen.
        class: Class,
    },
}

/// What a login that did not finish means for the citizen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The login is not this browser's to finish, not any more, or not yet.
    NotHere,
    /// It was begun by another browser.
    OtherBrowser,
    /// It was used before.
    Used,
    /// It took too long.
    Expired,
    /// The node has no time.
    NodeBusy,
    /// The node did not answer in time.
    NodeSlow,
    /// There is no way to the node.
    NodeUnreachable,
    /// The node answered with a failure.
    NodeFailed,
    /// The artifact or the assertion was used before.
    Replayed,
    /// The answer of the node does not sign the citizen in.
    Answer(Kind),
    /// Another person is signed in with that browser.
    OtherPerson,
    /// Our own message could not be made.
    Ours,
    /// The store is away, and nothing was spent.
    StoreAway,
    /// The store is away, and the login is lost.
    NotKept,
}

impl Class {
    /// All of them, with the names by which they are kept; never changed.
    const NAMES: [(Self, &'static str); 24] = [
        (Self::NotHere, "not_here"),
        (Self::OtherBrowser, "other_browser"),
        (Self::Used, "used"),
        (Self::Expired, "expired"),
        (Self::NodeBusy, "node_busy"),
        (Self::NodeSlow, "node_slow"),
        (Self::NodeUnreachable, "node_unreachable"),
        (Self::NodeFailed, "node_failed"),
        (Self::Replayed, "replayed"),
        (Self::Answer(Kind::Cancelled), "cancelled"),
        (Self::Answer(Kind::RefusedByNode), "refused_by_node"),
        (Self::Answer(Kind::UnknownPerson), "unknown_person"),
        (Self::Answer(Kind::AssuranceTooLow), "assurance_too_low"),
        (Self::Answer(Kind::NotFresh), "not_fresh"),
        (Self::Answer(Kind::OurFault), "our_fault"),
        (Self::Answer(Kind::NodeFault), "node_fault"),
        (Self::Answer(Kind::ArtifactExpired), "artifact_expired"),
        (Self::Answer(Kind::NoIdentifier), "no_identifier"),
        (Self::Answer(Kind::DataMissing), "data_missing"),
        (Self::Answer(Kind::AnswerRefused), "answer_refused"),
        (Self::OtherPerson, "other_person"),
        (Self::Ours, "ours"),
        (Self::StoreAway, "store_away"),
        (Self::NotKept, "not_kept"),
    ];
    /// Every class, in the order of its names.
    pub const ALL: [Self; Self::NAMES.len()] = {
        let mut all = [Self::NotHere; Self::NAMES.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = Self::NAMES[at].0;
            at += 1;
        }
        all
    };

    /// Returns the name by which it is kept.
    #[must_use]
    pub fn name(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(class, _)| *class == self);
        named.map_or("ours", |(_, name)| name)
    }

    /// Returns the class of a name as records have it; `None` when no class has it.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, name)| *name == text).map(|(class, _)| *class)
    }
}

impl LoginError {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(&self) -> Reason {
        match self {
            Self::Pending(LoginRefusal::Unknown) => Reason::LoginUnknownRelayState,
            Self::Pending(LoginRefusal::Expired) => Reason::LoginExpired,
            Self::Pending(LoginRefusal::Used) => Reason::LoginAlreadyUsed,
            Self::Pending(LoginRefusal::OtherBrowser) => Reason::LoginOtherBrowser,
            Self::Pending(LoginRefusal::NoTicket) => Reason::LoginNoTicket,
            Self::Pending(LoginRefusal::TicketExpired) => Reason::LoginTicketExpired,
            Self::Pending(LoginRefusal::Store(_)) => Reason::SessionStoreUnavailable,
            Self::Node(error) => error.code(),
            Self::Refused(refusal) => refusal.code(),
            Self::ReplayGuard(_) => Reason::LoginReplayGuardFull,
            Self::Examination(_) => Reason::LoginCheckNotMade,
            Self::OtherPerson => Reason::LoginOtherPerson,
            Self::Sign(_) => Reason::LoginCannotSign,
            Self::Store(_) => Reason::SessionStoreUnavailable,
            Self::Repeated { code, .. } => *code,
        }
    }

    /// Returns what it means for the citizen.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Pending(refused) => match refused {
                LoginRefusal::Unknown | LoginRefusal::Expired | LoginRefusal::TicketExpired => {
                    Class::Expired
                }
                LoginRefusal::Used => Class::Used,
                LoginRefusal::OtherBrowser => Class::OtherBrowser,
                LoginRefusal::NoTicket => Class::NotHere,
                LoginRefusal::Store(_) => Class::StoreAway,
            },
            Self::Node(NodeError::Busy) => Class::NodeBusy,
            Self::Node(NodeError::Timeout(_)) => Class::NodeSlow,
            Self::Node(NodeError::NotReached(_) | NodeError::Unreachable(_)) => {
                Class::NodeUnreachable
            }
            Self::Node(_) => Class::NodeFailed,
            Self::Refused(Refusal::ReplayedArtifact | Refusal::ReplayedAssertion) => {
                Class::Replayed
            }
            Self::Refused(refusal) => Class::Answer(refusal.kind()),
            Self::OtherPerson => Class::OtherPerson,
            Self::Examination(_) | Self::Sign(_) => Class::Ours,
            Self::Store(_) | Self::ReplayGuard(_) => Class::NotKept,
            Self::Repeated { class, .. } => *class,
        }
    }

    /// Tells whether the network that it came from did something wrong. A handle that we do not
    /// know is no failure of it, and neither is what a foreign page could have its browsers bring,
    /// such as a login that another one began, nor what the node knows too little of.
    #[must_use]
    pub fn is_of_the_network(&self) -> bool {
        match self.class() {
            Class::Replayed => true,
            Class::Answer(kind) => !matches!(
                kind,
                Kind::OurFault
                    | Kind::NodeFault
                    | Kind::ArtifactExpired
                    | Kind::NoIdentifier
                    | Kind::DataMissing
            ),
            _ => false,
        }
    }
}

/// Why a login cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginRefusal {
    /// We made no such handle.
    #[error("relay state is none of ours")]
    Unknown,
    /// It took too long.
    #[error("login was begun too long ago")]
    Expired,
    /// It was finished before.
    #[error("login was finished before")]
    Used,
    /// Its answer came to a browser that did not begin it: it has ended, and no browser gets what
    /// the answer stands for.
    #[error(
        "login was begun by another browser than the one that its answer came to, and has ended"
    )]
    OtherBrowser,
    /// The browser did not deliver the answer.
    #[error("browser has no ticket of this login: it did not deliver the answer")]
    NoTicket,
    /// The browser delivered the answer too long ago.
    #[error("browser delivered the answer too long ago")]
    TicketExpired,
    /// Nothing is known, because the store is away.
    #[error("{0}")]
    Store(#[from] Unavailable),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_answers_for_what_only_whoever_sends_it_can_do_wrong() {
        let wrong = |class| {
            let code = Reason::LoginOtherPerson;
            LoginError::Repeated { code, class }.is_of_the_network()
        };
        let of_the_network = [
            Class::Replayed,
            Class::Answer(Kind::Cancelled),
            Class::Answer(Kind::RefusedByNode),
            Class::Answer(Kind::UnknownPerson),
            Class::Answer(Kind::AssuranceTooLow),
            Class::Answer(Kind::NotFresh),
            Class::Answer(Kind::AnswerRefused),
        ];
        for class in Class::ALL {
            assert_eq!(wrong(class), of_the_network.contains(&class), "{}", class.name());
        }
    }
}
