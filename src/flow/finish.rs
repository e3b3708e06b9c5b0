//! A login finishes: from the artifact that the browser brought to a session.
//!
//! Three things must come together, and no two of them are enough: the handle of a login that we
//! began ([`RelayState`]), the ticket of the browser that delivered the node's answer
//! ([`super::ticket`]), and what the browser that began it remembers ([`super::pending`]). So no
//! citizen is signed in by the answer to another one's login, neither the one who began it nor the
//! one who delivered it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::history::{Outcome as VisitOutcome, Pen, What, milliseconds};
use super::insist::{self, BEHIND, Deadline, insist};
use super::login_error::{LoginError, LoginRefusal};
use super::node::{NodeError, Permit};
use super::outcome::{Claim, Claimed, Outcome, TOLD_FOR};
use super::pending::PendingLogin;
use super::relay_state::RelayState;
use super::replay;
use super::ticket::{self, Delivered, Ticket};
use super::{Flows, OtherPerson};
use crate::base::clock::{Time, later};
use crate::base::encoding::{hex_lower, sha256};
use crate::base::network::Network;
use crate::identity::assurance::Assurance;
use crate::identity::person::{Identifier, Person};
use crate::observe::event::{EndedBy, Event};
use crate::observe::traces;
use crate::saml::artifact::Artifact;
use crate::saml::assertion::Assertion;
use crate::saml::refusal::Refusal;
use crate::session::cached::Activity;
use crate::session::{Session, SessionId};
use crate::store::Unavailable;

/// What a browser brings to finish a login.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'b> {
    /// The handle of the login.
    pub relay_state: &'b RelayState,
    /// The ticket that was given to the browser that delivered the answer.
    pub ticket: Option<&'b str>,
    /// What was remembered of the login, when this browser began it.
    pub begun: Option<&'b PendingLogin>,
    /// The session that the browser had before.
    pub earlier: Option<&'b SessionId>,
    /// The network of the browser.
    pub network: Network,
    /// Writes what happens.
    pub pen: &'b Pen,
}

/// What a finished login hands to the browser, and what the log says of it.
#[derive(Debug)]
pub struct Finished {
    /// The id for the session cookie.
    pub session: SessionId,
    /// How sure it is who the citizen is.
    pub assurance: Assurance,
    /// What was remembered when the login began.
    pub login: PendingLogin,
    /// What the node vouched for; none when the browser was told so before.
    pub vouched: Option<Vouched>,
    /// Whether the session that the browser had until now was known, and the same person's.
    pub is_same_person: bool,
}

/// What the node vouched for, as it is told of the login.
#[derive(Debug)]
pub struct Vouched {
    /// The fingerprint of the artifact, in hexadecimal digits.
    pub artifact: String,
    /// The `ID` of the assertion.
    pub assertion: String,
    /// The authority that identified the citizen, when the node names one.
    pub authority: Option<String>,
    /// The identifier of the citizen.
    pub person: Identifier,
}

impl Vouched {
    fn by(assertion: &Assertion, artifact: &Artifact) -> Self {
        Self {
            artifact: hex_lower(&artifact.fingerprint()),
            assertion: assertion.id().to_owned(),
            authority: assertion.authority().map(str::to_owned),
            person: assertion.person().identifier().clone(),
        }
    }
}

/// From whom a login is finished, and who writes it down.
struct Finisher {
    network: Network,
    earlier: Option<SessionId>,
    pen: Pen,
}

/// How long the use of an artifact is remembered. The node forgets it much sooner.
const ARTIFACT_MEMORY: Duration = Duration::from_secs(3600);

impl Flows {
    /// Takes what a browser delivers for a login, and returns the ticket for that browser. Where it
    /// sends twins of what it remembers across sites (`twins` are those of this login, if it sends
    /// any at all), that of this login must be among them.
    ///
    /// # Errors
    /// When another browser began the login, which has ended then.
    pub async fn deliver(
        &self,
        relay_state: &RelayState,
        artifact: &Artifact,
        twins: Option<&[&str]>,
        network: Network,
    ) -> Result<Ticket, LoginError> {
        let is_ours = |twin: &&str| self.is_twin(twin, relay_state);
        if twins.is_some_and(|twins| !twins.iter().any(is_ours)) {
            return Err(self.end_for_good(relay_state, network).await);
        }
        Ok(Ticket::issue(&self.sealer, relay_state, artifact, self.now()))
    }

    /// Finishes the login that this browser began and delivered. It goes on even when the browser
    /// does not wait for its end; the same browser is told then when it asks again.
    ///
    /// # Errors
    /// The first reason for which the citizen is not signed in.
    pub async fn finish(self: &Arc<Self>, attempt: Attempt<'_>) -> Result<Finished, LoginError> {
        let Attempt { relay_state, ticket, begun, earlier, network, pen } = attempt;

        // 1. The browser that finishes is the one that delivered: no other has the ticket. Without
        //    it nothing is told, changed or ended, however often it is asked for.
        let delivered = ticket::open(ticket, &self.sealer, relay_state, self.now())?;
        pen.step(delivered.at(), What::Delivered);

        // 2. The browser that finishes is the one that began: no other has what was remembered. An
        //    answer that came to another browser is good for no login from now on.
        let Some(login) = begun.cloned() else {
            return Err(self.end_for_good(relay_state, network).await);
        };

        // 3. A ticket that is over begins nothing any more; what became of the login is told all
        //    the same.
        if delivered.is_late() {
            return self.tell_again(relay_state, login, LoginRefusal::TicketExpired.into()).await;
        }

        // Until it is finished, the store is not left to a successor.
        let (delivered, hold) = (Arc::new(delivered), self.tenure.hold());
        for _ in 0..CLAIMS {
            // 4. There must be room to ask the node before anything is spent: a citizen who is
            //    turned away here can come back with the same login.
            let asked = Instant::now();
            let permit = match self.node.permit().await {
                Ok(permit) => permit,
                Err(busy) => return self.tell_again(relay_state, login, busy.into()).await,
            };

            // 5. From here on it belongs to the citizen, not to this request: what is claimed is
            //    finished, even when the browser is gone.
            let (flows, delivered, hold) = (Arc::clone(self), Arc::clone(&delivered), hold.clone());
            pen.step(self.now(), What::Permitted { waited: milliseconds(asked.elapsed()) });
            let (state, began, earlier) = (relay_state.clone(), login.clone(), earlier.cloned());
            let from = Finisher { network, earlier, pen: pen.clone() };
            let claimed = tokio::spawn(traces::carried(async move {
                let (_hold, pen) = (hold, from.pen.clone());
                let done = flows.claim_and_exchange(permit, &state, began, &delivered, from).await;
                if pen.is_alone() {
                    flows.keep_left(&pen, delivered.at(), &done, network);
                }
                done
            }));
            let claimed = claimed.await.unwrap_or_else(|error| {
                Err(LoginError::Store(Unavailable(format!("login was given up: {error}"))))
            });
            if let Some(finished) = claimed? {
                return Ok(finished);
            }

            // 6. It is finished once. A browser that comes again is told what became of it; when
            //    the claim was given back, it is the browser's to finish.
            if let Some(outcome) = self.outcomes.wait(relay_state, self.patience()).await? {
                return self.repeat(outcome, login).await;
            }
        }
        Err(LoginRefusal::Used.into())
    }

    /// Claims a login, has it finished and notes what became of it; none when it was claimed
    /// before.
    async fn claim_and_exchange(
        self: &Arc<Self>,
        permit: Permit,
        relay_state: &RelayState,
        login: PendingLogin,
        delivered: &Delivered,
        from: Finisher,
    ) -> Result<Option<Finished>, LoginError> {
        let Finisher { network, earlier, pen } = from;
        // A store that was asked for nothing has spent nothing either.
        let claim = self.outcomes.claim(relay_state, network).await.map_err(LoginRefusal::from)?;
        let claimed = match claim {
            Claim::First(claimed) => claimed,
            Claim::Before => {
                pen.step(self.now(), What::ClaimedBefore);
                return Ok(None);
            }
            Claim::Doubtful(away, claimed) => {
                pen.step(self.now(), What::GivenBack);
                self.give_back(relay_state, claimed);
                return Err(LoginRefusal::from(away).into());
            }
        };
        pen.step(self.now(), What::Claimed);
        // The artifact was not used before, with whatever login. When that cannot be told, nothing
        // is spent yet.
        let unused = self.replay.is_unused(delivered.artifact().fingerprint(), self.now()).await;
        let finished = match unused {
            Err(replay::Error::Store(away)) => {
                pen.step(self.now(), What::GivenBack);
                self.give_back(relay_state, claimed);
                return Err(LoginRefusal::from(away).into());
            }
            Err(used) => Err(not_first(used, Refusal::ReplayedArtifact)),
            Ok(()) => self.exchange(permit, login, delivered.artifact(), earlier, &pen).await,
        };
        if let Err(LoginError::Node(NodeError::NotReached(_))) = &finished {
            pen.step(self.now(), What::GivenBack);
            self.give_back(relay_state, claimed);
            return finished.map(Some);
        }
        let outcome = match &finished {
            Ok(Finished { session, assurance, .. }) => {
                Outcome::SignedIn { session: session.clone(), assurance: *assurance }
            }
            Err(error) => Outcome::refused(error),
        };
        if self.outcomes.settle(relay_state, claimed.clone(), &outcome).await.is_err() {
            // Only a request that comes again waits for that.
            let (flows, login) = (Arc::clone(self), relay_state.clone());
            tokio::spawn(async move {
                let settle = || flows.outcomes.settle(&login, claimed.clone(), &outcome);
                if let Err(error) = BEHIND.insist(TOLD_FOR, settle).await {
                    tracing::warn!(%error, "what became of a login cannot be told a second time");
                }
            });
        }
        finished.map(Some)
    }

    /// Keeps the history of a visit whose browser is gone.
    fn keep_left(
        self: &Arc<Self>,
        pen: &Pen,
        at: Time,
        done: &Result<Option<Finished>, LoginError>,
        network: Network,
    ) {
        let refused = done.as_ref().err();
        let reason = refused.map(|error| error.code().to_string());
        let finding = refused.and_then(LoginError::finding);
        let left =
            pen.end((at, self.now()), Default::default(), VisitOutcome::Left { reason, finding });
        if let Some(history) = left {
            self.histories.keep(history, network);
        }
    }

    /// Gives a claim back, as soon as the store can be reached: nothing was spent, and the citizen
    /// finishes the same login by repeating what failed. After a minute the ticket is over, and
    /// nobody could.
    fn give_back(self: &Arc<Self>, login: &RelayState, claimed: Claimed) {
        let (flows, login) = (Arc::clone(self), login.clone());
        tokio::spawn(async move {
            let release = || flows.outcomes.release(&login, claimed.clone());
            if let Err(error) = BEHIND.insist(TOLD_FOR, release).await {
                tracing::warn!(%error, "a login that was claimed in vain cannot be repeated");
            }
        });
    }

    /// Asks the node what the artifact stands for, and begins the session.
    async fn exchange(
        &self,
        permit: Permit,
        login: PendingLogin,
        artifact: &Artifact,
        earlier: Option<SessionId>,
        pen: &Pen,
    ) -> Result<Finished, LoginError> {
        let settings = &self.settings;

        // 1. The node is asked what the artifact stands for, once, because it is spent by asking,
        //    and its answer examined: both signatures, statuses, decryption, every condition, level,
        //    person. From here on the store is asked for everything until it answers.
        let assertion = self.resolve(permit, &login, artifact, pen).await?;
        let now = self.now();

        // 2. Neither was used before, nor will be while it could be presented. Only what the node
        //    vouched for is remembered, so inventions do not fill the memory. A store that is away
        //    is waited for once, for all that follows.
        let deadline = Deadline::after(insist::PATIENCE);
        self.replay
            .first_use(artifact.fingerprint(), later(now, ARTIFACT_MEMORY), now, deadline)
            .await
            .map_err(|refused| not_first(refused, Refusal::ReplayedArtifact))?;
        let remember = later(assertion.not_on_or_after(), settings.skew);
        self.replay
            .first_use(sha256(assertion.id().as_bytes()), remember, now, deadline)
            .await
            .map_err(|refused| not_first(refused, Refusal::ReplayedAssertion))?;
        pen.step(self.now(), What::FirstUse);

        // 3. A citizen who is signed in is not made another person on the way.
        let is_of_another = || self.is_of_another(earlier.as_ref(), assertion.person(), now);
        if insist(deadline, is_of_another).await? {
            return Err(LoginError::OtherPerson);
        }

        // 4. A session with a fresh id; one that the browser had before ends (fixation, step-up).
        let id = SessionId::make(&self.session_marks);
        let session = Session::begin(&assertion, id.key(), &self.session_settings, now);
        insist(deadline, || self.sessions.insert(&id, session.clone(), now)).await?;
        pen.note(|history| history.session = Some(id.key().public_name()));
        pen.step(self.now(), What::SessionBegan);
        let is_same_person = match earlier {
            Some(earlier) => self.replace(&earlier, assertion.person(), now).await,
            None => false,
        };
        let vouched = Some(Vouched::by(&assertion, artifact));
        let assurance = assertion.assurance();
        Ok(Finished { session: id, assurance, login, vouched, is_same_person })
    }

    /// Ends the session that the browser had before; says whether it was of the same person.
    async fn replace(&self, earlier: &SessionId, person: &Person, now: Time) -> bool {
        // The citizen is signed in by now, and the cookie of the earlier session is gone.
        match self.sessions.remove(earlier, now).await {
            Ok(Some(before)) => {
                let (session, by) = (before.session().public_name(), EndedBy::NextLogin);
                self.tell(Event::SessionEnded { session, by });
                before.session().person().identifier() == person.identifier()
            }
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(%error, "session before this login could not be ended");
                false
            }
        }
    }

    /// Tells whether another person is signed in with the session that the browser had before, and
    /// that matters.
    async fn is_of_another(
        &self,
        earlier: Option<&SessionId>,
        person: &Person,
        now: Time,
    ) -> Result<bool, Unavailable> {
        let (Some(earlier), OtherPerson::Refuse) = (earlier, self.settings.other_person) else {
            return Ok(false);
        };
        let live = self.sessions.find(earlier, Activity::Background, now).await?;
        Ok(live.is_some_and(|live| live.session().person().identifier() != person.identifier()))
    }

    /// Tells a browser what became of its login, when that is known already, and otherwise why it
    /// cannot go on.
    async fn tell_again(
        &self,
        relay_state: &RelayState,
        login: PendingLogin,
        otherwise: LoginError,
    ) -> Result<Finished, LoginError> {
        match self.outcomes.wait(relay_state, Duration::ZERO).await {
            Ok(Some(outcome)) => self.repeat(outcome, login).await,
            // While the store is away it is not known; what is too late stays so.
            Ok(None) | Err(LoginRefusal::Used | LoginRefusal::Store(_)) => Err(otherwise),
            Err(refused) => Err(refused.into()),
        }
    }

    /// Tells a browser once more what became of its login.
    async fn repeat(&self, outcome: Outcome, login: PendingLogin) -> Result<Finished, LoginError> {
        match outcome {
            Outcome::Refused { code, class } => Err(LoginError::Repeated { code, class }),
            Outcome::SignedIn { session, assurance } => {
                // The citizen may have signed out meanwhile.
                let live = self.sessions.find(&session, Activity::Background, self.now()).await;
                // While the store is away nothing is lost: it is told when the browser asks again.
                live.map_err(LoginRefusal::from)?.ok_or(LoginRefusal::Used)?;
                let (vouched, is_same_person) = (None, false);
                Ok(Finished { session, assurance, login, vouched, is_same_person })
            }
        }
    }

    /// Ends a login whose answer came to another browser than the one that began it.
    async fn end_for_good(&self, relay_state: &RelayState, network: Network) -> LoginError {
        match self.outcomes.end(relay_state, network).await {
            Ok(()) => LoginRefusal::OtherBrowser.into(),
            Err(away) => LoginRefusal::from(away).into(),
        }
    }

    /// How long a request for the outcome of a login waits for it.
    fn patience(&self) -> Duration {
        self.node.patience().saturating_add(insist::PATIENCE).saturating_add(SETTLING)
    }
}

/// How often a login is claimed for one request: once more, when the one before came to nothing.
const CLAIMS: usize = 2;
/// What the end of a login takes beside the exchange with the node and a store that is replaced.
const SETTLING: Duration = Duration::from_secs(5);

fn not_first(refused: replay::Error, refusal: Refusal) -> LoginError {
    match refused {
        replay::Error::Used => LoginError::Refused(refusal),
        replay::Error::Store(full) if full.is_full() => LoginError::ReplayGuard(full),
        replay::Error::Store(away) => LoginError::Store(away),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;
    use crate::store::{Key, Kind, Record, RecordStore as _};

    #[tokio::test]
    async fn a_memory_that_is_full_is_told_from_a_store_that_is_away() {
        let told = |why| not_first(why, Refusal::ReplayedAssertion);
        let used = told(replay::Error::Used);
        assert!(matches!(used, LoginError::Refused(Refusal::ReplayedAssertion)), "{used}");
        let away = told(replay::Error::Store(Unavailable("it is away".to_owned())));
        assert!(matches!(away, LoginError::Store(_)), "{away}");
        let key = |number| Key { kind: Kind::Used, digest: [number; 32] };
        let record = Record {
            sealed: bytes::Bytes::new(),
            label: bytes::Bytes::new(),
            owner: None,
            alive: 0,
            expires: Time::MAX,
        };
        let memory = Memory::new(1);
        assert_eq!(memory.put_new(key(1), record.clone(), Time::UNIX_EPOCH).await, Ok(true));
        let full = memory.put_new(key(2), record, Time::UNIX_EPOCH).await.unwrap_err();
        let full = told(replay::Error::Store(full));
        assert!(matches!(full, LoginError::ReplayGuard(_)), "{full}");
    }
}
