//! The command line.

mod absent;
mod audit;
mod capture;
mod check;
mod configuration;
mod control;
mod explain;
mod explain_policy;
mod healthcheck;
mod keys;
mod log_level;
mod operator;
mod output;
mod reason;
mod reference;
mod reload;
mod run;
mod sessions;
#[cfg(feature = "tools")]
mod tools;
mod watched;
mod why;

use std::env;
use std::iter;
use std::process::ExitCode;

#[cfg(feature = "tools")]
use clap::CommandFactory;
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::base::dumps;
use crate::observe;

/// An authenticating gateway for portals that sign citizens in through the Polish national node.
#[derive(Debug, Parser)]
#[command(name = "brama", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the gateway.
    Run(run::Arguments),
    /// Has a running gateway read its configuration again. Exit status 0 when it is applied, 1 with
    /// what is wrong when it is not.
    Reload(reload::Arguments),
    /// Checks a configuration: reports every problem at once. Exit status 0, or 1 with errors.
    Check(check::Arguments),
    /// Asks a running gateway whether it is ready. Exit status 0 when it is, 1 with why it is not.
    Healthcheck(healthcheck::Arguments),
    /// Examines captured answers of the node, offline, exactly as a login does.
    Explain(explain::Arguments),
    /// Lists, shows and ends sessions of a running gateway.
    Sessions(sessions::Arguments),
    /// Says why a login ended as it did, by the number on the citizen's page: what happened, which
    /// check failed, what it expected and found, and what to do. Exit status 0, or 1 when nothing is
    /// known of it.
    Why(why::Arguments),
    /// Has a running gateway keep the node's next answers, sealed to the service's decryption key,
    /// and fetches them for `brama explain`.
    Capture(capture::Arguments),
    /// Lists, rotates and retires the keys that sign identities at a running gateway and its
    /// replicas; saves the secret of the pseudonyms.
    Keys(keys::Arguments),
    /// Looks whether the audit log is as it was written, and finds records in it.
    Audit(audit::Arguments),
    /// Shows how much a running gateway logs, and changes it for a while.
    LogLevel(log_level::Arguments),
    /// Says which rule decides about a request and why, exactly as a running gateway does.
    ExplainPolicy(explain_policy::Arguments),
    /// Says what a reason code means (in a log, on a page, in JSON), and who does what about it.
    Reason(reason::Arguments),
    /// Prints the configuration with every key, its meaning and its default; or what the operations
    /// listener answers, as OpenAPI.
    Reference(reference::Arguments),
    #[cfg(feature = "tools")]
    #[command(flatten)]
    Tool(tools::Command),
}

impl Command {
    /// Tells whether it has nothing but made-up keys and answers. All others read those of a service.
    fn is_made_up(&self) -> bool {
        match self {
            #[cfg(feature = "tools")]
            Self::Tool(tool) => tool.is_made_up(),
            _ => false,
        }
    }
}

/// Tells whether the program takes these words, without doing anything: for tests of what the pages tell to type.
/// Of a command that is only named, and not `whole`, the names alone are judged: it may lack what it needs, and have
/// `FILE` for a file.
///
/// # Errors
/// What the program says of them.
pub fn understands(words: &[String], whole: bool) -> Result<(), String> {
    let words = iter::once("brama").chain(words.iter().map(String::as_str));
    let Err(error) = Arguments::try_parse_from(words) else { return Ok(()) };
    match error.kind() {
        // A file that a value names is for the command to read.
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::ValueValidation => Ok(()),
        ErrorKind::InvalidValue
        | ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            if !whole =>
        {
            Ok(())
        }
        _ => Err(error.to_string()),
    }
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(refusal) = absent::refusal(env::args_os().skip(1)) {
        output::complain(refusal);
        return ExitCode::from(absent::USAGE);
    }
    let command = Arguments::parse().command;
    if !command.is_made_up()
        && let Err(error) = dumps::forbid()
    {
        output::complain(format_args!(
            "brama: memory of this process is not kept from others: {error}"
        ));
    }
    let ended = match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Reload(arguments) => reload::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Sessions(arguments) => sessions::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::Capture(arguments) => capture::run(&arguments),
        Command::Keys(arguments) => keys::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::LogLevel(arguments) => log_level::run(&arguments),
        Command::ExplainPolicy(arguments) => explain_policy::run(&arguments),
        Command::Reason(arguments) => reason::run(&arguments),
        Command::Reference(arguments) => reference::run(&arguments),
        #[cfg(feature = "tools")]
        Command::Tool(tool) => tool.run(Arguments::command),
    };
    observe::flush();
    ended
}
