//! The signed identity that goes with a request that passes in somebody's name.

use http::HeaderValue;

use crate::gate::Pass;
use crate::gateway::Worker;
use crate::identity::token;
use crate::request::context::RequestContext;

impl Worker {
    /// Returns the signed identity for a request; `None` when it is made in nobody's name. It is
    /// made for the claims that the route releases, and the worker remembers it while it is fresh.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn identity(
        &self,
        pass: &Pass,
        context: &RequestContext,
    ) -> Result<Option<HeaderValue>, token::Error> {
        let Some(live) = pass.live() else { return Ok(None) };
        let route = pass.route();
        let (key, release) = (live.key().bytes(), (route.release_number, &route.release));
        let subject = live.session().subject();
        self.tokens.token(key, release, subject, context.began).map(Some)
    }
}
