//! `brama explain-policy`: which rule decides about a request, why, and what would be answered.
//!
//! It asks what a running gateway asks: [`crate::gateway::decide`] for what the request is for,
//! [`crate::gate::RouteMatch`] for the verdict, [`crate::gateway::denial`] for the response. It
//! knows no rule of its own. Exit status: 0 when the request would pass, 1 when something else
//! would happen, 2 when it was called wrongly.

mod report;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use jiff::civil::Date;

use self::trial::{Outcome, Trial};
use super::configuration::load;
use super::output::{complain, print};
use crate::base::clock::{Clock, SystemClock, Time, earlier};
use crate::config::file::HumanDuration;
use crate::gate::visitor::Visitor;
use crate::identity::assurance::Assurance;

/// Exit status for wrong usage, as clap has it.
const USAGE: u8 = 2;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The method, in capitals.
    #[arg(value_name = "METHOD")]
    method: String,
    /// The address, or a path on the host of `portal.public_url`.
    #[arg(value_name = "URL")]
    url: String,
    /// The configuration file. `BRAMA__SECTION__KEY` in the environment overrides its keys.
    #[arg(long, short, value_name = "FILE", default_value = crate::cli::configuration::PLACE)]
    config: PathBuf,
    /// Somebody is signed in, at this level of assurance: low, substantial or high. With one of the
    /// options below somebody is signed in as well, at the level of `service.assurance`.
    #[arg(long, value_name = "LEVEL", value_parser = parse_assurance)]
    level: Option<Assurance>,
    /// How long ago they identified, such as 10m. Default: just now.
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    age: Option<Duration>,
    /// Who identified them, such as pz.gov.pl. Default: the node did not say.
    #[arg(long, value_name = "NAME")]
    authority: Option<String>,
    /// Their date of birth, such as 1984-05-14. Default: not known.
    #[arg(long, value_name = "DATE")]
    birthdate: Option<Date>,
    /// They have no PESEL. Default: they have one.
    #[arg(long)]
    no_pesel: bool,
    /// The time of the request (RFC 3339). Default: now.
    #[arg(long, value_name = "TIME", value_parser = super::explain::parse_time)]
    at: Option<Time>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

fn parse_assurance(text: &str) -> Result<Assurance, String> {
    Assurance::parse(text).ok_or_else(|| "it is one of low, substantial, high".to_owned())
}

fn parse_age(text: &str) -> Result<Duration, String> {
    text.parse::<HumanDuration>().map(HumanDuration::get).map_err(|error| error.to_string())
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let wrong = |message: String| {
        complain(format_args!("brama explain-policy: {message}"));
        ExitCode::from(USAGE)
    };
    let settings = match load(&arguments.config) {
        (Some(settings), _) => settings,
        (None, problems) => return wrong(format!("the configuration is wrong\n{problems}")),
    };
    let now = arguments.at.unwrap_or_else(|| SystemClock.now());
    let visitor = visitor(arguments, settings.flows.assurance, now);
    let trial = match Trial::new(&settings, &arguments.method, &arguments.url) {
        Ok(trial) => trial,
        Err(message) => return wrong(message),
    };
    let outcome = trial.outcome(visitor.as_ref(), now);
    if arguments.json {
        print(report::json(&trial, visitor.as_ref(), &outcome, now));
    } else {
        print(report::text(&trial, visitor.as_ref(), &outcome, now));
    }
    if matches!(outcome, Outcome::Pass { .. }) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the citizen who is signed in, or `None` when no argument says anything of one.
fn visitor(arguments: &Arguments, default: Assurance, now: Time) -> Option<Visitor<'_>> {
    let is_anybody = arguments.level.is_some()
        || arguments.age.is_some()
        || arguments.authority.is_some()
        || arguments.birthdate.is_some()
        || arguments.no_pesel;
    is_anybody.then(|| Visitor {
        assurance: arguments.level.unwrap_or(default),
        authenticated: earlier(now, arguments.age.unwrap_or_default()),
        authority: arguments.authority.as_deref(),
        birthdate: arguments.birthdate,
        has_pesel: !arguments.no_pesel,
    })
}
