//! A login finishes: from the artifact that the browser brought to a session.

use std::time::Duration;

use super::Flows;
use super::node::NodeError;
use super::pending::{self, Binding, RelayState};
use super::replay;
use super::return_to::ReturnTo;
use crate::base::clock::later;
use crate::base::encoding::sha256;
use crate::base::random;
use crate::identity::assurance::Assurance;
use crate::saml::artifact;
use crate::saml::examine::examine;
use crate::saml::expected::{Expected, Wrapping};
use crate::saml::refusal::Refusal;
use crate::saml::soap;
use crate::session::sessions::REPLACED;
use crate::session::{Session, SessionId};
use crate::store::Unavailable;
use crate::xml::signer;

/// A finished login.
#[derive(Debug)]
pub struct Finished {
    /// The id for the session cookie.
    pub session: SessionId,
    /// Where the citizen wanted to go.
    pub return_to: ReturnTo,
    /// For the log.
    pub public_name: String,
    /// For the log.
    pub assurance: Assurance,
}

/// Why a login did not finish.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The browser has no login to finish here.
    #[error("{0}")]
    Pending(#[from] pending::Refused),
    /// The node did not answer as it should.
    #[error("{0}")]
    Node(#[from] NodeError),
    /// The node's answer signs nobody in.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// What was used cannot be remembered, or not be told.
    #[error("replay guard: {0}")]
    ReplayGuard(#[source] Unavailable),
    /// Our own message could not be signed.
    #[error("our request cannot be signed")]
    Sign(#[from] signer::Error),
    /// The session could not be kept.
    #[error("{0}")]
    Store(#[from] Unavailable),
}

impl LoginError {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Pending(pending::Refused::Unknown) => "login.unknown_relay_state",
            Self::Pending(pending::Refused::Expired) => "login.expired",
            Self::Pending(pending::Refused::Used) => "login.already_used",
            Self::Pending(pending::Refused::OtherBrowser) => "login.other_browser",
            Self::Pending(pending::Refused::NoArtifact) => "login.no_artifact",
            Self::Pending(pending::Refused::Store(_)) => "session.store_unavailable",
            Self::Node(error) => error.code(),
            Self::Refused(refusal) => refusal.code(),
            Self::ReplayGuard(_) => "login.replay_guard_full",
            Self::Sign(_) => "login.cannot_sign",
            Self::Store(_) => "session.store_unavailable",
        }
    }
}

/// How long the use of an artifact is remembered. The node forgets it much sooner.
const ARTIFACT_MEMORY: Duration = Duration::from_secs(3600);

impl Flows {
    /// Finishes the login that this browser began.
    ///
    /// # Errors
    /// The first reason for which nobody is signed in.
    pub async fn finish(
        &self,
        relay_state: &RelayState,
        binding: Option<&Binding>,
        earlier_session: Option<&SessionId>,
    ) -> Result<Finished, LoginError> {
        let now = self.now();
        let settings = &self.settings;

        // 1. There must be room to ask the node before anything is spent: a citizen who is turned
        //    away here can come back with the same login.
        let place = self.node.place().await?;

        // 2. It must be a login that this browser began, and it is taken only once.
        let (login, artifact) = self.pending.take(relay_state, binding, now).await?;

        // 3. The artifact was not used before, with whatever login; and the node is asked what it
        //    stands for, once, because it is spent by asking.
        self.replay
            .is_unused(artifact.fingerprint(), now)
            .await
            .map_err(|refused| not_first(refused, Refusal::ReplayedArtifact))?;
        let resolve_id = random::message_id();
        let issuer = &settings.template.issuer;
        let message = artifact::resolve(&artifact, &resolve_id, now, issuer, &settings.signer)?;
        let answer = self.node.resolve(place, soap::wrap(&message)).await?;

        // 4. The answer: both signatures, statuses, decryption, every condition, level, person.
        let now = self.now();
        let expected = Expected {
            node: Some(settings.node_issuer.clone()),
            service: Some(issuer.clone()),
            acs: Some(settings.template.acs.clone()),
            request_id: Some(login.request_id.clone()),
            resolve_id: Some(resolve_id),
            assurance: Some(login.assurance),
            fresh_since: login.fresh_since,
            required: settings.template.required.clone(),
            skew: settings.skew,
            maximum_bytes: settings.maximum_answer,
            wrapping: Wrapping::Soap,
        };
        let keys = &settings.decryption_keys;
        let examination = examine(&answer, &settings.trusted, keys, &expected, now);
        let assertion = examination.for_login()?;

        // 5. Neither was used before, nor will be while it could be presented. Only what the node
        //    vouched for is remembered, so nobody fills the memory with inventions.
        self.replay
            .first_use(artifact.fingerprint(), later(now, ARTIFACT_MEMORY), now)
            .await
            .map_err(|refused| not_first(refused, Refusal::ReplayedArtifact))?;
        let remember = later(assertion.not_on_or_after(), settings.skew);
        self.replay
            .first_use(sha256(assertion.id().as_bytes()), remember, now)
            .await
            .map_err(|refused| not_first(refused, Refusal::ReplayedAssertion))?;

        // 6. A session with a fresh id; one that the browser had before ends (fixation, step-up).
        let id = SessionId::make(&self.session_marks);
        let session = Session::begin(&assertion, id.key(), &self.session_settings, now);
        self.sessions.insert(&id, session, now).await?;
        if let Some(earlier) = earlier_session {
            // The citizen is signed in by now, and the cookie of the earlier session is gone.
            match self.sessions.remove(earlier, now).await {
                Ok(Some(_)) => self.sessions.ended().add(REPLACED),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "session before this login could not be ended");
                }
            }
        }
        Ok(Finished {
            public_name: id.key().public_name(),
            session: id,
            return_to: login.return_to,
            assurance: assertion.assurance(),
        })
    }
}

fn not_first(refused: replay::Refused, refusal: Refusal) -> LoginError {
    match refused {
        replay::Refused::Used => LoginError::Refused(refusal),
        replay::Refused::Store(away) => LoginError::ReplayGuard(away),
    }
}
