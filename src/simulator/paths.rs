//! The paths of the endpoints: those of the node are as the node has them.

/// Where browsers bring requests.
pub(super) const SSO_PATH: &str = "/login/SingleSignOnService";
/// Where artifacts are resolved.
pub(super) const RESOLVE_PATH: &str = "/login-services/idpArtifactResolutionService";
/// Where sessions are ended.
pub(super) const LOGOUT_PATH: &str = "/login-services/singleLogoutService";
/// What the paths of the control API begin with.
pub(super) const CONTROL_PATH: &str = "/control/";
/// What a message points to that nobody should fetch.
pub(super) const EXTERNAL_PATH: &str = "/external";
