//! `brama reference`.

use std::process::ExitCode;

use super::output::print;
use crate::config;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Prints a JSON schema for editors instead.
    #[arg(long)]
    schema: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    if arguments.schema {
        print(format_args!("{:#}", config::schema()));
    } else {
        print(config::reference().trim_end());
    }
    ExitCode::SUCCESS
}
