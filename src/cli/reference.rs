//! `brama reference`.

use std::process::ExitCode;

use super::output::print;
use crate::operations::openapi;
use crate::{audit, config};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Prints a JSON schema for editors instead.
    #[arg(long)]
    schema: bool,
    /// Prints the JSON schema of a record of the audit log instead.
    #[arg(long, conflicts_with = "schema")]
    audit_schema: bool,
    /// Prints the OpenAPI document of the operations listener instead.
    #[arg(long, conflicts_with_all = ["schema", "audit_schema"])]
    openapi: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    if arguments.schema {
        print(format_args!("{:#}", config::schema()));
    } else if arguments.audit_schema {
        let schema = serde_json::to_value(audit::record::schema()).unwrap_or_default();
        print(format_args!("{schema:#}"));
    } else if arguments.openapi {
        print(format_args!("{:#}", openapi::document()));
    } else {
        print(config::reference().trim_end());
    }
    ExitCode::SUCCESS
}
