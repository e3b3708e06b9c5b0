//! The commands of the full program that a gateway in production does not need: what prepares and tries an
//! integration, and stands in for the node. The feature `tools` has them, and [`super::absent`] names them where they
//! are left out.

mod certs;
mod completions;
mod demo;
mod doctor;
mod lines;
mod man;
mod onboarding;
mod print_config;
mod reports;
mod selftest;
mod simulator;
mod token;

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Goes through the acceptance of a sign-in with a configuration against a simulated node, and
    /// reports. Exit status 0 when everything passed, 1 when something did not, 2 when it could not be
    /// begun.
    Selftest(selftest::Arguments),
    /// Looks at everything that a login and a page go through, in a live environment: the node, the
    /// public address, proxies in front, servers behind, the store. Exit status 0 without a problem,
    /// 1 with one.
    Doctor(doctor::Arguments),
    /// Starts a gateway, a simulator of the node and a small portal to try, on loopback.
    Demo(demo::Arguments),
    /// Runs the small portal of the demo by itself.
    DemoPortal(demo::PortalArguments),
    /// Runs the simulator of the national node, which can examine any service provider.
    Simulator(Box<simulator::Arguments>),
    /// Mints test tokens and test vectors for backends, with development keys.
    Token(token::Arguments),
    /// Says what certificates and keys are, compares two, makes requests for new ones, and renews
    /// them without a failed login.
    Certs(certs::Arguments),
    /// Leads from the application form to production: makes configurations and keys, says whose turn
    /// it is, takes in certificates, prints data sheets.
    Onboarding(onboarding::Arguments),
    /// Prints what a proxy in front needs that asks the gateway about each request: nginx and
    /// others, each in its own words.
    PrintConfig(print_config::Arguments),
    /// Prints what a shell needs to complete commands and options.
    Completions(completions::Arguments),
    /// Writes the manual pages of all commands, for man(1).
    Man(man::Arguments),
}

impl Command {
    /// Tells whether it has nothing but made-up keys and answers.
    pub(super) fn is_made_up(&self) -> bool {
        matches!(self, Self::Demo(_) | Self::DemoPortal(_) | Self::Simulator(_))
    }

    /// Does it. `whole` returns the whole command line.
    pub(super) fn run(self, whole: fn() -> clap::Command) -> ExitCode {
        match self {
            Self::Selftest(arguments) => selftest::run(&arguments),
            Self::Doctor(arguments) => doctor::run(&arguments),
            Self::Demo(arguments) => demo::run(&arguments),
            Self::DemoPortal(arguments) => demo::run_portal(&arguments),
            Self::Simulator(arguments) => simulator::run(&arguments),
            Self::Token(arguments) => token::run(&arguments),
            Self::Certs(arguments) => certs::run(&arguments),
            Self::Onboarding(arguments) => onboarding::run(&arguments),
            Self::PrintConfig(arguments) => print_config::run(&arguments),
            Self::Completions(arguments) => completions::run(&arguments, whole()),
            Self::Man(arguments) => man::run(&arguments, whole()),
        }
    }
}
