//! The whole way of a login, with a node that is simulated, and out again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::begin::Begun;
use super::finish::Finished;
use super::login_error::{LoginError, LoginRefusal};
use super::logout::SignedOut;
use super::losing::Line;
use super::node::NodeError;
use super::outcome::TOLD_FOR;
use super::pending::Origin;
use super::return_to::ReturnTo;
use super::testing::{World, attempt, network};
use super::{OtherPerson, ticket};
use crate::base::clock::{Clock as _, later};
use crate::base::encoding::from_base64;
use crate::gate::requirement::AuthnRequirement;
use crate::identity::assurance::Assurance;
use crate::saml::artifact::Artifact;
use crate::saml::refusal::Refusal;
use crate::session::SessionId;
use crate::session::cached::Activity;
use crate::simulator::faults::Fault;
use crate::store::{Kind, RecordStore as _};

impl World {
    /// Delivers an artifact for a login and finishes it, with the session that was there before.
    async fn finish(
        &self,
        begun: &Begun,
        artifact: &Artifact,
        earlier: Option<&SessionId>,
    ) -> Result<Finished, LoginError> {
        let ticket = self.flows.deliver(&begun.relay_state, artifact, None, network()).await?;
        let remembered = self.remembered(begun);
        let attempt = attempt(begun, ticket.expose(), &remembered);
        self.flows.finish(super::finish::Attempt { earlier, ..attempt }).await
    }

    /// Signs a person in, with the session that was there before.
    async fn sign_in(
        &self,
        person: &str,
        earlier: Option<&SessionId>,
    ) -> Result<Finished, LoginError> {
        let begun = self.login().await;
        let artifact = self.identify(&begun, person).await;
        self.finish(&begun, &artifact, earlier).await
    }

    async fn is_live(&self, id: &SessionId) -> bool {
        let found = self.flows.sessions.find(id, Activity::Background, self.clock.now()).await;
        found.unwrap().is_some()
    }

    /// How often sessions were ended for a reason.
    fn ended(&self, why: &str) -> u64 {
        let all = self.flows.sessions.events().counts().sessions_ended.all();
        all.iter().find(|(name, _)| *name == why).map_or(0, |(_, count)| *count)
    }

    /// How many artifacts the node was asked for.
    fn asked(&self) -> u64 {
        self.flows.node.exchanges().resolve.by_result().map(|(_, spread)| spread.count()).sum()
    }
}

#[tokio::test]
async fn a_login_that_may_have_an_age_has_the_citizen_identify_anew() {
    let world = World::begin();
    for (max_age, is_forced) in [(None, false), (Some(Duration::from_secs(60)), true)] {
        let requirement = AuthnRequirement { assurance: Assurance::High, max_age };
        let begun = world.flows.begin(ReturnTo::front_page(), requirement, Origin::Own);
        let begun = begun.await.unwrap();
        let request = String::from_utf8(from_base64(&begun.saml_request).unwrap()).unwrap();
        assert_eq!(request.contains("ForceAuthn=\"true\""), is_forced, "{request}");
        let login = world.remembered(&begun);
        assert_eq!(login.fresh_since.is_some(), is_forced);
        assert_eq!(login.assurance, Assurance::High);
    }
    // None has less than the level of the service.
    assert_eq!(world.remembered(&world.login().await).assurance, Assurance::Substantial);
}

#[tokio::test]
async fn a_browser_that_sends_twins_delivers_with_that_of_the_login_or_ends_it() {
    let world = World::begin();
    let artifact = world.identify(&world.login().await, "anna").await;
    let other = world.login().await;
    let other = other.twin.expose().as_str();
    for (has_own, others, is_taken) in [
        (true, &[][..], true),
        (true, &[other], true),
        (false, &[other], false),
        (false, &[], false),
    ] {
        let begun = world.login().await;
        let own = has_own.then_some(begun.twin.expose().as_str());
        let twins: Vec<_> = others.iter().copied().chain(own).collect();
        let state = &begun.relay_state;
        let ticket = world.flows.deliver(state, &artifact, Some(&twins), network()).await;
        let told = world.flows.outcomes.wait(state, Duration::ZERO).await;
        if is_taken {
            assert!(ticket.is_ok() && matches!(told, Ok(None)));
        } else {
            let refused = ticket.unwrap_err();
            assert!(matches!(refused, LoginError::Pending(LoginRefusal::OtherBrowser)));
            assert_eq!(told.unwrap_err(), LoginRefusal::OtherBrowser, "nobody finishes it");
        }
    }
    // One that sends none at all may be the one that began.
    let begun = world.login().await;
    assert!(world.flows.deliver(&begun.relay_state, &artifact, None, network()).await.is_ok());
}

#[tokio::test]
async fn who_finishes_again_is_told_what_became_of_it_and_nothing_happens_twice() {
    let world = World::begin();
    let begun = world.login().await;
    let artifact = world.identify(&begun, "anna").await;
    let ticket = world.flows.deliver(&begun.relay_state, &artifact, None, network()).await.unwrap();
    let remembered = world.remembered(&begun);
    let finish = || world.flows.finish(attempt(&begun, ticket.expose(), &remembered));
    // Two at once: the second waits for what becomes of the first.
    let (one, two) = tokio::join!(finish(), finish());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(
        one.session.key() == two.session.key() && one.vouched.is_some() != two.vouched.is_some()
    );
    assert!(world.is_live(&one.session).await && !one.is_same_person);
    assert_eq!((one.assurance, world.asked()), (Assurance::Substantial, 1));
    // Its ticket is over by then; what became of it is not.
    world.clock.advance(ticket::LIFETIME - Duration::from_millis(1));
    assert!(finish().await.unwrap().vouched.is_none());
    // The citizen has signed out.
    world.flows.logout(&one.session).await.unwrap();
    let used = finish().await.unwrap_err();
    assert!(matches!(used, LoginError::Pending(LoginRefusal::Used)), "{used}");
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn a_ticket_that_is_over_begins_nothing_and_what_became_of_it_is_told() {
    let world = World::begin();
    let begun = world.login().await;
    let artifact = world.identify(&begun, "anna").await;
    let ticket = world.flows.deliver(&begun.relay_state, &artifact, None, network()).await.unwrap();
    let remembered = world.remembered(&begun);
    let finish = || world.flows.finish(attempt(&begun, ticket.expose(), &remembered));
    world.clock.advance(ticket::LIFETIME);
    let late = finish().await.unwrap_err();
    assert!(matches!(late, LoginError::Pending(LoginRefusal::TicketExpired)), "{late}");
    assert_eq!(world.asked(), 0);
    // The twin: it was finished in time.
    let begun = world.login().await;
    let artifact = world.identify(&begun, "anna").await;
    let ticket = world.flows.deliver(&begun.relay_state, &artifact, None, network()).await.unwrap();
    let remembered = world.remembered(&begun);
    let finish = || world.flows.finish(attempt(&begun, ticket.expose(), &remembered));
    world.clock.advance(Duration::from_secs(10));
    let in_time = finish().await.unwrap();
    world.clock.advance(ticket::LIFETIME - Duration::from_secs(10));
    let told = finish().await.unwrap();
    assert!(told.vouched.is_none() && told.session.key() == in_time.session.key());
}

#[tokio::test]
async fn what_was_used_is_remembered_for_as_long_as_it_could_be_presented() {
    let world = World::begin();
    let begun = world.login().await;
    let artifact = world.identify(&begun, "anna").await;
    let before = world.clock.now();
    world.finish(&begun, &artifact, None).await.unwrap();
    let kept = world.store.list(Kind::Used, None, 10, before).await.unwrap().records;
    let mut until: Vec<_> = kept.iter().map(|(_, record)| record.expires).collect();
    until.sort();
    // The artifact an hour; the assertion, which the node makes for fifty minutes, until it is over by
    // whichever clock.
    let [assertion, of_artifact] = until.try_into().unwrap();
    assert_eq!(of_artifact, later(before, Duration::from_secs(3600)));
    let over = later(before, Duration::from_secs(50 * 60 + 60));
    assert_eq!(assertion.as_second(), over.as_second());
    // Neither is good for another login.
    let other = world.login().await;
    let refused = world.finish(&other, &artifact, None).await.unwrap_err();
    assert!(matches!(refused, LoginError::Refused(Refusal::ReplayedArtifact)), "{refused}");
    assert_eq!(world.asked(), 1, "the node is not asked for it");
    world.control.next(&[Fault::ReplayedAssertion]);
    let refused = world.sign_in("anna", None).await.unwrap_err();
    assert!(matches!(refused, LoginError::Refused(_)), "{refused}");
}

#[tokio::test]
async fn a_citizen_who_is_signed_in_is_not_made_another_person_unless_that_is_wanted() {
    for other_person in [OtherPerson::Refuse, OtherPerson::Replace] {
        let world = World::with(|settings| settings.other_person = other_person);
        let first = world.sign_in("anna", None).await.unwrap().session;
        // The same person: the session before ends.
        let again = world.sign_in("anna", Some(&first)).await.unwrap();
        assert!(again.is_same_person && world.is_live(&again.session).await);
        assert!(!world.is_live(&first).await);
        assert_eq!(world.ended("replaced"), 1);
        let other = world.sign_in("lukasz", Some(&again.session)).await;
        let is_refused = other_person == OtherPerson::Refuse;
        assert_eq!(world.is_live(&again.session).await, is_refused);
        match other {
            Ok(other) => {
                assert!(!is_refused && !other.is_same_person);
                assert!(world.is_live(&other.session).await);
                assert_eq!(world.ended("replaced"), 2);
            }
            Err(error) => assert!(is_refused && matches!(error, LoginError::OtherPerson)),
        }
        // One that has gone already was nobody's.
        let last = world.sign_in("anna", Some(&first)).await.unwrap();
        assert!(!last.is_same_person);
    }
}

#[tokio::test]
async fn what_became_of_a_login_is_told_as_soon_as_the_store_can_keep_it() {
    let world = World::begin();
    let begun = world.login().await;
    let artifact = world.identify(&begun, "anna").await;
    world.store.becomes(Line::Fixed);
    let finished = world.finish(&begun, &artifact, None).await.unwrap();
    world.store.becomes(Line::Good);
    let told = world.finish(&begun, &artifact, None).await.unwrap();
    assert!(told.vouched.is_none() && told.session.key() == finished.session.key());
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_given_back_and_the_citizen_signs_in() {
    let world = World::begin();
    let begun = world.login().await;
    let artifact = world.identify(&begun, "anna").await;
    world.store.becomes(Line::Deaf);
    let away = world.finish(&begun, &artifact, None).await.unwrap_err();
    assert!(matches!(away, LoginError::Pending(LoginRefusal::Store(_))), "{away}");
    assert_eq!(world.asked(), 0, "nothing is spent");
    world.store.becomes(Line::Good);
    let finished = world.finish(&begun, &artifact, None).await.unwrap();
    assert!(finished.vouched.is_some() && world.is_live(&finished.session).await);
}

#[tokio::test]
async fn a_store_that_is_waited_for_keeps_nobody_from_the_node() {
    let world = Arc::new(World::begin());
    let begun = world.login().await;
    let artifact = world.identify(&begun, "anna").await;
    world.store.becomes(Line::Forgetful);
    let (finished, ()) = tokio::join!(world.finish(&begun, &artifact, None), async {
        while world.asked() == 0 || world.flows.node.under_way() > 0 {
            sleep(Duration::from_millis(5)).await;
        }
        world.store.becomes(Line::Good);
    });
    assert!(finished.is_ok(), "{finished:?}");
}

#[tokio::test]
async fn who_signs_out_is_told_what_is_known_of_it() {
    let world = World::begin();
    let signed_in = async || world.sign_in("anna", None).await.unwrap().session;
    let session = signed_in().await;
    let out = world.flows.logout(&session).await.unwrap();
    assert!(matches!(out, SignedOut::Everywhere) && out.not_confirmed().is_none(), "{out:?}");
    assert!(!world.is_live(&session).await);
    assert_eq!(world.ended("signed_out"), 1);
    let out = world.flows.logout(&session).await.unwrap();
    assert!(matches!(out, SignedOut::NotSignedIn) && out.not_confirmed().is_none());
    assert_eq!(world.ended("signed_out"), 1);
    // The node does not say so.
    for fault in [Fault::LogoutFails, Fault::LogoutUnsigned] {
        world.control.always(&[fault]);
        let session = signed_in().await;
        let out = world.flows.logout(&session).await.unwrap();
        let SignedOut::OnlyHere(reason) = &out else { panic!("{out:?}") };
        assert_eq!(out.not_confirmed(), Some(reason.as_str()));
        assert!(!world.is_live(&session).await);
    }
    world.control.always(&[]);
    // It cannot be written, whatever the node says.
    let session = signed_in().await;
    world.store.becomes(Line::Cut);
    let out = world.flows.logout(&session).await.unwrap();
    let SignedOut::NotWritten(node) = &out else { panic!("{out:?}") };
    assert!(matches!(**node, SignedOut::Everywhere) && out.not_confirmed().is_none());
    let node = SignedOut::OnlyHere("it is slow".to_owned());
    assert_eq!(SignedOut::NotWritten(Box::new(node)).not_confirmed(), Some("it is slow"));
}

#[tokio::test]
async fn a_failure_of_the_node_is_told_again_for_a_minute() {
    let world = World::begin();
    let begun = world.login().await;
    world.control.next(&[Fault::Http500]);
    let artifact = world.identify(&begun, "anna").await;
    let failed = world.finish(&begun, &artifact, None).await.unwrap_err();
    assert!(matches!(failed, LoginError::Node(NodeError::Status(_))), "{failed}");
    let told = world.finish(&begun, &artifact, None).await.unwrap_err();
    assert!(matches!(told, LoginError::Repeated { .. }) && told.code() == failed.code(), "{told}");
    world.clock.advance(TOLD_FOR);
    let used = world.finish(&begun, &artifact, None).await.unwrap_err();
    assert!(matches!(used, LoginError::Pending(LoginRefusal::Used)), "{used}");
    assert_eq!(world.asked(), 1);
}
