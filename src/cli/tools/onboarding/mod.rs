//! `brama onboarding`: the way from the application form to production, in sixteen steps.
//!
//! 1. One folder has all of it: `onboarding.toml`, which is the record of what was done and when
//!    ([`record`]), and a folder for each environment of the operator with its configuration and its
//!    keys ([`stage`]).
//! 2. What can be read off files is read off them ([`seen`]); what happens between people stands in
//!    the record, and nothing else claims it.
//! 3. Nothing that is there is overwritten. What is wrong is said before the first file is written,
//!    and then none is.
//! 4. Exit status: 0 when all is well, 1 when something is wrong or missing. 2 when something is in
//!    the way of `init` or of the file that `sheet` makes, when `import` is given a file that cannot be
//!    read, and when the words of a command are wrong.

mod import;
mod init;
mod own;
mod promote;
mod record;
mod seen;
mod sheet;
mod stage;
mod status;
mod steps;
mod templates;
mod words;

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
enum Act {
    /// Makes a folder with everything that the way begins with: the record, and for each of the three
    /// environments a configuration, keys (EC P-256) and requests for certificates in the profile of
    /// the node. Exit status 0; 2 when the folder is there already, 1 when something else is wrong.
    Init(init::Arguments),
    /// Says which of the sixteen steps is due, whose turn it is, what is missing, and how much of the
    /// operator's time windows is used; records a step as done. Exit status 0; 1 when the record or a
    /// file contradicts what was recorded, or when the record cannot be read.
    Status(status::Arguments),
    /// Prints the data sheet of an environment for the operator, in Polish or English, as Markdown or
    /// as a page to print. Exit status 0, also when something is missing in it, which stands on
    /// standard error; 1 when it cannot be made, 2 when the file of --out is there already.
    Sheet(sheet::Arguments),
    /// Takes in what the operator or an authority handed over (PKCS #12, PEM, DER, PKCS #7): finds
    /// what each file is and which key fits, puts it in place and writes the lines of the
    /// configuration. Exit status 0 when the configuration is usable then; 1 when something is wrong
    /// (nothing is written) or still missing; 2 when a file that was given, or that of a
    /// password, cannot be read (nothing is written).
    Import(import::Arguments),
    /// Takes the configuration of one environment over to the next: copies what stays, keeps what
    /// belongs to each environment, and lists what has to change. Exit status 0; 1 when something is
    /// wrong or cannot be read.
    Promote(promote::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.act {
        Act::Init(arguments) => init::run(arguments),
        Act::Status(arguments) => status::run(arguments),
        Act::Sheet(arguments) => sheet::run(arguments),
        Act::Import(arguments) => import::run(arguments),
        Act::Promote(arguments) => promote::run(arguments),
    }
}
