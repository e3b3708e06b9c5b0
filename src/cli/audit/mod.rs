//! `brama audit`: looks whether the audit log is as it was written, and finds records in it. It works
//! on files, also where no gateway runs ([`crate::audit`]).
//!
//! An identifier of a person is read from a file or standard input, never from an argument: arguments
//! are seen by every user of a machine and stay in histories.

mod configured;
mod find;
mod keys;
mod remote;
mod verify;

use std::process::ExitCode;

use super::output::complain;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

/// What is asked for.
#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Finds any change, removal, insertion and swap of records. Exit status 0 when nothing is wrong,
    /// 1 when something is, 2 when it could not be read.
    Verify(verify::Arguments),
    /// Finds what a person did, or what became of a request, a session or a login. Exit status 0 when
    /// something is found, 1 when nothing is, 2 when it could not be read.
    Find(Box<find::Arguments>),
    /// Prints the public keys that signatures are verified with, one a line, the present one first.
    PublicKeys(keys::Arguments),
    /// Makes a new key in the state folder, which is used from the next start on. Old ones stay, to
    /// find old records and to verify them.
    RotateKey(keys::Rotation),
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let done = match &arguments.act {
        Act::Verify(arguments) => verify::run(arguments),
        Act::Find(arguments) if find::is_remote(arguments) => remote::run(arguments),
        Act::Find(arguments) => find::run(arguments),
        Act::PublicKeys(arguments) => keys::run(arguments),
        Act::RotateKey(rotation) => keys::rotate(rotation),
    };
    done.unwrap_or_else(|problem| {
        complain(format_args!("brama audit: {problem}"));
        ExitCode::from(UNREADABLE)
    })
}

/// The exit status when something could not be read, as clap has it for wrong usage.
const UNREADABLE: u8 = 2;
