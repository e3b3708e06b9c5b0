//! A citizen signs out: here at once, at the node as far as it answers.

use std::sync::Arc;

use super::Flows;
use crate::base::random;
use crate::observe::event::{EndedBy, Event};
use crate::observe::traces;
use crate::saml::logout::{self, Confirmation, ExpectedLogout};
use crate::saml::soap;
use crate::session::{Session, SessionId};
use crate::store::Unavailable;

/// What became of a sign-out, in truth.
#[derive(Debug)]
pub enum SignedOut {
    /// The session here ended, and the node confirmed that its own did, with its signature.
    Everywhere,
    /// The session here ended; the node did not confirm. The reason is for the log.
    OnlyHere(String),
    /// The session here ended; the node has no place to be asked at.
    NodeNotAsked,
    /// The session here ended, in the memory of this process: where it is kept, that cannot be
    /// written yet. What became of it at the node is another matter.
    NotWritten(Box<SignedOut>),
    /// There was no session.
    NotSignedIn,
}

impl SignedOut {
    /// Returns why it is not known that the session at the node ended, where the node was asked.
    #[must_use]
    pub fn not_confirmed(&self) -> Option<&str> {
        match self {
            Self::OnlyHere(reason) => Some(reason),
            Self::NotWritten(node) => node.not_confirmed(),
            Self::Everywhere | Self::NodeNotAsked | Self::NotSignedIn => None,
        }
    }
}

impl Flows {
    /// Ends the session, then tells the node. Whatever the node does, the session has ended; and
    /// the node is told even when the citizen's browser does not wait for the answer.
    ///
    /// # Errors
    /// When the session store cannot be reached: then the session may still be there.
    pub async fn logout(self: &Arc<Self>, id: &SessionId) -> Result<SignedOut, Unavailable> {
        // Even when the browser leaves meanwhile: what the node knows the session by goes with it.
        let (flows, id, hold) = (Arc::clone(self), id.clone(), self.tenure.hold());
        let told = tokio::spawn(traces::carried(async move {
            let _hold = hold;
            // 1. Ours first.
            let Some(held) = flows.sessions.remove(&id, flows.now()).await? else {
                return Ok(SignedOut::NotSignedIn);
            };
            let (session, by) = (held.session().public_name(), EndedBy::Citizen);
            flows.tell(Event::SessionEnded { session, by });
            // 2. Then the node's.
            let told = flows.tell_node(held.session()).await;
            let is_owed = flows.sessions.owes(&id);
            Ok(if is_owed { SignedOut::NotWritten(Box::new(told)) } else { told })
        }));
        told.await.unwrap_or_else(|error| Ok(SignedOut::OnlyHere(error.to_string())))
    }

    async fn tell_node(&self, session: &Session) -> SignedOut {
        let settings = &self.settings;
        let Some(url) = &settings.logout_url else { return SignedOut::NodeNotAsked };
        let (request_id, issuer) = (random::message_id(), &settings.template.issuer);
        let ended = session.node_session();
        let signed =
            logout::request(&ended, &request_id, self.now(), issuer, url, &settings.signer);
        let request = match signed {
            Ok(request) => request,
            Err(error) => return SignedOut::OnlyHere(error.to_string()),
        };
        let (answer, _permit) = match self.node.logout(soap::wrap(&request)).await {
            Ok(answered) => answered,
            Err(error) => return SignedOut::OnlyHere(error.to_string()),
        };
        let (known, now) = (Arc::clone(settings), self.now());
        let examination = self.examiner.examine(move || {
            let expected = ExpectedLogout {
                request_id: &request_id,
                node: &known.node_issuer,
                skew: known.skew,
                maximum_bytes: known.maximum_answer,
            };
            logout::confirm(&answer, &known.trusted, &expected, now)
        });
        match examination.await {
            Ok(Ok(Confirmation::Signed)) => SignedOut::Everywhere,
            // The server that answered says so; that the node did is not known.
            Ok(Ok(Confirmation::Unsigned)) => {
                SignedOut::OnlyHere("confirmation of the logout is not signed".to_owned())
            }
            Ok(Err(refusal)) => SignedOut::OnlyHere(refusal.to_string()),
            Err(given_up) => SignedOut::OnlyHere(given_up.to_string()),
        }
    }
}
