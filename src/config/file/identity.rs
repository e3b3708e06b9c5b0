//! `[identity]`

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HumanDuration, P12};
use crate::config::field_order::keep_order;

/// The signed identity that goes to upstreams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Identity {
    /// Time for which an identity token is valid; at most `"5m"`.
    ///
    /// It bounds how long a token that leaked is of use.
    pub token_lifetime: HumanDuration,
    /// Time after which a new key signs the tokens. The old one is published until its last token
    /// has ended.
    pub key_rotation: HumanDuration,
    /// Files with private keys of your own that sign tokens: unencrypted, PEM or DER; P-256, Ed25519
    /// or RSA of 2048 bits or more.
    ///
    /// A key signs what its kind can sign (`token_algorithm` of routes). It signs at once when there
    /// is no key of its kind yet, otherwise in its turn, after `key_rotation` or `brama keys rotate`;
    /// after it, keys are made here again. Each is taken once: a key that was retired does not come
    /// back.
    #[schemars(example = &["identity/signing.pem"])]
    pub signing_key_files: Vec<PathBuf>,
    /// PKCS#12 files with keys of your own that sign tokens, as those in `signing_key_files`, each
    /// with its password.
    pub signing_p12: Vec<P12>,
    /// File with the secret from which each audience's own subject numbers are made; 32 bytes or
    /// more.
    ///
    /// Every replica needs the same one. When it changes, backends no longer recognise a
    /// citizen by the subject. Left out, one is made, and kept if there is a `state_directory`;
    /// with `store.kind = "redis"` replicas share it, and `brama keys backup` saves it.
    #[schemars(example = &"identity/pairwise.secret")]
    pub pairwise_secret_file: Option<PathBuf>,
    /// Names of ways to sign in for the claim `amr`, each as `"authority: name"`, beside
    /// `pz.gov.pl`, which is `profil_zaufany`.
    ///
    /// An authority (`AuthenticatingAuthority`) that is not named is told as the node names it.
    #[schemars(example = &["bank.example: bank"])]
    pub ways: Vec<String>,
    /// Whether the public keys are also at `/.well-known/jwks.json` of `portal.public_url`, and
    /// what there is to know of the issuer at `/.well-known/openid-configuration`, for libraries that
    /// are told the issuer alone (Spring Security).
    ///
    /// Otherwise these places are the portal's own, as all others there are.
    pub well_known: bool,
    /// Headers that reach the portal although other gateways tell an identity with them, such as
    /// `Remote-User`, `X-Client-Cert`, `X-Auth-Request-...` and `Shib-...`.
    ///
    /// They are removed from every request otherwise, since a portal may believe them, and a
    /// client can write them. They are taken from `listen.trusted_proxies` alone: name one only when
    /// these proxies set it and remove that of their clients. Upper and lower case are the same.
    #[schemars(example = &["X-Client-Cert"])]
    pub pass_headers: Vec<String>,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            token_lifetime: HumanDuration::from_secs(5 * 60),
            key_rotation: HumanDuration::from_secs(30 * 24 * 60 * 60),
            signing_key_files: Vec::new(),
            signing_p12: Vec::new(),
            pairwise_secret_file: None,
            ways: Vec::new(),
            well_known: false,
            pass_headers: Vec::new(),
        }
    }
}
