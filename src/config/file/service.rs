//! `[service]`

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HumanDuration;
use crate::config::field_order::keep_order;

/// We as a service provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Service {
    /// Our name at the node (issuer, entity id), exactly as registered with the operator.
    ///
    /// Required. A different letter makes the node refuse every login.
    #[schemars(example = &"portal.example.gov.pl")]
    pub issuer: Option<String>,
    /// Name of the service that the node shows to the citizen.
    ///
    /// Required.
    #[schemars(example = &"Portal Urzędu Miasta")]
    pub provider_name: Option<String>,
    /// What we are registered as.
    pub kind: ServiceKind,
    /// PEM file with the certificate that belongs to `signing_key`.
    #[schemars(example = &"service/signing.pem")]
    pub signing_certificate: Option<PathBuf>,
    /// PEM file with the private key that signs our messages: PKCS#8 or SEC1, without a password.
    ///
    /// Required, unless `signing_p12` is given.
    #[schemars(example = &"service/signing.key")]
    pub signing_key: Option<PathBuf>,
    /// PKCS#12 file with the signing key and its certificate, in place of the two keys above.
    #[schemars(example = &"service/signing.p12")]
    pub signing_p12: Option<PathBuf>,
    /// File that holds the password of `signing_p12` and nothing else.
    #[schemars(example = &"service/signing.password")]
    pub signing_p12_password_file: Option<PathBuf>,
    /// PEM files with the private keys that the node encrypts assertions for.
    ///
    /// One is required, here or in `decryption_p12`. List the old and the new one while the key
    /// changes.
    #[schemars(example = vec!["service/decryption.key"])]
    pub decryption_keys: Vec<PathBuf>,
    /// PKCS#12 files with private keys that the node encrypts assertions for.
    pub decryption_p12: Vec<P12>,
    /// How sure the node must be of who the citizen is, at every login. A route may ask for more,
    /// and not for less.
    pub assurance: Assurance,
    /// How far the node's clock may be from ours.
    pub clock_skew: HumanDuration,
    /// Attributes that an assertion must have. If one is missing, the citizen is not signed in.
    pub required_attributes: Vec<Attribute>,
    /// Attributes that are asked for and may be absent.
    #[schemars(example = vec!["birthdate"])]
    pub optional_attributes: Vec<Attribute>,
    /// Whether the citizen proves who they are at every login, even with a session at the node.
    pub force_authn: bool,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            issuer: None,
            provider_name: None,
            kind: ServiceKind::Public,
            signing_certificate: None,
            signing_key: None,
            signing_p12: None,
            signing_p12_password_file: None,
            decryption_keys: Vec::new(),
            decryption_p12: Vec::new(),
            assurance: Assurance::Substantial,
            clock_skew: HumanDuration::from_secs(60),
            required_attributes: vec![
                Attribute::GivenName,
                Attribute::FamilyName,
                Attribute::Birthdate,
                Attribute::Identifier,
            ],
            optional_attributes: Vec::new(),
            force_authn: true,
        }
    }
}

/// A PKCS#12 file and where its password is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct P12 {
    /// PKCS#12 file with one private key.
    #[schemars(example = &"service/decryption.p12")]
    pub file: Option<PathBuf>,
    /// File that holds its password and nothing else.
    #[schemars(example = &"service/decryption.password")]
    pub password_file: Option<PathBuf>,
}

/// What a service provider is registered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ServiceKind {
    /// A public body.
    Public,
    /// A private entity.
    Private,
}

/// Level of assurance (eIDAS), lowest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Assurance {
    /// Little confidence.
    Low,
    /// Profil zaufany, a bank.
    Substantial,
    /// E-dowód: the chip of the identity card.
    High,
}

/// What an assertion says of a citizen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attribute {
    /// First names.
    GivenName,
    /// Surname.
    FamilyName,
    /// Date of birth.
    Birthdate,
    /// The PESEL number.
    Identifier,
}
