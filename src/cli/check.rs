//! `brama check`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::output::print;
use super::run::load;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration file. `BRAMA__SECTION__KEY` in the environment overrides its keys.
    #[arg(long, short, value_name = "FILE", default_value = "/etc/brama/brama.toml")]
    config: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let (settings, problems) = load(&arguments.config);
    if !problems.is_empty() {
        print(&problems);
    }
    if settings.is_none() {
        return ExitCode::FAILURE;
    }
    print(format_args!("{}: the configuration is usable", arguments.config.display()));
    ExitCode::SUCCESS
}
