//! A login begins: the browser is given a signed request for the node, and what the end of the
//! login needs. Nothing of it is kept here ([`super::pending`]).

use super::Flows;
use super::login_error::{LoginError, LoginRefusal};
use super::pending::{Origin, PendingLogin};
use super::relay_state::RelayState;
use super::return_to::ReturnTo;
use crate::base::clock::later;
use crate::base::encoding::{base64, base64url, from_base64url};
use crate::base::random;
use crate::base::secret::Secret;
use crate::gate::requirement::AuthnRequirement;
use crate::saml::authn_request::Template;
use crate::store::Unavailable;

/// What the browser needs to go to the node, and to come back.
#[derive(Debug)]
pub struct Begun {
    /// The `ID` of our `AuthnRequest`.
    pub request_id: String,
    /// Where the form is posted.
    pub form_action: String,
    /// The signed `AuthnRequest` in base64 (SAML bindings 3.5.4).
    pub saml_request: String,
    /// The handle that comes back with the artifact.
    pub relay_state: RelayState,
    /// The value of the cookie that the browser must have at the end.
    pub remembered: Secret<String>,
    /// The value of the cookie by which the consumer service knows the browser, where it comes
    /// along.
    pub twin: Secret<String>,
}

impl Flows {
    /// Begins a login for a browser. Where the login may only have a certain age, the citizen
    /// identifies anew, whatever the node remembers: an age that is asked for now is not fulfilled
    /// by luck. No login has less than the level of the service.
    ///
    /// # Errors
    /// When our request cannot be signed, or the store is away.
    pub async fn begin(
        &self,
        return_to: ReturnTo,
        requirement: AuthnRequirement,
        origin: Origin,
    ) -> Result<Begun, LoginError> {
        self.outcomes.can_be_kept().await.map_err(LoginRefusal::from)?;
        let now = self.now();
        let settings = &self.settings;
        let request_id = random::message_id();
        let fresh_since = requirement.max_age.map(|_| now);
        let forcing;
        let template = if fresh_since.is_some() && !settings.template.force_authn {
            forcing = Template { force_authn: true, ..settings.template.clone() };
            &forcing
        } else {
            &settings.template
        };
        let assurance = requirement.assurance.max(settings.assurance);
        let request = template.sign(&request_id, now, assurance, &settings.signer)?;
        let login = PendingLogin { request_id, return_to, assurance, fresh_since, origin };
        let relay_state = RelayState::issue(&self.sealer, later(now, settings.login_timeout));
        let remembered = login.seal(&self.sealer, &relay_state).map_err(Unavailable::from)?;
        Ok(Begun {
            request_id: login.request_id,
            form_action: settings.sso_url.clone(),
            saml_request: base64(request.as_bytes()),
            remembered,
            twin: self.twin(&relay_state),
            relay_state,
        })
    }

    /// Returns the value by which the consumer service knows the browser that began a login.
    fn twin(&self, relay_state: &RelayState) -> Secret<String> {
        let mark = self.sealer.mark(TWIN, relay_state.as_str().as_bytes());
        Secret::new(base64url(&mark[..TWIN_LENGTH]))
    }

    /// Tells whether a value is that of the browser that began a login, by whichever secret of the
    /// servers.
    pub(super) fn is_twin(&self, text: &str, relay_state: &RelayState) -> bool {
        let mark = from_base64url(text).filter(|mark| mark.len() == TWIN_LENGTH);
        let data = relay_state.as_str().as_bytes();
        mark.is_some_and(|mark| self.sealer.is_marked(TWIN, data, &mark))
    }
}

const TWIN: &str = "login twin";
/// The bytes of a twin: 128 bits of a mark.
const TWIN_LENGTH: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::losing::Line;
    use crate::flow::testing::World;
    use crate::identity::assurance::Assurance;

    #[tokio::test]
    async fn no_citizen_is_sent_to_the_node_while_no_login_could_come_to_an_end() {
        let world = World::begin();
        let requirement = AuthnRequirement { assurance: Assurance::Low, max_age: None };
        let begin = || world.flows.begin(ReturnTo::front_page(), requirement, Origin::Own);
        assert!(begin().await.is_ok());
        world.store.becomes(Line::Cut);
        let refused = begin().await.unwrap_err();
        assert!(matches!(refused, LoginError::Pending(LoginRefusal::Store(_))), "{refused}");
    }

    #[tokio::test]
    async fn a_twin_is_whole_and_of_its_login() {
        let world = World::begin();
        let (begun, other) = (world.login().await, world.login().await);
        let is_twin = |text: &str| world.flows.is_twin(text, &begun.relay_state);
        assert!(is_twin(begun.twin.expose()));
        assert!(!is_twin(other.twin.expose()));
        let mark = world.flows.sealer.mark(TWIN, begun.relay_state.as_str().as_bytes());
        for (length, is_whole) in [(16, true), (0, false), (8, false), (15, false), (32, false)] {
            assert_eq!(is_twin(&base64url(&mark[..length])), is_whole, "{length}");
        }
        assert!(!is_twin("") && !is_twin("*"));
    }
}
