//! `[[route]]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Assurance;
use crate::config::shape::keep_order;

/// Which requests go to which upstream, and who may make them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Route {
    /// Host that the route is for. Left out, it is the host of `portal.public_url`.
    #[schemars(example = &"portal.example.gov.pl")]
    pub host: Option<String>,
    /// Beginning of the paths that the route is for.
    pub path: String,
    /// Name of the upstream that the requests go to. Required.
    #[schemars(example = &"portal")]
    pub upstream: Option<String>,
    /// Who may make the requests.
    pub access: Access,
    /// Assurance that this route needs, when it is more than `service.assurance`.
    ///
    /// A citizen who signed in with less is sent to the node again.
    #[schemars(example = Assurance::High)]
    pub assurance: Option<Assurance>,
    /// Audience in the identity token. Left out, it is the name of the upstream.
    #[schemars(example = &"portal")]
    pub audience: Option<String>,
    /// Personal data that the upstream gets in the identity token, beside its own subject number.
    ///
    /// None by default. Name only what the backend needs.
    #[schemars(example = vec!["given_name", "family_name"])]
    pub claims: Vec<Claim>,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            host: None,
            path: "/".to_owned(),
            upstream: None,
            access: Access::Required,
            assurance: None,
            audience: None,
            claims: Vec::new(),
        }
    }
}

/// Who may make a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Anybody; the upstream is never told who it is.
    Public,
    /// Anybody; the upstream is told who it is if they are signed in.
    Optional,
    /// Only who is signed in; others are sent to the node.
    Required,
}

/// Personal data in an identity token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// First names.
    GivenName,
    /// Surname.
    FamilyName,
    /// Date of birth.
    Birthdate,
    /// The PESEL number.
    Pesel,
}
