//! What the portal is told of the citizen in whose name a request passes.

use crate::gate::Pass;
use crate::gate::action::Action;
use crate::gateway::Worker;
use crate::identity;
use crate::identity::forms::{Identity, Told};
use crate::request::context::RequestContext;

impl Worker {
    /// Returns what is told with a request: nothing of anybody when it passes without a name, or
    /// goes on to no portal. It is made for the claims that the route releases, in the forms that
    /// it wants, and the worker remembers it while it is fresh. A route whose requests are signed
    /// has all of them signed.
    ///
    /// # Errors
    /// When it cannot be signed, encrypted or written.
    pub fn identity<'i>(
        &'i self,
        pass: &'i Pass,
        context: &RequestContext,
    ) -> Result<Identity<'i>, identity::error::Error> {
        let route = pass.route();
        if !matches!(route.action, Action::Forward(_)) {
            return Ok(Identity::default());
        }
        let signature = route.signature.as_ref();
        let signer = signature.map(|how| self.tokens.signer(how, &self.shared.clock));
        let Some(live) = pass.live().filter(|_| !route.release.forms.is_empty()) else {
            return Ok(Identity { told: None, signer });
        };
        let (key, release) = (live.key().bytes(), (route.release_number, &route.release));
        let subject = || live.session().subject();
        let told = self.tokens.told(key, release, subject, context.began)?;
        Ok(Identity { told: Some(told), signer })
    }

    /// Returns what a proxy in front is told of the citizen in whose name a request passes that it
    /// hands on itself, or that it is nobody's. It takes the place of whatever the client said, so
    /// no field of the route is left out.
    ///
    /// # Errors
    /// When it cannot be signed, encrypted or written.
    pub fn told_to_front(
        &self,
        pass: &Pass,
        context: &RequestContext,
    ) -> Result<Told, identity::error::Error> {
        let route = pass.route();
        let (release, now) = ((route.release_number, &route.release), context.began);
        match pass.live() {
            Some(live) => {
                self.tokens.told(live.key().bytes(), release, || live.session().subject(), now)
            }
            None => self.tokens.nobody(release, now),
        }
    }
}
