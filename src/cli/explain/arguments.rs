//! What `brama explain` is told.

use std::path::PathBuf;

use crate::identity::assurance::Assurance;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Files or folders with answers: a SOAP envelope, a bare `ArtifactResponse`, or base64 of one.
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Takes all that is not given otherwise from a configuration file.
    #[arg(long, short, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// A certificate that the node may sign with (PEM or DER). May be repeated.
    #[arg(long, value_name = "FILE")]
    pub(super) trusted_certificate: Vec<PathBuf>,
    /// Our decryption key: PEM or DER (PKCS #8, SEC 1), or PKCS #12. May be repeated.
    #[arg(long, value_name = "FILE")]
    pub(super) decryption_key: Vec<PathBuf>,
    /// The file with the password of PKCS #12 files.
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// Our identifier: audience, and party of the key derivation.
    #[arg(long, value_name = "ID")]
    pub(super) issuer: Option<String>,
    /// The node's identifier: issuer at three levels, and party of the key derivation.
    #[arg(long, value_name = "ID")]
    pub(super) node_issuer: Option<String>,
    /// The address of our assertion consumer service.
    #[arg(long, value_name = "URL")]
    pub(super) acs: Option<String>,
    /// The ID of our `AuthnRequest`.
    #[arg(long, value_name = "ID")]
    pub(super) request_id: Option<String>,
    /// The ID of our `ArtifactResolve`.
    #[arg(long, value_name = "ID")]
    pub(super) resolve_id: Option<String>,
    /// The least level of assurance: low, substantial or high.
    #[arg(long, value_name = "LEVEL", value_parser = parse_assurance)]
    pub(super) assurance: Option<Assurance>,
    /// How far clocks may differ, in seconds. Default: 60, or what the configuration says.
    #[arg(long, value_name = "SECONDS")]
    pub(super) skew: Option<u64>,
    /// The time of the examination (RFC 3339). Default: now.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) at: Option<crate::base::clock::Time>,
    /// Prints one JSON object a line and file.
    #[arg(long)]
    pub(super) json: bool,
    /// Shows names, date of birth and identifier instead of masking them.
    #[arg(long)]
    pub(super) show_personal_data: bool,
}

fn parse_assurance(text: &str) -> Result<Assurance, String> {
    Assurance::parse(text).ok_or_else(|| "it is one of low, substantial, high".to_owned())
}

pub(crate) fn parse_time(text: &str) -> Result<crate::base::clock::Time, String> {
    text.parse().map_err(|_| "write it like 2031-03-04T10:20:30Z (RFC 3339)".to_owned())
}
