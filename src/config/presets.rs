//! The environments of the operator: the same paths on different hosts.

use super::file::Environment;

/// The addresses of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// The host; it is the node's identifier as well.
    pub host: &'static str,
    /// What the ribbon on every page says.
    pub ribbon: Option<&'static str>,
}

/// The organization in every certificate that our simulator of the node makes.
pub const SIMULATOR_ORGANIZATION: &str = "Symulator Brama";
/// The issuer of our simulator, unless it is told another one.
pub const SIMULATOR_ISSUER: &str = "symulator.brama.localhost";

/// Where a browser posts the request.
pub const SSO_PATH: &str = "/login/SingleSignOnService";
/// Where an artifact is resolved.
pub const RESOLVE_PATH: &str = "/login-services/idpArtifactResolutionService";
/// Where a session is ended.
pub const LOGOUT_PATH: &str = "/login-services/singleLogoutService";

/// Returns the preset of an environment; `custom` has none.
#[must_use]
pub fn preset(environment: Environment) -> Option<Preset> {
    let (host, ribbon) = match environment {
        Environment::Symulator => ("symulator.login.gov.pl", Some("symulator")),
        Environment::Integration => ("int.login.gov.pl", Some("integration")),
        Environment::IntegrationPrivate => {
            ("int-podmiotyzewnetrzne.login.gov.pl", Some("integration"))
        }
        Environment::Production => ("login.gov.pl", None),
        Environment::ProductionPrivate => ("podmiotyzewnetrzne.login.gov.pl", None),
        Environment::Custom => return None,
    };
    Some(Preset { host, ribbon })
}
