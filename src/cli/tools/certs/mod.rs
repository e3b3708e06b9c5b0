//! `brama certs`: what certificates and keys are, whether one can take another's place, and requests
//! for new ones.
//!
//! 1. What is read may have any form in which operators and authorities hand it over ([`material`]):
//!    nobody has to know which it is.
//! 2. No private key is ever printed. Its fingerprint is that of its public half.
//! 3. Exit status: 0 when nothing is wrong, 1 when something is, 2 when a file cannot be read or one is
//!    in the way. What is wrong with files stands on standard error, with `--json` too.

pub(super) mod compare;
pub(super) mod csr;
pub(super) mod current;
pub(super) mod encrypted;
pub(super) mod facts;
mod inspect;
pub(super) mod material;
pub(super) mod profile;
mod renew;

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
    /// Says what is in files: subject, dates, key, usages, chain; which key fits which certificate;
    /// with a configuration, what uses it. PEM, DER, PKCS #7 and PKCS #12 are read.
    Inspect(inspect::Arguments),
    /// Proves, difference by difference, whether a certificate is technically the same as another,
    /// as the operator of the node demands it of one for production.
    Compare(compare::Arguments),
    /// Makes a key (EC P-256) and a request for its certificate (PKCS #10), in the profile of the
    /// node. The key stays in the file that is named.
    Csr(csr::Arguments),
    /// Renews a certificate without a failed login: makes the new key and the request beside the old
    /// ones, checks what was issued, says which lines the configuration gets, whether a running
    /// gateway has them, what to wait for, and what to take out when. Run it again after each step.
    /// Exit status 0; 1 when what was issued cannot be used (nothing is written) or the running
    /// gateway has not taken what the configuration names by then; 2 when that cannot be read.
    Renew(renew::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.act {
        Act::Inspect(arguments) => inspect::run(arguments),
        Act::Compare(arguments) => compare::run(arguments),
        Act::Csr(arguments) => csr::run(arguments),
        Act::Renew(arguments) => renew::run(arguments),
    }
}
