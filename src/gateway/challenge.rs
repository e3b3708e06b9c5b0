//! What a program is told that needs a citizen who is signed in (RFC 9110 15.5.2, RFC 9470).

use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Response, StatusCode};

use super::response::json;
use crate::base::body::Body;
use crate::gate::requirement::AuthnRequirement;

/// What a program is told that needs a citizen who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Where a login begins that brings what is missing.
    pub login: String,
    /// The level and the age that a login must bring.
    pub requirement: AuthnRequirement,
    /// Whether a citizen is signed in, but not surely or recently enough.
    pub step_up: bool,
}

impl Challenge {
    /// Returns the stable code: it is no refusal, but programs tell the two apart by it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        if self.step_up { "step_up_required" } else { "login_required" }
    }

    /// Returns the error as RFC 9470 3 has it.
    #[must_use]
    pub fn error(&self) -> &'static str {
        if self.step_up { "insufficient_user_authentication" } else { "login_required" }
    }

    /// Tells a program that the citizen must sign in (RFC 9110 15.5.2), or sign in more surely or
    /// anew (RFC 9470).
    #[must_use]
    pub fn response(&self) -> Response<Body> {
        let Self { login, requirement, .. } = self;
        let (assurance, acr) = (requirement.assurance.name(), requirement.assurance.uri());
        let age = requirement.max_age.map(|age| age.as_secs());
        let mut value = serde_json::json!({
            "error": self.code(),
            "login": login,
            "assurance": assurance,
            "acr_values": acr,
        });
        let mut header = format!("Brama error=\"{}\", acr_values=\"{acr}\"", self.error());
        if let Some(age) = age {
            value["max_age"] = age.into();
            header.push_str(&format!(", max_age=\"{age}\""));
        }
        header.push_str(&format!(", login=\"{login}\", assurance=\"{assurance}\""));
        let mut response = json(StatusCode::UNAUTHORIZED, &value);
        if let Ok(header) = HeaderValue::from_str(&header) {
            response.headers_mut().insert(WWW_AUTHENTICATE, header);
        }
        response
    }
}
