//! `brama man`: the pages of man(1), one a command. Packages install them.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::output::{fail, print};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The folder that they are written into; it is made when it is not there.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// `command` is the whole command line.
pub(super) fn run(arguments: &Arguments, command: clap::Command) -> ExitCode {
    let folder = &arguments.folder;
    let written =
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
    match written {
        Ok(()) => {
            print(format_args!("man pages are in {}", folder.display()));
            ExitCode::SUCCESS
        }
        Err(error) => fail(format_args!("{} cannot be written: {error}", folder.display())),
    }
}
