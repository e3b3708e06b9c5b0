//! `brama certs`: what certificates and keys are, whether one can take another's place, and requests
//! for new ones.
//!
//! 1. What is read may have any form in which operators and authorities hand it over ([`material`]):
//!    nobody has to know which it is.
//! 2. No private key is ever printed. Its fingerprint is that of its public half.
//! 3. Exit status: 0 when nothing is wrong, 1 when something is, 2 when a file cannot be read or one is
//!    in the way. What is wrong with files stands on standard error, with `--json` too.

mod compare;
mod csr;
mod facts;
mod inspect;
mod material;

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
enum Act {
    /// Says what is in files: subject, dates, key, usages, chain; which key fits which certificate;
    /// with a configuration, what uses it. PEM, DER, PKCS #7 and PKCS #12 are read.
    Inspect(inspect::Arguments),
    /// Proves, difference by difference, whether a certificate is technically the same as another,
    /// as the operator of the node demands it of one for production.
    Compare(compare::Arguments),
    /// Makes a key (EC P-256) and a request for its certificate (PKCS #10), in the profile of the
    /// node. The key stays in the file that is named.
    Csr(csr::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.act {
        Act::Inspect(arguments) => inspect::run(arguments),
        Act::Compare(arguments) => compare::run(arguments),
        Act::Csr(arguments) => csr::run(arguments),
    }
}
