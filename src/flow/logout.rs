//! A citizen signs out: here at once, at the node as far as it answers.

use super::Flows;
use crate::base::random;
use crate::saml::{logout, soap};
use crate::session::SessionId;
use crate::session::store::Store;

/// What became of a sign-out, in truth.
#[derive(Debug)]
pub enum SignedOut {
    /// The session here ended, and the node confirmed that its own did.
    Everywhere,
    /// The session here ended; the node did not confirm. The reason is for the log.
    OnlyHere(String),
    /// The session here ended; the node has no place to be asked at.
    NodeNotAsked,
    /// There was no session.
    NotSignedIn,
}

impl Flows {
    /// Ends the session, then tells the node. Whatever the node does, the session has ended.
    ///
    /// # Errors
    /// When the session store cannot be reached: then the session may still be there.
    pub async fn logout(
        &self,
        id: &SessionId,
    ) -> Result<SignedOut, crate::session::store::Unavailable> {
        let now = self.now();
        // 1. Ours first.
        let Some(session) = self.sessions.remove(id.key(), now).await? else {
            return Ok(SignedOut::NotSignedIn);
        };
        // 2. Then the node's.
        let Some(url) = &self.settings.logout_url else {
            return Ok(SignedOut::NodeNotAsked);
        };
        let request_id = random::message_id();
        let request = logout::request(
            &session.node_session(),
            &request_id,
            now,
            &self.settings.template.issuer,
            url,
            &self.settings.signer,
        );
        let request = match request {
            Ok(request) => request,
            Err(error) => return Ok(SignedOut::OnlyHere(error.to_string())),
        };
        let answer = match self.node.logout(soap::wrap(&request)).await {
            Ok(answer) => answer,
            Err(error) => return Ok(SignedOut::OnlyHere(error.to_string())),
        };
        let settings = &self.settings;
        let confirmed =
            logout::confirm(&answer, &request_id, &settings.trusted, settings.maximum_answer);
        Ok(match confirmed {
            Ok(()) => SignedOut::Everywhere,
            Err(refusal) => SignedOut::OnlyHere(refusal.to_string()),
        })
    }
}
