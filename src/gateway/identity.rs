//! The signed identity that goes with a request that passes in a citizen's name.

use http::HeaderValue;

use crate::gate::Pass;
use crate::gate::action::Action;
use crate::gateway::Worker;
use crate::identity::token;
use crate::request::context::RequestContext;

impl Worker {
    /// Returns the signed identity for a request; `None` when it passes without a name, or goes on
    /// to no portal. It is made for the claims that the route releases, and the worker remembers it
    /// while it is fresh.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn identity(
        &self,
        pass: &Pass,
        context: &RequestContext,
    ) -> Result<Option<HeaderValue>, token::Error> {
        let route = pass.route();
        let Some(live) = pass.live().filter(|_| matches!(route.action, Action::Forward(_))) else {
            return Ok(None);
        };
        let (key, release) = (live.key().bytes(), (route.release_number, &route.release));
        let subject = live.session().subject();
        self.tokens.token(key, release, subject, context.began).map(Some)
    }
}
