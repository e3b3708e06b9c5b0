//! The steps of a hand-off, one after the other: see [`super`] for all of it.

use super::super::Flows;
use super::super::binding::Binding;
use super::super::pending::Origin;
use super::super::return_to::ReturnTo;
use super::super::room::NotKept;
use super::codes::HandoffCode;
use super::refusal::HandoffRefusal;
use super::requests::{HandoffHandle, HandoffRequest, Step, Try};
use crate::base::network::Network;
use crate::gate::requirement::AuthnRequirement;
use crate::identity::person::Person;
use crate::session::SessionId;
use crate::session::cached::{ActiveSession, Activity};
use crate::session::linked::LinkedSessionId;
use crate::store::Unavailable;

/// What is next for a hand-off at the registered host.
#[derive(Debug)]
pub enum Next {
    /// They must sign in at the registered host.
    SignIn(AuthnRequirement, Try),
    /// They go to the other host with a code.
    Go {
        /// The name of the host.
        host: String,
        /// The code that the address at the other host gets.
        code: HandoffCode,
    },
}

/// A hand-off that is complete.
#[derive(Debug)]
pub struct CompletedHandoff {
    /// The id for the cookie of this host.
    pub linked: LinkedSessionId,
    /// Where the citizen wanted to go.
    pub return_to: ReturnTo,
    /// Whether a page of the portal's own led there, or another site's.
    pub origin: Origin,
    /// The public name of the session, for the log.
    pub public_name: String,
    /// Whether the session that the browser had here until now was known, and the same person's.
    pub is_same_person: bool,
}

impl Flows {
    /// Remembers what a browser at another host wants, and binds it to that browser.
    ///
    /// # Errors
    /// When there is no room for it, or it cannot be remembered.
    pub async fn begin_handoff(
        &self,
        request: HandoffRequest,
        network: Network,
    ) -> Result<(HandoffHandle, Binding), NotKept> {
        let binding = Binding::generate();
        let handle = self.handoff_requests.begin(request, &binding, network, self.now()).await?;
        Ok((handle, binding))
    }

    /// Goes on at the registered host, with the binding of the browser there and its session, if
    /// any.
    ///
    /// # Errors
    /// When the hand-off is not this browser's to bring.
    pub async fn continue_handoff(
        &self,
        handle: &HandoffHandle,
        home: &Binding,
        present: Option<(&SessionId, &ActiveSession)>,
        network: Network,
    ) -> Result<Next, HandoffRefusal> {
        let now = self.now();
        // 1. The hand-off is this browser's, and the session will do or not.
        let live = present.map(|(_, live)| live);
        let step = self.handoff_requests.bring(handle, home, live, self.settings.skew, now).await?;
        // 2. It is spent: a code stands for it and for that session.
        match (step, present) {
            (Step::Fulfil(request, binding), Some((session, _))) => {
                let code =
                    self.handoff_codes.make(&request, binding, session, network, now).await?;
                Ok(Next::Go { host: request.host, code })
            }
            (Step::SignIn(requirement, which), _) => Ok(Next::SignIn(requirement, which)),
            // Without a session no hand-off is fulfilled.
            (Step::Fulfil(..), None) => Err(HandoffRefusal::SessionEnded),
        }
    }

    /// Arrives at the other host, with the bindings that the browser has there and the linked
    /// session that it had before, if any.
    ///
    /// # Errors
    /// The first reason for which the citizen is not signed in here.
    pub async fn complete_handoff(
        &self,
        code: &HandoffCode,
        host: &str,
        bindings: &[Binding],
        earlier: Option<&LinkedSessionId>,
    ) -> Result<CompletedHandoff, HandoffRefusal> {
        let now = self.now();
        // 1. The code is spent; it was made for this browser at this host.
        let (session, return_to, origin) =
            self.handoff_codes.spend(code, host, bindings, now).await?;
        // 2. The session that it stands for lives.
        let live = self.sessions.find(&session, Activity::Alive, now).await?;
        let live = live.ok_or(HandoffRefusal::SessionEnded)?;
        // 3. A session linked to it, with a fresh id.
        let linked = self.linked_sessions.begin(&session, &live, host, now).await?;
        // 4. One that the browser had here before ends (fixation), and its session too when it is
        //    another one: a citizen who was signed in here is not any more.
        let mut is_same_person = false;
        if let Some(earlier) = earlier {
            match self.leave_earlier(earlier, host, &session, live.session().person()).await {
                Ok(is_same) => is_same_person = is_same,
                Err(error) => {
                    tracing::warn!(%error, "session before this crossing could not be ended");
                }
            }
        }
        let public_name = live.session().public_name().to_owned();
        Ok(CompletedHandoff { linked, return_to, origin, public_name, is_same_person })
    }

    /// Ends what the browser had here before; tells whether that was the same person's.
    async fn leave_earlier(
        &self,
        earlier: &LinkedSessionId,
        host: &str,
        session: &SessionId,
        person: &Person,
    ) -> Result<bool, Unavailable> {
        let now = self.now();
        let before = self.linked_sessions.find(earlier, host, now).await?;
        self.linked_sessions.forget(earlier, now).await?;
        let Some(before) = before else { return Ok(false) };
        if before.key() == session.key() {
            return Ok(true);
        }
        let before = self.sessions.remove(&before, now).await?;
        let identifier = person.identifier();
        Ok(before.is_some_and(|before| before.session().person().identifier() == identifier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock as _;
    use crate::flow::testing::World;
    use crate::identity::person::Identifier;
    use crate::session::testing;

    const HOST: &str = "b.test";

    /// Signs somebody in, and at the other host too.
    async fn linked(world: &World, person: &Person) -> (SessionId, LinkedSessionId) {
        let (flows, now) = (&world.flows, world.clock.now());
        let id = SessionId::make(&flows.session_marks);
        let session = testing::session_as(person.clone(), id.key(), now);
        flows.sessions.insert(&id, session, now).await.unwrap();
        let live = flows.sessions.find(&id, Activity::Alive, now).await.unwrap().unwrap();
        let linked = flows.linked_sessions.begin(&id, &live, HOST, now).await.unwrap();
        (id, linked)
    }

    #[tokio::test]
    async fn what_a_browser_had_at_the_other_host_ends_and_what_has_just_come_does_not() {
        let world = World::begin();
        let (flows, now) = (&world.flows, world.clock.now());
        let is_live = async |id: &SessionId| {
            flows.sessions.find(id, Activity::Background, now).await.unwrap().is_some()
        };
        let leads = async |linked: &LinkedSessionId| {
            flows.linked_sessions.find(linked, HOST, now).await.unwrap().is_some()
        };
        let person = |pesel| Person::new(None, None, None, Identifier::parse(pesel));
        let (anna, other) = (person("44051401359"), person("02070803628"));
        for (before, is_same) in [(&anna, true), (&other, false)] {
            let ((new, new_link), (old, old_link)) =
                (linked(&world, &anna).await, linked(&world, before).await);
            let left = flows.leave_earlier(&old_link, HOST, &new, &anna).await;
            assert_eq!(left, Ok(is_same));
            assert!(!is_live(&old).await && !leads(&old_link).await);
            assert!(is_live(&new).await && leads(&new_link).await);
        }
        // Another link of the session that has just come: the session goes on.
        let (id, link) = linked(&world, &anna).await;
        assert_eq!(flows.leave_earlier(&link, HOST, &id, &anna).await, Ok(true));
        assert!(is_live(&id).await && !leads(&link).await);
        // It has gone already.
        assert_eq!(flows.leave_earlier(&link, HOST, &id, &anna).await, Ok(false));
    }
}
