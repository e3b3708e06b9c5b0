//! `brama explain`: examines captured answers of the node, offline.
//!
//! It runs [`crate::saml::examine::examine`], the function that a login runs, with what it was
//! told to expect. Exit status: 0 when every answer is accepted, 1 when one is refused, 2 when it
//! was called wrongly.

mod inputs;
mod knowledge;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use self::inputs::Input;
use self::knowledge::Knowledge;
use super::output::{complain, print};
use crate::identity::assurance::Assurance;
use crate::saml::examine::examine;

/// Exit status for wrong usage, as clap has it.
const USAGE: u8 = 2;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files or folders with answers: a SOAP envelope, a bare `ArtifactResponse`, or base64 of one.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Takes all that is not given otherwise from a configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A certificate that the node may sign with (PEM or DER). May be repeated.
    #[arg(long, value_name = "FILE")]
    trusted_certificate: Vec<PathBuf>,
    /// Our decryption key: PEM or DER (PKCS #8, SEC 1), or PKCS #12. May be repeated.
    #[arg(long, value_name = "FILE")]
    decryption_key: Vec<PathBuf>,
    /// The file with the password of PKCS #12 files.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Our identifier: audience, and party of the key derivation.
    #[arg(long, value_name = "ID")]
    issuer: Option<String>,
    /// The node's identifier: issuer at three levels, and party of the key derivation.
    #[arg(long, value_name = "ID")]
    node_issuer: Option<String>,
    /// The address of our assertion consumer service.
    #[arg(long, value_name = "URL")]
    acs: Option<String>,
    /// The ID of our `AuthnRequest`.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// The ID of our `ArtifactResolve`.
    #[arg(long, value_name = "ID")]
    resolve_id: Option<String>,
    /// The least level of assurance: low, substantial or high.
    #[arg(long, value_name = "LEVEL", value_parser = parse_assurance)]
    assurance: Option<Assurance>,
    /// How far clocks may differ, in seconds. Default: 60, or what the configuration says.
    #[arg(long, value_name = "SECONDS")]
    skew: Option<u64>,
    /// The time of the examination (RFC 3339). Default: now.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<crate::base::clock::Time>,
    /// Prints one JSON object a line and file.
    #[arg(long)]
    json: bool,
    /// Shows names, date of birth and identifier instead of masking them.
    #[arg(long)]
    show_personal_data: bool,
}

fn parse_assurance(text: &str) -> Result<Assurance, String> {
    Assurance::parse(text).ok_or_else(|| "it is one of low, substantial, high".to_owned())
}

pub(super) fn parse_time(text: &str) -> Result<crate::base::clock::Time, String> {
    text.parse().map_err(|_| "write it like 2031-03-04T10:20:30Z (RFC 3339)".to_owned())
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let prepared = Knowledge::gather(arguments)
        .and_then(|knowledge| Ok((knowledge, inputs::find(&arguments.paths)?)));
    let (knowledge, inputs) = match prepared {
        Ok(prepared) => prepared,
        Err(message) => {
            complain(format_args!("brama explain: {message}"));
            return ExitCode::from(USAGE);
        }
    };
    let mut all_accepted = true;
    for input in &inputs {
        all_accepted &= explain(input, &knowledge, arguments);
    }
    if all_accepted { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn explain(input: &Input, knowledge: &Knowledge, arguments: &Arguments) -> bool {
    let examination = examine(
        &input.answer,
        &knowledge.trusted,
        &knowledge.decryption_keys,
        &knowledge.expected,
        knowledge.now,
    );
    let shown = arguments.show_personal_data;
    if arguments.json {
        print(report::json(&input.name, &examination, shown));
    } else {
        print(report::text(&input.name, &examination, shown));
    }
    examination.outcome.is_ok()
}
