//! What happens to logins, sessions, keys and the program itself, said once.
//!
//! 1. A fact is an [`Event`], told where it happens ([`super::events::Events::tell`]) and nowhere a second time.
//!    Whoever makes something of it is an [`Ear`]: the log and the counts always (`ears`),
//!    others as the configuration says.
//! 2. An event borrows what it says. An ear that keeps something copies it; none waits, since a
//!    worker tells while a citizen waits.
//! 3. Every ear matches every event: a new one does not compile until each ear says what becomes
//!    of it.
//! 4. Nothing here names a person, but [`Personal`]: it prints nothing, and who opens it must make
//!    a pseudonym of it.
//!
//! A request that simply passes is no event. It has the access log.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::alarm::{CertificateNews, ClockStanding, WatchedCertificate};
use super::traces::TraceId;
use crate::base::clock::Time;
use crate::base::reason::Reason;

/// A fact, and where it happened.
#[derive(Debug, Clone, Copy)]
pub struct Told<'e> {
    /// The request within which it happened; none for what no client began.
    pub request: Option<Asked<'e>>,
    /// When it happened.
    pub at: Time,
    /// What happened.
    pub event: Event<'e>,
}

/// The request within which something happened.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'e> {
    /// Identifies the request in logs and on pages.
    pub id: &'e str,
    /// The address of the client, as far as we believe.
    pub client: IpAddr,
    /// The canonical host that it is for.
    pub host: &'e str,
    /// The path prefix of the route that it took, when it took one already.
    pub route: Option<&'e str>,
    /// The trace that it belongs to, if there are traces.
    pub trace: Option<TraceId>,
}

/// What is known of a login so far. What is not known yet is absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoginFacts<'e> {
    /// The `ID` of our `AuthnRequest`.
    pub authn_request: Option<&'e str>,
    /// The fingerprint of the artifact: SHA-256, in hexadecimal digits.
    pub artifact: Option<&'e str>,
    /// The `ID` of the assertion.
    pub assertion: Option<&'e str>,
    /// The authority that identified the citizen, as the node names it.
    pub authority: Option<&'e str>,
}

/// The identifier of a person, and of which kind it is. Not printed.
#[derive(Clone, Copy)]
pub struct Personal<'e>(&'static str, &'e str);

impl<'e> Personal<'e> {
    /// Hides an identifier.
    #[must_use]
    pub const fn new(kind: &'static str, identifier: &'e str) -> Self {
        Self(kind, identifier)
    }

    /// Returns the name of the kind: two identifiers of different kinds are never one person's.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        self.0
    }

    /// Returns the identifier, for who makes a keyed pseudonym of it and keeps nothing else.
    #[must_use]
    pub const fn expose(self) -> &'e str {
        self.1
    }
}

impl fmt::Debug for Personal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'e> {
    /// A browser was sent to the node.
    LoginStarted {
        /// What is known of the login.
        login: LoginFacts<'e>,
        /// The level that is asked for.
        assurance: &'static str,
        /// Whether the citizen must identify anew.
        is_anew: bool,
    },
    /// The node said what an artifact stands for; nothing of it is examined yet.
    ArtifactResolved {
        /// What is known of the login.
        login: LoginFacts<'e>,
        /// How long the node took.
        took: Duration,
    },
    /// A citizen was signed in.
    SignedIn {
        /// What is known of the login.
        login: LoginFacts<'e>,
        /// The public name of the session.
        session: &'e str,
        /// The level that was reached.
        assurance: &'static str,
        /// Who it is.
        person: Personal<'e>,
    },
    /// A browser is told once more that its citizen was signed in: nothing began.
    SignedInAgain {
        /// The `ID` of our `AuthnRequest`.
        authn_request: &'e str,
        /// The public name of the session.
        session: &'e str,
        /// The level that was reached.
        assurance: &'static str,
    },
    /// A login led to no session.
    LoginRefused {
        /// What is known of the login.
        login: LoginFacts<'e>,
        /// Why, and what the client is told.
        refusal: Refused<'e>,
    },
    /// A request was refused of which no login is known. Its reason may be one of a login all the same:
    /// of one that is not known any more, or did not begin.
    RequestRefused(Refused<'e>),
    /// Something that lasts was cut, because it may not go on.
    ResponseCut {
        /// Why it was cut.
        reason: Reason,
    },
    /// A signed-in citizen asks for what needs a surer or a newer login.
    StepUpDemanded,
    /// The session of a citizen is about to go over to another host.
    HandOverBegun {
        /// The host.
        host: &'e str,
    },
    /// A citizen is signed in at another host by the session of the registered one.
    HandedOver {
        /// The public name of the session.
        session: &'e str,
        /// The host.
        host: &'e str,
    },
    /// A citizen signed out.
    SignedOut {
        /// The public name of the session; none when there was none.
        session: Option<&'e str>,
        /// What became of it, as metrics and programs are told.
        outcome: &'static str,
    },
    /// The node did not confirm that its session ended; ours did.
    LogoutNotConfirmed {
        /// What the node answered, or why it did not.
        why: &'e str,
    },
    /// A session ended before its time.
    SessionEnded {
        /// The public name of the session.
        session: &'e str,
        /// Who ended it.
        by: EndedBy,
    },
    /// A form was kept across a login.
    FormKept,
    /// A form was not kept, and the citizen must type it again.
    FormNotKept {
        /// What was in the way.
        why: &'e str,
    },
    /// A form that was kept went to the portal.
    FormSent,
    /// A form that was kept is lost, because the portal is away too.
    FormLost {
        /// What was in the way.
        why: &'e str,
    },
    /// A client told an identity as other gateways do; it was removed.
    IdentityToldByClient {
        /// The name of the header.
        header: &'static str,
        /// Whether it is a header of ours, and not one of another gateway's.
        is_ours: bool,
        /// Whether it is told in the log now: not each one is.
        is_logged: bool,
    },
    /// A new configuration is in use.
    ConfigurationApplied,
    /// A new configuration cannot be used; the old one stays.
    ConfigurationRefused,
    /// A certificate is in use that was not before.
    CertificateLoaded {
        /// What it is for: the name that metrics and alarms have for it.
        used_for: &'static str,
        /// The file that it is in, where it has one.
        file: Option<&'e str>,
        /// Its subject (RFC 4514).
        subject: &'e str,
        /// SHA-256 of the certificate, in hexadecimal digits.
        sha256: &'e str,
        /// When it ends.
        not_after: Time,
    },
    /// A certificate cannot be used; the one before stays.
    CertificateRefused {
        /// The file that it is in.
        file: &'e str,
        /// Why not.
        why: &'e str,
    },
    /// A certificate in use ends, is not valid, was replaced, or cannot be read any more.
    CertificateAlarm {
        /// Which one.
        certificate: WatchedCertificate<'e>,
        /// What there is to tell of it.
        news: &'e CertificateNews,
    },
    /// The node's clock differs from ours by more than is settled, or that is over.
    ClockOffset {
        /// How they stand to each other.
        standing: ClockStanding,
        /// The node's clock less ours when it was measured last, in seconds.
        seconds: f64,
        /// By how many seconds the true difference may be more or less.
        within: f64,
        /// What said the node's time: `message` or `date`.
        witness: &'static str,
    },
    /// More exchanges with the node fail than is settled, or do not any more.
    NodeTrouble {
        /// Whether they do not any more.
        is_over: bool,
        /// How many failed within the window.
        failed: u64,
        /// How many there were.
        of: u64,
    },
    /// An operator did something: to keys, sessions or the level of the log, had answers of the node
    /// captured, or asked about a login.
    AdminActed {
        /// The name of the operator.
        admin: &'e str,
        /// What was done.
        action: AdminAction<'e>,
    },
}

/// Why something was refused, and what the client is told.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'e> {
    /// The stable code.
    pub reason: Reason,
    /// The status code of the answer.
    pub status: u16,
    /// The number that the citizen can read out.
    pub incident: &'e str,
    /// What the log is told beside that.
    pub detail: &'e str,
}

/// Who ended a session before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// Its citizen, who signed out.
    Citizen,
    /// The same browser, which signed in again.
    NextLogin,
    /// The same person, who has too many.
    Elsewhere,
    /// An operator.
    Operator,
}

impl EndedBy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Citizen, Self::NextLogin, Self::Elsewhere, Self::Operator];

    /// Returns its name in metrics, which never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Citizen => "signed_out",
            Self::NextLogin => "replaced",
            Self::Elsewhere => "elsewhere",
            Self::Operator => "operator",
        }
    }
}

/// What an operator did.
#[derive(Debug, Clone, Copy)]
pub enum AdminAction<'e> {
    /// Ended one session.
    EndedSession {
        /// The public name of the session.
        session: &'e str,
    },
    /// Ended several sessions.
    EndedSessions {
        /// How many.
        ended: u64,
        /// Whether they were all of one person's.
        is_of_one_person: bool,
        /// Why not all have ended; none when they have.
        error: Option<&'e str>,
    },
    /// Found the digest by which the sessions of a person are known, by an identifier.
    FoundOwner {
        /// The digest, in hexadecimal digits.
        owner: &'e str,
    },
    /// Had new keys of identities made.
    RotatedKeys {
        /// For which algorithm; none is for all.
        algorithm: Option<&'static str>,
    },
    /// Retired a key of identities.
    RetiredKey {
        /// The id of the key.
        kid: &'e str,
        /// Why other replicas do not know of it yet; none when they do.
        pending: Option<&'e str>,
    },
    /// Saved the secret of the pseudonyms.
    SavedPairwiseSecret,
    /// Replaced the secret of the pseudonyms.
    ReplacedPairwiseSecret,
    /// Asked why a login ended as it did.
    AskedAboutLogin {
        /// What was asked for: the number on a page, or what else a login is known by.
        asked: &'e str,
        /// Whether something is known of it.
        is_found: bool,
    },
    /// Looked for records in the audit log.
    SearchedAudit {
        /// By what: the kinds of what was given, and nothing of it.
        by: &'e str,
        /// How many records were told; none when it could not be read.
        found: Option<u64>,
    },
    /// Had the node's next answers captured, sealed to the service's key.
    BeganCapture {
        /// How many at the most.
        answers: usize,
        /// For how long at the most.
        seconds: u64,
    },
    /// Fetched a captured answer.
    FetchedCapture {
        /// The `ID` of the `AuthnRequest` of its login.
        login: &'e str,
    },
    /// Ended the capture, and had what was kept forgotten.
    EndedCapture,
    /// Had the program log more or less.
    ChangedLogLevel {
        /// What is written.
        level: &'e str,
        /// When it falls back to what is configured; none is at the next start.
        until: Option<Time>,
    },
    /// Ended all sessions, since every pseudonym is another one.
    EndedAllSessions {
        /// How many.
        ended: u64,
        /// Why not all have ended; none when they have.
        error: Option<&'e str>,
    },
}

/// The target of lines of the log about operators: what they do, and who tries to be one. They are
/// written at any level, and each of them.
pub const OF_OPERATORS: &str = "brama::operators";

/// Somebody who makes something of what happens.
pub trait Ear: Send + Sync + 'static {
    /// Takes in what happened. A worker waits for it: nothing may block.
    fn hear(&self, told: &Told<'_>);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_it_is_is_not_printed() {
        let person = Personal::new("pesel", "90010112345");
        let event = Event::SignedIn {
            login: LoginFacts::default(),
            session: "s",
            assurance: "high",
            person,
        };
        let printed = format!("{event:?}");
        assert!(printed.contains("[personal]") && !printed.contains("90010112345"), "{printed}");
        assert_eq!(person.expose(), "90010112345");
    }
}
