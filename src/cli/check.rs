//! `brama check`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::configuration;
use super::output::print;
use crate::app::Settings;
use crate::flow::forms::MOST_FORMS;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration file. `BRAMA__SECTION__KEY` in the environment overrides its keys.
    #[arg(long, short, value_name = "FILE", default_value = crate::cli::configuration::PLACE)]
    config: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let (settings, problems) = configuration::check(&arguments.config);
    if !problems.is_empty() {
        print(&problems);
    }
    let Some(settings) = settings else { return ExitCode::FAILURE };
    print(room(&settings));
    print(format_args!("{}: the configuration is usable", arguments.config.display()));
    ExitCode::SUCCESS
}

/// Says what one network can do, and what there is room for, by the bounds that hold.
fn room(settings: &Settings) -> String {
    let (limits, flows) = (&settings.gateway.limits, &settings.flows);
    let starts = match limits.starts {
        Some(starts) => format!("{starts} logins"),
        None => "any number of logins".to_owned(),
    };
    let mebibytes = |bytes: usize| bytes >> 20;
    format!(
        "one network (IPv4 /{}, IPv6 /{}) may begin {starts} a minute; each process has room for {} \
         logins that are being finished, as many wishes and codes (each {} MiB), and {MOST_FORMS} forms \
         ({} MiB); a network with no more than its equal share loses nothing to others",
        limits.ipv4_prefix,
        limits.ipv6_prefix,
        flows.maximum_pending,
        mebibytes(flows.rooms.begun),
        mebibytes(flows.rooms.forms),
    )
}
