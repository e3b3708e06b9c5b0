//! `[listen.acme]`

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::field_order::keep_order;

/// Certificates for citizens from an authority that speaks ACME (RFC 8555).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Acme {
    /// Address of the authority's directory. With it, certificates are ordered there, kept and
    /// renewed; `listen.certificate` is not needed then.
    ///
    /// The authority looks at port 80 of each name, so `listen.redirect` must be reached there. Account
    /// and certificate are kept in `portal.state_directory`, and with `store.kind = "redis"` shared by
    /// all replicas.
    #[schemars(example = &"https://acme-v02.api.letsencrypt.org/directory")]
    pub directory: Option<String>,
    /// Whether you agree to the terms of service that the directory names. Nothing is ordered
    /// otherwise.
    #[schemars(example = &true)]
    pub agree_to_terms: bool,
    /// E-mail addresses at which the authority reaches somebody.
    #[schemars(example = vec!["it@example.gov.pl"])]
    pub contacts: Vec<String>,
    /// Names of hosts that the certificate is for; left out, those of `portal.public_url` and
    /// `portal.other_urls`.
    #[schemars(example = vec!["portal.example.gov.pl"])]
    pub names: Vec<String>,
    /// The kind of certificate, when the authority has several (`profiles` in its directory).
    #[schemars(example = &"shortlived")]
    pub profile: Option<String>,
    /// The number of the account that you have with the authority already, when it wants to know
    /// (external account binding).
    #[schemars(example = &"kid-1")]
    pub external_account: Option<String>,
    /// File with the key of that account, as the authority gave it (base64url).
    #[schemars(example = &"tls/acme-account.key")]
    pub external_account_key_file: Option<PathBuf>,
    /// PEM file with the authority that the directory's server is trusted by, beside those of the
    /// system.
    #[schemars(example = &"tls/acme-ca.pem")]
    pub extra_ca_file: Option<PathBuf>,
}
