//! How a route tells its upstream who a citizen is.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HumanDuration;
use crate::config::field_order::keep_order;

/// A form in which an upstream is told who a citizen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityForm {
    /// A signed token (JWT) in `X-Brama-Assertion`.
    Assertion,
    /// The same token as `Authorization: Bearer`, in place of what the client sends there.
    Bearer,
    /// The same token, encrypted to the portal: `identity_jwe_key_file`.
    Jwe,
    /// Plain headers, which nothing proves: `identity_headers`.
    Headers,
    /// A signature of each request (RFC 9421): `identity_signature`.
    Signature,
}

/// The `[route.identity_headers]` table: plain headers, when `identity` names them.
///
/// Whoever reaches the portal past the gateway can write them too. What is not in `claims` is empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct IdentityHeaders {
    /// Names that portals know already.
    pub preset: HeaderPreset,
    /// Names of your own in place of the preset, each as `"Name: value"`.
    ///
    /// Values: `subject`, `session`, `given_name`, `family_name`, `name`, `birthdate`, `pesel`,
    /// `level`, `way`, `authority`, `auth_time`, `issuer`, `empty`. Clients cannot send these
    /// headers on any route.
    #[schemars(example = vec!["X-Citizen-Id: subject", "X-Citizen-Name: name"])]
    pub fields: Vec<String>,
    /// How letters outside ASCII are written.
    pub encoding: HeaderEncoding,
}

impl Default for IdentityHeaders {
    fn default() -> Self {
        Self { preset: HeaderPreset::Brama, fields: Vec::new(), encoding: HeaderEncoding::Percent }
    }
}

/// Names of plain headers that portals know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HeaderPreset {
    /// `X-Brama-Subject`, `X-Brama-Given-Name` and so on.
    Brama,
    /// `Remote-User` and `Remote-Name`, as other reverse proxies send them.
    RemoteUser,
    /// `X-Forwarded-User` and its kin, as oauth2-proxy sends them.
    #[serde(rename = "oauth2-proxy")]
    Oauth2Proxy,
    /// `Shib-Session-ID`, `givenName` and so on, as Shibboleth sends them.
    Shibboleth,
}

/// How letters outside ASCII are written in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HeaderEncoding {
    /// `%C5%BB`: percent-encoded UTF-8, and `%25` for a percent sign.
    Percent,
    /// The bytes of UTF-8 as they are. Many servers read them as ISO 8859-1.
    Utf8,
    /// `=?UTF-8?B?...?=`, as in mail.
    Rfc2047,
    /// Base64 of the UTF-8, of every value.
    Base64,
}

/// The `[route.identity_signature]` table: a signature of each request, when `identity` names it.
///
/// It covers method, host, path, query, `Content-Digest` when there is one, and every header that
/// tells an identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct IdentitySignature {
    /// How requests are signed.
    pub algorithm: SignatureAlgorithm,
    /// File with the secret of `"hmac-sha256"`, which the portal has too; 32 bytes or more.
    #[schemars(example = &"identity/portal.secret")]
    pub secret_file: Option<PathBuf>,
    /// Name of that secret in `keyid`. Left out, it is the audience.
    #[schemars(example = &"portal-2026")]
    pub key_id: Option<String>,
    /// Time for which a signature is valid; at most `"5m"`.
    pub lifetime: HumanDuration,
}

impl Default for IdentitySignature {
    fn default() -> Self {
        Self {
            algorithm: SignatureAlgorithm::EcdsaP256Sha256,
            secret_file: None,
            key_id: None,
            lifetime: HumanDuration::from_secs(60),
        }
    }
}

/// An algorithm of RFC 9421.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SignatureAlgorithm {
    /// The key of tokens with ES256, found by `keyid` in `jwks.json`.
    #[serde(rename = "ecdsa-p256-sha256")]
    EcdsaP256Sha256,
    /// The key of tokens with `EdDSA`, found there too.
    #[serde(rename = "ed25519")]
    Ed25519,
    /// A secret that gateway and portal share.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
}
