//! The command line.

mod audit;
mod capture;
mod certs;
mod check;
mod completions;
mod configuration;
mod control;
mod demo;
mod doctor;
mod explain;
mod explain_policy;
mod healthcheck;
mod keys;
mod lines;
mod log_level;
mod man;
mod onboarding;
mod operator;
mod output;
mod print_config;
mod reason;
mod reference;
mod reload;
mod reports;
mod run;
mod selftest;
mod sessions;
mod simulator;
mod token;
mod watched;
mod why;

use std::iter;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

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
    /// Goes through the acceptance of a sign-in with a configuration against a simulated node, and
    /// reports. Exit status 0 when everything passed, 1 when something did not, 2 when it could not be
    /// begun.
    Selftest(selftest::Arguments),
    /// Looks at everything that a login and a page go through, in a live environment: the node, the
    /// public address, proxies in front, servers behind, the store. Exit status 0 without a problem,
    /// 1 with one.
    Doctor(doctor::Arguments),
    /// Asks a running gateway whether it is ready. Exit status 0 when it is, 1 with why it is not.
    Healthcheck(healthcheck::Arguments),
    /// Starts a gateway, a simulator of the node and a small portal to try, on loopback.
    Demo(demo::Arguments),
    /// Runs the small portal of the demo by itself.
    DemoPortal(demo::PortalArguments),
    /// Runs the simulator of the national node, which can examine any service provider.
    Simulator(Box<simulator::Arguments>),
    /// Mints test tokens and test vectors for backends, with development keys.
    Token(token::Arguments),
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
    /// Says what certificates and keys are, compares two, makes requests for new ones, and renews
    /// them without a failed login.
    Certs(certs::Arguments),
    /// Leads from the application form to production: makes configurations and keys, says whose turn
    /// it is, takes in certificates, prints data sheets.
    Onboarding(onboarding::Arguments),
    /// Says which rule decides about a request and why, exactly as a running gateway does.
    ExplainPolicy(explain_policy::Arguments),
    /// Prints what a proxy in front needs that asks the gateway about each request: nginx and
    /// others, each in its own words.
    PrintConfig(print_config::Arguments),
    /// Says what a reason code means (in a log, on a page, in JSON), and who does what about it.
    Reason(reason::Arguments),
    /// Prints the configuration with every key, its meaning and its default; or what the operations
    /// listener answers, as OpenAPI.
    Reference(reference::Arguments),
    /// Prints what a shell needs to complete commands and options.
    Completions(completions::Arguments),
    /// Writes the manual pages of all commands, for man(1).
    Man(man::Arguments),
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
    let command = Arguments::parse().command;
    // All others read keys, tokens or answers of the node; those have nothing but what is made up.
    if !matches!(command, Command::Demo(_) | Command::DemoPortal(_) | Command::Simulator(_))
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
        Command::Selftest(arguments) => selftest::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::DemoPortal(arguments) => demo::run_portal(&arguments),
        Command::Simulator(arguments) => simulator::run(&arguments),
        Command::Token(arguments) => token::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Sessions(arguments) => sessions::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::Capture(arguments) => capture::run(&arguments),
        Command::Keys(arguments) => keys::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::LogLevel(arguments) => log_level::run(&arguments),
        Command::Certs(arguments) => certs::run(&arguments),
        Command::Onboarding(arguments) => onboarding::run(&arguments),
        Command::ExplainPolicy(arguments) => explain_policy::run(&arguments),
        Command::PrintConfig(arguments) => print_config::run(&arguments),
        Command::Reason(arguments) => reason::run(&arguments),
        Command::Reference(arguments) => reference::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments, Arguments::command()),
        Command::Man(arguments) => man::run(&arguments, Arguments::command()),
    };
    observe::flush();
    ended
}
