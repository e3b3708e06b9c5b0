//! `brama completions`: what a shell needs to complete the command line. Packages install it.

use std::process::ExitCode;

use clap_complete::Shell;

use crate::cli::output::print;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The shell that reads it.
    #[arg(value_enum)]
    shell: Shell,
}

/// `command` is the whole command line.
pub(super) fn run(arguments: &Arguments, mut command: clap::Command) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "brama", &mut script);
    print(String::from_utf8_lossy(&script).trim_end());
    ExitCode::SUCCESS
}
