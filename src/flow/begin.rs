//! A login begins: it is remembered, and the browser is given a signed request for the node.

use super::Flows;
use super::finish::LoginError;
use super::pending::{Binding, PendingLogin};
use super::return_to::ReturnTo;
use crate::base::encoding::base64;
use crate::base::random;
use crate::gate::requirement::Demand;
use crate::saml::authn_request::Template;

/// What the browser needs to go to the node.
#[derive(Debug)]
pub struct Begun {
    /// Where the form is posted.
    pub form_action: String,
    /// The signed `AuthnRequest` in base64 (SAML bindings 3.5.4).
    pub saml_request: String,
    /// The handle that comes back with the artifact.
    pub relay_state: String,
    /// The binding cookie that the browser must have.
    pub binding: Binding,
}

impl Flows {
    /// Begins a login for a browser, which keeps its binding when it has one. Where the login may
    /// only have a certain age, the citizen identifies anew, whatever the node remembers: an age
    /// that is asked for now is not fulfilled by luck. No login has less than the level of the service.
    ///
    /// # Errors
    /// When our request cannot be signed, or the login cannot be remembered.
    pub async fn begin(
        &self,
        binding: Option<Binding>,
        return_to: ReturnTo,
        demand: Demand,
    ) -> Result<Begun, LoginError> {
        let now = self.now();
        let settings = &self.settings;
        let request_id = random::message_id();
        let fresh_since = demand.max_age.map(|_| now);
        let forcing;
        let template = if fresh_since.is_some() && !settings.template.force_authn {
            forcing = Template { force_authn: true, ..settings.template.clone() };
            &forcing
        } else {
            &settings.template
        };
        let assurance = demand.assurance.max(settings.assurance);
        let request = template.sign(&request_id, now, assurance, &settings.signer)?;
        let binding = binding.unwrap_or_else(Binding::generate);
        let login = PendingLogin { request_id, return_to, assurance, fresh_since };
        let relay_state = self.pending.begin(login, &binding, now).await?;
        Ok(Begun {
            form_action: settings.sso_url.clone(),
            saml_request: base64(request.as_bytes()),
            relay_state: relay_state.as_str().to_owned(),
            binding,
        })
    }
}
